"""What only builds for tests may have: no variable of theirs, and no name of a fault point, is in a release."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("common", "extractor", "transformer", "loader", "jstctl")
POINT = re.compile(r'\bFAULT_POINT\("([^"]+)"\)')
VARIABLE = re.compile(r'"(JSTPIPE_\w+)"')


def sources() -> dict[Path, set[str]]:
    """The files that hold something for tests alone, each with the texts that stand for it."""
    found = {}
    for folder in PROGRAMS:
        for file in (ROOT / folder).rglob("*.c"):
            text = file.read_text()
            names = {*POINT.findall(text), *VARIABLE.findall(text)}
            if names:
                found[file] = names
    return found


def command_for(file: Path) -> list[str]:
    """How the build compiles this file, up to where its object goes."""
    for preset in ("dev", "asan", "release"):
        database = ROOT / "build" / preset / "compile_commands.json"
        entries = json.loads(database.read_text()) if database.exists() else []
        for entry in entries:
            if Path(entry["file"]) == file:
                words = entry["command"].split()
                return words[: words.index("-o")]
    raise AssertionError(f"no build compiles {file}: make dev")


def compiled(file: Path, object_file: Path, *flags: str) -> bytes:
    command = [word for word in command_for(file) if not word.startswith("-g")]
    command += [*flags, "-c", str(file), "-o", str(object_file)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "CCACHE_DISABLE": "1"})
    return object_file.read_bytes()


@pytest.mark.parametrize("file", sorted(sources()), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_release_has_nothing_for_tests(file, tmp_path):
    names = sources()[file]
    test_build = compiled(file, tmp_path / "test.o")
    release = compiled(file, tmp_path / "release.o", "-DNDEBUG", "-Wno-error")
    assert {name for name in names if name.encode() not in test_build} == set()  # this is how it would look
    assert {name for name in names if name.encode() in release} == set()
    assert b"\0fault_point\0" not in release


def test_programs_of_a_release_have_nothing_for_tests():
    """As far as `make build` has run here, whenever that was."""
    names = {name.encode() for found in sources().values() for name in found if name.startswith("JSTPIPE_")}
    assert len(names) >= 4
    for program in (ROOT / "build" / "release" / "bin").glob("*"):
        content = program.read_bytes()
        assert {name for name in names if name in content} == set(), program.name
