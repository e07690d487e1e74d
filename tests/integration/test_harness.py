"""The harness itself: do the servers keep what they acknowledged, and do the checks see what is wrong?"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pymysql
import pytest
from harness import oracle, paths, ports
from harness.database import Database
from harness.kafka import KafkaServer
from harness.process import Metrics, Process, ProcessFailed
from harness.waiting import NotInTime, wait_until

# ---- processes and waiting ----


def test_waiting_has_a_limit_and_tells_why() -> None:
    with pytest.raises(NotInTime, match="pigs to fly; at the end: 0"):
        wait_until("pigs to fly", lambda: 0, 0.2)


def test_early_death_ends_the_waiting_with_the_log(test_dir: Path) -> None:
    program = Process("sh", ["/bin/sh", "-c", "echo alas; exit 3"], test_dir).start()
    with pytest.raises(ProcessFailed, match=r"(?s)ended with 3.*alas"):
        wait_until("something", lambda: False, 10, alive=[program])


def test_stop_fails_on_a_wrong_exit_code_and_on_deafness(test_dir: Path) -> None:
    wrong = Process(
        "wrong", ["/bin/sh", "-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done"], test_dir
    ).start()
    wrong.wait_for_log("up")
    with pytest.raises(ProcessFailed, match="with 7 instead of 0"):
        wrong.stop()
    deaf = Process(
        "deaf", ["/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"], test_dir
    ).start()
    deaf.wait_for_log("up")
    with pytest.raises(ProcessFailed, match="did not end"):
        deaf.stop(0.5)
    assert not deaf.running


def test_sanitizer_report_is_a_failure(test_dir: Path) -> None:
    program = Process(
        "leaky", ["/bin/sh", "-c", "echo '==1==ERROR: LeakSanitizer: detected memory leaks'"], test_dir
    ).start()
    with pytest.raises(ProcessFailed, match="a sanitizer reports"):
        program.wait()


def test_metrics_are_parsed() -> None:
    metrics = Metrics('# HELP a b\na_total{p="x",q="1"} 3\na_total{p="y",q="1"} 4\nb 0.5\n')
    assert metrics.sum("a_total") == 7
    assert metrics.sum("a_total", p="y") == 4
    assert metrics.sum("b") == 0.5
    assert not metrics.has("c")


def test_what_is_missing_names_its_remedy() -> None:
    with pytest.raises(paths.NotInstalled, match="run 'make setup' first"):
        paths.need("/nowhere/at/all", "make setup")


def test_workers_take_ports_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = []
    for number in range(ports.WORKERS):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{number}")
        parts.append(set(ports.own_range()))
        assert ports.free_port() in parts[-1]
    assert len(set().union(*parts)) == sum(len(part) for part in parts)
    monkeypatch.delenv("PYTEST_XDIST_WORKER")
    assert set().union(*parts) <= set(ports.own_range())


def test_what_is_evidence_is_left_out_and_counted(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text(
        "import pytest\n\n@pytest.mark.evidence\ndef test_long(): pass\n\ndef test_short(): pass\n"
    )
    conftest = paths.ROOT / "tests" / "integration" / "conftest.py"
    (tmp_path / "conftest.py").write_text(conftest.read_text())
    command = [
        paths.PYTHON,
        "-B",
        "-m",
        "pytest",
        "-q",
        "-c",
        str(pytestconfig.inipath),
        "--rootdir",
        str(tmp_path),
    ]
    for more, wanted in (
        (["-n", "0"], "1 passed, 1 deselected"),
        (["-n", "2"], "1 passed, 1 deselected"),
        (["-n", "2", "--evidence"], "2 passed"),
    ):
        done = subprocess.run(
            [*command, *more, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
        )
        assert f"{wanted} in" in done.stdout, done.stdout + done.stderr


# ---- Kafka ----


def test_kafka_round_trip(kafka: KafkaServer, unique: str) -> None:
    topic = f"{unique}.round"
    kafka.create_topic(topic, 3, {"cleanup.policy": "compact"})
    assert kafka.topic_config(topic)["cleanup.policy"] == "compact"
    kafka.produce_many(topic, [(f"k{i}", f"v{i}", {"jst-n": f"{i}·😀"}) for i in range(100)])
    records = kafka.consume_all(topic)
    assert sorted(r.key.decode() for r in records if r.key) == sorted(f"k{i}" for i in range(100))
    assert {r.key: r.headers["jst-n"] for r in records}[b"k7"] == "7·😀"
    assert sum(kafka.end_offsets(topic).values()) == 100
    assert kafka.lag(f"{unique}.g", topic) == 100


def test_kafka_keeps_acknowledged_messages_over_kill(own_kafka: KafkaServer) -> None:
    own_kafka.create_topic("t", 2)
    own_kafka.produce_many("t", [(f"k{i}", f"v{i}", None) for i in range(1000)])
    own_kafka.kill()
    assert not ports.accepts("127.0.0.1", own_kafka.port)
    own_kafka.start()
    assert len(own_kafka.consume_all("t")) == 1000
    own_kafka.restart()
    own_kafka.produce("t", b"more")
    assert len(own_kafka.consume_all("t")) == 1001


# ---- databases ----


def test_database_keeps_commits_over_kill(own_database: Database, database_kind: str) -> None:
    version = str(own_database.value("SELECT VERSION()"))
    assert ("MariaDB" in version) == (database_kind == "mariadb")
    own_database.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))")
    own_database.execute("INSERT INTO t VALUES (1, %s)", ("😀汉",))
    own_database.server.kill()
    with pytest.raises(pymysql.OperationalError):
        own_database.connect()
    own_database.server.start()
    own_database.server.restart()
    assert own_database.query("SELECT * FROM t") == [{"id": 1, "v": "😀汉"}]


def test_database_user_sees_only_its_own(database: Database) -> None:
    other = database.server.create_database(database.name + "x")
    other.execute("CREATE TABLE secret (id INT)")
    with database.connect(user=database.user, password=database.password.encode()) as connection:
        cursor = connection.cursor()
        cursor.execute("SHOW DATABASES")
        names = {row["Database"] for row in cursor.fetchall()}
    assert database.name in names
    assert other.name not in names


def test_frozen_database_answers_again_after_thaw(own_database: Database) -> None:
    own_database.server.freeze()
    with pytest.raises(pymysql.OperationalError):
        own_database.connect(read_timeout=1, connect_timeout=1)
    own_database.server.thaw()
    assert own_database.value("SELECT 1") == 1


# ---- the oracle ----

DOCUMENT = (
    '{"io_id": 100, "ts": 1234567890123456789, "warehouse": "主仓😀", "tax_rate": 13.00,'
    ' "labels": ["a", {"b": 1.50}], "archived": true, "remark": "",'
    ' "modified": "2024-05-06 07:08:09", "so_id": null,'
    ' "items": [{"ioi_id": 1, "qty": "2", "cost_price": 1e1, "name": "x\\u00e9"},'
    ' {"ioi_id": 2, "qty": 0.10}]}'
)


def test_oracle_keeps_digits_and_texts() -> None:
    rows = oracle.expected_rows(DOCUMENT + "\n" + '{"io_id":7,"items":null}\n', {})
    assert list(rows) == ["100-1", "100-2", "7-"]
    first, second, third = rows.values()
    assert first["ts"] == "1234567890123456789"
    assert first["tax_rate"] == "13.00"
    assert first["labels"] == '["a", {"b": 1.50}]'
    assert first["archived"] == "true"
    assert oracle.expected_rows(DOCUMENT, {"archived": "int"})["100-1"]["archived"] == "1"
    assert first["items_cost_price"] == "10"
    assert first["items_name"] == "xé"
    assert second["items_qty"] == "0.10"
    assert second["items_name"] is None
    assert third["items_qty"] is None


def test_oracle_sees_every_kind_of_difference(database: Database) -> None:
    special = {
        "id": "VARCHAR(64) PRIMARY KEY",
        "tax_rate": "DECIMAL(10,2)",
        "modified": "DATETIME",
        "ts": "BIGINT",
    }
    columns = ", ".join(f"`{c}` {special.get(c, 'TEXT')}" for c in oracle.COLUMNS)
    database.execute(f"CREATE TABLE {oracle.TABLE} ({columns}) CHARACTER SET utf8mb4")
    expected = oracle.expected_rows(DOCUMENT, {})
    for row in expected.values():
        marks = ", ".join(["%s"] * len(row))
        database.execute(
            f"INSERT INTO {oracle.TABLE} ({', '.join(row)}) VALUES ({marks})", list(row.values())
        )
    assert not oracle.compare(expected, database)

    database.execute(f"UPDATE {oracle.TABLE} SET items_qty = '2.0' WHERE id = '100-1'")
    assert "100-1.items_qty: '2' expected, '2.0' in the table" in str(oracle.compare(expected, database))
    database.execute(f"UPDATE {oracle.TABLE} SET items_qty = '2', tax_rate = 13.01 WHERE id = '100-1'")
    assert oracle.compare(expected, database).differing["100-1"][0][0] == "tax_rate"
    database.execute(f"UPDATE {oracle.TABLE} SET id = '100-3', tax_rate = 13 WHERE id = '100-1'")
    found = oracle.compare(expected, database)
    assert (found.missing, found.extra) == (["100-1"], ["100-3"])
