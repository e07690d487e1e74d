"""How long a document takes from the API's answer to the table, while there is no backlog.

Pages of one document each are published at a steady pace, with jst-fetched-at = now; transformer and loader run; the
table is looked at every few milliseconds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from confluent_kafka import Producer
from harness import feed
from harness.waiting import wait_until

from .contestants import our_process, topics_file
from .rounds import STOP_LIMIT
from .servers import TOPIC_SETTINGS
from .world import PARTITIONS, World

LINES = 3
LOOK_EVERY = 0.003  # seconds
LIMIT = 60  # seconds that the last documents may take
FIRST_ID = 10_000_000
WARM_UP = 5  # documents that do not count: connections are made, code is read from disk


@dataclass(frozen=True)
class Latency:
    pages_a_second: float
    seconds: list[float]  # of each document, ascending
    transformer_mib: float
    loader_mib: float

    def quantile(self, share: float) -> float:
        """The smallest time that this share of the documents did not exceed."""
        return self.seconds[max(0, -int(-share * len(self.seconds) // 1) - 1)]


class _Stream:
    """Publishes what is due, and notes when each document is seen in the table."""

    def __init__(self, world: World, topic: str, pace: float, documents: int):
        self.world = world
        self.topic = topic
        self.pace = pace
        self.documents = documents
        self.producer = Producer({"bootstrap.servers": world.kafka.brokers, "linger.ms": 0, "log_level": 0})
        self.begin = 0.0  # monotonic; 0: not begun
        self.published: list[float] = []  # wall clock, as the page's header has it
        self.seen: dict[int, float] = {}

    def _publish(self) -> None:
        number = len(self.published)
        lines = [{"ioi_id": number * LINES + line, "qty": line} for line in range(LINES)]
        body = feed.page([feed.document(FIRST_ID + number, number + 1, lines)])
        headers = feed.raw_headers()
        self.published.append(time.time())
        self.producer.produce(self.topic, value=body, headers=headers)

    def step(self) -> bool:
        """One look; true when all documents have been seen."""
        self.begin = self.begin or time.monotonic()
        due = int((time.monotonic() - self.begin) * self.pace) + 1
        while len(self.published) < min(due, self.documents):
            self._publish()
        self.producer.poll(0)
        found = self.world.query(f"SELECT io_id FROM {self.world.shape.table} GROUP BY io_id")
        now = time.time()
        for (io_id,) in found:
            self.seen.setdefault(int(io_id) - FIRST_ID, now)
        return len(self.seen) == self.documents

    def seconds(self) -> list[float]:
        """Of each document that counts, ascending."""
        return sorted(self.seen[number] - self.published[number] for number in range(WARM_UP, self.documents))


def latency(world: World, seconds: float, pace: float) -> Latency:
    """pace: pages a second, one document each."""
    world.empty_tables()
    name = world.servers.unique("latency")
    raw, rows = f"{name}.purchasein.raw", f"{name}.purchasein.rows"
    world.kafka.create_topic(raw, PARTITIONS["pages"], TOPIC_SETTINGS)
    world.kafka.create_topic(rows, PARTITIONS["rows"], TOPIC_SETTINGS)
    topics = topics_file(world, name, f"{name}.{{pipeline}}.rows", f"{name}.{{pipeline}}.raw")
    programs = [
        our_process(world, program, f"{name}.{program}", topics) for program in ("transformer", "loader")
    ]
    stream = _Stream(world, raw, pace, WARM_UP + int(seconds * pace))
    try:
        for program in programs:
            program.start().wait_ready()
        wait_until(
            "the last document",
            stream.step,
            stream.documents / pace + LIMIT,
            every=LOOK_EVERY,
            alive=programs,
        )
        memory = [program.memory_kib()["VmHWM"] / 1024 for program in programs]
    finally:
        for program in programs:
            program.stop(STOP_LIMIT, expect=None)
    _check(world, stream.documents)
    return Latency(pace, stream.seconds(), *memory)


def _check(world: World, documents: int) -> None:
    found = world.query(
        "SELECT COUNT(*), COUNT(DISTINCT io_id), SUM(items_qty), SUM(items_ioi_id), SUM(ts)"
        f" FROM {world.shape.table}"
    )[0]
    rows = documents * LINES
    expected = (
        rows,
        documents,
        documents * sum(range(LINES)),
        sum(range(rows)),
        LINES * sum(range(documents + 1)),
    )
    assert tuple(map(int, found)) == expected, f"the table holds {found} instead of {expected}"
