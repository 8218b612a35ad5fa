"""Concurrent writes: one wins, no write is lost, and every count is right."""

import os
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest

from kanban import cards, lists, users
from kanban.changes import ActionContext, Change
from kanban.errors import UnknownReference
from kanban.ids import IdGenerator
from kanban.store import AlreadyExists, CardQuery, CardState, StaleRead, StoredResponse
from kanban.values import Card, NewCard, Stage, TimeEntry, User
from tests.stores.conftest import OpenStore
from tests.stores.world import NOON, World, neighbour_for


def run_concurrently(number: int, action: Callable[[int], Any]) -> list[Any]:
    """Run an action in several threads that start at the same moment; return their results."""
    gate = Barrier(number)

    def entrant(index: int) -> Any:
        gate.wait()
        return action(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(entrant, range(number)))


def test_one_of_two_commits_at_the_same_seq_wins(world: World) -> None:
    for round_number in range(20):
        view = world.read_board()
        changes = [cards.create(view, world.context(), NewCard(title=f"{round_number}"))[1] for _ in range(2)]

        def attempt(index: int, changes: list[Change] = changes) -> bool:
            try:
                world.store.commit(changes[index])
            except StaleRead:
                return False
            return True

        assert sorted(run_concurrently(2, attempt)) == [False, True]

    assert world.read_board().board.seq == 21
    assert len(world.list_cards()) == 20


def test_one_of_many_users_with_the_same_id_is_created(world: World) -> None:
    def attempt(index: int) -> bool:
        _, change = users.create(ActionContext("", NOON, world.context().new_id), name=f"User {index}", id="wanted")
        try:
            world.store.commit(change)
        except AlreadyExists as error:
            if error.constraint != "user":
                raise
            return False
        return True

    assert Counter(run_concurrently(8, attempt)) == {True: 1, False: 7}


def test_one_of_many_first_users_is_the_owner(open_again: OpenStore) -> None:
    def attempt(index: int) -> User:
        user, change = users.create(
            ActionContext("", NOON, IdGenerator(lambda: NOON, os.urandom)), name=f"User {index}"
        )
        stores[index].commit(change)
        return user

    stores = [open_again() for _ in range(4)]
    new_users = run_concurrently(4, attempt)

    owners = [store.read_installation_owner() for store in stores]
    assert len({owner.id for owner in owners if owner}) == 1
    assert owners[0] in new_users
    assert len(stores[0].read_users([user.id for user in new_users])) == 4


def test_concurrent_purges_erase_everything_together(world: World, open_again: OpenStore) -> None:
    kept = world.add_card("Kept")
    for number in range(12):
        world.delete_card(world.add_card(f"{number}"))
    world.advance(days=31)
    stores = [open_again() for _ in range(3)]

    def purge(index: int) -> int:
        return sum(iter(lambda: stores[index].purge(world.now, 2), 0))

    erased = run_concurrently(3, purge)

    assert sum(erased) >= 12
    assert world.list_cards(CardQuery(state=CardState.DELETED)) == []
    assert world.list_cards() == [kept]


def test_one_of_many_commits_with_one_idempotency_key_wins(world: World) -> None:
    record = StoredResponse(
        "key", world.ann.id, "create_card", "f", 201, (), b"", world.now, world.now + timedelta(hours=24)
    )

    def attempt(index: int) -> bool:
        while True:
            _, change = cards.create(world.read_board(), world.context(), NewCard(title=f"Card {index}"))
            try:
                world.store.commit(change, replace(record, body=str(index).encode()))
            except StaleRead:
                continue
            except AlreadyExists as error:
                if error.constraint != "idempotency_key":
                    raise
                return False
            return True

    assert Counter(run_concurrently(8, attempt)) == {True: 1, False: 7}
    stored = world.store.read_stored_response(world.ann.id, "create_card", "key", world.now)
    assert stored is not None
    assert [card.title for card in world.list_cards()] == [f"Card {stored.body.decode()}"]


def test_a_read_sees_one_snapshot(world: World) -> None:
    done = Event()

    def write(_: int) -> None:
        for number in range(40):
            world.add_card(f"Card {number}")
        done.set()

    def read(_: int) -> int:
        reads = 0
        while not done.is_set():
            result = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100)
            assert result is not None
            view, page = result
            assert view.board.seq == 1 + len(page.items) == 1 + view.lists[0].card_count
            reads += 1
        return reads

    answers = run_concurrently(3, lambda which: write(which) if which == 0 else read(which))

    assert sum(answer or 0 for answer in answers) > 0
    assert world.find_list("To do").card_count == 40


def test_sixteen_concurrent_movers_neither_lose_nor_duplicate_cards(world: World, open_again: OpenStore) -> None:
    world.add_list("Review", stage=Stage.IN_PROGRESS)
    list_ids = [list_.id for list_ in world.read_board().lists]
    new_cards = [world.add_card(f"Card {number}", position="bottom") for number in range(24)]
    seq = world.read_board().board.seq
    worlds = [world, _open_second_world(world, open_again)]

    def mover(index: int) -> int:
        chance = random.Random(index)  # noqa: S311  (a test wants the same chances again)
        mine = worlds[index % 2]
        acknowledged = 0
        while acknowledged < 8:
            card, neighbour = chance.sample(new_cards, 2)
            target = mine.read_card(neighbour).list_id
            position = chance.choice([{"before": neighbour.id}, {"after": neighbour.id}, {"position": "top"}, {}])
            acknowledged += _move_with_retry(mine, card, target, position)
        return acknowledged

    acknowledged = sum(run_concurrently(16, mover))

    listed_cards = world.list_cards()
    events = world.list_events()
    assert sorted(card.id for card in listed_cards) == sorted(card.id for card in new_cards)
    assert world.read_board().board.seq == seq + acknowledged == len(events)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    for list_id in list_ids:
        card_ranks = [card.rank for card in listed_cards if card.list_id == list_id]
        assert len(set(card_ranks)) == len(card_ranks) == world.read_board().get_list(list_id).card_count


def _open_second_world(world: World, open_again: OpenStore) -> World:
    """Return the same board through another store, as another process would open it."""
    other = World.__new__(World)
    other.__dict__.update(world.__dict__, store=open_again())
    return other


def _move_with_retry(world: World, card: Card, list_id: str, position: dict[str, str]) -> int:
    """Move a card, and again while the view is stale; return how many writes that took: 0 or 1."""
    while True:
        view = world.read_board(card.id, neighbour_of=neighbour_for(position))
        try:
            _, change = cards.move(view, card.id, world.context(), list_id=list_id, **position)  # type: ignore[arg-type]  # words
            if change is None:
                return 0
            world.store.commit(change)
        except UnknownReference:
            # The neighbour has been moved to another list: nothing was written.
            return 0
        except StaleRead:
            continue
        return 1


@pytest.mark.parametrize("seed", range(2))
def test_every_count_is_right_after_many_random_operations(world: World, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (a test wants the same chances again)
    live: list[Card] = []

    for number in range(150):
        world.advance(seconds=chance.randint(0, 3))
        choice = chance.random()
        names = [list_.name for list_ in world.read_board().lists]
        if choice < 0.3 or not live:
            live.append(
                world.add_card(f"Card {number}", chance.choice(names), position=chance.choice(["top", "bottom"]))
            )
        elif choice < 0.8:
            card = chance.choice(live)
            world.move_card(card, world.find_list(chance.choice(names)).id, position=chance.choice(["top", "bottom"]))
        elif choice < 0.9:
            world.delete_card(live.pop(chance.randrange(len(live))))
        elif choice < 0.95:
            world.add_list(f"List {number}", stage=chance.choice(["todo", "in_progress", "done"]))
        elif len(names) > 1:
            world.delete_list(chance.choice(names))
            kept = world.read_board(*(card.id for card in live)).cards
            live = [card for card in live if card.id in kept]

    view = world.read_board()
    for list_ in view.lists:
        listed_cards = world.list_cards(CardQuery(list_id=list_.id))
        assert list_.card_count == len(listed_cards)
        assert all(list_.first_rank <= card.rank <= list_.last_rank for card in listed_cards)
    assert {card.id for card in world.list_cards()} == {card.id for card in live}
    assert view.board.seq == len(world.list_events())
    for card in world.list_cards():
        entries = _read_time_entries(world, card)
        closed = [entry for entry in entries if entry.ended_at]
        seconds = [int((entry.ended_at - entry.started_at).total_seconds()) for entry in closed if entry.ended_at]
        assert card.tracked_seconds == sum(seconds)
        assert [entry for entry in entries if not entry.ended_at] == ([card.running] if card.running else [])
        assert (view.get_list_of(card).stage == "in_progress") == (card.running is not None)


def _read_time_entries(world: World, card: Card) -> tuple[TimeEntry, ...]:
    result = world.store.page_time_entries(world.board_id, world.ann.id, card.id, 100)
    assert result is not None
    return result[1].items


def test_lists_moved_concurrently_have_distinct_ranks(world: World) -> None:
    for number in range(5):
        world.add_list(f"List {number}")
    list_ids = {list_.id for list_ in world.read_board().lists}

    def mover(index: int) -> None:
        chance = random.Random(index)  # noqa: S311  (a test wants the same chances again)
        for _ in range(5):
            first, second = chance.sample(sorted(list_ids), 2)
            world.apply(lists.move, first, before=second)

    run_concurrently(6, mover)

    lists_after = world.read_board().lists
    assert {list_.id for list_ in lists_after} == list_ids
    assert len({list_.rank for list_ in lists_after}) == len(list_ids)
