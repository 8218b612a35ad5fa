"""Reads that take several pages of a store end where they should, however short the pages are."""

import inspect
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from kanban import cards
from kanban.access import Caller, RoleTooLow, ScopeMissing
from kanban.archive import MAX_STOPPED_CLOCKS
from kanban.errors import NotFound, UnknownReference
from kanban.store import CardQuery, Store
from kanban.timekeeping import time_entries
from kanban.values import Card, NewCard, NewTimeEntry, Role, Scope, TimeEntry, TokenLimits
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


def test_running_cards_of_a_user_are_nobody_elses(world: World, access: BoardAccess) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.EDITOR)
    doing = world.find_list("Doing").id
    for number in range(PAGE_LENGTH + 1):
        world.add_card(f"Card of Ann {number}", "Doing")
        world.apply(cards.create, user=bob, new=NewCard(title=f"Card of Bob {number}", list_id=doing))

    for user in (world.ann, bob):
        _, running = access.read_running_cards_of_user(world.board_id, user.id)

        assert [card.running.user_id for card in running if card.running] == [user.id] * (PAGE_LENGTH + 1)


def test_a_card_is_read_with_the_scope_and_the_role_that_the_operation_needs(world: World) -> None:
    card = world.add_card("Card")
    bob = world.add_user("Bob")
    world.add_member(bob, Role.EDITOR)

    def read(*, scope: Scope = Scope.READ, role: Role = Role.EDITOR, **limits: Any) -> str:
        caller = Caller(bob.id, "", (Scope.READ,), limits=TokenLimits(**limits))
        return BoardAccess(world.store, caller, scope, role).read_card(world.board_id, card.id).id

    assert read() == card.id
    with pytest.raises(RoleTooLow):
        read(role=Role.OWNER)
    with pytest.raises(RoleTooLow):
        read(max_role=Role.VIEWER)
    with pytest.raises(ScopeMissing):
        read(scope=Scope.WRITE)


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


BOARD_READS = sorted(
    name
    for name, function in inspect.getmembers(BoardAccess, inspect.isfunction)
    if "board_id" in inspect.signature(function).parameters and not name.startswith("_")
)


class WasRead(Exception):
    """Raised when anything is read."""


class UnreadStore:
    """A store of which nothing may be read."""

    def __getattr__(self, name: str) -> Any:
        """Return a method that fails."""

        def fail(*_: object, **__: object) -> None:
            raise WasRead(name)

        return fail


@pytest.mark.parametrize("name", BOARD_READS)
def test_no_read_of_a_board_out_of_reach_asks_the_store(name: str) -> None:
    caller = Caller("usr_ann", "", (Scope.READ,), limits=TokenLimits(board_ids=("brd_1",)))
    access = BoardAccess(cast("Store", UnreadStore()), caller, Scope.READ, Role.VIEWER)
    read = getattr(access, name)
    others = [
        parameter
        for parameter in list(inspect.signature(read).parameters.values())[1:]
        if parameter.default is parameter.empty and parameter.kind is not parameter.KEYWORD_ONLY
    ]

    with pytest.raises((NotFound, UnknownReference)):
        read("brd_2", *(1 for _ in others))
    with pytest.raises(WasRead):
        read("brd_1", *(1 for _ in others))


def add_assigned_cards(world: World, number: int) -> None:
    """Add so many cards of 80,000 bytes to the board, all assigned to Ann."""
    for position in range(number):
        world.add_card(f"Card {position}", description="x" * 80_000, assignee_ids=[world.ann.id])


def page_assigned_cards(store: Any, world: World, board_ids: list[str]) -> list[list[Card]]:
    """Return the pages of the cards that are assigned to Ann on these boards, for a token that reaches no others."""
    caller = Caller(world.ann.id, "", (Scope.READ,), limits=TokenLimits(board_ids=tuple(board_ids)))
    access = BoardAccess(store, caller, Scope.READ, Role.VIEWER)
    pages = [access.page_assigned_cards(CardQuery(), 100)]
    while pages[-1].next_key:
        pages.append(access.page_assigned_cards(CardQuery(), 100, pages[-1].next_key))
    return [[card for _, card in page.items] for page in pages]


def list_assigned_cards(world: World, board_ids: list[str]) -> list[Card]:
    """Return the cards that are assigned to Ann on these boards."""
    page = world.store.page_assigned_cards(world.ann.id, CardQuery(), 100)
    items = [*page.items]
    while page.next_key:
        page = world.store.page_assigned_cards(world.ann.id, CardQuery(), 100, page.next_key)
        items += page.items
    return [card for _, card in items if card.board_id in board_ids]


def test_pages_of_assigned_cards_of_certain_boards_end_with_their_text(world: World) -> None:
    board_ids = [world.board_id, *(world.add_board(f"Board {number}") for number in range(3))]
    for world.board_id in board_ids:
        add_assigned_cards(world, PAGE_LENGTH)
    reached = [board_ids[1], board_ids[0], board_ids[3]]

    pages = page_assigned_cards(world.store, world, reached)

    assert [len(page) for page in pages] == [2 * PAGE_LENGTH, PAGE_LENGTH]
    assert [card for page in pages for card in page] == list_assigned_cards(world, reached)


def test_pages_of_assigned_cards_go_on_within_a_board(world: World, store: StoreOfShortPages) -> None:
    board_ids = [world.board_id, world.add_board("Other")]
    for world.board_id in board_ids:
        add_assigned_cards(world, PAGE_LENGTH + 1)

    pages = page_assigned_cards(store, world, board_ids)

    assert [len(page) for page in pages] == [PAGE_LENGTH, PAGE_LENGTH + 1, 1]
    assert [card for page in pages for card in page] == list_assigned_cards(world, board_ids)
