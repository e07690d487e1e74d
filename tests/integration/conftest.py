"""Fixtures: servers that the tests of a session share, and servers of one's own for tests that break them."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import waiting
from harness.database import KINDS, Database, DatabaseServer
from harness.kafka import KafkaServer
from harness.pipe import Pipe
from harness.sandbox import Sandbox

_number = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=[*KINDS, "both"], default="both", help="the databases to test against")
    parser.addoption(
        "--build", choices=["dev", "asan", "release"], default="dev", help="whose programs to test"
    )
    parser.addoption("--keep", action="store_true", default=False, help="keep the servers' directories")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--build") == "asan":
        waiting.SLOWNESS = 3.0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--db")
        metafunc.parametrize("database_kind", KINDS if chosen == "both" else [chosen], scope="session")


@pytest.fixture(scope="session")
def build(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--build"))


@pytest.fixture(scope="session")
def session_dir(pytestconfig: pytest.Config) -> Iterator[Path]:
    """The directory of this run; gone afterwards unless --keep."""
    directory = Path(tempfile.mkdtemp(prefix="jstpipe-test-"))
    yield directory
    if pytestconfig.getoption("--keep"):
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


# ---- API and programs ----


@pytest.fixture
def start_sandbox(test_dir: Path) -> Iterator[Callable[..., Sandbox]]:
    """start_sandbox(*options) gives a started sandbox."""
    started: list[Sandbox] = []

    def start(*options: str) -> Sandbox:
        sandbox = Sandbox(test_dir / f"sandbox{len(started)}", options)
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
