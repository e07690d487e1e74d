"""A private Kafka broker (KRaft, one JVM) and what a test wants to know of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
    libversion,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from . import paths, ports
from .process import Process
from .waiting import NotInTime, wait_until

# A topic that is made again without having been seen to be absent: docs/decisions.md.
LOSES_TOPICS = 0x02040000 <= libversion()[1] < 0x020A0000
CLUSTER_ID = "anN0cGlwZS10ZXN0cy0wMQ"  # any 16 bytes
JAVA_OPTIONS = [
    "-Xms256m",
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xshare:auto",
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
]
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "num.partitions": "1",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # A member that a test has killed need not be missed for long; who wants that asks for a short session.
    "group.min.session.timeout.ms": "1000",
    # Else the controller believes for 9 s that a killed broker still runs.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.cleaner.dedupe.buffer.size": "8388608",
    "log.index.size.max.bytes": "1048576",
    "message.max.bytes": "33554432",
    "replica.fetch.max.bytes": "33554432",
}


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: dict[str, str] = field(default_factory=dict)


def wait_until_missed(program: Process, topic: str) -> None:
    """Until the program's readiness says that the topic does not exist."""
    wait_until(
        f"readiness to say that {topic} does not exist",
        lambda: f"topic {topic}: the topic does not exist" in program.get("/readyz")[1],
        15,
        alive=[program],
    )


class KafkaServer:
    """One broker with its directory; stop, kill and restart keep directory and port."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.libs = paths.need(paths.LOCAL / "kafka" / "libs", "make setup")
        self.archive = paths.LOCAL / "kafka" / "classes.jsa"
        self.port = ports.free_port()
        self.controller_port = ports.free_port()
        self.brokers = f"127.0.0.1:{self.port}"
        self.properties = self.directory / "server.properties"
        self._write_properties(settings or {})
        self.process = Process("kafka", self._java([f"-XX:SharedArchiveFile={self.archive}"]), self.directory)
        self.process.command += ["kafka.Kafka", str(self.properties)]
        self._admin: AdminClient | None = None

    def _write_properties(self, more: Mapping[str, str]) -> None:
        values = {
            **SETTINGS,
            "listeners": f"PLAINTEXT://{self.brokers},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.brokers}",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "log.dirs": str(self.directory / "data"),
            **more,
        }
        self.properties.write_text("".join(f"{k}={v}\n" for k, v in values.items()))

    def _java(self, more: Iterable[str] = ()) -> list[str]:
        java = paths.need(paths.JAVA, "make setup")
        # The class path is spelled out in order: the class archive belongs to exactly this text.
        class_path = ":".join(str(jar) for jar in sorted(self.libs.glob("*.jar")))
        return [str(java), *JAVA_OPTIONS, *more, "-cp", class_path]

    # ---- life ----

    def start(self, limit: float = 60.0) -> KafkaServer:
        if not (self.directory / "data" / "meta.properties").exists():
            self.tool("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self.properties))
        self.process.start()
        self.process.wait_for_log("Kafka Server started", limit)
        return self

    def stop(self) -> None:
        self.process.stop(30, expect=143)  # a JVM that was asked to end says 128 + SIGTERM

    def kill(self) -> None:
        self.process.kill()

    def restart(self) -> None:
        if self.process.running:
            self.stop()
        self.start()

    def tool(self, main_class: str, *arguments: str, limit: float = 60.0) -> str:
        """Run one of Kafka's own tools (0.8 to 1.3 s) and return what it prints.

        For example tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", k.brokers, "--list").
        """
        command = [*self._java([f"-XX:SharedArchiveFile={self.archive}"]), main_class, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{main_class} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    # ---- topics ----

    @property
    def admin(self) -> AdminClient:
        if self._admin is None:
            self._admin = self._new_admin()
        return self._admin

    def _new_admin(self) -> AdminClient:
        """One that remembers no topic."""
        return AdminClient({"bootstrap.servers": self.brokers, "log_level": 0})

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        new = NewTopic(name, partitions, 1, config=dict(config or {}))
        self.admin.create_topics([new], operation_timeout=10)[name].result(20)
        wait_until(f"topic {name} to have its leaders", lambda: self.partitions(name) == partitions, 20)

    def delete_topic(self, name: str) -> None:
        self.admin.delete_topics([name], operation_timeout=10)[name].result(20)
        self._admin = None  # librdkafka 2.4 to 2.8 crashes when the topic comes back with another id

    def add_partitions(self, name: str, total: int) -> None:
        self.admin.create_partitions([NewPartitions(name, total)])[name].result(20)

    def topics(self) -> dict[str, int]:
        """Names and partition counts, without the broker's own topics."""
        found = self._new_admin().list_topics(timeout=20).topics
        return {name: len(t.partitions) for name, t in found.items() if not name.startswith("__")}

    def partitions(self, topic: str) -> int:
        """How many partitions with a leader; 0 if there is no such topic."""
        found = self._new_admin().list_topics(topic, timeout=20).topics[topic]
        return 0 if found.error else sum(p.leader >= 0 for p in found.partitions.values())

    def topic_config(self, topic: str) -> dict[str, str]:
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        entries = self.admin.describe_configs([resource])[resource].result(20)
        return {name: entry.value for name, entry in entries.items()}

    # ---- messages ----

    def produce(
        self,
        topic: str,
        value: bytes | str | None,
        key: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        partition: int | None = None,
    ) -> None:
        """Publish one message and wait for the broker's acknowledgement."""
        self.produce_many(topic, [(key, value, headers)], partition)

    def produce_many(self, topic: str, messages: Iterable[tuple], partition: int | None = None) -> None:
        """Publish (key, value, headers) and wait for all acknowledgements; partitioned as Java does."""
        config = {"bootstrap.servers": self.brokers, "log_level": 0, "partitioner": "murmur2_random"}
        producer = Producer({**config, "message.max.bytes": 64000000, "linger.ms": 5})
        failures: list[str] = []
        where = {} if partition is None else {"partition": partition}
        for key, value, headers in messages:
            producer.produce(
                topic,
                value=value,
                key=key,
                headers=dict(headers or {}),
                on_delivery=lambda error, _message: failures.append(str(error)) if error else None,
                **where,
            )
            producer.poll(0)
        left = producer.flush(30)
        if left or failures:
            raise RuntimeError(f"produce to {topic}: {left} not acknowledged, failures {failures[:3]}")

    def consume_all(self, topic: str, limit: float = 30.0) -> list[Record]:
        """Everything that is in the topic now, by partition and offset. Joins no group that matters."""
        consumer = self._consumer("harness.reader", {"enable.partition.eof": True})
        records: list[Record] = []
        try:
            waiting = self._assign_unfinished(consumer, topic)

            def poll() -> bool:
                for message in consumer.consume(500, 0.2) if waiting else []:
                    error = message.error()
                    if error and error.code() == KafkaError._PARTITION_EOF:
                        waiting.discard(message.partition())
                    elif error:
                        raise KafkaException(error)
                    else:
                        records.append(_record(message))
                return not waiting

            wait_until(f"the end of {topic}", poll, limit, every=0)
        finally:
            consumer.close()
        return sorted(records, key=lambda r: (r.partition, r.offset))

    def _assign_unfinished(self, consumer: Consumer, topic: str) -> set[int]:
        """Assign the partitions of the topic that hold something; returns their numbers."""
        parts = []
        for number in range(self.partitions(topic)):
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20)
            if high > low:
                parts.append(TopicPartition(topic, number, low))
        if parts:
            consumer.assign(parts)
        return {p.partition for p in parts}

    def _consumer(self, group: str, more: Mapping[str, object] | None = None) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.brokers,
                "group.id": group,
                "log_level": 0,  # a killed broker is what tests do on purpose
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.message.max.bytes": 20000000,
                **(more or {}),
            }
        )

    # ---- offsets ----

    def end_offsets(self, topic: str) -> dict[int, int]:
        """The offset that the next message of each partition will get."""
        consumer = self._consumer("harness.offsets")
        try:
            numbers = range(self.partitions(topic))
            return {
                n: consumer.get_watermark_offsets(TopicPartition(topic, n), timeout=20)[1] for n in numbers
            }
        finally:
            consumer.close()

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """The group's committed offset for each partition that has one."""
        consumer = self._consumer(group)
        try:
            asked = [TopicPartition(topic, n) for n in range(self.partitions(topic))]
            return {
                p.partition: p.offset
                for p in consumer.committed(asked, timeout=20)
                if p.offset != OFFSET_INVALID
            }
        finally:
            consumer.close()

    def lag(self, group: str, topic: str) -> int:
        """Messages that the group has not committed yet."""
        committed = self.committed(group, topic)
        return sum(end - committed.get(number, 0) for number, end in self.end_offsets(topic).items())

    def wait_consumed(
        self, group: str, topic: str, limit: float = 60.0, alive: Iterable[Process] = ()
    ) -> None:
        """Wait until the group has committed everything that the topic holds."""

        def finished() -> bool:
            return self.partitions(topic) > 0 and self.lag(group, topic) == 0

        wait_until(f"group {group} to finish {topic}", finished, limit, every=0.1, alive=alive)

    def group_members(self, group: str) -> int:
        """How many members the group has now; -1 while a broker that has just started cannot tell."""
        try:
            found = self.admin.list_groups(group, timeout=20)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.COORDINATOR_LOAD_IN_PROGRESS:
                raise
            return -1
        return len(found[0].members) if found else 0


def _record(message) -> Record:
    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        key=message.key(),
        value=message.value(),
        timestamp_ms=message.timestamp()[1],
        headers={name: (value or b"").decode() for name, value in message.headers() or []},
    )


def write_class_archive() -> None:
    """Start and stop a broker once so that the JVM leaves its archive of loaded classes (for tools/setup)."""
    directory = Path(tempfile.mkdtemp(prefix="jstpipe-archive-"))
    try:
        server = KafkaServer(directory)
        where = server.process.command.index(f"-XX:SharedArchiveFile={server.archive}")
        server.start()
        server.stop()
        server.process.command[where] = f"-XX:ArchiveClassesAtExit={server.archive}"
        server.start()
        server.create_topic("warm", 1)
        server.produce("warm", b"up")
        assert len(server.consume_all("warm")) == 1
        server.stop()
        paths.need(server.archive, "make setup")
    except NotInTime as error:
        sys.exit(f"the broker that should write the class archive: {error}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:] != ["archive"]:
        sys.exit("usage: python3 -m harness.kafka archive")
    write_class_archive()
