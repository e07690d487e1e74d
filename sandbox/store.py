"""All documents, found by id, time of change, date or row version. Every method locks by itself."""

from __future__ import annotations

import random
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Iterable

from sandbox.documents import Document

FIRST_TS = 1491926160718000123  # needs 61 bits: a double cannot hold it
_TOP = 1 << 62
_CACHED = 16


class Store:
    """Windows are ordered by (time, io_id), so a document that is changed moves behind the others."""

    def __init__(self, seed: int = 0) -> None:
        self.lock = threading.RLock()
        self._documents: dict[int, Document] = {}
        self._by_modified: list[tuple[int, int]] = []
        self._by_ts: list[tuple[int, int]] = []
        self._ts = FIRST_TS
        self._steps = random.Random(f"{seed}/ts")
        self._cache: dict[object, list[Document]] = {}

    def next_ts(self) -> int:
        """A row version above every earlier one."""
        with self.lock:
            ts = self._ts
            self._ts += 1 + int(self._steps.random() * 1000)
            return ts

    def fill(self, documents: Iterable[Document]) -> None:
        """The history, all at once."""
        with self.lock:
            self._documents.update((document.io_id, document) for document in documents)
            self._by_modified = sorted((d.modified, d.io_id) for d in self._documents.values())
            self._by_ts = sorted((d.ts, d.io_id) for d in self._documents.values())
            self._cache.clear()

    def put(self, document: Document) -> None:
        """Add, or replace the one of the same io_id."""
        with self.lock:
            old = self._documents.get(document.io_id)
            if old is not None:
                self._forget(old)
            self._documents[document.io_id] = document
            insort(self._by_modified, (document.modified, document.io_id))
            insort(self._by_ts, (document.ts, document.io_id))
            self._ts = max(self._ts, document.ts + 1)
            self._cache.clear()

    def remove(self, io_id: int) -> bool:
        """A physical delete: nothing announces it."""
        with self.lock:
            old = self._documents.pop(io_id, None)
            if old is not None:
                self._forget(old)
                self._cache.clear()
            return old is not None

    def get(self, io_id: int) -> Document | None:
        with self.lock:
            return self._documents.get(io_id)

    def pick(self, fraction: float, begin: int = 0, end: int = _TOP) -> Document | None:
        """The document at that fraction (0 <= fraction < 1) of a window; None if it is empty."""
        with self.lock:
            low = bisect_left(self._by_modified, (begin, 0))
            high = bisect_right(self._by_modified, (end, _TOP))
            if low >= high:
                return None
            return self._documents[self._by_modified[low + int(fraction * (high - low))][1]]

    def highest_id(self) -> int:
        with self.lock:
            return max(self._documents, default=0)

    def all(self) -> list[Document]:
        """In the order of their last change."""
        return self.changed(0, _TOP)

    def changed(self, begin: int, end: int) -> list[Document]:
        """Those last modified in [begin, end], both ends included."""
        with self.lock:
            low = bisect_left(self._by_modified, (begin, 0))
            high = bisect_right(self._by_modified, (end, _TOP))
            return [self._documents[io_id] for _, io_id in self._by_modified[low:high]]

    def dated(self, begin: int, end: int) -> list[Document]:
        """Those whose io_date lies in [begin, end]."""
        with self.lock:
            found = [
                (d.io_date, d.io_id, d)
                for d in self._documents.values()
                if d.io_date is not None and begin <= d.io_date <= end
            ]
            return [document for _, _, document in sorted(found, key=lambda entry: entry[:2])]

    def since(self, ts: int) -> list[Document]:
        """Those with this row version or a higher one, lowest first."""
        with self.lock:
            return [self._documents[io_id] for _, io_id in self._by_ts[bisect_left(self._by_ts, (ts, 0)) :]]

    def select(self, source: tuple[str, int, int], statuses: Collection[str] | None) -> list[Document]:
        """`changed`, `dated` or `since` by name, filtered by status; remembered until something changes."""
        with self.lock:
            key = (source, None if statuses is None else frozenset(statuses))
            found = self._cache.get(key)
            if found is None:
                if len(self._cache) >= _CACHED:
                    self._cache.clear()
                found = self._cache[key] = _with_status(self._read(source), statuses)
            return found

    def _forget(self, old: Document) -> None:
        del self._by_modified[bisect_left(self._by_modified, (old.modified, old.io_id))]
        del self._by_ts[bisect_left(self._by_ts, (old.ts, old.io_id))]

    def _read(self, source: tuple[str, int, int]) -> list[Document]:
        name, begin, end = source
        if name == "since":
            return self.since(begin)
        reader: Callable[[int, int], list[Document]] = self.dated if name == "dated" else self.changed
        return reader(begin, end)


def _with_status(documents: list[Document], statuses: Collection[str] | None) -> list[Document]:
    if statuses is None:
        return documents
    return [document for document in documents if document.status in statuses]
