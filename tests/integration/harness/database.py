"""Private MariaDB and MySQL servers, started from a copy of the template that tools/setup made."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from . import paths, ports
from .process import Process
from .waiting import wait_until

KINDS = ("mariadb", "mysql")
PASSWORD = "p4ss;#'\\ wörd"  # what a careless quoting would stumble over


Snapshot = dict[str, list[dict[str, Any]]]  # table to rows


class DatabaseServer:
    """One server with its own directory; stop, kill and restart keep directory, port and socket."""

    def __init__(self, kind: str, directory: Path, options: Sequence[str] = ()):
        assert kind in KINDS, kind
        self.kind = kind
        self.host = "127.0.0.1"
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = ports.free_port()
        self.data = self.directory / "data"
        self.template = paths.need(paths.LOCAL / kind / "template", "make setup")
        # A socket's path has at most 107 bytes, so it does not lie in the test's deep directory.
        self._short = Path(tempfile.mkdtemp(prefix="jstdb-"))
        self.socket = self._short / "s"
        self.process = Process(kind, [*self._command(), *self._common(), *options], self.directory)

    def _command(self) -> list[str]:
        if self.kind == "mariadb":
            return [str(paths.need("/usr/sbin/mariadbd", "make setup")), "--no-defaults", "--skip-log-bin"]
        base = paths.LOCAL / "mysql" / "server"
        return [
            str(paths.need(base / "bin" / "mysqld", "make setup")),
            "--no-defaults",
            f"--basedir={base}",
            f"--lc-messages-dir={base}/share",
            "--mysqlx=OFF",
            "--disable-log-bin",
        ]

    def _common(self) -> list[str]:
        options = [
            f"--datadir={self.data}",
            f"--socket={self.socket}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--pid-file={self.directory}/server.pid",
            "--skip-name-resolve",
            "--performance-schema=OFF",
            "--innodb-buffer-pool-size=128M",
            "--innodb-flush-log-at-trx-commit=2",  # a commit survives kill -9, though not a power cut
        ]
        return [*options, "--user=root"] if os.geteuid() == 0 else options

    # ---- life ----

    def start(self, limit: float = 60.0) -> DatabaseServer:
        if not self.data.exists():
            copy = ["cp", "-a", "--sparse=always", "--reflink=auto", str(self.template), str(self.data)]
            subprocess.run(copy, check=True)
        for stale in (self.socket, Path(f"{self.socket}.lock")):  # left by a kill
            stale.unlink(missing_ok=True)
        self.process.start()
        wait_until(
            f"{self.kind} to answer on port {self.port}",
            self._answers,
            limit,
            alive=[self.process],
            ignore=(pymysql.Error,),
        )
        return self

    def _answers(self) -> bool:
        self.connect().close()
        return ports.accepts(self.host, self.port)

    def stop(self) -> None:
        self.process.stop(60)

    def kill(self) -> None:
        self.process.kill()

    def restart(self) -> None:
        if self.process.running:
            self.stop()
        self.start()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Away for everybody but this harness, which reaches it through its socket; two restarts."""
        where = next(at for at, word in enumerate(self.process.command) if word.startswith("--port="))
        port = self.port
        self.stop()
        for there, inside in ((ports.free_port(), True), (port, False)):
            self.port = there
            self.process.command[where] = f"--port={there}"
            self.start()
            if inside:
                yield
                self.stop()

    def freeze(self) -> None:
        """Let it hang: connections stay open and nothing is answered."""
        self.process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.signal(signal.SIGCONT)

    def remove(self) -> None:
        """Kill it and delete its files."""
        self.kill()
        shutil.rmtree(self._short, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)

    # ---- use ----

    def connect(self, database: str | None = None, **more: Any) -> pymysql.connections.Connection:
        """A connection as root through the socket: utf8mb4, autocommit, Beijing time, rows as dicts."""
        options: dict[str, Any] = {
            "unix_socket": str(self.socket),
            "user": "root",
            "database": database,
            "charset": "utf8mb4",
            "autocommit": True,
            "init_command": "SET time_zone = '+08:00'",
            "cursorclass": DictCursor,
            "connect_timeout": 5,
            "read_timeout": 60,
        }
        return pymysql.connect(**{**options, **more})

    def create_database(self, name: str) -> Database:
        """A new database and a user of the same name who has all rights in it and none elsewhere."""
        name = name[:32]
        with self.connect() as c, c.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
            cursor.execute(f"CREATE USER `{name}`@`%%` IDENTIFIED BY %s", (PASSWORD,))
            pattern = name.replace("_", r"\_")
            cursor.execute(f"GRANT ALL ON `{pattern}`.* TO `{name}`@`%`")
        return Database(self, name, name, PASSWORD)


@dataclass
class Database:
    """One test's database, and the account that its loader uses."""

    server: DatabaseServer
    name: str
    user: str
    password: str

    def connect(self, **more: Any) -> pymysql.connections.Connection:
        return self.server.connect(self.name, **more)

    def query(self, sql: str, args: Sequence[object] = ()) -> list[dict[str, Any]]:
        with self.connect() as c, c.cursor() as cursor:
            cursor.execute(sql, args or None)
            return list(cursor.fetchall())

    def execute(self, sql: str, args: Sequence[object] = ()) -> int:
        """Runs one statement; returns the number of affected rows."""
        with self.connect() as c, c.cursor() as cursor:
            return cursor.execute(sql, args or None)

    def value(self, sql: str, args: Sequence[object] = ()) -> Any:
        """The first column of the first row."""
        return next(iter(self.query(sql, args)[0].values()))

    def snapshot(self) -> Snapshot:
        """Every table as one moment's transaction sees it, like a dump of the whole database."""
        found: Snapshot = {}
        with self.connect(autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            cursor.execute("SHOW TABLES")
            for table in [next(iter(row.values())) for row in cursor.fetchall()]:
                cursor.execute(f"SELECT * FROM `{table}`")
                found[table] = list(cursor.fetchall())
        return found

    def set_back(self, snapshot: Snapshot) -> None:
        """Make every table of the snapshot hold what it held then, in one transaction."""
        with self.connect(autocommit=False) as connection, connection.cursor() as cursor:
            for table, rows in snapshot.items():
                cursor.execute(f"DELETE FROM `{table}`")
                if rows:
                    names = ", ".join(f"`{name}`" for name in rows[0])
                    marks = ", ".join(["%s"] * len(rows[0]))
                    sql = f"INSERT INTO `{table}` ({names}) VALUES ({marks})"
                    cursor.executemany(sql, [list(row.values()) for row in rows])
            connection.commit()

    def has_table(self, table: str) -> bool:
        return bool(self.query("SHOW TABLES LIKE %s", (table.replace("_", r"\_"),)))

    def count(self, table: str) -> int:
        """Rows of the table; 0 while it does not exist."""
        return int(self.value(f"SELECT COUNT(*) FROM `{table}`")) if self.has_table(table) else 0

    def columns(self, table: str) -> dict[str, str]:
        """Name to type ('decimal', 'varchar' …), in the table's order."""
        rows = self.query(
            "SELECT column_name AS name, data_type AS type FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            (self.name, table),
        )
        return {row["name"]: row["type"].lower() for row in rows}
