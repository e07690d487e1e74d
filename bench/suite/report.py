"""What was found, as text for people and as sections of bench/README.md."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness import paths

from . import peers
from .goals import Section
from .servers import Servers
from .tables import table

README = paths.ROOT / "bench" / "README.md"


# ---- the machine ----


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().split("\n", 1)[0]


def _package(name: str) -> str:
    return _first_line("dpkg-query", "-W", "-f", "${Version}", name)


def _memory_gib() -> float:
    return int(Path("/proc/meminfo").read_text().split()[1]) / 2**20


def _debian() -> str:
    if Path("/usr/bin/lsb_release").exists():
        return _first_line("lsb_release", "-sd")
    return f"Debian {Path('/etc/debian_version').read_text().strip()}"


def _commit() -> str:
    commit = _first_line("git", "-C", str(paths.ROOT), "rev-parse", "--short", "HEAD")
    changed = subprocess.run(
        ["git", "-C", str(paths.ROOT), "diff", "--quiet", "HEAD"], check=False
    ).returncode
    return f"commit {commit}{' with changes' if changed else ''}"


def machine(servers: Servers) -> str:
    """One line: what the figures were measured on, and with."""
    cpu = [l for l in Path("/proc/cpuinfo").read_text().splitlines() if l.startswith("model name")]
    parts = [
        f"{len(cpu)} × {cpu[0].split(':', 1)[1].strip()}, {_memory_gib():.0f} GiB",
        f"Linux {_first_line('uname', '-r')}, {_debian()}",
        f"librdkafka {_package('librdkafka1')}",
        f"MariaDB {servers.database('mariadb').value('SELECT VERSION()')}",
        f"{_first_line(str(paths.JAVA), '-version')}, {peers.version()}",
        _commit(),
    ]
    flags = " ".join(word for pair in servers.loader_flags.items() for word in pair)
    return "; ".join(parts + ([f"loaders with {flags}"] if flags else []))


# ---- text ----


def text(section: Section, about: str) -> str:
    parts = [f"{section.caption}. {about}."]
    goals = [(goal.title, goal.found, "met" if goal.met else "missed") for goal in section.goals]
    if goals:
        parts.append("\n".join(table(("goal", "found", ""), goals)))
    return "\n\n".join([*parts, *("\n".join(lines) for lines in section.tables if lines)])


def write(section: Section, content: str) -> None:
    """Between the section's markers in bench/README.md; the prose around them is for people to write."""
    begin, end = (f"<!-- bench/run --write: {section.name}: {word} -->" for word in ("begin", "end"))
    before, rest = README.read_text().split(begin, 1)
    README.write_text(f"{before}{begin}\n\n{content}\n\n{end}{rest.split(end, 1)[1]}")
