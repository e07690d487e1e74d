"""The newest state of every document, for a test's oracle.

`raw` gives the exact texts. `parsed` gives values: text, true, false and null are themselves, a number is
`{"n": "13.00"}` with its exact text, and an array or object in a head field other than items, batchs and
sns is `{"j": "[\\"a\\"]"}` with its exact text.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox import jsontext
from sandbox.clock import beijing
from sandbox.documents import Document
from sandbox.jsontext import Json, Raw

_NESTED = ("items", "batchs", "sns")


def raw(documents: Iterable[Document]) -> bytes:
    """One document a line, as sent; only one that a test has placed may itself hold a line break."""
    return b"".join(document.body + b"\n" for document in documents)


def parsed(documents: Iterable[Document]) -> Iterator[str]:
    """The pieces of one JSON text, one document each."""
    yield '{"documents":['
    for n, document in enumerate(documents):
        yield ("," if n else "") + "\n" + json.dumps(entry(document), ensure_ascii=False)
    yield "]}\n"


def entry(document: Document) -> dict[str, Any]:
    """A document with its values, or with its bytes if they are not a JSON object."""
    about: dict[str, Any] = {
        "io_id": str(document.io_id),
        "ts": str(document.ts),
        "modified": beijing(document.modified),
        "status": document.status,
        "lines": document.lines,
    }
    try:
        text = document.body.decode()
        fields = jsontext.loads(text)
        if not isinstance(fields, dict):
            raise TypeError("no object")
    except (TypeError, ValueError):
        return about | {"document": None, "base64": base64.b64encode(document.body).decode()}
    return about | {"document": _head(fields, text)}


def _head(fields: dict[str, Json], text: str) -> dict[str, Any]:
    odd = [key for key, value in fields.items() if key not in _NESTED and isinstance(value, (list, dict))]
    exact = jsontext.members(text) if odd else {}
    return {key: {"j": exact[key]} if key in odd else _value(value) for key, value in fields.items()}


def _value(value: Json) -> Any:
    if isinstance(value, Raw):
        return {"n": str(value)}
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _value(item) for key, item in value.items()}
    return value
