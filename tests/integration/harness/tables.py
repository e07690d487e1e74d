"""Many small pipelines, each with a table of its own, in one loader: for what tables, rows and servers do to it.

Stack    a database, a loader and the pipelines that a module's tests take one by one
Target   one of these pipelines: its documents, its table, its dead letters and its pauses
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from confluent_kafka.admin import NewTopic

from . import feed
from .database import Database, DatabaseServer
from .kafka import KafkaServer, Record
from .pipe import Pipe
from .process import Process
from .waiting import wait_until

EXACT = {"mariadb": "utf8mb4_nopad_bin", "mysql": "utf8mb4_0900_bin"}
FIELDS = {
    "id": "string",
    "io_id": "int",
    "ts": "int",
    "remark": "string",
    "modified": "string",
    "qty": "float",
}
COLUMNS = (
    "id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE {exact} NOT NULL PRIMARY KEY",
    "io_id BIGINT NOT NULL",
    "ts BIGINT NOT NULL",
    "remark VARCHAR(40) CHARACTER SET utf8mb4",
    "modified DATETIME",
    "qty DECIMAL(12,3)",
    "KEY (io_id)",
)
# Why a pipeline may be paused because of its rows or its table.
REASONS = ("database", "schema", "flood", "lost", "credentials", "permission")
# A paused pipeline is tried again every minute; builds for tests follow this variable instead.
RETRY = {"JSTPIPE_RETRY_MS": "500"}
RETRY_LIMIT = 15.0
# How soon a document is in its table when nothing is in its way.
AT_ONCE = 5.0
# A member that was killed is missed soon.
SESSION = ("--kafka", "session.timeout.ms=6000", "--kafka", "heartbeat.interval.ms=1000")

Message = tuple[str, bytes, dict[str, str]]


class Target:
    """One pipeline and its table. The table is made by create(), or as the test wants it."""

    def __init__(self, stack: Stack, name: str):
        self.stack = stack
        self.name = name
        self.table = f"t_{name}"
        self.database = stack.database
        self.kafka = stack.kafka
        self._newest: dict[
            int, tuple[int, list[dict[str, Any]]]
        ] = {}  # of all documents made: version and rows

    def topic(self, role: str) -> str:
        return self.stack.pipe.topic(role, self.name)

    # ---- the table ----

    def create(self, columns: Sequence[str] = COLUMNS, options: str = "ENGINE=InnoDB", **swap: str) -> Target:
        """CREATE TABLE. swap: another definition for a column, for example remark="remark TEXT"."""
        exact = EXACT[self.database.server.kind]
        lines = [swap.get(line.split()[0], line).replace("{exact}", exact) for line in columns]
        self.database.execute(f"CREATE TABLE `{self.table}` ({', '.join(lines)}) {options}")
        self.stack.grant(self.table)
        return self

    def alter(self, change: str) -> None:
        self.database.execute(f"ALTER TABLE `{self.table}` {change}")

    def rows(self) -> list[dict[str, Any]]:
        return self.database.query(f"SELECT * FROM `{self.table}` ORDER BY io_id, id")

    def ids(self) -> list[str]:
        return [row["id"] for row in self.rows()]

    def count(self) -> int:
        return self.database.count(self.table)

    # ---- documents ----

    def document(self, number: int, version: int = 1, lines: int = 1, **more: Any) -> Message:
        """A rows message of one document whose rows all have these further values."""
        return self.document_of(number, version, [more] * lines)

    def document_of(self, number: int, version: int, lines: Iterable[dict[str, Any]]) -> Message:
        """A rows message of one document with a row for each of these, which give its further values."""
        usual = {
            "io_id": number,
            "ts": version,
            "remark": f"v{version}",
            "modified": "2026-08-13 11:05:00",
            "qty": version,
        }
        rows = [{"id": f"{number}-{at}", **usual, **more} for at, more in enumerate(lines, 1)]
        if version >= self._newest.get(number, (0, []))[0]:
            self._newest[number] = (version, rows)
        return feed.rows_message(number, version, rows, self.name)

    def send(self, *messages: Message) -> None:
        """Publish them in one go."""
        self.kafka.produce_many(self.topic("rows"), messages)

    def send_documents(self, numbers: Iterable[int], version: int = 1, **more: Any) -> None:
        self.send(*(self.document(number, version, **more) for number in numbers))

    def fill(self, documents: int = 3) -> None:
        """Documents 1 … n of one row, and wait until they are in the table."""
        self.send_documents(range(1, documents + 1))
        self.wait_count(documents)

    # ---- what became of them ----

    def differences(self) -> list[str]:
        """What the table has otherwise than the newest versions of all documents that were made."""
        wanted = {row["id"]: (row["ts"], row["remark"]) for _, rows in self._newest.values() for row in rows}
        found = {row["id"]: (row["ts"], row["remark"]) for row in self.rows()} if self.exists() else {}
        keys = sorted(wanted.keys() | found.keys())
        return [f"{k}: {wanted.get(k)}, not {found.get(k)}" for k in keys if wanted.get(k) != found.get(k)]

    def wait_equal(self, limit: float = 20.0) -> None:
        """Wait until the table holds exactly the newest version of each document."""
        wait_until(
            f"{self.table} to hold the newest versions",
            lambda: not self.differences(),
            limit,
            alive=[self.stack.loader],
        )

    def exists(self) -> bool:
        return self.database.has_table(self.table)

    def wait_count(self, rows: int, limit: float = AT_ONCE) -> None:
        wait_until(
            f"{self.table} to have {rows} rows",
            lambda: self.count() == rows,
            limit,
            alive=[self.stack.loader],
        )

    def wait_consumed(self, limit: float = 10.0) -> None:
        """Wait until the group has committed all that the topic holds."""
        self.kafka.wait_consumed(self.stack.group, self.topic("rows"), limit, alive=[self.stack.loader])

    def letters(self) -> list[Record]:
        return self.kafka.consume_all(self.topic("dead"))

    def metric(self, name: str, **labels: str) -> float:
        return self.stack.loader.metrics().sum(name, pipeline=self.name, **labels)

    def reasons(self) -> set[str]:
        """Why it is paused now; empty: it is not."""
        metrics = self.stack.loader.metrics()
        return {r for r in REASONS if metrics.sum("jst_loader_paused", pipeline=self.name, reason=r) == 1}

    def readiness(self) -> str:
        """The lines of /readyz about this pipeline."""
        body = self.stack.loader.get("/readyz")[1]
        return "\n".join(line for line in body.splitlines() if re.search(rf"\b{self.name}\b", line))

    def wait_paused(self, *reasons: str, limit: float = 15.0) -> str:
        """Wait until it is paused for one of these reasons; returns what /readyz says of it, with 503."""
        wait_until(
            f"{self.name} to be paused ({' or '.join(reasons)})",
            lambda: self.reasons() & set(reasons),
            limit,
            alive=[self.stack.loader],
        )
        assert self.reasons() <= set(reasons), self.reasons()
        assert self.stack.loader.get("/readyz")[0] == 503
        return self.readiness()

    def check_untouched(self, rows: list[dict[str, Any]], exactly: bool = True) -> None:
        """The table holds these rows, nothing was dead-lettered, and some of the topic waits.

        exactly   and nothing else; not so: good documents of the topic may have been written meanwhile
        """
        assert self.rows() == rows if exactly else {row["id"] for row in rows} <= set(self.ids())
        assert self.letters() == []
        assert self.kafka.lag(self.stack.group, self.topic("rows")) > 0

    def check_cured(self, rows: int, limit: float = RETRY_LIMIT) -> None:
        """Everything was written after the cure: no pause, no dead letter, no lag."""
        wait_until(
            f"{self.table} to have its {rows} rows",
            lambda: self.count() == rows,
            limit,
            alive=[self.stack.loader],
        )
        wait_until(f"{self.name} to go on", lambda: not self.reasons(), 5, alive=[self.stack.loader])
        self.wait_consumed()
        assert self.letters() == []
        assert self.readiness() == ""


class Stack:
    """Loaders over `pipelines` small pipelines in a database of its own; servers are the caller's.

    The tables are made first, plain ones by create_all() or whatever a test wants; then start().
    partitions   of each rows topic; with one, the order of sending is the order of loading
    """

    def __init__(
        self,
        kafka: KafkaServer,
        server: DatabaseServer,
        directory: Path,
        build: str,
        prefix: str,
        pipelines: int,
        partitions: int = 1,
    ):
        self.kafka = kafka
        self.database: Database = server.create_database(prefix)
        self._limit_rights()
        self.pipe = Pipe(directory, build, prefix, kafka, self.database)
        self.pipe.env.update(RETRY)
        self.pipe.write_topics(partitions={"rows": partitions})
        self.group = self.pipe.group("loader")
        self.targets = [Target(self, f"p{number:02}") for number in range(1, pipelines + 1)]
        for target in self.targets:
            self.pipe.edit_pipeline(lambda content, t=target: _shrink(content, t), new=target.name)
        (self.pipe.pipelines / "purchasein.json").unlink()
        self._create_topics()
        self._create_our_tables()
        self._untaken = list(self.targets)
        self.loaders: list[Process] = []

    # ---- life ----

    def _limit_rights(self) -> None:
        """All rights but INSERT, which each table is given by itself: so a test can take it away from one."""
        user, name = self.database.user, self.database.name.replace("_", r"\_")
        self.database.execute(f"REVOKE INSERT ON `{name}`.* FROM `{user}`@`%`")

    def grant(self, table: str) -> None:
        """INSERT into this table; "*": into every one, also those that are not there yet."""
        name = "*" if table == "*" else f"`{table}`"
        self.database.execute(f"GRANT INSERT ON `{self.database.name}`.{name} TO `{self.database.user}`@`%`")

    def _create_topics(self) -> None:
        wanted = []
        for line in self.pipe.topics_file.read_text().splitlines():
            role, name, count, *settings = line.split()
            if role in ("rows", "dead"):
                config = dict(s.split("=", 1) for s in settings)
                wanted += [
                    NewTopic(name.replace("{pipeline}", t.name), int(count), 1, config=config)
                    for t in self.targets
                ]
        made: dict[str, Future] = self.kafka.admin.create_topics(wanted, operation_timeout=20)
        for done in made.values():
            done.result(30)

    def _create_our_tables(self) -> None:
        """jst_heads and whatever else of ours stands beside a target table."""
        text = self.pipe.jstctl("ddl", self.targets[0].name, "--server", self.database.server.kind).stdout
        for statement in re.findall(r"^CREATE TABLE IF NOT EXISTS `jst_.*?;$", text, re.S | re.M):
            self.database.execute(statement.replace("%", "%%") if "%" in statement else statement)
        for row in self.database.query("SHOW TABLES LIKE 'jst\\_%'"):
            self.grant(next(iter(row.values())))

    @property
    def loader(self) -> Process:
        return self.loaders[0]

    def start(
        self,
        *flags: str,
        ready: bool = True,
        session: Sequence[str] = SESSION,
        env: Mapping[str, str] | None = None,
    ) -> Process:
        """A (further) loader, which creates no tables unless told to. session=(): as the programs choose it."""
        create = () if "--create-tables" in flags else ("--create-tables", "off")
        made = self.pipe.start("loader", *session, *create, *flags, ready=ready, env=env)
        self.loaders.append(made)
        return made

    def restart(self, ready: bool = True) -> None:
        self.loader.stop()
        self.loader.start()
        if ready:
            self.loader.wait_ready()

    def create_all(self) -> Stack:
        for target in self.targets:
            target.create()
        return self

    def close(self) -> None:
        try:
            self.pipe.stop_all()
        finally:
            self.pipe.kill_all()

    # ---- pipelines ----

    def take(self) -> Target:
        """A pipeline that no other test has used."""
        assert self._untaken, "give this module's stack more pipelines"
        return self._untaken.pop(0)

    def check_neighbour(self, target: Target, number: int, limit: float = AT_ONCE) -> None:
        """A document of another pipeline arrives, whatever holds up the one under test."""
        target.send_documents([number])
        sql = f"SELECT COUNT(*) FROM `{target.table}` WHERE io_id = {number}"
        wait_until(
            f"the neighbour's document {number}", lambda: self.database.value(sql), limit, alive=[self.loader]
        )

    # ---- the loader's connections ----

    def sessions(self) -> list[int]:
        sql = "SELECT id FROM information_schema.processlist WHERE user = %s"
        return [row["id"] for row in self.database.query(sql, [self.database.user])]

    def waits_for(self, pattern: str) -> bool:
        """Whether a statement of the loader that matches this LIKE pattern is under way."""
        sql = (
            "SELECT COUNT(*) FROM information_schema.processlist"
            " WHERE user = %s AND command <> 'Sleep' AND info LIKE %s"
        )
        return bool(self.database.value(sql, [self.database.user, pattern]))

    def wait_blocked(self, target: Target, limit: float = AT_ONCE) -> None:
        """Wait until the loader hangs in a statement on this target's table."""
        wait_until(
            f"the loader to wait for {target.table}",
            lambda: self.waits_for(f"%{target.table}%"),
            limit,
            alive=[self.loader],
        )

    def kill_sessions(self) -> int:
        """Cut the loader's connections; returns how many there were."""
        sessions = self.sessions()
        with self.database.connect() as connection, connection.cursor() as cursor:
            for number in sessions:
                _kill(cursor, number)
        return len(sessions)


def _kill(cursor: Any, number: int) -> None:
    import pymysql

    try:
        cursor.execute(f"KILL {number}")
    except pymysql.err.OperationalError as error:
        if error.args[0] != 1094:  # it has ended by itself
            raise


def _shrink(content: dict[str, Any], target: Target) -> None:
    """Make purchasein's definition one of a narrow table."""
    content["title"] = target.name
    content["source"]["beatFlat"] = []
    content["target"]["request"] = [
        {"field": name, "label": name, "type": kind, "value": f"{{{name}}}"} for name, kind in FIELDS.items()
    ]
    for entry in content["target"]["otherRequest"]:
        if entry["field"] == "main_sql":
            entry["value"] = f"REPLACE INTO {target.table}({', '.join(FIELDS)}) VALUES"
