"""Raw and rows messages without an extractor or a transformer, for tests of the later programs alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .pipe import Pipe

PIPELINE = "purchasein"


def page(documents: Sequence[bytes]) -> bytes:
    """A response body that holds these documents, byte for byte."""
    head = {"page_index": 1, "page_size": 50, "data_count": len(documents), "page_count": 1}
    text = json.dumps({"code": 0, "msg": "", "data": {**head, "has_next": False}}).encode()
    return text[:-2] + b', "datas": [' + b",".join(documents) + b"]}}"


def raw_headers() -> dict[str, str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "jst-pipeline": PIPELINE,
        "jst-api": "/open/purchasein/query",
        "jst-biz": "{}",
        "jst-window-begin": "2026-08-13 00:00:00",
        "jst-window-end": "2026-08-13 01:00:00",
        "jst-page": "1",
        "jst-page-count": "1",
        "jst-fetched-at": now,
        "jst-run": "live",
    }


def raw(pipe: Pipe, documents: Iterable[bytes], page_size: int = 50) -> int:
    """Publish documents as raw pages; returns how many pages."""
    pages = [page(chunk) for chunk in _chunks(list(documents), page_size)]
    pipe.kafka.produce_many(pipe.topic("raw"), [(None, body, raw_headers()) for body in pages])
    return len(pages)


def document(io_id: int, ts: int, lines: Sequence[Mapping[str, Any]] = (), **more: Any) -> bytes:
    """A small document; every line needs an ioi_id."""
    base = {"io_id": io_id, "ts": ts, "modified": "2026-08-13 11:05:00", "status": "Confirmed"}
    return json.dumps({**base, **more, "items": list(lines)}, ensure_ascii=False).encode()


def rows_message(
    io_id: int, ts: int, rows: Sequence[Mapping[str, Any]], pipeline: str = PIPELINE
) -> tuple[str, bytes, dict[str, str]]:
    """(key, value, headers) of a rows message."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    value = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    headers = {
        "jst-pipeline": pipeline,
        "jst-document": str(io_id),
        "jst-version": str(ts),
        "jst-rows": str(len(rows)),
        "jst-source": "test/0/0",
        "jst-received-at": now,
    }
    return str(io_id), value, headers


def row(io_id: int, ts: int, line: int, **more: Any) -> dict[str, Any]:
    return {"id": f"{io_id}-{line}", "io_id": io_id, "ts": ts, "items_ioi_id": line, **more}


def _chunks(items: list[bytes], size: int) -> Iterator[list[bytes]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
