"""The sandbox's API: signature, tokens, rules of the parameters, pages, limits. No socket, no sleep."""

import json
import re
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.api import Request
from sandbox.auth import sign
from sandbox.client import QUERY, TYPE, query_form, signed, token_form
from sandbox.clock import Clock, beijing, parse_beijing
from sandbox.core import Sandbox
from sandbox.documents import STATUSES
from sandbox.options import Options

NOW = 1785312000
SPECIAL_TEXT = re.compile("频次|频繁|token|授权|timestamp|签名|IP")  # texts that clients classify by


class HandClock(Clock):
    """Stands still until a test moves it."""

    def __init__(self):
        super().__init__()
        self.seconds = 0.0

    def real(self):
        return NOW + self.seconds

    def monotonic(self):
        return 1000.0 + self.seconds


class Caller:
    """A sandbox and its one client."""

    def __init__(self, **options):
        defaults = {
            "documents": 200,
            "max_lines": 20,
            "access_token": "t",
            "rate_second": 0,
            "rate_minute": 0,
        }
        self.clock = HandClock()
        self.box = Sandbox(Options(**{**defaults, **options}), self.clock)

    def post(self, form, path=QUERY):
        body = urlencode(form).encode()
        return json.loads(self.box.exchange(Request("POST", path, TYPE, body)).body)

    def answer(self, path=QUERY, token="t", **biz):
        return self.post(query_form(json.dumps(biz), int(self.clock.wall()), token), path)

    def data(self, path=QUERY, **biz):
        answer = self.answer(path, **biz)
        assert answer["code"] == 0, answer
        return answer["data"]

    def window(self, begin=NOW - 6 * 86400, end=NOW, **biz):
        wanted = {"page_size": 50, "statuss": list(STATUSES), **biz}
        return self.data(modified_begin=beijing(begin), modified_end=beijing(end), **wanted)

    def tokens(self, refresh=None, name=None):
        name = name or ("getInitToken" if refresh is None else "refreshToken")
        return self.post(token_form(int(self.clock.wall()), refresh), f"/openWeb/auth/{name}")

    def place(self, io_id, modified, status="Confirmed", **fields):
        head = {"io_id": io_id, "ts": 0, "modified": beijing(modified), "status": status}
        text = json.dumps({**head, **fields})
        text = text.replace('"ts": 0', '"ts":{{ts}}')
        return self.control("POST", "documents", {"json": text})

    def control(self, method, name, wish=None):
        from sandbox.control import Control

        body = json.dumps(wish).encode() if wish is not None else b""
        status, text = Control(self.box).handle(method, f"/_control/{name}", body)
        assert status == 200, text
        return json.loads(text)


@pytest.fixture(scope="module")
def shared():
    """For tests that change nothing."""
    return Caller()


@pytest.fixture
def empty():
    return Caller(documents=0)


def ids(data):
    return [int(document["io_id"]) for document in data["datas"] or []]


# --- signature ------------------------------------------------------------------------------------

TOKEN = {"app_key": "app", "charset": "utf-8", "timestamp": "1785312000"}
COMMON = {**TOKEN, "access_token": "token", "version": "2"}
INIT = {**TOKEN, "code": "abc123", "grant_type": "authorization_code"}
REFRESH = {**TOKEN, "grant_type": "refresh_token", "refresh_token": "rtok", "scope": "all"}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({**COMMON, "biz": '{"page_index":1,"page_size":50}'}, "63b407c8cb9317b230c24ec1536f4fa2"),
        (
            {**COMMON, "biz": '{"page_index":1,"page_size":50,"so_ids":["测试-1"]}'},
            "93cd65f1bb192f067b5a6aac303b2192",
        ),
        ({**COMMON, "biz": "{}"}, "d086da4e309870b961113800ceb7e3b7"),
        (INIT, "d9f70f0b96ad6dfdee1c24a4c3bad205"),
        (REFRESH, "3a87fbe726da5640b4534420e49a1d5e"),
    ],
)
def test_sign_gives_the_published_vectors(parameters, expected):
    assert sign("secret", {**parameters, "sign": "ignored"}) == expected


@pytest.mark.parametrize(
    "form",
    [
        {**query_form('{"page_index":1}', NOW, "t"), "sign": "0" * 32},
        {**query_form('{"page_index":1}', NOW, "t"), "biz": '{"page_index":2}'},
        query_form('{"page_index":1}', NOW, "t", key="other"),
        query_form('{"page_index":1}', NOW, "t", secret="other"),
    ],
)
def test_a_wrong_signature_is_code_10(shared, form):
    assert shared.post(form) == {"code": 10, "msg": "无效签名", "data": None}


def test_characters_beyond_ascii_are_signed_before_url_encoding(shared):
    assert shared.data(so_ids=["测试-1", "😀+ &="])["datas"] is None


# --- the form -------------------------------------------------------------------------------------


def exchange(shared, method="POST", target=QUERY, content_type=TYPE, form=None, body=None):
    form = form or query_form('{"io_ids":[1]}', NOW, "t")
    text = urlencode(form).encode() if body is None else body
    return json.loads(shared.box.exchange(Request(method, target, content_type, text)).body)


def refused_form():
    form = query_form('{"io_ids":[1]}', NOW, "t")
    plain = {name: value for name, value in form.items() if name != "sign"}
    encoded = urlencode(form)
    return {
        "get": {"method": "GET"},
        "parameter in the URL": {"target": f"{QUERY}?app_key=sandbox"},
        "JSON body": {"content_type": "application/json"},
        "no type": {"content_type": ""},
        "twice": {"body": (encoded + "&version=2").encode()},
        "empty value": {"form": signed("sandbox-secret", {**plain, "note": ""})},
        "no UTF-8": {"body": (encoded + "&note=%ff").encode()},
        "raw bytes": {"body": (encoded + "&note=测").encode()},
        "version": {"form": signed("sandbox-secret", {**plain, "version": "1"})},
        "charset": {"form": signed("sandbox-secret", {**plain, "charset": "gbk"})},
    }


@pytest.mark.parametrize("name", refused_form())
def test_a_malformed_request_is_refused_by_a_code_of_its_own(shared, name):
    assert exchange(shared)["code"] == 0
    answer = exchange(shared, **refused_form()[name])
    assert answer["code"] == 130
    assert not SPECIAL_TEXT.search(answer["msg"])


def test_an_unknown_path_is_code_190(shared):
    assert shared.answer("/open/nothing/query") == {"code": 190, "msg": "接口不存在", "data": None}


@pytest.mark.parametrize(("skew", "code"), [(0, 0), (600, 0), (-600, 0), (601, 140), (-601, 140)])
def test_the_timestamp_may_be_ten_minutes_off(shared, skew, code):
    assert shared.post(query_form('{"io_ids":[1]}', NOW + skew, "t"))["code"] == code


def test_a_timestamp_that_is_no_number_is_code_140(shared):
    answer = shared.post(signed("sandbox-secret", {**query_form("{}", NOW, "t"), "timestamp": "now"}))
    assert (answer["code"], answer["msg"]) == (140, "无效的timestamp")


# --- tokens ---------------------------------------------------------------------------------------


def test_a_token_is_given_expires_and_is_prolonged():
    caller = Caller(token_life=100)
    given = caller.tokens()
    token, refresh = given["data"]["access_token"], given["data"]["refresh_token"]
    assert given["code"] == 0
    assert (given["data"]["expires_in"], given["data"]["scope"]) == (100, "all")
    caller.clock.seconds = 99.9
    assert caller.answer(token=token, io_ids=[1])["code"] == 0
    caller.clock.seconds = 100
    assert caller.answer(token=token, io_ids=[1])["msg"] == "无效的access_token或access_token已过期"
    assert caller.tokens(refresh)["data"]["access_token"] == token
    assert caller.answer(token=token, io_ids=[1])["code"] == 0


def test_refreshing_may_give_a_new_token():
    caller = Caller(rotate_tokens=True)
    old = caller.tokens()["data"]
    new = caller.tokens(old["refresh_token"])["data"]
    assert new["access_token"] != old["access_token"]
    assert caller.answer(token=old["access_token"], io_ids=[1])["code"] == 100
    assert caller.answer(token=new["access_token"], io_ids=[1])["code"] == 0
    assert caller.tokens(old["refresh_token"])["code"] == 100


def test_a_providers_app_may_not_refresh():
    caller = Caller(provider_app=True)
    given = caller.tokens(name="accessToken")["data"]
    assert caller.tokens(given["refresh_token"])["code"] == 150


@pytest.mark.parametrize("change", [{"code": "abc12"}, {"code": "abc12é"}, {"grant_type": "refresh_token"}])
def test_a_token_request_is_checked(shared, change):
    form = signed("sandbox-secret", {**token_form(NOW), **change})
    assert shared.post(form, "/openWeb/auth/getInitToken")["code"] == 130


def test_unknown_tokens_are_code_100(shared):
    assert shared.answer(token="other", io_ids=[1])["code"] == 100
    assert shared.tokens("other")["code"] == 100


def test_all_tokens_expire_on_request():
    caller = Caller()
    caller.control("POST", "expire_tokens")
    assert caller.answer(io_ids=[1])["code"] == 100


# --- limits ---------------------------------------------------------------------------------------


def codes(caller, count):
    return [caller.answer(io_ids=[1])["code"] for _ in range(count)]


def test_five_a_second_in_any_second():
    caller = Caller(rate_second=5)
    assert codes(caller, 3) == [0, 0, 0]
    caller.clock.seconds = 0.6
    assert codes(caller, 4) == [0, 0, 199, 199]
    caller.clock.seconds = 0.999
    assert codes(caller, 1) == [199]
    caller.clock.seconds = 1.0
    assert codes(caller, 4) == [0, 0, 0, 199]
    assert caller.answer(io_ids=[1])["msg"] == "调用频次超过限制"


def test_a_hundred_a_minute_in_any_minute():
    caller = Caller(rate_minute=100)
    assert codes(caller, 100) == [0] * 100
    caller.clock.seconds = 59.9
    assert codes(caller, 1) == [200]
    caller.clock.seconds = 60.0
    assert codes(caller, 101) == [0] * 100 + [200]


def test_token_calls_use_the_same_quota():
    caller = Caller(rate_second=1)
    assert caller.tokens()["code"] == 0
    assert codes(caller, 1) == [199]


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "biz",
    [
        {},
        {"modified_begin": beijing(NOW)},
        {"modified_end": beijing(NOW)},
        {"modified_begin": beijing(NOW), "modified_end": beijing(NOW - 1)},
        {"modified_begin": "2026-07-29", "modified_end": beijing(NOW)},
        {"modified_begin": beijing(NOW).replace(" ", "T"), "modified_end": beijing(NOW)},
        {"io_ids": 5},
        {"io_ids": list(range(31))},
        {"io_ids": [1], "statuss": ["confirmed"]},
        {"io_ids": [1], "statuss": "Confirmed"},
        {"io_ids": [1], "page_index": 0},
        {"io_ids": [1], "page_size": "x"},
        {"io_ids": [1], "is_get_total": "maybe"},
        {"start_ts": 1, "statuss": ["Confirmed"]},
        {"start_ts": 1, "modified_begin": beijing(NOW)},
        {"start_ts": "abc"},
        {"modified_begin": beijing(NOW), "modified_end": beijing(NOW), "date_type": 1},
    ],
)
def test_parameters_that_are_refused(shared, biz):
    answer = shared.answer(**biz)
    assert (answer["code"], answer["data"]) == (130, None)
    assert not SPECIAL_TEXT.search(answer["msg"])


@pytest.mark.parametrize("biz", ["", "[]", "{", '"x"'])
def test_biz_must_be_an_object(shared, biz):
    assert shared.post(query_form(biz, NOW, "t"))["code"] == 130


def test_a_window_spans_seven_days_at_most(shared):
    week = 7 * 86400
    assert shared.window(NOW - week, NOW)["data_count"] == 200
    answer = shared.answer(modified_begin=beijing(NOW - week - 1), modified_end=beijing(NOW))
    assert answer["code"] == 130


def test_both_ends_of_a_window_are_inside(empty):
    for io_id, offset in enumerate((-11, -10, -5, 0, 1), start=1):
        empty.place(io_id, NOW + offset)
    assert ids(empty.window(NOW - 10, NOW)) == [2, 3, 4]
    assert ids(empty.window(NOW, NOW)) == [4]


def test_only_confirmed_documents_unless_statuses_are_named(empty):
    for io_id, status in enumerate(STATUSES, start=1):
        empty.place(io_id, NOW, status)
    assert ids(empty.window(statuss=[])) == [2]
    assert ids(empty.window(statuss=None)) == [2]
    assert ids(empty.window()) == [1, 2, 3, 4, 5, 6]
    assert ids(empty.window(statuss=["Delete", "Cancelled"])) == [3, 4]
    assert ids(empty.data(io_ids=[2, 3])) == [2]
    assert ids(empty.data(io_ids=["2", 3], statuss=["Cancelled"])) == [3]


def test_date_type_2_takes_the_date_of_receipt(empty):
    empty.place(1, NOW, io_date=beijing(NOW - 100))
    empty.place(2, NOW - 100, io_date=beijing(NOW))
    empty.place(3, NOW - 100, io_date=None)
    assert ids(empty.window(NOW - 100, NOW - 50)) == [2, 3]
    assert ids(empty.window(NOW - 100, NOW - 50, date_type=2)) == [1]


def test_ids_find_documents_and_combine_with_a_window(empty):
    empty.place(1, NOW, po_id=77, so_id="EXT-1")
    empty.place(2, NOW, po_id="77", so_id="EXT-2")
    empty.place(3, NOW - 50, po_id=78, so_id="EXT-1")
    assert ids(empty.data(po_ids=["77"])) == [1, 2]
    assert ids(empty.data(so_ids=["EXT-1"])) == [3, 1]
    assert ids(empty.data(so_ids=["EXT-1"], po_ids=[77])) == [1]
    assert ids(empty.window(NOW - 60, NOW - 40, so_ids=["EXT-1"])) == [3]


# --- time -----------------------------------------------------------------------------------------


def test_beijing_time_has_one_form():
    assert beijing(NOW) == "2026-07-29 16:00:00"
    assert parse_beijing("2026-07-29 16:00:00") == NOW
    for text in (
        "2026-7-29 16:00:00",
        "2026-07-29 16:00:61",
        "2026-02-30 00:00:00",
        "2026-07-29 16:00:00Z",
        "",
    ):
        with pytest.raises(ValueError):
            parse_beijing(text)


def test_a_shifted_clock_refuses_good_timestamps():
    caller = Caller()
    assert caller.control("POST", "clock", {"shift": -3600})["beijing"] == beijing(NOW - 3600)
    assert caller.post(query_form('{"io_ids":[1]}', NOW, "t"))["code"] == 140
    assert caller.post(query_form('{"io_ids":[1]}', NOW - 3600, "t"))["code"] == 0
