"""The whole way: sandbox API, extractor, Kafka, transformer, Kafka, loader, database; compared with the truth."""

from __future__ import annotations

from harness import oracle
from harness.waiting import wait_until

FREE = ("--rate-second", "0", "--rate-minute", "0", "--quiet")
SESSION = ("--kafka", "session.timeout.ms=6000", "--kafka", "heartbeat.interval.ms=1000")


def _no_lag(pipe) -> None:
    """What has changed just now is asked for at once."""
    pipe.edit_pipeline(lambda p: p["options"].update(lag="0s"))


def _documents(pipe) -> int:
    return len(pipe.sandbox.truth().split(b"\n")) - 1


def test_once_each(kafka, database, start_sandbox, make_pipe):
    pipe = make_pipe(kafka, database, start_sandbox("--documents", "2000", *FREE))
    for program in ("extractor", "transformer", "loader"):
        pipe.once(program)
    assert not pipe.differences()
    assert database.value("SELECT COUNT(*) FROM jst_heads") == _documents(pipe)


def test_documents_that_change_while_they_are_paged_through(kafka, database, start_sandbox, make_pipe):
    sandbox = start_sandbox("--documents", "1500", "--mutate-every-requests", "1", *FREE)
    pipe = make_pipe(kafka, database, sandbox)
    _no_lag(pipe)
    pipe.once("extractor")
    sandbox.control_json("pause_mutations", {})
    assert sandbox.control_json("stats")["mutations"] >= 30
    # lines were lost, gained, documents cancelled, deleted, created: the next run brings what changed meanwhile
    pipe.once("extractor")
    pipe.once("transformer")
    pipe.once("loader")
    assert not pipe.differences()
    statuses = {r["status"] for r in database.query(f"SELECT DISTINCT status FROM {oracle.TABLE}")}
    assert {"Confirmed", "Cancelled", "Delete"} <= statuses


def test_no_reader_ever_sees_half_a_document(kafka, database, start_sandbox, make_pipe):
    """Every line of a document carries the document's ts: one document never shows two of them."""
    sandbox = start_sandbox("--documents", "800", "--max-lines", "50", *FREE)
    pipe = make_pipe(kafka, database, sandbox)
    _no_lag(pipe)
    for program in ("transformer", "loader"):
        pipe.start(program, *SESSION, ready=False)
    pipe.once("extractor")
    torn: list = []
    sql = f"SELECT io_id FROM {oracle.TABLE} GROUP BY io_id HAVING COUNT(DISTINCT ts) > 1"

    def look() -> bool:
        if database.has_table(oracle.TABLE):
            torn.extend(database.query(sql))
        return not pipe.differences() if database.count(oracle.TABLE) else False

    for _ in range(3):
        sandbox.control_json("mutate", {"count": 400})
        pipe.once("extractor")
        wait_until("the changes to arrive", look, 60, alive=pipe.running())
    assert torn == []


def test_everything_dies_and_nothing_is_lost(own_kafka, own_database, start_sandbox, make_pipe):
    """Two transformers, three loaders, documents that change all the time; each part is killed in mid-flow."""
    sandbox = start_sandbox("--documents", "3000", "--mutate-every-requests", "2", "--latency", "20", *FREE)
    pipe = make_pipe(own_kafka, own_database, sandbox)
    pipe.rate = "40/s,2400/m"
    _no_lag(pipe)
    extractor = pipe.start("extractor", *SESSION, ready=False)
    transformers = [pipe.start("transformer", *SESSION, ready=False) for _ in range(2)]
    loaders = [pipe.start("loader", "--batch-rows", "200", *SESSION, ready=False) for _ in range(3)]
    alive = [extractor, *transformers, *loaders]

    def rows() -> int:
        return own_database.count(oracle.TABLE) if own_database.has_table(oracle.TABLE) else 0

    wait_until("rows to flow", lambda: rows() > 200, 60, alive=alive)
    for program in (extractor, transformers[0], loaders[0]):
        program.kill()
        program.start()
    before = rows()
    wait_until("rows to flow again", lambda: rows() > before, 60, alive=alive)
    own_kafka.kill()
    own_database.server.kill()
    own_database.server.restart()
    own_kafka.restart()
    loaders[1].kill()
    wait_until(
        "the extractor to finish its window",
        lambda: extractor.metrics().sum("jst_extractor_synced_to_timestamp_seconds") > 0,
        120,
        alive=[extractor],
    )
    extractor.stop()
    sandbox.control_json("pause_mutations", {})
    pipe.once("extractor", *SESSION)
    pipe.wait_converged(120)
    assert own_kafka.consume_all(pipe.topic("dead")) == []
