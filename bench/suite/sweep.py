"""The same documents, more and more of them: does the loader keep its pace, and its memory?"""

from __future__ import annotations

from dataclasses import dataclass

from .contestants import Contestant, floor_of, loaders
from .measure import Figures
from .rounds import load_once, say
from .servers import Servers
from .world import RECEIPTS, World

FLOOR = "load1"


@dataclass(frozen=True)
class Size:
    rows: int
    floor: Figures
    ours: Figures

    @property
    def ratio(self) -> float:
        return self.ours.rows_a_second / self.floor.rows_a_second


def sweep(servers: Servers, sizes: list[int]) -> list[Size]:
    """Rows in ascending order of their ids, but for blocks of 5,000 documents; each size in topics of its own."""
    ours = next(contestant for contestant in loaders() if contestant.name == "ours")
    return [_one_size(servers, rows, floor_of(FLOOR), ours) for rows in sizes]


def _one_size(servers: Servers, rows: int, floor: Contestant, ours: Contestant) -> Size:
    world = World(servers, "mariadb", -(-rows // RECEIPTS.lines))
    world.expect()
    found = {}
    for contestant in (floor, ours):
        found[contestant.name] = load_once(world, contestant)
        say(f"{world.rows:,}", contestant.title, found[contestant.name])
    world.drop_topics()
    world.empty_tables()
    return Size(world.rows, found[floor.name], found[ours.name])
