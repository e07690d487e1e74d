"""Loading once more what was published between two times, beside the live group."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from harness import feed, oracle
from harness.waiting import wait_until

BEIJING = timedelta(hours=8)


def _time(ms: int) -> str:
    """An option's time, to the second; that second begins after the message."""
    return (datetime.fromtimestamp(ms // 1000, UTC) + BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def _publish(pipe, first: int, last: int) -> None:
    messages = [feed.rows_message(n, 1, [feed.row(n, 1, 1)]) for n in range(first, last + 1)]
    pipe.kafka.produce_many(pipe.topic("rows"), messages)


def _documents(database) -> set[int]:
    return {row["io_id"] for row in database.query(f"SELECT DISTINCT io_id FROM {oracle.TABLE}")}


def _newest_ms(pipe) -> int:
    return max(record.timestamp_ms for record in pipe.kafka.consume_all(pipe.topic("rows")))


def _wait_for_the_next_second(ms: int) -> int:
    """So that a time in whole seconds stands between what was published and what will be."""
    border = (ms // 1000 + 1) * 1000
    wait_until("the next second", lambda: datetime.now(UTC).timestamp() * 1000 > border + 10, 5)
    return border


def test_a_replay_loads_what_was_published_between_two_times(kafka, database, make_pipe):
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    borders = []
    for first, last in ((1, 10), (11, 30), (31, 40)):
        _publish(pipe, first, last)
        borders.append(_wait_for_the_next_second(_newest_ms(pipe)))
    live = pipe.start("loader")
    kafka.wait_consumed(pipe.group("loader"), pipe.topic("rows"), alive=[live])
    committed = kafka.committed(pipe.group("loader"), pipe.topic("rows"))
    for flags, expected in [
        (("--replay-to", _time(borders[1])), set(range(11, 31))),
        ((), set(range(11, 41))),
    ]:
        database.execute(f"DELETE FROM {oracle.TABLE}")
        replay = pipe.process("loader", "--replay-from", _time(borders[0]), *flags)
        replay.start()
        assert replay.wait(60) == 0, replay.tail()
        assert _documents(database) == expected
        n = len(expected)
        told = f"replay: all of {n} messages are read: {n} documents ({n} rows) written"
        assert told in replay.log()
    assert kafka.committed(pipe.group("loader"), pipe.topic("rows")) == committed
    assert kafka.group_members(pipe.group("loader")) == 1 and live.ready()


def test_a_replay_of_nothing_ends(kafka, database, make_pipe):
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    _publish(pipe, 1, 10)
    replay = pipe.process("loader", "--replay-from", "2031-01-01")
    replay.start()
    assert replay.wait(60) == 0, replay.tail()
    assert kafka.committed(pipe.group("loader"), pipe.topic("rows")) == {}


@pytest.mark.parametrize("begin", [(), ("--replay-from", "2031-01-01"), ("--replay-from", "2031-01-02")])
def test_the_end_of_a_replay_needs_an_earlier_beginning(kafka, database, make_pipe, begin):
    pipe = make_pipe(kafka, database)
    done = pipe.run("loader", "--check", *pipe.flags("loader"), *begin, "--replay-to", "2031-01-01")
    assert done.returncode == 100 and "--replay-from" in done.stdout + done.stderr
