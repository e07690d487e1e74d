"""Rounds of runs: A B C, A B C, …, so that a slow minute of the machine meets everybody."""

from __future__ import annotations

import json
import subprocess
import zlib
from collections.abc import Callable, Sequence

from confluent_kafka import Message

from .contestants import Contestant
from .goals import Results
from .measure import Figures, measure
from .servers import TOPIC_SETTINGS
from .world import PARTITIONS, World

STOP_LIMIT = 60


def say(number: str, title: str, figures: Figures) -> None:
    """One run, as soon as it has ended."""
    print(
        f"{number} {title:50} {figures.rows_a_second:9,.0f} rows/s"
        f" {figures.cpu_a_million:6.1f} CPU-s/M {figures.mib:7.1f} MiB",
        flush=True,
    )


def load_once(world: World, contestant: Contestant) -> Figures:
    world.empty_tables()
    world.allow_local_infile(contestant.local_infile)
    job = contestant.make(world, "")
    try:
        figures = measure(job.processes, world.loaded_rows, world.rows, contestant.name)
    finally:
        for process in job.processes:
            process.stop(STOP_LIMIT, expect=None)
    world.check_table()
    return figures


def transform_once(world: World, contestant: Contestant) -> Figures:
    out = f"{world.servers.unique('out')}.{world.shape.pipeline}.rows"
    world.kafka.create_topic(out, PARTITIONS["rows"], TOPIC_SETTINGS)
    job = contestant.make(world, out)

    def written() -> int:
        return world.servers.end_offsets(out, PARTITIONS["rows"]) * job.rows_a_message

    try:
        figures = measure(job.processes, written, world.rows, contestant.name)
    finally:
        for process in job.processes:
            process.stop(STOP_LIMIT, expect=None)
    if job.rows_a_message > 1:
        found, expected = content(world, out), content(world, world.topic("rows"))
        assert found == expected, f"{contestant.name} wrote {found} (messages, sum) instead of {expected}"
    world.kafka.delete_topic(out)
    return figures


_contents: dict[str, tuple[int, int]] = {}


def content(world: World, topic: str) -> tuple[int, int]:
    """How many messages, and a sum over their values that does not depend on the order."""
    if topic not in _contents:
        total, count = 0, 0

        def add(message: Message) -> None:
            nonlocal total, count
            total += zlib.crc32(message.value())
            count += 1

        world.servers.read_topic(topic, add)
        _contents[topic] = (count, total)
    return _contents[topic]


def run_rounds(
    world: World,
    contestants: Sequence[Contestant],
    once: Callable[[World, Contestant], Figures],
    pairs: int,
    floor_pairs: int,
) -> Results:
    """Every contestant once a round; floors that nothing is compared with in fewer rounds."""
    results: Results = {c.name: [] for c in contestants}
    for number in range(pairs):
        for contestant in contestants:
            if contestant.floor and number >= floor_pairs:
                continue
            figures = once(world, contestant)
            results[contestant.name].append(figures)
            say(f"{number + 1}/{pairs}", contestant.title, figures)
    return results


def consume(world: World) -> list[dict]:
    """The pauses of our own source: emptied at once, and with work on each batch."""
    topic = world.topic("rows")
    found = []
    for title, words in (
        ("emptied at once", ["333", "none"]),
        ("20 ms of work after 333 messages", ["333", "20"]),
    ):
        group = world.servers.unique("consume")
        command = [*world.servers.tool("consume"), topic, *words, *world.tool_options(group)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=300, check=False, env=world.pipe.environment()
        )
        if done.returncode != 0:
            raise RuntimeError(f"bench_consume ended with {done.returncode}: {done.stderr}")
        figures = {"title": title, **json.loads(done.stdout)}
        found.append(figures)
        print(
            f"consume, {title}: {figures['messages'] / figures['seconds']:,.0f} messages/s, pauses"
            f" {figures['pauses']}, longest {figures['longest_ms']} ms",
            flush=True,
        )
    return found
