"""Raw pages through the real transformer and the real loader into a real database."""

from __future__ import annotations

import json
import random

import pytest
from harness import feed, oracle
from harness.waiting import wait_until

DOCUMENTS = ("--documents", "1500", "--max-lines", "300")


def test_every_row_and_column_arrives(kafka, database, start_sandbox, make_pipe):
    pipe = make_pipe(kafka, database, start_sandbox(*DOCUMENTS))
    pipe.create_topics()
    documents = pipe.sandbox.truth().splitlines()
    pages = feed.raw(pipe, documents)
    transformer = pipe.once("transformer")
    loader = pipe.once("loader")

    assert not pipe.differences()
    assert "dead letter" not in transformer.log() + loader.log()
    heads = database.query(
        "SELECT COUNT(*) AS n, SUM(`rows`) AS r FROM jst_heads WHERE pipeline='purchasein'"
    )[0]
    assert heads["n"] == len(documents)
    assert heads["r"] == database.count(oracle.TABLE)
    assert kafka.committed(pipe.group("transformer"), pipe.topic("raw"))
    assert sum(kafka.end_offsets(pipe.topic("raw")).values()) == pages
    assert kafka.lag(pipe.group("transformer"), pipe.topic("raw")) == 0
    assert kafka.lag(pipe.group("loader"), pipe.topic("rows")) == 0


def test_a_second_delivery_changes_nothing(kafka, database, start_sandbox, make_pipe):
    pipe = make_pipe(kafka, database, start_sandbox(*DOCUMENTS))
    pipe.create_topics()
    documents = pipe.sandbox.truth().splitlines()
    for _ in range(2):
        feed.raw(pipe, documents)
        pipe.once("transformer")
        pipe.once("loader")
        assert not pipe.differences()


def test_the_newest_version_wins_in_any_order(kafka, database, make_pipe):
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    old = feed.document(1, 10, [{"ioi_id": 1, "qty": 1}, {"ioi_id": 2, "qty": 1}], remark="old")
    new = feed.document(1, 20, [{"ioi_id": 2, "qty": 5}, {"ioi_id": 3, "qty": 6}], remark="new")
    for order in ([old, new], [new, old], [new], [old]):
        feed.raw(pipe, order, page_size=1)
        pipe.once("transformer")
        pipe.once("loader")
        rows = database.query(f"SELECT id, remark, ts FROM {oracle.TABLE} ORDER BY id")
        if order != [old] or len(rows):
            assert [(r["id"], r["remark"], r["ts"]) for r in rows] == [("1-2", "new", 20), ("1-3", "new", 20)]


def test_rows_of_one_key_are_not_lost_in_silence(kafka, database, make_pipe):
    """Ten documents of three lines, two of them with the same key: the table would hold 20 of 30 rows."""
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    doubled = [
        feed.document(n, 1, [{"ioi_id": 1, "qty": 1}, {"ioi_id": 2, "qty": 2}, {"ioi_id": 2, "qty": 3}])
        for n in range(10)
    ]
    good = feed.document(100, 1, [{"ioi_id": 1, "qty": 1}, {"ioi_id": 2, "qty": 2}])
    feed.raw(pipe, [*doubled, good])
    pipe.once("transformer")
    pipe.once("loader")

    rows = sum(int(r.headers["jst-rows"]) for r in kafka.consume_all(pipe.topic("rows")))
    assert database.count(oracle.TABLE) == rows == 2
    dead = kafka.consume_all(pipe.topic("dead"))
    assert sorted(r.value for r in dead) == sorted(doubled)
    for record in dead:
        assert record.headers["jst-error-class"] == "convert"
        assert record.headers["jst-error-text"].startswith("rows 2 and 3 have the same key (id)")


def test_a_bad_document_stops_nobody(kafka, database, make_pipe):
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    bad = {
        "parse": [
            b'{"io_id":7,"ts":1,"ts":2}',
            b'{"io_id":8,"ts":01}',
            b'{"io_id":9,"ts":1,"remark":"\xff"}',
        ],
        "convert": [b'{"ts":1}', b'{"io_id":10,"ts":"soon"}', b'{"io_id":11,"ts":1,"po_id":"x"}'],
    }
    good = [feed.document(n, 1, [{"ioi_id": n, "qty": "2.0000"}]) for n in range(100, 110)]
    feed.raw(pipe, [*good[:5], *bad["parse"], *bad["convert"], *good[5:]])
    pipe.once("transformer")
    pipe.once("loader")

    assert database.count(oracle.TABLE) == 10
    dead = kafka.consume_all(pipe.topic("dead"))
    assert sorted(r.value for r in dead) == sorted(bad["parse"] + bad["convert"])
    for record in dead:
        headers = dict(record.headers)
        assert headers["jst-error-stage"] == "transformer"
        assert record.value in bad[headers["jst-error-class"]]
        assert headers["jst-error-text"] and headers["jst-failed-at"] and headers["jst-error-source"]
        assert headers["jst-run"] == "live"


def test_a_bad_row_is_dead_lettered_and_leaves_no_stale_self(kafka, database, make_pipe):
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    feed.raw(pipe, [feed.document(1, 1, [{"ioi_id": 1, "qty": 1}, {"ioi_id": 2, "qty": 1}])])
    pipe.once("transformer")
    pipe.once("loader")
    assert database.count(oracle.TABLE) == 2

    other = [feed.document(n, 1, [{"ioi_id": n, "qty": 1}]) for n in range(50, 60)]
    feed.raw(
        pipe, [feed.document(1, 2, [{"ioi_id": 1, "qty": 7}, {"ioi_id": 2, "qty": 1e30}], remark="2"), *other]
    )
    pipe.once("transformer")
    pipe.once("loader")
    rows = database.query(f"SELECT id, remark FROM {oracle.TABLE} WHERE io_id = 1")
    assert [(r["id"], r["remark"]) for r in rows] == [("1-1", "2")]
    assert database.count(oracle.TABLE) == 11
    (dead,) = kafka.consume_all(pipe.topic("dead"))
    headers = dict(dead.headers)
    assert headers["jst-error-class"] == "data"
    assert headers["jst-error-stage"] == "loader"
    assert headers["jst-error-code"] == "1264"
    assert headers["jst-error-row"] == "2/2"
    assert headers["jst-source"].startswith(pipe.topic("raw"))
    assert headers["jst-error-source"].startswith(pipe.topic("rows"))
    assert json.loads(dead.value)["id"] == "1-2"
    assert dead.key == b"1"


def test_foreign_messages_become_dead_letters(kafka, database, make_pipe):
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    kafka.produce(pipe.topic("raw"), b"not ours", b"k", {"other": "x"})
    kafka.produce(pipe.topic("rows"), b'{"id":"1-1"}\n', b"k", {"jst-pipeline": "purchasein"})
    kafka.produce(pipe.topic("rows"), None, b"tombstone")
    feed.raw(pipe, [feed.document(1, 1, [{"ioi_id": 1}])])
    pipe.once("transformer")
    pipe.once("loader")
    assert database.count(oracle.TABLE) == 1
    dead = kafka.consume_all(pipe.topic("dead"))
    classes = sorted((dict(r.headers)["jst-error-stage"], dict(r.headers)["jst-error-class"]) for r in dead)
    assert classes == [("loader", "parse"), ("loader", "parse"), ("transformer", "parse")]


def test_a_missing_table_pauses_the_pipeline_and_says_so(kafka, database, make_pipe):
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    feed.raw(pipe, [feed.document(1, 1, [{"ioi_id": 1}])])
    pipe.once("transformer")
    loader = pipe.process("loader", "--create-tables", "off").start()
    wait_until(
        "the pipeline to pause",
        lambda: loader.metrics().sum("jst_loader_paused", reason="schema") == 1,
        20,
        alive=[loader],
    )
    assert "jst_heads" in loader.get("/readyz")[1] and loader.get("/readyz")[0] == 503
    assert loader.get("/healthz")[0] == 200
    loader.stop()


def test_sigterm_commits_what_is_done(kafka, database, start_sandbox, make_pipe):
    """By one writer: of two, the later batch may end first, and its mark then waits for the next batch."""
    pipe = make_pipe(kafka, database, start_sandbox(*DOCUMENTS))
    pipe.create_topics()
    feed.raw(pipe, pipe.sandbox.truth().splitlines())
    pipe.once("transformer")
    loader = pipe.loader("--batch-rows", "50", "--writers", "1", ready=False)
    wait_until(
        "some batches", lambda: loader.metrics().sum("jst_loader_batches_total") > 3, 30, alive=[loader]
    )
    loader.stop(10)
    written = database.query("SELECT document, updated_at FROM jst_heads")
    again = pipe.once("loader")
    assert not pipe.differences()
    after = {
        r["document"]: r["updated_at"] for r in database.query("SELECT document, updated_at FROM jst_heads")
    }
    assert [r["document"] for r in written if after[r["document"]] != r["updated_at"]] == []
    assert "retr" not in again.log()


def test_a_flood_counts_over_restarts(kafka, database, make_pipe):
    """Ten bad documents a process would never be twenty in a row."""
    pipe = make_pipe(kafka, database)
    pipe.create_topics()

    def load(numbers: range, qty: float, expect: int = 0) -> str:
        rows = [feed.rows_message(n, 1, [feed.row(n, 1, 1, items_qty=qty)]) for n in numbers]
        kafka.produce_many(pipe.topic("rows"), rows, partition=0)
        return pipe.once("loader", expect=expect).log()

    load(range(1, 2), 1)
    load(range(11, 21), 1e30)
    assert len(kafka.consume_all(pipe.topic("dead"))) == 10
    load(range(2, 3), 1)  # a good one: they are no run any more
    load(range(21, 31), 1e30)
    assert len(kafka.consume_all(pipe.topic("dead"))) == 20
    assert "flood" in load(range(31, 41), 1e30, expect=111)
    assert len(kafka.consume_all(pipe.topic("dead"))) < 30
    assert database.count(oracle.TABLE) == 2


def test_a_flood_pauses_instead(kafka, database, make_pipe):
    """Every row's quantity is out of the column's range: the fault is not in the rows. One that the table holds
    proves that it is not the table's either."""
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    feed.raw(pipe, [feed.document(1000, 1, [{"ioi_id": 1, "qty": 1}])])
    pipe.once("transformer")
    pipe.once("loader")
    feed.raw(pipe, [feed.document(n, 1, [{"ioi_id": 1, "qty": 1e30}]) for n in range(1, 201)])
    pipe.once("transformer")
    loader = pipe.start("loader", ready=False)
    wait_until(
        "the pipeline to pause",
        lambda: loader.metrics().sum("jst_loader_paused", reason="flood") == 1,
        20,
        alive=[loader],
    )
    assert "flood" in loader.get("/readyz")[1]
    loader.stop()
    dead = len(kafka.consume_all(pipe.topic("dead")))
    assert dead < 20  # fewer in a row are not a flood yet
    pipe.once("loader", "--batch-wait", "10s", expect=111)  # all of them in one batch
    assert len(kafka.consume_all(pipe.topic("dead"))) == dead
    assert database.count(oracle.TABLE) == 1
    database.execute(f"ALTER TABLE {oracle.TABLE} MODIFY items_qty DECIMAL(40,6)")
    pipe.once("loader")
    assert database.count(oracle.TABLE) == 201 - dead


@pytest.mark.parametrize("mode", ["off", "preferred", "required", "verify"])
def test_tls_to_the_database(kafka, database, make_pipe, mode):
    """The servers that offer TLS have a certificate that nobody signed: MySQL's does, MariaDB's from 11.4 on."""
    pipe = make_pipe(kafka, database)
    pipe.create_topics()
    feed.raw(pipe, [feed.document(1, 1, [{"ioi_id": 1}])])
    pipe.once("transformer")
    offered = database.value("SELECT @@have_ssl") == "YES"
    accepted = "SHOW GLOBAL STATUS LIKE 'Ssl_accepts'"
    before = int(database.query(accepted)[0]["Value"]) if offered else 0
    works = mode in ("off", "preferred") or (mode == "required" and offered)
    env = {"JSTPIPE_PATIENCE_MS": "2000"}  # for what might be an outage it waits a minute
    loader = pipe.once("loader", "--mysql-tls", mode, expect=0 if works else 111, env=env)
    if works:
        after = int(database.query(accepted)[0]["Value"]) if offered else 0
        assert (after > before) == (offered and mode != "off")
    else:
        assert "TLS" in loader.log()


def test_a_message_as_large_as_its_topic_takes_is_received(own_kafka, make_pipe):
    """Beyond librdkafka's usual limits for receiving (32 MiB here, once) and for what waits to be sent."""
    pipe = make_pipe(own_kafka)
    append = "message.timestamp.type=LogAppendTime"
    pipe.write_topics(
        settings={"raw": f"max.message.bytes=48MiB {append}", "dead": "max.message.bytes=49MiB"}
    )
    pipe.jstctl("topics", "--apply")
    foreign = random.Random(1).randbytes(40 << 20)
    own_kafka.produce(pipe.topic("raw"), foreign)
    assert "foreign message: it has no header" in pipe.once("transformer").log()
    letter = own_kafka.consume_all(pipe.topic("dead"))[0]
    assert letter.value == foreign


def test_check_of_the_loader_knows_whose_table_it_is(kafka, make_pipe):
    """A table without a database is in --mysql-database: only there it may be another pipeline's."""
    pipe = make_pipe(kafka)
    flags = ["--pipelines", str(pipe.pipelines), "--topics", str(pipe.topics_file), "--check"]

    def share(p):
        sql = p["target"]["otherRequest"][0]
        sql["value"] = sql["value"].replace("refund_query", f"erp.{oracle.TABLE}")

    pipe.edit_pipeline(share, new="refund")
    assert pipe.run("loader", *flags, "--mysql-user", "u", "--mysql-database", "bi").returncode == 0
    done = pipe.run("loader", *flags, "--mysql-user", "u", "--mysql-database", "erp")
    assert done.returncode == 100
    assert f"the table erp.{oracle.TABLE} is that of pipeline purchasein " in done.stdout + done.stderr


def test_check_of_the_loader_finds_every_fault_offline(kafka, make_pipe):
    pipe = make_pipe(kafka)
    flags = ["--pipelines", str(pipe.pipelines), "--topics", str(pipe.topics_file), "--check"]
    needed = ["--mysql-database", "d", "--mysql-user", "u"]
    assert pipe.run("loader", *flags, *needed).returncode == 0
    done = pipe.run("loader", *flags, "--mysql-ca", "/nowhere")
    assert done.returncode == 100
    text = done.stdout + done.stderr
    for place in ("--mysql-database", "--mysql-user", "--mysql-ca"):
        assert f"error: {place}" in text, text
