"""Transformer and loader while things die under them: themselves, the broker, the database."""

from __future__ import annotations

import json
import re
import signal

import pytest
from harness import feed, oracle
from harness.waiting import holds_for, wait_until

DOCUMENTS = ("--documents", "4000", "--max-lines", "60")
# The shortest that the broker allows: a member that was killed is missed soon.
SESSION = ("--kafka", "session.timeout.ms=6000", "--kafka", "heartbeat.interval.ms=1000")


def _written(loader) -> float:
    return loader.metrics().sum("jst_loader_documents_total", result="written")


def _start_flow(pipe, *loader_flags: str):
    """Everything raw is in the topic; transformer and loader are under way."""
    pipe.create_topics()
    feed.raw(pipe, pipe.sandbox.truth().splitlines())
    transformer = pipe.start("transformer", *SESSION, ready=False)
    loader = pipe.start("loader", "--batch-rows", "100", *SESSION, *loader_flags, ready=False)
    wait_until(
        "the first documents to be written", lambda: _written(loader) > 100, 40, alive=[transformer, loader]
    )
    return transformer, loader


def _check(pipe) -> None:
    pipe.wait_converged(90)
    assert pipe.kafka.consume_all(pipe.topic("dead")) == []
    pipe.kafka.wait_consumed(pipe.group("loader"), pipe.topic("rows"))
    pipe.kafka.wait_consumed(pipe.group("transformer"), pipe.topic("raw"))


@pytest.mark.parametrize("victim", ["transformer", "loader"])
def test_kill_in_mid_flow(kafka, database, start_sandbox, make_pipe, victim):
    pipe = make_pipe(kafka, database, start_sandbox(*DOCUMENTS))
    transformer, loader = _start_flow(pipe)
    program = {"transformer": transformer, "loader": loader}[victim]
    program.kill()
    program.start()
    _check(pipe)


def test_many_loaders_and_transformers_while_members_come_and_go(kafka, database, start_sandbox, make_pipe):
    pipe = make_pipe(kafka, database, start_sandbox(*DOCUMENTS))
    _, loader = _start_flow(pipe)
    pipe.start("transformer", *SESSION, ready=False)
    others = [pipe.start("loader", "--batch-rows", "100", *SESSION, ready=False) for _ in range(2)]
    feed.raw(pipe, pipe.sandbox.truth().splitlines())
    others[0].wait_ready()
    loader.stop()
    _check(pipe)


def _misses_nothing(program) -> bool:
    """Ready, or for no other reason than that pages were published again whose documents have newer versions."""
    status, why = program.get("/readyz")
    return status == 200 or all("(stale)" in line for line in why.splitlines() if line)


def test_broker_restart(own_kafka, database, start_sandbox, make_pipe):
    """The broker is away for longer than the session timeout, in mid-flow: the group starts anew."""
    pipe = make_pipe(own_kafka, database, start_sandbox(*DOCUMENTS))
    transformer, loader = _start_flow(pipe)
    for _ in range(3):  # enough that both are at work when it dies
        feed.raw(pipe, pipe.sandbox.truth().splitlines())
    own_kafka.kill()
    for program in (transformer, loader):
        wait_until(f"{program.name} to notice", lambda p=program: not p.ready(), 30, alive=[program])
        assert program.get("/healthz")[0] == 200
        assert program.metrics().sum("jst_up_dependency", name="kafka") == 0
    holds_for("both to stay up", lambda: transformer.running and loader.running, 7)
    own_kafka.restart()
    _check(pipe)
    for program in (transformer, loader):
        wait_until(
            f"{program.name} to have its servers again",
            lambda p=program: _misses_nothing(p),
            30,
            alive=[program],
        )
        assert 1 <= program.log().count("kafka: down") <= 2, program.log()


def test_database_restart(kafka, own_database, start_sandbox, make_pipe):
    pipe = make_pipe(kafka, own_database, start_sandbox(*DOCUMENTS))
    _, loader = _start_flow(pipe)
    own_database.server.kill()
    wait_until("the loader to notice", lambda: not loader.ready(), 30, alive=[loader])
    assert loader.get("/healthz")[0] == 200
    assert loader.metrics().sum("jst_loader_paused", reason="database") == 1
    own_database.server.restart()
    _check(pipe)
    loader.wait_ready()
    assert loader.metrics().sum("jst_loader_retries_total", **{"class": "connection"}) >= 1
    assert loader.metrics().sum("jst_loader_paused") == 0


def test_stop_while_the_database_hangs(kafka, own_database, start_sandbox, make_pipe):
    pipe = make_pipe(kafka, own_database, start_sandbox(*DOCUMENTS))
    transformer, loader = _start_flow(pipe)
    own_database.server.freeze()
    wait_until(
        "everything to be transformed", lambda: _lag(pipe, "transformer", "raw") == 0, 60, alive=[loader]
    )
    loader.stop(10)
    own_database.server.thaw()
    loader.start()
    _check(pipe)
    transformer.stop(10)


def test_stop_while_the_database_accepts_nobody(kafka, own_database, make_pipe):
    """It connects and connects with a batch in hand, and ends in time all the same."""
    pipe = make_pipe(kafka, own_database)
    pipe.create_topics()
    messages = [feed.rows_message(n, 1, [feed.row(n, 1, 1)]) for n in range(1, 201)]
    kafka.produce_many(pipe.topic("rows"), messages)
    own_database.server.freeze()
    loader = pipe.start("loader", ready=False)
    wait_until("it to know the backlog", lambda: _lags(loader) == 200, 20, alive=[loader])
    loader.stop(10)
    own_database.server.thaw()
    loader.start()
    kafka.wait_consumed(pipe.group("loader"), pipe.topic("rows"))
    assert own_database.count(oracle.TABLE) == 200


def _lags(program) -> float:
    return program.metrics().sum("jst_consumer_lag")


def test_servers_absent_at_start(own_kafka, own_database, start_sandbox, make_pipe):
    pipe = make_pipe(own_kafka, own_database, start_sandbox("--documents", "200"))
    own_kafka.stop()
    own_database.server.stop()
    programs = [pipe.start(name, ready=False) for name in ("transformer", "loader")]
    for program in programs:
        wait_until(
            f"{program.name} to say so", lambda p=program: "kafka" in p.get("/readyz")[1], 30, alive=[program]
        )
        assert program.get("/readyz")[0] == 503
        program.signal(signal.SIGHUP)
        program.wait_for_log("SIGHUP is ignored")
    own_kafka.restart()
    wait_until(
        "the programs to create their topics", lambda: len(own_kafka.topics()) >= 3, 30, alive=programs
    )
    feed.raw(pipe, pipe.sandbox.truth().splitlines())
    wait_until(
        "the loader to miss MySQL", lambda: "mysql" in programs[1].get("/readyz")[1], 40, alive=programs
    )
    own_database.server.restart()
    _check(pipe)
    for program in programs:
        program.wait_ready()


def test_stop_while_the_broker_is_away(own_kafka, database, start_sandbox, make_pipe):
    pipe = make_pipe(own_kafka, database, start_sandbox(*DOCUMENTS))
    transformer, loader = _start_flow(pipe)
    own_kafka.kill()
    for program in (transformer, loader):
        program.stop(10)
    own_kafka.restart()
    transformer.start()
    loader.start()
    _check(pipe)


@pytest.mark.parametrize("victim", ["extractor", "transformer", "loader"])
def test_stop_while_the_broker_hangs(own_kafka, database, start_sandbox, make_pipe, victim):
    pipe = make_pipe(own_kafka, database, start_sandbox(*DOCUMENTS))
    transformer, loader = _start_flow(pipe)
    program = {"transformer": transformer, "loader": loader}.get(victim) or pipe.extractor()
    own_kafka.process.signal(signal.SIGSTOP)
    try:
        program.stop(10)
    finally:
        own_kafka.process.signal(signal.SIGCONT)


def _lag(pipe, program: str, role: str) -> int:
    return pipe.kafka.lag(pipe.group(program), pipe.topic(role))


def test_rows_messages_of_a_foreign_order_converge(kafka, database, make_pipe):
    """Two loaders fight over the same documents, versions in both orders."""
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    versions = range(1, 31)
    messages = [
        feed.rows_message(io_id, ts, [feed.row(io_id, ts, line) for line in range(ts % 4 + 1)])
        for ts in [*versions, *reversed(versions)]
        for io_id in range(1, 41)
    ]
    for partition in (0, 3, 5):  # the key's own partition does not matter to the outcome
        kafka.produce_many(pipe.topic("rows"), messages, partition=partition)
    loaders = [pipe.start("loader", "--batch-rows", "37", ready=False) for _ in range(3)]
    kafka.wait_consumed(pipe.group("loader"), pipe.topic("rows"), 90)
    for loader in loaders:
        loader.stop()
    newest = versions[-1]
    rows = database.query(f"SELECT io_id, ts, COUNT(*) AS n FROM {oracle.TABLE} GROUP BY io_id, ts")
    assert {(r["io_id"], r["ts"], r["n"]) for r in rows} == {
        (n, newest, newest % 4 + 1) for n in range(1, 41)
    }


def test_ready_means_connected(own_kafka, own_database, make_pipe):
    """Not for a moment ready while a server is away, though nothing is there to be loaded."""
    pipe = make_pipe(own_kafka, own_database)
    own_kafka.stop()
    own_database.server.stop()
    loader = pipe.start("loader", ready=False)
    status, why = loader.get("/readyz")
    assert status == 503 and "kafka" in why and "mysql" in why
    own_kafka.restart()
    wait_until(
        "Kafka to stop being a reason", lambda: "kafka" not in loader.get("/readyz")[1], 40, alive=[loader]
    )
    status, why = loader.get("/readyz")
    assert status == 503 and "mysql" in why
    own_database.server.restart()
    loader.wait_ready()
    assert loader.metrics().sum("jst_up_dependency", name="mysql") == 1


@pytest.mark.parametrize("paused", [False, True], ids=["idle", "paused"])
def test_a_database_that_dies_shows_while_nothing_is_written(kafka, own_database, make_pipe, paused):
    """Within 15 s and what noticing takes; also when the pipeline waits for a person, who is asked once a minute."""
    pipe = make_pipe(kafka, own_database)
    pipe.create_topics()
    if paused:
        own_database.execute(f"CREATE TABLE {oracle.TABLE} (id INT PRIMARY KEY)")
    loader = pipe.start("loader", ready=not paused)
    if paused:
        wait_until("the pause", lambda: "(schema)" in loader.get("/readyz")[1], 20, alive=[loader])
    wait_until("MySQL to be up", lambda: loader.metrics().sum("jst_up_dependency", name="mysql") == 1, 20)
    own_database.server.kill()
    wait_until("readiness to tell", lambda: "mysql: " in loader.get("/readyz")[1], 25, alive=[loader])
    assert loader.metrics().sum("jst_up_dependency", name="mysql") == 0
    own_database.server.restart()
    wait_until("MySQL to be up", lambda: loader.metrics().sum("jst_up_dependency", name="mysql") == 1, 20)
    assert "mysql: " not in loader.get("/readyz")[1]


def _delete_unread(pipe, program: str) -> None:
    """Delete all but the last message of the program's topic, of which its group has read one half at most."""
    kafka = pipe.kafka
    role = {"transformer": "raw", "loader": "rows"}[program]
    pipe.write_topics(partitions={"raw": 1, "rows": 1})
    pipe.create_topics()
    for ts in (1, 2):
        feed.raw(pipe, [feed.document(n, ts, [{"ioi_id": 1}]) for n in range(10)])
        pipe.once("transformer")
        if ts == 1:
            pipe.once("loader")
    if program == "transformer":
        feed.raw(pipe, [feed.document(1, 3)])
        feed.raw(pipe, [feed.document(1, 4)])
    end = kafka.end_offsets(pipe.topic(role))[0]
    wish = {"partitions": [{"topic": pipe.topic(role), "partition": 0, "offset": end - 1}], "version": 1}
    file = pipe.directory / "delete.json"
    file.write_text(json.dumps(wish))
    kafka.tool(
        "org.apache.kafka.tools.DeleteRecordsCommand",
        *("--bootstrap-server", kafka.brokers, "--offset-json-file", str(file)),
    )


@pytest.mark.parametrize("program", ["transformer", "loader"])
def test_messages_deleted_unread_are_not_skipped_in_silence(kafka, database, make_pipe, program):
    pipe = make_pipe(kafka, database)
    _delete_unread(pipe, program)
    given_up = pipe.once(program, expect=111)
    assert "deleted unread" in given_up.log()
    running = pipe.start(program, ready=False)
    wait_until("the pipeline to pause", lambda: "lost" in running.get("/readyz")[1], 30, alive=[running])
    if program == "loader":
        assert running.metrics().sum("jst_loader_paused", reason="lost") == 1
    assert kafka.lag(pipe.group(program), pipe.topic({"transformer": "raw", "loader": "rows"}[program])) > 0


def _do_as_told(pipe, text: str) -> None:
    """What the text about lost messages tells a person to do, in its order, to the letter."""
    told = re.search(r"run kafka-consumer-groups --bootstrap-server HOST:PORT (.*? --execute)", text)
    assert told, text
    pipe.kafka.tool(
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        *("--bootstrap-server", pipe.kafka.brokers, *told[1].split()),
    )
    for statement in re.findall(r"run (DELETE .*?) in MySQL", text):
        pipe.database.execute(statement)


@pytest.mark.parametrize("program", ["transformer", "loader"])
def test_who_does_as_told_goes_on_behind_lost_messages(kafka, database, make_pipe, program):
    pipe = make_pipe(kafka, database)
    _delete_unread(pipe, program)
    running = pipe.start(program, ready=False)
    wait_until("the pipeline to pause", lambda: "lost" in running.get("/readyz")[1], 30, alive=[running])
    text = running.get("/readyz")[1]
    running.stop()
    wait_until("the group to be empty", lambda: kafka.group_members(pipe.group(program)) == 0, 20)
    _do_as_told(pipe, text)
    again = pipe.start(program)
    topic = pipe.topic({"transformer": "raw", "loader": "rows"}[program])
    kafka.wait_consumed(pipe.group(program), topic, alive=[again])
    assert again.get("/readyz")[0] == 200 and "lost" not in again.log()
    if program == "loader":
        found = database.query(f"SELECT ts, COUNT(*) AS n FROM {oracle.TABLE} GROUP BY ts ORDER BY ts")
        assert [(row["ts"], row["n"]) for row in found] == [(1, 9), (2, 1)]
