"""Who is measured: each contestant's processes, and what they are called in the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.process import Process

from . import connect, peers
from .servers import TOPIC_SETTINGS
from .world import FLOOR_BATCH_ROWS, PARTITIONS, World

COMPARED_FLOORS = ("text1", "load1", "bulk1")  # in every round


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
    local_infile: bool = True  # what the server allows meanwhile


# ---- ours ----


def topics_file(
    world: World, group: str, rows: str, raw: str = "", partitions: int = PARTITIONS["rows"]
) -> Path:
    """topics.conf with these names of topics, each with {pipeline} in it."""
    file = world.pipe.directory / f"{group}.conf"
    settings = " ".join(f"{name}={value}" for name, value in TOPIC_SETTINGS.items())
    raw = raw or world.topic_name("pages", "{pipeline}")
    file.write_text(
        f"raw {raw} {PARTITIONS['pages']} {settings}\n"
        f"rows {rows} {partitions} {settings}\n"
        f"dead {group}.{{pipeline}}.dead 1 retention.ms=-1 max.message.bytes=17825792\n"
        f"state {group}.state 1 cleanup.policy=compact\n"
    )
    return file


def our_process(
    world: World, program: str, group: str, topics: Path, flags: Mapping[str, str] | None = None
) -> Process:
    """These flags count over those of the bench's command line, and these over the program's defaults."""
    own = {"--group": group, "--topics": str(topics)}
    if program == "loader":
        own.update(world.servers.loader_flags)
    own.update(flags or {})
    return world.pipe.process(program, *(word for pair in own.items() for word in pair))


def our_loader(world: World, kind: str = "rows") -> Process:
    """One loader that reads the world's full topic of this kind (rows or newer) from its start."""
    group = world.servers.unique("loader")
    world.topic(kind)
    return our_process(
        world, "loader", group, topics_file(world, group, world.topic_name(kind, "{pipeline}"))
    )


def _ours(program: str, count: int, flags: Mapping[str, str] | None = None) -> Callable[[World, str], Job]:
    def make(world: World, out: str) -> Job:
        group = world.servers.unique(program)
        world.topic("pages" if program == "transformer" else "rows")
        rows = (
            out.replace(world.shape.pipeline, "{pipeline}") if out else world.topic_name("rows", "{pipeline}")
        )
        topics = topics_file(world, group, rows)
        made = [our_process(world, program, group, topics, flags) for _ in range(count)]
        return Job(made, world.shape.lines)

    return make


# ---- floors ----


def _floor(way: str, connections: int, reading: bool, batch_rows: int) -> Callable[[World, str], Job]:
    def make(world: World, _out: str) -> Job:
        command = world.floor_command(
            way, connections, batch_rows, world.topic("rows") if reading else "none"
        )
        # The reader is not to be what holds the floor up, whatever the fetch queue of ours is.
        command += ["--kafka", "queued.max.messages.kbytes=65536"]
        return Job([world.process(f"floor-{way}", command)])

    return make


def floor_of(name: str) -> Contestant:
    """A floor that ours is compared with, which is therefore run in every round."""
    return replace(next(floor for floor in _floors() if floor.name == name), floor=False)


_WAYS = {"text": "multi-row text", "load": "LOAD DATA LOCAL", "bulk": "bulk protocol"}


def _floor_contestant(
    way: str, connections: int, reading: bool = False, batch_rows: int = FLOOR_BATCH_ROWS
) -> Contestant:
    name = f"{way}{connections}"
    title = f"floor: {_WAYS[way]}, {connections} connection{'s' * (connections > 1)}"
    if reading:
        name, title = f"{name}+read", f"{title}, while the topic is read"
    if batch_rows != FLOOR_BATCH_ROWS:
        name, title = f"{name}x{batch_rows}", f"{title}, {batch_rows:,} rows a transaction"
    return Contestant(name, title, _floor(way, connections, reading, batch_rows), floor=True)


def _floors() -> list[Contestant]:
    made = [
        _floor_contestant(way, connections, reading)
        for way, connections in (("text", 1), ("text", 2), ("load", 1), ("load", 2), ("load", 4), ("bulk", 1))
        for reading in (False, True)
    ]
    return [
        *made,
        _floor_contestant("load", 1, batch_rows=10_000),
        _floor_contestant("bulk", 1, batch_rows=10_000),
    ]


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
            "GROUP": world.servers.unique(program),
            "MYSQL_HOST": world.server.host,
            "MYSQL_PORT": str(world.server.port),
            "MYSQL_USER": world.database.user,
            "MYSQL_PASSWORD": world.database.password,
            "MYSQL_DB": world.database.name,
            "MYSQL_TABLE": world.shape.table,
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
    compared = [floor_of(name) for name in COMPARED_FLOORS]
    own = [
        *compared,
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
    pinned = Contestant(
        "ours-pinned",
        f"loader, one process, {FLOOR_BATCH_ROWS:,} rows a transaction",
        _ours("loader", 1, {"--batch-rows": str(FLOOR_BATCH_ROWS)}),
        floor=True,
    )
    return [*own, pinned, *(floor for floor in _floors() if floor.name not in COMPARED_FLOORS)]


def loaders_mysql() -> list[Contestant]:
    """As MySQL is shipped, and with LOAD DATA LOCAL allowed; each beside the floor that may do the same."""
    titles = ("loader, one process, local_infile=OFF", "loader, one process, local_infile=ON")
    return [
        floor_of("text1"),
        Contestant("ours", titles[0], _ours("loader", 1), local_infile=False),
        floor_of("load1"),
        Contestant("ours-infile", titles[1], _ours("loader", 1)),
    ]


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
