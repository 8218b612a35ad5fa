"""Archive, unarchive, delete and restore cards, lists and boards."""

from dataclasses import replace

import pytest

from kanban import archive, boards, cards, lists
from kanban.archive import ListDeleted, TooManyRunningClocks
from kanban.cards import CardArchived
from kanban.errors import ExternalIdTaken, LimitReached, NotFound
from kanban.limits import MAX_CARDS_PER_LIST, MAX_LISTS_PER_BOARD
from kanban.ordering.list_capacity import ListArchived, WipLimitReached
from kanban.values import Card, Enforcement, List, NewCard, Stage
from kanban.views import NoListOfStage
from tests.kanban.fake_store import FakeStore


def add_card(store: FakeStore, title: str, list_name: str = "To do") -> Card:
    card, change = cards.create(store.view(), store.context, NewCard(title=title, list_id=store.get_list(list_name).id))
    store.apply(change)
    return card


def archive_card(store: FakeStore, card: Card) -> Card:
    card, change = archive.archive_card(store.view(card.id), card.id, store.context)
    store.apply(change)
    return card


def unarchive_card(store: FakeStore, card: Card) -> Card:
    card, change = archive.unarchive_card(store.view(card.id), card.id, store.context)
    store.apply(change)
    return card


def delete_card(store: FakeStore, card: Card) -> None:
    store.apply(cards.delete(store.view(card.id), card.id, store.context))


def restore_card(store: FakeStore, card: Card) -> Card:
    card, change = archive.restore_card(store.view_deleted(cards=[card.id]), card.id, store.context)
    store.apply(change)
    return card


def archive_list(store: FakeStore, name: str) -> List:
    archived_list, change = archive.archive_list(store.view(), store.get_list(name).id, store.context, ())
    store.apply(change)
    return archived_list


def fill_up(store: FakeStore, name: str) -> None:
    """Set the WIP limit of a list to the number of its cards."""
    store.change_list(name, wip_limit=store.get_list(name).card_count, wip_enforcement=Enforcement.BLOCK)


# Archiving a card


def test_an_archived_card_is_not_counted_and_keeps_its_rank(store: FakeStore) -> None:
    add_card(store, "First")
    card = add_card(store, "Second")
    add_card(store, "Third")

    archived = archive_card(store, card)
    event = store.events[-1]
    count_while_archived = store.get_list("To do").card_count
    unarchived = unarchive_card(store, card)

    assert (archived.archived_at, archived.rank, archived.version) == (store.now, card.rank, 2)
    data = {"title": "Second", "stage": "todo", "archived_at": "2026-11-20T12:00:00Z"}
    assert (event.type, event.data) == ("card.archived", data)
    assert count_while_archived == 2
    assert (unarchived.archived_at, unarchived.version) == (None, 3)
    assert store.get_list("To do").card_count == 3
    assert store.get_titles(card.list_id) == ["First", "Second", "Third"]
    assert store.events[-1].type == "card.unarchived"


def test_archiving_stops_the_clock_and_unarchiving_restarts_it(store: FakeStore) -> None:
    card = add_card(store, "Copy", "Doing")

    store.advance_clock(hours=1)
    archived = archive_card(store, card)
    store.advance_clock(hours=5)
    unarchived = unarchive_card(store, card)

    assert (archived.running, archived.tracked_seconds) == (None, 3600)
    assert unarchived.running is not None
    assert (unarchived.running.started_at, unarchived.running.rate_minor) == (store.now, 1000)
    assert unarchived.started_at == card.started_at
    assert len(store.entries) == 2


def test_a_completed_card_keeps_resolved_at_in_the_archive(store: FakeStore) -> None:
    card = add_card(store, "Copy", "Done")

    store.advance_clock(days=1)
    archive_card(store, card)

    assert unarchive_card(store, card).resolved_at == card.resolved_at


def test_an_unarchived_card_follows_the_present_stage_of_its_list(store: FakeStore) -> None:
    card = archive_card(store, add_card(store, "Copy"))
    store.advance_clock(hours=1)

    store.change_list("To do", stage=Stage.DONE)
    resolved = unarchive_card(store, card)
    archive_card(store, card)
    store.change_list("To do", stage=Stage.TODO)

    assert resolved.resolved_at == store.now
    assert unarchive_card(store, card).resolved_at is None


def test_archiving_or_unarchiving_twice_changes_nothing(store: FakeStore) -> None:
    card = add_card(store, "Copy")

    assert archive.unarchive_card(store.view(card.id), card.id, store.context) == (card, None)
    archived = archive_card(store, card)
    assert archive.archive_card(store.view(card.id), card.id, store.context) == (archived, None)


def test_a_card_cannot_be_unarchived_into_a_full_list(store: FakeStore) -> None:
    card = add_card(store, "Copy")
    add_card(store, "Text")
    archive_card(store, card)
    fill_up(store, "To do")

    with pytest.raises(WipLimitReached):
        unarchive_card(store, card)
    store.change_list("To do", card_count=MAX_CARDS_PER_LIST)
    with pytest.raises(LimitReached):
        unarchive_card(store, card)


def test_an_archived_card_cannot_be_moved(store: FakeStore) -> None:
    card = archive_card(store, add_card(store, "Copy"))

    for step in (cards.start, cards.resolve, cards.reopen):
        with pytest.raises(CardArchived, match="'Copy' is archived"):
            step(store.view(card.id), card.id, store.context)
    with pytest.raises(CardArchived):
        cards.move(store.view(card.id), card.id, store.context, list_id=store.get_list("Done").id)


def test_an_archived_card_can_be_edited_and_deleted(store: FakeStore) -> None:
    card = archive_card(store, add_card(store, "Copy"))

    store.apply(cards.update(store.view(card.id), card.id, {"title": "Text"}, store.context)[1])
    delete_card(store, card)

    assert store.get_list("To do").card_count == 0
    assert store.cards[card.id].title == "Text"


# Restoring a card


def test_a_restored_card_returns_to_its_position_and_is_counted(store: FakeStore) -> None:
    card = add_card(store, "First")
    add_card(store, "Second")
    delete_card(store, card)

    store.advance_clock(days=30)
    restored = restore_card(store, card)

    assert restored.deleted_at is None
    assert store.get_titles(card.list_id) == ["First", "Second"]
    assert store.get_list("To do").card_count == 2
    assert store.events[-1].type == "card.restored"
    assert store.events[-1].card_id == card.id


def test_a_deleted_card_cannot_be_restored_after_thirty_days(store: FakeStore) -> None:
    card = add_card(store, "Copy")
    delete_card(store, card)

    store.advance_clock(days=30, seconds=1)

    with pytest.raises(NotFound, match="card"):
        restore_card(store, card)


def test_a_restored_card_in_progress_restarts_its_clock(store: FakeStore) -> None:
    card = add_card(store, "Copy", "Doing")
    store.advance_clock(minutes=10)
    delete_card(store, card)
    store.advance_clock(days=2)

    restored = restore_card(store, card)

    assert restored.tracked_seconds == 600
    assert restored.running is not None
    assert restored.running.started_at == store.now


def test_a_card_that_was_archived_is_restored_as_archived(store: FakeStore) -> None:
    card = archive_card(store, add_card(store, "Copy", "Doing"))
    delete_card(store, card)
    fill_up(store, "Doing")

    restored = restore_card(store, card)

    assert restored.archived_at == card.archived_at
    assert restored.running is None
    assert store.get_list("Doing").card_count == 0


def test_a_card_cannot_be_restored_into_a_full_an_archived_or_a_deleted_list(store: FakeStore) -> None:
    card = add_card(store, "Copy")
    add_card(store, "Text")
    delete_card(store, card)

    fill_up(store, "To do")
    with pytest.raises(WipLimitReached):
        restore_card(store, card)
    archive_list(store, "To do")
    with pytest.raises(ListArchived):
        restore_card(store, card)
    store.apply(lists.delete(store.view(), card.list_id, store.context))
    with pytest.raises(ListDeleted, match="The list of card 'Copy' is deleted"):
        restore_card(store, card)


def test_a_card_of_a_deleted_list_is_restored_with_the_list_only(store: FakeStore) -> None:
    card = add_card(store, "Copy")
    store.apply(lists.delete(store.view(), card.list_id, store.context))

    with pytest.raises(ListDeleted):
        restore_card(store, card)


def test_restoring_what_is_not_deleted_changes_nothing(store: FakeStore) -> None:
    card = add_card(store, "Copy")

    assert archive.restore_card(store.view_deleted(cards=[card.id]), card.id, store.context) == (card, None)
    assert archive.restore_list(store.view_deleted(), card.list_id, store.context)[1] is None
    assert archive.restore_board(store.view_deleted(), store.context)[1] is None


# Lists


def test_nothing_enters_an_archived_list(store: FakeStore) -> None:
    card, archived_list = add_card(store, "Copy"), archive_list(store, "Doing")

    with pytest.raises(ListArchived, match="'Doing' is archived"):
        add_card(store, "Text", "Doing")
    with pytest.raises(ListArchived):
        cards.move(store.view(card.id), card.id, store.context, list_id=archived_list.id)
    with pytest.raises(NoListOfStage):
        cards.start(store.view(card.id), card.id, store.context)


def test_cards_leave_an_archived_list_but_do_not_move_within_it(store: FakeStore) -> None:
    card, other = add_card(store, "Copy"), add_card(store, "Text")
    archive_list(store, "To do")

    with pytest.raises(ListArchived):
        cards.move(store.view(card.id), card.id, store.context, list_id=card.list_id)
    store.apply(cards.start(store.view(card.id), card.id, store.context)[1])
    store.apply(cards.move(store.view(other.id), other.id, store.context, list_id=store.get_list("Done").id)[1])

    assert store.get_list("To do").card_count == 0


def test_an_archived_card_stays_in_an_archived_list(store: FakeStore) -> None:
    card = archive_card(store, add_card(store, "Copy"))
    archive_list(store, "To do")

    with pytest.raises(ListArchived):
        unarchive_card(store, card)


def test_archiving_a_list_stops_its_clocks_and_unarchiving_does_not_restart_them(store: FakeStore) -> None:
    card, doing = add_card(store, "Copy", "Doing"), store.get_list("Doing")
    store.advance_clock(minutes=5)

    archived_list, change = archive.archive_list(store.view(), doing.id, store.context, [card])
    store.apply(change)
    stopped = store.cards[card.id]
    unarchived, change = archive.unarchive_list(store.view(), doing.id, store.context)
    store.apply(change)

    assert (archived_list.archived_at, archived_list.version) == (store.now, 2)
    assert (stopped.running, stopped.tracked_seconds, stopped.version) == (None, 300, 2)
    assert (unarchived.archived_at, unarchived.version, unarchived.rank) == (None, 3, doing.rank)
    assert store.cards[card.id] == stopped
    assert [event.type for event in store.events[-2:]] == ["list.archived", "list.unarchived"]
    assert store.events[-1].data == {"name": "Doing", "stage": "in_progress", "card_count": 1}


def test_a_list_or_board_with_too_many_running_clocks_cannot_be_archived(store: FakeStore) -> None:
    with pytest.raises(TooManyRunningClocks, match="List 'Doing' has more than 30 cards in progress"):
        archive.archive_list(store.view(), store.get_list("Doing").id, store.context, None)
    with pytest.raises(TooManyRunningClocks, match="Board 'Website' has more than 30 cards in progress"):
        archive.archive_board(store.view(), store.context, None)


def test_archiving_or_unarchiving_a_list_twice_changes_nothing(store: FakeStore) -> None:
    doing = store.get_list("Doing")

    assert archive.unarchive_list(store.view(), doing.id, store.context) == (doing, None)
    archived_list = archive_list(store, "Doing")
    assert archive.archive_list(store.view(), doing.id, store.context, None) == (archived_list, None)


def test_a_restored_list_is_the_last_and_its_clocks_are_stopped(store: FakeStore) -> None:
    card, doing = add_card(store, "Copy", "Doing"), store.get_list("Doing")
    store.advance_clock(minutes=5)
    store.apply(lists.delete(store.view(), doing.id, store.context, [card]))
    store.advance_clock(days=30)

    restored, change = archive.restore_list(store.view_deleted(lists=[doing.id]), doing.id, store.context)

    store.apply(change)
    assert [list_.name for list_ in store.view().lists] == ["To do", "Done", "Doing"]
    assert (restored.deleted_at, restored.card_count, restored.version) == (None, 1, 3)
    assert store.cards[card.id].tracked_seconds == 300
    assert store.cards[card.id].running is None
    assert store.events[-1].type == "list.restored"


def test_a_list_can_be_restored_only_if_there_is_room_and_in_time(store: FakeStore) -> None:
    deleted = store.get_list("Done")
    store.change_list("Done", external_id="three")
    store.apply(lists.delete(store.view(), deleted.id, store.context))

    store.change_list("To do", external_id="three")
    with pytest.raises(ExternalIdTaken):
        archive.restore_list(store.view_deleted(lists=[deleted.id]), deleted.id, store.context)
    full = store.view_deleted(lists=[deleted.id])
    full = replace(full, lists=(*[full.lists[0]] * MAX_LISTS_PER_BOARD, store.lists[deleted.id]))
    with pytest.raises(LimitReached):
        archive.restore_list(full, deleted.id, store.context)
    store.advance_clock(days=31)
    with pytest.raises(NotFound, match="list"):
        archive.restore_list(store.view_deleted(lists=[deleted.id]), deleted.id, store.context)


def test_the_only_list_of_a_board_can_be_restored(store: FakeStore) -> None:
    last = store.get_list("Done").id
    for list_ in store.view().lists:
        store.apply(lists.delete(store.view(), list_.id, store.context))

    store.apply(archive.restore_list(store.view_deleted(lists=[last]), last, store.context)[1])

    assert [list_.name for list_ in store.view().lists] == ["Done"]


# Boards


def test_archiving_a_board_stops_its_clocks_and_unarchiving_does_not_restart_them(store: FakeStore) -> None:
    card = add_card(store, "Copy", "Doing")
    store.advance_clock(minutes=5)

    archived, change = archive.archive_board(store.view(), store.context, [card])
    store.apply(change)
    unarchived, change = archive.unarchive_board(store.view(), store.context)
    store.apply(change)

    assert (archived.archived_at, archived.version, archived.seq) == (store.now, 2, 3)
    assert (unarchived.archived_at, unarchived.version, unarchived.seq) == (None, 3, 4)
    assert store.board == unarchived
    assert store.cards[card.id].running is None
    assert [event.type for event in store.events[-2:]] == ["board.archived", "board.unarchived"]


def test_archiving_or_unarchiving_a_board_twice_changes_nothing(store: FakeStore) -> None:
    assert archive.unarchive_board(store.view(), store.context) == (store.board, None)
    store.apply(archive.archive_board(store.view(), store.context, ())[1])
    assert archive.archive_board(store.view(), store.context, None) == (store.board, None)


def test_a_deleted_board_can_be_restored_for_thirty_days(store: FakeStore) -> None:
    store.apply(boards.delete(store.view(), store.context))

    store.advance_clock(days=30)
    restored, change = archive.restore_board(store.view_deleted(), store.context)
    store.advance_clock(seconds=1)

    assert change is not None
    assert change.restores_board
    assert (restored.deleted_at, restored.version, restored.seq) == (None, 3, 3)
    with pytest.raises(NotFound, match="board"):
        archive.restore_board(store.view_deleted(), store.context)
    store.apply(change)
    assert store.events[-1].type == "board.restored"


def test_deleting_a_board_stops_its_clocks(store: FakeStore) -> None:
    card = add_card(store, "Copy", "Doing")
    store.advance_clock(minutes=5)

    store.apply(boards.delete(store.view(), store.context, [card]))

    assert store.cards[card.id].tracked_seconds == 300


def test_a_deleted_archived_card_cannot_be_restored_into_an_archived_list(store: FakeStore) -> None:
    card = archive_card(store, add_card(store, "Copy"))
    delete_card(store, card)
    archive_list(store, "To do")

    with pytest.raises(ListArchived):
        archive.restore_card(store.view_deleted(cards=[card.id]), card.id, store.context)


def test_a_list_is_restored_if_its_external_id_is_still_free(store: FakeStore) -> None:
    def delete_list(name: str) -> str:
        list_ = store.get_list(name)
        store.apply(lists.delete(store.view(), list_.id, store.context))
        return list_.id

    store.change_list("To do", external_id="x-1")
    store.change_list("Doing", external_id="x-2")
    first, second = delete_list("To do"), delete_list("Doing")

    restored, change = archive.restore_list(store.view_deleted(lists=[first]), first, store.context)
    store.apply(change)
    store.change_list("Done", external_id="x-2")

    assert (restored.external_id, restored.version) == ("x-1", 3)
    with pytest.raises(ExternalIdTaken):
        archive.restore_list(store.view_deleted(lists=[second]), second, store.context)


def test_only_restoring_a_board_says_that_a_deleted_board_comes_back(store: FakeStore) -> None:
    _, archived = archive.archive_board(store.view(), store.context, ())
    store.apply(archived)
    _, unarchived = archive.unarchive_board(store.view(), store.context)
    store.apply(unarchived)
    store.apply(boards.delete(store.view(), store.context))
    _, restored = archive.restore_board(store.view_deleted(), store.context)

    assert [change and change.restores_board for change in (archived, unarchived, restored)] == [False, False, True]
