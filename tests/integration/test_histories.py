"""Random histories on real servers: in any order, repeated, in batches of any size, to one loader or three, killed at
the points of common/base/fault_point.h: the table equals the oracle, and no reader sees a document between two states.

`--histories N` says how many (100; make evidence: 2,000 on each server), `--seed` which. They are loaded in rounds,
each with a table, loaders and kills of its own. A history is one set of documents with its own sequence of states;
those of a round share the programs and the kills.
"""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest
from harness.history import WITNESS, Oracle, Reader, State, draw
from harness.process import Process
from harness.tables import Stack
from harness.waiting import wait_until

ROUND = 100  # histories that share programs and kills
MESSAGES = 40  # of one history
KILLS = 4  # of one round
WAVES = 4  # a round is published in parts, so that there is work after each kill
END = 120.0  # seconds, at most, until a round is loaded
SESSION = ("--kafka", "session.timeout.ms=2000", "--kafka", "heartbeat.interval.ms=400")
POINTS = (
    "partition-started",
    "record-taken",
    "begun",
    "heads-raised",
    "stored-keys-read",
    "stored-rows-deleted",
    "rows-loaded",
    "rows-written",
    "bad-rows-found",
    "marks-put",
    "rows-committed",
    "commit-known",
    "letter-sent",
    "letters-acknowledged",
    "offsets-stored",
    "offsets-sent",
    "offsets-committed",
    "table-looked-at",
)


class Round:
    """Some histories in a table of their own, and the loaders that are killed while they load them."""

    def __init__(self, stack: Stack, states: Sequence[State], chance: random.Random):
        self.stack = stack
        self.target = stack.take()
        self.states = states
        self.chance = chance
        self.killed: Counter[str] = Counter()
        self.target.create()
        stack.database.execute(WITNESS.format(table=self.target.table))

    def publish(self, wave: int) -> None:
        size = -(-len(self.states) // WAVES)
        part = self.states[wave * size : (wave + 1) * size]
        self.target.send(*(state.message(self.target.name) for state in part))

    def loader(self, point: str | None) -> Process:
        """With other batches and writers each time; point: where it will die if it passes there often enough."""
        env = {"JSTPIPE_KILL_AT": f"{point}:{self.chance.randint(1, 12)}"} if point else {}
        flags = ["--batch-rows", str(self.chance.choice((1, 7, 50, 400))), "--flood-limit", "100%"]
        flags += ["--writers", str(self.chance.randint(1, 3))]
        return self.stack.start(*flags, ready=False, session=SESSION, env=env)

    def lag(self) -> int:
        return self.stack.kafka.lag(self.stack.group, self.target.topic("rows"))

    def run(self, points: Iterator[str]) -> None:
        """Publish wave by wave; whoever dies is followed by another that will die elsewhere."""
        alive = [self.loader(next(points)) for _ in range(self.chance.choice((1, 1, 3)))]
        with Reader(self.target):
            for wave in range(WAVES):
                self.publish(wave)
                self.load(alive, points if wave < WAVES - 1 else None)
            for loader in alive:
                loader.stop()

    def load(self, alive: list[Process], points: Iterator[str] | None) -> None:
        """Until all that is published is loaded. points: None at the end, when nobody is to die any more."""

        def finished() -> bool:
            for at, loader in enumerate(alive):
                if loader.running:
                    continue
                assert loader.exit_code == -signal.SIGKILL, loader.tail()
                self.killed[loader.env["JSTPIPE_KILL_AT"].split(":")[0]] += 1
                more = points is not None and self.killed.total() < KILLS
                alive[at] = self.loader(next(points) if more else None)
            return self.lag() == 0

        server = self.stack.database.server.process
        wait_until("the histories to be loaded", finished, END, every=0.1, alive=[server])

    def check(self) -> None:
        oracle = Oracle(self.states)
        assert oracle.differences(self.target) == []
        oracle.check_letters(self.target.letters())


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """tell(line) prints a line at the end of the run."""
    return lambda line: request.node.user_properties.append(("told", line))


def points_in_turn(chance: random.Random) -> Iterator[str]:
    """Each point as often as the others, in an order that changes."""
    while True:
        yield from chance.sample(POINTS, len(POINTS))


def test_histories_end_at_the_oracle(make_stack, load_local, database_kind, build, seed, pytestconfig, tell):
    wanted = int(pytestconfig.getoption("--histories"))
    chance = random.Random(seed)
    points = points_in_turn(chance)
    rounds = -(-wanted // ROUND)
    killed: Counter[str] = Counter()
    for number in range(rounds):
        if number == rounds // 2:
            load_local()
        size = min(ROUND, wanted - number * ROUND)
        stack = make_stack(1, partitions=3)
        one = Round(stack, draw(build, seed * 1000 + number, size, MESSAGES), chance)
        one.run(points)
        one.check()
        killed += one.killed
        stack.close()
    tell(
        f"histories: {wanted} of {MESSAGES} messages on {database_kind} equal the oracle, seed {seed}, "
        f"loaders killed {killed.total()} times at {len(killed)} of {len(POINTS)} points"
    )


def test_no_reader_sees_half_a_document_during_heavy_updates(make_stack, seed):
    """Three loaders, each document twenty times with other lines: in every snapshot each document has exactly the
    lines of the version that jst_heads names."""
    stack = make_stack(1, partitions=3).create_all()
    target = stack.targets[0]
    chance = random.Random(seed)
    states = [
        State(0, number, version, (f"v{version}",) * (1 + (version * 7 + number) % 20))
        for version in range(20)
        for number in range(150)
    ]
    chance.shuffle(states)
    loaders = [
        stack.start("--batch-rows", rows, ready=False, session=SESSION) for rows in ("20", "100", "1000")
    ]
    wait_until("three members", lambda: stack.kafka.group_members(stack.group) == 3, 30, alive=loaders)
    with Reader(target) as reader:
        for wave in range(WAVES):
            target.send(*(state.message(target.name) for state in states[wave::WAVES]))
            stack.kafka.wait_consumed(stack.group, target.topic("rows"), END, alive=loaders)
            reader.wait_look()
    assert Oracle(states).differences(target) == []
    assert len(reader.seen) > 150, "it looked while documents changed"
    stack.close()
