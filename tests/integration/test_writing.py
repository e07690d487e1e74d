"""The forms of main_sql, and what the table then holds, on real servers."""

from __future__ import annotations

from typing import Any

import pytest
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
