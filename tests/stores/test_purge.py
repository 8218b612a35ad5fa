"""A purge erases what was deleted long ago in bounded steps, by any process, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kanban import boards, cards, checklist_items, checklists, transfers
from kanban.changes import Change
from kanban.field_changes import erase_values
from kanban.store import CardQuery, CardState, StoredResponse
from kanban.values import NewChecklist, NewChecklistItem, Role
from stores.dynamodb.store import DynamoStore
from stores.sql.tables import metadata
from tests.stores.conftest import OpenStore
from tests.stores.part_builders import add_full_card
from tests.stores.world import World


def purge_all(world: World, limit: int = 1000) -> int:
    """Purge in steps until nothing is left; return how many rows were erased."""
    erased = 0
    while step := world.store.purge(world.now, limit):
        erased += step
    return erased


def read_raw(world: World) -> str:
    """Return all that is stored, as text."""
    store: Any = world.store
    if isinstance(store, DynamoStore):
        return str(store._client("scan", TableName=store._table)["Items"])  # noqa: SLF001  (no method reads a whole store)
    return str([store._read(sa.select(table)) for table in metadata.sorted_tables])  # noqa: SLF001  (as above)


def delete_card(world: World) -> None:
    world.delete_card(add_full_card(world))


def delete_list(world: World) -> None:
    world.add_list("Old", external_id="old")
    add_full_card(world, "Old")
    world.delete_list("Old")


def delete_board(world: World) -> None:
    home, world.board_id = world.board_id, world.add_board("Old")
    world.add_member(world.add_user("Bob", id="bob"), Role.EDITOR)
    add_full_card(world)
    world.store.commit(boards.delete(world.read_board(), world.context(), []))
    world.board_id = home


DELETIONS: dict[str, Callable[[World], None]] = {"a card": delete_card, "a list": delete_list, "a board": delete_board}


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("what", DELETIONS)
def test_a_purge_erases_deleted_things_and_nothing_else(world: World, what: str, limit: int) -> None:
    kept = world.add_card("Kept")
    seq = world.read_board().board.seq
    DELETIONS[what](world)
    before = world.list_events()
    world.advance(days=31)

    erased = purge_all(world, limit)

    assert erased > 3
    assert world.store.purge(world.now, limit) == 0
    of_others = {kept.id, None}
    assert world.list_events() == [event if event.card_id in of_others else erase_values(event) for event in before]
    assert world.read_board().board.seq >= seq
    assert world.list_cards() == [kept]
    assert world.list_cards(CardQuery(state=CardState.DELETED)) == []
    assert len(world.read_board().lists) == 3


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("with_list", [False, True])
def test_a_purged_card_leaves_no_text_behind(world: World, limit: int, *, with_list: bool) -> None:
    kept = world.add_card("Kept")
    world.add_list("Old")
    card = world.add_card("canary", "Old")
    world.apply(cards.update, card.id, patch={"title": "canary two", "description": "canary three"})
    checklist = world.apply(checklists.create, card.id, checklists=[], new=NewChecklist("canary four"))
    item = NewChecklistItem("canary five")
    world.store.commit(checklist_items.create(world.read_board(card.id), checklist, world.context(), item)[1])
    if with_list:
        world.delete_list("Old")
    else:
        world.delete_card(card)
    count = len(world.list_events())
    assert "canary" in read_raw(world)
    world.advance(days=31)

    purge_all(world, limit)

    events = world.list_events()
    assert "canary" not in read_raw(world)
    assert len(events) == count
    assert [(event.data, event.changes) for event in events if event.type.startswith(("card.created", "card.upd"))] == [
        ({"title": kept.title, "stage": "todo"}, ()),
        ({"title": "(erased)", "stage": "todo"}, ()),
        ({"changed": ["description", "title"]}, ({"field": "title"}, {"field": "description"})),
    ]


@pytest.mark.parametrize("limit", [1, 1000])
def test_a_purged_card_leaves_no_text_on_boards_that_it_has_left(world: World, limit: int) -> None:
    first_board_id, card = world.board_id, world.add_card("canary")
    world.apply(cards.update, card.id, patch={"title": "canary two"})
    for name in ("Second", "Third"):
        source, target_id = world.read_board(card.id), world.add_board(name)
        target = world.store.read_board(target_id, world.ann.id)
        assert target is not None
        world.store.commit(transfers.transfer(source, target, card.id, world.context())[1])
        world.board_id = target_id
    world.delete_card(card)
    world.advance(days=31)

    purge_all(world, limit)

    assert "canary" not in read_raw(world)
    world.board_id = first_board_id
    assert [event.type for event in world.list_events() if event.card_id == card.id] == [
        *("card.created", "card.updated", "card.departed"),
    ]


def test_a_purge_keeps_what_was_deleted_at_the_given_time_or_later(world: World) -> None:
    card = add_full_card(world)
    world.delete_card(card)

    assert world.store.purge(world.now, 1000) == 0

    assert [listed_cards.id for listed_cards in world.list_cards(CardQuery(state=CardState.DELETED))] == [card.id]


@pytest.mark.parametrize("what", DELETIONS)
def test_another_process_continues_an_interrupted_purge(world: World, open_again: OpenStore, what: str) -> None:
    DELETIONS[what](world)
    world.advance(days=31)
    world.store.purge(world.now, 2)

    world.store = open_again()

    assert purge_all(world, 2) > 0
    assert world.list_cards(CardQuery(state=CardState.DELETED)) == []


def test_a_purged_board_cannot_be_read(world: World) -> None:
    world.store.commit(boards.delete(world.read_board(), world.context(), []))
    world.advance(days=31)

    purge_all(world)

    assert world.store.read_deleted(world.board_id, world.ann.id) is None
    assert world.store.page_boards(world.ann.id, 10).items == ()


def test_a_step_erases_about_as_many_rows_as_asked_for(world: World) -> None:
    delete_board(world)
    world.advance(days=31)

    step = world.store.purge(world.now + timedelta(seconds=1), 2)

    assert 1 <= step <= 4


def remember_response(world: World, key: str, *, hours: int) -> StoredResponse:
    """Store a response that expires after a number of hours."""
    expires_at = world.now + timedelta(hours=hours)
    record = StoredResponse(
        key, world.ann.id, "create_card", "f", 201, (), b'{"title":"A secret"}', world.now, expires_at
    )
    world.store.commit(Change(), record)
    return record


@pytest.mark.parametrize("limit", [1, 50, 1000])
def test_only_expired_responses_are_erased(world: World, limit: int) -> None:
    for number in range(60):
        remember_response(world, f"old {number}", hours=24)
    kept = remember_response(world, "kept", hours=72)
    world.advance(hours=24)

    steps = []
    while step := world.store.purge_expired(world.now, limit):
        steps.append(step)

    # DynamoDB erases expired items by itself.
    assert sum(steps) == (0 if isinstance(world.store, DynamoStore) else 60)
    assert all(step <= limit for step in steps)
    assert world.store.read_stored_response(world.ann.id, "create_card", "kept", world.now) == kept


def test_a_stored_response_is_kept_until_its_exact_second(world: World) -> None:
    remember_response(world, "key", hours=24)
    world.advance(hours=23, minutes=59, seconds=59)

    assert world.store.purge_expired(world.now, 10) == 0
