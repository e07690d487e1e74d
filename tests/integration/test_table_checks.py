"""Faulty tables: the loader names every fault and a statement that mends it, and the rows then arrive whole."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import pymysql
import pytest
from harness import feed, paths
from harness.database import DatabaseServer
from harness.waiting import wait_until

EXACT = {"mysql": "utf8mb4_0900_bin", "mariadb": "utf8mb4_nopad_bin"}
IDS = ("a", "A", "a ", "款")  # what a careless key merges
MEND = re.compile(r"mend it with: (.*?)(; then `jstctl|$)")
TEXT_ID = "VARCHAR(64) CHARACTER SET utf8mb4 COLLATE {exact}"


@dataclass
class Case:
    """One faulty table. {t} is its name, {exact} the collation that is exact."""

    sql: str
    says: tuple[str, ...]  # each stands in the reason
    ids: tuple[str, ...] = IDS  # of the document's rows
    key: tuple[str, ...] = ("id",)
    document: str = "int"  # the type of io_id in the pipeline
    only: str = ""  # a kind of server
    after: str = ""  # what the statement must not undo: a query that gives 1
    key_type: str = "string"


def table(
    key: str = f"`id` {TEXT_ID} NOT NULL",
    document: str = "`io_id` BIGINT",
    note: str = "`note` VARCHAR(255)",
    qty: str = "`qty` DECIMAL(24,6)",
    more: str = "",
    primary: str = "PRIMARY KEY (`id`)",
    index: str = "KEY `d` (`io_id`)",
    engine: str = "InnoDB",
    charset: str = "utf8mb4",
) -> str:
    parts = [part for part in (key, document, note, qty, more, primary, index) if part]
    return f"CREATE TABLE {{t}} ({', '.join(parts)}) ENGINE={engine} DEFAULT CHARSET={charset}"


CASES = {
    "view": Case(
        table().replace("{t}", "{t}_base") + "; CREATE VIEW {t} AS SELECT * FROM {t}_base", ("VIEW",)
    ),
    "myisam": Case(table(engine="MyISAM"), ("MyISAM",)),
    "memory": Case(table(engine="MEMORY"), ("MEMORY",)),
    "aria": Case(table(engine="Aria"), ("Aria",), only="mariadb"),
    "missing": Case(table(note="", qty=""), ("no column note, qty",)),
    "missing_all": Case(
        "CREATE TABLE {t} (x INT) DEFAULT CHARSET=latin1", ("no column id, io_id, note, qty",)
    ),
    "generated": Case(table(qty="qty INT AS (io_id * 2) VIRTUAL"), ("qty is generated",)),
    "stored": Case(table(qty="qty INT AS (io_id * 2) STORED"), ("qty is generated",)),
    "unfilled": Case(
        table(more="x VARCHAR(9) CHARACTER SET latin1 NOT NULL COMMENT 'it''s', y DATE NOT NULL"),
        ("column x is NOT NULL without", "column y is NOT NULL"),
        after="SELECT COLUMN_COMMENT='it''s' AND CHARACTER_SET_NAME='latin1' FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA=DATABASE() AND TABLE_NAME='{t}' AND COLUMN_NAME='x'",
    ),
    "latin1": Case(
        table(note="note VARCHAR(255) NOT NULL DEFAULT 'it''s' COMMENT 'a'", charset="latin1"),
        ("note takes latin1 only",),
        after="SELECT COLUMN_COMMENT='a' AND COLUMN_DEFAULT LIKE '%it%s%' AND IS_NULLABLE='NO' FROM"
        " information_schema.COLUMNS WHERE TABLE_SCHEMA=DATABASE() AND TABLE_NAME='{t}' AND COLUMN_NAME='note'",
    ),
    "utf8mb3": Case(table(note="note TEXT CHARACTER SET utf8mb3"), ("not utf8mb4",)),
    "wide_latin1": Case(table(note="note VARCHAR(20000) CHARACTER SET latin1"), ("latin1 only",)),
    "case": Case(
        table(key="id VARCHAR(64) COLLATE utf8mb4_general_ci NOT NULL"), ("not compare byte by byte",)
    ),
    "padded": Case(table(key="id VARCHAR(64) COLLATE utf8mb4_bin NOT NULL"), ("id belongs to the key",)),
    "char": Case(table(key="id CHAR(64) COLLATE {exact} NOT NULL"), ("loses the spaces",)),
    "enum": Case(table(key="id ENUM('a','A ','款') COLLATE {exact} NOT NULL"), ("does not tell",)),
    "prefix": Case(table(primary="UNIQUE KEY k (id(1))"), ("unique index k", "no primary or unique key")),
    "wide": Case(
        table(key="id VARCHAR(1000) COLLATE {exact}", primary=""), ("too wide", "no primary or unique key")
    ),
    "wide_latin1_key": Case(table(key="id VARCHAR(1000) CHARACTER SET latin1 NOT NULL"), ("latin1",)),
    "nullable": Case(table(key=f"id {TEXT_ID}", primary="UNIQUE KEY k (id)"), ("may be NULL",)),
    "text": Case(table(key="id TEXT COLLATE {exact}", primary=""), ("cannot be indexed whole",)),
    "text_prefix": Case(
        table(key="id TEXT COLLATE {exact}", primary="UNIQUE KEY k (id(1))"), ("unique index k",)
    ),
    "float": Case(table(key="id FLOAT NOT NULL"), ("does not tell",), ids=("16777216", "16777217")),
    "zerofill": Case(
        table(key="id INT(6) ZEROFILL NOT NULL"), ("other digits",), ids=("7", "70"), key_type="int"
    ),
    "auto": Case(
        table(key="id INT NOT NULL AUTO_INCREMENT"), ("numbers itself",), ids=("0", "7"), key_type="int"
    ),
    "bit": Case(table(qty="qty BIT(8)"), ("qty is BIT",)),
    "no_index": Case(table(index=""), ("has no index",)),
    "index_prefix": Case(
        table(document="io_id TEXT COLLATE {exact}", index="KEY jst_document (io_id(9))"),
        ("io_id holds the document's id and cannot be indexed whole", "has no index"),
        document="string",
    ),
    "document_case": Case(
        table(document="io_id VARCHAR(64) COLLATE utf8mb4_general_ci"), ("not compare",), document="string"
    ),
    "document_double": Case(table(document="io_id DOUBLE"), ("does not tell",)),
    "second": Case(table(more="UNIQUE KEY so (note)"), ("unique index so",)),
    "second_prefix": Case(table(more="UNIQUE KEY so (note(3), qty)"), ("unique index so",)),
    "second_hash": Case(
        table(note="note TEXT", more="UNIQUE KEY so (note)"), ("unique index so",), only="mariadb"
    ),
    "second_expression": Case(table(more="UNIQUE KEY so ((lower(note)))"), ("index so",), only="mysql"),
    "second_same": Case(table(more="x INT NOT NULL DEFAULT 0, UNIQUE KEY u (x)"), ("unique index u",)),
    "other_primary": Case(table(primary="PRIMARY KEY (note)"), ("PRIMARY lets",)),
    "document_primary": Case(table(primary="PRIMARY KEY (io_id)", index=""), ("PRIMARY lets", "no index")),
    "surrogate": Case(
        table(more="pk INT NOT NULL AUTO_INCREMENT", primary="PRIMARY KEY (pk)"),
        ("no primary or unique key",),
    ),
    "tenant": Case(
        table(more="tenant INT NOT NULL", primary="PRIMARY KEY (tenant, id)"),
        ("tenant is NOT NULL", "PRIMARY"),
    ),
    "two": Case(
        table(key="id VARCHAR(500) COLLATE {exact}", note="note VARCHAR(500) COLLATE {exact}", primary=""),
        ("no primary or unique key over just (`id`,`note`)",),
        key=("id", "note"),
    ),
    "child": Case(
        table() + "; CREATE TABLE {t}_child (x VARCHAR(64) CHARACTER SET utf8mb4 COLLATE {exact},"
        " CONSTRAINT {t}_fk FOREIGN KEY (x) REFERENCES {t} (id) ON DELETE CASCADE)",
        ("ON DELETE CASCADE",),
    ),
    "everything": Case(
        table(
            key="id VARCHAR(900) CHARACTER SET latin1",
            document="io_id DECIMAL(20,0)",
            note="note CHAR(20) CHARACTER SET latin1",
            qty="",
            more="x INT NOT NULL, UNIQUE KEY so (note)",
            primary="",
            index="",
            engine="MyISAM",
        ),
        ("MyISAM", "no column qty", "latin1", "column x", "index so", "no primary", "no index"),
    ),
}


def field(name: str, kind: str) -> dict[str, str]:
    return {"field": name, "type": kind, "value": f"{{{name}}}"}


def pipeline(name: str, case: Case) -> str:
    """One without arrays: rows are published as they shall be stored."""
    request = [("page_index", "1"), ("page_size", "50")]
    request += [
        ("modified_begin", "{{LAST_SYNC_TIME|datetime}}"),
        ("modified_end", "{{CURRENT_TIME|datetime}}"),
    ]
    columns = [field("id", case.key_type), field("io_id", case.document)]
    columns += [field("note", "string"), field("qty", "float")]
    sql = f"REPLACE INTO {name}(id,io_id,note,qty) VALUES"
    return json.dumps(
        {
            "name": name,
            "source": {
                "api": "/open/purchasein/query",
                "request": [{"field": f, "type": "string", "value": v} for f, v in request],
            },
            "target": {
                "api": "batchexecute",
                "request": columns,
                "otherRequest": [
                    {"field": "main_sql", "type": "string", "value": sql},
                    {"field": "limit", "type": "string", "value": "1000"},
                ],
            },
            "options": {"document": "io_id", "version": "ts", "key": list(case.key)},
        }
    )


def publish(pipe, name: str, case: Case, **values) -> None:
    config = dict(s.split("=", 1) for s in pipe_settings())
    pipe.kafka.create_topic(pipe.topic("rows", name), 1, config)
    number = case.key_type == "int"
    document = 7 if case.document == "int" else "7"
    fixed = {"io_id": document, "note": "😀", "qty": 1, **values}
    rows = [{"id": int(i) if number else i, **fixed} for i in case.ids]
    key, value, headers = feed.rows_message(7, 1, rows)
    pipe.kafka.produce(pipe.topic("rows", name), value, key, {**headers, "jst-pipeline": name})


def pipe_settings() -> list[str]:
    return ["retention.ms=7776000000", "max.message.bytes=16777216", "message.timestamp.type=LogAppendTime"]


def run(database, statements: str) -> None:
    for statement in statements.split("; "):
        database.execute(statement)


def reasons(loader) -> dict[str, str]:
    """Of each paused pipeline, as /readyz tells them."""
    found = {}
    for line in loader.get("/readyz")[1].splitlines():
        name = re.search(r"\bc_\w+", line)
        if name:
            found.setdefault(name.group(), line)
    return found


def test_every_faulty_table_is_mended_by_its_statement(kafka, database, make_pipe):
    kind = database.server.kind
    cases = {f"c_{name}": case for name, case in CASES.items() if case.only in ("", kind)}
    pipe = make_pipe(kafka, database)
    (pipe.pipelines / "purchasein.json").unlink()
    for name, case in cases.items():
        run(database, case.sql.format(t=name, exact=EXACT[kind]))
        (pipe.pipelines / f"{name}.json").write_text(pipeline(name, case))
        publish(pipe, name, case)

    loader = pipe.start("loader", ready=False)
    wait_until(
        "all pipelines to pause",
        lambda: set(reasons(loader)) == set(cases),
        60,
        alive=[loader],
    )
    said = reasons(loader)
    loader.stop()
    wrong = []
    for name, case in cases.items():
        wrong += [f"{name}: no {text!r} in {said[name]}" for text in case.says if text not in said[name]]
        assert database.count(name) == 0, name
        statement = MEND.search(said[name])
        if not statement:
            wrong.append(f"{name}: no statement in {said[name]}")
            continue
        try:
            database.execute(statement.group(1))
        except pymysql.MySQLError as error:
            wrong.append(f"{name}: {error}: {statement.group(1)}")
    assert not wrong, "\n".join(wrong)

    after = pipe.start("loader", ready=False)
    wait_until(
        "the rows of all pipelines",
        lambda: all(database.count(name) == len(case.ids) for name, case in cases.items())
        or after_says(after),
        60,
        alive=[after],
    )
    for name, case in cases.items():
        rows = database.query(f"SELECT id, note FROM {name}")
        assert sorted(str(r["id"]) for r in rows) == sorted(case.ids), name
        assert case.after == "" or database.value(case.after.format(t=name)) == 1, name
    after.wait_ready()


def after_says(loader) -> bool:
    """Fail at once with what is still wrong."""
    left = reasons(loader)
    assert not left, "\n".join(left.values())
    return False


def load_one(pipe, database, sql: str, **values) -> dict:
    """Load one row into a sound table; gives what is stored."""
    (pipe.pipelines / "purchasein.json").unlink()
    case = Case("", (), ids=("a",))
    run(database, sql.format(t="c_one", exact=EXACT[database.server.kind]))
    (pipe.pipelines / "c_one.json").write_text(pipeline("c_one", case))
    publish(pipe, "c_one", case, **values)
    pipe.once("loader")
    return database.query("SELECT * FROM c_one")[0]


def test_empty_text_is_null_in_a_json_column(kafka, database, make_pipe):
    """MariaDB's is a LONGTEXT with a check."""
    assert load_one(make_pipe(kafka, database), database, table(note="note JSON"), note="")["note"] is None


def test_null_is_not_taken_for_the_present_time(kafka, database_kind, test_dir, unique, make_pipe):
    server = DatabaseServer(database_kind, test_dir / "db", ["--explicit-defaults-for-timestamp=OFF"]).start()
    try:
        database = server.create_database(unique)
        pipe = make_pipe(kafka, database)
        (pipe.pipelines / "purchasein.json").unlink()
        case = Case("", (), ids=("a",))
        sql = table(note="note TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP")
        run(database, sql.format(t="c_now", exact=EXACT[database_kind]))
        (pipe.pipelines / "c_now.json").write_text(pipeline("c_now", case))
        publish(pipe, "c_now", case, note=None)
        loader = pipe.start("loader", ready=False)
        wait_until("a reason", lambda: "c_now" in reasons(loader), 30, alive=[loader])
        said = reasons(loader)["c_now"]
        loader.stop()
        if database_kind == "mariadb":
            assert "note takes NULL for the present time" in said
            database.execute(MEND.search(said).group(1))
        else:  # the session makes it an error, and the table is empty
            assert "1048" in said
            database.execute("ALTER TABLE c_now MODIFY note TIMESTAMP NULL")
        pipe.once("loader")
        assert database.query("SELECT note FROM c_now") == [{"note": None}]
    finally:
        server.remove()


# ---- jst_heads and jst_offsets ----

OLD_HEADS = """CREATE TABLE jst_heads (
  `pipeline` VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `document` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE {exact} NOT NULL,
  `version` BIGINT UNSIGNED NOT NULL,
  `published` BIGINT UNSIGNED NOT NULL,
  `rows` INT UNSIGNED NOT NULL,
  `updated_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`pipeline`,`document`)) ENGINE=InnoDB"""


@pytest.fixture
def upgraded(kafka, database, make_pipe):
    """A sound table, heads of an older loader, and rows to load."""
    exact = EXACT[database.server.kind]
    pipe = make_pipe(kafka, database)
    (pipe.pipelines / "purchasein.json").unlink()
    case = Case(table(), ())
    run(database, case.sql.format(t="c_old", exact=exact))
    run(database, OLD_HEADS.format(exact=exact))
    database.execute("INSERT INTO jst_heads VALUES ('c_old', '6', 5, 5, 1, NOW(3))")
    (pipe.pipelines / "c_old.json").write_text(pipeline("c_old", case))
    publish(pipe, "c_old", case)
    return pipe


def wait_for_reason(loader, text: str) -> str:
    wait_until(f"the reason {text!r}", lambda: text in reasons(loader).get("c_old", ""), 30, alive=[loader])
    return reasons(loader)["c_old"]


def test_heads_of_an_older_loader_wait_for_their_columns(upgraded, database):
    loader = upgraded.start("loader", "--create-tables", "off", ready=False)
    said = wait_for_reason(loader, "no column kind; no column received; no column source")
    loader.stop()
    database.execute(MEND.search(said).group(1))
    loader = upgraded.start("loader", "--create-tables", "off", ready=False)
    wait_for_reason(loader, "table jst_offsets does not exist")
    assert database.count("c_old") == 0
    loader.stop()
    upgraded.once("loader")
    assert database.count("c_old") == len(IDS)
    old = database.query("SELECT `kind`, version, received, source FROM jst_heads WHERE document='6'")
    assert old == [{"kind": None, "version": 5, "received": None, "source": None}]


def test_create_tables_completes_what_is_ours(upgraded, database):
    """Two at once: each looks at what the other does."""
    loaders = [upgraded.process("loader").start() for _ in range(2)]
    wait_until("the rows", lambda: database.count("c_old") == len(IDS), 30, alive=loaders)
    assert {"kind", "received", "source"} <= set(database.columns("jst_heads"))
    assert database.has_table("jst_offsets")
    for loader in loaders:
        loader.wait_ready().stop()


# ---- what columns make of texts ----

TYPES = {
    "integer": "BIGINT",
    "money": "DECIMAL(24,2)",
    "single": "FLOAT",
    "twice": "DOUBLE",
    "fixed": "DOUBLE(20,2)",
    "day": "DATE",
    "second": "DATETIME",
    "milli": "DATETIME(3)",
    "clock_time": "TIME",
    "name": "VARCHAR(3)",
    "code": "CHAR(3)",
    "note": "TINYTEXT",
    "bytes": "VARBINARY(3)",
    "status": "ENUM('a', 'b')",
}
MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE"
ROUNDING_CASE = re.compile(r'\{&(\w+), "([^"]*)", (NONE|DIGITS|SPACES)\}')
KEEPING_CASE = re.compile(r'\{&(\w+), "([^"]*)", (true|false)\}')


def unit_cases(pattern: re.Pattern) -> list[tuple[str, str, str]]:
    """Those of the unit test, whose claims about servers are to be held against real ones."""
    source = (paths.ROOT / "tests" / "unit" / "test_rounding.c").read_text()
    cases = [case for case in pattern.findall(source) if case[0] in TYPES and case[1] != ""]
    assert len(cases) > 30
    longer = "a" * 252 + "bc"  # the unit test's TEXT takes 4 bytes, a server's 255 at least
    return [
        (column, text.replace("abc", longer) if column == "note" else text, claim)
        for column, text, claim in cases
        if column != "note" or "abc" in text
    ]


def store(cursor, column: str, text: str) -> str | None:
    """What the column holds of the text, as text; None: it is refused."""
    cursor.execute("DELETE FROM t")
    try:
        cursor.execute(f"INSERT INTO t (`{column}`) VALUES (%s)", (text,))
    except pymysql.MySQLError:
        return None
    cursor.execute(f"SELECT CAST(`{column}` AS CHAR) AS c FROM t")
    return cursor.fetchone()["c"]


def same_value(cursor, column: str, stored: str, text: str) -> bool:
    if column in ("integer", "money", "single", "twice", "fixed"):
        try:
            return Decimal(stored) == Decimal(text.strip())
        except InvalidOperation:  # not a number for us, and the server took it all the same
            return False
    if column in ("day", "second", "milli"):
        cursor.execute(
            f"SELECT CAST(%s AS DATETIME(6)) = CAST(`{column}` AS DATETIME(6)) AS c FROM t", (text,)
        )
        return cursor.fetchone()["c"] == 1
    return stored == text or (column == "clock_time" and stored == text.rstrip("0"))


@pytest.fixture
def typed_cursor(database):
    columns = ", ".join(f"`{name}` {kind}" for name, kind in TYPES.items())
    database.execute(
        f"CREATE TABLE t ({columns}) DEFAULT CHARSET=utf8mb4 COLLATE {EXACT[database.server.kind]}"
    )
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SET sql_mode='{MODE}'")
        yield cursor


def test_rounding_is_what_the_server_does(typed_cursor):
    wrong = []
    for column, text, claim in unit_cases(ROUNDING_CASE):
        stored = store(typed_cursor, column, text)
        if stored is None:  # an error is not silent, whatever the claim
            continue
        changed = not same_value(typed_cursor, column, stored, text)
        if changed != (claim != "NONE"):
            wrong.append(f"{column} {text!r}: {claim}, but the server has {stored!r}")
    assert not wrong, "\n".join(wrong)


def test_a_kept_text_comes_back_as_it_was(typed_cursor):
    wrong = []
    for column, text, claim in unit_cases(KEEPING_CASE):
        stored = store(typed_cursor, column, text)
        if claim == "true" and stored != text:
            wrong.append(f"{column} {text!r}: the server has {stored!r}")
    assert not wrong, "\n".join(wrong)
