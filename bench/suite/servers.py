"""Kafka with full topics, MariaDB and MySQL: one of each for a run of the bench, started when first asked for."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition
from harness import paths
from harness.database import Database, DatabaseServer
from harness.kafka import KafkaServer
from harness.process import Process
from harness.waiting import wait_until

ACCOUNT = "bench"  # user, password and database: what every peer's configuration takes as it is
COMMON_OPTIONS = (
    "--innodb-buffer-pool-size=1G",
    "--innodb-flush-log-at-trx-commit=1",
    "--local-infile=1",
    "--max-allowed-packet=64M",
)
SERVER_OPTIONS = {
    "mariadb": (*COMMON_OPTIONS, "--innodb-log-file-size=1G"),
    "mysql": (*COMMON_OPTIONS, "--innodb-redo-log-capacity=1G"),
}
KAFKA_SETTINGS = {
    # Two processes that start together get their partitions together.
    "group.initial.rebalance.delay.ms": "500",
}
TOPIC_SETTINGS = {  # of pages and rows: what our programs demand of these topics
    "max.message.bytes": "16777216",
    "retention.ms": "7776000000",
    "message.timestamp.type": "LogAppendTime",
}


class Servers:
    """loader_flags: further flags of every loader of ours, as the command line of the bench gives them."""

    def __init__(self, directory: Path, loader_flags: Mapping[str, str]):
        self.directory = directory
        self.loader_flags = dict(loader_flags)
        self.kafka = KafkaServer(directory / "kafka", KAFKA_SETTINGS)
        self._databases: dict[str, Database] = {}
        self._at_end: list[Callable[[], object]] = []
        self._numbers = itertools.count(1)
        self._watermarks: Consumer | None = None

    def start(self) -> Servers:
        self.kafka.start()
        return self

    def stop(self) -> None:
        for end in self._at_end:
            end()
        for database in self._databases.values():
            database.server.remove()
        self.kafka.kill()

    def unique(self, name: str) -> str:
        """A name for a group or a topic that no other run has."""
        return f"{name}-{next(self._numbers)}"

    # ---- Kafka ----

    def feed(self, kind: str, rows: str, pipeline: str, topic: str, documents: int) -> dict[str, int]:
        """Fill a topic by bench_feed: its messages and their bytes."""
        command = [*self.tool("feed"), kind, rows, pipeline, topic, str(documents)]
        command += ["--brokers", self.kafka.brokers]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=bare_environment())
        return json.loads(done.stdout)

    def end_offsets(self, topic: str, partitions: int) -> int:
        """How many messages the topic holds, in a few milliseconds."""
        if self._watermarks is None:
            config = {"bootstrap.servers": self.kafka.brokers, "group.id": "bench.offsets", "log_level": 0}
            self._watermarks = Consumer(config)
        asked = [TopicPartition(topic, number) for number in range(partitions)]
        return sum(self._watermarks.get_watermark_offsets(part, timeout=20)[1] for part in asked)

    def read_topic(self, topic: str, take: Callable[[Message], None]) -> None:
        """Hand every message that the topic holds now to `take`."""
        config = {"bootstrap.servers": self.kafka.brokers, "group.id": "bench.reader", "log_level": 0}
        consumer = Consumer({**config, "enable.auto.commit": False, "enable.partition.eof": True})
        left = set(range(self.kafka.partitions(topic)))
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left])

        def read() -> bool:
            for message in consumer.consume(5000, 1.0):
                if message.error():
                    left.discard(message.partition())
                else:
                    take(message)
            return not left

        wait_until(f"the end of {topic}", read, 120, every=0)
        consumer.close()

    # ---- databases ----

    def database(self, kind: str) -> Database:
        """kind: mariadb or mysql; the server is started when it is first asked for."""
        if kind not in self._databases:
            server = DatabaseServer(kind, self.directory / kind, SERVER_OPTIONS[kind])
            self._databases[kind] = Database(server, ACCOUNT, ACCOUNT, ACCOUNT)
            server.start()
            with server.connect() as c, c.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {ACCOUNT} CHARACTER SET utf8mb4")
                cursor.execute(f"CREATE USER {ACCOUNT}@'%%' IDENTIFIED BY %s", (ACCOUNT,))
                cursor.execute(f"GRANT ALL ON {ACCOUNT}.* TO {ACCOUNT}@'%'")
        return self._databases[kind]

    # ---- processes ----

    def tool(self, name: str) -> list[str]:
        return [str(paths.program("release", f"bench_{name}"))]

    def process(self, name: str, command: Sequence[str], env: dict[str, str]) -> Process:
        unique = self.unique(name)
        made = Process(unique, command, self.directory / "runs" / unique, env)
        self.at_end(made.kill)
        return made

    def at_end(self, end: Callable[[], object]) -> None:
        """To be called before the servers are stopped."""
        self._at_end.append(end)


def bare_environment() -> dict[str, str]:
    """Ours without any JST_ variable of the machine."""
    return {name: value for name, value in os.environ.items() if not name.startswith("JST_")}
