"""The connection to the database: what a hostile or oddly configured server can do to it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.database import Database, DatabaseServer
from harness.false_server import AskForFile, Endless, FalseServer, Reply, obedient, ok, rows
from harness.probe import Probe
from harness.waiting import wait_until

PASSWORD = "geheim-7731"
MiB = 1 << 20
TLS_FAILED = 2026  # of which each client library writes a text of its own


@pytest.fixture
def probe_of(build: str, test_dir: Path) -> Callable[..., Probe]:
    def make(server: FalseServer, *flags: str) -> Probe:
        env = {
            "JST_MYSQL_HOST": server.host,
            "JST_MYSQL_PORT": str(server.port),
            "JST_MYSQL_USER": "u",
            "JST_MYSQL_PASSWORD": PASSWORD,
            "JST_MYSQL_DATABASE": "d",
        }
        return Probe(build, test_dir, *flags, env=env)

    return make


@pytest.fixture(scope="session")
def certificate(session_dir: Path) -> Path:
    """Key and certificate that nobody signed."""
    path = session_dir / "false.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=127.0.0.1".split()
    subprocess.run(
        [*command, "-keyout", f"{path}.key", "-out", f"{path}.crt"], check=True, capture_output=True
    )
    path.write_bytes(Path(f"{path}.key").read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


# ---- the password ----


@pytest.mark.parametrize("mode", ["off", "preferred", "required"])
@pytest.mark.parametrize(
    "plugin", ["mysql_clear_password", "dialog", "mysql_old_password", "auth_gssapi_client"]
)
@pytest.mark.parametrize("first", [False, True])
def test_no_server_is_told_the_password_in_clear(probe_of, certificate, plugin, mode, first):
    chosen = {"first_plugin": plugin} if first else {}
    tls = certificate if mode == "required" else None
    with (
        FalseServer(plugin=plugin, certificate=tls, **chosen) as server,
        probe_of(server, "--mysql-tls", mode) as probe,
    ):
        answer = probe.ask("connect")
        assert PASSWORD.encode() not in server.received
        assert answer.kind == "pause" and "--mysql-tls" in answer.text, answer


def test_a_usual_way_to_prove_the_password_is_taken(probe_of):
    with FalseServer(plugin="mysql_native_password") as server, probe_of(server) as probe:
        probe.connect()
        assert PASSWORD.encode() not in server.received


# ---- files ----


def _asks_for(name: str, when: bytes) -> Callable[[bytes], Reply]:
    return lambda sql: AskForFile(name) if when in sql else obedient(sql)


@pytest.mark.parametrize("when", [b"SET", b"@@max_allowed_packet"])
def test_no_file_is_given_while_connecting(probe_of, when):
    with FalseServer(_asks_for("/etc/passwd", when)) as server, probe_of(server) as probe:
        answer = probe.ask("connect")
        assert not answer.ok
        assert server.files and not any(server.files)


@pytest.mark.parametrize("sql", ["SELECT 1", "ROLLBACK", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t"])
def test_no_file_is_given_in_answer_to_a_statement(probe_of, sql):
    with FalseServer(_asks_for("/etc/passwd", sql.encode())) as server, probe_of(server) as probe:
        probe.connect()
        answer = probe.query(sql)
        assert not answer.ok and answer.kind == "retry"
        assert server.files == [b""]


def test_a_load_gives_its_bytes_whatever_file_is_asked_for(probe_of):
    with FalseServer(_asks_for("/etc/passwd", b"LOAD")) as server, probe_of(server) as probe:
        probe.connect()
        data = bytes(range(1, 256)) * 200
        assert probe.load(data, "LOAD DATA LOCAL INFILE 'rows' INTO TABLE t").ok
        assert server.files == [data]
        assert not probe.query("LOAD DATA LOCAL INFILE 'rows' INTO TABLE t").ok
        assert server.files == [data, b""]


def test_a_load_that_asks_for_nothing_is_no_success(probe_of):
    with FalseServer() as server, probe_of(server) as probe:
        assert probe.connect().can_load()
        assert not probe.load(b"a\n", "LOAD DATA LOCAL INFILE 'rows' INTO TABLE t").ok
        assert not probe.can_load()


# ---- answers ----

LIMITS = b"@@max_allowed_packet"


@pytest.mark.parametrize(
    "answer",
    [
        lambda: ok(),
        lambda: rows(1, [[b"67108864"]]),
        lambda: rows(1, []),
        lambda: rows(3, []),
        lambda: rows(3, [[None, None, None]]),
        lambda: rows(3, [[b"1", None, None]]),
        lambda: rows(3, [[b"1", b"8", b"0"]] * 2),
        lambda: rows(200, [[b"1"] * 200]),
    ],
    ids=["ok", "one column", "no row", "none of three", "NULL", "NULL version", "two rows", "many columns"],
)
def test_a_wrong_answer_at_connect_is_an_error(probe_of, answer):
    with (
        FalseServer(lambda sql: answer() if LIMITS in sql else obedient(sql)) as server,
        probe_of(server) as probe,
    ):
        answer = probe.ask("connect")
        assert (answer.kind, answer.name) == ("retry", "connection"), answer


@pytest.mark.parametrize("size", [1, 1000, MiB])
def test_an_endless_answer_is_cut_off(probe_of, size):
    endless = lambda sql: Endless(b"x" * size) if b"SELECT x" in sql else obedient(sql)  # noqa: E731
    with FalseServer(endless) as server, probe_of(server) as probe:
        probe.connect()
        answer = probe.query("SELECT x")
        assert answer.kind == "retry" and "larger than 64 MiB" in answer.text
        assert probe.peak_memory() < 150 * MiB
        assert probe.query("SELECT 1").code == 2006  # nothing goes on where the rest was not read
        probe.connect()
        assert probe.generation() == 2


@pytest.mark.parametrize("cell", [b"x" * 1000, None])
def test_an_endless_answer_that_nobody_wants_is_cut_off(probe_of, cell):
    """Setting the session has no use for rows."""
    endless = lambda sql: Endless(cell) if b"SET" in sql else obedient(sql)  # noqa: E731
    with FalseServer(endless) as server, probe_of(server) as probe:
        answer = probe.ask("connect", 60)
        assert answer.kind == "retry" and "larger than 64 MiB" in answer.text


def test_a_cell_that_is_too_large_is_cut_off(probe_of):
    def answer(sql: bytes) -> Reply:
        return rows(1, [[b"x" * (65 * MiB)]]) if b"SELECT x" in sql else obedient(sql)

    with FalseServer(answer) as server, probe_of(server) as probe:
        probe.connect()
        assert probe.query("SELECT x").kind == "retry"
        assert probe.peak_memory() < 150 * MiB


# ---- sessions of real servers ----

# What an administrator may have set, and what it would do to us: values cut, texts misread, rows hidden, statements
# refused or never committed, errors without a row.
ODD = {
    "sql_mode": "'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH,HIGH_NOT_PRECEDENCE'",
    "character_set_client": "latin1",
    "character_set_results": "latin1",
    "character_set_connection": "latin1",
    "time_zone": "'-05:00'",
    "autocommit": "0",
    "completion_type": "2",
    "foreign_key_checks": "0",
    "unique_checks": "0",
    "sql_safe_updates": "1",
    "sql_big_selects": "0",
    "max_join_size": "1",
    "sql_select_limit": "2",
    "sql_auto_is_null": "1",
    "sql_notes": "0",
    "innodb_lock_wait_timeout": "1",
    "lock_wait_timeout": "1",
    "wait_timeout": "3",
    "net_read_timeout": "1",
}
ODD_OF = {
    "mysql": {"max_execution_time": "1", "range_optimizer_max_mem_size": "100", "transaction_read_only": "1"},
    "mariadb": {
        "lc_messages": "'de_DE'",  # the MySQL of the tests has no other language
        "max_statement_time": "0.001",
        "check_constraint_checks": "0",
        "in_predicate_conversion_threshold": "3",
        "tx_read_only": "1",
        "max_error_count": "0",
    },
}
OURS = {
    "character_set_client": "utf8mb4",
    "character_set_results": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "time_zone": "+08:00",
    "lc_messages": "en_US",
    "autocommit": "1",
    "completion_type": "NO_CHAIN",
    "foreign_key_checks": "1",
    "unique_checks": "1",
    "sql_safe_updates": "0",
    "sql_big_selects": "1",
    "max_join_size": "18446744073709551615",
    "sql_select_limit": "18446744073709551615",
    "sql_auto_is_null": "0",
    "sql_notes": "1",
    "innodb_lock_wait_timeout": "20",
    "lock_wait_timeout": "20",
    "wait_timeout": "60",
    "net_read_timeout": "30",
    "explicit_defaults_for_timestamp": "1",
    "eq_range_index_dive_limit": "0",
}
OURS_OF = {
    "mysql": {
        "max_execution_time": "0",
        "range_optimizer_max_mem_size": "0",
        "transaction_read_only": "0",
        "transaction_isolation": "READ-COMMITTED",
    },
    "mariadb": {
        "max_statement_time": "0.000000",
        "check_constraint_checks": "1",
        "in_predicate_conversion_threshold": "0",
        "tx_read_only": "0",
        "tx_isolation": "READ-COMMITTED",
        "max_error_count": "1024",
    },
}


@pytest.fixture
def odd_database(own_database: Database, database_kind: str) -> Database:
    odd = {**ODD, **ODD_OF[database_kind]}
    settings = ", ".join(f"{name}={value}" for name, value in odd.items())
    own_database.execute("SET GLOBAL init_connect = %s", (f"SET SESSION {settings}",))
    return own_database


def test_the_session_is_ours_whatever_the_server_has(odd_database, database_kind, build, test_dir):
    ours = {**OURS, **OURS_OF[database_kind]}
    with Probe.of(odd_database, build, test_dir).connect() as probe:
        found = {name: probe.value(f"SELECT @@{name}") for name in ours}
        assert found == ours
        modes = set((probe.value("SELECT @@sql_mode") or "").split(","))
        assert {"STRICT_ALL_TABLES", "NO_ZERO_DATE", "NO_AUTO_VALUE_ON_ZERO"} <= modes
        assert not modes & {
            "NO_BACKSLASH_ESCAPES",
            "ANSI_QUOTES",
            "PIPES_AS_CONCAT",
            "PAD_CHAR_TO_FULL_LENGTH",
        }


def test_statements_mean_the_same_whatever_the_server_has(odd_database, build, test_dir):
    with Probe.of(odd_database, build, test_dir).connect() as probe:

        def run(sql: str):
            answer = probe.query(sql)
            assert answer.ok, answer
            return answer

        run(
            "CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, c CHAR(5), n DECIMAL(9,2)) CHARSET utf8mb4"
        )
        run("INSERT INTO t VALUES (0,'a\\\\b\\'',0.005),(9,\"单😀\",1),(10,'c',2)")
        assert run("SELECT * FROM t").rows == [
            ["0", "a\\b'", "0.01"],
            ["9", "单😀", "1.00"],
            ["10", "c", "2.00"],
        ]
        assert odd_database.count("t") == 3  # committed
        answer = probe.query("INSERT INTO t VALUES (11,'fine',0),(12,'too long',0)")
        assert (answer.kind, answer.code, answer.row) == ("reject", 1406, 2), answer
        assert answer.name == "row"
        assert run("DELETE FROM t WHERE n > 0").affected == 3


def test_many_values_are_looked_up_in_the_index(odd_database, build, test_dir):
    """In its order, which is that of locks: not by a join (MariaDB, from 1,000 values on), not by a scan (MySQL)."""
    odd_database.execute("CREATE TABLE t (id INT PRIMARY KEY, d INT, KEY d (d))")
    odd_database.execute("INSERT INTO t VALUES " + ",".join(f"({i},{i // 3})" for i in range(30000)))
    values = ",".join(str(i) for i in range(0, 9000, 6))
    with Probe.of(odd_database, build, test_dir).connect() as probe:
        plan = probe.query(f"EXPLAIN SELECT id FROM t FORCE INDEX (d) WHERE d IN ({values}) FOR UPDATE").rows
        assert len(plan) == 1 and "range" in plan[0], plan


def test_a_lost_lock_wait_is_not_the_servers_to_choose(odd_database, build, test_dir):
    odd_database.execute("CREATE TABLE t (id INT PRIMARY KEY)")
    with Probe.of(odd_database, build, test_dir).connect() as probe, odd_database.connect() as other:
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLES t WRITE")
            probe.tell("query INSERT INTO t VALUES (1)")
            # it still waits after the server's own second
            wait_until(
                "the insert to have waited for 3 s",
                lambda: odd_database.query(
                    "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'INSERT INTO t%%' AND time >= 3"
                ),
            )
            cursor.execute("UNLOCK TABLES")
        assert probe.answer().ok


# ---- LOAD DATA LOCAL ----


def test_load_where_the_server_takes_it(own_database, build, test_dir):
    table = "CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(9)) CHARSET utf8mb4"
    load = "LOAD DATA LOCAL INFILE 'rows' REPLACE INTO TABLE t CHARACTER SET utf8mb4"
    own_database.execute(table)
    own_database.server.connect().cursor().execute("SET GLOBAL local_infile = 0")
    with Probe.of(own_database, build, test_dir) as probe:
        assert not probe.connect().can_load()
        answer = probe.load(b"1\ta\n", load)
        assert answer.kind == "retry", answer
        own_database.server.connect().cursor().execute("SET GLOBAL local_infile = 1")
    with Probe.of(own_database, build, test_dir) as probe:
        assert probe.connect().can_load()
        data = "".join(f"{i}\t单😀{i}\n" for i in range(1, 5001)).encode()
        answer = probe.load(data, load)
        assert answer.ok and answer.affected == 5000 and answer.warnings == 0
        assert own_database.count("t") == 5000
        assert probe.value("SELECT c FROM t WHERE id=4999") == "单😀4999"
        answer = probe.load(b"1\tx\n2\ttoo long for it\n", load)
        assert (answer.kind, answer.code, answer.row) == ("reject", 1406, 2), answer
        assert probe.value("SELECT c FROM t WHERE id=1") == "单😀1"  # nothing of it was kept
        assert probe.load(b"", load).affected == 0
        own_database.server.connect().cursor().execute("SET GLOBAL local_infile = 0")
        answer = probe.load(b"1\tx\n", load)
        assert (answer.kind, answer.name) == ("retry", "capacity"), answer
        assert not probe.can_load()
        assert probe.query("SELECT 1").ok


# ---- passwords, ways to the server, and its going away ----


def test_a_new_password_in_the_file_needs_no_restart(database, build, test_dir):
    file = test_dir / "password"
    file.write_text(database.password + "\n")
    env = {"JST_MYSQL_PASSWORD": "", "JST_MYSQL_PASSWORD_FILE": str(file)}

    def change(password: str) -> None:
        with database.server.connect() as c, c.cursor() as cursor:
            cursor.execute(f"ALTER USER `{database.user}`@`%%` IDENTIFIED BY %s", (password,))

    with Probe.of(database, build, test_dir, **env).connect() as probe:
        change("new;'one")
        assert probe.query("SELECT 1").ok  # whoever is in stays
        probe.ask("disconnect")
        answer = probe.ask("connect")
        assert (answer.kind, answer.code) == ("pause", 1045)
        file.unlink()
        answer = probe.ask("connect")
        assert (answer.kind, answer.code) == ("pause", 1045) and str(file) in answer.text
        file.write_text("new;'one\r\n")
        probe.connect()
        file.unlink()
        probe.ask("disconnect")
        probe.connect()  # the last one that was read holds


@pytest.mark.parametrize("mode", ["off", "preferred"])
def test_the_servers_own_way_to_prove_a_password(own_database, build, test_dir, mode):
    """caching_sha2_password on MySQL: in full, since the server has just forgotten everybody, then from its cache."""
    own_database.server.connect().cursor().execute("FLUSH PRIVILEGES")
    for _ in range(2):
        with Probe.of(own_database, build, test_dir, "--mysql-tls", mode).connect() as probe:
            assert probe.value("SELECT 1") == "1"


def test_through_the_socket(own_database, build, test_dir):
    env = {"JST_MYSQL_SOCKET": str(own_database.server.socket), "JST_MYSQL_HOST": "", "JST_MYSQL_PORT": ""}
    with Probe.of(own_database, build, test_dir, **env).connect() as probe:
        assert "socket" in (probe.value("SELECT 'socket'") or "")
        assert probe.value("SELECT SUBSTRING_INDEX(USER(), '@', -1)") == "localhost"


def test_a_statement_under_way_is_cut_off(database, build, test_dir):
    with Probe.of(database, build, test_dir).connect() as probe:
        probe.tell("query SELECT SLEEP(100)")
        wait_until(
            "the statement to run",
            lambda: database.query(
                "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%%'"
            ),
        )
        probe.abort()
        answer = probe.answer(10)
        assert (answer.kind, answer.name) == ("retry", "connection"), answer
        assert probe.query("SELECT 1").code == 2006
        probe.connect()
        assert probe.value("SELECT 1") == "1"
        assert probe.generation() == 2


def test_a_killed_connection_is_another_one_afterwards(database, build, test_dir):
    with Probe.of(database, build, test_dir).connect() as probe:
        probe.query("START TRANSACTION")
        database.execute(f"KILL {probe.value('SELECT CONNECTION_ID()')}")
        answer = probe.query("SELECT 1")
        assert (answer.kind, answer.name) == ("retry", "connection"), answer
        assert probe.query("COMMIT").code == 2006
        assert probe.connect().generation() == 2


# ---- TLS ----


def _signed(directory: Path, name: str, host: str) -> dict[str, str]:
    """A CA and a certificate that it signed for host; both as the server's options."""
    files = {
        part: str(directory / f"{name}-{part}")
        for part in ("ca", "ca-key", "cert", "key", "request", "hosts")
    }
    Path(files["hosts"]).write_text(f"subjectAltName={host}\n")
    subject = host.split(":", 1)[1]
    for command in (
        f"req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=ca-{name} -keyout {files['ca-key']} -out {files['ca']}",
        f"req -newkey rsa:2048 -nodes -subj /CN={subject} -keyout {files['key']} -out {files['request']}",
        f"x509 -req -days 9 -in {files['request']} -CA {files['ca']} -CAkey {files['ca-key']} -CAcreateserial"
        f" -extfile {files['hosts']} -out {files['cert']}",
    ):
        subprocess.run(["openssl", *command.split()], check=True, capture_output=True)
    return files


def test_verify_takes_the_right_server_only(database_kind, build, test_dir, unique):
    ours, other = _signed(test_dir, "ours", "IP:127.0.0.1"), _signed(test_dir, "other", "IP:127.0.0.1")
    options = [f"--ssl-ca={ours['ca']}", f"--ssl-cert={ours['cert']}", f"--ssl-key={ours['key']}"]
    server = DatabaseServer(database_kind, test_dir / database_kind, options).start()
    try:
        database = server.create_database(unique)

        def answer(*flags: str) -> int:
            with Probe.of(database, build, test_dir, *flags) as probe:
                return probe.ask("connect").code

        assert answer("--mysql-tls", "verify", "--mysql-ca", ours["ca"]) == 0
        assert answer("--mysql-tls", "required", "--mysql-ca", ours["ca"]) == 0
        assert answer("--mysql-tls", "required") == 0
        assert answer("--mysql-tls", "verify", "--mysql-ca", other["ca"]) == TLS_FAILED
        assert answer("--mysql-tls", "verify") == TLS_FAILED  # the system knows no such CA
    finally:
        server.remove()


def test_verify_compares_the_hosts_name(probe_of, test_dir):
    """Of any host but 127.0.0.1: docs/decisions.md says why."""
    other = _signed(test_dir, "elsewhere", "DNS:db.example.org")
    both = test_dir / "elsewhere.pem"
    both.write_bytes(Path(other["key"]).read_bytes() + Path(other["cert"]).read_bytes())
    with FalseServer(certificate=both, host="127.0.0.2") as server:
        with probe_of(server, "--mysql-tls", "verify", "--mysql-ca", other["ca"]) as probe:
            assert probe.ask("connect").code == TLS_FAILED
        assert PASSWORD.encode() not in server.received and server.statements == []
        with probe_of(server, "--mysql-tls", "required", "--mysql-ca", other["ca"]) as probe:
            probe.connect()


def test_under_verify_the_server_may_ask_for_the_password(probe_of, test_dir):
    """It is known to be the server, and PAM has no other way."""
    ours = _signed(test_dir, "ours", "IP:127.0.0.1")
    both = test_dir / "ours.pem"
    both.write_bytes(Path(ours["key"]).read_bytes() + Path(ours["cert"]).read_bytes())
    with FalseServer(plugin="mysql_clear_password", certificate=both) as server:
        with probe_of(server, "--mysql-tls", "verify", "--mysql-ca", ours["ca"]) as probe:
            probe.connect()
        assert PASSWORD.encode() in server.received
