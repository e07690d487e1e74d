"""Servers and rows of a run of the bench: Kafka with full topics, MariaDB with an empty table."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pymysql
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition
from harness import paths
from harness.database import Database, DatabaseServer
from harness.kafka import KafkaServer
from harness.pipe import Pipe
from harness.process import Process
from harness.waiting import wait_until

LINES = 3  # of a document: bench/rows.h
PAGE = 50  # documents: bench/feed.c
PARTITIONS = {"pages": 3, "rows": 6, "flat": 6}
NEAR_THE_END = 0.97  # of the rows
TABLE = "purchasein_query"
EXPECTED = "expected"
ACCOUNT = "bench"  # user, password and database: what every peer's configuration takes as it is
SERVER_OPTIONS = (
    "--innodb-buffer-pool-size=1G",
    "--innodb-log-file-size=1G",
    "--innodb-flush-log-at-trx-commit=1",
    "--local-infile=1",
    "--max-allowed-packet=64M",
)
KAFKA_SETTINGS = {
    # Two processes that start together get their partitions together.
    "group.initial.rebalance.delay.ms": "500",
}
TOPIC_SETTINGS = {  # of pages and rows: what our programs demand of these topics
    "max.message.bytes": "16777216",
    "retention.ms": "7776000000",
    "message.timestamp.type": "LogAppendTime",
}


class World:
    """documents: how many the topics hold, each with LINES rows."""

    def __init__(self, directory: Path, documents: int):
        self.directory = directory
        self.documents = documents
        self.rows = documents * LINES
        self.kafka = KafkaServer(directory / "kafka", KAFKA_SETTINGS)
        self.server = DatabaseServer("mariadb", directory / "mariadb", SERVER_OPTIONS)
        self.database = Database(self.server, ACCOUNT, ACCOUNT, ACCOUNT)
        self.pipe = Pipe(directory / "pipe", "release", ACCOUNT, self.kafka, self.database)
        self._numbers = itertools.count(1)
        self._connection: pymysql.connections.Connection | None = None
        self._filled: dict[str, float] = {}  # topic: bytes of a message
        self._watermarks: Consumer | None = None
        self._moved = (0, 0.0)  # rows, and since when it is these

    def start(self) -> World:
        self.kafka.start()
        self.server.start()
        with self.server.connect() as c, c.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {ACCOUNT} CHARACTER SET utf8mb4")
            cursor.execute(f"CREATE USER {ACCOUNT}@'%%' IDENTIFIED BY %s", (ACCOUNT,))
            cursor.execute(f"GRANT ALL ON {ACCOUNT}.* TO {ACCOUNT}@'%'")
        return self

    def stop(self) -> None:
        self.pipe.kill_all()
        self.server.remove()
        self.kafka.kill()

    def unique(self, name: str) -> str:
        """A name for a group or a topic that no other run has."""
        return f"{name}-{next(self._numbers)}"

    # ---- Kafka ----

    def topic(self, kind: str) -> str:
        """The full topic of a kind (pages, rows, flat); filled when first asked for."""
        name = self.pipe.topic({"pages": "raw"}.get(kind, kind))
        if kind not in self._filled:
            self.kafka.create_topic(name, PARTITIONS[kind], TOPIC_SETTINGS)
            command = [*self.tool("feed"), kind, name, str(self.documents), "--brokers", self.kafka.brokers]
            done = subprocess.run(
                command, check=True, capture_output=True, text=True, env=self.pipe.environment()
            )
            report = json.loads(done.stdout)
            print(
                f"{name}: {report['messages']:,} messages, {report['bytes'] / report['messages']:,.1f} bytes each"
            )
            self._filled[kind] = report["bytes"] / report["messages"]
        return name

    def message_bytes(self, kind: str) -> float:
        self.topic(kind)
        return self._filled[kind]

    def tool(self, name: str) -> list[str]:
        return [str(paths.program("release", f"bench_{name}"))]

    def tool_options(self, group: str) -> list[str]:
        """Kafka and MariaDB for one of the bench's own programs; the password is in pipe.environment()."""
        return ["--brokers", self.kafka.brokers, "--group", group]

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

    # ---- MariaDB ----

    def query(self, sql: str) -> Sequence[tuple]:
        if self._connection is None:
            cursors = pymysql.cursors.Cursor
            self._connection = self.database.connect(cursorclass=cursors, read_timeout=600)
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def empty_table(self) -> None:
        """A new table, and no heads; its statistics count rows and are not estimated anew."""
        self.query(f"DROP TABLE IF EXISTS {TABLE}")
        text = (paths.ROOT / "bench" / "schema.sql").read_text().rstrip()
        self.query(f"{text} STATS_PERSISTENT=1 STATS_AUTO_RECALC=0")
        if self.database.has_table("jst_heads"):
            self.query("TRUNCATE TABLE jst_heads")

    def inserted_rows(self) -> int:
        """Rows in the table by InnoDB's own count, which costs it nothing, unlike COUNT(*). It includes open
        transactions, and may miss a few rows where two transactions insert at once."""
        found = self.query(
            "SELECT NUM_ROWS FROM information_schema.INNODB_SYS_TABLESTATS"
            f" WHERE NAME = '{ACCOUNT}/{TABLE}'"
        )
        return int(found[0][0]) if found else 0

    def loaded_rows(self) -> int:
        """Rows in the table: InnoDB's own count on the way, the exact one of what is committed near the end, and
        where nothing has moved for half a second."""
        rows, now = self.inserted_rows(), time.monotonic()
        if rows != self._moved[0]:
            self._moved = (rows, now)
        if rows < NEAR_THE_END * self.rows and now - self._moved[1] < 0.5:
            return rows
        return int(self.query(f"SELECT COUNT(*) FROM {TABLE}")[0][0])

    def checksum(self, table: str = TABLE) -> tuple[int, int]:
        """Rows, and a sum over every column of every row that does not depend on their order."""
        rows = int(self.query(f"SELECT COUNT(*) FROM {table}")[0][0])
        return rows, int(self.query(f"CHECKSUM TABLE {table} EXTENDED")[0][1] or 0)

    def keep_as_expected(self) -> None:
        """The table as it is now is what every later run must leave."""
        self.expected = self.checksum()
        assert self.expected[0] == self.rows, f"{self.expected[0]} rows, not {self.rows}"

    def expect(self) -> None:
        """Load the rows by LOAD DATA, once and unmeasured: every contestant must leave the same."""
        self.empty_table()
        command = [*self.tool("floor"), "load", "1", str(self.documents), "none", *self.tool_options("none")]
        command += ["--mysql-host", self.server.host, "--mysql-port", str(self.server.port)]
        command += ["--mysql-user", self.database.user, "--mysql-database", self.database.name]
        subprocess.run(command, check=True, env=self.pipe.environment())
        self.keep_as_expected()

    def check_table(self) -> None:
        found = self.checksum()
        assert found == self.expected, f"the table holds {found} (rows, checksum) instead of {self.expected}"

    # ---- processes ----

    def process(self, name: str, command: Sequence[str], env: dict[str, str] | None = None) -> Process:
        unique = self.unique(name)
        own = {**os.environ, **env} if env is not None else self.pipe.environment()
        return Process(unique, command, self.directory / "runs" / unique, own)
