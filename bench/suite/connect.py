"""Kafka Connect (a standalone worker) with Debezium's JDBC sink.

The sink wants records with a schema. Messages with a schema inside would be four times as long; the schema is
therefore given to JsonConverter once, as schema.content (since Kafka 4.2), and the messages stay as they are.
Upserts by id, in batches of 1,000 rows. The driver is MySQL's, since it rewrites a batch of upserts into one
multi-row statement: twice as fast as MariaDB's own, which sends upserts one by one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from hashlib import sha256
from xml.sax.saxutils import escape

from harness import paths, ports
from harness.process import Process

from .world import World

POM = paths.ROOT / "bench" / "peers" / "connect" / "pom.xml"
SUMS = POM.with_name("SHA256SUMS")
HOME = paths.LOCAL / "bench" / "connect"
BATCH = 1000
JAVA_OPTIONS = ("-Xms256m", "-Xmx1g", "-XX:+UseParallelGC", "-XX:-UsePerfData", "-Xshare:auto")
INTEGERS = "io_id ts po_id supplier_id wms_co_id items_ioi_id items_qty".split()
DECIMALS = {"tax_rate": 4, "items_cost_price": 4, "items_cost_amount": 4}
TEXTS = (
    "id warehouse supplier_name modified so_id out_io_id status io_date wh_id remark labels archived merge_so_id"
    " type creator_name f_status l_id items_sku_id items_i_id items_unit items_name"
).split()


def install() -> None:
    """The jars, from Maven Central (or MAVEN_MIRROR), once for each state of the list; compared before they run."""
    stamp, wanted = HOME / "stamp", POM.read_text() + SUMS.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    command = ["mvn", "-B", "-q", "-f", str(POM), *_mirror(), "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={HOME / 'libs'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the jars of Kafka Connect cannot be fetched:\n{done.stdout[-2000:]}")
    found = {f"{sha256(jar.read_bytes()).hexdigest()}  {jar.name}" for jar in (HOME / "libs").iterdir()}
    if strange := found ^ set(SUMS.read_text().splitlines()):
        raise RuntimeError(f"the jars of Kafka Connect are not those of {SUMS}: {sorted(strange)}")
    stamp.write_text(wanted)


def _mirror() -> list[str]:
    address = os.environ.get("MAVEN_MIRROR")
    if not address:
        return []
    settings = HOME / "settings.xml"
    mirror = f"<mirror><id>central</id><mirrorOf>*</mirrorOf><url>{escape(address)}</url></mirror>"
    settings.write_text(f"<settings><mirrors>{mirror}</mirrors></settings>\n")
    return ["-s", str(settings)]


def schema() -> str:
    """What a flat row is, in Connect's own notation."""
    decimal = "org.apache.kafka.connect.data.Decimal"
    fields = [{"field": name, "type": "string", "optional": name != "id"} for name in TEXTS]
    fields += [{"field": name, "type": "int64", "optional": True} for name in INTEGERS]
    fields += [
        {
            "field": name,
            "type": "bytes",
            "name": decimal,
            "version": 1,
            "parameters": {"scale": str(scale)},
            "optional": True,
        }
        for name, scale in DECIMALS.items()
    ]
    return json.dumps({"type": "struct", "name": "row", "optional": False, "fields": fields})


def _worker(world: World, offsets: str) -> dict[str, object]:
    return {
        "bootstrap.servers": world.kafka.brokers,
        "listeners": f"http://127.0.0.1:{ports.free_port()}",
        "offset.storage.file.filename": offsets,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "true",
        "value.converter.schema.content": schema(),
        "consumer.max.poll.records": BATCH,
        "consumer.fetch.min.bytes": 262144,
        "plugin.discovery": "service_load",
    }


def _connector(world: World, name: str) -> dict[str, object]:
    server, database = world.server, world.database
    url = f"jdbc:mysql://{server.host}:{server.port}/{database.name}?rewriteBatchedStatements=true"
    return {
        "name": name,
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "tasks.max": 1,
        "topics": world.topic("flat"),
        "connection.url": url,
        "connection.username": database.user,
        "connection.password": database.password,
        "insert.mode": "upsert",
        "primary.key.mode": "record_value",
        "primary.key.fields": "id",
        "collection.name.format": world.shape.table,
        "schema.evolution": "none",
        "batch.size": BATCH,
    }


def process(world: World) -> Process:
    name = world.servers.unique("connect")
    directory = world.directory / "runs" / name
    directory.mkdir(parents=True)
    for file, values in (
        ("worker.properties", _worker(world, str(directory / "offsets"))),
        ("connector.properties", _connector(world, name)),
    ):
        (directory / file).write_text("".join(f"{key}={value}\n" for key, value in values.items()))
    jars = ":".join(str(jar) for jar in sorted((HOME / "libs").glob("*.jar")))
    command = [str(paths.JAVA), *JAVA_OPTIONS, "-cp", jars, "org.apache.kafka.connect.cli.ConnectStandalone"]
    command += [str(directory / "worker.properties"), str(directory / "connector.properties")]
    return Process(name, command, directory)
