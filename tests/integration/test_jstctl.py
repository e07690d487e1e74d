"""jstctl as its user sees it: outputs, JSON, exit codes, errors."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from harness import paths, ports
from harness.database import Database
from harness.kafka import KafkaServer
from harness.pipe import Pipe, rename

BIG = "1491926160718000123"  # beyond what a double holds
COLUMNS = 31
APPEND = "message.timestamp.type=LogAppendTime"


class Tool:
    """jstctl in a directory with pipelines and topics.conf of its own; no server."""

    def __init__(self, directory: Path, build: str):
        self.directory = directory
        self.program = paths.program(build, "jstctl")
        (directory / "pipelines").mkdir()
        self.shipped = json.loads((paths.ROOT / "pipelines" / "purchasein.json").read_text())
        self.write_pipeline("purchasein")
        (directory / "topics.conf").write_text((paths.ROOT / "topics.conf").read_text())

    def write_pipeline(self, name: str, change: Callable[[dict[str, Any]], Any] | None = None) -> None:
        content = json.loads(json.dumps(self.shipped))
        if name != content["name"]:
            rename(content, name)
        if change:
            change(content)
        text = json.dumps(content, ensure_ascii=False)
        (self.directory / "pipelines" / f"{name}.json").write_text(text)

    def write(self, name: str, text: str | bytes) -> str:
        (self.directory / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return name

    def __call__(
        self,
        *arguments: str,
        expect: int = 0,
        standard_input: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> tuple[str, str]:
        """Run it; returns standard output and standard error."""
        done = subprocess.run(
            [str(self.program), *arguments],
            input=standard_input,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.directory,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **(env or {})},
        )
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout, done.stderr

    def error(self, *arguments: str, expect: int = 100, **more: Any) -> str:
        """Run it in vain: nothing on standard output; returns standard error."""
        out, err = self(*arguments, expect=expect, **more)
        assert out == ""
        return err


@pytest.fixture
def jstctl(test_dir: Path, build: str) -> Tool:
    return Tool(test_dir, build)


def document(io_id: int, lines: int = 1, **more: Any) -> str:
    """A purchase receipt as JSON text; more replaces fields by JSON text."""
    items = ",".join(
        f'{{"ioi_id":{io_id}{n},"sku_id":"S-{n}","qty":{n}.50,"cost_price":1e2}}' for n in range(1, lines + 1)
    )
    fields = {
        "io_id": str(io_id),
        "ts": BIG,
        "tax_rate": "13.00",
        "warehouse": '"主仓😀"',
        "items": f"[{items}]",
    }
    return "{" + ",".join(f'"{k}":{v}' for k, v in {**fields, **more}.items()) + "}"


def page(*documents: str) -> str:
    return (
        '{"code":0,"issuccess":true,"data":{"page_index":1,"page_count":1,"has_next":false,'
        f'"data_count":{len(documents)},"datas":[{",".join(documents)}]}}}}'
    )


# ---- usage ----


def test_help_names_every_verb_and_option(jstctl: Tool) -> None:
    out, err = jstctl("--help")
    assert out.startswith("Usage: jstctl VERB [ARGUMENT...] [OPTION...]\n")
    assert err == ""
    for word in (
        "check",
        "ddl PIPELINE",
        "preview PIPELINE PAGE.json",
        "topics",
        "--apply",
        "--server",
        "111",
    ):
        assert f"  {word} " in out, word


@pytest.mark.parametrize(
    ("verb", "usage", "option"),
    [
        ("check", "check", "--kafka-config"),
        ("ddl", "ddl PIPELINE", "--server"),
        ("preview", "preview PIPELINE PAGE.json", "--json"),
        ("topics", "topics", "--apply"),
    ],
)
def test_each_verb_has_its_help(jstctl: Tool, verb: str, usage: str, option: str) -> None:
    out, _ = jstctl(verb, "--pipelines", "nowhere", "--help")
    assert out.startswith(f"Usage: jstctl {usage} [OPTION...]\n\n")
    assert f"\n  {option}" in out
    assert ("--apply" in out) == (verb == "topics")


def test_version(jstctl: Tool) -> None:
    out, _ = jstctl("--version")
    assert re.fullmatch(r"jstctl \d+\.\d+\.\d+\n", out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "jstctl: which verb? check, ddl, preview, topics, docs; `jstctl --help` says what they do"),
        ("chek", 'jstctl: unknown verb "chek"; did you mean "check"?'),
        ("frobnicate", 'jstctl: unknown verb "frobnicate"; known: check, ddl, preview, topics, docs'),
        ("ddl", "jstctl: PIPELINE is missing: jstctl ddl PIPELINE; pipelines: purchasein, refund"),
        (
            "preview",
            "jstctl: PIPELINE is missing: jstctl preview PIPELINE PAGE.json; pipelines: purchasein, refund",
        ),
        ("preview refund", "jstctl: PAGE.json is missing: jstctl preview PIPELINE PAGE.json"),
        ("preview refund a b", 'jstctl: "b" is too much: jstctl preview PIPELINE PAGE.json'),
        ("check refund", 'jstctl: "refund" is too much: jstctl check'),
        ("ddl purchasien", 'jstctl: unknown pipeline "purchasien"; did you mean "purchasein"?'),
        ("ddl orders", 'jstctl: unknown pipeline "orders"; known: purchasein, refund'),
        ("preview orders -", 'jstctl: unknown pipeline "orders"; known: purchasein, refund'),
        ("check --apply", "jstctl: --apply is not an option of jstctl check, but of jstctl topics"),
        ("topics --server mysql", "jstctl: --server is not an option of jstctl topics, but of jstctl ddl"),
        ("check --jsn", "error: argument 2: unknown option; did you mean --json?"),
        (
            "ddl refund --server oracle",
            'error: --server: "oracle" is not allowed: one of mysql|mariadb is needed',
        ),
        ("preview refund nowhere.json", "jstctl: nowhere.json: cannot be read: No such file or directory"),
        ("preview refund pipelines", "jstctl: pipelines: cannot be read: Is a directory"),
    ],
)
def test_wrong_usage(jstctl: Tool, arguments: str, message: str) -> None:
    jstctl.write_pipeline("refund")
    assert jstctl.error(*arguments.split()) == message + "\n"


def test_unknown_variable_is_wrong_usage(jstctl: Tool) -> None:
    assert "did you mean JST_BROKERS?" in jstctl.error("check", env={"JST_BROKER": "x"})


def test_output_that_cannot_be_written_is_a_failure(jstctl: Tool) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(jstctl.program), "check"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=jstctl.directory,
            env={},
            check=False,
        )
    assert done.returncode == 111
    assert done.stderr == "jstctl: standard output cannot be written: No space left on device\n"


# ---- check ----


def test_check_of_what_is_shipped(jstctl: Tool) -> None:
    out, err = jstctl("check")
    assert err == ""
    assert out == (
        "PIPELINE    API                     TABLE             COLUMNS  SCHEDULE   FILE\n"
        "purchasein  /open/purchasein/query  purchasein_query  31       0 * * * *  "
        "pipelines/purchasein.json\n"
        "\n"
        "1 pipeline can be used, 0 errors, 0 warnings\n"
    )
    out, _ = jstctl("check", "--json")
    assert json.loads(out) == {
        "pipelines": [
            {
                "name": "purchasein",
                "title": "聚水潭-采购入库单-->BI卡卡-采购入库表",
                "file": "pipelines/purchasein.json",
                "api": "/open/purchasein/query",
                "table": "purchasein_query",
                "columns": COLUMNS,
                "schedule": "0 * * * *",
                "sweep": None,
            }
        ],
        "faults": [],
    }


def test_check_with_warnings_alone_is_fine(jstctl: Tool) -> None:
    jstctl.write_pipeline("purchasein", lambda p: p["source"].update(idCheck=True, oddity=1))
    out, _ = jstctl("check")
    assert re.search(r"warning: pipelines/purchasein\.json:\d+:\d+: source\.idCheck: ", out)
    assert re.search(r"warning: pipelines/purchasein\.json:\d+:\d+: source\.oddity: not used\n", out)
    assert out.endswith("1 pipeline can be used, 0 errors, 2 warnings\n")
    out, _ = jstctl("check", "--json")
    assert {fault["level"] for fault in json.loads(out)["faults"]} == {"warning"}


def test_check_refuses_a_second_pipeline_of_one_table(jstctl: Tool) -> None:
    def share(table: str) -> Callable[[dict[str, Any]], None]:
        def change(p: dict[str, Any]) -> None:
            sql = p["target"]["otherRequest"][0]
            sql["value"] = sql["value"].replace("refund_query", table)

        return change

    for table, code, text in (
        ("purchasein_query", 1, "error: .*: the table purchasein_query is that of pipeline purchasein "),
        ("PurchaseIn_Query", 1, "error: .*: the table PurchaseIn_Query is that of pipeline purchasein "),
        (
            "erp.purchasein_query",
            0,
            "warning: .*: the table erp.purchasein_query may be purchasein_query of ",
        ),
    ):
        jstctl.write_pipeline("refund", share(table))
        out, _ = jstctl("check", expect=code)
        assert re.search(rf"{text}", out)


def break_it(p: dict[str, Any]) -> None:
    p["schedule"]["crontab"] = "61 * * * *"
    p["optoins"] = {}
    p["options"]["overlap"] = "tenmin"
    p["target"]["request"][3]["type"] = "strin"


def test_check_names_every_fault(jstctl: Tool) -> None:
    jstctl.write_pipeline("broken", break_it)
    jstctl.write("pipelines/junk.json", '{"name": ')
    jstctl.write("topics.conf", "raw jst.{pipeline}.raw many\nstat jst.state 1\n")
    jstctl.write("kafka.properties", "securty.protocol=ssl\n\nwhat\n")
    text = (jstctl.directory / "pipelines" / "broken.json").read_text()
    out, _ = jstctl("check", "--kafka-config", "kafka.properties", expect=1)

    def at(value: str, behind: str = "") -> str:
        return f"pipelines/broken.json:1:{text.index(behind + value) + len(behind) + 1}"

    for place in (
        at('"61 * * * *"') + ": schedule.crontab: ",
        at("{}", '"optoins": ') + ': optoins: unknown key "optoins"; did you mean "options"?',
        at('"tenmin"') + ": options.overlap: ",
        at('"strin"') + ': target.request[3].type: unknown type "strin"; did you mean "string"?',
        "pipelines/junk.json:1:10: ",
        "topics.conf:1: partitions: ",
        'topics.conf:2: unknown role "stat"; did you mean state?',
        "kafka.properties:1: unknown property; did you mean security.protocol?",
        "kafka.properties:3: the line is not of the form name=value",
    ):
        assert f"error: {place}" in out, f"{place}\n{out}"
    assert "\npurchasein  " in out
    assert "\nbroken  " not in out
    assert out.endswith("1 pipeline can be used, 9 errors, 0 warnings\n")
    out, err = jstctl("check", "--kafka-config", "kafka.properties", "--json", expect=1)
    report = json.loads(out)
    assert err == ""
    assert [p["name"] for p in report["pipelines"]] == ["purchasein"]
    assert len(report["faults"]) == 9
    assert {
        "level": "error",
        "place": "topics.conf:2",
        "text": 'unknown role "stat"; did you mean state?; roles are raw, rows, dead and state',
    } in report["faults"]


def test_check_where_nothing_is(jstctl: Tool) -> None:
    out, _ = jstctl("check", "--pipelines", "no", "--topics", "nor", "--kafka-config", "nay", expect=1)
    assert out == (
        "error: no: cannot be read: No such file or directory\n"
        "error: nor: cannot be read: No such file or directory\n"
        "error: nay: cannot be read: No such file or directory\n"
        "\n"
        "0 pipelines can be used, 3 errors, 0 warnings\n"
    )


def test_check_prints_foreign_names_safely(jstctl: Tool) -> None:
    (jstctl.directory / "pipelines" / "a\x1b[31m.json").write_text("[]")
    Path(bytes(jstctl.directory / "pipelines").decode() + "/b\udcff.json").write_text("[]")
    out, _ = jstctl("check", "--json", expect=1)
    places = [fault["place"] for fault in json.loads(out)["faults"]]
    assert places == ["pipelines/a\x1b[31m.json:1:1", "pipelines/b�.json:1:1"]


# ---- ddl ----


def statements(sql: str) -> list[str]:
    """What stands between the semicolons, without comment lines: no text of ours holds a semicolon."""
    code = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
    return [part.strip() for part in code.split(";") if part.strip()]


def test_ddl_runs_as_it_stands(jstctl: Tool, database: Database) -> None:
    long_label = "库" * 3000

    def change(p: dict[str, Any]) -> None:
        p["title"] = long_label
        p["target"]["request"][3]["label"] = 'it\'s \\ "quoted"\n' + long_label

    jstctl.write_pipeline("purchasein", change)
    sql, err = jstctl("ddl", "purchasein", "--server", database.server.kind)
    assert err == ""
    assert sql.startswith("-- The tables of pipeline purchasein, for M")
    assert sql.endswith(";\n")
    for _ in range(2):  # a second run finds them there
        for statement in statements(sql):
            database.execute(statement)
    columns = database.columns("purchasein_query")
    assert list(columns) == [field["field"] for field in jstctl.shipped["target"]["request"]]
    assert columns["ts"] == "bigint"
    assert database.has_table("jst_heads") and database.has_table("jst_offsets")
    collation = "utf8mb4_0900_bin" if database.server.kind == "mysql" else "utf8mb4_nopad_bin"
    found = database.query(
        "SELECT column_name AS name, collation_name AS collation FROM information_schema.columns"
        " WHERE table_schema = %s AND column_name IN ('id', 'document') ORDER BY 1",
        (database.name,),
    )
    assert [(row["name"], row["collation"]) for row in found] == [("document", collation), ("id", collation)]


def test_ddl_through_the_servers_own_client(jstctl: Tool, database: Database) -> None:
    """As a user would: a pipe into the client, whose character set may be any."""
    sql, _ = jstctl("ddl", "purchasein", "--server", database.server.kind)
    done = subprocess.run(
        [
            "/usr/bin/mariadb",
            "--no-defaults",
            "--default-character-set=latin1",
            f"--socket={database.server.socket}",
            "--user=root",
            database.name,
        ],
        input=sql,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    label = database.value(
        "SELECT column_comment FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = 'purchasein_query' AND column_name = 'warehouse'",
        (database.name,),
    )
    assert label == "仓库名称"


def test_ddl_as_json_holds_the_same_statements(jstctl: Tool) -> None:
    sql, _ = jstctl("ddl", "purchasein")
    report = json.loads(jstctl("ddl", "purchasein", "--json")[0])
    assert report["pipeline"] == "purchasein"
    assert report["server"] == "mysql"
    assert ["SET NAMES utf8mb4", *report["statements"]] == statements(sql)


def test_ddl_beside_a_broken_pipeline(jstctl: Tool) -> None:
    jstctl.write_pipeline("broken", break_it)
    out, err = jstctl("ddl", "purchasein")
    assert out.startswith("-- The tables of pipeline purchasein")
    assert err == "jstctl: 4 errors elsewhere in the configuration: `jstctl check`\n"
    err = jstctl.error("ddl", "broken")
    assert err.count("error: pipelines/broken.json:") == 4
    assert err.endswith(
        'jstctl: unknown pipeline "broken"; known: purchasein; '
        "those with errors, which stand above, are left out\n"
    )


# ---- preview ----


def test_preview_as_text(jstctl: Tool) -> None:
    name = jstctl.write("page.json", page(document(7, 2), document(8, 0)))
    out, err = jstctl("preview", "purchasein", name)
    assert err == ""
    lines = out.splitlines()
    assert lines[:6] == [
        f"document 1 of 2: 7, version {BIG}, 2 rows",
        "  row 1 of 2",
        '    id                = "7-71"',
        "    io_id             = 7",
        f"    ts                = {BIG}",
        '    warehouse         = "主仓😀"',
    ]
    assert lines[1 + 1 + COLUMNS] == "  row 2 of 2"
    assert "    items_qty         = 2.50" in lines
    assert "    tax_rate          = 13.00" in lines
    assert f"document 2 of 2: 8, version {BIG}, 1 row" in lines
    assert '    id                = "8-"' in lines
    assert "    items_ioi_id      = null" in lines
    assert out.endswith("\n\n2 documents: 2 with 3 rows\n")


def test_preview_as_json_keeps_digits(jstctl: Tool) -> None:
    out, _ = jstctl("preview", "purchasein", "-", "--json", standard_input=page(document(7, 2)))
    assert f'"ts":{BIG},' in out
    assert '"tax_rate":13.00,' in out
    assert '"items_qty":2.50,"items_cost_price":100,' in out
    found = json.loads(out)
    assert list(found) == ["document", "version", "rows"]
    assert (found["document"], found["version"]) == ("7", BIG)
    assert [row["id"] for row in found["rows"]] == ["7-71", "7-72"]
    assert list(found["rows"][0]) == [field["field"] for field in jstctl.shipped["target"]["request"]]


def test_preview_is_what_the_transformer_publishes(
    jstctl: Tool, make_pipe: Callable[..., Pipe], kafka: KafkaServer
) -> None:
    body = page(
        document(7, 3), document(8, 0), document(9, 1, remark='"\\"a\\u00e9\\n😀"', ts="-1"), document(10, 1)
    )
    pipe = make_pipe(kafka)
    pipe.create_topics()
    headers = {
        "jst-pipeline": "purchasein",
        "jst-api": "/open/purchasein/query",
        "jst-biz": "{}",
        "jst-window-begin": "2026-08-13 11:00:00",
        "jst-window-end": "2026-08-13 12:00:00",
        "jst-page": "1",
        "jst-page-count": "1",
        "jst-fetched-at": "2026-08-13T04:00:00.000Z",
        "jst-run": "live",
    }
    kafka.produce(pipe.topic("raw"), body, "2026-08-13 11:00:00/2026-08-13 12:00:00", headers)
    pipe.once("transformer")
    published = {
        record.headers["jst-document"]: (record.headers["jst-version"], record.value.decode())
        for record in kafka.consume_all(pipe.topic("rows"))
        if record.value is not None
    }
    dead = kafka.consume_all(pipe.topic("dead"))
    out, _ = jstctl("preview", "purchasein", "-", "--json", standard_input=body, expect=1)
    lines = out.splitlines()
    for name in ("7", "8", "10"):
        version, value = published.pop(name)
        rows = ",".join(value.splitlines())
        assert f'{{"document":"{name}","version":"{version}","rows":[{rows}]}}' in lines
    assert published == {}
    (refused,) = (json.loads(line) for line in lines if '"dead"' in line)
    (letter,) = dead
    assert refused == {
        "document": "9",
        "dead": {"class": letter.headers["jst-error-class"], "text": letter.headers["jst-error-text"]},
    }


def test_preview_lists_dead_letters(jstctl: Tool) -> None:
    name = jstctl.write(
        "page.json",
        page(
            document(7),
            document(8, items='[{"ioi_id":1,"qty":"many"}]'),
            '{"ts":1}',
            '{"io_id":9,"io_id":9}',
            document(10),
            document(11, items='[{"ioi_id":1},{"ioi_id":2},{"ioi_id":1}]'),
        ),
    )
    out, _ = jstctl("preview", "purchasein", name, expect=1)
    assert "\ndocument 2 of 6: 8: a dead letter, class convert: line 1: column items_qty: " in out
    assert "\ndocument 3 of 6: a dead letter, class convert: the document has no io_id" in out
    assert "\ndocument 4 of 6: a dead letter, class parse: " in out
    assert f"\ndocument 5 of 6: 10, version {BIG}, 1 row\n" in out
    assert "\ndocument 6 of 6: 11: a dead letter, class convert: rows 1 and 3 have the same key (id): " in out
    assert out.endswith("\n6 documents: 2 with 2 rows, 4 dead letters\n")
    out, _ = jstctl("preview", "purchasein", name, "--json", expect=1)
    found = [json.loads(line) for line in out.splitlines()]
    assert [d["document"] for d in found] == ["7", "8", None, None, "10", "11"]
    assert [d["dead"]["class"] for d in found if "dead" in d] == ["convert", "convert", "parse", "convert"]


def test_preview_knows_the_topics_limit(jstctl: Tool) -> None:
    jstctl.write("small.conf", f"rows jst.{{pipeline}}.rows 6 max.message.bytes=1MiB {APPEND}\n")
    name = jstctl.write("page.json", page(document(7, 1), document(8, 4000)))
    out, _ = jstctl("preview", "purchasein", name, "--topics", "small.conf", expect=1)
    assert re.search(
        r"document 2 of 2: 8: a dead letter, class too-large: its 4000 rows have \d+ bytes, "
        r"more than topic jst\.purchasein\.rows takes\n",
        out,
    )


@pytest.mark.parametrize(
    ("body", "code", "text", "as_json"),
    [
        (page(), 0, "the page holds no documents: such a page is not published\n", None),
        (
            '{"code":0,"data":{"datas":null}}',
            0,
            "the page holds no documents: such a page is not published\n",
            None,
        ),
        (
            "",
            1,
            "the whole page: a dead letter, class parse: the answer is not one whole JSON object (0 bytes)\n",
            {
                "document": None,
                "dead": {"class": "parse", "text": "the answer is not one whole JSON object (0 bytes)"},
            },
        ),
        (
            '{"code":0,"data":{"datas":[{"io_id":1',
            1,
            "the whole page: a dead letter, class parse: "
            "the answer is not one whole JSON object (37 bytes)\n",
            {
                "document": None,
                "dead": {"class": "parse", "text": "the answer is not one whole JSON object (37 bytes)"},
            },
        ),
        (
            '{"code":190,"msg":"IP\\n\\u001b[31m"}',
            1,
            "the API answers with code 190 (IP\\n\\u001b[31m): such a page is not published\n",
            {
                "page": {
                    "code": 190,
                    "text": "the API answers with code 190 (IP\n\x1b[31m): such a page is not published",
                }
            },
        ),
        (
            '{"code":0,"data":{"orders":[{"io_id":1}]}}',
            1,
            "the page has no list datas: is the pipeline's option `list` right?\n",
            {
                "page": {
                    "code": 0,
                    "text": "the page has no list datas: is the pipeline's option `list` right?",
                }
            },
        ),
    ],
)
def test_preview_of_odd_pages(jstctl: Tool, body: str, code: int, text: str, as_json: object) -> None:
    name = jstctl.write("page.json", body)
    assert jstctl("preview", "purchasein", name, expect=code) == (text, "")
    out, _ = jstctl("preview", "purchasein", name, "--json", expect=code)
    assert (json.loads(out) if out else None) == as_json


# ---- topics ----


def topics(pipe: Pipe, *more: str, expect: int = 0) -> dict[str, dict[str, Any]]:
    done = pipe.jstctl("topics", "--json", *more, expect=expect)
    assert done.stderr == ""
    return {topic["name"]: topic for topic in json.loads(done.stdout)["topics"]}


def test_topics_shows_then_creates(make_pipe: Callable[..., Pipe], kafka: KafkaServer) -> None:
    pipe = make_pipe(kafka)
    names = [pipe.topic(role) for role in ("raw", "rows", "dead", "state")]
    width = max(map(len, names)) + 2
    done = pipe.jstctl("topics", expect=1)
    assert done.stdout.splitlines() == [
        f"{'TOPIC':{width}}PARTITIONS  STATE",
        f"{names[0]:{width}}-           missing; 3 partitions wanted",
        f"{names[1]:{width}}-           missing; 6 partitions wanted",
        f"{names[2]:{width}}-           missing; 1 partition wanted",
        f"{names[3]:{width}}-           missing; 1 partition wanted",
        "",
        "4 topics, 4 not as topics.conf has them; `jstctl topics --apply` creates and alters",
    ]
    assert not set(names) & set(kafka.topics())  # looking changes nothing
    done = pipe.jstctl("topics", "--apply")
    assert done.stdout.splitlines() == [
        f"{'TOPIC':{width}}PARTITIONS  STATE",
        f"{names[0]:{width}}3           created",
        f"{names[1]:{width}}6           created",
        f"{names[2]:{width}}1           created",
        f"{names[3]:{width}}1           created",
        "",
        "4 topics, all as topics.conf has them",
    ]
    assert kafka.topic_config(names[1])["message.timestamp.type"] == "LogAppendTime"
    assert kafka.topic_config(names[3])["cleanup.policy"] == "compact"
    assert pipe.jstctl("topics").stdout.count("  fine\n") == 4
    again = topics(pipe, "--apply")
    assert {topic["change"] for topic in again.values()} == {"none"}


def test_topics_alters_what_differs(make_pipe: Callable[..., Pipe], kafka: KafkaServer) -> None:
    pipe = make_pipe(kafka)
    raw, rows, state = (pipe.topic(role) for role in ("raw", "rows", "state"))
    pipe.create_topics()
    pipe.write_topics({"raw": 5}, {"rows": f"retention.ms=1s {APPEND}", "state": "cleanup.policy=compact"})
    found = topics(pipe, expect=1)
    assert found[raw] == {
        "name": raw,
        "role": "raw",
        "exists": True,
        "partitions": 3,
        "partitions_wanted": 5,
        "differs": "3 partitions instead of 5",
        "change": "none",
    }
    assert found[rows]["differs"] == "retention.ms=7776000000 instead of 1000"
    assert found[state]["differs"] is None
    done = pipe.jstctl("topics", "--apply")
    assert f"{raw}  " in done.stdout
    assert "5           altered; it had 3 partitions instead of 5\n" in done.stdout
    assert "altered; it had retention.ms=7776000000 instead of 1000\n" in done.stdout
    assert kafka.partitions(raw) == 5
    config = kafka.topic_config(rows)
    assert config["retention.ms"] == "1000"
    assert config["max.message.bytes"] == "16777216"  # what topics.conf does not name stays
    assert {topic["differs"] for topic in topics(pipe).values()} == {None}


def test_topics_says_what_cannot_be_mended(make_pipe: Callable[..., Pipe], kafka: KafkaServer) -> None:
    pipe = make_pipe(kafka)
    pipe.create_topics()
    pipe.write_topics({"raw": 2})
    for arguments in ((), ("--apply",)):
        done = pipe.jstctl("topics", *arguments, expect=1)
        assert (
            "still differs: " if arguments else "  differs: "
        ) + "3 partitions instead of 2\n" in done.stdout
        assert done.stdout.endswith(
            "\n4 topics, 1 not as topics.conf has it\n"
            "Kafka takes no partitions away: write what is there into topics.conf\n"
        )
    found = topics(pipe, "--apply", expect=1)
    assert found[pipe.topic("raw")]["change"] == "none"


def test_topics_sees_the_replication(make_pipe: Callable[..., Pipe], kafka: KafkaServer) -> None:
    pipe = make_pipe(kafka)
    pipe.create_topics()
    pipe.write_topics(settings={"dead": "max.message.bytes=17MiB replication=3"})
    found = topics(pipe, expect=1)
    assert found[pipe.topic("dead")]["differs"] == "replication=1 instead of 3"
    assert pipe.jstctl("topics", expect=1).stdout.endswith(
        "Replication is changed by Kafka's own kafka-reassign-partitions alone\n"
    )


def test_topics_of_every_pipeline(make_pipe: Callable[..., Pipe], kafka: KafkaServer) -> None:
    pipe = make_pipe(kafka)
    pipe.edit_pipeline(lambda p: p.update(title="refunds"), new="refund")
    found = topics(pipe, "--apply")
    assert len(found) == 7
    assert {topic["change"] for topic in found.values()} == {"created"}
    assert found[pipe.topic("rows", "refund")]["partitions"] == 6


def test_topics_that_the_broker_refuses(make_pipe: Callable[..., Pipe], kafka: KafkaServer) -> None:
    pipe = make_pipe(kafka)
    pipe.write_topics(settings={"raw": f"replication=3 {APPEND}"})
    done = pipe.jstctl("topics", "--apply", expect=111)
    assert done.stdout == ""
    assert re.fullmatch(
        rf"jstctl: Kafka at {kafka.brokers}: topic {pipe.topic('raw')} cannot be created: .*replication.*\n",
        done.stderr,
    )


def test_topics_with_a_broken_pipeline_touches_nothing(
    make_pipe: Callable[..., Pipe], kafka: KafkaServer
) -> None:
    pipe = make_pipe(kafka)
    pipe.edit_pipeline(break_it, new="broken")
    done = pipe.jstctl("topics", "--apply", expect=100)
    assert done.stdout == ""
    assert done.stderr.count("error: ") == 4
    assert done.stderr.endswith("\njstctl: 4 errors in the configuration\n")
    assert pipe.topic("raw") not in kafka.topics()


@pytest.mark.parametrize("arguments", [(), ("--apply",)])
def test_topics_without_a_broker_ends_in_time(jstctl: Tool, arguments: tuple[str, ...]) -> None:
    broker = f"127.0.0.1:{ports.free_port()}"
    start = time.monotonic()
    err = jstctl.error("topics", "--brokers", broker, *arguments, expect=111)
    assert time.monotonic() - start < 15
    assert re.fullmatch(
        rf"jstctl: Kafka at {broker}: the brokers do not answer: .*Connection refused.*\n", err
    )
