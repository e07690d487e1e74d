"""Changes of documents while somebody reads them: the cause of page drift.

Each change sets `modified` to now, so the document leaves an older window, and gives it a higher row version.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from sandbox import jsontext
from sandbox import wording as write
from sandbox.author import FIRST_ID, LINES_ID, MOST_LINES, Author, style_of
from sandbox.clock import Clock
from sandbox.documents import Document, from_fields
from sandbox.jsontext import Json, Raw
from sandbox.store import Store

KINDS = ("modify", "lose_line", "gain_line", "cancel", "delete", "create")
_SHARE = (40, 15, 15, 10, 5, 15)  # per cent, where the kind is left open
_TRIES = 50


@dataclass(frozen=True)
class Change:
    kind: str
    io_id: int
    ts: int
    modified: int


class Mutator:
    """Deterministic: the same calls on the same documents choose the same changes."""

    def __init__(self, store: Store, author: Author, clock: Clock) -> None:
        self.paused = False
        self.made = 0
        self._store = store
        self._author = author
        self._clock = clock
        self._random = random.Random(f"{author.plan.seed}/mutations")

    def change(
        self, kind: str | None = None, io_id: int | None = None, window: tuple[int, int] | None = None
    ) -> Change | None:
        """Change one document: the one named, else one of the window, else any. None: there is none."""
        with self._store.lock:
            kind = kind or self._random.choices(KINDS, _SHARE)[0]
            made = self._create() if kind == "create" else self._alter(kind, io_id, window)
            if made is None:
                return None
            self._store.put(made)
            self.made += 1
            return Change(kind, made.io_id, made.ts, made.modified)

    def _create(self) -> Document:
        number = max(self._store.highest_id() + 1 - FIRST_ID, 0)
        return self._author.document(number, self._store.next_ts(), self._clock.second())

    def _alter(self, kind: str, io_id: int | None, window: tuple[int, int] | None) -> Document | None:
        old = self._named(io_id) if io_id is not None else self._any(kind, window)
        if old is None:
            return None
        fields: dict[str, Json] = jsontext.loads(old.body.decode())
        self._apply(kind, fields, old.io_id)
        style = style_of(old.io_id, self._author.plan.odd)
        return from_fields(fields, style, self._store.next_ts(), self._clock.second(), old.io_date)

    def _named(self, io_id: int) -> Document | None:
        document = self._store.get(io_id)
        return document if document is not None and document.sound else None

    def _any(self, kind: str, window: tuple[int, int] | None) -> Document | None:
        for _ in range(_TRIES):
            found = self._store.pick(self._random.random(), *(window or ()))
            if found is None:
                break
            if found.sound and found.status != "Delete" and (kind != "lose_line" or found.lines):
                return found
        return self._any(kind, None) if window else None

    def _apply(self, kind: str, fields: dict[str, Json], io_id: int) -> None:
        if kind == "cancel":
            fields["status"] = "Cancelled"
        elif kind == "delete":
            fields["status"] = "Delete"
        elif kind == "lose_line":
            items = fields["items"] or []
            fields["items"] = items[:-1] if self._random.random() < 0.5 else items[1:]
        elif kind == "gain_line":
            self._gain(fields, io_id)
        else:
            self._modify(fields)

    def _gain(self, fields: dict[str, Json], io_id: int) -> None:
        items = fields["items"] or []
        last = max((int(item["ioi_id"]) % LINES_ID for item in items), default=0)
        if last < MOST_LINES:
            fields["items"] = [*items, self._author.line(self._random.random, io_id, last + 1)]

    def _modify(self, fields: dict[str, Json]) -> None:
        r = self._random.random
        fields["remark"] = self._author.remark(r)
        if fields["status"] == "WaitConfirm":
            fields["status"] = "Confirmed"
        for item in (fields["items"] or [])[:3]:
            item["qty"] = write.quantity(r, 1 + int(r() * 99), self._author.plan.odd)
            item["cost_price"] = Raw(f"{int(r() * 999)}.{int(r() * 10000):04d}")
