"""Waiting for a condition with a limit: the only place where a test sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")

# A slow machine, or the sanitizers, may stretch every limit by one factor.
SLOWNESS = 1.0


class Watched(Protocol):
    """Something that must stay alive while one waits."""

    def check_alive(self) -> None:
        """Raise if it has ended."""


class NotInTime(AssertionError):
    pass


def wait_until(
    description: str,
    condition: Callable[[], T],
    limit: float = 30.0,
    *,
    every: float = 0.05,
    alive: Iterable[Watched] = (),
    ignore: tuple[type[Exception], ...] = (),
) -> T:
    """Poll until the condition gives something true, and return that.

    limit    seconds; after them NotInTime is raised with the description and the last value or exception
    alive    programs that must not end meanwhile: then it fails at once, with their log
    ignore   exceptions of the condition that mean "not yet"
    """
    start = time.monotonic()
    deadline = start + limit * SLOWNESS
    while True:
        try:
            value = condition()
            if value:
                return value
            last: object = value
        except ignore as error:
            last = error
        for program in alive:
            program.check_alive()
        if time.monotonic() >= deadline:
            raise NotInTime(
                f"waited {time.monotonic() - start:.1f} s in vain for: {description}; at the end: {last!r}"
            )
        time.sleep(every)


def holds_for(
    description: str, condition: Callable[[], object], duration: float, *, every: float = 0.05
) -> None:
    """Assert that the condition stays true for the whole duration (seconds)."""
    end = time.monotonic() + duration
    while time.monotonic() < end:
        assert condition(), f"did not stay so for {duration} s: {description}"
        time.sleep(every)


def pause(seconds: float, why: str) -> None:
    """Let time pass where time itself is what the test is about; say why."""
    assert why
    time.sleep(seconds)
