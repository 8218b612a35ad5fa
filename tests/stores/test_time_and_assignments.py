"""Time entries of a period over the cards of a board, and the cards assigned to a user over all boards."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import archive, boards
from kanban.store import CardQuery
from kanban.values import Card, Role, Stage, TimeEntry
from kanban.views import BoardView, Page, PageKey, WorkedTime
from tests.stores.part_builders import add_label, find_member, make_time_entry
from tests.stores.world import NOON, World

LIMITS = [1, 2, 100]
EntryWithCard = tuple[TimeEntry, Card]


def list_time_entries(world: World, since: int, until: int, limit: int = 100) -> list[EntryWithCard]:
    """List the time entries between two numbers of seconds after noon, with their cards.

    Check that the pages of worked time say the same.
    """
    span = NOON + timedelta(seconds=since), NOON + timedelta(seconds=until)
    entries: list[EntryWithCard] = []
    after: PageKey | None = None
    while True:
        answer = world.store.page_board_time_entries(world.board_id, world.ann.id, span, limit, after)
        assert answer is not None
        page: Page[EntryWithCard] = answer[1]
        assert len(page.items) <= limit
        worked_time = tuple(
            WorkedTime(entry.user_id, card.list_id, card.label_ids, entry.started_at, entry.ended_at, entry.rate_minor)
            for entry, card in page.items
        )
        answer_of_work = world.store.page_worked_time(world.board_id, world.ann.id, span, limit, after)
        assert answer_of_work is not None
        assert answer_of_work[1] == Page(worked_time, page.next_key)
        entries += page.items
        after = page.next_key
        if after is None:
            return entries


def list_assigned_cards(
    world: World, limit: int = 100, user_id: str | None = None, **fields: Any
) -> list[tuple[BoardView, Card]]:
    assigned: list[tuple[BoardView, Card]] = []
    after: PageKey | None = None
    while True:
        page = world.store.page_assigned_cards(user_id or world.ann.id, CardQuery(**fields), limit, after)
        assert len(page.items) <= limit
        assigned += page.items
        after = page.next_key
        if after is None:
            return assigned


@pytest.mark.parametrize("limit", LIMITS)
def test_time_entries_are_listed_by_their_ends_with_their_cards(world: World, limit: int) -> None:
    labels = [add_label(world, name).id for name in ("Copy", "Web")]
    first, second = world.add_card("First", label_ids=labels), world.add_card("Second")
    late, early = make_time_entry(world, first, 0, 100), make_time_entry(world, second, 10, 50)
    tied, open_one = make_time_entry(world, second, 60, 100), make_time_entry(world, first, 200, None)
    world.write(creates=(late, early, tied, open_one))

    entries = list_time_entries(world, 0, 1000, limit)

    assert [entry for entry, _ in entries] == [early, late, tied, open_one]
    assert [card.title for _, card in entries] == ["Second", "First", "Second", "First"]
    assert entries[0][1] == world.read_card(second)
    assert entries[1][1].running == open_one


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [(0, 10, 0), (0, 11, 1), (20, 1000, 0), (19, 20, 1), (10, 20, 1), (12, 13, 1), (0, 1000, 1)],
)
def test_only_time_entries_that_overlap_the_period_are_listed(world: World, since: int, until: int, count: int) -> None:
    card = world.add_card("Copy")
    world.write(creates=(make_time_entry(world, card, 10, 20),))

    assert len(list_time_entries(world, since, until)) == count


def test_an_open_time_entry_overlaps_every_period_after_its_start(world: World) -> None:
    card = world.add_card("Copy")
    world.write(creates=(make_time_entry(world, card, 10, None),))

    assert list_time_entries(world, 0, 10) == []
    assert len(list_time_entries(world, 10_000, 20_000)) == 1


def test_time_entries_of_deleted_cards_are_left_out_but_not_of_archived_cards(world: World) -> None:
    new_cards = {
        name: world.add_card(name, "Done" if name == "In a list" else "To do") for name in ("Gone", "In a list", "Away")
    }
    world.write(creates=tuple(make_time_entry(world, card, 0, 10) for card in new_cards.values()))
    world.delete_card(new_cards["Gone"])
    world.delete_list("Done")
    world.apply(archive.archive_card, new_cards["Away"].id)

    assert [card.title for _, card in list_time_entries(world, 0, 100)] == ["Away"]


# Assigned cards


def assign_card(world: World, card: Card, user_id: str, **fields: Any) -> Card:
    card = replace(card, assignee_ids=(find_member(world, user_id).id,), **fields)
    world.write(updates=(card,))
    return card


@pytest.mark.parametrize("limit", LIMITS)
def test_assigned_cards_are_listed_by_newest_board_then_oldest_card(world: World, limit: int) -> None:
    old_board = world.board_id
    old = [assign_card(world, world.add_card(f"Old {number}"), world.ann.id) for number in range(3)]
    world.add_card("Nobody's")
    world.board_id = world.add_board("Newer")
    new = [assign_card(world, world.add_card(f"New {number}", "Doing"), world.ann.id) for number in range(3)]
    newer = world.read_board(*(card.id for card in new))

    assigned = list_assigned_cards(world, limit)

    assert [card.id for _, card in assigned] == [card.id for card in (*new, *old)]
    assert [card for _, card in assigned][:3] == [newer.get_card(card.id) for card in new]
    assert [view.board.id for view, _ in assigned] == [newer.board.id] * 3 + [old_board] * 3
    view = assigned[0][0]
    assert (view.board, view.role, view.lists) == (newer.board, newer.role, newer.lists)
    assert (view.members, view.labels) == (newer.members, newer.labels)


def test_assigned_cards_are_active_and_match_the_filters(world: World) -> None:
    due = {"due_at": NOON}
    card_fields: list[tuple[str, str, dict[str, Any]]] = [
        ("Due", "To do", due),
        ("Complete", "Doing", {**due, "due_complete": True}),
        ("Later", "To do", {"due_at": NOON + timedelta(days=9)}),
        ("Done", "Done", due),
        ("Gone", "To do", due),
        ("Away", "To do", due),
    ]
    for name, list_name, fields in card_fields:
        card = assign_card(world, world.add_card(name, list_name), world.ann.id, **fields)
        if name == "Gone":
            world.delete_card(card)
        elif name == "Away":
            world.apply(archive.archive_card, card.id)
    tomorrow = NOON + timedelta(days=1)

    def list_assigned_titles(**query: Any) -> list[str]:
        return [card.title for _, card in list_assigned_cards(world, **query)]

    assert list_assigned_titles() == ["Due", "Complete", "Later", "Done"]
    assert list_assigned_titles(status=Stage.DONE) == ["Done"]
    assert list_assigned_titles(due_from=tomorrow) == ["Later"]
    assert list_assigned_titles(due_until=tomorrow) == ["Due", "Complete", "Done"]
    assert list_assigned_titles(overdue_at=tomorrow) == ["Due"]


@pytest.mark.parametrize("what", ["leave", "archive list", "delete list", "archive board", "delete board"])
def test_cards_are_no_longer_assigned_without_the_membership_list_or_board(world: World, what: str) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.EDITOR)
    assign_card(world, world.add_card("Copy"), bob.id)
    assert len(list_assigned_cards(world, user_id=bob.id)) == 1

    if what == "leave":
        world.write(deletes=(find_member(world, bob.id),))
    elif what == "archive list":
        world.write(updates=(replace(world.find_list("To do"), archived_at=NOON),))
    elif what == "delete list":
        world.delete_list("To do")
    elif what == "archive board":
        change = archive.archive_board(world.read_board(), world.context(), [])[1]
        assert change is not None
        world.store.commit(change)
    else:
        world.store.commit(boards.delete(world.read_board(), world.context(), []))

    assert list_assigned_cards(world, user_id=bob.id) == []
