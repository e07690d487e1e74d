"""Two pipelines of one table (options.table_of): the newest version of a document wins, whichever brought it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness.process import Process
from harness.tables import FIELDS, Stack, Target

DOCUMENTS = range(1, 41)
VERSIONS = range(1, 7)
SMALL_BATCHES = ("--batch-rows", "20")


class Shared:
    """The owner of a table and a pipeline that writes into it, both with what they have sent."""

    def __init__(self, stack: Stack, insert: bool):
        self.stack = stack
        self.owner, self.guest = stack.take(), stack.take()
        self.guest.table = self.owner.table
        self.newest: dict[int, tuple[int, int]] = {}  # by document: version and lines
        verb = "INSERT" if insert else "REPLACE"
        for target in (self.owner, self.guest):
            stack.pipe.edit_pipeline(lambda content, t=target: self._set_up(content, t, verb), target.name)
        self.owner.create()

    def _set_up(self, content: dict[str, Any], target: Target, verb: str) -> None:
        if target is self.guest:
            content["options"]["table_of"] = self.owner.name
        for entry in content["target"]["otherRequest"]:
            if entry["field"] == "main_sql":
                entry["value"] = f"{verb} INTO {self.owner.table}({', '.join(FIELDS)}) VALUES"

    def send_wave(self, chance: random.Random, messages: int) -> None:
        """Documents at any version, with one to three lines, by either pipeline."""
        batches: dict[Target, list[Any]] = {self.owner: [], self.guest: []}
        for _ in range(messages):
            number, version = chance.choice(DOCUMENTS), chance.choice(VERSIONS)
            lines = (number + version) % 3 + 1
            target = chance.choice((self.owner, self.guest))
            batches[target].append(target.document(number, version, lines=lines))
            if version >= self.newest.get(number, (0, 0))[0]:
                self.newest[number] = (version, lines)
        for target, sent in batches.items():
            target.send(*sent)

    def wanted(self) -> set[tuple[str, int, str]]:
        return {
            (f"{number}-{line}", version, f"v{version}")
            for number, (version, lines) in self.newest.items()
            for line in range(1, lines + 1)
        }

    def wait_right(self, alive: Sequence[Process] = (), limit: float = 30.0) -> None:
        """Both topics are consumed and the table holds the newest version of each document."""
        for target in (self.owner, self.guest):
            target.kafka.wait_consumed(self.stack.group, target.topic("rows"), limit, alive=list(alive))
        assert {(row["id"], row["ts"], row["remark"]) for row in self.owner.rows()} == self.wanted()
        assert self.owner.letters() == [] and self.guest.letters() == []


@pytest.fixture(params=["replace", "insert"])
def shared(make_stack, request) -> Iterator[Shared]:
    stack = make_stack(2, partitions=3)
    yield Shared(stack, request.param == "insert")
    stack.close()


def test_the_newest_version_wins_whichever_brought_it(shared, seed):
    """Two loaders, small batches, and every document by both."""
    chance = random.Random(seed)
    shared.send_wave(chance, 300)
    loaders = [shared.stack.start(*SMALL_BATCHES), shared.stack.start(*SMALL_BATCHES)]
    shared.wait_right(loaders)
    shared.send_wave(chance, 300)
    shared.wait_right(loaders)


def test_heads_are_shared_and_offsets_and_metrics_are_not(shared):
    shared.owner.send(shared.owner.document(1, 5, lines=2))
    shared.newest = {1: (5, 2), 2: (3, 1)}
    loader = shared.stack.start()
    shared.owner.wait_count(2)
    shared.guest.send(shared.guest.document(1, 4, lines=3), shared.guest.document(2, 3))
    shared.wait_right([loader])
    shared.guest.send(shared.guest.document(1, 6))
    shared.newest[1] = (6, 1)
    shared.wait_right([loader])
    database, owner, guest = shared.stack.database, shared.owner, shared.guest
    heads = database.query("SELECT pipeline, document, version FROM jst_heads ORDER BY document")
    assert heads == [
        {"pipeline": owner.name, "document": "1", "version": 6},
        {"pipeline": owner.name, "document": "2", "version": 3},
    ]
    marks = database.query("SELECT DISTINCT pipeline, topic FROM jst_offsets ORDER BY pipeline")
    assert marks == [{"pipeline": t.name, "topic": t.topic("rows")} for t in (owner, guest)]
    assert owner.metric("jst_loader_documents_total", result="written") == 1
    assert guest.metric("jst_loader_documents_total", result="written") == 2
    assert guest.metric("jst_loader_documents_total", result="stale") == 1
    assert guest.metric("jst_loader_pruned_rows_total") == 1


def test_a_replay_of_one_leaves_the_newer_versions_of_the_other(shared, seed):
    shared.send_wave(random.Random(seed), 200)
    loader = shared.stack.start()
    shared.wait_right([loader])
    shared.stack.database.execute(f"DELETE FROM `{shared.owner.table}` WHERE io_id = 7")
    since = datetime.now(UTC) + timedelta(hours=8) - timedelta(minutes=10)
    flags = ("--replay-from", since.strftime("%Y-%m-%d %H:%M:%S"))
    replay = shared.stack.pipe.process("loader", "--create-tables", "off", *flags)
    replay.start()
    assert replay.wait(60) == 0, replay.tail()
    shared.wait_right([loader])


def test_without_table_of_a_second_pipeline_is_refused(shared):
    """The others of the folder are loaded, and the one that may claim a table of another is not."""

    def claim(content: dict[str, Any]) -> None:
        del content["options"]["table_of"]

    shared.stack.pipe.edit_pipeline(claim, shared.guest.name)
    done = shared.stack.pipe.jstctl("check", expect=None)
    assert done.returncode != 0
    assert (
        f"the table {shared.owner.table} is that of pipeline {shared.owner.name}" in done.stdout + done.stderr
    )
