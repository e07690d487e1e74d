"""The forms of main_sql, and what the table then holds, on real servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from harness import feed
from harness.tables import FIELDS, Stack, Target

STATEMENTS = {
    "replace": "REPLACE INTO {table}({columns}) VALUES",
    "insert": "INSERT INTO {table}({columns}) VALUES",
}


def set_sql(stack: Stack, target: Target, statement: str) -> None:
    sql = statement.format(table=target.table, columns=", ".join(FIELDS))

    def change(content: dict[str, Any]) -> None:
        for entry in content["target"]["otherRequest"]:
            if entry["field"] == "main_sql":
                entry["value"] = sql

    stack.pipe.edit_pipeline(change, target.name)


LOCAL_INFILE = {"text": ["--local-infile=OFF"], "load": ["--local-infile=ON"]}
UPDATED = ("io_id", "ts", "modified", "qty")  # not remark
LEAVING_OUT = (
    STATEMENTS["insert"] + " ON DUPLICATE KEY UPDATE " + ", ".join(f"{c} = VALUES({c})" for c in UPDATED)
)


@pytest.fixture(scope="module")
def colliding(make_stack) -> Stack:
    """A pipeline for each form and number of rows."""
    made = make_stack(2 * len(STATEMENTS)).create_all()
    for at, target in enumerate(made.targets):
        set_sql(made, target, list(STATEMENTS.values())[at // 2])
    made.start()
    return made


@pytest.mark.parametrize("lines", [1, 3])
@pytest.mark.parametrize("form", STATEMENTS)
def test_a_row_of_another_document_is_not_written_over(colliding, form, lines):
    """Whatever the form, and also where only one of the document's rows meets it."""
    target = colliding.targets[list(STATEMENTS).index(form) * 2 + (lines > 1)]
    target.fill(3)
    before = target.rows()
    target.send(target.document_of(4, 1, [{"id": "2-1"}, {}, {}][:lines]))
    why = target.wait_paused("schema")
    assert "does not tell documents apart" in why, why
    target.check_untouched(before)
    target.database.execute(f"DELETE FROM `{target.table}` WHERE io_id = 2")
    target.check_cured(2 + lines)


# ---- updating some of the columns ----


@pytest.fixture(params=["text", "load"])
def leaving_out(make_stack, request) -> Iterator[Target]:
    """A pipeline that updates all columns but remark, where the server takes LOAD DATA LOCAL and where it does not."""
    made = make_stack(1, own_server=True, options=LOCAL_INFILE[request.param]).create_all()
    target = made.take()
    set_sql(made, target, LEAVING_OUT)
    made.start()
    yield target
    made.close()


def test_a_column_that_is_left_out_keeps_what_the_table_has(leaving_out):
    """New rows get all columns; rows that are there keep it, whatever is written beside them in one batch."""
    target = leaving_out
    target.send(*(target.document(n, 1, lines=2, remark="first") for n in range(1, 4)))
    target.wait_count(6)
    target.database.execute(f"UPDATE `{target.table}` SET remark = 'by hand' WHERE id = '1-1'")
    target.send(
        target.document(1, 2, lines=3, remark="second"),
        target.document(2, 2, lines=1, remark="second"),
        target.document(4, 1, lines=1, remark="second"),
    )
    target.wait_consumed()
    target.send(target.document(1, 2, lines=3, remark="again"))
    target.wait_consumed()
    assert [(row["id"], row["ts"], row["remark"]) for row in target.rows()] == [
        ("1-1", 2, "by hand"),
        ("1-2", 2, "first"),
        ("1-3", 2, "second"),
        ("2-1", 2, "first"),
        ("3-1", 1, "first"),
        ("3-2", 1, "first"),
        ("4-1", 1, "second"),
    ]
    assert target.letters() == [] and target.reasons() == set()


# ---- row by row (options.write "replace") ----

ROW_BY_ROW = (*STATEMENTS, "leaving out")


@pytest.fixture(params=ROW_BY_ROW)
def row_by_row(make_stack, request) -> Iterator[Target]:
    """A pipeline whose documents need no column of their own id, without our tables beside its own."""
    made = make_stack(1).create_all()
    target = made.take()
    set_sql(made, target, {**STATEMENTS, "leaving out": LEAVING_OUT}[request.param])

    def change(content: dict[str, Any]) -> None:
        content["options"]["write"] = "replace"
        content["options"]["document"] = ["io_id", "so_id"]

    made.pipe.edit_pipeline(change, target.name)
    for table in ("jst_heads", "jst_offsets"):
        made.database.execute(f"DROP TABLE {table}")
    yield target
    made.close()


def test_row_by_row_what_came_last_stays(row_by_row, request):
    """Older versions too, and lines that a document no longer has; a bad row leaves what is there."""
    target, keeps = row_by_row, "leaving out" in request.node.callspec.params.values()
    target.stack.start("--batch-rows", "5")
    target.send(
        target.document(1, 5, lines=3, remark="newer"),
        *(target.document(number, 1, remark="x") for number in range(10, 40)),
        target.document(1, 4, lines=2, remark="older"),
        target.document(2, 1, remark="first"),
        target.document(3, 1, id="2-1", remark="another"),
        target.document(4, 1, remark="y" * 41),
    )
    target.wait_consumed(20)
    found = {
        row["id"]: (row["io_id"], row["ts"], row["remark"]) for row in target.rows() if row["io_id"] < 10
    }
    assert found == {
        "1-1": (1, 4, "newer" if keeps else "older"),
        "1-2": (1, 4, "newer" if keeps else "older"),
        "1-3": (1, 5, "newer"),
        "2-1": (3, 1, "first" if keeps else "another"),
    }
    assert [letter.headers["jst-document"] for letter in target.letters()] == ["4"]
    assert target.reasons() == set()
    assert not target.database.has_table("jst_heads") and not target.database.has_table("jst_offsets")


def test_row_by_row_a_loader_goes_on_where_its_group_is(row_by_row):
    """Killed and started again: nothing is missing, and what was deleted meanwhile does not come back."""
    target = row_by_row
    target.stack.start("--batch-rows", "5")
    target.send(*(target.document(number, 1) for number in range(1, 31)))
    target.wait_consumed(20)
    target.stack.loader.kill()
    target.database.execute(f"DELETE FROM `{target.table}`")
    target.send(*(target.document(number, 1) for number in range(31, 41)))
    target.stack.loader.start().wait_ready()
    target.wait_consumed(20)
    assert {row["io_id"] for row in target.rows()} == set(range(31, 41))
    assert target.letters() == []


# ---- ids of several fields ----


@pytest.fixture
def two_fields(make_stack) -> Iterator[Target]:
    """Documents are identified by io_id and remark together; the loader makes the table."""
    made = make_stack(1)
    target = made.take()

    def change(content: dict[str, Any]) -> None:
        content["options"]["document"] = ["io_id", "remark"]

    made.pipe.edit_pipeline(change, target.name)
    made.grant("*")
    yield target
    made.close()


def pair(
    target: Target, document: str, version: int, rows: Iterable[str]
) -> tuple[str, bytes, dict[str, str]]:
    """The rows message of a document "io_id/remark" with rows of these keys."""
    io_id, remark = document.split("/", 1)
    made = [{"id": key, "io_id": int(io_id), "ts": version, "remark": remark, "qty": version} for key in rows]
    _, value, headers = feed.rows_message(int(io_id), version, made, target.name)
    return document, value, {**headers, "jst-document": document}


def test_documents_of_two_fields_have_their_own_versions_and_rows(two_fields):
    target = two_fields
    target.stack.start("--create-tables", "on")
    target.send(
        *(pair(target, f"1/{name}", 2, [f"1{name}-1", f"1{name}-2"]) for name in ("a", "b", "a/b", "it's")),
        pair(target, "2/a", 2, ["2a-1"]),
        pair(target, "3/a", 2, ["3a-1"]),
    )
    target.wait_count(10)
    target.send(
        pair(target, "1/a", 3, ["1a-2", "1a-3"]),
        pair(target, "1/a/b", 3, []),
        pair(target, "1/b", 1, ["1b-9"]),
        pair(target, "2/a", 3, ["2a-2"]),
    )
    target.wait_consumed()
    assert [(row["id"], row["io_id"], row["remark"], row["ts"]) for row in target.rows()] == [
        ("1a-2", 1, "a", 3),
        ("1a-3", 1, "a", 3),
        ("1b-1", 1, "b", 2),
        ("1b-2", 1, "b", 2),
        ("1it's-1", 1, "it's", 2),
        ("1it's-2", 1, "it's", 2),
        ("2a-2", 2, "a", 3),
        ("3a-1", 3, "a", 2),
    ]
    assert target.letters() == [] and target.reasons() == set()
    assert target.metric("jst_loader_pruned_rows_total") == 4


def test_the_rows_of_documents_of_two_fields_are_found_by_their_index(two_fields):
    """Ranges of the index, not all of it: what the loader asks grows with the batch, not with the table."""
    target = two_fields
    target.stack.start("--create-tables", "on", "--batch-rows", "10000")
    for version in (1, 2):
        target.send(
            *(pair(target, f"{number}/a", version, [f"{number}-{version}"]) for number in range(1, 2001))
        )
        target.wait_consumed(30)
    assert {(row["io_id"], row["id"]) for row in target.rows()} == {(n, f"{n}-2") for n in range(1, 2001)}
    some = " OR ".join(f"(io_id={number} AND remark='a')" for number in range(1, 21))
    plan = target.database.query(
        f"EXPLAIN SELECT id FROM `{target.table}` FORCE INDEX (jst_document) WHERE {some}"
    )
    assert [(row["type"], row["key"]) for row in plan] == [("range", "jst_document")]
    assert int(plan[0]["rows"]) < 100
