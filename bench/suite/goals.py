"""What the figures should come to, and whether they do."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .measure import Figures

Results = dict[str, list[Figures]]  # by contestant, a run a round
MIB = 48


@dataclass(frozen=True)
class Goal:
    title: str
    found: str
    met: bool


@dataclass
class Section:
    """What one part of the bench found; it has its own place in bench/README.md."""

    name: str
    caption: str  # how much was run
    goals: list[Goal] = field(default_factory=list)
    tables: list[list[str]] = field(default_factory=list)  # lines

    def at_least(
        self, title: str, value: float | None, aim: float, form: str = "{:.2f}", more: str = ""
    ) -> None:
        """value None: it was not measured, and the goal does not appear."""
        if value is not None:
            self.goals.append(Goal(f"{title}: ≥ {form.format(aim)}", form.format(value) + more, value >= aim))

    def at_most(self, title: str, value: float | None, aim: float, form: str = "{:.0f}") -> None:
        if value is not None:
            self.goals.append(Goal(f"{title}: ≤ {form.format(aim)}", form.format(value), value <= aim))

    def peak(self, title: str, runs: Iterable[Figures]) -> None:
        self.at_most(f"{title}: peak", max((run.mib for run in runs), default=None), MIB, "{:.0f} MiB")


def ratio(results: Results, one: str, other: str) -> float | None:
    """The first contestant's rows a second divided by the other's: the median over the rounds."""
    found = ratios(results, one, other)
    return statistics.median(found) if found else None


def ratios(results: Results, one: str, other: str) -> list[float]:
    """Of the runs of the same round."""
    pairs = zip(results.get(one, []), results.get(other, []))
    return [a.rows_a_second / b.rows_a_second for a, b in pairs]


def least_ratio(results: Results, one: str, others: Sequence[str]) -> tuple[float | None, str]:
    """Against the fastest of the others, and its name."""
    found = [(value, other) for other in others if (value := ratio(results, one, other)) is not None]
    return min(found, default=(None, ""))


def median_rows(results: Results, name: str) -> float | None:
    runs = results.get(name)
    return statistics.median(run.rows_a_second for run in runs) if runs else None
