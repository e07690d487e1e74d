"""What each error of MySQL leads to, provoked on a real server: rows, tables, rights, locks, servers.

One loader over many small pipelines; each test takes a pipeline of its own and leaves the server as it was. A
neighbour pipeline has to go on meanwhile, unless the fault is the whole server's.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pymysql
import pytest
from harness.tables import AT_ONCE, RETRY_LIMIT, Stack, Target
from harness.waiting import wait_until

PIPELINES = 50
SMALL_DISK = "32m"
UNKNOWN = (1105, 29999)  # in no table, or used for everything


@pytest.fixture(scope="module")
def disk(session_dir: Path, database_kind: str) -> Iterator[Path]:
    """A directory on a file system of a few MiB. Without the right to mount the tests fail: they are not skipped."""
    where = session_dir / f"disk-{database_kind}-{PIPELINES}"
    where.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK},mode=0777", "jstpipe-test", str(where)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    assert (
        done.returncode == 0
    ), f"a full disk needs a small tmpfs, and this user may not mount one: {done.stderr}"
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


@pytest.fixture(scope="module")
def stack(make_stack, disk: Path, database_kind: str) -> Stack:
    options = [f"--innodb-directories={disk}"] if database_kind == "mysql" else []
    made = make_stack(PIPELINES, own_server=True, options=options).create_all()
    made.start()
    return made


@pytest.fixture
def target(stack: Stack) -> Target:
    """A pipeline that nobody has used, with a plain table, of a loader that reaches the server."""
    up = lambda: stack.loader.metrics().sum("jst_up_dependency", name="mysql") == 1  # noqa: E731
    wait_until("the loader to reach the server", up, 20, alive=[stack.loader])
    return stack.take()


_neighbour_documents = iter(range(1, 10000))


@pytest.fixture
def neighbour(stack: Stack):
    """neighbour() publishes a document of another pipeline, which has to be in its table at once."""
    return lambda: stack.check_neighbour(stack.targets[-1], next(_neighbour_documents))


@contextmanager
def session(target: Target) -> Iterator[pymysql.cursors.Cursor]:
    """A transaction of somebody else, rolled back at the end."""
    with target.database.connect(autocommit=False) as connection, connection.cursor() as cursor:
        yield cursor
        with suppress(pymysql.Error):
            connection.rollback()


# ---- rows ----

ROW_FAULTS = {
    "too long": ({"remark": "x" * 41}, {"1406"}),
    "out of range": ({"qty": 1e12}, {"1264"}),
    "no date": ({"modified": "2026-02-30 00:00:00"}, {"1292"}),
    "zero date": ({"modified": "0000-00-00 00:00:00"}, {"1292"}),
    "no number": ({"qty": "many"}, {"1366", "1265"}),
    "null": ({"ts": None}, {"1048"}),
}


def check_bad_row(target: Target, bad: dict[str, object], codes: set[str]) -> None:
    """Bad rows of three kinds of documents: with good ones, among good documents, alone."""
    target.fill(3)
    target.send(target.document_of(1, 2, [{}, bad, {}]), target.document(2, 2))
    target.wait_consumed()
    assert target.ids() == ["1-1", "1-3", "2-1", "3-1"]  # nothing of version 1 is left of document 1
    target.send(target.document(3, 2, **bad))
    target.wait_consumed()
    assert target.ids() == ["1-1", "1-3", "2-1"]  # the older self of a bad row goes
    assert target.reasons() == set()
    letters = [dict(letter.headers) for letter in target.letters()]
    assert [h["jst-error-row"] for h in letters] == ["2/3", "1/1"]
    for headers in letters:
        assert headers["jst-error-class"] == "data"
        assert headers["jst-error-code"] in codes, headers
        assert headers["jst-error-text"]
    assert target.metric("jst_dead_letters_total", stage="loader", **{"class": "data"}) == 2


@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_a_bad_value_is_a_dead_letter(target, neighbour, fault):
    bad, codes = ROW_FAULTS[fault]
    check_bad_row(target, bad, codes)
    neighbour()


def test_a_check_constraint_rejects_the_row(target):
    target.alter("ADD CONSTRAINT few CHECK (qty < 100)")
    check_bad_row(target, {"qty": 100}, {"3819", "4025"})


def test_a_trigger_that_signals_rejects_the_row(target):
    with trigger(target, 1644, "NEW.remark = 'bad'"):
        check_bad_row(target, {"remark": "bad"}, {"1644"})


@contextmanager
def trigger(target: Target, errno: int, condition: str = "TRUE") -> Iterator[None]:
    """Meanwhile each new row for which the condition holds fails with this number."""
    target.database.execute(
        f"CREATE TRIGGER `{target.table}_fault` BEFORE INSERT ON `{target.table}` FOR EACH ROW"
        f" IF {condition} THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {errno}, MESSAGE_TEXT = 'no'; END IF"
    )
    try:
        yield
    finally:
        target.database.execute(f"DROP TRIGGER `{target.table}_fault`")


def test_a_row_beyond_the_packet_does_not_stop_the_others(stack, target):
    """It is a dead letter, or written by a statement that needs no such packet; and the rest is written."""
    target.alter("MODIFY remark LONGTEXT CHARACTER SET utf8mb4")
    target.fill(3)
    with packet(stack, 1 << 20):
        large = "x" * (2 << 20)
        target.send(target.document(1, 2), target.document(2, 2, remark=large), target.document(3, 2))
        target.wait_consumed(20)
    by_id = {row["id"]: row["remark"] for row in target.rows()}
    letters = target.letters()
    assert by_id.pop("2-1", None) == (None if letters else large)
    assert by_id == {"1-1": "v2", "3-1": "v2"}
    assert len(letters) <= 1
    for letter in letters:
        assert letter.headers["jst-error-class"] in ("data", "too-large")


@contextmanager
def packet(stack: Stack, size: int) -> Iterator[None]:
    """New connections take packets of at most so many bytes; the loader gets new ones, now and at the end."""
    before = stack.database.value("SELECT @@GLOBAL.max_allowed_packet")
    stack.database.execute(f"SET GLOBAL max_allowed_packet = {size}")
    stack.kill_sessions()
    yield
    stack.database.execute(f"SET GLOBAL max_allowed_packet = {before}")
    stack.kill_sessions()


# ---- the table is at fault: a pause, and nothing is lost ----


def check_table_fault(target: Target, *messages, exactly: bool = True) -> str:
    """These messages pause the pipeline and change nothing. Returns what readiness says."""
    before = target.rows()
    assert before
    target.send(*messages)
    why = target.wait_paused("schema")
    target.check_untouched(before, exactly)
    return why


@pytest.mark.parametrize("at_once", [True, False], ids=["together", "one-by-one"])
def test_a_not_null_column_that_was_added(target, neighbour, at_once):
    target.fill(3)
    target.alter("ADD more INT NOT NULL")
    messages = [target.document(number, 2) for number in range(1, 21)]
    check_table_fault(target, *(messages if at_once else messages[:1]))
    neighbour()
    if not at_once:
        for message in messages[1:]:
            target.send(message)
    assert target.letters() == []
    target.alter("DROP more")
    target.check_cured(20)
    assert {row["ts"] for row in target.rows()} == {2}


def test_a_missing_partition(target, neighbour):
    target.fill(3)
    target.alter("PARTITION BY RANGE COLUMNS (id) (PARTITION p VALUES LESS THAN ('5'))")
    why = check_table_fault(target, target.document(1, 2), target.document(7), exactly=False)
    neighbour()
    assert "1526" in why or "partition" in why.lower()
    target.alter("ADD PARTITION (PARTITION rest VALUES LESS THAN (MAXVALUE))")
    target.check_cured(4)


def test_a_missing_column(target, neighbour):
    target.fill(3)
    rename = "CHANGE {} {} VARCHAR(40) CHARACTER SET utf8mb4"
    target.alter(rename.format("remark", "note"))
    why = check_table_fault(target, target.document(1, 2), target.document(4))
    neighbour()
    assert "remark" in why
    target.alter(rename.format("note", "remark"))
    target.check_cured(4)
    assert target.rows()[0]["remark"] == "v2"


def test_a_missing_table(target, neighbour):
    target.fill(3)
    before = target.rows()
    target.database.execute(f"RENAME TABLE `{target.table}` TO `{target.table}_away`")
    target.send_documents(range(1, 5), 2)
    why = target.wait_paused("schema")
    assert target.table in why and target.letters() == []
    neighbour()
    target.database.execute(f"RENAME TABLE `{target.table}_away` TO `{target.table}`")
    assert target.rows()[: len(before)] == before or target.count() == 4
    target.check_cured(4)
    assert {row["ts"] for row in target.rows()} == {2}


def test_a_missing_right(stack, target, neighbour):
    target.fill(3)
    user = f"`{stack.database.user}`@`%`"
    table = f"`{stack.database.name}`.`{target.table}`"
    target.database.execute(f"REVOKE INSERT ON {table} FROM {user}")
    why = check_table_fault(target, target.document(1, 2), target.document(4))
    neighbour()
    assert "1142" in why or "denied" in why
    stack.grant(target.table)
    target.check_cured(4)


def test_every_row_signals(target, neighbour):
    """Neither a neighbour nor a row that the table holds passes: the fault is not in the rows."""
    target.fill(3)
    with trigger(target, 1644):
        check_table_fault(target, *(target.document(n, 2) for n in range(1, 11)))
        neighbour()
    target.check_cured(10)


@pytest.mark.parametrize("errno", [1364, 1526, 1665, 1016, 1194, 1812, 1932])
def test_a_number_of_the_table_is_never_the_rows(target, errno):
    """Even where only one row meets it."""
    target.fill(3)
    with trigger(target, errno, "NEW.remark = 'bad'"):
        check_table_fault(target, target.document(1, 2), target.document(4, remark="bad"), exactly=False)
    target.check_cured(4)


@pytest.mark.parametrize("errno", [1026, 1114, 1836])
def test_a_number_of_the_server_repeats_the_batch(target, neighbour, errno):
    target.fill(3)
    before = target.rows()
    with trigger(target, errno):
        target.send_documents(range(1, 5), 2)
        target.wait_paused("database")
        target.check_untouched(before)
        neighbour()
    target.check_cured(4)


@pytest.mark.evidence
def test_an_unknown_number_is_repeated_and_then_judged(stack, target, neighbour):
    """For a minute, and then by whether other rows pass: here none does. Several tables at the same time."""
    faulty = [target, *(stack.take() for _ in UNKNOWN[1:])]
    with ExitStack() as triggers:
        for one, errno in zip(faulty, UNKNOWN):
            one.fill(3)
            triggers.enter_context(trigger(one, errno))
            one.send(one.document(1, 2), one.document(4))
        for one in faulty:
            repeated = lambda t=one: t.metric("jst_loader_retries_total", **{"class": "unknown"})  # noqa: E731
            wait_until(f"{one.name} to be repeated", repeated, 10)
        neighbour()
        for one in faulty:
            one.wait_paused("schema", limit=100)
            one.check_untouched(one.rows())
            assert {row["ts"] for row in one.rows()} == {1}
    for one in faulty:
        one.check_cured(4)


# ---- bad rows or a bad table: proof by a neighbour, else by a witness ----

TOO_LONG = {"remark": "x" * 41}


def test_a_neighbour_in_the_document_is_proof(target):
    """Also in an empty table."""
    target.send(target.document_of(1, 1, [{}, TOO_LONG, {}]))
    target.wait_consumed()
    assert target.ids() == ["1-1", "1-3"] and len(target.letters()) == 1


def test_a_witness_is_proof(target):
    """A bad document alone, by night: a row that the table holds is written back, and nothing of it remains."""
    target.fill(3)
    before = target.rows()
    target.send(target.document(9, 1, **TOO_LONG))
    target.wait_consumed()
    assert target.rows() == before and len(target.letters()) == 1 and target.reasons() == set()


def test_without_a_witness_it_pauses(target, neighbour):
    target.send(target.document(1, 1, **TOO_LONG))
    target.wait_paused("schema")
    target.check_untouched([])
    neighbour()
    target.alter("MODIFY remark VARCHAR(50) CHARACTER SET utf8mb4")
    target.check_cured(1)


@pytest.mark.parametrize("at_once", [True, False], ids=["together", "one-by-one"])
def test_twenty_bad_documents_in_a_row_are_a_flood(target, neighbour, at_once):
    target.fill(3)
    bad = [target.document(number, 1, **TOO_LONG) for number in range(11, 41)]
    if at_once:
        target.send(*bad)
    else:
        for message in bad:
            target.send(message)
    why = target.wait_paused("flood")
    letters = target.letters()
    assert len(letters) < 20
    first = int(re.search(r"document (\d+)", why).group(1))  # of the batch that paused
    assert 11 <= first <= 11 + 20, why
    assert "remark" in why and ("1406" in why or "long" in why), why
    neighbour()
    target.alter("MODIFY remark VARCHAR(50) CHARACTER SET utf8mb4")
    # letters of a batch that was under way beside the one that paused may come a moment later
    wait_until("the rest to be written", lambda: target.count() == 33 - len(target.letters()), RETRY_LIMIT)
    assert len(target.letters()) < 20


# ---- locks ----


def test_a_deadlock_repeats_the_batch(stack, target):
    """The other transaction has changed more, so the loader's is the one that is rolled back."""
    target.fill(3)
    weight = f"{target.table}_weight"
    target.database.execute(f"CREATE TABLE `{weight}` (n INT)")
    target.database.execute(f"INSERT INTO `{weight}` VALUES {','.join(['(1)'] * 1000)}")
    with session(target) as other:
        other.execute(f"UPDATE `{weight}` SET n = 2")
        other.execute(f"SELECT * FROM `{target.table}` WHERE id = '2-1' FOR UPDATE")
        target.send_documents(range(1, 4), 2)
        stack.wait_blocked(target)
        other.execute("SELECT * FROM jst_heads WHERE pipeline = %s FOR UPDATE", [target.name])
    target.wait_consumed()
    assert {row["ts"] for row in target.rows()} == {2}
    assert target.metric("jst_loader_retries_total", **{"class": "lock"}) >= 1
    assert target.letters() == [] and target.reasons() == set()


def test_a_lock_timeout_repeats_the_batch(target, neighbour):
    """Said by a trigger, since a real one takes 20 s."""
    target.fill(3)
    with trigger(target, 1205):
        target.send_documents(range(1, 5), 2)
        wait_until(
            "three failures", lambda: target.metric("jst_loader_retries_total", **{"class": "lock"}) >= 3, 15
        )
        target.wait_paused("database")
        neighbour()
    target.check_cured(4, 15)


@pytest.mark.evidence
def test_a_row_lock_of_somebody_else(stack, target, neighbour):
    """For longer than innodb_lock_wait_timeout."""
    target.fill(3)
    with session(target) as other:
        other.execute(f"SELECT * FROM `{target.table}` FOR UPDATE")
        target.send_documents(range(1, 5), 2)
        stack.wait_blocked(target)
        neighbour()
        wait_until(
            "a lock failure", lambda: target.metric("jst_loader_retries_total", **{"class": "lock"}) >= 1, 30
        )
        neighbour()
    target.check_cured(4, 30)


def test_an_alter_table_that_waits(stack, target, neighbour):
    """A reader holds up an ALTER TABLE, which holds up the loader: the others go on, and all is written after it."""
    target.fill(3)
    with session(target) as reader, target.database.connect() as altering:
        reader.execute(f"SELECT * FROM `{target.table}`")
        number = altering.thread_id()
        altering._execute_command(3, f"ALTER TABLE `{target.table}` ADD more INT")  # COM_QUERY, unanswered
        wait_until(
            "the ALTER TABLE to wait",
            lambda: target.database.value(
                f"SELECT COUNT(*) FROM information_schema.processlist WHERE id = {number} AND state LIKE '%%lock%%'"
            ),
            5,
        )
        target.send_documents(range(1, 5), 2)
        stack.wait_blocked(target)
        neighbour()
        reader.execute("ROLLBACK")
        altering._read_query_result()
    target.check_cured(4, 10)
    assert {row["ts"] for row in target.rows()} == {2}


# ---- connections and servers ----


def test_a_connection_that_is_killed(stack, target):
    """In the middle of a transaction: the whole batch again, on a new one."""
    target.fill(3)
    with session(target) as other:
        other.execute(f"SELECT * FROM `{target.table}` WHERE id = '2-1' FOR UPDATE")
        target.send_documents(range(1, 5), 2)
        stack.wait_blocked(target)
        assert stack.kill_sessions() >= 1
    target.check_cured(4, 15)
    assert {row["ts"] for row in target.rows()} == {2}
    assert target.metric("jst_loader_retries_total", **{"class": "connection"}) >= 1


def test_idle_connections_that_are_killed(stack, target):
    target.fill(3)
    assert stack.kill_sessions() >= 1
    target.send_documents(range(1, 5), 2)
    target.check_cured(4, AT_ONCE)


def check_server_fault(stack: Stack, target: Target) -> None:
    """With documents on their way: paused because of the database, and nothing is lost."""
    wait_until("the loader not to be ready", lambda: stack.loader.get("/readyz")[0] == 503, 20)
    target.wait_paused("database")
    assert target.letters() == []


def test_a_server_that_is_shut_down(stack, target):
    target.fill(3)
    with session(target) as other:
        other.execute(f"SELECT * FROM `{target.table}` WHERE id = '2-1' FOR UPDATE")
        target.send_documents(range(1, 5), 2)
        stack.wait_blocked(target)
        stack.database.server.stop()
    check_server_fault(stack, target)
    stack.database.server.start()
    target.check_cured(4, AT_ONCE)
    assert {row["ts"] for row in target.rows()} == {2}


def test_a_server_that_became_read_only(stack, target):
    target.fill(3)
    stack.database.execute("SET GLOBAL read_only = 1")
    try:
        target.send_documents(range(1, 5), 2)
        check_server_fault(stack, target)
    finally:
        stack.database.execute("SET GLOBAL read_only = 0")
    target.check_cured(4, 15)
    assert target.metric("jst_loader_retries_total", **{"class": "readonly"}) >= 1


def test_too_many_connections(stack, target):
    target.fill(3)
    before = stack.database.value("SELECT @@GLOBAL.max_connections")
    with stack.database.connect() as root, root.cursor() as cursor:
        others = [stack.database.connect() for _ in range(12)]
        try:
            cursor.execute("SET GLOBAL max_connections = 10")
            sessions = stack_sessions(stack, cursor)
            for number in sessions:
                cursor.execute(f"KILL {number}")
            target.send_documents(range(1, 5), 2)
            check_server_fault(stack, target)
            wait_until("it to say why", lambda: "1040" in stack.loader.get("/readyz")[1], 10)
        finally:
            cursor.execute(f"SET GLOBAL max_connections = {before}")
            for other in others:
                other.close()
    target.check_cured(4, 15)


def stack_sessions(stack: Stack, cursor: pymysql.cursors.Cursor) -> list[int]:
    cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", [stack.database.user])
    return [row["id"] for row in cursor.fetchall()]


def check_account_fault(
    stack: Stack, target: Target, break_it: str, mend_it: list[str], words: list[str]
) -> None:
    """The account does not get in: everything waits, and says why; then goes on."""
    target.fill(3)
    before = target.rows()
    stack.database.execute(break_it)
    try:
        stack.kill_sessions()
        target.send_documents(range(1, 5), 2)
        wait_until(
            "the loader to say so",
            lambda: any(word in stack.loader.get("/readyz")[1] for word in words),
            20,
            alive=[stack.loader],
        )
        assert stack.loader.get("/readyz")[0] == 503
        wait_until("the metric", lambda: target.metric("jst_loader_paused") >= 1, 20, alive=[stack.loader])
        target.check_untouched(before)
    finally:
        for statement in mend_it:
            stack.database.execute(statement)
    target.check_cured(4)


def set_password(stack: Stack, password: str) -> str:
    quoted = password.replace("\\", "\\\\").replace("'", "''")
    return f"ALTER USER `{stack.database.user}`@`%` IDENTIFIED BY '{quoted}'"


def test_a_wrong_password(stack, target):
    right = set_password(stack, stack.database.password)
    check_account_fault(stack, target, set_password(stack, "another"), [right], ["1045", "Access denied"])


def test_an_expired_password(stack, target):
    expire = f"ALTER USER `{stack.database.user}`@`%` PASSWORD EXPIRE"
    right = set_password(stack, stack.database.password)
    check_account_fault(stack, target, expire, [right], ["1820", "1862", "expired"])


# ---- the disk ----


def test_a_full_disk(stack, target, disk, database_kind):
    """Of one table: that pipeline waits, and its rows are there when somebody has made room.

    MariaDB 10.11 may not survive it: it ends itself when it cannot roll back for want of room.
    """
    server = stack.database.server
    target.database.execute(f"DROP TABLE `{target.table}`")
    target.create(options=f"ENGINE=InnoDB DATA DIRECTORY='{disk}'", remark="remark VARCHAR(4000)")
    others = disk / "others"
    others.write_bytes(b"x" * free_bytes(disk, keep=256 << 10))
    target.send(*(target.document(number, lines=10, remark="y" * 3000) for number in range(1, 61)))
    target.wait_paused("database", limit=20)
    assert target.letters() == []
    if database_kind == "mysql":
        assert target.metric("jst_loader_retries_total", **{"class": "capacity"}) >= 1
        stack.check_neighbour(stack.targets[-1], next(_neighbour_documents))
    others.unlink()
    wait_until(
        "the server to go on or to end", lambda: not server.process.running or target.count() == 600, 30
    )
    if not server.process.running:
        assert database_kind == "mariadb"
        server.start()
    target.check_cured(600, 20)


def free_bytes(disk: Path, keep: int) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize - keep
