"""The programs under test, with the right options for one test: own topics, groups, pipelines, database."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from . import oracle, paths, ports
from .database import Database
from .kafka import KafkaServer
from .process import Process, ProcessFailed
from .sandbox import Sandbox
from .waiting import NotInTime, wait_until

PROGRAMS = ("extractor", "transformer", "loader")
PARTITIONS = {"raw": 3, "rows": 6, "dead": 1, "state": 1}
TOPIC_SETTINGS = {
    "raw": "retention.ms=7776000000 max.message.bytes=16777216 message.timestamp.type=LogAppendTime",
    "rows": "retention.ms=7776000000 max.message.bytes=16777216 message.timestamp.type=LogAppendTime",
    "dead": "retention.ms=-1 max.message.bytes=17825792",
    "state": "cleanup.policy=compact",
}


class Pipe:
    """One test's pipeline: its directory, names and started programs.

    build      the CMake preset whose programs run: dev, asan or release
    prefix     stands before each topic and group, so that tests share a broker without meeting
    """

    def __init__(
        self,
        directory: Path,
        build: str,
        prefix: str,
        kafka: KafkaServer,
        database: Database | None = None,
        sandbox: Sandbox | None = None,
    ):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.build = build
        self.prefix = prefix
        self.kafka = kafka
        self.database = database
        self.sandbox = sandbox
        self.started: list[Process] = []
        self._expected: tuple[bytes, dict[str, oracle.Row]] | None = None
        self.env: dict[str, str] = {}  # further environment of every program
        self.rate = "1000/s,60000/m"  # of the extractor; a test of the limits sets the real one
        self.app_key = "sandbox"
        self.app_secret = "sandbox-secret"
        self.pipelines = self.directory / "pipelines"
        shutil.copytree(paths.need(paths.ROOT / "pipelines", "git checkout"), self.pipelines)
        self.topics_file = self.directory / "topics.conf"
        self.write_topics()

    # ---- configuration ----

    def topic(self, role: str, pipeline: str = "purchasein") -> str:
        return f"{self.prefix}.state" if role == "state" else f"{self.prefix}.{pipeline}.{role}"

    def group(self, program: str) -> str:
        return f"{self.prefix}.{program}"

    def write_topics(
        self, partitions: Mapping[str, int] | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """Write topics.conf, with other partition counts or settings for some roles."""
        counts = {**PARTITIONS, **(partitions or {})}
        texts = {**TOPIC_SETTINGS, **(settings or {})}
        lines = [
            f"{role} {self.topic(role, '{pipeline}')} {counts[role]} {texts[role]}\n" for role in PARTITIONS
        ]
        self.topics_file.write_text("".join(lines))

    def create_topics(self) -> None:
        """Create the topics of purchasein as topics.conf has them, without any program."""
        for line in self.topics_file.read_text().splitlines():
            _, name, count, *settings = line.split()
            topic = name.replace("{pipeline}", "purchasein")
            self.kafka.create_topic(topic, int(count), dict(s.split("=", 1) for s in settings))

    def pipeline(self, name: str = "purchasein") -> dict[str, Any]:
        return json.loads((self.pipelines / f"{name}.json").read_text())

    def edit_pipeline(
        self, change: Callable[[dict[str, Any]], None], name: str = "purchasein", new: str | None = None
    ) -> None:
        """Change this test's copy of a pipeline; new: store it as a further one of that name, with its own table."""
        content = self.pipeline(name)
        if new:
            rename(content, new)
        change(content)
        (self.pipelines / f"{new or name}.json").write_text(json.dumps(content, ensure_ascii=False, indent=2))

    # ---- programs ----

    def flags(self, program: str) -> list[str]:
        """The options that this test's world demands."""
        flags = [
            *("--pipelines", str(self.pipelines)),
            *("--topics", str(self.topics_file)),
            *("--brokers", self.kafka.brokers),
        ]
        if program != "jstctl":
            flags += ["--group", self.group(program)]
        if program == "extractor" and self.sandbox:
            flags += [
                "--api-url",
                self.sandbox.url,
                "--token-file",
                str(self.directory / "state" / "token.json"),
            ]
        if program == "extractor":
            flags += ["--rate", self.rate]
        if program == "loader" and self.database:
            server = self.database.server
            flags += ["--mysql-host", server.host, "--mysql-port", str(server.port)]
            flags += ["--mysql-user", self.database.user, "--mysql-database", self.database.name]
        if program == "loader":
            flags += ["--create-tables", "on"]
        return flags

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Ours without any JST_ variable of the machine, plus secrets and what the test adds."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("JST_")}
        env["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0:exitcode=99"
        env["LSAN_OPTIONS"] = f"suppressions={paths.ROOT / 'tests' / 'lsan.supp'}:print_suppressions=0"
        if not (paths.ROOT / "tests" / "lsan.supp").exists():
            del env["LSAN_OPTIONS"]
        env["UBSAN_OPTIONS"] = "print_stacktrace=1"
        env["JST_APP_KEY"] = self.app_key
        env["JST_APP_SECRET"] = self.app_secret
        if self.database:
            server = self.database.server
            env.update(JST_MYSQL_HOST=server.host, JST_MYSQL_PORT=str(server.port))
            env.update(JST_MYSQL_USER=self.database.user, JST_MYSQL_DATABASE=self.database.name)
            env["JST_MYSQL_PASSWORD"] = self.database.password
        return {**env, **self.env, **(more or {})}

    def process(
        self, program: str, *flags: str, name: str | None = None, env: Mapping[str, str] | None = None
    ) -> Process:
        """A program that is not yet started. Of a flag that is given twice the test's own counts."""
        name = name or self._free_name(program)
        address = f"127.0.0.1:{ports.free_port()}"
        merged = _merge([*self.flags(program), "--listen", address], flags)
        command = [str(paths.program(self.build, program)), *merged]
        made = Process(name, command, self.directory / name, self.environment(env))
        made.fixed_address = address if address in merged else None  # a test may ask for port 0
        self.started.append(made)
        return made

    def _free_name(self, program: str) -> str:
        taken = {process.name for process in self.started}
        return next(n for n in (program, *(f"{program}{i}" for i in range(2, 1000))) if n not in taken)

    def start(
        self, program: str, *flags: str, ready: bool = True, limit: float = 60.0, **more: Any
    ) -> Process:
        """Start a program, and wait until it is ready unless told otherwise."""
        process = self.process(program, *flags, **more)
        process.start()
        return process.wait_ready(limit) if ready else process

    def extractor(self, *flags: str, **more: Any) -> Process:
        return self.start("extractor", *flags, **more)

    def transformer(self, *flags: str, **more: Any) -> Process:
        return self.start("transformer", *flags, **more)

    def loader(self, *flags: str, **more: Any) -> Process:
        return self.start("loader", *flags, **more)

    def once(self, program: str, *flags: str, limit: float = 120.0, expect: int = 0, **more: Any) -> Process:
        """Run a program with --once to its end and check the exit code."""
        process = self.process(program, "--once", *flags, **more)
        process.start()
        code = process.wait(limit)
        if code != expect:
            raise ProcessFailed(
                f"{process.name} --once ended with {code} instead of {expect}\n{process.tail()}"
            )
        return process

    def run(
        self, program: str, *arguments: str, env: Mapping[str, str] | None = None, limit: float = 60.0
    ) -> subprocess.CompletedProcess:
        """Run a program with exactly these arguments to its end: for --check, --help and wrong usage."""
        command = [str(paths.program(self.build, program)), *arguments]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
            cwd=self.directory,
            env=self.environment(env),
        )

    def jstctl(
        self, verb: str, *arguments: str, expect: int | None = 0, limit: float = 60.0, **more: Any
    ) -> subprocess.CompletedProcess:
        """jstctl VERB with this test's options after it; arguments that are flags go behind them."""
        done = self.run("jstctl", verb, *arguments, *self.jstctl_flags(arguments), limit=limit, **more)
        if expect is not None and done.returncode != expect:
            raise ProcessFailed(
                f"jstctl {verb} ended with {done.returncode} instead of {expect}\n{done.stdout}{done.stderr}"
            )
        return done

    def jstctl_flags(self, arguments: Iterable[str]) -> list[str]:
        """Ours less what the test gives itself; database and API are in the environment."""
        own = self.flags("jstctl")
        given = set(arguments)
        return [word for i in range(0, len(own), 2) if own[i] not in given for word in own[i : i + 2]]

    def stop_all(self) -> None:
        """Stop what runs, the end of the pipe first; then fail if one ended wrongly or a sanitizer spoke."""
        failures = []
        for process in sorted(self.started, key=lambda p: p.name, reverse=True):
            try:
                process.stop(20, expect=0 if process.running else None)
            except AssertionError as error:
                failures.append(str(error))
        if failures:
            raise ProcessFailed("\n".join(failures))

    def kill_all(self) -> None:
        for process in self.started:
            process.kill()

    # ---- what should come of it ----

    def running(self) -> list[Process]:
        return [process for process in self.started if process.running]

    def expected(self, truth: bytes | None = None) -> dict[str, oracle.Row]:
        """The rows that the table must hold, from the sandbox's truth (or another one)."""
        if truth is None:
            assert self.sandbox, "this test has no sandbox"
            truth = self.sandbox.truth()
        if self._expected is None or self._expected[0] != truth:
            self._expected = (truth, oracle.expected_rows(truth, oracle.target_types(self.pipeline())))
        return self._expected[1]

    def differences(self, truth: bytes | None = None) -> oracle.Differences:
        assert self.database
        return oracle.compare(self.expected(truth), self.database)

    def wait_converged(self, limit: float = 120.0, truth: bytes | None = None) -> None:
        """Wait until the table holds exactly the rows of the truth, row by row and column by column."""
        assert self.database
        database = self.database
        last: object = "no table yet"

        def converged() -> bool:
            nonlocal last
            rows = self.expected(truth)
            if database.count(oracle.TABLE) != len(rows):
                last = f"{database.count(oracle.TABLE)} rows of {len(rows)}"
                return False
            last = oracle.compare(rows, database)
            return not last

        try:
            wait_until(
                "the table to hold the sandbox's truth", converged, limit, every=0.2, alive=self.running()
            )
        except NotInTime as error:
            tails = "\n".join(process.tail(15) for process in self.running())
            raise NotInTime(f"{error}\n{last}\n{tails}") from None


def rename(content: dict[str, Any], name: str) -> None:
    """Make another pipeline of it: a table belongs to one pipeline."""
    content["name"] = name
    for field in content["target"]["otherRequest"]:
        if field["field"] == "main_sql":
            field["value"] = field["value"].replace(f" {oracle.TABLE}", f" {name}_query")


def _merge(own: list[str], given: Iterable[str]) -> list[str]:
    """Leave out those of our --name VALUE pairs that the test gives itself."""
    words = list(given)
    names = {word.split("=", 1)[0] for word in words if word.startswith("--")}
    kept = [word for i in range(0, len(own), 2) if own[i] not in names for word in own[i : i + 2]]
    return kept + words
