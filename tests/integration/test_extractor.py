"""The extractor against the sandbox API and a real broker."""

from __future__ import annotations

import json
import re
import stat
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

from confluent_kafka import KafkaException
from harness import paths
from harness.kafka import KafkaServer, Record
from harness.pipe import Pipe
from harness.process import Process
from harness.sandbox import Sandbox
from harness.waiting import holds_for, wait_until

sys.path.insert(0, str(paths.ROOT))
from sandbox import client

BEIJING = timezone(timedelta(hours=8))
StartSandbox = Callable[..., Sandbox]
MakePipe = Callable[..., Pipe]
FREE = ("--rate-second", "0", "--rate-minute", "0", "--quiet")
SHORT_SESSION = ("--kafka", "session.timeout.ms=6000")  # a killed member is out of the group after that
QUERY = "/open/purchasein/query"


# ---- what is where ----


def raw_records(pipe: Pipe) -> list[Record]:
    return pipe.kafka.consume_all(pipe.topic("raw")) if pipe.kafka.partitions(pipe.topic("raw")) else []


def page_texts(body: str) -> list[str]:
    """The exact text of each element of datas: numbers keep their digits."""
    decoder = json.JSONDecoder()
    at = body.index('"datas":') + len('"datas":')
    texts: list[str] = []
    if body[at] != "[":
        return texts
    at += 1
    while body[at] != "]":
        if body[at] in ", \n":
            at += 1
            continue
        _, end = decoder.raw_decode(body, at)
        texts.append(body[at:end])
        at = end
    return texts


def texts_by_id(records: list[Record]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for record in records:
        assert record.value is not None
        for text in page_texts(record.value.decode()):
            found.setdefault(str(json.loads(text)["io_id"]), set()).add(text)
    return found


def truth_texts(sandbox: Sandbox) -> dict[str, str]:
    lines = sandbox.truth().decode().split("\n")  # not splitlines(): texts hold U+2028 and its like
    return {str(json.loads(line)["io_id"]): line for line in lines if line}


def missing(pipe: Pipe, sandbox: Sandbox) -> list[str]:
    """Ids whose newest text is not in the raw topic."""
    found = texts_by_id(raw_records(pipe))
    return [io_id for io_id, text in truth_texts(sandbox).items() if text not in found.get(io_id, set())]


def beijing(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)


def ago(**how_long: float) -> str:
    return (datetime.now(BEIJING) - timedelta(**how_long)).strftime("%Y-%m-%d %H:%M:%S")


def checkpoints(pipe: Pipe) -> list[dict[str, Any]]:
    """The values of purchasein/live, oldest first."""
    if not pipe.kafka.partitions(pipe.topic("state")):
        return []
    records = pipe.kafka.consume_all(pipe.topic("state"))
    return [json.loads(r.value) for r in records if r.key == b"purchasein/live" and r.value]


def log(sandbox: Sandbox, path: str = "/open/") -> list[dict[str, Any]]:
    return [r for r in sandbox.control_json("log")["requests"] if r["path"].startswith(path)]


def fault(sandbox: Sandbox, kind: str, **more: Any) -> None:
    sandbox.control("faults", {"kind": kind, **more})


def option(pipe: Pipe, name: str, value: Any) -> None:
    pipe.edit_pipeline(lambda content: content.setdefault("options", {}).update({name: value}))


def retries(pipe: Pipe, count: int, interval: str) -> None:
    how = {"retry_count": count, "retry_interval": interval}
    pipe.edit_pipeline(lambda content: content.setdefault("error_handling", {}).update(how))


def up(program: Process, dependency: str) -> float | None:
    found = program.metrics().series("jst_up_dependency")
    return next((value for labels, value in found if labels["name"] == dependency), None)


def token_of(pipe: Pipe) -> dict[str, Any]:
    return json.loads((pipe.directory / "state" / "token.json").read_text())


# ---- pages ----


def test_publishes_every_document_byte_for_byte(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "320", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    program = pipe.once("extractor")

    assert missing(pipe, sandbox) == []
    assert re.search(r"read up to .*: 370 documents on 8 pages", program.log())
    requests = log(sandbox)
    assert [r["page"] for r in requests] == [1, 7, 6, 5, 4, 3, 2, 1]
    [state] = checkpoints(pipe)
    assert state["v"] == 1
    records = raw_records(pipe)
    assert len(records) == len(requests)
    again = client.Client(sandbox.url)
    for record in records:
        headers = record.headers
        form = client.query_form(headers["jst-biz"], int(time.time()), token_of(pipe)["access_token"])
        assert record.value == again.post(QUERY, form)[1]
        assert headers["jst-pipeline"] == "purchasein"
        assert headers["jst-api"] == QUERY
        assert headers["jst-run"] == "live"
        assert headers["jst-page-count"] == "7"
        assert headers["jst-biz"] in [r["biz"] for r in requests]
        assert record.key == f"{headers['jst-window-begin']}/{headers['jst-window-end']}".encode()
        biz = json.loads(headers["jst-biz"])
        assert biz["page_index"] == int(headers["jst-page"])
        assert biz["modified_begin"] == headers["jst-window-begin"]
        assert biz["modified_end"] == headers["jst-window-end"] == state["synced_to"]
        assert len(biz["statuss"]) == 6
        fetched = datetime.fromisoformat(headers["jst-fetched-at"])
        assert round(fetched.timestamp() * 1000) <= record.timestamp_ms  # the broker's, of publication
    lag = datetime.now(BEIJING) - beijing(state["synced_to"])
    assert timedelta(seconds=60) <= lag < timedelta(seconds=120)


def test_misses_nothing_while_documents_change(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "600", "--max-lines", "10", "--mutate-every-requests", "1", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    pipe.once("extractor")
    assert sandbox.control_json("stats")["mutations"] >= 10
    synced_to = checkpoints(pipe)[-1]["synced_to"]
    found = texts_by_id(raw_records(pipe))
    for io_id, text in truth_texts(sandbox).items():
        if json.loads(text)["modified"] <= synced_to:
            assert text in found.get(io_id, set()), io_id

    sandbox.control("pause_mutations", {})
    option(pipe, "lag", "0s")
    pipe.once("extractor")
    assert missing(pipe, sandbox) == []


def test_since_and_until(kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe) -> None:
    sandbox = start_sandbox("--documents", "300", "--max-lines", "10", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    since, until = ago(days=2), ago(days=1)
    pipe.once("extractor", "--since", since, "--until", until)
    expected = {
        io_id
        for io_id, text in truth_texts(sandbox).items()
        if since <= json.loads(text)["modified"] <= until
    }
    assert 0 < len(expected) < 300
    assert set(texts_by_id(raw_records(pipe))) == expected
    assert checkpoints(pipe)[-1]["synced_to"] == until

    requests = len(log(sandbox))
    pipe.once("extractor", "--until", until)  # nothing is left to do
    assert len(log(sandbox)) == requests

    pipe.once("extractor", "--since", ago(days=30))  # --since is for pipelines without a checkpoint
    begin = json.loads(log(sandbox)[requests]["biz"])["modified_begin"]
    assert beijing(begin) == beijing(until) - timedelta(minutes=10)
    newer = {io_id for io_id, text in truth_texts(sandbox).items() if json.loads(text)["modified"] >= since}
    assert set(texts_by_id(raw_records(pipe))) == newer


def test_pages_that_are_too_large_are_halved(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "120", "--max-lines", "400", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    limit = 8000  # compressed, as the broker counts
    kafka.create_topic(pipe.topic("raw"), 3, {"max.message.bytes": str(limit)})
    log = pipe.once("extractor").log()

    dead = kafka.consume_all(pipe.topic("dead"))
    assert dead, "some document should be larger than the topic takes"
    assert log.count("dead letter: too-large: ") == len(dead)
    for letter in dead:
        assert letter.headers["jst-error-stage"] == "extractor"
        assert letter.headers["jst-error-class"] == "too-large"
        assert json.loads(letter.headers["jst-biz"])["page_size"] == 1
        assert len(page_texts((letter.value or b"").decode())) == 1
    records = raw_records(pipe)
    assert any(json.loads(r.headers["jst-biz"])["page_size"] == 1 for r in records)
    found = set(texts_by_id(records)) | set(texts_by_id(dead))
    assert found == set(truth_texts(sandbox))
    assert not set(texts_by_id(records)) & set(texts_by_id(dead))


# ---- quota and faults ----


def test_both_limits_hold_at_the_default_rate(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "550", "--max-lines", "5", "--quiet")
    pipe = make_pipe(kafka, sandbox=sandbox)
    pipe.rate = "5/s,100/m"
    pipe.once("extractor")
    stats = sandbox.control_json("stats")
    assert stats["results"] == {"ok": 13}  # the token, and 12 pages
    assert stats["max_per_second"] <= 2
    times = [r["mono"] for r in log(sandbox, "/")]
    gaps = [b - a for a, b in pairwise(times)]
    for i, first in enumerate(times):  # a tenth of a second for the network: 100 requests have almost two
        for j, later in enumerate(times[i:]):
            assert later - first >= 0.615 * j - 0.1, gaps
    assert sorted(gaps)[len(gaps) // 2] <= 60 / 95, gaps  # at least 95 % of the quota are used
    assert missing(pipe, sandbox) == []


def test_goes_on_after_every_kind_of_fault(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "700", "--max-lines", "10", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    fault(sandbox, "http", status=500, times=2)
    fault(sandbox, "http", status=429, retry_after=2, after=1)
    fault(sandbox, "code", code=199, msg="调用频次超过限制", after=1)
    fault(sandbox, "truncate", after=1)
    fault(sandbox, "cut", after=1)
    fault(sandbox, "garbage", after=1)
    fault(sandbox, "close", after=1)
    fault(sandbox, "slow", ms=1200, after=1)
    fault(sandbox, "hang", ms=1200, after=1)
    fault(sandbox, "expire_token", after=1)
    program = pipe.once("extractor")
    assert sandbox.control_json("faults") in ([], {"faults": []})
    assert missing(pipe, sandbox) == []
    requests = log(sandbox)
    faulty = [i for i, r in enumerate(requests) if r["fault"]]
    assert len(faulty) == 11
    for i in faulty:
        wait = requests[i + 1]["mono"] - requests[i]["mono"]
        kind = requests[i]["fault"]
        kind = kind["kind"] if isinstance(kind, dict) else kind
        if kind == "http" and requests[i]["http"] == 429:
            assert wait >= 2.0
        elif kind == "code":
            assert wait >= 1.0
        elif kind not in ("slow", "hang", "expire_token"):
            assert wait >= 0.5, kind
            if kind == "close":  # libcurl did not repeat it behind our back
                assert requests[i + 1]["biz"] == requests[i]["biz"]
    # an answer that was not whole was not published
    for record in raw_records(pipe):
        json.loads(record.value or b"")
    assert "sandbox-secret" not in program.log()
    assert token_of(pipe)["access_token"] not in program.log()


def test_an_expired_token_is_refreshed_and_kept(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "200", "--rotate-tokens", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    fault(sandbox, "expire_token", after=2)
    pipe.once("extractor")
    assert missing(pipe, sandbox) == []
    calls = [r["path"].rsplit("/", 1)[1] for r in log(sandbox, "/openWeb/")]
    assert calls == ["getInitToken", "refreshToken"]
    file = pipe.directory / "state" / "token.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    pipe.once("extractor")  # with the token of the file
    assert len(log(sandbox, "/openWeb/")) == 2


def test_a_wrong_secret_pauses_and_does_not_hammer(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "20", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    program = pipe.extractor(ready=False, env={"JST_APP_SECRET": "not-the-secret"})
    wait_until(
        "the pause",
        lambda: program.metrics().sum("jst_extractor_paused", reason="credentials") == 1,
        alive=[program],
        ignore=(OSError,),
    )
    status, why = program.get("/readyz")
    assert status == 503
    assert "JST_APP_SECRET" in why
    seen = len(log(sandbox, "/"))
    assert seen == 1
    holds_for("no further request", lambda: len(log(sandbox, "/")) == seen, 3)
    assert program.log().count("JST_APP_SECRET") == 1
    assert "not-the-secret" not in program.log()
    assert program.metrics().sum("jst_extractor_requests_total", result="fatal") == 1
    assert program.stop(10) == 0
    assert pipe.once("extractor", env={"JST_APP_SECRET": "not-the-secret"}, expect=111)


def test_retries_are_exhausted(kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe) -> None:
    sandbox = start_sandbox("--documents", "20", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    retries(pipe, 2, "1s")
    fault(sandbox, "http", times=-1)
    program = pipe.once("extractor", expect=111)
    assert "api: down: the API answers with HTTP status 500" in program.log()
    assert re.search(r"ERROR.*pipeline purchasein: the run has failed.*its window stays due", program.log())
    assert 3 <= len(log(sandbox)) <= 6
    assert checkpoints(pipe) == []


# ---- processes ----


def test_resumes_after_a_kill_in_mid_run(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "900", "--max-lines", "10", "--latency", "60", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    option(pipe, "max_window", "6h")
    first = pipe.process("extractor", "--once", *SHORT_SESSION).start()
    # 28 slices, the first 16 of them before the first document
    wait_until("some slices with documents", lambda: len(log(sandbox)) >= 26, alive=[first])
    first.kill()
    assert missing(pipe, sandbox), "it was too fast to be killed in the middle"
    assert raw_records(pipe)
    last = checkpoints(pipe)[-1]["synced_to"]
    before = len(log(sandbox))

    second = pipe.process("extractor", "--once", *SHORT_SESSION).start()
    assert second.wait(60) == 0
    begin = json.loads(log(sandbox)[before]["biz"])["modified_begin"]
    assert beijing(begin) == beijing(last) - timedelta(minutes=10)
    assert missing(pipe, sandbox) == []
    times = [c["synced_to"] for c in checkpoints(pipe)]
    assert times == sorted(times)


def test_stops_during_a_hanging_answer(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "20", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    fault(sandbox, "hang", ms=60000)
    program = pipe.extractor(ready=False)
    wait_until("the query to be under way", lambda: log(sandbox), alive=[program])
    begin = time.monotonic()
    assert program.stop(10) == 0
    assert time.monotonic() - begin < 6
    assert raw_records(pipe) == []
    assert checkpoints(pipe) == []


def test_waits_for_an_api_that_is_away(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "60", "--max-lines", "10", *FREE)
    sandbox.stop()
    pipe = make_pipe(kafka, sandbox=sandbox)
    program = pipe.extractor(ready=False)
    program.wait_for_log("api: down")
    status, why = program.get("/readyz")
    assert status == 503
    assert "api" in why
    assert up(program, "api") == 0
    sandbox.start()
    wait_until("the checkpoint", lambda: checkpoints(pipe), alive=[program], ignore=(KafkaException,))
    assert missing(pipe, sandbox) == []
    program.wait_ready()
    assert program.log().count("api: down") == 1
    metrics = program.metrics()
    assert up(program, "api") == 1
    assert metrics.sum("jst_extractor_requests_total", result="transient") >= 2
    assert metrics.sum("jst_extractor_documents_total", run="live") == 60 + 50
    assert metrics.sum("jst_extractor_pages_total", pipeline="purchasein") == 3
    assert metrics.sum("jst_extractor_leader") == 1
    assert metrics.sum("jst_extractor_failed_runs_total") == 0
    assert metrics.has("jst_dead_letters_total", stage="extractor", **{"class": "too-large"})
    synced_to = beijing(checkpoints(pipe)[-1]["synced_to"]).timestamp()
    assert metrics.sum("jst_extractor_synced_to_timestamp_seconds") == synced_to


def test_waits_for_a_broker_that_is_away(
    own_kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "900", "--max-lines", "10", "--latency", "100", *FREE)
    pipe = make_pipe(own_kafka, sandbox=sandbox)
    own_kafka.stop()
    program = pipe.extractor(ready=False)
    program.wait_for_log("kafka: down")
    assert program.get("/readyz")[0] == 503
    own_kafka.start()
    wait_until("some pages", lambda: len(log(sandbox)) >= 3, 60, alive=[program])
    own_kafka.kill()
    own_kafka.start()
    wait_until("the checkpoint", lambda: checkpoints(pipe), 60, alive=[program], ignore=(KafkaException,))
    assert missing(pipe, sandbox) == []


def leaders(*programs: Process) -> list[float]:
    return [program.metrics().sum("jst_extractor_leader") for program in programs]


def test_one_reads_and_the_others_stand_by(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "60", "--max-lines", "10", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    programs = [pipe.extractor(ready=False) for _ in range(2)]
    for program in programs:
        program.wait_ready()  # a standby is ready, too
    wait_until("one leader", lambda: sorted(leaders(*programs)) == [0, 1], alive=programs)
    wait_until("every document", lambda: not missing(pipe, sandbox), alive=programs, ignore=(KafkaException,))
    lead = leaders(*programs).index(1)
    assert programs[lead].stop(10) == 0
    standby = programs[1 - lead]
    wait_until("the standby to lead", lambda: leaders(standby) == [1], 10, alive=[standby])
    standby.wait_ready()


def test_an_unknown_version_of_the_checkpoint_is_refused(
    kafka: KafkaServer, start_sandbox: StartSandbox, make_pipe: MakePipe
) -> None:
    sandbox = start_sandbox("--documents", "20", *FREE)
    pipe = make_pipe(kafka, sandbox=sandbox)
    pipe.create_topics()
    kafka.produce(pipe.topic("state"), '{"v":2,"synced_to":"2026-08-13 11:05:00"}', "purchasein/live")
    program = pipe.once("extractor", expect=111)
    assert "version 2" in program.log()
    assert log(sandbox, "/") == []


def test_check_finds_every_fault_offline(kafka: KafkaServer, make_pipe: MakePipe) -> None:
    pipe = make_pipe(kafka)
    flags = [*("--pipelines", str(pipe.pipelines)), *("--topics", str(pipe.topics_file)), "--check"]
    assert pipe.run("extractor", *flags).returncode == 0
    bad = ["--rate", "fast", "--api-url", "openapi.jushuitan.com", "--ca-file", "/nowhere"]
    done = pipe.run("extractor", *flags, *bad, env={"JST_APP_KEY": "", "JST_APP_SECRET": ""})
    assert done.returncode == 100
    text = done.stdout + done.stderr
    for place in ("--rate", "--api-url", "--ca-file", "JST_APP_KEY", "JST_APP_SECRET"):
        assert f"error: {place}" in text, text
