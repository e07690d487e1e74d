"""What was asked and answered: the log of requests, and counts over it."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any

from sandbox.clock import Clock
from sandbox.limits import SlidingMax

KEPT = 200_000  # requests remembered; older ones are dropped


class Journal:
    """`arrive` when a request was read, `answer` when its answer is known."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._clear()

    def arrive(self, path: str) -> dict[str, Any]:
        """The entry to be completed; it is in the log from now on."""
        with self._lock:
            now = self._clock.monotonic()
            self._number += 1
            self._second.add(now)
            self._minute.add(now)
            entry: dict[str, Any] = {
                "n": self._number,
                "wall": self._clock.wall(),
                "mono": now,
                "path": path,
                "biz": None,
                "http": None,
                "code": None,
                "page": None,
                "documents": 0,
                "bytes": 0,
                "fault": None,
            }
            self._entries.append(entry)
            return entry

    def answer(self, entry: dict[str, Any], result: str, **facts: Any) -> None:
        """`result` is what the request counts as: `ok`, a code, `http 500`, a fault's kind."""
        with self._lock:
            entry.update(facts)
            self._results[result] += 1

    def entries(self) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(entry) for entry in self._entries]

    def counts(self) -> dict[str, Any]:
        with self._lock:
            return {
                "requests": self._number,
                "results": dict(self._results),
                "max_per_second": self._second.most,
                "max_per_minute": self._minute.most,
            }

    def clear(self) -> None:
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        self._number = 0
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._results: Counter[str] = Counter()
        self._second = SlidingMax(1.0)
        self._minute = SlidingMax(60.0)
