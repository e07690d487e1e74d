"""Who is measured: each contestant's processes, and what they are called in the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.process import Process

from . import connect, peers
from .world import LINES, PARTITIONS, TABLE, TOPIC_SETTINGS, World


@dataclass(frozen=True)
class Job:
    """One run of a contestant: started from nothing, with a group (and an output topic) of its own."""

    processes: Sequence[Process]
    rows_a_message: int = 1  # transformers: of the messages that come out


@dataclass(frozen=True)
class Contestant:
    name: str  # for --contestants
    title: str  # in the tables
    make: Callable[[World, str], Job]  # the second argument: the topic to write to (transformers)
    floor: bool = False
    prepare: Callable[[], object] = lambda: None  # what is fetched or built beforehand


# ---- ours ----


def _ours(program: str, count: int) -> Callable[[World, str], Job]:
    def make(world: World, out: str) -> Job:
        pipe = world.pipe
        group = world.unique(program)
        kind = "pages" if program == "transformer" else "rows"
        world.topic(kind)
        topics = pipe.directory / f"{group}.conf"
        settings = " ".join(f"{name}={value}" for name, value in TOPIC_SETTINGS.items())
        dead = f"dead {group}.{{pipeline}}.dead 1 retention.ms=-1 max.message.bytes=17825792"
        rows = out.replace("purchasein", "{pipeline}") if out else pipe.topic("rows", "{pipeline}")
        topics.write_text(
            f"raw {pipe.topic('raw', '{pipeline}')} {PARTITIONS['pages']} {settings}\n"
            f"rows {rows} {PARTITIONS['rows']} {settings}\n"
            f"{dead}\nstate {group}.state 1 cleanup.policy=compact\n"
        )
        flags = ("--group", group, "--topics", str(topics))
        return Job([pipe.process(program, *flags) for _ in range(count)], LINES)

    return make


# ---- floors ----


def _floor(way: str, connections: int, reading: bool) -> Callable[[World, str], Job]:
    def make(world: World, _out: str) -> Job:
        topic = world.topic("rows") if reading else "none"
        command = [*world.tool("floor"), way, str(connections), str(world.documents), topic]
        # The reader is not to be what holds the floor up, whatever the fetch queue of ours is.
        queue = ("--kafka", "queued.max.messages.kbytes=65536")
        group = world.unique("floor")
        mysql = ("--mysql-host", world.server.host, "--mysql-port", str(world.server.port))
        account = ("--mysql-user", world.database.user, "--mysql-database", world.database.name)
        command += [*world.tool_options(group), *queue, *mysql, *account]
        return Job([world.process(f"floor-{way}", command)])

    return make


def _floor_of(name: str) -> Contestant:
    """The floor that ours is compared with, which is therefore run in every round."""
    return replace(next(floor for floor in _floors() if floor.name == name), floor=False)


def _floors() -> list[Contestant]:
    titles = {"text": "multi-row text", "load": "LOAD DATA LOCAL", "bulk": "bulk protocol"}
    made = []
    for way, connections in (("text", 1), ("text", 2), ("load", 1), ("load", 2), ("bulk", 1)):
        for reading in (False, True):
            title = f"floor: {titles[way]}, {connections} connection{'s' * (connections > 1)}"
            name = f"{way}{connections}" + ("+read" if reading else "")
            title += ", while the topic is read" if reading else ""
            made.append(Contestant(name, title, _floor(way, connections, reading), floor=True))
    return made


# ---- peers ----


def _go(program: str, folder: str, kind: str, **more: str) -> Callable[[World, str], Job]:
    """A Go program: folder "" is the bench's own, else one below BENCH_PEERS."""

    def make(world: World, out: str) -> Job:
        command = [str(peers.binary(program, folder))]
        if program == "benthos":
            command += [
                "-c",
                str(peers.source(program, folder) / ("transform.yaml" if out else "loader.yaml")),
            ]
        env = {
            "BOOTSTRAP": world.kafka.brokers,
            "TOPIC": world.topic(kind),
            "GROUP": world.unique(program),
            "MYSQL_HOST": world.server.host,
            "MYSQL_PORT": str(world.server.port),
            "MYSQL_USER": world.database.user,
            "MYSQL_PASSWORD": world.database.password,
            "MYSQL_DB": world.database.name,
            "MYSQL_TABLE": TABLE,
            "OUT_TOPIC": out,
            **more,
        }
        return Job([world.process(program, command, env)])

    return make


def _go_contestant(name: str, title: str, program: str, folder: str, kind: str, **more: str) -> Contestant:
    make = _go(program, folder, kind, **more)
    return Contestant(name, title, make, prepare=lambda: peers.binary(program, folder))


def _connect(world: World, _out: str) -> Job:
    return Job([connect.process(world)])


# ---- lists ----


def loaders() -> list[Contestant]:
    """In the order of a round: what is compared stands side by side."""
    own = [
        _floor_of("text1"),
        Contestant("ours", "loader, one process", _ours("loader", 1)),
        _go_contestant("go", "Go (franz-go, go-sql-driver)", "goload", "", "flat"),
        Contestant("ours2", "loader, two processes", _ours("loader", 2)),
        Contestant("connect", "Kafka Connect, Debezium's JDBC sink", _connect, prepare=connect.install),
    ]
    if folder := peers.outside():
        own += [
            _go_contestant("peer-go", "Go, of BENCH_PEERS", "goload", folder, "flat"),
            _go_contestant(
                "peer-benthos", "Benthos, of BENCH_PEERS", "benthos", folder, "flat", IN_FLIGHT="4"
            ),
        ]
    return own + [floor for floor in _floors() if floor.name != "text1"]


def transformers() -> list[Contestant]:
    made = [
        Contestant("ours", "transformer, one process", _ours("transformer", 1)),
        _go_contestant("go", "Go (franz-go, encoding/json)", "gotransform", "", "pages"),
        Contestant("ours2", "transformer, two processes", _ours("transformer", 2)),
    ]
    if folder := peers.outside():
        made += [
            _go_contestant("peer-go", "Go, of BENCH_PEERS", "gotransform", folder, "pages"),
            _go_contestant(
                "peer-benthos", "Benthos, of BENCH_PEERS", "benthos", folder, "pages", IN_FLIGHT="4"
            ),
        ]
    return made
