"""The sandbox API as a program, and its control endpoint."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import paths
from .process import Process


class Sandbox:
    """python3 sandbox/server.py on a free port.

    options   further options of the server, for example ["--documents", "500"]
    """

    def __init__(self, directory: Path, options: Sequence[str] = ()):
        server = paths.need(paths.ROOT / "sandbox" / "server.py", "git checkout")
        command = [paths.PYTHON, "-u", server, "--listen", "127.0.0.1:0", *options]
        self.process = Process("sandbox", command, directory)
        self.url = ""

    def start(self) -> Sandbox:
        if self.url:  # a restart keeps the address
            where = self.process.command.index("--listen")
            self.process.command[where + 1] = self.url.removeprefix("http://")
        self.process.start()
        self.url = self.process.wait_for_log(r"sandbox listening on (http://\S+)", 60).group(1)
        return self

    def stop(self) -> None:
        self.process.stop(10, expect=None)

    def kill(self) -> None:
        self.process.kill()

    def control(
        self, path: str, body: Mapping[str, Any] | Sequence[Any] | None = None, method: str | None = None
    ) -> bytes:
        """Call /_control/<path>: GET without a body, POST of JSON with one."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/_control/{path}",
            data=data,
            method=method or ("GET" if data is None else "POST"),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def control_json(self, path: str, body: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
        return json.loads(self.control(path, body) or b"null")

    def truth(self) -> bytes:
        """Every document as it is now, exactly as the API would give it: one JSON text a line."""
        return self.control("truth/raw")
