"""Pages have every item once, in order, with ties, filters and any limit, and nothing that was deleted."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import boards, cards, lists
from kanban.changes import build_change
from kanban.ordering import ranks
from kanban.store import PAGE_BYTES, CardQuery, CardSort, EventQuery, NeighbourOf, Store
from kanban.text import build_search_text, fold
from kanban.values import Card, Role, Stage
from kanban.views import Page, PageKey
from stores import paging
from tests.stores.world import NOON, World, collect_pages

SMALL_LIMITS = [1, 2, 7]
ALL = 100
"""A limit above the number of cards."""
LIMITS = [*SMALL_LIMITS, ALL]

SORT_KEYS: dict[CardSort, Callable[[Card, dict[str, str]], Any]] = {
    CardSort.POSITION: lambda card, list_ranks: (list_ranks[card.list_id], card.rank),
    CardSort.OLDEST: lambda card, _: card.id,
    CardSort.NEWEST: lambda card, _: card.id,
    CardSort.LEAST_RECENTLY_UPDATED: lambda card, _: (card.updated_at, card.id),
    CardSort.MOST_RECENTLY_UPDATED: lambda card, _: (card.updated_at, card.id),
    CardSort.DUE_FIRST: lambda card, _: (card.due_at, card.id),
    CardSort.DUE_LAST: lambda card, _: (card.due_at, card.id),
}


@pytest.fixture
def full_world(world: World) -> World:
    """Create a board with over twenty live cards in five lists, some changed in the same second, and deleted cards."""
    world.add_list("Review", stage=Stage.IN_PROGRESS, position="top")
    world.add_list("Empty")
    world.add_list("Gone")
    names = ["To do", "Doing", "Done", "Review", "Gone"]
    made = []
    for number in range(30):
        if number % 4 == 0:
            world.advance(seconds=1)
        title = ["Milk 100%", "MILCH_1", "straße", "Straße/Weg"][number % 4]
        end = "top" if number % 3 else "bottom"
        made.append(world.add_card(f"{title} {number}", names[number % 5], position=end, description="Etwas"))
    world.advance(seconds=1)
    for card in made[::3]:
        world.apply(cards.update, card.id, patch={"description": "Revised"})
    for number, card in enumerate(made[1::2]):
        world.apply(cards.update, card.id, patch={"due_at": NOON + timedelta(days=number // 3)})
    for card in made[3:30:9]:
        world.delete_card(card)
    world.delete_list("Gone")
    return world


STAGES = [None, Stage.TODO, Stage.IN_PROGRESS]
TEXTS = [None, "STRASSE", "%", "_", "/", "revised"]


@pytest.mark.parametrize("scope", [None, "Doing", "Empty"])
def test_every_query_returns_each_card_once_in_order_at_any_limit(full_world: World, scope: str | None) -> None:
    view = full_world.read_board()
    list_id = full_world.find_list(scope).id if scope else None
    everything = full_world.list_cards()
    list_ranks = {list_.id: list_.rank for list_ in view.lists}

    combinations = itertools.product(enumerate(STAGES), enumerate(TEXTS), enumerate(CardSort))
    for (stage_number, status), (text_number, q), (sort_number, sort) in combinations:
        query, key = CardQuery(list_id, status, q, sort), SORT_KEYS[sort]
        # Any two of status, text and sort meet every small limit.
        small_limit = SMALL_LIMITS[(stage_number + text_number + sort_number) % len(SMALL_LIMITS)]
        fitting = [
            card
            for card in everything
            if list_id in (None, card.list_id)
            and status in (None, view.get_list_of(card).stage)
            and (q is None or fold(q) in build_search_text(card.title, card.description))
            and (card.due_at or sort not in (CardSort.DUE_FIRST, CardSort.DUE_LAST))
        ]
        expected = sorted(fitting, key=lambda card: key(card, list_ranks), reverse=sort.startswith("-"))

        for limit in (small_limit, ALL):
            assert full_world.list_cards(query, limit) == expected, (query, limit)


def test_the_fixture_has_the_cards_that_the_tests_expect(full_world: World) -> None:
    listed_cards = full_world.list_cards()

    assert len(listed_cards) == sum(list_.card_count for list_ in full_world.read_board().lists) == 21
    assert len({card.updated_at for card in listed_cards}) < len(listed_cards)


def test_a_missing_list_has_no_cards(full_world: World) -> None:
    for sort in CardSort:
        assert full_world.list_cards(CardQuery(list_id="lst_none", sort=sort)) == []


def test_a_list_of_another_board_has_no_cards(full_world: World) -> None:
    other = World(full_world.store, seed=8)
    other.add_card("Elsewhere")

    for sort in CardSort:
        assert full_world.list_cards(CardQuery(list_id=other.find_list("To do").id, sort=sort)) == []
    assert all(card.board_id == full_world.board_id for card in full_world.list_cards())


def test_the_last_page_has_no_next_key(world: World) -> None:
    for number in range(4):
        world.add_card(f"Card {number}", due_at=NOON)

    for sort in CardSort:
        result = world.store.page_cards(world.board_id, world.ann.id, CardQuery(sort=sort), 4)
        assert result is not None
        assert len(result[1].items) == 4
        assert result[1].next_key is None


def test_cards_added_and_deleted_while_paging_do_not_affect_the_others(world: World) -> None:
    for number in range(6):
        world.add_card(f"Card {number}")
    first = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 3)
    assert first is not None

    world.delete_card(first[1].items[2])
    world.add_card("New at the top", position="top")
    rest = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100, first[1].next_key)

    assert rest is not None
    assert [card.title for card in rest[1].items] == ["Card 3", "Card 4", "Card 5"]


def test_paging_continues_after_a_list_that_was_deleted_or_moved(world: World) -> None:
    for name in ("To do", "Doing", "Done"):
        world.add_card(f"{name} 1", name)
        world.add_card(f"{name} 2", name)
    first = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 3)
    assert first is not None

    world.delete_list("Doing")
    rest = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100, first[1].next_key)

    assert rest is not None
    assert [card.title for card in rest[1].items] == ["Done 1", "Done 2"]


def test_paging_continues_in_a_list_that_was_moved_to_the_top(world: World) -> None:
    for name in ("To do", "Done"):
        world.add_card(f"{name} 1", name)
        world.add_card(f"{name} 2", name)
    first = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 3)
    assert first is not None

    world.apply(lists.move, world.find_list("Done").id, position="top")
    rest = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100, first[1].next_key)

    assert rest is not None
    assert rest[1].items[0].title == "Done 2"


def test_paging_of_one_list_continues_after_the_list_was_moved(world: World) -> None:
    for number in range(3):
        world.add_card(f"Card {number}")
    query = CardQuery(list_id=world.find_list("To do").id)
    first = world.store.page_cards(world.board_id, world.ann.id, query, 1)
    assert first is not None

    world.apply(lists.move, world.find_list("To do").id, position="bottom")
    rest = world.store.page_cards(world.board_id, world.ann.id, query, 100, first[1].next_key)

    assert rest is not None
    assert [card.title for card in rest[1].items] == ["Card 1", "Card 2"]


def test_a_page_has_at_most_a_mebibyte_of_text(world: World) -> None:
    texts = ["牛" * 20_000, "x" * 20_000]
    for number in range(60):
        world.add_card(f"Card {number}", description=texts[number % 2])

    def page(after: PageKey | None) -> Page[Card]:
        result = world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 100, after)
        assert result is not None
        size = sum(len((card.title + card.description).encode()) for card in result[1].items)
        assert size <= PAGE_BYTES
        return result[1]

    assert [card.title for card in collect_pages(page, 100)] == [f"Card {number}" for number in range(60)]


# Deleted lists, cards and boards


def test_the_cards_of_a_deleted_list_are_on_no_page(world: World) -> None:
    card = world.add_card("Copy", "Doing", due_at=NOON)
    kept = world.add_card("Kept", due_at=NOON)
    todo = world.find_list("To do")

    world.delete_list("Doing")

    assert world.read_board(card.id, kept.id).cards == {kept.id: kept}
    assert [list_.name for list_ in world.read_board().lists] == ["To do", "Done"]
    for sort in CardSort:
        assert [card.id for card in world.list_cards(CardQuery(sort=sort))] == [kept.id]
        assert world.list_cards(CardQuery(status=Stage.IN_PROGRESS, sort=sort)) == []
        assert [card.id for card in world.list_cards(CardQuery(list_id=todo.id, sort=sort))] == [kept.id]
    entries = world.store.page_time_entries(world.board_id, world.ann.id, card.id, 10)
    assert entries is not None
    assert entries[0].cards == {}
    assert entries[1].items == ()


def test_a_deleted_card_is_on_no_page(world: World) -> None:
    card = world.add_card("Copy")

    world.delete_card(card)

    assert world.read_board(card.id).cards == {}
    assert world.list_cards() == []


def test_a_deleted_board_cannot_be_read(world: World) -> None:
    world.store.commit(boards.delete(world.read_board(), world.context()))

    assert world.store.read_board(world.board_id, world.ann.id) is None
    assert world.store.page_cards(world.board_id, world.ann.id, CardQuery(), 10) is None
    assert world.store.page_events(world.board_id, world.ann.id, EventQuery(), 10) is None
    assert world.store.page_time_entries(world.board_id, world.ann.id, "crd_1", 10) is None
    assert world.store.page_boards(world.ann.id, 10).items == ()


def test_a_card_of_another_board_is_not_read(world: World) -> None:
    other = World(world.store, seed=8)
    card = other.add_card("Elsewhere", "Doing")

    assert world.read_board(card.id, neighbour_of=NeighbourOf(card.id, "after")).cards == {}
    entries = world.store.page_time_entries(world.board_id, world.ann.id, card.id, 10)
    assert entries is not None
    assert entries[1].items == ()


# Adjacent ranks


def test_the_adjacent_rank_is_the_next_one_or_empty_at_the_end(world: World) -> None:
    first, second, third = (world.add_card(title) for title in "ABC")

    assert world.read_board(neighbour_of=NeighbourOf(second.id, "before")).adjacent_rank == first.rank
    assert world.read_board(neighbour_of=NeighbourOf(second.id, "after")).adjacent_rank == third.rank
    assert world.read_board(neighbour_of=NeighbourOf(first.id, "before")).adjacent_rank == ""
    assert world.read_board(neighbour_of=NeighbourOf(third.id, "after")).adjacent_rank == ""
    assert world.read_board(neighbour_of=NeighbourOf(third.id, "after")).cards == {third.id: third}


def test_the_adjacent_rank_may_be_that_of_a_deleted_card(world: World) -> None:
    first, second = (world.add_card(title) for title in "AB")
    world.delete_card(second)

    assert world.read_board(neighbour_of=NeighbourOf(first.id, "after")).adjacent_rank == second.rank


def test_a_neighbour_that_is_not_live_has_no_adjacent_rank(world: World) -> None:
    card = world.add_card("A")
    world.delete_card(card)

    view = world.read_board(neighbour_of=NeighbourOf(card.id, "after"))

    assert (view.cards, view.adjacent_rank) == ({}, None)


# New ranks


def test_a_list_with_long_ranks_gets_short_ones_in_the_same_order(world: World) -> None:
    todo = world.find_list("To do")
    prefix = "a0" + "0" * 117
    new_cards = world.add_cards_with_ranks("To do", [f"{prefix}{digit}" for digit in "123456789"])
    world.delete_card(new_cards[4])
    for number in range(3):
        world.add_card(f"Last {number}")
    expected = world.list_titles("To do")
    mover = world.add_card("Mover", "Done")

    for _ in range(12):
        mover = world.move_card(mover, todo.id, before=new_cards[1].id)
        mover = world.move_card(mover, todo.id, before=new_cards[2].id)

    expected.insert(2, "Mover")
    assert world.list_titles("To do") == expected
    held = [card.rank for card in world.list_cards()]
    assert max(map(len, held)) <= 6
    bounds = world.find_list("To do")
    assert all(bounds.first_rank <= rank <= bounds.last_rank for rank in held)
    assert world.read_board().board.seq == len(world.list_events())


def test_new_ranks_change_nothing_else(world: World) -> None:
    todo = world.find_list("To do")
    prefix = "a0" + "0" * ranks.MAX_RANK_LENGTH
    new_cards = world.add_cards_with_ranks("To do", [f"{prefix}{digit}" for digit in "12"])
    mover = world.add_card("Mover")
    world.advance(hours=1)

    world.move_card(mover, todo.id, before=new_cards[1].id)

    for card in new_cards:
        stored_card = world.read_card(card)
        assert (stored_card.version, stored_card.updated_at, stored_card.title) == (
            card.version,
            card.updated_at,
            card.title,
        )
        assert len(stored_card.rank) < 5


def test_deleted_cards_get_new_ranks_with_the_others(world: World) -> None:
    todo = world.find_list("To do")
    prefix = "a0" + "0" * ranks.MAX_RANK_LENGTH
    new_cards = world.add_cards_with_ranks("To do", [f"{prefix}{digit}" for digit in "123"])
    world.delete_card(new_cards[2])
    mover = world.add_card("Mover")

    world.move_card(mover, todo.id, before=new_cards[1].id)

    after_second = world.read_board(neighbour_of=NeighbourOf(new_cards[1].id, "after")).adjacent_rank
    assert after_second
    assert world.read_card(new_cards[1]).rank < after_second < world.find_list("To do").last_rank + "~"
    assert len(after_second) < 5


# Other pages


@pytest.mark.parametrize("limit", LIMITS)
def test_events_are_listed_in_order_without_a_gap(world: World, limit: int) -> None:
    for number in range(5):
        world.add_card(f"Card {number}")

    def page(after: PageKey | None) -> Page[Any]:
        result = world.store.page_events(world.board_id, world.ann.id, EventQuery(int(after[0]) if after else 0), limit)
        assert result is not None
        return result[1]

    assert [event.seq for event in collect_pages(page, limit)] == [1, 2, 3, 4, 5, 6]


def list_queried_seqs(world: World, query: EventQuery, limit: int) -> list[int]:
    """Return the seqs of all events of a query, page by page."""

    def page(after: PageKey | None) -> Page[Any]:
        side = "before" if query.newest_first else "after"
        asked = replace(query, **{side: int(after[0])}) if after else query  # type: ignore[arg-type]  # both are seqs.
        result = world.store.page_events(world.board_id, world.ann.id, asked, limit)
        assert result is not None
        return result[1]

    return [event.seq for event in collect_pages(page, limit, may_be_empty=query.is_filtered)]


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("newest_first", [False, True])
def test_events_are_listed_by_card_type_and_range(world: World, limit: int, *, newest_first: bool) -> None:
    one, other = world.add_card("One"), world.add_card("Other")
    doing = world.find_list("Doing").id
    world.move_card(one, doing)
    world.move_card(other, doing)
    world.delete_card(one)
    world.add_list("Later")

    def list_seqs(**fields: Any) -> list[int]:
        seqs = list_queried_seqs(world, EventQuery(**fields, newest_first=newest_first), limit)
        return seqs[::-1] if newest_first else seqs

    assert list_seqs() == [1, 2, 3, 4, 5, 6, 7]
    assert list_seqs(after=2, before=5) == [3, 4]
    assert list_seqs(after=4, before=5) == list_seqs(after=5, before=4) == list_seqs(after=9) == []
    assert list_seqs(card_id=one.id) == [2, 4, 6]
    assert list_seqs(card_id=one.id, after=2, before=6) == [4]
    assert list_seqs(types=frozenset({"card.moved", "list.created"})) == [4, 5, 7]
    assert list_seqs(types=frozenset({"card.moved"}), card_id=other.id) == [5]
    assert list_seqs(types=frozenset({"card.nonsense"})) == list_seqs(card_id="crd_other") == []


@pytest.mark.parametrize("newest_first", [False, True])
def test_events_are_listed_by_token(world: World, *, newest_first: bool) -> None:
    card = world.add_card("One")
    for token_id in ("tok_one", "tok_other", "tok_one"):
        context = replace(world.context(), token_id=token_id)
        world.store.commit(build_change(world.read_board(), context, "test.written", card_id=card.id))

    def list_seqs(**fields: Any) -> list[int]:
        return sorted(list_queried_seqs(world, EventQuery(**fields, newest_first=newest_first), 1))

    assert list_seqs(token_id="tok_one") == list_seqs(token_id="tok_one", card_id=card.id) == [3, 5]
    assert list_seqs(token_id="tok_one", types=frozenset({"card.created"})) == list_seqs(token_id="tok_none") == []


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_page_of_some_types_looks_at_a_bounded_number_of_events(
    world: World, monkeypatch: pytest.MonkeyPatch, *, newest_first: bool
) -> None:
    monkeypatch.setattr(paging, "MAX_EVENTS_LOOKED_AT", 3)
    for number in range(6):
        world.add_card(f"Card {number}")
    query = EventQuery(types=frozenset({"board.created"}), newest_first=newest_first)

    result = world.store.page_events(world.board_id, world.ann.id, query, 50)

    assert result is not None
    assert ([event.seq for event in result[1].items], result[1].next_key) == (
        ([], (5,)) if newest_first else ([1], (3,))
    )
    assert list_queried_seqs(world, query, 50) == [1]


def test_there_are_no_events_after_the_last(world: World) -> None:
    result = world.store.page_events(world.board_id, world.ann.id, EventQuery(1), 10)

    assert result is not None
    assert result[0] == world.read_board()
    assert result[1] == Page(())


@pytest.mark.parametrize("limit", LIMITS)
def test_time_entries_are_listed_oldest_first(world: World, limit: int) -> None:
    card = world.add_card("Copy")
    for _ in range(5):
        world.apply(cards.start, card.id)
        world.advance(seconds=1)
        world.apply(cards.resolve, card.id)
        world.apply(cards.reopen, card.id)

    def page(after: PageKey | None) -> Page[Any]:
        result = world.store.page_time_entries(world.board_id, world.ann.id, card.id, limit, after)
        assert result is not None
        assert result[0].get_card(card.id) == world.read_card(card)
        return result[1]

    entries = collect_pages(page, limit)

    assert len(entries) == 5
    assert [entry.started_at for entry in entries] == sorted(entry.started_at for entry in entries)
    assert all(entry.ended_at - entry.started_at == timedelta(seconds=1) for entry in entries)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_users_boards_are_listed_newest_first(world: World, limit: int) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.VIEWER)
    mine = [world.board_id, *(world.add_board(f"Board {number}") for number in range(5))]
    his = world.add_board("Bob's", owner=bob)

    result = collect_pages(lambda after: world.store.page_boards(world.ann.id, limit, after), limit)
    bobs = collect_pages(lambda after: world.store.page_boards(bob.id, limit, after), limit)

    assert [(board.id, role) for board, role in result] == [(board_id, Role.OWNER) for board_id in reversed(mine)]
    assert [(board.id, role) for board, role in bobs] == [(his, Role.OWNER), (world.board_id, Role.VIEWER)]


@pytest.mark.parametrize("limit", LIMITS)
def test_tokens_are_listed_newest_first(world: World, limit: int) -> None:
    new_tokens = [world.add_token(name=f"Token {number}") for number in range(5)]
    world.add_token(world.add_user("Bob"))

    result = collect_pages(lambda after: world.store.page_tokens(world.ann.id, limit, after), limit)

    assert result == new_tokens[::-1]


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.read_installation_owner() is None
    assert store.read_user("usr_none") is None
    assert store.page_boards("usr_none", 10) == Page(())
    assert store.page_tokens("usr_none", 10) == Page(())
