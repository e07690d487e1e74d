"""The control endpoints, for tests and demos: below /_control/, unsigned, JSON in and out. See README.md.

GET    health, stats, truth, truth/raw, log, faults, clock
POST   faults, mutate, documents, pause_mutations, resume_mutations, clock, limits, expire_tokens
DELETE faults, documents, log (clears the statistics of requests, too)
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from sandbox import faults, jsontext, truth
from sandbox.clock import beijing, parse_beijing
from sandbox.core import Sandbox
from sandbox.documents import STATUSES, Document
from sandbox.mutations import KINDS

PREFIX = "/_control/"
_TOP = 1 << 62
Body = dict[str, Any]
T = TypeVar("T")


class Wrong(Exception):
    """A control request that cannot be followed."""


class Control:
    """Thread-safe as far as its parts are."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._box = sandbox
        self._calls: dict[tuple[str, str], Callable[[Body], Any]] = {
            ("GET", "health"): lambda _: {"ok": True},
            ("GET", "stats"): self._stats,
            ("GET", "truth"): self._truth,
            ("GET", "truth/raw"): self._truth_raw,
            ("GET", "log"): lambda _: {"requests": sandbox.journal.entries()},
            ("DELETE", "log"): lambda _: sandbox.journal.clear(),
            ("GET", "faults"): lambda _: {"faults": sandbox.faults.pending()},
            ("POST", "faults"): lambda wish: sandbox.faults.add(faults.parse(wish)),
            ("DELETE", "faults"): lambda _: sandbox.faults.clear(),
            ("POST", "mutate"): self._mutate,
            ("POST", "documents"): self._document,
            ("DELETE", "documents"): self._remove,
            ("POST", "pause_mutations"): lambda _: self._pause(True),
            ("POST", "resume_mutations"): lambda _: self._pause(False),
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._clock,
            ("POST", "limits"): self._limits,
            ("POST", "expire_tokens"): lambda _: sandbox.tokens.expire_all(),
        }

    def handle(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        """HTTP status and body: 400 with {"error": …} for what cannot be followed."""
        parts = urlsplit(target)
        call = self._calls.get((method, parts.path.removeprefix(PREFIX)))
        if call is None:
            return 404, _text({"error": f"no control endpoint {method} {parts.path}"})
        try:
            answer = call(_wish(body) | dict(parse_qsl(parts.query)))
        except (Wrong, ValueError, TypeError) as mistake:
            return 400, _text({"error": str(mistake)})
        return 200, answer if isinstance(answer, bytes) else _text({"ok": True} if answer is None else answer)

    def _stats(self, _: Body) -> Body:
        documents = self._box.store.all()
        return {
            "documents": len(documents),
            "lines": sum(document.lines for document in documents),
            "mutations": self._box.mutator.made,
            **self._box.journal.counts(),
        }

    def _chosen(self, wish: Body) -> list[Document]:
        window = _window(wish) or (0, _TOP)
        documents = self._box.store.changed(*window)
        if "io_id" in wish:
            documents = [document for document in documents if document.io_id == int(wish["io_id"])]
        return documents

    def _truth(self, wish: Body) -> bytes:
        return "".join(truth.parsed(self._chosen(wish))).encode()

    def _truth_raw(self, wish: Body) -> bytes:
        return truth.raw(self._chosen(wish))

    def _mutate(self, wish: Body) -> Body:
        kind = wish.get("kind")
        if kind is not None and kind not in KINDS:
            raise Wrong(f"kind must be one of {', '.join(KINDS)}")
        io_id = int(wish["io_id"]) if "io_id" in wish else None
        window = _window(wish)
        changes = [self._box.mutator.change(kind, io_id, window) for _ in range(int(wish.get("count", 1)))]
        return {"changes": [asdict(change) for change in changes if change is not None]}

    def _document(self, wish: Body) -> Body:
        """Add or replace a document by its exact text."""
        if ("json" in wish) == ("base64" in wish):
            raise Wrong("exactly one of json (text) and base64 is needed")
        store = self._box.store
        with store.lock:
            ts = int(wish["ts"]) if "ts" in wish else store.next_ts()
            modified = parse_beijing(wish["modified"]) if "modified" in wish else self._box.clock.second()
            text = wish["json"].encode() if "json" in wish else _bytes(wish["base64"])
            text = text.replace(b"{{ts}}", b"%d" % ts).replace(b"{{modified}}", beijing(modified).encode())
            document = _placed(text, wish, ts, modified)
            store.put(document)
        return {
            "io_id": document.io_id,
            "ts": document.ts,
            "modified": beijing(document.modified),
            "status": document.status,
        }

    def _remove(self, wish: Body) -> Body:
        if "io_id" not in wish:
            raise Wrong("io_id is needed")
        return {"removed": self._box.store.remove(int(wish["io_id"]))}

    def _pause(self, paused: bool) -> None:
        self._box.mutator.paused = paused

    def _clock(self, wish: Body) -> Body:
        clock = self._box.clock
        if "shift" in wish:
            clock.shift = float(wish["shift"])
        return {"shift": clock.shift, "wall": clock.wall(), "beijing": beijing(clock.second())}

    def _limits(self, wish: Body) -> Body:
        limit = self._box.limit
        limit.per_second = int(wish.get("second", limit.per_second))
        limit.per_minute = int(wish.get("minute", limit.per_minute))
        return {"second": limit.per_second, "minute": limit.per_minute}


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _wish(body: bytes) -> Body:
    if not body:
        return {}
    wish = json.loads(body)
    if not isinstance(wish, dict):
        raise Wrong("the body must be a JSON object")
    return wish


def _window(wish: Body) -> tuple[int, int] | None:
    if "modified_begin" not in wish and "modified_end" not in wish:
        return None
    begin = parse_beijing(wish["modified_begin"]) if "modified_begin" in wish else 0
    return begin, parse_beijing(wish["modified_end"]) if "modified_end" in wish else _TOP


def _placed(text: bytes, wish: Body, ts: int, modified: int) -> Document:
    """What the text says of itself counts where the request does not say it, if it can be read."""
    try:
        fields = jsontext.loads(text.decode())
    except ValueError:
        fields = {}
    fields = fields if isinstance(fields, dict) else {}
    if "io_id" not in wish and not str(fields.get("io_id", "")).isdecimal():
        raise Wrong("io_id cannot be read from the text: give it beside it")
    if "ts" not in wish and str(fields.get("ts", "")).isdecimal():
        ts = int(fields["ts"])
    if "modified" not in wish:
        modified = _time_or(fields.get("modified"), modified)
    status = wish.get("status", fields.get("status"))
    items = fields.get("items")
    return Document(
        io_id=int(wish["io_id"] if "io_id" in wish else fields["io_id"]),
        ts=ts,
        modified=modified,
        status=status if status in STATUSES else "Confirmed",
        io_date=_time_or(fields.get("io_date"), None),
        po_id=str(fields.get("po_id") or ""),
        so_id=str(fields.get("so_id") or ""),
        lines=len(items) if isinstance(items, list) else 0,
        body=text,
        sound=False,
    )


def _time_or(value: Any, default: T) -> int | T:
    try:
        return parse_beijing(str(value))
    except ValueError:
        return default


def _text(answer: Any) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode() + b"\n"
