"""One stored document: the bytes that are sent for it, and what the API has to know to find it."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox import jsontext
from sandbox.clock import beijing
from sandbox.jsontext import Json, Raw

STATUSES = ("WaitConfirm", "Confirmed", "Cancelled", "Delete", "Archive", "OuterConfirming")


@dataclass(frozen=True, slots=True)
class Document:
    """Immutable: a change makes a new one."""

    io_id: int
    ts: int
    modified: int  # Unix seconds
    status: str
    io_date: int | None  # Unix seconds
    po_id: str
    so_id: str
    lines: int
    body: bytes  # exactly what is sent
    sound: bool = True  # False: placed by a test, not to be changed by mutations

    def body_with_text_ts(self) -> bytes:
        """The body as the second path sends it: `ts` in quotes."""
        number = b'"ts":%d' % self.ts
        return self.body.replace(number, b'"ts":"%d"' % self.ts, 1)


def from_fields(fields: dict[str, Json], style: str, ts: int, modified: int, io_date: int | None) -> Document:
    """A document of its fields, stamped with a row version and a time of change."""
    fields["ts"] = str(ts) if _is_text(fields.get("ts")) else Raw(ts)
    fields["modified"] = beijing(modified)
    return Document(
        io_id=int(fields["io_id"]),
        ts=ts,
        modified=modified,
        status=str(fields["status"]),
        io_date=io_date,
        po_id=str(fields.get("po_id") or ""),
        so_id=str(fields.get("so_id") or ""),
        lines=len(fields.get("items") or ()),
        body=jsontext.dumps(fields, style).encode(),
    )


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and not isinstance(value, Raw)
