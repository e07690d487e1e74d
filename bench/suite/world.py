"""What one part of the bench works in: a set of rows in full topics, and a table for it in one database."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pymysql
from harness import paths
from harness.pipe import Pipe
from harness.process import Process

from .servers import ACCOUNT, TOPIC_SETTINGS, Servers

PAGE = 50  # documents: bench/feed.c
PARTITIONS = {"pages": 3, "rows": 6, "newer": 6, "flat": 6}
NEAR_THE_END = 15_000  # rows before the end; of a small table 3 %
FLOOR_BATCH_ROWS = 1000
OUR_TABLES = ("jst_heads", "jst_offsets")
# Byte by byte, trailing spaces too: MariaDB's name for it, which the schema has, and MySQL's.
EXACT = {"mariadb": "utf8mb4_nopad_bin", "mysql": "utf8mb4_0900_bin"}
TABLE_STATISTICS = {"mariadb": "INNODB_SYS_TABLESTATS", "mysql": "INNODB_TABLESTATS"}


@dataclass(frozen=True)
class Shape:
    """Of the rows: bench/rows.h has the sets, bench/ the table and, unless it is our own example, the pipeline."""

    rows: str  # the set's name
    pipeline: str
    table: str
    lines: int  # of a document
    schema: Path
    pipeline_file: Path


_HERE = paths.ROOT / "bench"
RECEIPTS = Shape(
    "receipts",
    "purchasein",
    "purchasein_query",
    3,
    _HERE / "schema.sql",
    paths.ROOT / "pipelines" / "purchasein.json",
)
EVENTS = Shape("events", "events", "events", 1, _HERE / "events.sql", _HERE / "events.json")


class World:
    """documents: how many the topics hold, each with shape.lines rows; kind: mariadb or mysql."""

    def __init__(self, servers: Servers, kind: str, documents: int, shape: Shape = RECEIPTS):
        self.servers = servers
        self.kind = kind
        self.documents = documents
        self.shape = shape
        self.rows = documents * shape.lines
        self.kafka = servers.kafka
        self.database = servers.database(kind)
        self.server = self.database.server
        self.directory = servers.directory / servers.unique(kind)
        self.pipe = Pipe(self.directory / "pipe", "release", ACCOUNT, self.kafka, self.database)
        shutil.rmtree(self.pipe.pipelines)
        self.pipe.pipelines.mkdir()
        shutil.copy(shape.pipeline_file, self.pipe.pipelines)
        servers.at_end(self.pipe.kill_all)
        self.expected: dict[str, tuple[int, int]] = {}  # by the set of rows
        self._connection: pymysql.connections.Connection | None = None
        self._moved = (0, 0.0)  # rows, and since when it is these

    # ---- Kafka ----

    def topic_name(self, kind: str, pipeline: str | None = None) -> str:
        """As topics.conf names it, when pipeline is "{pipeline}"."""
        role = {"pages": "raw"}.get(kind, kind)
        return f"bench-{self.documents}.{pipeline or self.shape.pipeline}.{role}"

    def topic(self, kind: str) -> str:
        """The full topic of a kind (pages, rows, flat; newer: rows of the set "newer"); filled when first asked for."""
        name = self.topic_name(kind)
        if self.kafka.partitions(name) == 0:
            self.kafka.create_topic(name, PARTITIONS[kind], TOPIC_SETTINGS)
            what = ("rows", "newer") if kind == "newer" else (kind, self.shape.rows)
            report = self.servers.feed(*what, self.shape.pipeline, name, self.documents)
            each = report["bytes"] / report["messages"]
            print(f"{name}: {report['messages']:,} messages, {each:,.1f} bytes each", flush=True)
        return name

    def drop_topics(self) -> None:
        """For sizes that would fill the disk."""
        for kind in PARTITIONS:
            if self.kafka.partitions(self.topic_name(kind)):
                self.kafka.delete_topic(self.topic_name(kind))

    # ---- the database ----

    def query(self, sql: str) -> Sequence[tuple]:
        if self._connection is None:
            cursors = pymysql.cursors.Cursor
            self._connection = self.database.connect(cursorclass=cursors, read_timeout=1800)
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def create_table(self, name: str) -> None:
        """New and empty; its statistics count rows and are not estimated anew."""
        self.query(f"DROP TABLE IF EXISTS {name}")
        text = self.shape.schema.read_text().rstrip().replace(self.shape.table, name, 1)
        text = text.replace(EXACT["mariadb"], EXACT[self.kind])
        self.query(f"{text} STATS_PERSISTENT=1 STATS_AUTO_RECALC=0")

    def empty_tables(self) -> None:
        """A new table, and neither heads nor offsets."""
        self.create_table(self.shape.table)
        for table in OUR_TABLES:
            self.query(f"DROP TABLE IF EXISTS {table}")

    def allow_local_infile(self, on: bool) -> None:
        """For connections that are made from now on."""
        self.query(f"SET GLOBAL local_infile = {int(on)}")

    def inserted_rows(self) -> int:
        """Rows in the table by InnoDB's own count, which costs it nothing, unlike COUNT(*). It includes open
        transactions, and may miss a few rows where two transactions insert at once."""
        found = self.query(
            f"SELECT NUM_ROWS FROM information_schema.{TABLE_STATISTICS[self.kind]}"
            f" WHERE NAME = '{ACCOUNT}/{self.shape.table}'"
        )
        return int(found[0][0]) if found else 0

    def loaded_rows(self) -> int:
        """Rows in the table: InnoDB's own count on the way, the exact one of what is committed near the end, and
        where nothing has moved for half a second."""
        rows, now = self.inserted_rows(), time.monotonic()
        if rows != self._moved[0]:
            self._moved = (rows, now)
        if rows < self.rows - min(NEAR_THE_END, 0.03 * self.rows) and now - self._moved[1] < 0.5:
            return rows
        return int(self.query(f"SELECT COUNT(*) FROM {self.shape.table}")[0][0])

    def checksum(self, table: str | None = None) -> tuple[int, int]:
        """Rows, and a sum over every column of every row that does not depend on their order."""
        table = table or self.shape.table
        rows = int(self.query(f"SELECT COUNT(*) FROM {table}")[0][0])
        return rows, int(self.query(f"CHECKSUM TABLE {table} EXTENDED")[0][1] or 0)

    def floor_command(
        self, way: str, connections: int, batch_rows: int, topic: str, rows: str | None = None
    ) -> list[str]:
        command = [*self.servers.tool("floor"), way, rows or self.shape.rows, str(connections)]
        command += [
            str(batch_rows),
            str(self.documents),
            topic,
            *self.tool_options(self.servers.unique("floor")),
        ]
        command += ["--mysql-host", self.server.host, "--mysql-port", str(self.server.port)]
        return [*command, "--mysql-user", self.database.user, "--mysql-database", self.database.name]

    def expect(self, rows: str | None = None) -> None:
        """Load the set of rows by LOAD DATA, once and unmeasured: every contestant must leave the same."""
        rows = rows or self.shape.rows
        if rows in self.expected:
            return
        self.empty_tables()
        self.allow_local_infile(True)
        command = self.floor_command("load", 1, FLOOR_BATCH_ROWS, "none", rows)
        subprocess.run(command, check=True, env=self.pipe.environment())
        self.expected[rows] = self.checksum()
        lines = self.shape.lines - (rows == "newer")
        assert self.expected[rows][0] == self.documents * lines, f"{self.expected[rows][0]} rows of {rows}"

    def check_table(self, table: str | None = None, rows: str | None = None) -> None:
        table, rows = table or self.shape.table, rows or self.shape.rows
        found = self.checksum(table)
        assert (
            found == self.expected[rows]
        ), f"{table} holds {found} (rows, checksum) instead of {self.expected[rows]}"

    # ---- processes ----

    def tool_options(self, group: str) -> list[str]:
        """Kafka for one of the bench's own programs; the password is in pipe.environment()."""
        return ["--brokers", self.kafka.brokers, "--group", group]

    def process(self, name: str, command: Sequence[str], env: dict[str, str] | None = None) -> Process:
        own = {**os.environ, **env} if env is not None else self.pipe.environment()
        return self.servers.process(name, command, own)
