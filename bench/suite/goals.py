"""What the figures should come to, and whether they do."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from .rounds import Results

FLOOR = "text1"
MIB = 48
PAUSE_MS = 20
LOADER_OF_FLOOR, LOADER_OF_PEER, TRANSFORMER_OF_PEER = 0.60, 1.10, 2.20


def median_ratio(results: Results, name: str) -> float | None:
    """Ours divided by the contestant: the median over the rounds."""
    pairs = zip(results.get("ours", []), results.get(name, []))
    ratios = [own.rows_a_second / other.rows_a_second for own, other in pairs]
    return statistics.median(ratios) if ratios else None


def _peer_ratio(results: Results, names: Iterable[str]) -> float | None:
    """Against the peer that leaves least."""
    ratios = [ratio for name in names if (ratio := median_ratio(results, name)) is not None]
    return min(ratios, default=None)


def lines(loader: Results, transformer: Results, consume: list[dict], peers: Iterable[str]) -> list[str]:
    """Rows of a table: goal, found, met or missed; only of what was measured."""
    found: list[tuple[str, str, bool]] = []

    def at_least(title: str, ratio: float | None, aim: float) -> None:
        if ratio is not None:
            found.append((f"{title}: ≥ {aim:.2f}", f"{ratio:.2f}", ratio >= aim))

    peers = list(peers)
    at_least("loader ÷ floor of multi-row text, 1 connection", median_ratio(loader, FLOOR), LOADER_OF_FLOOR)
    at_least("loader ÷ best peer", _peer_ratio(loader, peers), LOADER_OF_PEER)
    at_least("transformer ÷ best peer", _peer_ratio(transformer, peers), TRANSFORMER_OF_PEER)
    for title, results in (("loader", loader), ("transformer", transformer)):
        if runs := results.get("ours"):
            mib = max(run.mib for run in runs)
            found.append((f"{title}, one process: peak ≤ {MIB} MiB", f"{mib:.0f} MiB", mib <= MIB))
    if consume:
        longest = max(f["longest_ms"] for f in consume)
        found.append((f"no pause above {PAUSE_MS} ms", f"{longest:.1f} ms", longest <= PAUSE_MS))
    return [f"| {goal} | {value} | {'met' if met else 'missed'} |" for goal, value, met in found]
