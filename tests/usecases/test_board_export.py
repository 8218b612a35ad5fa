"""A walk through a board for its export can stop after any part and go on later."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kanban import archive, cards, checklists, comments
from kanban.access import Caller
from kanban.interchange.export_document import BoardChanged
from kanban.values import NewCard, NewChecklist, NewComment, Role, Scope
from stores import open_store
from tests.stores.world import World
from usecases.board_access import BoardAccess
from usecases.board_export import ExportPart, walk_board


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a board with more cards than one read returns, and a card with more comments than that."""
    with closing(open_store(f"sqlite:///{tmp_path}/tackboard.db")) as store:
        world = World(store)
        first = world.add_card("First")
        world.apply(checklists.create, first.id, checklists=(), new=NewChecklist("Steps"))
        for number in range(51):
            world.apply(comments.create, first.id, new=NewComment(f"Comment {number}"))
        archived = world.add_card("Archived")
        world.apply(archive.archive_card, archived.id)
        world.add_cards_with_ranks("Done", [f"a{number:02d}5" for number in range(53)])
        world.apply(cards.create, new=NewCard(title="In progress", list_id=world.find_list("Doing").id))
        yield world


def access_of(world: World) -> BoardAccess:
    return BoardAccess(world.store, Caller(world.ann.id, "", (Scope.READ,)), Scope.READ, Role.VIEWER)


def ids_of(parts: list[ExportPart]) -> list[str]:
    return [item.value.id for part in parts for item in part.items]


def test_a_walk_that_goes_on_after_any_part_yields_the_rest(world: World) -> None:
    access, view = access_of(world), world.read_board()

    parts = [*walk_board(access, view)]

    assert parts[-1].next_key is None
    assert len({*ids_of(parts)}) == len(ids_of(parts)) == 1 + 1 + 51 + 1 + 53 + 1 + 1
    for number, part in enumerate(parts[:-1], 1):
        assert ids_of([*walk_board(access, view, part.next_key)]) == ids_of(parts[number:])


def test_a_walk_ends_when_the_board_changes(world: World) -> None:
    walk = walk_board(access_of(world), world.read_board())
    next(walk)

    world.add_card("New")

    with pytest.raises(BoardChanged):
        list(walk)
