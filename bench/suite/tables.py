"""Tables for people."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .goals import Results, ratios

PAUSES = ("< 1 ms", "< 5 ms", "< 20 ms", "< 100 ms", "< 1 s", "≥ 1 s")


def spread(values: Sequence[float], form: str) -> str:
    """The median, with the smallest and the largest."""
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))}–{form.format(max(values))})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(head), "|---" * len(head) + "|", *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def rates(
    results: Results, titles: Sequence[tuple[str, str]], what: str, compared: str = "ours"
) -> list[str]:
    """A row a contestant: (name, title); the last column is the rate of `compared` divided by its own."""
    rows = []
    for name, title in titles:
        runs = results.get(name)
        if not runs:
            continue
        against = ratios(results, compared, name) if name != compared else []
        rows.append(
            (
                title,
                spread([run.rows_a_second for run in runs], "{:,.0f}"),
                f"{statistics.median(run.cpu_a_million for run in runs):.1f}",
                f"{max(run.mib for run in runs):.0f}",
                spread(against, "{:.2f}") if against else "",
            )
        )
    name = "ours" if compared.startswith("ours") else compared
    return table((what, "rows/s", "CPU-s per M rows", "peak MiB", f"{name} ÷ it"), rows) if rows else []


def pauses(found: Sequence[dict]) -> list[str]:
    rows = [
        (
            f["title"],
            f"{f['messages'] / f['seconds']:,.0f}",
            *(f"{n:,}" for n in f["pauses"]),
            f"{f['longest_ms']:.1f}",
        )
        for f in found
    ]
    return table(("our source on a full topic", "messages/s", *PAUSES, "longest (ms)"), rows)
