"""The sandbox over sockets: the command, HTTP, faults, the control endpoints."""

import base64
import gzip
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from harness.waiting import wait_until

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox import faults, options
from sandbox.client import QUERY, Client, query_form, token_form
from sandbox.clock import beijing
from sandbox.control import Control
from sandbox.core import Sandbox
from sandbox.documents import STATUSES
from sandbox.options import Options
from sandbox.web import Server

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
COMMAND = [PYTHON, str(ROOT / "sandbox" / "server.py")]
ALL = {"page_size": 50, "statuss": list(STATUSES)}


class Running:
    """A sandbox on a free port of this process, and a client of it."""

    def __init__(self, **wanted):
        defaults = {
            "port": 0,
            "documents": 120,
            "max_lines": 20,
            "access_token": "t",
            "rate_second": 0,
            "rate_minute": 0,
            "quiet": True,
        }
        self.server = Server(Sandbox(Options(**{**defaults, **wanted})))
        self.box = self.server.sandbox
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.client = Client(self.server.url, timeout=5)

    def post(self, biz=None, path=QUERY, **headers):
        text = json.dumps({"start_ts": 1} if biz is None else biz)
        form = query_form(text, int(self.box.clock.wall()), "t")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, form, named)

    def code(self):
        return json.loads(self.post()[1])["code"]

    def fault(self, **wish):
        self.client.control("POST", "faults", wish)

    def stop(self):
        self.box.stopping.set()
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()
        self.client.close()


@pytest.fixture
def running():
    box = Running()
    yield box
    box.stop()


# --- HTTP -----------------------------------------------------------------------------------------


def test_an_answer_is_json_with_a_date_on_a_kept_connection(running):
    answer, body = running.post()
    assert (answer.status, answer.version) == (200, 11)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Connection"] == "keep-alive"
    assert len(answer.headers.get_all("Date")) == 1
    assert abs(parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()) < 5
    assert json.loads(body)["msg"] == "执行成功"
    port = running.client._connection.sock.getsockname()
    running.post()
    assert running.client._connection.sock.getsockname() == port


def test_the_date_is_that_of_the_shifted_clock(running):
    running.client.control("POST", "clock", {"shift": 86400})
    answer, _ = running.post()
    assert 86390 < parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time() < 86410


def test_gzip_on_request(running):
    plain = running.post()[1]
    answer, packed = running.post(Accept_Encoding="deflate, gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(packed) < len(plain) / 2
    assert gzip.decompress(packed) == plain


def test_what_is_sent_is_the_truth(running):
    _, raw = running.client.send("GET", "/_control/truth/raw")
    window = {
        "modified_begin": beijing(running.box.clock.second() - 6 * 86400),
        "modified_end": beijing(running.box.clock.second()),
        **ALL,
    }
    pages = [running.post({**window, "page_index": n})[1] for n in (1, 2, 3)]
    lists = [page.partition(b'"datas":[')[2].removesuffix(b"]}}") for page in pages]
    assert b",".join(lists) == b",".join(raw.splitlines())


def test_errors_are_http_200_and_get_too(running):
    answer, body = running.client.send("GET", f"{QUERY}?app_key=sandbox")
    assert (answer.status, json.loads(body)["code"]) == (200, 130)


def test_parallel_clients_are_served(running):
    def work():
        client = Client(running.server.url)
        form = query_form('{"start_ts":1}', int(time.time()), "t")
        sums.append(sum(json.loads(client.post(QUERY, form)[1])["code"] for _ in range(20)))
        client.close()

    sums = []
    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sums == [0] * 5
    assert running.client.control("GET", "stats")["results"] == {"ok": 100}


def test_latency_delays_every_answer():
    box = Running(latency=60)
    try:
        begin = time.monotonic()
        assert box.code() == 0
        assert 0.06 <= time.monotonic() - begin < 2
    finally:
        box.stop()


def test_what_is_no_http_is_refused_in_silence(running, capfd):
    with socket.create_connection(running.server.server_address[:2], timeout=5) as raw:
        raw.sendall(b"nonsense\r\n\r\n")
        assert b"400" in raw.recv(1000)
    with socket.create_connection(running.server.server_address[:2], timeout=5) as raw:
        raw.sendall(b"POST /open/purchasein/query HTTP/1.1\r\nContent-Length: 5\r\n\r\nab")
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(1000) == b""
    assert running.code() == 0
    assert capfd.readouterr().err == ""


# --- control --------------------------------------------------------------------------------------


def test_log_and_statistics(running):
    running.post({**ALL, "io_ids": [7000001]})
    running.post({}, path="/open/other/query")
    first, second = running.client.control("GET", "log")["requests"]
    assert (first["n"], first["path"], first["code"]) == (1, QUERY, 0)
    assert (first["page"], first["documents"]) == (1, 1)
    assert json.loads(first["biz"])["io_ids"] == [7000001]
    assert first["bytes"] > 500
    assert abs(first["wall"] - time.time()) < 5
    assert (second["code"], second["page"], second["http"]) == (190, None, 200)
    assert second["mono"] >= first["mono"]
    stats = running.client.control("GET", "stats")
    assert (stats["documents"], stats["requests"], stats["results"]) == (120, 2, {"ok": 1, "code 190": 1})
    assert (stats["max_per_second"], stats["max_per_minute"]) == (2, 2)
    running.client.control("DELETE", "log")
    assert running.client.control("GET", "log") == {"requests": []}
    assert running.client.control("GET", "stats")["requests"] == 0


BROKEN = [
    b'{"io_id":9,"a":01}',
    b'{"io_id":9,"name":"\xff\xfe"}',
    b'{"io_id":9',
    b'{"io_id":9,"x":"\x00"}',
    b"[]",
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_document_is_sent_as_it_is(running, text):
    wish = {"base64": base64.b64encode(text).decode(), "io_id": 9}
    placed = running.client.control("POST", "documents", wish)
    assert (placed["io_id"], placed["status"]) == (9, "Confirmed")
    _, body = running.post({"io_ids": [9]})
    assert b'"datas":[' + text + b"]" in body
    [entry] = running.client.control("GET", "truth?io_id=9")["documents"]
    assert entry["document"] is None
    assert base64.b64decode(entry["base64"]) == text
    assert running.client.control("POST", "mutate", {"io_id": 9}) == {"changes": []}


def test_a_placed_document_counts_by_what_it_says(running):
    text = (
        '{"io_id":"12","modified":"2026-01-02 03:04:05","io_id":12,"status":"Cancelled","ts":{{ts}},'
        '"po_id":5,"io_date":"2026-01-01 00:00:00"}'
    )
    placed = running.client.control("POST", "documents", {"json": text})
    assert placed == {
        "io_id": 12,
        "ts": placed["ts"],
        "modified": "2026-01-02 03:04:05",
        "status": "Cancelled",
    }
    window = {"modified_begin": "2026-01-02 03:04:05", "modified_end": "2026-01-02 03:04:05", **ALL}
    assert text.replace("{{ts}}", str(placed["ts"])).encode() in running.post(window)[1]
    wish = {"json": '{"io_id":12,"ts":7,"modified":"{{modified}}"}', "ts": 5}
    again = running.client.control("POST", "documents", wish)
    assert (again["ts"], again["status"]) == (5, "Confirmed")
    text = f'{{"io_id":12,"ts":7,"modified":"{again["modified"]}"}}'
    assert text.encode() in running.post({"io_ids": [12]})[1]
    assert running.client.control("GET", "stats")["documents"] == 121


def test_mutations_on_request_and_paused():
    box = Running(mutate_every_requests=1)
    try:
        box.client.control("POST", "pause_mutations")
        box.post()
        assert box.client.control("GET", "stats")["mutations"] == 0
        box.client.control("POST", "resume_mutations")
        box.post()
        assert box.client.control("GET", "stats")["mutations"] == 1
        changes = box.client.control("POST", "mutate", {"count": 3, "kind": "cancel"})["changes"]
        assert [change["kind"] for change in changes] == ["cancel"] * 3
        [entry] = box.client.control("GET", f"truth?io_id={changes[0]['io_id']}")["documents"]
        assert (entry["status"], entry["ts"]) == ("Cancelled", str(changes[0]["ts"]))
    finally:
        box.stop()


def test_the_truth_of_a_window(running):
    whole = running.client.control("GET", "truth")["documents"]
    times = [entry["modified"] for entry in whole]
    begin, end = times[10].replace(" ", "%20"), times[50].replace(" ", "%20")
    part = running.client.control("GET", f"truth?modified_begin={begin}&modified_end={end}")["documents"]
    assert part == [entry for entry in whole if times[10] <= entry["modified"] <= times[50]]


@pytest.mark.parametrize(
    ("method", "name", "wish", "text"),
    [
        ("POST", "faults", {"kind": "nothing"}, "kind must be one of"),
        ("POST", "faults", {"kind": "http", "statsu": 1}, "unknown key 'statsu'"),
        ("POST", "faults", {"kind": "http", "times": "2"}, "times must be a whole number"),
        ("POST", "mutate", {"kind": "nothing"}, "kind must be one of"),
        ("POST", "mutate", {"count": "x"}, "invalid literal"),
        ("POST", "documents", {}, "exactly one of json"),
        ("POST", "documents", {"json": "{"}, "io_id cannot be read"),
        ("POST", "documents", {"base64": "?"}, "Only base64 data is allowed"),
        ("DELETE", "documents", {}, "io_id is needed"),
        ("GET", "truth?modified_begin=x", None, "yyyy-MM-dd"),
        ("PUT", "faults", {}, "no control endpoint PUT"),
        ("GET", "nothing", None, "no control endpoint GET"),
    ],
)
def test_control_says_what_is_wrong(running, method, name, wish, text):
    with pytest.raises(RuntimeError, match=re.escape(text)):
        running.client.control(method, name, wish)
    assert running.client.control("GET", "health") == {"ok": True}


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_stops_when_asked(number):
    with subprocess.Popen(
        [*COMMAND, "--listen", "127.0.0.1:0", "--documents", "20", "--max-lines", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        line = process.stdout.readline()
        assert re.fullmatch(r"sandbox listening on http://127\.0\.0\.1:\d+\n", line)
        client = Client(line.split()[-1])
        client.post(QUERY, token_form(int(time.time())))
        client.control("GET", "health")
        process.send_signal(number)
        assert process.wait(5) == 0
        client.close()
        assert process.stdout.read() == ""
        assert re.fullmatch(rf"POST {QUERY} 200 \d+ bytes\n", process.stderr.read())


def test_it_stops_at_once_in_the_middle_of_an_answer():
    command = [*COMMAND, "--listen", "127.0.0.1:0", "--documents", "5", "--quiet", "--latency", "60000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        client = Client(process.stdout.readline().split()[-1], timeout=0.1)
        with pytest.raises(TimeoutError):
            client.post(QUERY, token_form(int(time.time())))
        process.terminate()
        assert process.wait(3) == 0


def test_it_runs_as_a_module_and_changes_documents_in_the_background():
    command = [PYTHON, "-m", "sandbox", "--listen", "127.0.0.1:0", "--documents", "20", "--mutate", "200"]
    with subprocess.Popen([*command, "--quiet"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        client = Client(process.stdout.readline().split()[-1])
        wait_until("documents to change", lambda: client.control("GET", "stats")["mutations"] >= 3, 5)
        client.close()
        process.terminate()
        assert process.wait(5) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--listen", "8090"], "'8090' is not HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "is not HOST:PORT"),
        (["--documents", "many"], "'many' is not a whole number"),
        (["--documents", "-1"], "is not a whole number"),
        (["--max-lines", "0"], "from 1 to 9999"),
        (["--mutate", "nan"], "is not a number from 0"),
        (["--odd", "maybe"], "neither on nor off"),
        (["--history-end", "yesterday"], "is not YYYY-MM-DD"),
        (["--docu", "1"], "unrecognized arguments: --docu 1"),
        (["extra"], "unrecognized arguments: extra"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_100(capsys, arguments, text):
    with pytest.raises(SystemExit) as stopped:
        options.parse(arguments)
    output = capsys.readouterr()
    assert stopped.value.code == 100
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert text in output.err


def test_options_reach_their_place():
    given = options.parse(
        [
            "--listen",
            "0.0.0.0:1",
            "--odd",
            "off",
            "--rotate-tokens",
            "--token-life",
            "5",
            "--history-end",
            "2026-07-29 16:00:00",
            "--mutate",
            "0.5",
        ]
    )
    assert (given.host, given.port, given.odd, given.rotate_tokens) == ("0.0.0.0", 1, False, True)
    assert (given.token_life, given.history_end, given.mutate) == (5, 1785312000, 0.5)
    assert options.parse([]) == Options()


def test_an_address_that_is_taken_is_exit_111():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--listen", f"127.0.0.1:{port}", "--documents", "1"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    assert (done.returncode, done.stdout) == (111, "")
    assert done.stderr == f"sandbox: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_the_readme_names_every_option_endpoint_and_fault(running):
    readme = (ROOT / "sandbox" / "README.md").read_text(encoding="utf-8")
    known = set(options._parser()._option_string_actions) - {"-h", "--help"}
    assert set(re.findall(r"--[a-z][a-z-]+", readme)) == known
    for _, name in Control(running.box)._calls:
        assert re.search(rf"`(GET |POST |DELETE )?{name}`", readme), name
    for kind in faults.KINDS:
        assert f"| `{kind}` |" in readme, kind
