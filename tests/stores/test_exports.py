"""Exports and imports between engines: a board goes as a file from SQLite to each engine and back, and stays equal."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.board_files import export_board_to_file, import_board_from_file
from cli.progress import ProgressBar
from kanban import cards, checklists, comments, labels_and_assignees
from kanban.interchange import trello_import
from kanban.store import Store
from kanban.timekeeping import time_entries
from kanban.values import NewCard, NewChecklist, NewComment, NewTimeEntry, Role
from stores import open_store
from tests.stores.conftest import OpenStore
from tests.stores.world import World


@pytest.fixture
def sqlite_stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Create two SQLite stores: the first origin and the last target of a board."""
    stores = [open_store(f"sqlite:///{tmp_path}/{name}.db") for name in ("origin", "goal")]
    yield stores[0], stores[1]
    for store in stores:
        store.close()


def import_file(store: Store, path: Path) -> str:
    """Import a board from a file; return its id."""
    imported = import_board_from_file(store, path, ProgressBar())
    assert not isinstance(imported, str)
    return imported[0].board.id


def test_a_board_stays_equal_when_it_is_copied_between_engines(
    sqlite_stores: tuple[Store, Store], open_again: OpenStore, tmp_path: Path
) -> None:
    origin, goal = sqlite_stores
    middle = open_again()
    # The worlds are created alike, so Ann and Bob have the same ids in all three.
    world, *others = World(origin), World(middle), World(goal)
    bob = world.add_user("Bob", id="bob")
    for other in others:
        other.add_user("Bob", id="bob")
    world.add_member(bob, Role.EDITOR)
    first = world.add_card("First", description="日本\n<script>", hourly_rate_minor=5, external_id="JIRA-1")
    world.apply(comments.create, first.id, new=NewComment("Looks *good*."))
    world.apply(comments.create, first.id, user=bob, new=NewComment("Ann:\n\nYes."))
    world.apply(labels_and_assignees.assign, first.id, user_id="bob")
    world.apply(checklists.create, first.id, checklists=(), new=NewChecklist("Empty"))
    world.apply(cards.create, user=bob, new=NewCard(title="Running", list_id=world.find_list("Doing").id))
    hour_of_ann = NewTimeEntry(world.now - timedelta(hours=1), world.now, user_id=world.ann.id)
    world.apply(time_entries.create, first.id, user=bob, entries=(), new=hour_of_ann)
    world.add_cards_with_ranks("Done", [f"a{number:02d}5" for number in range(10)])
    for number in range(60):
        world.add_card(f"Card {number}", position="top" if number % 3 else "bottom")

    digests = [export_board_to_file(origin, world.board_id, tmp_path / "a.json", ProgressBar())]
    digests.append(
        export_board_to_file(middle, import_file(middle, tmp_path / "a.json"), tmp_path / "b.json", ProgressBar())
    )
    digests.append(
        export_board_to_file(goal, import_file(goal, tmp_path / "b.json"), tmp_path / "c.json", ProgressBar())
    )

    assert digests == [digests[0]] * 3
    document = json.loads((tmp_path / "c.json").read_text())
    assert {comment["author_id"] for comment in document["comments"]} == {world.ann.id, "bob"}
    recorders = {entry["user_id"]: entry["recorded_by"] for entry in document["time_entries"]}
    assert recorders == {world.ann.id: "bob", "bob": None}
    assert {member["user_id"] for member in document["members"]} == {world.ann.id, "bob"}
    assert import_board_from_file(goal, tmp_path / "b.json", ProgressBar()) != world.board_id


def test_the_author_is_added_to_a_comment_at_the_first_import_only(tmp_path: Path) -> None:
    path = tmp_path / "0.json"
    texts: list[list[str]] = []
    origins: list[str] = []
    for number in range(4):
        with closing(open_store(f"sqlite:///{tmp_path}/{number}.db")) as store:
            world = World(store, seed=number)
            board_id = import_file(store, path) if number else world.board_id
            if number == 0:
                world.apply(comments.create, world.add_card("First").id, new=NewComment("Looks *good*."))
            path = tmp_path / f"{number + 1}.json"
            export_board_to_file(store, board_id, path, ProgressBar())
        document: dict[str, Any] = json.loads(path.read_text())
        origins.append(document["exported_from"])
        texts.append([comment["text"] for comment in document["comments"]])

    assert texts == [["Looks *good*."], *[["Ann:\n\nLooks *good*."]] * 3]
    assert len({*origins}) == 4


def test_a_large_commit_reports_its_progress(open_again: OpenStore) -> None:
    store = open_again()
    world = World(store)
    todo = {"id": "5f3c2a1b0000000000000001", "name": "To do"}
    cards = [{"id": f"5f3c2a1b{number:016x}", "idList": todo["id"], "name": str(number)} for number in range(2, 152)]
    export = {"id": "5f3c2a1b9d8e7f6a5b4c3d77", "name": "Large", "lists": [todo], "cards": cards}
    _, change, _ = trello_import.import_board(export, world.context())
    counts: list[int] = []

    store.commit(change, progress=counts.append)

    assert counts == sorted(counts)
    assert len(counts) > 1
    assert counts[-1] >= len(change.creates) + len(change.history) - 10
