"""The quota of one app key: so many requests in any second, and in any minute (sliding windows, strict)."""

from __future__ import annotations

import threading
from collections import deque

from sandbox.clock import Clock

OVER_SECOND = 199
OVER_MINUTE = 200


class SlidingMax:
    """The most events that ever fell into one window of this length."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()
        self.most = 0

    def add(self, now: float) -> None:
        self._times.append(now)
        self.most = max(self.most, self.count(now))

    def count(self, now: float) -> int:
        """Events within the last window; an event exactly one window ago is outside."""
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        return len(self._times)


class RateLimit:
    """Requests that were refused do not use up the quota."""

    def __init__(self, clock: Clock, per_second: int, per_minute: int) -> None:
        self.per_second = per_second  # 0: no limit
        self.per_minute = per_minute
        self._clock = clock
        self._second = SlidingMax(1.0)
        self._minute = SlidingMax(60.0)
        self._lock = threading.Lock()

    def ask(self) -> int:
        """0, or the code of the limit that this request would break."""
        with self._lock:
            now = self._clock.monotonic()
            if self.per_second and self._second.count(now) >= self.per_second:
                return OVER_SECOND
            if self.per_minute and self._minute.count(now) >= self.per_minute:
                return OVER_MINUTE
            self._second.add(now)
            self._minute.add(now)
            return 0
