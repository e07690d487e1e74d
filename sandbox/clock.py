"""The sandbox's time: a wall clock that can be shifted, a monotonic one, and Beijing time as text."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

BEIJING = timezone(timedelta(hours=8))
_FORMAT = "%Y-%m-%d %H:%M:%S"
_SHAPE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


class Clock:
    """Tests derive from it and override `real` and `monotonic`."""

    def __init__(self) -> None:
        self.shift = 0.0  # seconds that the server's clock is wrong by

    def real(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        """Unix seconds as this server believes them."""
        return self.real() + self.shift

    def second(self) -> int:
        return int(self.wall())

    def http_date(self) -> str:
        return formatdate(self.wall(), usegmt=True)


def beijing(seconds: int) -> str:
    """Unix seconds as the API writes them: `2026-08-13 11:05:00`."""
    return datetime.fromtimestamp(seconds, BEIJING).strftime(_FORMAT)


def parse_beijing(text: str) -> int:
    """Unix seconds of a time in the API's only form; ValueError for anything else."""
    if not _SHAPE.fullmatch(text):
        raise ValueError(f"not yyyy-MM-dd HH:mm:ss: {text!r}")
    return int(datetime.strptime(text, _FORMAT).replace(tzinfo=BEIJING).timestamp())
