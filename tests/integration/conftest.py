"""Fixtures: servers that the tests of a session share, and servers of one's own for tests that break them."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from harness import waiting
from harness.database import KINDS, Database, DatabaseServer
from harness.kafka import KafkaServer
from harness.pipe import Pipe
from harness.sandbox import Sandbox
from harness.tables import Stack

_number = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=[*KINDS, "both"], default="both", help="the databases to test against")
    parser.addoption(
        "--build", choices=["dev", "asan", "release"], default="dev", help="whose programs to test"
    )
    parser.addoption("--keep", action="store_true", default=False, help="keep the servers' directories")
    parser.addoption("--seed", type=int, default=1, help="of the sandbox's documents and of random histories")
    parser.addoption(
        "--histories", type=int, default=100, help="how many random histories are loaded (test_histories)"
    )
    parser.addoption(
        "--evidence", action="store_true", default=False, help="run the tests marked as evidence, too"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "evidence: long; runs with --evidence only, as make evidence does")
    if config.getoption("--build") == "asan":
        waiting.SLOWNESS = 3.0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--db")
        metafunc.parametrize("database_kind", KINDS if chosen == "both" else [chosen], scope="session")


def pytest_report_header(config: pytest.Config) -> str:
    wanted = "all" if config.getoption("--evidence") else "all but those marked as evidence"
    return (
        f"build {config.getoption('--build')}, db {config.getoption('--db')}, "
        f"seed {config.getoption('--seed')}, tests: {wanted}"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for `make evidence`; the summary says how many tests those are."""
    if config.getoption("--evidence"):
        return
    late = [item for item in items if item.get_closest_marker("evidence")]
    if late:
        items[:] = [item for item in items if item not in late]
        config.hook.pytest_deselected(items=late)
        output = getattr(config, "workeroutput", None)
        if output is not None:  # a worker of xdist, which tells nobody by itself
            output["deselected"] = len(late)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Tell what a worker of xdist cannot, having no terminal. What was left out counts once, not for each worker."""
    reporter = node.config.pluginmanager.get_plugin("terminalreporter")
    output = getattr(node, "workeroutput", {})
    if reporter and output.get("deselected"):
        reporter.stats["deselected"] = [object()] * output["deselected"]
    if reporter and output.get("kept"):
        reporter.write_line(f"\nkept: {output['kept']}")


def pytest_terminal_summary(terminalreporter) -> None:
    """Lines that tests have told, from whatever worker."""
    for report in terminalreporter.getreports("passed"):
        for name, line in report.user_properties if report.when == "call" else ():
            if name == "told":
                terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """Of this run: for the sandbox's documents and for histories that a test draws at random."""
    return int(pytestconfig.getoption("--seed"))


@pytest.fixture(scope="session")
def build(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--build"))


@pytest.fixture(scope="session")
def session_dir(pytestconfig: pytest.Config) -> Iterator[Path]:
    """The directory of this run; gone afterwards unless --keep."""
    directory = Path(tempfile.mkdtemp(prefix="jstpipe-test-"))
    yield directory
    if pytestconfig.getoption("--keep"):
        getattr(pytestconfig, "workeroutput", {})["kept"] = str(directory)
        print(f"\nkept: {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def unique() -> str:
    """A name that no other test of this run has: for topics, groups and databases."""
    return f"t{next(_number)}"


@pytest.fixture
def test_dir(session_dir: Path, unique: str) -> Path:
    directory = session_dir / unique
    directory.mkdir()
    return directory


# ---- Kafka ----


@pytest.fixture(scope="session")
def kafka(session_dir: Path) -> Iterator[KafkaServer]:
    """The broker that the tests share. It must not be stopped: who wants to, takes own_kafka."""
    server = KafkaServer(session_dir / "kafka").start()
    yield server
    server.kill()


@pytest.fixture
def own_kafka(test_dir: Path) -> Iterator[KafkaServer]:
    """A started broker of this test's own."""
    server = KafkaServer(test_dir / "kafka").start()
    yield server
    server.kill()


# ---- databases ----


@pytest.fixture(scope="session")
def database_servers(session_dir: Path) -> Iterator[Callable[[str], DatabaseServer]]:
    """The shared server of a kind, started when first asked for."""
    running: dict[str, DatabaseServer] = {}

    def get(kind: str) -> DatabaseServer:
        if kind not in running:
            running[kind] = DatabaseServer(kind, session_dir / kind).start()
        return running[kind]

    yield get
    for server in running.values():
        server.remove()


@pytest.fixture
def database(database_kind: str, database_servers: Callable[[str], DatabaseServer], unique: str) -> Database:
    """A database of this test's own in the shared server; the test runs once for each kind."""
    return database_servers(database_kind).create_database(unique)


@pytest.fixture
def own_database(database_kind: str, test_dir: Path, unique: str) -> Iterator[Database]:
    """A database in a server of this test's own, to be stopped or killed as .server."""
    server = DatabaseServer(database_kind, test_dir / database_kind).start()
    yield server.create_database(unique)
    server.remove()


@pytest.fixture
def load_local(
    database_kind: str, database_servers: Callable[[str], DatabaseServer]
) -> Iterator[Callable[[], None]]:
    """load_local() lets the server take LOAD DATA LOCAL until the test ends."""
    connection = database_servers(database_kind).connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.local_infile AS before_it")
        before = cursor.fetchone()["before_it"]
        yield lambda: cursor.execute("SET GLOBAL local_infile = 1")
        cursor.execute(f"SET GLOBAL local_infile = {before}")


# ---- API and programs ----


@pytest.fixture
def start_sandbox(test_dir: Path, seed: int) -> Iterator[Callable[..., Sandbox]]:
    """start_sandbox(*options) gives a started sandbox, whose documents are of this run's seed unless told otherwise."""
    started: list[Sandbox] = []

    def start(*options: str) -> Sandbox:
        sandbox = Sandbox(test_dir / f"sandbox{len(started)}", ["--seed", str(seed), *options])
        started.append(sandbox)
        return sandbox.start()

    yield start
    for sandbox in started:
        sandbox.kill()


@pytest.fixture
def make_pipe(test_dir: Path, build: str, unique: str) -> Iterator[Callable[..., Pipe]]:
    """make_pipe(kafka, database=None, sandbox=None) gives a Pipe, whose programs end with the test."""
    made: list[Pipe] = []

    def make(kafka: KafkaServer, database: Database | None = None, sandbox: Sandbox | None = None) -> Pipe:
        suffix = f"-{len(made)}" if made else ""
        made.append(Pipe(test_dir / f"pipe{suffix}", build, unique + suffix, kafka, database, sandbox))
        return made[-1]

    yield make
    try:
        for pipe in made:
            pipe.stop_all()
    finally:
        for pipe in made:
            pipe.kill_all()


@pytest.fixture(scope="module")
def make_stack(
    kafka: KafkaServer,
    database_kind: str,
    database_servers: Callable[[str], DatabaseServer],
    session_dir: Path,
    build: str,
) -> Iterator[Callable[..., Stack]]:
    """make_stack(pipelines, own_server=False) gives a Stack that a module's tests share; options: of its server."""
    made: list[Stack] = []
    servers: list[DatabaseServer] = []

    def make(
        pipelines: int, own_server: bool = False, options: Sequence[str] = (), partitions: int = 1
    ) -> Stack:
        name = f"s{next(_number)}"
        server = database_servers(database_kind) if not own_server else None
        if server is None:
            server = DatabaseServer(database_kind, session_dir / name / database_kind, options)
            servers.append(server)
            server.start()
        made.append(Stack(kafka, server, session_dir / name / "pipe", build, name, pipelines, partitions))
        return made[-1]

    yield make
    try:
        for stack in made:
            stack.close()
    finally:
        for server in servers:
            server.remove()
