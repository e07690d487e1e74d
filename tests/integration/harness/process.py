"""One started program: its log, its end, its metrics."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from .waiting import NotInTime, wait_until

TAIL_LINES = 40
SANITIZER_REPORT = re.compile(
    r"ERROR: (?:Address|Leak|Memory|Thread)Sanitizer|: runtime error: |SUMMARY: \w+Sanitizer"
)
LISTEN_ADDRESS = re.compile(r"(?:listen|metrics|health)[^\n]*?(127\.0\.0\.1:[1-9]\d*)", re.IGNORECASE)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ProcessFailed(AssertionError):
    pass


def _die_with_parent() -> None:
    """In the child: be killed when the test run is, so that no server is left behind."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program with a private directory; standard output and error go to <directory>/<name>.log."""

    def __init__(
        self, name: str, command: Sequence[str | Path], directory: Path, env: Mapping[str, str] | None = None
    ):
        self.name = name
        self.command = [str(word) for word in command]
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log_path = self.directory / f"{name}.log"
        self.env = dict(env) if env is not None else None
        self.popen: subprocess.Popen[bytes] | None = None
        self.log_start = 0  # where in the log this start began
        self.fixed_address: str | None = None  # known beforehand; else it is read from the log
        self._address: str | None = None
        self._listens = False

    # ---- life ----

    def start(self) -> Process:
        assert self.popen is None or self.popen.poll() is not None, f"{self.name} runs already"
        self.log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        self._address = None
        self._listens = False
        # The signal comes when the starting *thread* ends, hence only the main one may ask for it.
        in_main = threading.current_thread() is threading.main_thread()
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env=self.env,
                start_new_session=True,  # Ctrl-C is for the test run, which then stops its programs itself
                preexec_fn=_die_with_parent if in_main else None,
            )
        return self

    @property
    def pid(self) -> int:
        assert self.popen is not None, f"{self.name} was never started"
        return self.popen.pid

    @property
    def running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self.popen.poll() if self.popen is not None else None

    def check_alive(self) -> None:
        if not self.running:
            raise ProcessFailed(f"{self.name} ended with {self.exit_code}\n{self.tail()}")

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, limit: float = 30.0) -> int:
        """Wait for its own end; returns the exit code (negative: the signal)."""
        assert self.popen is not None
        try:
            code = self.popen.wait(limit)
        except subprocess.TimeoutExpired:
            raise NotInTime(f"{self.name} did not end within {limit} s\n{self.tail()}") from None
        self.check_sanitizers()
        return code

    def _handles_sigterm(self) -> bool:
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return True  # it has just ended
        masks = re.findall(r"Sig(?:Blk|Cgt|Ign):\s+(\w+)", status)
        return not masks or any(int(mask, 16) >> (signal.SIGTERM - 1) & 1 for mask in masks)

    def _wait_handles_sigterm(self) -> None:
        """On a busy machine a program may still be loading its libraries."""
        wait_until(
            f"{self.name} to handle SIGTERM", lambda: not self.running or self._handles_sigterm(), 20.0
        )

    def stop(self, limit: float = 15.0, expect: int | None = 0) -> int | None:
        """SIGTERM, and its end within the limit; kills it and fails otherwise. None if it never ran.

        expect   the exit code that is right; None allows any
        """
        if self.popen is None:
            return None
        if self.popen.poll() is None:
            if expect is not None:
                self._wait_handles_sigterm()
            self.popen.terminate()
            try:
                self.popen.wait(limit)
            except subprocess.TimeoutExpired:
                self.kill()
                raise ProcessFailed(
                    f"{self.name} did not end within {limit} s of SIGTERM\n{self.tail()}"
                ) from None
        code = self.popen.returncode
        self.check_sanitizers()
        if expect is not None and code not in (expect, -signal.SIGKILL):
            raise ProcessFailed(f"{self.name} ended with {code} instead of {expect}\n{self.tail()}")
        return code

    def kill(self) -> None:
        """SIGKILL, and wait until the process with all its threads has gone."""
        if self.popen is not None and self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait(30)

    # ---- what it says ----

    def log(self) -> str:
        """What it has written since its last start."""
        if not self.log_path.exists():
            return ""
        with open(self.log_path, "rb") as f:
            f.seek(self.log_start)
            return f.read().decode(errors="replace")

    def tail(self, lines: int = TAIL_LINES) -> str:
        text = "\n".join(self.log().splitlines()[-lines:])
        return f"---- end of {self.log_path}\n{text}\n----"

    def wait_for_log(self, pattern: str, limit: float = 30.0) -> re.Match[str]:
        """Wait until a line since the last start matches the regular expression."""
        try:
            return wait_until(
                f"{self.name} to log /{pattern}/",
                lambda: re.search(pattern, self.log(), re.MULTILINE),
                limit,
                alive=[self],
            )
        except NotInTime as error:
            raise NotInTime(f"{error}\n{self.tail()}") from None

    def check_sanitizers(self) -> None:
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        found = SANITIZER_REPORT.search(text)
        if found:
            raise ProcessFailed(f"{self.name}: a sanitizer reports\n{text[found.start() :][:6000]}")

    def memory_kib(self) -> dict[str, int]:
        """VmRSS and VmHWM, in KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return {k: int(v) for k, v in re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status, re.MULTILINE)}

    # ---- what it serves ----

    def address(self, limit: float = 20.0) -> str:
        """HOST:PORT of metrics and health: as demanded, or from the log (port 0)."""
        if self.fixed_address:
            return self.fixed_address
        if self._address is None:
            self._address = wait_until(
                f"{self.name} to log its listen address",
                lambda: LISTEN_ADDRESS.search(self.log()),
                limit,
                alive=[self],
            ).group(1)
        return self._address

    def get(self, path: str) -> tuple[int, str]:
        """GET a path of the metrics server, which a program that has just been started opens soon: status, body."""
        if not self._listens:
            wait_until(f"{self.name} to listen on {self.address()}", self._accepts, 20, alive=[self])
            self._listens = True
        try:
            with urllib.request.urlopen(f"http://{self.address()}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def _accepts(self) -> bool:
        host, port = self.address().rsplit(":", 1)
        try:
            socket.create_connection((host, int(port)), 2).close()
        except OSError:
            return False
        return True

    def ready(self) -> bool:
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def wait_ready(self, limit: float = 30.0) -> Process:
        """Wait until /readyz says 200."""
        last = ""

        def is_ready() -> bool:
            nonlocal last
            try:
                status, last = self.get("/readyz")
            except OSError as error:
                last = str(error)
                return False
            return status == 200

        try:
            wait_until(f"{self.name} to be ready", is_ready, limit, alive=[self])
        except NotInTime as error:
            raise NotInTime(f"{error}\n/readyz: {last.strip()}\n{self.tail()}") from None
        return self

    def metrics(self) -> Metrics:
        status, body = self.get("/metrics")
        assert status == 200, f"/metrics of {self.name}: {status}"
        return Metrics(body)


class Metrics:
    """Samples of one scrape."""

    _SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
    _LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text: str):
        self.text = text
        self.samples: list[tuple[str, dict[str, str], float]] = []
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            match = self._SAMPLE.match(line)
            assert match, f"not a line of Prometheus text: {line!r}"
            labels = {k: v.replace(r"\"", '"') for k, v in self._LABEL.findall(match[2] or "")}
            self.samples.append((match[1], labels, float(match[3])))

    def series(self, name: str, /, **labels: str) -> list[tuple[dict[str, str], float]]:
        """The samples of this name whose labels include those given."""
        return [(l, v) for n, l, v in self.samples if n == name and labels.items() <= l.items()]

    def has(self, name: str, /, **labels: str) -> bool:
        return bool(self.series(name, **labels))

    def sum(self, name: str, /, **labels: str) -> float:
        """Their sum; 0 if there are none."""
        return sum(value for _, value in self.series(name, **labels))

    def as_dict(self) -> dict[str, float]:
        """'name{a="b"}' to value, as the text has it."""
        return {
            line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in self.text.splitlines()
            if line and line[0] != "#"
        }


def now() -> float:
    """Monotonic seconds, for measuring."""
    return time.monotonic()
