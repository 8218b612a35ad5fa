"""How often one page calls DynamoDB when few of the items match."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kanban import boards
from kanban.changes import build_change
from kanban.store import CardQuery, CardSort, CardState
from kanban.values import Card, List, TimeEntry
from kanban.views import BoardView
from stores.dynamodb.reads import MAX_PAGE_READS
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Wire
from tests.stores.world import NOON, World, make_card


def test_a_page_of_boards_that_finds_little_ends_early_and_loses_none(wire: Wire, world: World) -> None:
    for number in range(110):
        world.add_board(f"Board {number}")
    view = world.read_board()
    archived = replace(view.board, archived_at=world.now)
    world.store.commit(build_change(view, world.context(), "board.archived", board=archived))
    wire.operations.clear()

    first = world.store.page_boards(world.ann.id, 10, archived=True)

    assert len(wire.operations) <= 4 * MAX_PAGE_READS + 10
    assert first.items == ()
    assert first.next_key is not None
    second = world.store.page_boards(world.ann.id, 10, first.next_key, archived=True)
    assert [board.id for board, _ in second.items] == [world.board_id]
    assert second.next_key is None


def test_a_page_of_deleted_boards_that_finds_little_ends_early_and_loses_none(wire: Wire, world: World) -> None:
    for number in range(110):
        world.add_board(f"Board {number}")
    world.store.commit(boards.delete(world.read_board(), world.context()))
    wire.operations.clear()

    first = world.store.page_deleted_boards(world.ann.id, NOON, 10)

    assert len(wire.operations) <= 4 * MAX_PAGE_READS + 10
    assert first.items == ()
    assert first.next_key is not None
    second = world.store.page_deleted_boards(world.ann.id, NOON, 10, first.next_key)
    assert [board.id for board, _ in second.items] == [world.board_id]
    assert second.next_key is None


def test_a_page_of_deleted_lists_that_finds_little_ends_early_and_loses_none(wire: Wire, world: World) -> None:
    todo = world.find_list("To do")
    old = [replace(todo, id=f"lst_{number:04d}", rank=f"b{number:04d}") for number in range(90)]
    world.write(creates=tuple(old))
    long_ago = NOON - timedelta(days=40)
    for start in range(1, 90, 40):
        world.write(updates=tuple(replace(list_, deleted_at=long_ago) for list_ in old[start : start + 40]))
    world.write(updates=(replace(old[0], deleted_at=NOON),))
    world.read_board()
    wire.operations.clear()

    first = world.store.page_deleted_lists(world.board_id, world.ann.id, NOON, 2)

    assert first is not None
    assert wire.operations == [*["Query"] * MAX_PAGE_READS, "BatchGetItem"]
    assert first[1].items == ()
    lists: list[List] = []
    after = first[1].next_key
    while after:
        page = world.store.page_deleted_lists(world.board_id, world.ann.id, NOON, 2, after)
        assert page is not None
        lists, after = [*lists, *page[1].items], page[1].next_key
    assert [list_.id for list_ in lists] == [old[0].id]


@pytest.mark.parametrize("sort", [CardSort.LEAST_RECENTLY_UPDATED, CardSort.MOST_RECENTLY_UPDATED])
def test_a_page_of_recently_deleted_cards_does_not_read_those_deleted_long_ago(
    wire: Wire, world: World, sort: CardSort
) -> None:
    todo = world.find_list("To do")
    long_ago = NOON - timedelta(days=40)
    old = [make_card(world, todo, f"b{number:03d}", updated_at=long_ago, deleted_at=long_ago) for number in range(40)]
    world.write(creates=tuple(old))
    card = world.add_card("Copy")
    world.delete_card(card)
    world.read_board()
    wire.operations.clear()

    query = CardQuery(state=CardState.DELETED, sort=sort, deleted_since=NOON)
    result = world.store.page_cards(world.board_id, world.ann.id, query, 2)

    assert result is not None
    assert [deleted.id for deleted in result[1].items] == [card.id]
    assert wire.operations == ["Query", "BatchGetItem"]


def test_a_page_of_assigned_cards_that_finds_little_ends_early_and_loses_none(wire: Wire, world: World) -> None:
    todo = world.find_list("To do")
    (member,) = world.read_board().members
    for start in range(0, 240, 40):
        cards = [make_card(world, todo, f"b{n:03d}", assignee_ids=(member.id,)) for n in range(start, start + 40)]
        world.write(creates=tuple(cards))
    due = replace(make_card(world, todo, "c0000"), assignee_ids=(member.id,), due_at=world.now)
    world.write(creates=(due,))
    query = CardQuery(due_from=world.now)
    wire.operations.clear()

    first = world.store.page_assigned_cards(world.ann.id, query, 20)

    assert len(wire.operations) <= 2 * MAX_PAGE_READS
    assert first.items == ()
    visible: list[tuple[BoardView, Card]] = []
    after = first.next_key
    while after:
        page = world.store.page_assigned_cards(world.ann.id, query, 20, after)
        visible, after = [*visible, *page.items], page.next_key
    assert [card for _, card in visible] == [due]


def test_a_page_of_time_entries_that_finds_little_ends_early_and_loses_none(wire: Wire, world: World) -> None:
    card = world.add_card("Card")
    first_hour = (NOON, NOON + timedelta(hours=1))

    def make_entry(number: int, start_hour: int) -> TimeEntry:
        times = NOON + timedelta(hours=start_hour), NOON + timedelta(hours=3, seconds=number)
        return TimeEntry(f"ten_{number:04d}", card.board_id, card.id, world.ann.id, *times, 0, "", 1)

    for start in range(0, 450, 90):
        world.write(creates=tuple(make_entry(number, 2) for number in range(start, start + 90)))
    world.write(creates=(make_entry(9999, 0),))
    wire.operations.clear()

    result = world.store.page_board_time_entries(world.board_id, world.ann.id, first_hour, 5)

    assert result is not None
    assert len(wire.operations) <= MAX_PAGE_READS + 2
    entries, after = list(result[1].items), result[1].next_key
    assert entries == []
    while after:
        more = world.store.page_board_time_entries(world.board_id, world.ann.id, first_hour, 5, after)
        assert more is not None
        entries, after = [*entries, *more[1].items], more[1].next_key
    assert [entry.id for entry, _ in entries] == ["ten_9999"]


def test_very_long_texts_are_read_in_smaller_transactions(wire: Wire, world: World) -> None:
    created = [world.add_card(f"Card {number}") for number in range(5)]
    wire.operations.clear()
    wire.faults["TransactGetItems"] = iter([faults.cancellation("ValidationError")])

    view = world.read_board(*(card.id for card in created))

    assert wire.operations == ["TransactGetItems"] * 3
    assert [*view.cards.values()] == created
