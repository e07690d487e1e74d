"""Databases, tables, topics and groups that were set back, exchanged or emptied: the table is right without a command.

The oracle is the newest version of every document that was published, row by row.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from confluent_kafka import TopicPartition
from harness.kafka import LOSES_TOPICS, wait_until_missed
from harness.tables import RETRY_LIMIT, Stack, Target
from harness.waiting import wait_until

DOCUMENTS = range(1, 121)
SMALL_BATCHES = ("--batch-rows", "20")
CREATING = ("--create-tables", "on")


@pytest.fixture
def stack(make_stack) -> Iterator[Stack]:
    made = make_stack(2, partitions=3).create_all()
    yield made
    made.close()


@pytest.fixture
def own_stack(make_stack) -> Iterator[Stack]:
    made = make_stack(2, own_server=True, partitions=3).create_all()
    yield made
    made.close()


@pytest.fixture
def chance(seed: int) -> random.Random:
    return random.Random(seed)


def send_wave(target: Target, chance: random.Random, version: int) -> None:
    """Two thirds of the documents at this version, with one to three lines, in any order."""
    numbers = chance.sample(list(DOCUMENTS), len(DOCUMENTS) * 2 // 3)
    target.send(*(target.document(number, version, lines=chance.randint(1, 3)) for number in numbers))


def load(stack: Stack, chance: random.Random, versions: range) -> None:
    """Publish some waves and wait until both tables are right."""
    for version in versions:
        for target in stack.targets:
            send_wave(target, chance, version)
    for target in stack.targets:
        target.wait_equal()
        target.wait_consumed(20)


def check_right(stack: Stack, limit: float = 30) -> None:
    for target in stack.targets:
        target.wait_equal(limit)
        target.wait_consumed(20)
        assert target.letters() == [] and target.reasons() == set()
        check_marks(target)


def check_marks(target: Target) -> None:
    """What jst_offsets says is committed is in the topic: a mark may lag or be missing, it never leads."""
    sql = "SELECT `partition`, next_offset FROM jst_offsets WHERE pipeline = %s AND topic = %s"
    marks = target.database.query(sql, [target.name, target.topic("rows")])
    ends = target.kafka.end_offsets(target.topic("rows"))
    assert marks
    assert [mark for mark in marks if mark["next_offset"] > ends[mark["partition"]]] == []


def commit_in_group(stack: Stack, target: Target, offset: int | None) -> None:
    """What kafka-consumer-groups --reset-offsets does to a group without members. None: to the log's end."""
    topic = target.topic("rows")
    wanted = [
        TopicPartition(topic, number, end if offset is None else min(offset, end))
        for number, end in stack.kafka.end_offsets(topic).items()
    ]
    wait_until("the group to have no members", lambda: stack.kafka.group_members(stack.group) == 0, 20)
    consumer = stack.kafka._consumer(stack.group)
    try:
        consumer.commit(offsets=wanted, asynchronous=False)
    finally:
        consumer.close()


# ---- the database ----


def test_a_dump_of_mid_flow_is_restored(stack, chance):
    stack.start(*SMALL_BATCHES)
    load(stack, chance, range(1, 3))
    for version in range(3, 6):
        send_wave(stack.targets[0], chance, version)
    wait_until("some of it to be written", lambda: any(r["ts"] > 2 for r in stack.targets[0].rows()), 10)
    dump = stack.database.snapshot()
    load(stack, chance, range(6, 9))
    stack.loader.stop()
    stack.database.set_back(dump)
    assert stack.targets[0].differences()
    stack.loader.start()
    check_right(stack)


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_fail_over_to_what_lags_behind(own_stack, chance, busy):
    """The server that comes back lacks the last transactions, while the loader runs."""
    stack = own_stack
    stack.start(*SMALL_BATCHES)
    load(stack, chance, range(1, 3))
    behind = stack.database.snapshot()
    load(stack, chance, range(3, 6))
    if busy:
        for version in range(6, 12):
            send_wave(stack.targets[0], chance, version)
    with stack.database.server.hidden():
        stack.database.set_back(behind)
        assert stack.targets[1].differences()
        if busy:
            send_wave(stack.targets[1], chance, 6)
    check_right(stack, 40)


def test_a_new_database(stack, chance):
    """The group has committed all of it; the database knows nothing."""
    stack.start()
    load(stack, chance, range(1, 4))
    stack.loader.stop()
    database = stack.database
    for table in [next(iter(row.values())) for row in database.query("SHOW TABLES")]:
        database.execute(f"DROP TABLE `{table}`")
    database.execute(f"GRANT ALL ON `{database.name}`.* TO `{database.user}`@`%`")
    stack.start(*CREATING)
    stack.loaders.pop(0)
    check_right(stack)


# ---- the table ----


def test_a_table_that_was_emptied(stack, chance):
    """Its heads are still there."""
    stack.start()
    load(stack, chance, range(1, 4))
    stack.loader.stop()
    stack.database.execute(f"TRUNCATE TABLE `{stack.targets[0].table}`")
    stack.loader.start()
    check_right(stack)


def test_a_table_that_is_emptied_while_rows_flow(stack, chance):
    """What comes at once has rows in it before anybody looks."""
    stack.start()
    load(stack, chance, range(1, 4))
    target = stack.targets[0]
    stack.database.execute(f"TRUNCATE TABLE `{target.table}`")
    target.send(*(target.document(number, 4) for number in range(200, 400)))
    wait_until("some to be written", lambda: target.count() > 0, 10)
    check_right(stack, 40)
    assert "has lost what was written into it" in stack.loader.log()


@pytest.mark.parametrize(
    "how", ["DROP TABLE `{0}`", "RENAME TABLE `{0}` TO `{0}_old`"], ids=["drop", "rename"]
)
@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_a_table_that_went_is_made_and_filled(stack, chance, how, running):
    database = stack.database
    database.execute(f"GRANT ALL ON `{database.name}`.* TO `{database.user}`@`%`")
    stack.start(*CREATING)
    load(stack, chance, range(1, 4))
    target = stack.targets[0]
    if not running:
        stack.loader.stop()
    database.execute(how.format(target.table))
    if running:
        send_wave(target, chance, 4)
    else:
        stack.loader.start()
    check_right(stack)


def test_a_table_that_a_person_makes_again(stack, chance):
    """The pipeline is paused until then."""
    stack.start()
    load(stack, chance, range(1, 4))
    target = stack.targets[0]
    stack.database.execute(f"DROP TABLE `{target.table}`")
    send_wave(target, chance, 4)
    target.wait_paused("schema")
    target.create()
    check_right(stack, RETRY_LIMIT + 10)


# ---- the topic ----


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_a_topic_that_is_made_again(stack, chance, running):
    """With fewer messages than were committed: what is new in it is loaded, what is in the table stays."""
    stack.start()
    load(stack, chance, range(1, 4))
    target = stack.targets[0]
    if not running:
        stack.loader.stop()
    remake_topic(stack, target, running)
    target.send_documents(range(1, 11), 4)
    if not running:
        stack.loader.start()
    check_right(stack, 30)
    stack.loader.wait_ready()
    assert stack.targets[1].reasons() == set()


def remake_topic(stack: Stack, target: Target, running: bool) -> None:
    topic = target.topic("rows")
    config = {"max.message.bytes": "16777216", "message.timestamp.type": "LogAppendTime"}
    stack.kafka.delete_topic(topic)
    wait_until("the topic to be gone", lambda: topic not in stack.kafka.topics(), 20)
    if running and LOSES_TOPICS:
        wait_until_missed(stack.loader, topic)
    stack.kafka.create_topic(topic, 3, config)


# ---- the group's offsets ----


def test_offsets_of_the_group_that_are_gone(stack, chance):
    stack.start()
    load(stack, chance, range(1, 4))
    stack.loader.stop()
    wait_until("the group to have no members", lambda: stack.kafka.group_members(stack.group) == 0, 20)
    stack.kafka.tool(
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        *("--bootstrap-server", stack.kafka.brokers, "--delete", "--group", stack.group),
    )
    assert stack.kafka.committed(stack.group, stack.targets[0].topic("rows")) == {}
    for target in stack.targets:
        send_wave(target, chance, 4)
    stack.loader.start()
    check_right(stack)


def test_offsets_of_the_group_that_are_reset_backwards(stack, chance):
    """Everything again, by Kafka's own tool: also what somebody has changed by hand."""
    stack.start()
    load(stack, chance, range(1, 4))
    stack.loader.stop()
    target = stack.targets[0]
    target.database.execute(f"UPDATE `{target.table}` SET remark = 'by hand' LIMIT 5")
    target.database.execute(f"DELETE FROM `{target.table}` ORDER BY id DESC LIMIT 5")
    commit_in_group(stack, target, 0)
    stack.loader.start()
    check_right(stack)


def test_offsets_of_the_group_that_are_reset_forwards(stack, chance):
    """Nothing is skipped: what the table has decides."""
    stack.start()
    load(stack, chance, range(1, 3))
    stack.loader.stop()
    for target in stack.targets:
        send_wave(target, chance, 3)
        commit_in_group(stack, target, None)
    assert stack.targets[0].differences()
    stack.loader.start()
    check_right(stack)


# ---- all of it, again and again ----


@pytest.mark.evidence
def test_kills_and_restores_at_random(stack, chance):
    """kill -9 of the loader and restores of older dumps while it loads, over and over."""
    stack.start(*SMALL_BATCHES)
    dumps = [stack.database.snapshot()]
    for version in range(1, 25):
        before = stack.targets[0].metric("jst_loader_batches_total")
        for target in stack.targets:
            send_wave(target, chance, version)
        wait_until(
            "a few batches", lambda b=before: stack.targets[0].metric("jst_loader_batches_total") > b, 15
        )
        dumps.append(stack.database.snapshot())
        if version % 3 == 0:
            stack.loader.kill()
            if version % 2 == 0:
                stack.database.set_back(chance.choice(dumps))
            stack.loader.start()
            stack.loader.wait_ready()
    check_right(stack, 60)
