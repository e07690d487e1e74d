"""The parts of the bench: each is run for itself, and says what it found."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import again, latency, many, rounds, sweep
from .contestants import Contestant, loaders, loaders_mysql, transformers
from .goals import Results, Section, least_ratio, median_rows, ratio
from .servers import Servers
from .tables import pauses, rates, table
from .world import EVENTS, RECEIPTS, World

PEERS = ("go", "connect", "peer-go", "peer-benthos")
BEST_FLOORS = ("load1", "bulk1", "load1x10000", "bulk1x10000")  # of one connection
MANY_CONNECTIONS = ("load2", "load4")
SHARE_OF_LIMIT = 0.90  # above this share of what it takes from several connections the server is the limit
MACHINE_IS_BUSY = 0.95  # above this share of all cores' time the machine is the limit
LATENCY_PACE = 5.0  # pages a second: what one account may ask for


@dataclass(frozen=True)
class Size:
    """How much is run."""

    rows: int
    pairs: int  # rounds
    floor_pairs: int  # rounds of the floors that nothing is compared with
    events: int
    latency_seconds: float
    sweep: Sequence[int]

    def documents(self) -> int:
        return -(-self.rows // RECEIPTS.lines)

    def caption(self) -> str:
        return f"{self.rows:,} rows, {self.pairs} round{'s' * (self.pairs > 1)}"


# The last argument: who takes part, where a part has contestants.
Part = Callable[[Servers, Size, Sequence[Contestant]], Section]


def _titles(contestants: Sequence[Contestant]) -> list[tuple[str, str]]:
    return [(contestant.name, contestant.title) for contestant in contestants]


# ---- transformer, our source ----


def consume(servers: Servers, size: Size, _own: Sequence[Contestant]) -> Section:
    found = rounds.consume(World(servers, "mariadb", size.documents()))
    section = Section("consume", f"{size.documents():,} messages")
    section.at_most("longest pause", max(f["longest_ms"] for f in found), 20, "{:.1f} ms")
    section.tables.append(pauses(found))
    return section


def transformer(servers: Servers, size: Size, own: Sequence[Contestant]) -> Section:
    world = World(servers, "mariadb", size.documents())
    results = rounds.run_rounds(world, own, rounds.transform_once, size.pairs, size.floor_pairs)
    section = Section("transformer", size.caption())
    section.at_least("transformer ÷ best peer", least_ratio(results, "ours", PEERS)[0], 2.2)
    section.peak("transformer, one process", results.get("ours", []))
    section.tables.append(rates(results, _titles(transformers()), "pages to rows"))
    return section


# ---- loader ----


def _scaling(section: Section, results: Results) -> None:
    """Two processes against one, and what the server takes from two and four connections."""
    two = ratio(results, "ours2", "ours")
    if two is None:
        return
    limits = [
        (name, value) for name in MANY_CONNECTIONS if (value := ratio(results, name, "load1")) is not None
    ]
    text = "".join(f"; LOAD DATA on {name[-1]} connections ÷ on one: {value:.2f}" for name, value in limits)
    section.at_least("two processes ÷ one", two, 1.5, more=text)
    best = max((median_rows(results, name) or 0 for name in MANY_CONNECTIONS), default=0)
    ours2 = median_rows(results, "ours2")
    if two < 1.5 and best and ours2:
        section.at_least("or: two processes ÷ LOAD DATA on several connections", ours2 / best, SHARE_OF_LIMIT)
    if two < 1.5:
        busy = [statistics.median(run.busy for run in results[name]) for name in ("ours", "ours2")]
        more = f"; with one process {busy[0]:.2f}"
        section.at_least("or: cores in use with two processes", busy[1], MACHINE_IS_BUSY, more=more)


def loader(servers: Servers, size: Size, own: Sequence[Contestant]) -> Section:
    world = World(servers, "mariadb", size.documents())
    world.expect()
    results = rounds.run_rounds(world, own, rounds.load_once, size.pairs, size.floor_pairs)
    section = Section("loader", size.caption())
    section.at_least("loader ÷ best peer", least_ratio(results, "ours", PEERS)[0], 2.0)
    value, floor = least_ratio(results, "ours", BEST_FLOORS)
    more = f", {dict(_titles(loaders())).get(floor, '')}"
    section.at_least("loader ÷ best floor of one connection", value, 0.60, more=more)
    _scaling(section, results)
    if runs := results.get("ours"):
        cpu = sorted(run.cpu_a_million for run in runs)[len(runs) // 2]
        section.at_most("CPU of the loader", cpu, 5, "{:.1f} s a million rows")
        section.peak("loader, one process", runs)
    section.tables.append(rates(results, _titles(loaders()), "into MariaDB"))
    return section


def mysql(servers: Servers, size: Size, own: Sequence[Contestant]) -> Section:
    world = World(servers, "mysql", size.documents())
    world.expect()
    results = rounds.run_rounds(world, own, rounds.load_once, size.pairs, size.floor_pairs)
    version = world.query("SELECT VERSION()")[0][0]
    section = Section("mysql", f"MySQL {version}, {size.caption()}")
    section.at_least(
        "local_infile=OFF: loader ÷ floor of multi-row text", ratio(results, "ours", "text1"), 0.70
    )
    section.at_least(
        "local_infile=ON: loader ÷ floor of LOAD DATA", ratio(results, "ours-infile", "load1"), 0.60
    )
    section.peak("loader", [*results.get("ours", []), *results.get("ours-infile", [])])
    titles = _titles(loaders_mysql())
    section.tables.append(rates(results, titles[:2], "into MySQL, local_infile=OFF"))
    section.tables.append(rates(results, titles[2:], "into MySQL, local_infile=ON", "ours-infile"))
    return section


# ---- what a full table is asked for ----


def _again(name: str, run: Callable[[World, int], Results], aim: float, title: str) -> Part:
    def part(servers: Servers, size: Size, _own: Sequence[Contestant]) -> Section:
        results = run(World(servers, "mariadb", size.documents()), size.pairs)
        section = Section(name, size.caption())
        section.at_least(f"{title} ÷ inserts", ratio(results, name, "inserts"), aim)
        section.peak(title, results[name])
        titles = [("inserts", "inserts"), (name, title)]
        section.tables.append(rates(results, titles, "loader, one process, into MariaDB", name))
        return section

    return part


updates = _again("updates", again.updates, 0.5, "updates")
replay = _again("replay", again.replay, 0.8, "replay")


# ---- the rest ----


def latency_part(servers: Servers, size: Size, _own: Sequence[Contestant]) -> Section:
    found = latency.latency(World(servers, "mariadb", 1), size.latency_seconds, LATENCY_PACE)
    section = Section("latency", f"{len(found.seconds)} pages of one document, {LATENCY_PACE:.0f} a second")
    quantiles = [1000 * found.quantile(share) for share in (0.5, 0.9, 0.99, 1.0)]
    section.at_most("latency, p50", quantiles[0], 300, "{:.0f} ms")
    section.at_most("latency, p99", quantiles[2], 1000, "{:.0f} ms")
    section.at_most("loader without backlog: peak", found.loader_mib, 48, "{:.0f} MiB")
    section.tables.append(
        table(
            ("page received to rows in the table", "p50", "p90", "p99", "longest (ms)"),
            [("transformer and loader", *(f"{value:.0f}" for value in quantiles))],
        )
    )
    return section


def sweep_part(servers: Servers, size: Size, _own: Sequence[Contestant]) -> Section:
    found = sweep.sweep(servers, list(size.sweep))
    section = Section("sweep", "one run of each size")
    ratios = [one.ratio for one in found]
    section.at_least("loader ÷ floor: the lowest ratio ÷ the highest", min(ratios) / max(ratios), 0.8)
    section.peak("loader, all sizes", [one.ours for one in found])
    rows = [
        (
            f"{one.rows:,}",
            f"{one.floor.rows_a_second:,.0f}",
            f"{one.ours.rows_a_second:,.0f}",
            f"{one.ratio:.2f}",
            f"{one.ours.mib:.0f}",
        )
        for one in found
    ]
    head = ("rows", "floor: LOAD DATA LOCAL, rows/s", "loader, rows/s", "loader ÷ floor", "loader, peak MiB")
    section.tables.append(table(head, rows))
    return section


def pipelines(servers: Servers, size: Size, _own: Sequence[Contestant]) -> Section:
    documents = max(1, 2 * size.documents() // many.PIPELINES)
    found = many.thirty_pipelines(World(servers, "mariadb", documents))
    section = Section(
        "pipelines", f"{documents * RECEIPTS.lines:,} rows in each of {many.PIPELINES} pipelines"
    )
    share = found.faulty.rows_a_second / found.healthy.rows_a_second
    section.at_least("27 pipelines beside 3 faulty ones ÷ all healthy", share, 0.9)
    section.peak("loader, 30 pipelines", [found.healthy, found.faulty])
    rows = [
        (title, f"{one.rows_a_second:,.0f}", f"{one.cpu_a_million:.1f}", f"{one.mib:.0f}", f"{one.missing:,}")
        for title, one in (("all 30 healthy", found.healthy), ("3 faulty", found.faulty))
    ]
    head = ("27 of 30 pipelines", "rows/s", "CPU-s per M rows", "peak MiB", "rows that did not come in time")
    section.tables.append(table(head, rows))
    return section


def events(servers: Servers, size: Size, _own: Sequence[Contestant]) -> Section:
    """A figure beside published ones, and no goal."""
    world = World(servers, "mariadb", size.events, EVENTS)
    world.expect()
    ours = [contestant for contestant in loaders() if contestant.name in ("ours", "ours2")]
    results = rounds.run_rounds(world, ours, rounds.load_once, 1, 1)
    world.drop_topics()
    world.empty_tables()
    section = Section("events", f"{size.events:,} messages, one run each")
    section.tables.append(rates(results, _titles(ours), "id, category, value, ts into MariaDB"))
    return section


PARTS: dict[str, Part] = {
    "consume": consume,
    "transformer": transformer,
    "loader": loader,
    "mysql": mysql,
    "updates": updates,
    "replay": replay,
    "latency": latency_part,
    "sweep": sweep_part,
    "pipelines": pipelines,
    "events": events,
}
CONTESTANTS = {"transformer": transformers, "loader": loaders, "mysql": loaders_mysql}
