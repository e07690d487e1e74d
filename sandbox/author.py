"""Writes the documents of the history, each from the seed and its number alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox import vocabulary as words
from sandbox import wording as write
from sandbox.clock import beijing
from sandbox.documents import STATUSES, Document, from_fields
from sandbox.jsontext import Json, Raw
from sandbox.wording import Random, choose

FIRST_ID = 7_000_001
LINES_ID = 10_000  # ioi_id = io_id * LINES_ID + n, beyond 32 bits
MOST_LINES = LINES_ID - 1
_STATUS_SHARE = (8, 70, 8, 4, 6, 4)  # of STATUSES, in per cent
_STATUS_TABLE = tuple(
    status for status, share in zip(STATUSES, _STATUS_SHARE, strict=True) for _ in range(share)
)
_BURST = 0.01  # share of times at which many documents changed in one second


@dataclass(frozen=True)
class Plan:
    seed: int = 1
    documents: int = 1000
    days: float = 3
    end: int = 0  # Unix seconds of the latest change
    max_lines: int = 2000
    odd: bool = True


def style_of(io_id: int, odd: bool) -> str:
    """How the strings of a document are escaped."""
    turn = io_id % 20 if odd else 20
    return "ascii" if turn < 2 else "slash" if turn == 2 else "utf8"


def history(plan: Plan, next_ts: Callable[[], int]) -> Iterator[Document]:
    """All documents, in the order of their last change."""
    rng = random.Random(f"{plan.seed}/history")
    author = Author(plan)
    for modified, number in zip(_times(plan, rng), _order(plan.documents, rng), strict=True):
        yield author.document(number, next_ts(), modified)


def _times(plan: Plan, rng: random.Random) -> list[int]:
    """Times of change, sorted; at some seconds dozens of documents changed together."""
    span = plan.days * 86400
    times: list[int] = []
    while len(times) < plan.documents:
        burst = 2 + int(rng.random() * 118) if rng.random() < _BURST else 1
        times += [plan.end - int(rng.random() * span)] * burst
    return sorted(times[: plan.documents])


def _order(documents: int, rng: random.Random) -> list[int]:
    """Document numbers, roughly ascending: most were changed soon after they were made."""
    place = [n + rng.random() * (documents if rng.random() < 0.1 else 50) for n in range(documents)]
    return sorted(range(documents), key=place.__getitem__)


class Author:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def document(self, number: int, ts: int, modified: int) -> Document:
        """Document `number` (from 0) with a row version and a time of change."""
        io_id = FIRST_ID + number
        rng = random.Random(f"{self.plan.seed}/{io_id}")
        status = choose(rng.random, _STATUS_TABLE)
        io_date = modified - int(rng.random() * 86400) if status != "WaitConfirm" else None
        fields = self._head(rng.random, io_id, status, modified, io_date)
        fields["items"] = self._items(rng.random, io_id, self._line_count(rng.random, number))
        fields["batchs"] = self._batches(rng.random)
        fields["sns"] = self._serials(rng.random)
        if self.plan.odd:
            fields = _odd_shape(rng, fields)
        return from_fields(fields, style_of(io_id, self.plan.odd), ts, modified, io_date)

    def line(self, r: Random, io_id: int, n: int) -> dict[str, Json]:
        """Line n (from 1) of a document."""
        odd = self.plan.odd
        sku = int(r() * 5000)
        count = 1 + int(r() * 60)
        cost = int(r() * 2_000_000)
        return {
            "ioi_id": write.number(r, io_id * LINES_ID + n, odd),
            "sku_id": f"SKU-{sku:05d}{'🔥' if odd and sku % 97 == 0 else ''}",
            "i_id": f"I{sku // 8:04d}",
            "unit": words.UNITS[sku % len(words.UNITS)],
            "name": f"{words.GOODS[sku % len(words.GOODS)]} {words.VARIANTS[sku % len(words.VARIANTS)]}",
            "qty": write.quantity(r, count, odd),
            "io_id": Raw(io_id),
            "cost_price": write.price(r, cost, odd),
            "cost_amount": write.amount(r, count * cost // 100, odd),
            "remark": write.text(r, "" if r() < 0.9 else choose(r, words.PLAIN_REMARKS), odd),
            "batch_no": None if r() < 0.8 else f"B{sku:05d}",
            "tax_rate": write.rate(r, 13, odd),
        }

    def remark(self, r: Random) -> Json:
        if not self.plan.odd or r() < 0.6:
            return choose(r, words.PLAIN_REMARKS)
        if r() < 0.1:
            return words.long_remark(1000 if r() < 0.3 else int(r() * 1000), int(r() * 30))
        return choose(r, (None, *words.ODD_REMARKS))

    def _head(
        self, r: Random, io_id: int, status: str, modified: int, io_date: int | None
    ) -> dict[str, Json]:
        odd = self.plan.odd
        supplier = int(r() * 400)
        warehouse = int(r() * len(words.WAREHOUSES))
        archived = beijing(modified) if status == "Archive" else choose(r, (None, "") if odd else (None,))
        return {
            "io_id": write.number(r, io_id, odd),
            "ts": "" if odd and r() < 0.02 else Raw("0"),  # its type; the value is stamped later
            "warehouse": words.WAREHOUSES[warehouse],
            "po_id": write.number(r, 200_000 + int(r() * 1_000_000), odd, empty=0.03),
            "supplier_id": write.number(r, 1000 + supplier, odd, empty=0.02),
            "supplier_name": words.SUPPLIERS[supplier % len(words.SUPPLIERS)],
            "modified": "",
            "so_id": write.text(r, f"{'00' if odd and r() < 0.1 else 'EXT-'}{int(r() * 1_000_000)}", odd),
            "out_io_id": write.text(r, f"OUT{io_id}", odd, empty=0.6),
            "status": status,
            "io_date": None if io_date is None else beijing(io_date),
            "wh_id": write.number(r, 1 + warehouse, odd),
            "wms_co_id": write.number(r, 10_000_000 + warehouse, odd),
            "remark": self.remark(r),
            "tax_rate": write.rate(r, 13, odd),
            "labels": _labels(r, odd),
            "archived": archived,
            "merge_so_id": write.text(r, "", odd, empty=0.5),
            "type": choose(r, words.TYPES),
            "creator_name": choose(r, words.CREATORS),
            "f_status": choose(r, ("WaitConfirm", "Confirmed", "")),
            "l_id": write.text(r, f"753{int(r() * 10**17):017d}", odd, empty=0.3),
            "lock_wh_id": Raw("0"),
            "lock_wh_name": write.text(r, "", odd),
        }

    def _line_count(self, r: Random, number: int) -> int:
        """1 to 8; every 400th document has hundreds, the middle one the most."""
        plan = self.plan
        if plan.documents >= 10 and number == plan.documents // 2:
            return plan.max_lines
        lines = 100 + int(r() * 500) if number % 400 == 200 else 1 + int(r() * r() * 8)
        return min(lines, plan.max_lines)

    def _items(self, r: Random, io_id: int, lines: int) -> Json:
        if self.plan.odd and lines < 100 and r() < 0.02:
            return choose(r, (None, []))
        return [self.line(r, io_id, n) for n in range(1, lines + 1)]

    def _batches(self, r: Random) -> Json:
        if r() < 0.95:
            return choose(r, (None, []) if self.plan.odd else ([],))
        return [
            {
                "batch_no": f"B{int(r() * 5000):05d}",
                "sku_id": f"SKU-{int(r() * 5000):05d}",
                "qty": write.quantity(r, 1 + int(r() * 9), self.plan.odd),
                "product_date": "2026-01-31 00:00:00",
                "supplier_id": Raw(1000 + int(r() * 400)),
                "supplier_name": choose(r, words.SUPPLIERS),
                "expiration_date": None,
            }
        ]

    def _serials(self, r: Random) -> Json:
        if r() < 0.97:
            return choose(r, (None, []) if self.plan.odd else ([],))
        return [
            {"sku_id": f"SKU-{int(r() * 5000):05d}", "sn": f"SN{int(r() * 10**12)}"}
            for _ in range(1 + int(r() * 3))
        ]


def _labels(r: Random, odd: bool) -> Json:
    if not odd:
        return ""
    some = [choose(r, words.LABELS) for _ in range(1 + int(r() * 2))]
    return choose(r, (None, "", "", ",".join(some), some))


def _odd_shape(rng: random.Random, fields: dict[str, Json]) -> dict[str, Json]:
    """At times fields are missing, unknown ones appear, or the order differs."""
    if rng.random() < 0.05:
        for name in ("merge_so_id", "lock_wh_id", "lock_wh_name", "labels"):
            del fields[name]
    if rng.random() < 0.02:
        fields["new_field"] = {"items": [Raw("1.50"), True, None], "io_id": "no"}
    if rng.random() < 0.02:
        order = list(fields)
        rng.shuffle(order)
        fields = {name: fields[name] for name in order}
    return fields
