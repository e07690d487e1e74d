"""Tables that cannot hold what is loaded: thirty rows published are thirty in the table, or a pause that says why.

Never twenty and exit code 0. What the statements that mend them say is the matter of other tests; here all faulty
tables stand in one database before one loader starts.
"""

from __future__ import annotations

import pytest
from harness.tables import COLUMNS, Stack, Target
from harness.waiting import wait_until

ROWS = 30
# What loses nothing and may be written or refused, and what has to be refused when the loader starts.
LATIN = "remark VARCHAR(40) CHARACTER SET latin1"
IGNORING_CASE = "id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY"
PADDED = "id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY"


def _plain(target: Target) -> None:
    target.create()


def _ignoring_case(target: Target) -> None:
    target.create(id=IGNORING_CASE)


def _padded(target: Target) -> None:
    target.create(id=PADDED)


def _second_unique_index(target: Target) -> None:
    target.create(columns=[*COLUMNS, "UNIQUE KEY other (remark)"])


def _key_too_wide(target: Target) -> None:
    """Two columns are the table's key, one is the pipeline's."""
    exact = COLUMNS[0].replace(" PRIMARY KEY", "")
    target.create(columns=[exact, *COLUMNS[1:], "PRIMARY KEY (id, ts)"])


def _view(target: Target) -> None:
    target.create()
    target.database.execute(f"RENAME TABLE `{target.table}` TO `{target.table}_base`")
    target.database.execute(f"CREATE VIEW `{target.table}` AS SELECT * FROM `{target.table}_base`")


def _missing_column(target: Target) -> None:
    target.create(columns=[line for line in COLUMNS if not line.startswith("qty")])


def _myisam(target: Target) -> None:
    target.create(options="ENGINE=MyISAM")


def _latin1(target: Target) -> None:
    target.create(remark=LATIN)


def _missing(target: Target) -> None:
    """No table at all, and nobody creates it."""


KINDS = {
    make.__name__[1:]: make
    for make in (
        _plain,
        _ignoring_case,
        _padded,
        _second_unique_index,
        _key_too_wide,
        _view,
        _missing_column,
        _myisam,
        _latin1,
        _missing,
    )
}
# They have to be refused, whatever the rows are: nothing can be written, or not safely, or not exactly.
REFUSED = {"ignoring_case", "key_too_wide", "view", "missing_column", "myisam", "latin1", "missing"}
CURES = {
    "missing_column": "ADD qty DECIMAL(12,3)",
    "myisam": "ENGINE=InnoDB",
    "key_too_wide": "DROP PRIMARY KEY, ADD PRIMARY KEY (id)",
    "latin1": "MODIFY remark VARCHAR(40) CHARACTER SET utf8mb4",
}
LINES = {  # the three rows of each document: what the faulty table takes for one, where that can be
    "ignoring_case": lambda n: [{"id": f"{n}-a"}, {"id": f"{n}-A"}, {"id": f"{n}-b"}],
    "padded": lambda n: [{"id": f"{n}-a"}, {"id": f"{n}-a "}, {"id": f"{n}-b"}],
    "second_unique_index": lambda n: [{"remark": f"{n // 2}-{line}"} for line in range(3)],
    "latin1": lambda _: [{"remark": "仓"}, {"remark": "😀"}, {}],
}


def three_lines(kind: str, number: int) -> list[dict[str, object]]:
    return LINES[kind](number) if kind in LINES else [{}, {}, {}]


@pytest.fixture(scope="module")
def stack(make_stack) -> Stack:
    made = make_stack(len(KINDS))
    for kind in KINDS:
        target = made.take()
        KINDS[kind](target)
        target.send(*(target.document_of(n, 1, three_lines(kind, n)) for n in range(1, ROWS // 3 + 1)))
    made.start(ready=False)
    return made


@pytest.fixture
def target(stack: Stack, kind: str) -> Target:
    return stack.targets[list(KINDS).index(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_all_rows_or_a_pause(stack, target, kind):
    def decided() -> bool:
        done = target.kafka.lag(stack.group, target.topic("rows")) == 0
        return bool(target.reasons()) or done

    wait_until(f"{kind} to be loaded or refused", decided, 20, alive=[stack.loader])
    assert target.letters() == []
    if not target.reasons():
        assert kind not in REFUSED
        assert target.count() == ROWS
        return
    assert kind != "plain"
    assert target.reasons() == {"schema"}
    assert target.table in target.readiness()
    assert target.kafka.lag(stack.group, target.topic("rows")) > 0
    assert target.count() == 0
    if kind in CURES:  # a mended table fills itself, without a restart
        target.alter(CURES[kind])
        target.check_cured(ROWS)


@pytest.mark.parametrize("kind", ["latin1", "ignoring_case", "myisam", "key_too_wide"])
def test_it_is_found_without_rows(make_stack, kind):
    """The tables are looked at when the loader starts, not when the first batch is there."""
    stack = make_stack(1)
    target = stack.take()
    KINDS[kind](target)
    stack.start(ready=False)
    why = target.wait_paused("schema")
    assert "ALTER TABLE" in why, why
    stack.close()


def test_once_says_so(make_stack):
    """A bounded run over a good and a bad table: 111, and the good one is loaded."""
    stack = make_stack(2)
    good, bad = stack.take(), stack.take()
    _plain(good)
    _ignoring_case(bad)
    for target, kind in ((good, "plain"), (bad, "ignoring_case")):
        target.send(*(target.document_of(n, 1, three_lines(kind, n)) for n in range(1, ROWS // 3 + 1)))
    loader = stack.pipe.once("loader", "--create-tables", "off", expect=111)
    assert good.count() == ROWS
    assert bad.count() == 0
    assert bad.table in loader.log() or bad.name in loader.log()
