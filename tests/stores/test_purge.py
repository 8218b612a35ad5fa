"""What was deleted long ago is erased in bounded steps, whoever takes them; the rest is left alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from kanban import boards
from kanban.store import CardQuery, CardState
from kanban.values import Change, Role, StoredResponse
from stores.dynamodb_store import DynamoStore
from tests.stores.conftest import Opener
from tests.stores.parts import full_card
from tests.stores.world import World


def purged(world: World, limit: int = 1000) -> int:
    """All that is to be erased, in steps; how many things that were."""
    erased = 0
    while step := world.store.purge(world.now, limit):
        erased += step
    return erased


def delete_card(world: World) -> None:
    world.delete_card(full_card(world))


def delete_list(world: World) -> None:
    world.add_list("Old", external_id="old")
    full_card(world, "Old")
    world.delete_list("Old")


def delete_board(world: World) -> None:
    home, world.board_id = world.board_id, world.board("Old")
    world.member(world.user("Bob", id="bob"), Role.EDITOR)
    full_card(world)
    world.store.commit(boards.delete(world.view(), world.act(), []))
    world.board_id = home


DELETIONS: dict[str, Callable[[World], None]] = {"a card": delete_card, "a list": delete_list, "a board": delete_board}


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("what", DELETIONS)
def test_what_was_deleted_is_erased_and_the_rest_is_not(world: World, what: str, limit: int) -> None:
    kept = world.add_card("Kept")
    seq = world.view().board.seq
    DELETIONS[what](world)
    before = world.events()
    world.later(days=31)

    erased = purged(world, limit)

    assert erased > 3
    assert world.store.purge(world.now, limit) == 0
    assert world.events() == before
    assert world.view().board.seq >= seq
    assert world.cards() == [kept]
    assert world.cards(CardQuery(state=CardState.DELETED)) == []
    assert len(world.view().lists) == 3


def test_what_was_deleted_at_that_moment_or_later_is_kept(world: World) -> None:
    card = full_card(world)
    world.delete_card(card)

    assert world.store.purge(world.now, 1000) == 0

    assert [found.id for found in world.cards(CardQuery(state=CardState.DELETED))] == [card.id]


@pytest.mark.parametrize("what", DELETIONS)
def test_another_process_goes_on_where_a_purge_was_interrupted(world: World, open_again: Opener, what: str) -> None:
    DELETIONS[what](world)
    world.later(days=31)
    world.store.purge(world.now, 2)

    world.store = open_again()

    assert purged(world, 2) > 0
    assert world.cards(CardQuery(state=CardState.DELETED)) == []


def test_a_board_that_was_purged_is_nobodys(world: World) -> None:
    world.store.commit(boards.delete(world.view(), world.act(), []))
    world.later(days=31)

    purged(world)

    assert world.store.read_deleted(world.board_id, world.ann.id) is None
    assert world.store.page_boards(world.ann.id, 10).items == ()


def test_a_step_is_about_as_large_as_asked(world: World) -> None:
    delete_board(world)
    world.later(days=31)

    step = world.store.purge(world.now + timedelta(seconds=1), 2)

    assert 1 <= step <= 4


def answered(world: World, key: str, *, hours: int) -> StoredResponse:
    """An answer that is remembered for so many hours."""
    expires_at = world.now + timedelta(hours=hours)
    record = StoredResponse(
        key, world.ann.id, "create_card", "f", 201, (), b'{"title":"A secret"}', world.now, expires_at
    )
    world.store.commit(Change(), record)
    return record


@pytest.mark.parametrize("limit", [1, 50, 1000])
def test_answers_to_keys_that_have_expired_are_erased_and_others_are_not(world: World, limit: int) -> None:
    for number in range(60):
        answered(world, f"old {number}", hours=24)
    kept = answered(world, "kept", hours=72)
    world.later(hours=24)

    steps = []
    while step := world.store.purge_expired_responses(world.now, limit):
        steps.append(step)

    # DynamoDB erases what has expired by itself.
    assert sum(steps) == (0 if isinstance(world.store, DynamoStore) else 60)
    assert all(step <= limit for step in steps)
    assert world.store.read_stored_response(world.ann.id, "create_card", "kept", world.now) == kept


def test_an_answer_is_kept_until_its_very_second(world: World) -> None:
    answered(world, "key", hours=24)
    world.later(hours=23, minutes=59, seconds=59)

    assert world.store.purge_expired_responses(world.now, 10) == 0
