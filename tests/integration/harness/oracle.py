"""What the table must hold: rows computed from the sandbox's truth, independently of the programs.

Knows the mapping of pipelines/purchasein.json by heart: header fields keep their names, fields of a line get
the prefix items_, and id is {io_id}-{items_ioi_id}. Values stay text, exactly as they came, until they meet a
column.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from json.decoder import scanstring
from typing import Any

from .database import Database

TABLE = "purchasein_query"
COLUMNS = (
    "id io_id ts warehouse po_id supplier_id supplier_name modified so_id out_io_id status io_date wh_id"
    " wms_co_id remark tax_rate labels archived merge_so_id type creator_name f_status l_id items_ioi_id"
    " items_sku_id items_i_id items_unit items_name items_qty items_cost_price items_cost_amount"
).split()
TEXT_TYPES = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json"}
EXAMPLES = 5

Cell = str | None
Row = dict[str, Cell]


@dataclass(frozen=True)
class Value:
    """A JSON value: parsed (numbers as their digits), and its text as it came."""

    parsed: Any
    raw: str


class Digits(str):
    """A number of the JSON text, not yet a number."""


_decoder = json.JSONDecoder(parse_float=Digits, parse_int=Digits, parse_constant=Digits, strict=False)
_SPACE = " \t\r\n"


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def parse_object(text: str, at: int = 0) -> dict[str, Value]:
    """The members of the object that begins there, each with its own text."""
    members: dict[str, Value] = {}
    at = _skip(text, at)
    assert text[at] == "{", f"no object at {text[at : at + 40]!r}"
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = scanstring(text, at + 1, False)
        at = _skip(text, _skip(text, at) + 1)  # the colon
        parsed, end = _decoder.raw_decode(text, at)
        members[name] = Value(parsed, text[at:end])
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return members


def parse_array(text: str) -> Iterator[dict[str, Value]]:
    """The objects of an array."""
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "]":
        _, end = _decoder.raw_decode(text, at)
        yield parse_object(text, at)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


# ---- documents to rows ----


def as_text(value: Value | None, number: bool = False) -> Cell:
    """What a placeholder that stands alone gives; number: the target declares a number."""
    if value is None or value.parsed is None:
        return None
    if isinstance(value.parsed, bool):
        return ("1" if value.parsed else "0") if number else value.raw
    if isinstance(value.parsed, Digits):
        return (
            format(Decimal(value.parsed), "f") if value.parsed.lower().find("e") >= 0 else str(value.parsed)
        )
    if isinstance(value.parsed, str):
        return value.parsed
    return value.raw


def rows_of(document: str, types: Mapping[str, str]) -> list[Row]:
    """The rows of one document's JSON text."""
    header = parse_object(document)
    items = header.get("items")
    lines = list(parse_array(items.raw)) if items is not None and items.parsed else [{}]
    io_id = as_text(header.get("io_id"))
    rows = []
    for line in lines:
        row: Row = {"id": f"{io_id}-{as_text(line.get('ioi_id')) or ''}"}
        for column in COLUMNS[1:]:
            source = line.get(column[6:]) if column.startswith("items_") else header.get(column)
            row[column] = as_text(source, types.get(column, "string") in ("int", "float", "number"))
        rows.append(row)
    return rows


def target_types(pipeline: Mapping[str, Any]) -> dict[str, str]:
    """Column to declared type, from a pipeline's target."""
    return {entry["field"]: entry.get("type", "string") for entry in pipeline["target"]["request"]}


def expected_rows(truth: bytes | str, types: Mapping[str, str]) -> dict[str, Row]:
    """All rows by id, from documents as NDJSON."""
    text = truth.decode() if isinstance(truth, bytes) else truth
    rows: dict[str, Row] = {}
    for document in text.split("\n"):
        if document.strip():
            for row in rows_of(document, types):
                assert row["id"] and row["id"] not in rows, f"the truth has {row['id']} twice"
                rows[row["id"]] = row
    return rows


# ---- rows against the table ----


def _decimal(scale: int) -> Callable[[str], Any]:
    quantum = Decimal(1).scaleb(-scale)

    def convert(text: str) -> Decimal:
        with localcontext() as context:
            context.prec = 100
            return Decimal(text).quantize(quantum, ROUND_HALF_UP)

    return convert


def _datetime(text: str) -> datetime:
    return datetime.fromisoformat(text.strip().replace("/", "-"))


def converter(column_type: str, scale: int) -> Callable[[Cell], Any]:
    """How a value looks once it is in a column of this type (as pymysql gives it)."""
    if column_type in TEXT_TYPES:
        return lambda cell: cell
    by_type: dict[str, Callable[[str], Any]] = {
        "decimal": _decimal(scale),
        "datetime": _datetime,
        "timestamp": _datetime,
        "date": lambda text: date.fromisoformat(text.strip()[:10]),
        "float": float,
        "double": float,
    }
    convert = by_type.get(column_type, lambda text: int(Decimal(text)))
    return lambda cell: None if cell is None or cell.strip() == "" else convert(cell)


@dataclass
class Differences:
    """What a comparison found; empty is what one wants."""

    expected: int = 0
    actual: int = 0
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    differing: dict[str, list[tuple[str, Any, Any]]] = field(
        default_factory=dict
    )  # id: column, expected, actual

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.differing)

    def __str__(self) -> str:
        lines = [
            f"{self.expected} rows expected, {self.actual} in the table:"
            f" {len(self.missing)} missing, {len(self.extra)} too many, {len(self.differing)} differing"
        ]
        lines += [f"  missing: {', '.join(self.missing[:EXAMPLES])}"] if self.missing else []
        lines += [f"  too many: {', '.join(self.extra[:EXAMPLES])}"] if self.extra else []
        for key in list(self.differing)[:EXAMPLES]:
            lines += [
                f"  {key}.{column}: {a!r} expected, {b!r} in the table"
                for column, a, b in self.differing[key]
            ]
        return "\n".join(lines)


def compare(expected: Mapping[str, Row], database: Database, table: str = TABLE) -> Differences:
    """Every row and column of the table against the expected ones; text byte for byte, decimals exactly."""
    found = Differences(expected=len(expected))
    converters = _converters(database, table)
    unseen = set(expected)
    for actual in _stored(database, table):
        found.actual += 1
        key = actual[0]
        if key not in expected:
            found.extra.append(str(key))
            continue
        unseen.discard(key)
        row = expected[key]
        wrong = []
        for (column, convert), value in zip(converters, actual):
            right = convert(row[column])
            if right != value:
                wrong.append((column, right, value))
        if wrong:
            found.differing[key] = wrong
    found.missing = sorted(unseen)
    return found


def _converters(database: Database, table: str) -> list[tuple[str, Callable[[Cell], Any]]]:
    sql = (
        "SELECT column_name AS name, data_type AS type, numeric_scale AS scale"
        " FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
    )
    known = {
        r["name"]: (r["type"].lower(), int(r["scale"] or 0))
        for r in database.query(sql, (database.name, table))
    }
    absent = [column for column in COLUMNS if column not in known]
    assert not absent, f"table {table} lacks the columns {absent}"
    return [(column, converter(*known[column])) for column in COLUMNS]


def _stored(database: Database, table: str) -> Iterable[tuple]:
    from pymysql.cursors import SSCursor

    with database.connect(cursorclass=SSCursor) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'`{c}`' for c in COLUMNS)} FROM `{table}`")
        while batch := cursor.fetchmany(1000):
            yield from batch
