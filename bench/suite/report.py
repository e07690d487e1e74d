"""What was found, as tables for people."""

from __future__ import annotations

import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from harness import paths

from . import goals, peers
from .contestants import Contestant, loaders, transformers
from .rounds import Results
from .world import World

README = paths.ROOT / "bench" / "README.md"
BEGIN, END = "<!-- bench/run --write: begin -->", "<!-- bench/run --write: end -->"
PEERS = ("go", "connect", "peer-go", "peer-benthos")
PAUSES = ("< 1 ms", "< 5 ms", "< 20 ms", "< 100 ms", "< 1 s", "≥ 1 s")


@dataclass
class Findings:
    rows: int
    pairs: int
    consume: list[dict] = field(default_factory=list)
    transformer: Results = field(default_factory=dict)
    loader: Results = field(default_factory=dict)
    machine: list[str] = field(default_factory=list)


# ---- the machine ----


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().split("\n", 1)[0]


def _package(name: str) -> str:
    return _first_line("dpkg-query", "-W", "-f", "${Version}", name)


def _memory_gib() -> float:
    return int(Path("/proc/meminfo").read_text().split()[1]) / 2**20


def machine(world: World) -> list[str]:
    cpu = [l for l in Path("/proc/cpuinfo").read_text().splitlines() if l.startswith("model name")]
    commit = _first_line("git", "-C", str(paths.ROOT), "rev-parse", "--short", "HEAD")
    changed = subprocess.run(
        ["git", "-C", str(paths.ROOT), "diff", "--quiet", "HEAD"], check=False
    ).returncode
    return [
        f"{len(cpu)} × {cpu[0].split(':', 1)[1].strip()}, {_memory_gib():.0f} GiB",
        f"Linux {_first_line('uname', '-r')}, {_first_line('lsb_release', '-sd') or 'Debian'}"
        if Path("/usr/bin/lsb_release").exists()
        else f"Linux {_first_line('uname', '-r')}, Debian {Path('/etc/debian_version').read_text().strip()}",
        f"librdkafka {_package('librdkafka1')}, MariaDB {world.query('SELECT VERSION()')[0][0]}",
        f"{_first_line(str(paths.JAVA), '-version')}, {peers.version()}",
        f"commit {commit}{' with changes' if changed else ''}",
    ]


# ---- tables ----


def _spread(values: list[float], form: str) -> str:
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))}–{form.format(max(values))})"


def _against(results: Results, name: str) -> str:
    """Ours divided by the contestant, run by run of the same round."""
    own, other = results.get("ours", []), results[name]
    ratios = [a.rows_a_second / b.rows_a_second for a, b in zip(own, other)]
    return _spread(ratios, "{:.2f}") if ratios and name != "ours" else ""


def _table(results: Results, contestants: list[Contestant], what: str) -> list[str]:
    lines = [
        f"| {what} | rows/s | CPU-s per M rows | peak MiB | ours ÷ it |",
        "|---|---|---|---|---|",
    ]
    for contestant in contestants:
        runs = results.get(contestant.name)
        if not runs:
            continue
        lines.append(
            f"| {contestant.title} | {_spread([r.rows_a_second for r in runs], '{:,.0f}')}"
            f" | {statistics.median(r.cpu_a_million for r in runs):.1f}"
            f" | {max(r.mib for r in runs):.0f} | {_against(results, contestant.name)} |"
        )
    return lines


def _consume_table(found: list[dict]) -> list[str]:
    lines = [
        f"| our source on a full topic | messages/s | {' | '.join(PAUSES)} | longest (ms) |",
        "|---" * (len(PAUSES) + 3) + "|",
    ]
    for f in found:
        pauses = " | ".join(f"{n:,}" for n in f["pauses"])
        lines.append(
            f"| {f['title']} | {f['messages'] / f['seconds']:,.0f} | {pauses} | {f['longest_ms']:.1f} |"
        )
    return lines


def text(findings: Findings) -> str:
    parts = [f"{findings.rows:,} rows, {findings.pairs} rounds. " + "; ".join(findings.machine) + "."]
    own = goals.lines(findings.loader, findings.transformer, findings.consume, PEERS)
    if own:
        parts.append("\n".join(["| goal | found | |", "|---|---|---|", *own]))
    if findings.loader:
        parts.append("\n".join(_table(findings.loader, loaders(), "into MariaDB")))
    if findings.transformer:
        parts.append("\n".join(_table(findings.transformer, transformers(), "pages to rows")))
    if findings.consume:
        parts.append("\n".join(_consume_table(findings.consume)))
    return "\n\n".join(parts)


def write(content: str) -> None:
    """Between the markers of bench/README.md; the prose around them is for people to write."""
    before, rest = README.read_text().split(BEGIN, 1)
    README.write_text(f"{before}{BEGIN}\n\n{content}\n\n{END}{rest.split(END, 1)[1]}")
