"""kill -9 at each instant of the crash table (ARCHITECTURE.md, section 5), on real servers: the table equals the
oracle, and every dead letter is there.

A program ends or stops itself at a point of common/base/fault_point.h. What follows is the same for all points: another
process goes on, and nothing is missing.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import feed, paths
from harness.history import REFUSED, WITNESS, Oracle, State, draw
from harness.process import Process, ProcessFailed
from harness.tables import Stack
from harness.waiting import wait_until

SMALL_BATCHES = ("--batch-rows", "5", "--flood-limit", "100%")
SESSION = ("--kafka", "session.timeout.ms=2000", "--kafka", "heartbeat.interval.ms=400")
HISTORIES, MESSAGES = 8, 40
FREE = ("--rate-second", "0", "--rate-minute", "0", "--quiet")
END = 60.0  # seconds, at most, until everything is loaded


def sure_states() -> list[State]:
    """Documents that lose a line and have a bad one, more than there are partitions: whoever loads some of them
    deletes, rejects and sends letters."""
    numbers = range(900000, 900024)
    full = [State(-1, number, 1, ("v1", "v1", "v1")) for number in numbers]
    return full + [State(-1, number, 2, ("v2", REFUSED)) for number in numbers]


class World:
    """A pipeline with three partitions, documents for it, and loaders."""

    def __init__(self, stack: Stack, build: str, seed: int):
        self.stack = stack
        self.kafka = stack.kafka
        self.target = stack.targets[0]
        self.states = draw(build, seed, HISTORIES, MESSAGES) + sure_states()
        self.oracle = Oracle(self.states)
        stack.database.execute(WITNESS.format(table=self.target.table))

    def publish(self) -> None:
        self.target.send(*(state.message(self.target.name) for state in self.states))

    def publish_foreign(self) -> None:
        """A batch of nothing else needs no transaction, so its mark is written later."""
        self.kafka.produce(self.target.topic("rows"), b"foreign", partition=0)

    def loader(self, **env: str) -> Process:
        return self.stack.start(*SMALL_BATCHES, ready=False, session=SESSION, env=env)

    def lag(self) -> int:
        return self.kafka.lag(self.stack.group, self.target.topic("rows"))

    def members(self) -> int:
        return self.kafka.group_members(self.stack.group)

    def wait_joined(self, process: Process, members: int) -> None:
        """Wait until it has partitions, unless it dies before."""
        wait_until(
            f"{members} members",
            lambda: not process.running or (self.members() == members and process.ready()),
            END,
            ignore=(ProcessFailed,),
        )

    def wait_some(self, process: Process) -> None:
        """Wait until some of it is written, unless it dies before."""
        sql = f"SELECT COUNT(*) FROM jst_heads WHERE pipeline = '{self.target.name}'"
        wait_until("some documents", lambda: not process.running or self.stack.database.value(sql) > 5, END)

    def check_end(self, *alive: Process) -> None:
        """Everything is loaded by these, and nothing is missing."""
        self.kafka.wait_consumed(self.stack.group, self.target.topic("rows"), END, alive=alive)
        assert self.oracle.differences(self.target) == []
        self.oracle.check_letters(self.target.letters())
        sql = "SELECT `partition`, next_offset FROM jst_offsets WHERE pipeline = %s"
        ends = self.kafka.end_offsets(self.target.topic("rows"))
        marks = self.stack.database.query(sql, [self.target.name])
        assert [mark for mark in marks if mark["next_offset"] > ends[mark["partition"]]] == []


@pytest.fixture
def world(make_stack, build, seed) -> Iterator[World]:
    stack = make_stack(1, partitions=3).create_all()
    yield World(stack, build, seed)
    stack.close()


# ---- a loader dies ----


def publish(world: World, _victim: Process) -> None:
    world.publish()


def publish_and_ask_to_stop(world: World, victim: Process) -> None:
    world.publish()
    world.wait_some(victim)
    if victim.running:
        victim.signal(signal.SIGTERM)


def others_come_while_much_is_published(world: World, victim: Process) -> None:
    """One after the other, until a rebalance finds offsets that are stored and not committed."""
    others: list[Process] = []
    seen = 0

    def come() -> bool:
        nonlocal seen
        world.publish()
        committed = sum(world.kafka.committed(world.stack.group, world.target.topic("rows")).values())
        if committed > seen and (not others or others[-1].ready()):
            seen = committed
            if others:
                others[-1].stop()
            others.append(world.loader())
        return not victim.running

    wait_until("it to die", come, END)


def cut_and_publish(world: World, _victim: Process) -> None:
    assert world.stack.kill_sessions() > 0
    world.publish()


def publish_and_send_what_needs_no_transaction(world: World, victim: Process) -> None:
    world.publish()
    wait_until("everything to be loaded", lambda: not victim.running or world.lag() == 0, END)
    world.publish_foreign()


@dataclass(frozen=True)
class Instant:
    """A point, at which of its passings the process dies, and what brings that about."""

    point: str
    passing: int = 1
    provoke: Callable[[World, Process], None] = publish


OFTEN_PASSED = [
    Instant("table-looked-at"),
    Instant("partition-started"),
    Instant("record-taken", 30),
    Instant("begun", 4),
    Instant("heads-raised", 4),
    Instant("stored-keys-read", 4),
    Instant("stored-rows-deleted", 2),
    Instant("rows-loaded", 4),
    Instant("rows-written", 2),
    Instant("bad-rows-found", 2),
    Instant("marks-put", 4),
    Instant("rows-committed", 4),
    Instant("commit-known", 4),
    Instant("letter-sent", 2),
    Instant("letters-acknowledged", 2),
    Instant("offsets-stored", 4),
    Instant("offsets-sent"),
    Instant("offsets-committed"),
]
PROVOKED = [
    Instant("reconnected", 1, cut_and_publish),
    Instant("stopping", 1, publish_and_ask_to_stop),
    Instant("last-offsets-committed", 1, publish_and_ask_to_stop),
    Instant("lagging-marks-committed", 1, publish_and_send_what_needs_no_transaction),
    Instant("partitions-revoked", 1, others_come_while_much_is_published),
    Instant("revoked-offsets-committed", 1, others_come_while_much_is_published),
]
ALWAYS = {"heads-raised-alone", "rows-committed-beside another", "letters-acknowledged-alone"}


def cases() -> Iterator[object]:
    for instant in OFTEN_PASSED + PROVOKED:
        for others in (0, 1) if instant in OFTEN_PASSED else (0,):
            name = f"{instant.point}-{'beside another' if others else 'alone'}"
            marks = () if name in ALWAYS else (pytest.mark.evidence,)
            yield pytest.param(instant, others, id=name, marks=marks)


@pytest.mark.parametrize(("instant", "others"), cases())
def test_a_loader_is_killed(world, load_local, instant, others):
    if instant.point == "rows-loaded":
        load_local()
    alive = [world.loader().wait_ready() for _ in range(others)]
    victim = world.loader(JSTPIPE_KILL_AT=f"{instant.point}:{instant.passing}")
    world.wait_joined(victim, others + 1)
    instant.provoke(world, victim)
    assert victim.wait(END) == -signal.SIGKILL, victim.tail()
    alive = [loader for loader in world.stack.loaders if loader.running] or [world.loader()]
    world.check_end(*alive)


# ---- a loader stands still, and comes back when its partitions are another's ----


# Late enough that both writers are connected: MySQL's list of sessions waits for one that stops while it logs in.
SLEEPS = {
    "heads-raised": 8,
    "rows-written": 3,
    "marks-put": 8,
    "rows-committed": 8,
    "commit-known": 8,
    "letter-sent": 2,
    "letters-acknowledged": 2,
    "offsets-stored": 8,
    "offsets-sent": 2,
}


def sleeps() -> Iterator[object]:
    for point in SLEEPS:
        for cut in (False, True):
            name = f"{point}-{'its connections are cut' if cut else 'its locks stay'}"
            marks = () if (point, cut) == ("marks-put", False) else (pytest.mark.evidence,)
            yield pytest.param(point, cut, id=name, marks=marks)


@pytest.mark.parametrize(("point", "cut"), sleeps())
def test_a_loader_comes_back_to_what_is_no_longer_its_own(world, point, cut):
    """Its connections are cut, as the server does after a minute: the other has loaded everything when it comes back.
    Else it comes back in the midst, and commits what it has begun."""
    other = world.loader().wait_ready()
    sleeper = world.loader(JSTPIPE_STOP_AT=f"{point}:{SLEEPS[point]}")
    world.wait_joined(sleeper, 2)
    world.publish()
    try:
        wait_until(f"it to stand still at {point}", lambda: is_stopped(sleeper.pid), END, alive=[sleeper])
        wait_until("it to be missed", lambda: world.members() == 1, END, alive=[other])
        if cut:
            world.stack.kill_sessions()
            world.check_end(other)
    finally:
        sleeper.signal(signal.SIGCONT)
    wait_until("it to be back", lambda: world.members() == 2, END, alive=[other, sleeper])
    world.check_end(other, sleeper)
    sleeper.stop()
    world.check_end(other)


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


# ---- a transformer or an extractor dies ----

TRANSFORMER = {
    "page-consumed": 3,
    "page-published": 3,
    "rows-message-acknowledged": 100,
    "page-offset-stored": 3,
    "offsets-sent": 1,
    "offsets-committed": 1,
}
EXTRACTOR = {"page-fetched": 3, "message-queued": 3, "message-acknowledged": 3, "checkpoint-written": 1}


def some(points: dict[str, int], always: str) -> list[object]:
    return [
        pytest.param(point, passing, id=point, marks=() if point == always else (pytest.mark.evidence,))
        for point, passing in points.items()
    ]


@pytest.mark.parametrize(("point", "passing"), some(TRANSFORMER, "rows-message-acknowledged"))
def test_a_transformer_is_killed(kafka, database, start_sandbox, make_pipe, point, passing):
    pipe = make_pipe(kafka, database, start_sandbox("--documents", "400"))
    pipe.create_topics()
    feed.raw(pipe, pipe.sandbox.truth().splitlines())
    victim = pipe.start("transformer", *SESSION, ready=False, env={"JSTPIPE_KILL_AT": f"{point}:{passing}"})
    assert victim.wait(END) == -signal.SIGKILL, victim.tail()
    pipe.once("transformer", *SESSION)
    pipe.once("loader")
    assert not pipe.differences()
    assert kafka.consume_all(pipe.topic("dead")) == []


@pytest.mark.parametrize(("point", "passing"), some(EXTRACTOR, "message-acknowledged"))
def test_an_extractor_is_killed(kafka, database, start_sandbox, make_pipe, point, passing):
    pipe = make_pipe(kafka, database, start_sandbox("--documents", "400", *FREE))
    env = {"JSTPIPE_KILL_AT": f"{point}:{passing}"}
    victim = pipe.process("extractor", "--once", *SESSION, env=env).start()
    assert victim.wait(END) == -signal.SIGKILL, victim.tail()
    pipe.once("extractor", *SESSION)
    pipe.once("transformer")
    pipe.once("loader")
    assert not pipe.differences()


def test_every_point_has_its_case():
    text = "\n".join(
        file.read_text()
        for room in ("common", "extractor", "transformer", "loader")
        for file in (paths.ROOT / room).rglob("*.c")
    )
    tried = {instant.point for instant in OFTEN_PASSED + PROVOKED} | TRANSFORMER.keys() | EXTRACTOR.keys()
    assert set(re.findall(r'\bFAULT_POINT\("([^"]+)"\)', text)) == tried
