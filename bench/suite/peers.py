"""The Go programs that ours are compared with, built when they are needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from harness import paths

LIMIT = 600


def outside() -> str:
    """BENCH_PEERS: a folder with goload, gotransform and benthos of somebody else, for calibration; "": none."""
    return os.environ.get("BENCH_PEERS", "")


def source(program: str, folder: str) -> Path:
    return (Path(folder) if folder else paths.ROOT / "bench" / "peers") / program


@cache
def compiler() -> str:
    found = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if not found:
        raise paths.NotInstalled("the Go peers need Go 1.19 or newer: run 'tools/setup bench' first")
    return found


@cache
def binary(program: str, folder: str) -> Path:
    """The built program; Go's own cache makes a second build a matter of a moment."""
    home = paths.LOCAL / "bench" / ("outside" if folder else "go")
    home.mkdir(parents=True, exist_ok=True)
    out = home / program
    command = [compiler(), "build", "-trimpath", "-o", str(out)]
    if program == "benthos":
        command.append("-ldflags=-checklinkname=0")
    done = subprocess.run(
        [*command, "."],
        cwd=source(program, folder),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, "GOWORK": "off"},
    )
    if done.returncode != 0:
        raise RuntimeError(f"go build of {program}:\n{done.stderr}")
    return out


def version() -> str:
    try:
        command = [compiler(), "env", "GOVERSION"]
    except paths.NotInstalled:
        return "no Go"
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
