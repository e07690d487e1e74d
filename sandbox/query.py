"""The business parameters of a purchase-in query, their rules, and the page that they give."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.clock import parse_beijing
from sandbox.documents import STATUSES, Document
from sandbox.jsontext import Json
from sandbox.store import Store

BAD_PARAMETER = 130  # the vendor's list names no code for these
DEFAULT_SIZE = 30
LARGEST_SIZE = 50
MOST_IDS = 30
LONGEST_WINDOW = 7 * 86400
_DEFAULT_STATUSES = ("Confirmed",)
_IDS = ("po_ids", "io_ids", "so_ids")
_WITH_START_TS = {"start_ts", "page_index", "page_size", "is_get_total"}


class BizError(Exception):
    """A business parameter that the API refuses."""


@dataclass(frozen=True)
class Query:
    index: int
    size: int
    source: tuple[str, int, int] | None  # ("changed" or "dated", begin, end), ("since", ts, 0)
    ids: dict[str, frozenset[str]]
    statuses: tuple[str, ...] | None  # None: all
    total: bool  # whether counts are wanted

    @property
    def window(self) -> tuple[int, int] | None:
        """The window of changes that is being paged through."""
        return self.source[1:] if self.source is not None and self.source[0] == "changed" else None


@dataclass(frozen=True)
class Page:
    index: int
    size: int
    total: int | None
    has_next: bool
    documents: Sequence[Document]


def parse(text: str, filter_since: bool = False) -> Query:
    """`filter_since`: whether row-version mode, too, gives Confirmed documents only (that is not known)."""
    try:
        biz = json.loads(text)
    except ValueError:
        raise BizError("biz不是有效的JSON") from None
    if not isinstance(biz, dict):
        raise BizError("biz必须是JSON对象")
    index = _whole(biz, "page_index", 1)
    size = _whole(biz, "page_size", DEFAULT_SIZE)
    if index < 1 or size < 1:
        raise BizError("page_index和page_size必须大于0")
    size = min(size, LARGEST_SIZE)
    if _given(biz, "start_ts"):
        return _since(biz, index, size, filter_since)
    ids = {name: _ids(biz, name) for name in _IDS if _given(biz, name)}
    source = _window(biz)
    if source is None and not ids:
        raise BizError("modified_begin、modified_end与po_ids、io_ids、so_ids不能同时为空")
    return Query(index, size, source, ids, _statuses(biz), _flag(biz, "is_get_total", True))


def run(store: Store, query: Query) -> Page:
    if query.source is None:
        found = _by_ids(store.all(), query)
    else:
        found = _by_ids(store.select(query.source, query.statuses), query)
    first = (query.index - 1) * query.size
    last = first + query.size
    total = len(found) if query.total else None
    return Page(query.index, query.size, total, last < len(found), found[first:last])


def _by_ids(documents: list[Document], query: Query) -> list[Document]:
    if not query.ids:
        return documents
    wanted: dict[str, Callable[[Document], str]] = {
        "po_ids": lambda document: document.po_id,
        "io_ids": lambda document: str(document.io_id),
        "so_ids": lambda document: document.so_id,
    }
    for name, values in query.ids.items():
        documents = [document for document in documents if wanted[name](document) in values]
    if query.source is None and query.statuses is not None:
        documents = [document for document in documents if document.status in query.statuses]
    return documents


def _since(biz: dict[str, Json], index: int, size: int, filtered: bool) -> Query:
    others = sorted(name for name in biz if name not in _WITH_START_TS and _given(biz, name))
    if others:
        raise BizError(f"start_ts不能与{others[0]}同时使用")
    statuses = _DEFAULT_STATUSES if filtered else None
    return Query(index, size, ("since", _whole(biz, "start_ts", 0), 0), {}, statuses, False)


def _window(biz: dict[str, Json]) -> tuple[str, int, int] | None:
    given = [_given(biz, "modified_begin"), _given(biz, "modified_end")]
    if not any(given):
        return None
    if not all(given):
        raise BizError("modified_begin和modified_end必须同时存在")
    begin, end = _time(biz, "modified_begin"), _time(biz, "modified_end")
    if begin > end:
        raise BizError("modified_begin不能大于modified_end")
    if end - begin > LONGEST_WINDOW:
        raise BizError("modified_begin和modified_end间隔不能超过七天")
    kind = _whole(biz, "date_type", 0)
    if kind not in (0, 2):
        raise BizError("date_type只能是0或2")
    return ("dated" if kind == 2 else "changed", begin, end)


def _given(biz: dict[str, Json], name: str) -> bool:
    return biz.get(name) not in (None, "", [])


def _whole(biz: dict[str, Json], name: str, default: int) -> int:
    """A whole number, or its digits as text."""
    value = biz.get(name) if _given(biz, name) else default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise BizError(f"{name}必须是整数")


def _flag(biz: dict[str, Json], name: str, default: bool) -> bool:
    value = biz.get(name, default)
    if value in (True, "true", 1):
        return True
    if value in (False, "false", 0):
        return False
    raise BizError(f"{name}必须是布尔值")


def _time(biz: dict[str, Json], name: str) -> int:
    try:
        return parse_beijing(str(biz[name]))
    except ValueError:
        raise BizError(f"{name}格式必须是yyyy-MM-dd HH:mm:ss") from None


def _list(biz: dict[str, Json], name: str) -> list[Json]:
    value = biz[name]
    if not isinstance(value, list):
        raise BizError(f"{name}必须是数组")
    return value


def _ids(biz: dict[str, Json], name: str) -> frozenset[str]:
    values = _list(biz, name)
    if name == "io_ids" and len(values) > MOST_IDS:
        raise BizError(f"{name}最多{MOST_IDS}个")
    return frozenset(str(value) for value in values)


def _statuses(biz: dict[str, Json]) -> tuple[str, ...] | None:
    if not _given(biz, "statuss"):
        return _DEFAULT_STATUSES
    wanted = _list(biz, "statuss")
    for status in wanted:
        if status not in STATUSES:
            raise BizError(f"statuss中有未知的值: {status}")
    return None if len(set(wanted)) == len(STATUSES) else tuple(sorted(set(wanted)))
