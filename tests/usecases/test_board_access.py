"""Reads that take several pages of a store end where they should, however short the pages are."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from kanban.access import Caller
from kanban.archive import MAX_STOPPED_CLOCKS
from kanban.store import CardQuery, Store
from kanban.timekeeping import time_entries
from kanban.values import Card, NewTimeEntry, Role, Scope, TimeEntry
from kanban.views import BoardView, Page, PageKey
from stores import open_store
from tests.stores.world import World
from usecases.board_access import BoardAccess

PAGE_LENGTH = 10


class StoreOfShortPages:
    """A store whose pages have at most ten items. Any store may return less than the limit while more follow."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.pages_read = 0

    def __getattr__(self, name: str) -> Any:
        """Return a method of the store."""
        return getattr(self._store, name)

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        """Return a short page of cards."""
        self.pages_read += 1
        return self._store.page_cards(board_id, user_id, query, min(limit, PAGE_LENGTH), after)

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        """Return a short page of time entries."""
        self.pages_read += 1
        return self._store.page_time_entries(board_id, user_id, card_id, min(limit, PAGE_LENGTH), after)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(open_store(f"sqlite:///{tmp_path}/tackboard.db")) as store:
        yield World(store)


@pytest.fixture
def store(world: World) -> StoreOfShortPages:
    return StoreOfShortPages(world.store)


@pytest.fixture
def access(world: World, store: StoreOfShortPages) -> BoardAccess:
    return BoardAccess(cast("Store", store), Caller(world.ann.id, "", (Scope.READ,)), Scope.READ, Role.VIEWER)


@pytest.mark.parametrize("number", [MAX_STOPPED_CLOCKS, MAX_STOPPED_CLOCKS + 1])
def test_running_cards_are_none_if_they_are_one_too_many(world: World, access: BoardAccess, number: int) -> None:
    cards = [world.add_card(f"Card {position}", "Doing") for position in range(number)]

    _, running = access.read_running_cards(world.board_id)

    expected = [card.id for card in cards] if number == MAX_STOPPED_CLOCKS else None
    assert (running and [card.id for card in running]) == expected


def test_running_cards_of_a_user_are_as_many_as_one_change_can_stop(
    world: World, access: BoardAccess, store: StoreOfShortPages
) -> None:
    cards = [world.add_card(f"Card {position}", "Doing") for position in range(MAX_STOPPED_CLOCKS + PAGE_LENGTH + 1)]

    _, running = access.read_running_cards_of_user(world.board_id, world.ann.id)

    assert [card.id for card in running] == [card.id for card in cards[:MAX_STOPPED_CLOCKS]]
    assert store.pages_read == MAX_STOPPED_CLOCKS / PAGE_LENGTH


def add_time_entries(world: World, number: int) -> Card:
    """Add a card with so many time entries of an hour each."""
    card = world.add_card("Card")
    for _ in range(number):
        started_at = world.now
        world.advance(hours=1)
        world.apply(time_entries.create, card.id, new=NewTimeEntry(started_at, world.now), entries=())
    return card


@pytest.mark.parametrize(("number", "returned"), [(19, 19), (20, 20), (21, 21), (31, 30)])
def test_reading_time_entries_ends_once_they_are_too_many(
    world: World, access: BoardAccess, number: int, returned: int
) -> None:
    card = add_time_entries(world, number)

    _, entries = access.read_time_entries(world.board_id, card.id, max_entries=20)

    assert len({entry.id for entry in entries}) == returned
