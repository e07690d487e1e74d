"""Every fault that the sandbox can be asked for, over sockets."""

import contextlib
import http.client
import json
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from test_sandbox_server import Running

from sandbox import faults
from sandbox.client import QUERY, Client, query_form, token_form


@pytest.fixture
def running():
    box = Running()
    yield box
    box.stop()


def test_http_status_with_retry_after(running):
    running.fault(kind="http", status=429, retry_after=7, times=2)
    for _ in range(2):
        answer, body = running.post()
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert body.startswith(b"<html>")
    assert running.post()[0].status == 200


def test_a_code(running):
    running.fault(kind="code", code=199)
    running.fault(kind="code", code=-1, msg="忙")
    assert json.loads(running.post()[1]) == {"code": 199, "msg": "调用频次超过限制", "data": None}
    assert json.loads(running.post()[1]) == {"code": -1, "msg": "忙", "data": None}
    assert running.code() == 0


def test_a_truncated_answer(running):
    whole = running.post()[1]
    running.fault(kind="truncate")
    with pytest.raises(http.client.IncompleteRead) as broken:
        running.post()
    assert broken.value.partial == whole[: len(whole) // 2]
    assert running.post()[1] == whole


def test_a_cut_answer_is_complete_http(running):
    whole = running.post()[1]
    running.fault(kind="cut")
    assert running.post()[1] == whole[: len(whole) // 2]


def test_a_huge_answer(running):
    whole = running.post()[1]
    running.fault(kind="huge", mb=2)
    assert running.post()[1] == whole + b" " * (2 << 20)
    running.fault(kind="huge", mb=2)
    assert len(running.post(Accept_Encoding="gzip")[1]) < 100_000


def test_garbage(running):
    running.fault(kind="garbage")
    answer, body = running.post()
    assert answer.status == 200
    with pytest.raises(ValueError):
        json.loads(body)


def test_a_closed_connection(running):
    running.fault(kind="close")
    with pytest.raises(http.client.RemoteDisconnected):
        running.post()
    assert running.code() == 0


def test_a_slow_answer(running):
    running.fault(kind="slow", ms=150)
    begin = time.monotonic()
    assert running.code() == 0
    assert 0.15 <= time.monotonic() - begin < 2


def test_an_answer_that_hangs_half_way(running):
    whole = running.post()[1]
    running.fault(kind="hang", ms=150)
    form = query_form('{"start_ts":1}', int(time.time()), "t")
    begin, client = time.monotonic(), Client(running.server.url, timeout=0.05)
    with pytest.raises(TimeoutError):
        client.post(QUERY, form)
    running.fault(kind="hang", ms=150)
    assert running.post()[1] == whole
    assert time.monotonic() - begin >= 0.2


def test_an_expired_token(running):
    running.fault(kind="expire_token", after=1)
    assert [running.code() for _ in range(3)] == [0, 100, 100]


def test_a_fault_waits_for_its_turn_and_its_path(running):
    running.fault(kind="code", code=190, after=2, path=QUERY)
    running.fault(kind="code", code=150, path="/openWeb/auth/refreshToken", times=faults.FOREVER)
    refresh = "/openWeb/auth/refreshToken", token_form(int(time.time()), "x")
    assert running.code() == 0
    assert json.loads(running.client.post(*refresh)[1])["code"] == 150
    assert [running.code() for _ in range(3)] == [0, 190, 0]
    assert json.loads(running.client.post(*refresh)[1])["code"] == 150
    assert running.client.control("GET", "faults")["faults"][0]["times"] == -1
    running.client.control("DELETE", "faults")
    assert json.loads(running.client.post(*refresh)[1])["code"] == 100


def test_a_refused_request_consumes_no_fault():
    box = Running(rate_second=1)
    try:
        box.fault(kind="code", code=-1, after=1)
        assert [box.code(), box.code()] == [0, 199]
        box.client.control("POST", "limits", {"second": 0})
        assert [box.code(), box.code()] == [-1, 0]
    finally:
        box.stop()


@pytest.mark.parametrize("kind", faults.KINDS)
def test_every_fault_leaves_its_mark_in_the_log(running, kind):
    running.fault(kind=kind, ms=1, mb=1)
    with contextlib.suppress(http.client.HTTPException, OSError):
        running.post()
    [entry] = running.client.control("GET", "log")["requests"]
    assert (entry["fault"], entry["biz"]) == (kind, '{"start_ts": 1}')
