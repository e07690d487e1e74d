"""The sandbox's pages: order, counts, drift under change, row versions. No socket, no sleep."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from test_sandbox import NOW, Caller, ids

from sandbox.clock import beijing

TEXT_TS = "/open/webapi/wmsapi/purchasein/purchaseinquery"


@pytest.fixture(scope="module")
def shared():
    """For tests that change nothing."""
    return Caller()


@pytest.fixture
def empty():
    return Caller(documents=0)


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given"), [({}, 30), ({"page_size": 50}, 50), ({"page_size": 500}, 50), ({"page_size": "7"}, 7)]
)
def test_page_size_is_clamped(shared, asked, given):
    data = shared.window(**{"page_size": None, **asked})
    assert (data["page_size"], len(data["datas"]), data["data_count"]) == (given, given, 200)
    assert data["page_count"] == -(-200 // given)


def test_pages_cover_the_window_in_order(shared):
    pages = [shared.window(page_index=n, page_size=45) for n in range(1, 7)]
    assert [page["has_next"] for page in pages] == [True] * 4 + [False] * 2
    assert [len(page["datas"] or []) for page in pages] == [45, 45, 45, 45, 20, 0]
    assert [page["page_index"] for page in pages] == [1, 2, 3, 4, 5, 6]
    documents = [document for page in pages for document in page["datas"] or []]
    order = [(document["modified"], int(document["io_id"])) for document in documents]
    assert order == sorted(order)
    assert len(set(order)) == 200


def test_a_last_page_that_is_full_has_no_next(shared):
    assert [shared.window(page_index=n)["has_next"] for n in (3, 4)] == [True, False]


def test_nothing_is_null_and_not_an_empty_array(empty):
    assert empty.window() == {
        "page_index": 1,
        "page_size": 50,
        "data_count": 0,
        "page_count": 0,
        "has_next": False,
        "datas": None,
    }


def test_counts_are_left_out_on_request(shared):
    assert set(shared.window(is_get_total=False)) == {"page_index", "page_size", "has_next", "datas"}


def test_a_change_while_paging_makes_a_forward_walk_miss_a_document(empty):
    for io_id in range(1, 7):
        empty.place(io_id, NOW - 100 + io_id)
    window = {"begin": NOW - 100, "end": NOW - 50, "page_size": 2}
    forward = ids(empty.window(**window))
    empty.place(1, NOW)
    forward += ids(empty.window(**window, page_index=2)) + ids(empty.window(**window, page_index=3))
    assert forward == [1, 2, 4, 5, 6]


def test_mutations_between_pages_hurt_a_forward_walk_only():
    for backward in (False, True):
        caller = Caller(mutate_every_requests=1)
        pages = range(1, 8) if not backward else range(7, 0, -1)
        seen = {io_id for n in pages for io_id in ids(caller.window(end=NOW - 1, page_size=30, page_index=n))}
        stayed = {document.io_id for document in caller.box.store.changed(0, NOW - 1)}
        assert (seen >= stayed) is backward, f"backward={backward}"
        assert caller.control("GET", "stats")["mutations"] == 7


def test_the_change_hits_the_window_that_is_read():
    caller = Caller(mutate_every_requests=2)
    oldest = caller.box.store.all()[0]
    for _ in range(2):
        assert caller.box.store.get(oldest.io_id).modified == oldest.modified
        caller.window(begin=oldest.modified, end=oldest.modified)
    assert caller.box.store.get(oldest.io_id).modified == NOW


def test_a_physical_delete_leaves_no_trace(empty):
    for io_id in (1, 2, 3):
        empty.place(io_id, NOW)
    assert ids(empty.window()) == [1, 2, 3]
    assert empty.control("DELETE", "documents", {"io_id": 2}) == {"removed": True}
    assert empty.control("DELETE", "documents", {"io_id": 2}) == {"removed": False}
    assert ids(empty.window()) == ids(empty.data(start_ts=1)) == [1, 3]


def test_the_second_path_gives_ts_as_text(shared):
    biz = {"modified_begin": beijing(NOW - 6 * 86400), "modified_end": beijing(NOW)}
    number, text = shared.data(**biz)["datas"], shared.data(TEXT_TS, **biz)["datas"]
    assert {type(document["ts"]) for document in text} == {str}
    assert int in {type(document["ts"]) for document in number}
    assert [{**document, "ts": str(document["ts"])} for document in number] == text


# --- row versions ---------------------------------------------------------------------------------


def test_row_versions_walk_through_everything_once():
    caller, cursor, seen = Caller(), 1, []
    while True:
        data = caller.data(start_ts=cursor, page_index=1, page_size=50, is_get_total=False)
        assert set(data) == {"page_index", "page_size", "has_next", "datas"}
        versions = [int(document["ts"]) for document in data["datas"]]
        assert versions == sorted(set(versions))
        assert not seen or versions[0] == cursor  # the comparison is >=
        seen += versions if not seen else versions[1:]
        if versions[-1] == cursor:
            break
        cursor = versions[-1]
    assert seen == [document.ts for document in sorted(caller.box.store.all(), key=lambda d: d.ts)]
    assert seen[0] == 1491926160718000123
    assert not data["has_next"]


def test_row_version_mode_may_be_confirmed_only():
    assert {d["status"] for d in Caller().data(start_ts=1)["datas"]} > {"Confirmed"}
    assert {d["status"] for d in Caller(start_ts_confirmed=True).data(start_ts=1)["datas"]} == {"Confirmed"}


def test_row_versions_go_on_above_one_that_a_test_has_placed(empty):
    empty.control("POST", "documents", {"json": '{"io_id":1,"ts":1591926160718000123}'})
    change = empty.control("POST", "mutate", {"kind": "create"})["changes"][0]
    assert 1591926160718000123 < change["ts"] < 1591926160718001125


def test_a_changed_document_gets_the_highest_row_version():
    caller = Caller()
    highest = max(document.ts for document in caller.box.store.all())
    change = caller.control("POST", "mutate", {"io_id": 7000001, "kind": "modify"})["changes"][0]
    assert change["ts"] > highest
    assert ids(caller.data(start_ts=highest + 1)) == [7000001]
