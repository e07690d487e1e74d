"""Faults that a test asks for: a queue, applied to the next business requests."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

KINDS = {
    "http": "answer with `status` (500), an HTML page and, if given, Retry-After",
    "code": "answer HTTP 200 with `code` (199) and `msg`",
    "truncate": "announce the whole answer, send half, close",
    "cut": "a complete HTTP answer whose JSON ends in the middle",
    "garbage": "HTTP 200 with a page that is not JSON",
    "huge": "a right answer, followed by `mb` MiB of blanks",
    "slow": "wait `ms` before the answer",
    "hang": "send head and half of the answer, wait `ms`, send the rest",
    "close": "close the connection without an answer",
    "expire_token": "expire all tokens, then go on as usual",
}
FOREVER = -1


@dataclass
class Fault:
    kind: str
    times: int = 1  # FOREVER: until the queue is cleared
    after: int = 0  # matching requests that pass first
    path: str | None = None  # None: every path below /open/ (tokens are not)
    status: int = 500
    retry_after: int | str | None = None  # seconds, or an HTTP date as it shall be sent
    code: int = 199
    msg: str | None = None
    ms: int = 3000
    mb: int = 64

    def matches(self, path: str) -> bool:
        return path == self.path if self.path else path.startswith("/open/")


def parse(wish: Mapping[str, Any]) -> Fault:
    """A fault as JSON asks for it; ValueError names what is wrong."""
    unknown = set(wish) - set(Fault.__dataclass_fields__)
    if unknown:
        known = ", ".join(Fault.__dataclass_fields__)
        raise ValueError(f"unknown key {min(unknown)!r}; known: {known}")
    if wish.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    for name in ("times", "after", "status", "code", "ms", "mb"):
        if name in wish and (isinstance(wish[name], bool) or not isinstance(wish[name], int)):
            raise ValueError(f"{name} must be a whole number")
    return Fault(**wish)


class Faults:
    def __init__(self) -> None:
        self._queue: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._queue.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._queue.clear()

    def pending(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._queue]

    def take(self, path: str) -> Fault | None:
        """The fault for this request, if any: the oldest that matches it."""
        with self._lock:
            fault = next((entry for entry in self._queue if entry.matches(path)), None)
            if fault is None:
                return None
            if fault.after > 0:
                fault.after -= 1
                return None
            if fault.times > 0:
                fault.times -= 1
            if fault.times == 0:
                self._queue.remove(fault)
            return fault
