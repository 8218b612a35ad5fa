"""What is put away, and how it comes back."""

from dataclasses import replace

import pytest

from kanban import archive, boards, cards, lists
from kanban.archive import ListDeleted, TooManyRunningClocks
from kanban.cards import CardArchived
from kanban.errors import ExternalIdTaken, LimitReached, NotFound
from kanban.limits import MAX_CARDS_PER_LIST, MAX_LISTS_PER_BOARD
from kanban.ordering.list_capacity import ListArchived, WipLimitReached
from kanban.values import Card, Enforcement, List, Stage
from kanban.views import NoListOfStage
from tests.kanban.fake_store import FakeStore


def add_card(desk: FakeStore, title: str, list_name: str = "To do") -> Card:
    card, change = cards.create(desk.view(), desk.context, title=title, list_id=desk.get_list(list_name).id)
    desk.apply(change)
    return card


def archive_card(desk: FakeStore, card: Card) -> Card:
    card, change = archive.archive_card(desk.view(card.id), card.id, desk.context)
    desk.apply(change)
    return card


def unarchive_card(desk: FakeStore, card: Card) -> Card:
    card, change = archive.unarchive_card(desk.view(card.id), card.id, desk.context)
    desk.apply(change)
    return card


def delete_card(desk: FakeStore, card: Card) -> None:
    desk.apply(cards.delete(desk.view(card.id), card.id, desk.context))


def restore_card(desk: FakeStore, card: Card) -> Card:
    card, change = archive.restore_card(desk.view_deleted(cards=[card.id]), card.id, desk.context)
    desk.apply(change)
    return card


def archive_list(desk: FakeStore, name: str) -> List:
    shelved, change = archive.archive_list(desk.view(), desk.get_list(name).id, desk.context, ())
    desk.apply(change)
    return shelved


def fill_up(desk: FakeStore, name: str) -> None:
    desk.change_list(name, wip_limit=desk.get_list(name).card_count, wip_enforcement=Enforcement.BLOCK)


# Archiving a card


def test_an_archived_card_is_not_counted_and_keeps_its_place(desk: FakeStore) -> None:
    add_card(desk, "First")
    card = add_card(desk, "Second")
    add_card(desk, "Third")

    archived = archive_card(desk, card)
    event = desk.events[-1]
    counted = desk.get_list("To do").card_count
    back = unarchive_card(desk, card)

    assert (archived.archived_at, archived.rank, archived.version) == (desk.now, card.rank, 2)
    told = {"title": "Second", "stage": "todo", "archived_at": "2026-11-20T12:00:00Z"}
    assert (event.type, event.data) == ("card.archived", told)
    assert counted == 2
    assert (back.archived_at, back.version) == (None, 3)
    assert desk.get_list("To do").card_count == 3
    assert desk.get_titles(card.list_id) == ["First", "Second", "Third"]
    assert desk.events[-1].type == "card.unarchived"


def test_archiving_stops_the_clock_and_coming_back_starts_it_again(desk: FakeStore) -> None:
    card = add_card(desk, "Copy", "Doing")

    desk.advance_clock(hours=1)
    archived = archive_card(desk, card)
    desk.advance_clock(hours=5)
    back = unarchive_card(desk, card)

    assert (archived.running, archived.tracked_seconds) == (None, 3600)
    assert back.running is not None
    assert (back.running.started_at, back.running.rate_minor) == (desk.now, 1000)
    assert back.started_at == card.started_at
    assert len(desk.entries) == 2


def test_what_was_done_stays_done_at_its_time(desk: FakeStore) -> None:
    card = add_card(desk, "Copy", "Done")

    desk.advance_clock(days=1)
    archive_card(desk, card)

    assert unarchive_card(desk, card).resolved_at == card.resolved_at


def test_a_card_comes_back_as_its_list_is_by_then(desk: FakeStore) -> None:
    card = archive_card(desk, add_card(desk, "Copy"))
    desk.advance_clock(hours=1)

    desk.change_list("To do", stage=Stage.DONE)
    resolved = unarchive_card(desk, card)
    archive_card(desk, card)
    desk.change_list("To do", stage=Stage.TODO)

    assert resolved.resolved_at == desk.now
    assert unarchive_card(desk, card).resolved_at is None


def test_archiving_or_unarchiving_twice_changes_nothing(desk: FakeStore) -> None:
    card = add_card(desk, "Copy")

    assert archive.unarchive_card(desk.view(card.id), card.id, desk.context) == (card, None)
    archived = archive_card(desk, card)
    assert archive.archive_card(desk.view(card.id), card.id, desk.context) == (archived, None)


def test_a_card_does_not_come_back_into_a_full_list(desk: FakeStore) -> None:
    card = add_card(desk, "Copy")
    add_card(desk, "Text")
    archive_card(desk, card)
    fill_up(desk, "To do")

    with pytest.raises(WipLimitReached):
        unarchive_card(desk, card)
    desk.change_list("To do", card_count=MAX_CARDS_PER_LIST)
    with pytest.raises(LimitReached):
        unarchive_card(desk, card)


def test_an_archived_card_takes_no_part_in_the_life_of_the_board(desk: FakeStore) -> None:
    card = archive_card(desk, add_card(desk, "Copy"))

    for step in (cards.start, cards.resolve, cards.reopen):
        with pytest.raises(CardArchived, match="'Copy' is archived"):
            step(desk.view(card.id), card.id, desk.context)
    with pytest.raises(CardArchived):
        cards.move(desk.view(card.id), card.id, desk.context, list_id=desk.get_list("Done").id)


def test_an_archived_card_is_still_edited_and_deleted(desk: FakeStore) -> None:
    card = archive_card(desk, add_card(desk, "Copy"))

    desk.apply(cards.update(desk.view(card.id), card.id, {"title": "Text"}, desk.context)[1])
    delete_card(desk, card)

    assert desk.get_list("To do").card_count == 0
    assert desk.cards[card.id].title == "Text"


# Restoring a card


def test_a_deleted_card_comes_back_to_its_place_and_counts(desk: FakeStore) -> None:
    card = add_card(desk, "First")
    add_card(desk, "Second")
    delete_card(desk, card)

    desk.advance_clock(days=30)
    back = restore_card(desk, card)

    assert back.deleted_at is None
    assert desk.get_titles(card.list_id) == ["First", "Second"]
    assert desk.get_list("To do").card_count == 2
    assert desk.events[-1].type == "card.restored"
    assert desk.events[-1].card_id == card.id


def test_after_thirty_days_a_deleted_card_is_gone(desk: FakeStore) -> None:
    card = add_card(desk, "Copy")
    delete_card(desk, card)

    desk.advance_clock(days=30, seconds=1)

    with pytest.raises(NotFound, match="card"):
        restore_card(desk, card)


def test_a_card_that_ran_when_it_was_deleted_runs_again(desk: FakeStore) -> None:
    card = add_card(desk, "Copy", "Doing")
    desk.advance_clock(minutes=10)
    delete_card(desk, card)
    desk.advance_clock(days=2)

    back = restore_card(desk, card)

    assert back.tracked_seconds == 600
    assert back.running is not None
    assert back.running.started_at == desk.now


def test_a_card_that_was_archived_when_it_was_deleted_comes_back_archived(desk: FakeStore) -> None:
    card = archive_card(desk, add_card(desk, "Copy", "Doing"))
    delete_card(desk, card)
    fill_up(desk, "Doing")

    back = restore_card(desk, card)

    assert back.archived_at == card.archived_at
    assert back.running is None
    assert desk.get_list("Doing").card_count == 0


def test_a_deleted_card_does_not_come_back_into_a_full_an_archived_or_a_deleted_list(desk: FakeStore) -> None:
    card = add_card(desk, "Copy")
    add_card(desk, "Text")
    delete_card(desk, card)

    fill_up(desk, "To do")
    with pytest.raises(WipLimitReached):
        restore_card(desk, card)
    archive_list(desk, "To do")
    with pytest.raises(ListArchived):
        restore_card(desk, card)
    desk.apply(lists.delete(desk.view(), card.list_id, desk.context))
    with pytest.raises(ListDeleted, match="The list of card 'Copy' is deleted"):
        restore_card(desk, card)


def test_a_card_that_went_with_its_list_comes_back_with_it_alone(desk: FakeStore) -> None:
    card = add_card(desk, "Copy")
    desk.apply(lists.delete(desk.view(), card.list_id, desk.context))

    with pytest.raises(ListDeleted):
        restore_card(desk, card)


def test_restoring_what_is_there_changes_nothing(desk: FakeStore) -> None:
    card = add_card(desk, "Copy")

    assert archive.restore_card(desk.view_deleted(cards=[card.id]), card.id, desk.context) == (card, None)
    assert archive.restore_list(desk.view_deleted(), card.list_id, desk.context)[1] is None
    assert archive.restore_board(desk.view_deleted(), desk.context)[1] is None


# Lists


def test_nothing_enters_an_archived_list(desk: FakeStore) -> None:
    card, shelved = add_card(desk, "Copy"), archive_list(desk, "Doing")

    with pytest.raises(ListArchived, match="'Doing' is archived"):
        add_card(desk, "Text", "Doing")
    with pytest.raises(ListArchived):
        cards.move(desk.view(card.id), card.id, desk.context, list_id=shelved.id)
    with pytest.raises(NoListOfStage):
        cards.start(desk.view(card.id), card.id, desk.context)


def test_cards_leave_an_archived_list_but_do_not_move_within_it(desk: FakeStore) -> None:
    card, other = add_card(desk, "Copy"), add_card(desk, "Text")
    archive_list(desk, "To do")

    with pytest.raises(ListArchived):
        cards.move(desk.view(card.id), card.id, desk.context, list_id=card.list_id)
    desk.apply(cards.start(desk.view(card.id), card.id, desk.context)[1])
    desk.apply(cards.move(desk.view(other.id), other.id, desk.context, list_id=desk.get_list("Done").id)[1])

    assert desk.get_list("To do").card_count == 0


def test_an_archived_card_stays_in_an_archived_list(desk: FakeStore) -> None:
    card = archive_card(desk, add_card(desk, "Copy"))
    archive_list(desk, "To do")

    with pytest.raises(ListArchived):
        unarchive_card(desk, card)


def test_the_clocks_of_a_list_stop_with_it_and_stay_stopped(desk: FakeStore) -> None:
    card, doing = add_card(desk, "Copy", "Doing"), desk.get_list("Doing")
    desk.advance_clock(minutes=5)

    shelved, change = archive.archive_list(desk.view(), doing.id, desk.context, [card])
    desk.apply(change)
    stopped = desk.cards[card.id]
    back, change = archive.unarchive_list(desk.view(), doing.id, desk.context)
    desk.apply(change)

    assert (shelved.archived_at, shelved.version) == (desk.now, 2)
    assert (stopped.running, stopped.tracked_seconds, stopped.version) == (None, 300, 2)
    assert (back.archived_at, back.version, back.rank) == (None, 3, doing.rank)
    assert desk.cards[card.id] == stopped
    assert [event.type for event in desk.events[-2:]] == ["list.archived", "list.unarchived"]
    assert desk.events[-1].data == {"name": "Doing", "stage": "in_progress", "card_count": 1}


def test_more_clocks_than_can_be_stopped_keep_a_list_or_a_board_in_use(desk: FakeStore) -> None:
    with pytest.raises(TooManyRunningClocks, match="List 'Doing' has more than 30 cards in progress"):
        archive.archive_list(desk.view(), desk.get_list("Doing").id, desk.context, None)
    with pytest.raises(TooManyRunningClocks, match="Board 'Website' has more than 30 cards in progress"):
        archive.archive_board(desk.view(), desk.context, None)


def test_archiving_or_unarchiving_a_list_twice_changes_nothing(desk: FakeStore) -> None:
    doing = desk.get_list("Doing")

    assert archive.unarchive_list(desk.view(), doing.id, desk.context) == (doing, None)
    shelved = archive_list(desk, "Doing")
    assert archive.archive_list(desk.view(), doing.id, desk.context, None) == (shelved, None)


def test_a_deleted_list_comes_back_last_with_its_cards_and_stopped_clocks(desk: FakeStore) -> None:
    card, doing = add_card(desk, "Copy", "Doing"), desk.get_list("Doing")
    desk.advance_clock(minutes=5)
    desk.apply(lists.delete(desk.view(), doing.id, desk.context, [card]))
    desk.advance_clock(days=30)

    back, change = archive.restore_list(desk.view_deleted(lists=[doing.id]), doing.id, desk.context)

    desk.apply(change)
    assert [each.name for each in desk.view().lists] == ["To do", "Done", "Doing"]
    assert (back.deleted_at, back.card_count, back.version) == (None, 1, 3)
    assert desk.cards[card.id].tracked_seconds == 300
    assert desk.cards[card.id].running is None
    assert desk.events[-1].type == "list.restored"


def test_a_list_comes_back_only_where_there_is_room_and_in_time(desk: FakeStore) -> None:
    gone = desk.get_list("Done")
    desk.change_list("Done", external_id="three")
    desk.apply(lists.delete(desk.view(), gone.id, desk.context))

    desk.change_list("To do", external_id="three")
    with pytest.raises(ExternalIdTaken):
        archive.restore_list(desk.view_deleted(lists=[gone.id]), gone.id, desk.context)
    full = desk.view_deleted(lists=[gone.id])
    full = replace(full, lists=(*[full.lists[0]] * MAX_LISTS_PER_BOARD, desk.lists[gone.id]))
    with pytest.raises(LimitReached):
        archive.restore_list(full, gone.id, desk.context)
    desk.advance_clock(days=31)
    with pytest.raises(NotFound, match="list"):
        archive.restore_list(desk.view_deleted(lists=[gone.id]), gone.id, desk.context)


def test_the_only_list_comes_back_to_an_empty_board(desk: FakeStore) -> None:
    last = desk.get_list("Done").id
    for each in desk.view().lists:
        desk.apply(lists.delete(desk.view(), each.id, desk.context))

    desk.apply(archive.restore_list(desk.view_deleted(lists=[last]), last, desk.context)[1])

    assert [each.name for each in desk.view().lists] == ["Done"]


# Boards


def test_a_board_is_put_away_with_its_clocks_stopped_and_taken_out_again(desk: FakeStore) -> None:
    card = add_card(desk, "Copy", "Doing")
    desk.advance_clock(minutes=5)

    archived, change = archive.archive_board(desk.view(), desk.context, [card])
    desk.apply(change)
    back, change = archive.unarchive_board(desk.view(), desk.context)
    desk.apply(change)

    assert (archived.archived_at, archived.version, archived.seq) == (desk.now, 2, 3)
    assert (back.archived_at, back.version, back.seq) == (None, 3, 4)
    assert desk.board == back
    assert desk.cards[card.id].running is None
    assert [event.type for event in desk.events[-2:]] == ["board.archived", "board.unarchived"]


def test_archiving_or_unarchiving_a_board_twice_changes_nothing(desk: FakeStore) -> None:
    assert archive.unarchive_board(desk.view(), desk.context) == (desk.board, None)
    desk.apply(archive.archive_board(desk.view(), desk.context, ())[1])
    assert archive.archive_board(desk.view(), desk.context, None) == (desk.board, None)


def test_a_deleted_board_comes_back_for_thirty_days(desk: FakeStore) -> None:
    desk.apply(boards.delete(desk.view(), desk.context))

    desk.advance_clock(days=30)
    back, change = archive.restore_board(desk.view_deleted(), desk.context)
    desk.advance_clock(seconds=1)

    assert change is not None
    assert change.restores_board
    assert (back.deleted_at, back.version, back.seq) == (None, 3, 3)
    with pytest.raises(NotFound, match="board"):
        archive.restore_board(desk.view_deleted(), desk.context)
    desk.apply(change)
    assert desk.events[-1].type == "board.restored"


def test_the_clocks_of_a_deleted_board_stop(desk: FakeStore) -> None:
    card = add_card(desk, "Copy", "Doing")
    desk.advance_clock(minutes=5)

    desk.apply(boards.delete(desk.view(), desk.context, [card]))

    assert desk.cards[card.id].tracked_seconds == 300
