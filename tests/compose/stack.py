"""What tests/compose/run asks from outside the containers. SANDBOX and MYSQL are published ports, HOST:PORT.

stack.py pipelines FOLDER                  copy the shipped pipelines there, scheduled for every minute
stack.py control SANDBOX PATH              POST to the sandbox's control endpoint
stack.py mutations SANDBOX                 print how many documents have changed so far
stack.py converged SANDBOX MYSQL SECONDS   wait until the table holds exactly the sandbox's truth
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pymysql

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from harness import oracle
from harness.waiting import NotInTime, wait_until


class StackDatabase:
    """The stack's MySQL, as the demo's user; what harness.oracle needs of a database."""

    name = "jst"

    def __init__(self, address: str):
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)

    def connect(self, **more: Any) -> pymysql.connections.Connection:
        options: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": "jst",
            "password": "demo-password",  # as in .env.demo
            "database": self.name,
            "charset": "utf8mb4",
            "ssl": {"check_hostname": False},  # the login needs TLS, or a package for RSA
            "init_command": "SET time_zone = '+08:00'",
            "connect_timeout": 5,
            "read_timeout": 60,
        }
        return pymysql.connect(**{**options, **more})

    def query(self, sql: str, args: tuple = ()) -> list[dict[str, Any]]:
        with self.connect(cursorclass=pymysql.cursors.DictCursor) as c, c.cursor() as cursor:
            cursor.execute(sql, args or None)
            return list(cursor.fetchall())


def call(sandbox: str, path: str, method: str = "GET") -> bytes:
    request = urllib.request.Request(
        f"http://{sandbox}/_control/{path}", data=b"{}" if method == "POST" else None, method=method
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def copy_pipelines(folder: Path) -> None:
    folder.mkdir(parents=True)
    for source in (ROOT / "pipelines").iterdir():
        text = source.read_text("utf-8")
        if source.suffix == ".json":
            pipeline = json.loads(text)
            pipeline.setdefault("schedule", {})["crontab"] = "* * * * *"
            pipeline.setdefault("options", {})["lag"] = "2s"
            text = json.dumps(pipeline, ensure_ascii=False)
        (folder / source.name).write_text(text, "utf-8")
        (folder / source.name).chmod(0o644)
    folder.chmod(0o755)  # another user reads it


def wait_converged(sandbox: str, mysql: str, limit: float) -> oracle.Differences:
    """Every row and column; the truth is asked for once, so nothing may change meanwhile."""
    pipeline = json.loads((ROOT / "pipelines" / "purchasein.json").read_text("utf-8"))
    expected = oracle.expected_rows(call(sandbox, "truth/raw"), oracle.target_types(pipeline))
    database = StackDatabase(mysql)
    found: object = "no table yet"

    def converged() -> bool:
        nonlocal found
        found = oracle.compare(expected, database)  # type: ignore[arg-type]
        return not found

    try:
        wait_until(
            "the table to hold the sandbox's truth",
            converged,
            limit,
            every=1.0,
            ignore=(pymysql.Error, AssertionError),  # a server that starts, a table that is still to come
        )
    except NotInTime as error:
        raise NotInTime(f"{error}\n{found}") from None
    assert isinstance(found, oracle.Differences)
    return found


def main(verb: str, *words: str) -> None:
    if verb == "pipelines":
        copy_pipelines(Path(words[0]))
    elif verb == "control":
        call(*words, method="POST")
    elif verb == "mutations":
        print(json.loads(call(words[0], "stats"))["mutations"])
    elif verb == "converged":
        found = wait_converged(words[0], words[1], float(words[2]))
        print(f"{found.actual} rows, none missing, none differing")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (NotInTime, OSError) as problem:
        sys.exit(f"stack.py: {problem}")
