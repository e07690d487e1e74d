"""Topics that are deleted, and made again, under running programs."""

from __future__ import annotations

import pytest
from harness import feed
from harness.kafka import LOSES_TOPICS, wait_until_missed
from harness.waiting import wait_until

ROLES = {"transformer": "raw", "loader": "rows"}


def _publish(pipe, program: str, version: int, count: int) -> None:
    """So many documents in a version, one a message."""
    if program == "transformer":
        feed.raw(pipe, [feed.document(n, version, [{"ioi_id": 1}]) for n in range(1, count + 1)], page_size=1)
        return
    messages = [feed.rows_message(n, version, [feed.row(n, 1, version)]) for n in range(1, count + 1)]
    pipe.kafka.produce_many(pipe.topic("rows"), messages)


def _start(kafka, database, make_pipe, program: str):
    """A program that has read 20 messages."""
    pipe = make_pipe(kafka, database)
    pipe.write_topics(partitions={"raw": 1, "rows": 1})
    pipe.create_topics()
    _publish(pipe, program, 1, 20)
    running = pipe.start(program)
    pipe.kafka.wait_consumed(pipe.group(program), pipe.topic(ROLES[program]), alive=[running])
    return pipe, running


def _make_again(pipe, program: str) -> None:
    role = ROLES[program]
    for line in pipe.topics_file.read_text().splitlines():
        if line.startswith(role + " "):
            settings = dict(s.split("=", 1) for s in line.split()[3:])
            pipe.kafka.create_topic(pipe.topic(role), 1, settings)


def _documents(program: str, running) -> float:
    return running.metrics().sum(f"jst_{program}_documents_total")


@pytest.mark.parametrize("program", ["transformer", "loader"])
def test_a_topic_that_is_deleted_is_a_reason_until_it_is_made_again(kafka, database, make_pipe, program):
    pipe, running = _start(kafka, database, make_pipe, program)
    topic = pipe.topic(ROLES[program])
    kafka.delete_topic(topic)
    wait_until_missed(running, topic)
    _make_again(pipe, program)
    _publish(pipe, program, 2, 10)
    kafka.wait_consumed(pipe.group(program), topic, alive=[running])
    running.wait_ready()
    assert _documents(program, running) == 30
    assert "made again" in running.log() and "lost" not in running.log()


@pytest.mark.parametrize("count", [5, 20, 30])
@pytest.mark.parametrize("program", ["transformer", "loader"])
def test_a_topic_that_is_made_again_at_once_is_read_from_its_start(
    kafka, database, make_pipe, program, count
):
    """Also when its new log is as long as what was read of the old one, and the offset looks like a good one."""
    pipe, running = _start(kafka, database, make_pipe, program)
    kafka.delete_topic(pipe.topic(ROLES[program]))
    if LOSES_TOPICS:
        wait_until_missed(running, pipe.topic(ROLES[program]))
    _make_again(pipe, program)
    _publish(pipe, program, 2, count)
    wait_until(
        "all documents of the new log",
        lambda: _documents(program, running) >= 20 + count,
        30,
        alive=[running],
    )
    kafka.wait_consumed(pipe.group(program), pipe.topic(ROLES[program]), alive=[running])
    running.wait_ready()
    assert "made again" in running.log() and "lost" not in running.log()


def test_a_topic_that_is_missing_is_no_reason_once_another_process_reads_it(kafka, database, make_pipe):
    """The one partition goes to one of the two; the other must not wait for messages of it."""
    pipe, running = _start(kafka, database, make_pipe, "transformer")
    topic = pipe.topic("raw")
    kafka.delete_topic(topic)
    other = pipe.start("transformer", "--create-topics", "off", ready=False)
    both = [running, other]
    for process in both:
        wait_until(
            f"{process.name} to miss the topic",
            lambda p=process: topic in p.get("/readyz")[1],
            30,
            alive=both,
        )
    _make_again(pipe, "transformer")
    _publish(pipe, "transformer", 2, 10)
    kafka.wait_consumed(pipe.group("transformer"), topic, alive=both)
    for process in both:
        wait_until(
            f"{process.name} to miss it no more",
            lambda p=process: topic not in p.get("/readyz")[1],
            30,
            alive=both,
        )


@pytest.mark.parametrize("program", ["transformer", "loader"])
def test_a_program_ends_in_time_when_its_topic_was_deleted(kafka, database, make_pipe, program):
    """librdkafka before 2.2 would wait for ever."""
    pipe, running = _start(kafka, database, make_pipe, program)
    topic = pipe.topic(ROLES[program])
    kafka.delete_topic(topic)
    wait_until("readiness to name the topic", lambda: topic in running.get("/readyz")[1], 15, alive=[running])
    running.stop(10)
