"""A board goes from engine to engine as a file and stays equal: from SQLite to each engine, and on to SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from carrying import brought, written
from kanban import checklists, comments, trello
from kanban.store import Store
from progress import Progress
from stores import open_store
from tests.stores.conftest import Opener
from tests.stores.world import World


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two SQLite files, where a board sets out and where it arrives."""
    stores = [open_store(f"sqlite:///{tmp_path}/{name}.db") for name in ("origin", "goal")]
    yield stores[0], stores[1]
    for each in stores:
        each.close()


def carried(store: Store, path: Path) -> str:
    """The id of the board that this file has become."""
    made = brought(store, path, Progress())
    assert not isinstance(made, str)
    return made[0].board.id


def test_a_board_stays_equal_from_engine_to_engine(
    ends: tuple[Store, Store], open_again: Opener, tmp_path: Path
) -> None:
    origin, goal = ends
    between = open_again()
    # The worlds are made alike, so Ann is the same user in all three.
    world, *_ = World(origin), World(between), World(goal)
    first = world.add_card("First", description="日本\n<script>", hourly_rate_minor=5, external_id="JIRA-1")
    world.do(comments.add, first.id, text="Looks *good*.")
    world.do(checklists.add, first.id, there=(), name="Empty")
    world.add_card("Running", "Doing")
    world.crowd("Done", [f"a{number:02d}5" for number in range(10)])
    for number in range(60):
        world.add_card(f"Card {number}", position="top" if number % 3 else "bottom")

    told = [written(origin, world.board_id, tmp_path / "a.json", Progress())]
    told.append(written(between, carried(between, tmp_path / "a.json"), tmp_path / "b.json", Progress()))
    told.append(written(goal, carried(goal, tmp_path / "b.json"), tmp_path / "c.json", Progress()))

    assert told == [told[0]] * 3
    assert brought(goal, tmp_path / "b.json", Progress()) != world.board_id


def test_a_large_commit_tells_how_far_it_is(open_again: Opener) -> None:
    store = open_again()
    world = World(store)
    todo = {"id": "5f3c2a1b0000000000000001", "name": "To do"}
    cards = [{"id": f"5f3c2a1b{number:016x}", "idList": todo["id"], "name": str(number)} for number in range(2, 152)]
    export = {"id": "5f3c2a1b9d8e7f6a5b4c3d77", "name": "Large", "lists": [todo], "cards": cards}
    _, change, _ = trello.brought(export, world.act())
    told: list[int] = []

    store.commit(change, progress=told.append)

    assert told == sorted(told)
    assert len(told) > 1
    assert told[-1] >= len(change.creates) + len(change.history) - 10
