"""Where the tree, the installed servers and the built programs are."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LOCAL = Path(os.environ.get("JSTPIPE_LOCAL") or ROOT / ".local").resolve()
PYTHON = "/usr/bin/python3"  # Debian's, which sees Debian's modules; another one may come first in PATH
JAVA = "/usr/bin/java"


class NotInstalled(Exception):
    """Something that a make verb installs or builds is not there."""


def need(path: Path | str, remedy: str) -> Path:
    """The path, if it exists; otherwise an error that names the cure."""
    path = Path(path)
    if not path.exists():
        raise NotInstalled(f"{path} is missing: run '{remedy}' first")
    return path


def program(build: str, name: str) -> Path:
    """A program of ours in build/<build>/bin."""
    verb = {"release": "make build", "dev": "make dev", "asan": "make asan"}.get(
        build, f"cmake --preset {build}"
    )
    return need(ROOT / "build" / build / "bin" / name, verb)
