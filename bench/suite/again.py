"""What a full table is asked for next: the same documents once more, or newer versions of all of them.

Both are counted by the loader's own jst_loader_documents_total, since the table's count of rows does not tell; so
are the inserts that they are compared with.
"""

from __future__ import annotations

from collections.abc import Callable

from .contestants import our_loader
from .goals import Results
from .measure import Figures, committed_documents, measure
from .rounds import STOP_LIMIT, say
from .world import World


def load(world: World, kind: str, lines: int, what: str) -> Figures:
    """One loader of ours reads the topic of this kind, in a new group, to its end. lines: of each document."""
    loader = our_loader(world, kind)
    pipelines = {world.shape.pipeline}

    def rows() -> int:
        return lines * committed_documents(loader, pipelines)

    try:
        return measure([loader], rows, lines * world.documents, what)
    finally:
        loader.stop(STOP_LIMIT, expect=None)


def updates(world: World, pairs: int) -> Results:
    """Newer versions of all documents, a line removed in each; rows: those of the newer versions."""
    world.expect("newer")

    def newer() -> Figures:
        figures = load(world, "newer", world.shape.lines - 1, "updates")
        world.check_table(rows="newer")
        return figures

    return _rounds(world, pairs, "updates", newer)


def replay(world: World, pairs: int) -> Results:
    """The same topic again, after one row was changed and another one deleted by hand."""

    def again() -> Figures:
        _damage(world)
        figures = load(world, "rows", world.shape.lines, "replay")
        world.check_table()
        return figures

    return _rounds(world, pairs, "replay", again)


def _rounds(world: World, pairs: int, name: str, second: Callable[[], Figures]) -> Results:
    results: Results = {"inserts": [], name: []}
    world.expect()
    for number in range(pairs):
        world.empty_tables()
        results["inserts"].append(load(world, "rows", world.shape.lines, "inserts"))
        world.check_table()
        results[name].append(second())
        for title, runs in results.items():
            say(f"{number + 1}/{pairs}", title, runs[-1])
    return results


def _damage(world: World) -> None:
    table = world.shape.table
    world.query(f"UPDATE {table} SET remark = 'by hand' ORDER BY id LIMIT 1")
    world.query(f"DELETE FROM {table} ORDER BY id DESC LIMIT 1")
    assert world.checksum() != world.expected[world.shape.rows], "the table was not damaged"
