"""The ways in which one value is written: JSON types of the API are not reliable, its digits are.

Every function takes a source of random numbers in [0, 1) and gives a JSON value. What they write fits BIGINT,
DECIMAL(12,4) for quantities, prices and rates, and DECIMAL(12,2) for amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sandbox.jsontext import Json, Raw

Random = Callable[[], float]
T = TypeVar("T")


def choose(r: Random, choices: Sequence[T]) -> T:
    return choices[int(r() * len(choices))]


def quantity(r: Random, n: int, odd: bool) -> Json:
    """2, 2.0, 2.0000, "2.0000", "2", null, "", 2E+2, -2"""
    way = r()
    if not odd or way < 0.55:
        return Raw(n)
    if way < 0.70:
        return Raw(f"{n}.0")
    if way < 0.80:
        return Raw(f"{n}.0000")
    if way < 0.90:
        return f"{n}.0000"
    if way < 0.94:
        return str(n)
    return choose(r, (None, "", Raw(f"{n}E+2"), Raw(f"-{n}"), Raw(f"{n}.5"), Raw("0")))


def price(r: Random, ten_thousandths: int, odd: bool) -> Json:
    """99.9900, 99.99, "99.9900", "", null, 1E-4, and the largest that DECIMAL(12,4) holds"""
    text = f"{ten_thousandths // 10000}.{ten_thousandths % 10000:04d}"
    way = r()
    if not odd or way < 0.60:
        return Raw(text)
    if way < 0.75:
        return Raw(text.rstrip("0").rstrip("."))
    if way < 0.92:
        return text
    return choose(
        r,
        (
            None,
            "",
            Raw("0"),
            Raw("0.0"),
            Raw("1E-4"),
            Raw("99999999.9999"),
            "0.0001",
            Raw("0.1"),
            Raw("1.5e1"),
        ),
    )


def amount(r: Random, cents: int, odd: bool) -> Json:
    """199.98, 199.9, "199.98", "", null, and the largest that also fits DECIMAL(12,4)"""
    text = f"{cents // 100}.{cents % 100:02d}"
    way = r()
    if not odd or way < 0.60:
        return Raw(text)
    if way < 0.72:
        return Raw(text.rstrip("0").rstrip("."))
    if way < 0.92:
        return text
    return choose(r, (None, "", Raw("0.00"), "0", Raw("99999999.99"), Raw("0.10"), Raw("-0.01")))


def rate(r: Random, percent: int, odd: bool) -> Json:
    """13.00, 13, "13.00", null"""
    if not odd:
        return Raw(percent)
    text = f"{percent}.00"
    return choose(r, (Raw(text), Raw(text), Raw(percent), text, Raw("0.0"), None))


def number(r: Random, n: int, odd: bool, empty: float = 0.0) -> Json:
    """An identifier: mostly a number, at times text; with probability `empty` null or empty text."""
    if not odd:
        return Raw(n)
    way = r()
    if way < empty:
        return choose(r, (None, "", Raw("0")))
    return str(n) if way > 0.97 else Raw(n)


def text(r: Random, value: str, odd: bool, empty: float = 0.1) -> Json:
    """A text field: at times null or empty."""
    if odd and r() < empty:
        return choose(r, (None, ""))
    return value
