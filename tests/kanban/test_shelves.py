"""What is put away, and how it comes back."""

from dataclasses import replace

import pytest

from kanban import boards, cards, lists, shelves
from kanban.errors import (
    CardArchived,
    ExternalIdTaken,
    ListArchived,
    ListDeleted,
    NoListOfStage,
    NotFound,
    TooManyCards,
    TooManyLists,
    TooManyRunning,
    WipLimitReached,
)
from kanban.values import MOST_CARDS, MOST_LISTS, Card, Enforcement, List, Stage
from tests.kanban.desk import Desk


def add(desk: Desk, title: str, list_name: str = "To do") -> Card:
    card, change = cards.add(desk.view(), desk.act, title=title, list_id=desk.list_named(list_name).id)
    desk.apply(change)
    return card


def archive(desk: Desk, card: Card) -> Card:
    card, change = shelves.archive_card(desk.view(card.id), card.id, desk.act)
    desk.apply(change)
    return card


def unarchive(desk: Desk, card: Card) -> Card:
    card, change = shelves.unarchive_card(desk.view(card.id), card.id, desk.act)
    desk.apply(change)
    return card


def delete(desk: Desk, card: Card) -> None:
    desk.apply(cards.delete(desk.view(card.id), card.id, desk.act))


def restore(desk: Desk, card: Card) -> Card:
    card, change = shelves.restore_card(desk.view_deleted(cards=[card.id]), card.id, desk.act)
    desk.apply(change)
    return card


def archive_list(desk: Desk, name: str) -> List:
    shelved, change = shelves.archive_list(desk.view(), desk.list_named(name).id, desk.act, ())
    desk.apply(change)
    return shelved


def fill_up(desk: Desk, name: str) -> None:
    desk.alter(name, wip_limit=desk.list_named(name).card_count, wip_enforcement=Enforcement.BLOCK)


# Archiving a card


def test_an_archived_card_is_not_counted_and_keeps_its_place(desk: Desk) -> None:
    add(desk, "First")
    card = add(desk, "Second")
    add(desk, "Third")

    archived = archive(desk, card)
    event = desk.events[-1]
    counted = desk.list_named("To do").card_count
    back = unarchive(desk, card)

    assert (archived.archived_at, archived.rank, archived.version) == (desk.now, card.rank, 2)
    told = {"title": "Second", "stage": "todo", "archived_at": "2026-11-20T12:00:00Z"}
    assert (event.type, event.data) == ("card.archived", told)
    assert counted == 2
    assert (back.archived_at, back.version) == (None, 3)
    assert desk.list_named("To do").card_count == 3
    assert desk.titles(card.list_id) == ["First", "Second", "Third"]
    assert desk.events[-1].type == "card.unarchived"


def test_archiving_stops_the_clock_and_coming_back_starts_it_again(desk: Desk) -> None:
    card = add(desk, "Copy", "Doing")

    desk.later(hours=1)
    archived = archive(desk, card)
    desk.later(hours=5)
    back = unarchive(desk, card)

    assert (archived.running, archived.tracked_seconds) == (None, 3600)
    assert back.running is not None
    assert (back.running.started_at, back.running.rate_minor) == (desk.now, 1000)
    assert back.started_at == card.started_at
    assert len(desk.entries) == 2


def test_what_was_done_stays_done_at_its_time(desk: Desk) -> None:
    card = add(desk, "Copy", "Done")

    desk.later(days=1)
    archive(desk, card)

    assert unarchive(desk, card).resolved_at == card.resolved_at


def test_a_card_comes_back_as_its_list_is_by_then(desk: Desk) -> None:
    card = archive(desk, add(desk, "Copy"))
    desk.later(hours=1)

    desk.alter("To do", stage=Stage.DONE)
    resolved = unarchive(desk, card)
    archive(desk, card)
    desk.alter("To do", stage=Stage.TODO)

    assert resolved.resolved_at == desk.now
    assert unarchive(desk, card).resolved_at is None


def test_archiving_or_unarchiving_twice_changes_nothing(desk: Desk) -> None:
    card = add(desk, "Copy")

    assert shelves.unarchive_card(desk.view(card.id), card.id, desk.act) == (card, None)
    archived = archive(desk, card)
    assert shelves.archive_card(desk.view(card.id), card.id, desk.act) == (archived, None)


def test_a_card_does_not_come_back_into_a_full_list(desk: Desk) -> None:
    card = add(desk, "Copy")
    add(desk, "Text")
    archive(desk, card)
    fill_up(desk, "To do")

    with pytest.raises(WipLimitReached):
        unarchive(desk, card)
    desk.alter("To do", card_count=MOST_CARDS)
    with pytest.raises(TooManyCards):
        unarchive(desk, card)


def test_an_archived_card_takes_no_part_in_the_life_of_the_board(desk: Desk) -> None:
    card = archive(desk, add(desk, "Copy"))

    for step in (cards.start, cards.resolve, cards.reopen):
        with pytest.raises(CardArchived, match="'Copy' is archived"):
            step(desk.view(card.id), card.id, desk.act)
    with pytest.raises(CardArchived):
        cards.move(desk.view(card.id), card.id, desk.act, list_id=desk.list_named("Done").id)


def test_an_archived_card_is_still_edited_and_deleted(desk: Desk) -> None:
    card = archive(desk, add(desk, "Copy"))

    desk.apply(cards.revise(desk.view(card.id), card.id, {"title": "Text"}, desk.act)[1])
    delete(desk, card)

    assert desk.list_named("To do").card_count == 0
    assert desk.cards[card.id].title == "Text"


# Restoring a card


def test_a_deleted_card_comes_back_to_its_place_and_counts(desk: Desk) -> None:
    card = add(desk, "First")
    add(desk, "Second")
    delete(desk, card)

    desk.later(days=30)
    back = restore(desk, card)

    assert back.deleted_at is None
    assert desk.titles(card.list_id) == ["First", "Second"]
    assert desk.list_named("To do").card_count == 2
    assert desk.events[-1].type == "card.restored"
    assert desk.events[-1].card_id == card.id


def test_after_thirty_days_a_deleted_card_is_gone(desk: Desk) -> None:
    card = add(desk, "Copy")
    delete(desk, card)

    desk.later(days=30, seconds=1)

    with pytest.raises(NotFound, match="card"):
        restore(desk, card)


def test_a_card_that_ran_when_it_was_deleted_runs_again(desk: Desk) -> None:
    card = add(desk, "Copy", "Doing")
    desk.later(minutes=10)
    delete(desk, card)
    desk.later(days=2)

    back = restore(desk, card)

    assert back.tracked_seconds == 600
    assert back.running is not None
    assert back.running.started_at == desk.now


def test_a_card_that_was_archived_when_it_was_deleted_comes_back_archived(desk: Desk) -> None:
    card = archive(desk, add(desk, "Copy", "Doing"))
    delete(desk, card)
    fill_up(desk, "Doing")

    back = restore(desk, card)

    assert back.archived_at == card.archived_at
    assert back.running is None
    assert desk.list_named("Doing").card_count == 0


def test_a_deleted_card_does_not_come_back_into_a_full_an_archived_or_a_deleted_list(desk: Desk) -> None:
    card = add(desk, "Copy")
    add(desk, "Text")
    delete(desk, card)

    fill_up(desk, "To do")
    with pytest.raises(WipLimitReached):
        restore(desk, card)
    archive_list(desk, "To do")
    with pytest.raises(ListArchived):
        restore(desk, card)
    desk.apply(lists.delete(desk.view(), card.list_id, desk.act))
    with pytest.raises(ListDeleted, match="The list of card 'Copy' is deleted"):
        restore(desk, card)


def test_a_card_that_went_with_its_list_comes_back_with_it_alone(desk: Desk) -> None:
    card = add(desk, "Copy")
    desk.apply(lists.delete(desk.view(), card.list_id, desk.act))

    with pytest.raises(ListDeleted):
        restore(desk, card)


def test_restoring_what_is_there_changes_nothing(desk: Desk) -> None:
    card = add(desk, "Copy")

    assert shelves.restore_card(desk.view_deleted(cards=[card.id]), card.id, desk.act) == (card, None)
    assert shelves.restore_list(desk.view_deleted(), card.list_id, desk.act)[1] is None
    assert shelves.restore_board(desk.view_deleted(), desk.act)[1] is None


# Lists


def test_nothing_enters_an_archived_list(desk: Desk) -> None:
    card, shelved = add(desk, "Copy"), archive_list(desk, "Doing")

    with pytest.raises(ListArchived, match="'Doing' is archived"):
        add(desk, "Text", "Doing")
    with pytest.raises(ListArchived):
        cards.move(desk.view(card.id), card.id, desk.act, list_id=shelved.id)
    with pytest.raises(NoListOfStage):
        cards.start(desk.view(card.id), card.id, desk.act)


def test_cards_leave_an_archived_list_but_do_not_move_within_it(desk: Desk) -> None:
    card, other = add(desk, "Copy"), add(desk, "Text")
    archive_list(desk, "To do")

    with pytest.raises(ListArchived):
        cards.move(desk.view(card.id), card.id, desk.act, list_id=card.list_id)
    desk.apply(cards.start(desk.view(card.id), card.id, desk.act)[1])
    desk.apply(cards.move(desk.view(other.id), other.id, desk.act, list_id=desk.list_named("Done").id)[1])

    assert desk.list_named("To do").card_count == 0


def test_an_archived_card_stays_in_an_archived_list(desk: Desk) -> None:
    card = archive(desk, add(desk, "Copy"))
    archive_list(desk, "To do")

    with pytest.raises(ListArchived):
        unarchive(desk, card)


def test_the_clocks_of_a_list_stop_with_it_and_stay_stopped(desk: Desk) -> None:
    card, doing = add(desk, "Copy", "Doing"), desk.list_named("Doing")
    desk.later(minutes=5)

    shelved, change = shelves.archive_list(desk.view(), doing.id, desk.act, [card])
    desk.apply(change)
    stopped = desk.cards[card.id]
    back, change = shelves.unarchive_list(desk.view(), doing.id, desk.act)
    desk.apply(change)

    assert (shelved.archived_at, shelved.version) == (desk.now, 2)
    assert (stopped.running, stopped.tracked_seconds, stopped.version) == (None, 300, 2)
    assert (back.archived_at, back.version, back.rank) == (None, 3, doing.rank)
    assert desk.cards[card.id] == stopped
    assert [event.type for event in desk.events[-2:]] == ["list.archived", "list.unarchived"]
    assert desk.events[-1].data == {"name": "Doing", "stage": "in_progress", "card_count": 1}


def test_more_clocks_than_can_be_stopped_keep_a_list_or_a_board_in_use(desk: Desk) -> None:
    with pytest.raises(TooManyRunning, match="List 'Doing' has more than 30 cards in progress"):
        shelves.archive_list(desk.view(), desk.list_named("Doing").id, desk.act, None)
    with pytest.raises(TooManyRunning, match="Board 'Website' has more than 30 cards in progress"):
        shelves.archive_board(desk.view(), desk.act, None)


def test_archiving_or_unarchiving_a_list_twice_changes_nothing(desk: Desk) -> None:
    doing = desk.list_named("Doing")

    assert shelves.unarchive_list(desk.view(), doing.id, desk.act) == (doing, None)
    shelved = archive_list(desk, "Doing")
    assert shelves.archive_list(desk.view(), doing.id, desk.act, None) == (shelved, None)


def test_a_deleted_list_comes_back_last_with_its_cards_and_stopped_clocks(desk: Desk) -> None:
    card, doing = add(desk, "Copy", "Doing"), desk.list_named("Doing")
    desk.later(minutes=5)
    desk.apply(lists.delete(desk.view(), doing.id, desk.act, [card]))
    desk.later(days=30)

    back, change = shelves.restore_list(desk.view_deleted(lists=[doing.id]), doing.id, desk.act)

    desk.apply(change)
    assert [each.name for each in desk.view().lists] == ["To do", "Done", "Doing"]
    assert (back.deleted_at, back.card_count, back.version) == (None, 1, 3)
    assert desk.cards[card.id].tracked_seconds == 300
    assert desk.cards[card.id].running is None
    assert desk.events[-1].type == "list.restored"


def test_a_list_comes_back_only_where_there_is_room_and_in_time(desk: Desk) -> None:
    gone = desk.list_named("Done")
    desk.alter("Done", external_id="three")
    desk.apply(lists.delete(desk.view(), gone.id, desk.act))

    desk.alter("To do", external_id="three")
    with pytest.raises(ExternalIdTaken):
        shelves.restore_list(desk.view_deleted(lists=[gone.id]), gone.id, desk.act)
    full = desk.view_deleted(lists=[gone.id])
    full = replace(full, lists=(*[full.lists[0]] * MOST_LISTS, desk.lists[gone.id]))
    with pytest.raises(TooManyLists):
        shelves.restore_list(full, gone.id, desk.act)
    desk.later(days=31)
    with pytest.raises(NotFound, match="list"):
        shelves.restore_list(desk.view_deleted(lists=[gone.id]), gone.id, desk.act)


def test_the_only_list_comes_back_to_an_empty_board(desk: Desk) -> None:
    last = desk.list_named("Done").id
    for each in desk.view().lists:
        desk.apply(lists.delete(desk.view(), each.id, desk.act))

    desk.apply(shelves.restore_list(desk.view_deleted(lists=[last]), last, desk.act)[1])

    assert [each.name for each in desk.view().lists] == ["Done"]


# Boards


def test_a_board_is_put_away_with_its_clocks_stopped_and_taken_out_again(desk: Desk) -> None:
    card = add(desk, "Copy", "Doing")
    desk.later(minutes=5)

    archived, change = shelves.archive_board(desk.view(), desk.act, [card])
    desk.apply(change)
    back, change = shelves.unarchive_board(desk.view(), desk.act)
    desk.apply(change)

    assert (archived.archived_at, archived.version, archived.seq) == (desk.now, 2, 3)
    assert (back.archived_at, back.version, back.seq) == (None, 3, 4)
    assert desk.board == back
    assert desk.cards[card.id].running is None
    assert [event.type for event in desk.events[-2:]] == ["board.archived", "board.unarchived"]


def test_archiving_or_unarchiving_a_board_twice_changes_nothing(desk: Desk) -> None:
    assert shelves.unarchive_board(desk.view(), desk.act) == (desk.board, None)
    desk.apply(shelves.archive_board(desk.view(), desk.act, ())[1])
    assert shelves.archive_board(desk.view(), desk.act, None) == (desk.board, None)


def test_a_deleted_board_comes_back_for_thirty_days(desk: Desk) -> None:
    desk.apply(boards.delete(desk.view(), desk.act))

    desk.later(days=30)
    back, change = shelves.restore_board(desk.view_deleted(), desk.act)
    desk.later(seconds=1)

    assert change is not None
    assert change.revives
    assert (back.deleted_at, back.version, back.seq) == (None, 3, 3)
    with pytest.raises(NotFound, match="board"):
        shelves.restore_board(desk.view_deleted(), desk.act)
    desk.apply(change)
    assert desk.events[-1].type == "board.restored"


def test_the_clocks_of_a_deleted_board_stop(desk: Desk) -> None:
    card = add(desk, "Copy", "Doing")
    desk.later(minutes=5)

    desk.apply(boards.delete(desk.view(), desk.act, [card]))

    assert desk.cards[card.id].tracked_seconds == 300
