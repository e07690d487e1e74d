"""Thirty pipelines in one loader: all healthy; and one with its table locked, one that lacks a column, and one with a
bad row and no dead-letter topic. What do the 27 others lose?
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass

import pymysql
from confluent_kafka import KafkaException
from harness.process import Process
from harness.waiting import wait_until

from .contestants import our_process, topics_file
from .measure import Figures, committed_documents, measure
from .rounds import STOP_LIMIT, say
from .servers import TOPIC_SETTINGS
from .world import World

PIPELINES = 30
PARTITIONS = 2  # of each pipeline
LOCKED, PAUSED, DEAD_END = "p01", "p02", "p31"  # p31 stands in for p03, with a bad row before all others
NAMES = [f"p{number:02}" for number in range(1, PIPELINES + 1)]
OTHERS = NAMES[3:]
FAULTY = [LOCKED, PAUSED, DEAD_END, *OTHERS]
PATIENCE = 4  # times as long as without faults, and at least LEAST_LIMIT seconds
LEAST_LIMIT = 60.0


@dataclass(frozen=True)
class Many:
    healthy: Figures  # of the 27 others
    faulty: Figures


def thirty_pipelines(world: World) -> Many:
    """world.documents of each pipeline."""
    topics = f"{world.servers.unique('many')}.{{pipeline}}.rows"
    for name in [*NAMES, DEAD_END]:
        _fill(world, name, topics.replace("{pipeline}", name))
    world.expect()
    healthy = _run(world, NAMES, topics, None)
    say("1/2", "27 of 30 pipelines, all healthy", healthy)
    limit = max(LEAST_LIMIT, PATIENCE * world.rows * len(OTHERS) / healthy.rows_a_second)
    with closing(world.database.connect()) as blocker:
        faulty = _run(world, FAULTY, topics, limit, blocker)
    say("2/2", "27 of 30 pipelines, 3 faulty", faulty)
    for name in [*NAMES, DEAD_END]:
        world.kafka.delete_topic(topics.replace("{pipeline}", name))
        world.query(f"DROP TABLE IF EXISTS {name}")
    return Many(healthy, faulty)


def _fill(world: World, name: str, topic: str) -> None:
    world.kafka.create_topic(topic, PARTITIONS, TOPIC_SETTINGS)
    if name == DEAD_END:
        _publish_bad_row(world, topic)
    world.servers.feed("rows", world.shape.rows, name, topic, world.documents)


def _publish_bad_row(world: World, topic: str) -> None:
    """Its warehouse is wider than the column."""
    row = {"id": "1-1", "io_id": 1, "ts": 1, "warehouse": "x" * 1000, "items_ioi_id": 1}
    headers = {
        "jst-pipeline": DEAD_END,
        "jst-document": "1",
        "jst-version": "1",
        "jst-rows": "1",
        "jst-source": "bench/0/0",
        "jst-received-at": "2026-08-13T00:00:00.000Z",
    }
    world.kafka.produce(topic, json.dumps(row) + "\n", "1", headers)


def _write_pipelines(world: World, names: list[str]) -> str:
    """A folder with a pipeline for each name, which is also its table's."""
    folder = world.pipe.directory / world.servers.unique("pipelines")
    folder.mkdir()
    text = world.shape.pipeline_file.read_text()
    for name in names:
        content = json.loads(text.replace(world.shape.table, name))
        content["name"] = name
        (folder / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False))
    return str(folder)


def _run(
    world: World,
    names: list[str],
    topics: str,
    limit: float | None,
    blocker: pymysql.connections.Connection | None = None,
) -> Figures:
    """The rate of the 27 others, from the loader's start on. blocker: the connection that locks a table; with it
    come the other two faults."""
    world.empty_tables()
    for name in names:
        world.create_table(name)
    group = world.servers.unique("loader")
    flags = {"--pipelines": _write_pipelines(world, names)}
    file = topics_file(world, group, topics, partitions=PARTITIONS)
    loader = our_process(world, "loader", group, file, flags)
    if blocker is not None:
        world.query(f"ALTER TABLE {PAUSED} DROP COLUMN remark")
        with blocker.cursor() as cursor:
            cursor.execute(f"LOCK TABLES {LOCKED} WRITE")
    dead = f"{group}.{DEAD_END}.dead"
    broken = blocker is None

    def rows() -> int:
        nonlocal broken
        broken = broken or _delete_topic(world, loader, dead)
        return world.shape.lines * committed_documents(loader, OTHERS)

    try:
        figures = measure([loader], rows, world.rows * len(OTHERS), "27 pipelines", first_row=0, limit=limit)
        if blocker is None:
            wait_until(
                "the other three",
                lambda: committed_documents(loader, names) == world.documents * len(names),
                120,
                alive=[loader],
            )
        else:
            assert world.kafka.partitions(dead) == 0, f"{dead} is there again"
            assert committed_documents(loader, {LOCKED, PAUSED}) == 0, "a fault was none"
    finally:
        if blocker is not None:
            with blocker.cursor() as cursor:
                cursor.execute("UNLOCK TABLES")
        loader.stop(STOP_LIMIT, expect=None)
    if not figures.missing:
        for name in names if blocker is None else OTHERS:
            world.check_table(name)
    return figures


def _delete_topic(world: World, loader: Process, topic: str) -> bool:
    """As soon as the loader has found all its topics, before it has joined its group."""
    if not loader.metrics().sum("jst_up_dependency", name="kafka"):
        return False
    try:
        world.kafka.delete_topic(topic)
    except KafkaException:
        return False
    return True
