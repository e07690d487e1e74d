"""JSON whose number text is exact: `13.00`, `2.0000` and 19 digits stay what they are, both ways.

The exact text that is sent is part of the truth, so numbers are carried as `Raw` text and never as floats.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined, unused-ignore]
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any, TypeAlias

Json: TypeAlias = Any  # what json.loads gives, with Raw for numbers
Encode = Callable[[str], str]

STYLES: dict[str, Encode] = {
    "utf8": encode_basestring,  # characters as they are
    "ascii": encode_basestring_ascii,  # \uXXXX, surrogate pairs
    "slash": lambda text: encode_basestring(text).replace("/", "\\/"),
}
_BLANK = " \t\r\n"


class Raw(str):
    """The text of a number, sent without quotes."""

    __slots__ = ()


def dumps(value: Json, style: str = "utf8") -> str:
    """Compact JSON text; strings are written in one of STYLES, numbers as their text."""
    return _dump(value, STYLES[style])


def _dump(value: Json, encode: Encode) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, str):
        return encode(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join([encode(key) + ":" + _dump(item, encode) for key, item in value.items()]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([_dump(item, encode) for item in value]) + "]"
    raise TypeError(f"{type(value).__name__} has no exact JSON text")


def _constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_float=Raw, parse_int=Raw, parse_constant=_constant)


def loads(text: str) -> Json:
    """The value of a JSON text, numbers as Raw; ValueError if it is not one."""
    return _decoder.decode(text)


def members(text: str) -> dict[str, str]:
    """The exact text of each value of an object, by key: what a client that keeps the bytes should see."""
    found: dict[str, str] = {}
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        key, at = scanstring(text, at + 1)
        begin = _skip(text, _skip(text, at) + 1)
        _, end = _decoder.raw_decode(text, begin)
        found[key] = text[begin:end]
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _skip(text: str, at: int) -> int:
    while text[at] in _BLANK:
        at += 1
    return at
