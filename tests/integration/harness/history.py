"""Random histories of documents (tests/unit/twins/history.h), and what must have come of them.

draw      the messages, by the generator that the unit tests use, too
Oracle    the newest state of each document, its rows and the dead letters that it must have
Reader    looks at the table all the time: no document may ever be seen between two states
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import feed, paths
from .database import Database
from .kafka import Record
from .tables import Message, Target
from .waiting import wait_until

# remark takes 40 characters
REFUSED = "x" * 41
# A row of no document: it proves from the start that the table takes rows.
WITNESS = "INSERT INTO `{table}` (id, io_id, ts, remark) VALUES ('witness', -1, 0, 'witness')"


@dataclass(frozen=True)
class State:
    """One message: a document in one version. Each line's remark; one that is REFUSED becomes a dead letter."""

    history: int
    document: int
    version: int
    lines: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "id": f"{self.document}-{number}",
                "io_id": self.document,
                "ts": self.version,
                "remark": remark,
                "modified": "2026-08-13 11:05:00",
                "qty": number,
            }
            for number, remark in enumerate(self.lines, 1)
        ]

    def message(self, pipeline: str) -> Message:
        return feed.rows_message(self.document, self.version, self.rows(), pipeline)


def draw(build: str, seed: int, histories: int, messages: int) -> list[State]:
    """So many histories of so many messages each, in the order of their arrival."""
    program = paths.need(paths.ROOT / "build" / build / "tests" / "history", "make dev")
    words = [str(program), str(seed), str(histories), str(messages)]
    text = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout
    return [_state(line.split()) for line in text.splitlines()]


def _state(words: list[str]) -> State:
    history, document, version, note, *marks = words
    lines = tuple(note.replace("_", " ") if mark == "+" else REFUSED for mark in marks)
    return State(int(history), int(document), int(version), lines)


class Oracle:
    """What the table and the dead letters of a target must hold after these states, whatever their order."""

    def __init__(self, states: Iterable[State]):
        self.newest: dict[int, State] = {}
        self.all = list(states)
        for state in self.all:
            if state.version >= self.newest.get(state.document, state).version:
                self.newest[state.document] = state

    def differences(self, target: Target) -> list[str]:
        """Row by row; empty if the table is right."""
        wanted = {
            row["id"]: (row["io_id"], row["ts"], row["remark"], row["qty"])
            for state in self.newest.values()
            for row in state.rows()
            if row["remark"] != REFUSED
        }
        found = {
            row["id"]: (row["io_id"], row["ts"], row["remark"], row["qty"])
            for row in target.rows()
            if row["io_id"] >= 0
        }
        keys = sorted(wanted.keys() | found.keys())
        return [f"{k}: {wanted.get(k)}, not {found.get(k)}" for k in keys if wanted.get(k) != found.get(k)]

    def check_letters(self, letters: Iterable[Record]) -> None:
        """A bad row of a newest state has a dead letter, or several; a row that is not bad has none. One of a state
        that another had overtaken before it was written need not have one."""
        found = {
            (int(r.key or b""), int(r.headers["jst-version"]), json.loads(r.value or b"")["id"])
            for r in letters
            if r.headers["jst-error-class"] == "data"
        }
        assert _bad_rows(self.newest.values()) - found == set(), "dead letters are missing"
        assert found - _bad_rows(self.all) == set(), "dead letters of rows that the table takes"


def _bad_rows(states: Iterable[State]) -> set[tuple[int, int, str]]:
    return {
        (state.document, state.version, row["id"])
        for state in states
        for row in state.rows()
        if row["remark"] == REFUSED
    }


class Reader:
    """Reads heads and rows of a target in one snapshot after the other, in a thread, while `with` lasts."""

    def __init__(self, target: Target):
        self.database: Database = target.database
        self.torn: list[str] = []
        self.looks = 0
        self.seen: set[tuple[int, int]] = set()  # documents with their versions
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._read_all)
        self._rows = f"SELECT io_id, ts FROM `{target.table}` WHERE io_id >= 0"
        self._heads = f"SELECT document, version, `rows` FROM jst_heads WHERE pipeline = '{target.name}'"
        self._failed: Exception | None = None

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._ends.set()
        self._thread.join(60)
        if kind is None:
            assert self._failed is None, self._failed
            assert self.torn == [], self.torn[:5]
            assert self.looks > 0

    def wait_look(self) -> None:
        """Wait until it has looked at what is there now."""
        looks = self.looks
        wait_until("another look", lambda: self._failed or self.looks > looks + 1)

    def _read_all(self) -> None:
        try:
            with self.database.connect(autocommit=False) as connection, connection.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                self._look(cursor)
                while not self._ends.wait(0.02):
                    self._look(cursor)
        except Exception as error:  # is told by the thread that waits
            self._failed = error

    def _look(self, cursor: Any) -> None:
        """The rows of each document are those of the state that its head names: all of them, and no other."""
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        seen: dict[int, list[int]] = {}
        cursor.execute(self._rows)
        for row in cursor.fetchall():
            seen.setdefault(row["io_id"], []).append(row["ts"])
        cursor.execute(self._heads)
        heads = {int(row["document"]): (row["version"], row["rows"]) for row in cursor.fetchall()}
        cursor.execute("ROLLBACK")
        for document in seen.keys() | heads.keys():
            version, rows = heads.get(document, (-1, -1))
            self.seen.add((document, version))
            if seen.get(document, []) != [version] * rows:
                self.torn.append(
                    f"document {document}: rows of {seen.get(document)}, head {version} of {rows}"
                )
        self.looks += 1
