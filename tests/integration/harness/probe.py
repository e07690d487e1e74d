"""The database port alone (tests/integration/probe/db_probe.c), by commands."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import paths, waiting
from .database import Database

LIMIT = 30.0


@dataclass(frozen=True)
class Answer:
    """Of one command: rows as text cells (None: NULL), and the error if there was one."""

    rows: list[list[str | None]]
    last: list[str]

    @property
    def ok(self) -> bool:
        return self.last[0] == "ok"

    @property
    def kind(self) -> str:
        return "" if self.ok else self.last[1]

    @property
    def code(self) -> int:
        return 0 if self.ok else int(self.last[2])

    @property
    def row(self) -> int:
        return 0 if self.ok else int(self.last[3])

    @property
    def name(self) -> str:
        return "" if self.ok else self.last[4]

    @property
    def text(self) -> str:
        return "" if self.ok else self.last[6]

    @property
    def affected(self) -> int:
        return int(self.last[2])

    @property
    def warnings(self) -> int:
        return int(self.last[4])


class Probe:
    """A started probe; `with` ends it."""

    def __init__(self, build: str, directory: Path, *flags: str, env: Mapping[str, str]):
        path = paths.need(paths.ROOT / "build" / build / "tests" / "db_probe", "make dev")
        self.log = directory / "probe.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("JST_")}
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(
                [str(path), *flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**clean, **env},
            )

    @classmethod
    def of(cls, database: Database, build: str, directory: Path, *flags: str, **env: str) -> Probe:
        """As the database's own user, over TCP."""
        return cls(build, directory, *flags, env={**environment(database), **env})

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.popen.stdin.close()
        try:
            code = self.popen.wait(LIMIT * waiting.SLOWNESS)
        finally:
            self.popen.kill()
        assert kind is not None or code == 0, f"exit {code}\n{self.log.read_text()}"

    def ask(self, command: str, limit: float = LIMIT) -> Answer:
        """Run one command and wait for its answer; one that does not come ends the probe."""
        self.tell(command)
        return self.answer(limit)

    def tell(self, command: str) -> None:
        assert "\n" not in command
        self.popen.stdin.write(command.encode() + b"\n")
        self.popen.stdin.flush()

    def answer(self, limit: float = LIMIT) -> Answer:
        late = threading.Timer(limit * waiting.SLOWNESS, self.popen.kill)
        late.start()
        rows: list[list[str | None]] = []
        try:
            while line := self.popen.stdout.readline():
                cells = line.decode(errors="replace").rstrip("\n").split("\t")
                if cells[0] in ("ok", "error"):
                    return Answer(rows, cells)
                rows.append([None if cell == "\\N" else cell for cell in cells])
        finally:
            late.cancel()
        raise AssertionError(f"the probe ended: {self.popen.wait(5)}\n{self.log.read_text()}")

    def connect(self) -> Probe:
        answer = self.ask("connect")
        assert answer.ok, answer
        return self

    def query(self, sql: str) -> Answer:
        return self.ask(f"query {sql}")

    def value(self, sql: str) -> str | None:
        answer = self.query(sql)
        assert answer.ok, answer
        return answer.rows[0][0]

    def load(self, data: bytes, sql: str) -> Answer:
        return self.ask(f"load {data.hex()} {sql}")

    def can_load(self) -> bool:
        return self.ask("limits").rows[0][1] == "1"

    def generation(self) -> int:
        return int(self.ask("limits").rows[0][0])

    def abort(self) -> None:
        """From another thread, while an answer is awaited."""
        self.popen.send_signal(signal.SIGUSR1)

    def peak_memory(self) -> int:
        """Bytes."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024


def environment(database: Database) -> dict[str, str]:
    return {
        "JST_MYSQL_HOST": database.server.host,
        "JST_MYSQL_PORT": str(database.server.port),
        "JST_MYSQL_USER": database.user,
        "JST_MYSQL_DATABASE": database.name,
        "JST_MYSQL_PASSWORD": database.password,
    }
