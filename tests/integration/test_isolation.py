"""One pipeline's trouble is not the others', one loader's not the group's, and an outage is over when it is over."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.process import Process
from harness.tables import AT_ONCE, SESSION, Stack, Target
from harness.waiting import holds_for, pause, wait_until

TOO_LONG = {"remark": "x" * 41}
HANDED_OVER = 12.0  # seconds after which a dead loader's partitions are in other hands


@pytest.fixture
def stack(make_stack) -> Iterator[Stack]:
    """Six pipelines with plain tables in the shared server; loaders are the test's to start."""
    made = make_stack(6).create_all()
    yield made
    made.close()


@pytest.fixture
def own_stack(make_stack) -> Iterator[Stack]:
    """The same in a server that may be stopped."""
    made = make_stack(6, own_server=True).create_all()
    yield made
    made.close()


@contextmanager
def locked(target: Target) -> Iterator[None]:
    """Somebody holds LOCK TABLES … WRITE on its table."""
    with target.database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLES `{target.table}` WRITE")
        yield
        cursor.execute("UNLOCK TABLES")


def arrived(target: Target, documents: int, limit: float = AT_ONCE) -> None:
    """So many rows are in the table within the limit, which no lock of it can hold up."""
    target.wait_count(documents, limit)


# ---- one pipeline ----


def test_a_locked_table_holds_up_its_pipeline_alone(stack):
    stack.start()
    held, *others = stack.targets
    held.fill(3)
    with locked(held):
        held.send_documents(range(1, 31), 2)
        stack.wait_blocked(held)
        for numbers in (range(1, 11), range(11, 21)):
            for target in others:
                target.send_documents(numbers)
            for target in others:
                arrived(target, numbers[-1])
    held.check_cured(30, 10)
    assert {row["ts"] for row in held.rows()} == {2}


@pytest.mark.evidence
def test_a_table_that_stays_locked_is_told(stack):
    """From the third failure on, which takes three times lock_wait_timeout; the others go on all the while."""
    stack.start()
    held, *others = stack.targets
    held.fill(3)
    with locked(held):
        held.send_documents(range(1, 31), 2)
        told = iter(range(1, 1000))

        def paused() -> bool:
            stack.check_neighbour(others[0], next(told))
            return "database" in held.reasons()

        wait_until("the lock to be told", paused, 100, every=1, alive=[stack.loader])
        assert held.metric("jst_loader_retries_total", **{"class": "lock"}) >= 3
        status, body = stack.loader.get("/readyz")
        assert status == 503 and held.name in body
        assert others[0].name not in body
    held.check_cured(30, 30)


def test_a_missing_dead_topic_holds_up_its_pipeline_alone(stack):
    stack.start()
    without, *others = stack.targets
    without.fill(3)
    stack.kafka.delete_topic(without.topic("dead"))
    without.send(without.document(1, 2), without.document(2, 2, **TOO_LONG))
    others[0].send_documents(range(1, 61))
    arrived(others[0], 60)
    wait_until(
        "readiness to name it",
        lambda: without.readiness() or without.topic("dead") in stack.loader.get("/readyz")[1],
        60,
        alive=[stack.loader],
    )
    assert stack.loader.get("/readyz")[0] == 503
    others[1].send_documents(range(1, 61))
    arrived(others[1], 60)
    assert stack.kafka.lag(stack.group, without.topic("rows")) > 0
    stack.kafka.create_topic(without.topic("dead"), 1, {"max.message.bytes": "17825792"})
    without.wait_consumed(60)
    assert len(without.letters()) == 1
    assert without.ids() == ["1-1", "3-1"]
    stack.loader.wait_ready()


# ---- the server ----


def test_a_server_that_dies_while_nothing_is_to_be_written(own_stack):
    stack = own_stack
    stack.start()
    target = stack.targets[0]
    target.fill(3)
    stack.database.server.kill()
    wait_until(
        "readiness and metric to say so",
        lambda: (
            stack.loader.get("/readyz")[0] == 503
            and stack.loader.metrics().sum("jst_up_dependency", name="mysql") == 0
        ),
        20,
        alive=[stack.loader],
    )
    assert "mysql" in stack.loader.get("/readyz")[1]
    stack.database.server.start()
    stack.loader.wait_ready(20)
    target.send_documents([4])
    target.wait_count(4)


def check_outage(stack: Stack, seconds: float) -> None:
    """The server is away with a backlog: nobody leaves the group, memory stays, and work goes on at once."""
    limit = ("--kafka", f"max.poll.interval.ms={int(max(6.0, seconds / 2)) * 1000}")
    stack.start(*limit)
    for target in stack.targets:
        target.send_documents(range(1, 201))
    for target in stack.targets:
        target.wait_count(200, 20)
    stack.database.server.kill()
    for target in stack.targets:
        for version in (2, 3, 4):
            target.send_documents(range(1, 1001), version)
    wait_until(
        "the loader to notice", lambda: stack.loader.get("/readyz")[0] == 503, 20, alive=[stack.loader]
    )
    before = stack.loader.memory_kib()["VmRSS"]
    member = member_ids(stack)
    pause(seconds, "an outage that lasts longer than a poll may take")
    assert stack.loader.get("/healthz")[0] == 200
    assert "mysql" in stack.loader.get("/readyz")[1]
    assert stack.loader.memory_kib()["VmRSS"] < before + 4096
    stack.database.server.start()
    wait_until(
        "the first of the backlog to be written",
        lambda: any(
            t.database.value(f"SELECT COUNT(*) FROM `{t.table}` WHERE ts > 1") for t in stack.targets
        ),
        AT_ONCE,
        alive=[stack.loader],
    )
    for target in stack.targets:
        target.wait_consumed(60)
        assert {(row["ts"], row["remark"]) for row in target.rows()} == {(4, "v4")}
        assert target.count() == 1000 and target.letters() == []
    assert member_ids(stack) == member
    assert len(member) == 1


def member_ids(stack: Stack) -> set[str]:
    """Of the loaders' group: a member that had to join again has another one."""
    found = stack.kafka.admin.list_groups(stack.group, timeout=20)
    return {member.id for member in found[0].members} if found else set()


def test_a_server_that_is_away_for_a_while(own_stack):
    check_outage(own_stack, 8)


@pytest.mark.evidence
def test_a_server_that_is_away_for_long(own_stack):
    check_outage(own_stack, 90)


# ---- one loader of several ----


def start_loaders(stack: Stack, count: int, session: Sequence[str]) -> None:
    for _ in range(count):
        stack.start(session=session)
    members = lambda: stack.kafka.group_members(stack.group) == count  # noqa: E731
    wait_until(f"{count} members", members, 20, alive=stack.loaders)
    for loader in stack.loaders:
        loader.wait_ready()


def test_a_loader_that_is_killed_is_replaced(stack):
    """With the session timeout that the programs choose themselves."""
    start_loaders(stack, 3, ())
    for target in stack.targets:
        target.fill(3)
    stack.loaders[1].kill()
    for target in stack.targets:
        target.send_documents(range(4, 14))
    for target in stack.targets:
        wait_until(
            f"{target.name} to be loaded by somebody else",
            lambda t=target: t.count() == 13,
            HANDED_OVER,
            alive=[stack.loaders[0], stack.loaders[2]],
        )


def check_frozen_loader(stack: Stack, frozen_for: float) -> None:
    """A loader stops in the middle of a transaction. What it has begun is done by another, and not undone by itself
    when it comes back."""
    start_loaders(stack, 2, SESSION)
    for target in stack.targets:
        target.fill(3)
    held = stack.targets[0]
    with held.database.connect(autocommit=False) as other, other.cursor() as cursor:
        cursor.execute(f"SELECT * FROM `{held.table}` WHERE id = '2-1' FOR UPDATE")
        held.send_documents(range(1, 11), 2)
        stack.wait_blocked(held)
        frozen = holder_of(stack, held)
        frozen.signal(signal.SIGSTOP)
        other.rollback()
    try:
        for target in stack.targets[1:]:
            target.send_documents(range(1, 11), 2)
        for target in stack.targets[1:]:
            wait_until(f"{target.name} to be loaded", lambda t=target: t.count() == 10, HANDED_OVER)
        pause(frozen_for, "the frozen loader's locks are for the server to free")
        held.send_documents(range(1, 11), 3)
    finally:
        frozen.signal(signal.SIGCONT)
    wait_until("the newest version", lambda: {(r["ts"], r["remark"]) for r in held.rows()} == {(3, "v3")}, 40)
    for target in stack.targets:
        target.wait_consumed(20)
        assert target.count() == 10 and target.letters() == []
    holds_for("it to stay so", lambda: {row["ts"] for row in held.rows()} == {3}, 1)


def holder_of(stack: Stack, target: Target) -> Process:
    """The loader whose batch of this target waits in the database now."""
    sql = (
        "SELECT host FROM information_schema.processlist"
        " WHERE user = %s AND command <> 'Sleep' AND time > 0 AND info LIKE %s"
    )
    like = [stack.database.user, f"%{target.table}%"]
    (row,) = wait_until("one statement to wait", lambda: stack.database.query(sql, like), 5)
    port = int(row["host"].rsplit(":", 1)[1])
    return next(loader for loader in stack.loaders if port in local_ports(loader.pid))


def local_ports(pid: int) -> set[int]:
    """Of this process's TCP sockets."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        target = str(link.readlink())
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    ports = set()
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[9] in inodes:
            ports.add(int(words[1].rsplit(":", 1)[1], 16))
    return ports


def test_a_loader_that_stands_still_in_mid_batch(stack):
    check_frozen_loader(stack, 0.5)


@pytest.mark.evidence
def test_a_loader_that_stands_still_for_a_minute(stack):
    check_frozen_loader(stack, 70)
