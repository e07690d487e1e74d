"""Run one contestant and measure it: rows a second, CPU, memory."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from harness.process import Process
from harness.waiting import NotInTime, wait_until

TICKS = os.sysconf("SC_CLK_TCK")
FIRST_LIMIT = 120.0  # seconds until the first row
LIMIT = 300.0  # seconds for all, or more where there are more rows than SLOWEST a second
SLOWEST = 5000
EVERY = 0.02
TAIL_LINES = 5  # of each log, when something does not come in time


@dataclass(frozen=True)
class Figures:
    """rows/s between the first and the last row that were counted; CPU of that time; peak memory."""

    rows_a_second: float
    cpu_a_million: float
    mib: float
    missing: int = 0  # rows that did not come in time, where that is not an error
    busy: float = 0.0  # share of all cores' time that somebody used, servers included


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


def machine_ticks() -> tuple[int, int]:
    """Of all cores: the ticks that somebody used or another machine took, and all."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


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


class _Watch:
    """The processes' memory and CPU at the last look: a floor's program ends by itself."""

    def __init__(self, processes: Sequence[Process]):
        self.processes = processes
        self.pids = [process.pid for process in processes]
        self.mib = 0.0
        self.cpu = 0.0

    def look(self) -> None:
        if any(process.running for process in self.processes):
            self.mib = max(self.mib, peak_mib(self.pids))
            self.cpu = max(self.cpu, cpu_seconds(self.pids))
        for process in self.processes:
            if not process.running and process.exit_code != 0:
                process.check_alive()


def measure(
    processes: Sequence[Process],
    count: Callable[[], int],
    total: int,
    what: str,
    first_row: int = 1,
    limit: float | None = None,
) -> Figures:
    """Start the processes, and wait until count() has come from first_row to total; they go on running.

    first_row   0: from the first answer of count() on
    limit       seconds, after which what has come until then is the result; None: not to come in time is an error
    """
    for process in processes:
        process.start()
    watch = _Watch(processes)

    def reach(rows: int, seconds: float) -> int:
        now = 0

        def reached() -> bool:
            nonlocal now
            watch.look()
            now = count()
            return now >= rows

        try:
            wait_until(f"{what}: {rows} rows", reached, seconds, every=EVERY, ignore=(KafkaException,))
        except NotInTime as error:
            if limit is None:
                raise NotInTime("\n".join([str(error), *(p.tail(TAIL_LINES) for p in processes)])) from None
        return now

    first = reach(first_row, limit or FIRST_LIMIT)
    begin, cpu = time.monotonic(), watch.cpu
    busy_before, all_before = machine_ticks()
    last = reach(total, limit or max(LIMIT, total / SLOWEST))
    seconds = time.monotonic() - begin
    busy, ticks = machine_ticks()
    assert last == total or limit is not None, f"{what}: {last} rows instead of {total}"
    assert total > first, f"{what}: too few rows to measure"
    rows = last - first
    cpu_a_million = (watch.cpu - cpu) / rows * 1e6 if rows else 0.0
    used = (busy - busy_before) / max(ticks - all_before, 1)
    return Figures(rows / seconds, cpu_a_million, watch.mib, total - last, used)


def committed_documents(process: Process, pipelines: Collection[str]) -> int:
    """Documents of these pipelines that the loader says it is done with: committed, or found to be older ones."""
    found = process.metrics().series("jst_loader_documents_total")
    return int(sum(value for labels, value in found if labels["pipeline"] in pipelines))
