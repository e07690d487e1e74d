"""Run one contestant and measure it: rows a second, CPU, memory."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from harness.process import Process
from harness.waiting import wait_until

TICKS = os.sysconf("SC_CLK_TCK")
LIMIT = 300.0
EVERY = 0.02


@dataclass(frozen=True)
class Figures:
    """rows/s between the first and the last row that were counted; CPU of that time; peak memory."""

    rows_a_second: float
    cpu_a_million: float
    mib: float


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of the processes; none of the contestants starts another one."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has just ended
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def peak_mib(pids: Sequence[int]) -> float:
    """VmHWM of the processes, summed."""
    kib = 0
    for pid in pids:
        try:
            found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        except OSError:
            continue
        kib += int(found[1]) if found else 0
    return kib / 1024


def measure(processes: Sequence[Process], count: Callable[[], int], total: int, what: str) -> Figures:
    """Start the processes, and wait until count() has come from 0 to total; they go on running."""
    for process in processes:
        process.start()
    pids = [process.pid for process in processes]
    # Memory and CPU of the last look, for a floor's program, which ends by itself.
    now: dict[str, float] = {"mib": 0.0, "cpu": 0.0}

    def look() -> int:
        running = [process.pid for process in processes if process.running]
        if running:
            now["mib"] = max(now["mib"], peak_mib(pids))
            now["cpu"] = max(now["cpu"], cpu_seconds(pids))
        for process in processes:
            if not process.running and process.exit_code != 0:
                process.check_alive()
        return count()

    first = wait_until(f"{what}: the first row", look, 120, every=EVERY, ignore=(KafkaException,))
    begin, cpu = time.monotonic(), now["cpu"]
    last = wait_until(
        f"{what}: {total} rows",
        lambda: (n := look()) >= total and n,
        LIMIT,
        every=EVERY,
        ignore=(KafkaException,),
    )
    seconds = time.monotonic() - begin
    assert last == total, f"{what}: {last} rows instead of {total}"
    assert total > first, f"{what}: too few rows to measure"
    rows = total - first
    return Figures(rows / seconds, (now["cpu"] - cpu) / rows * 1e6, now["mib"])
