"""Queries that lag behind the head, as they may between the writes of a transaction: nothing is lost."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import bulk_moves, cards, checklist_items, checklists, transfers
from kanban.changes import Change, build_change
from kanban.store import CardQuery, PartKey, StaleRead
from kanban.timekeeping import time_entries
from kanban.values import Card, Checklist, Comment, NewTimeEntry, TimeEntry
from kanban.views import BoardView
from stores.dynamodb.reads import TableReader
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Wire
from tests.stores.part_builders import make_checklist, make_comment, make_item
from tests.stores.world import World

IN_ONE_TRANSACTION, TOO_MANY_TO_DELETE, WRITTEN_AHEAD = 5, 60, 150
"""Numbers of comments: moved in one transaction; moved but not deleted in it; written ahead of it."""


class Lag:
    """Records the responses of queries, and repeats them after the table has changed."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._responses: dict[str, bytes] = {}

    def record(self, read: Callable[[], Any]) -> None:
        """Record the response of the query that this sends."""

        def record_response(request: Any, send: faults.Send) -> Any:
            self._responses[self._query_key(request)] = content = send(request).body
            return faults.make_response(200, content)

        self._wire.faults["Query"] = iter([record_response])
        read()
        self._wire.faults.clear()

    def record_parts(self, card: Card) -> None:
        """Record the response of the query for the parts of a card that moves."""
        read = TableReader(self._wire.client, self._wire.table).board_query(card.board_id)
        self.record(lambda: [*read(f"P#{card.id}#", f"P#{card.id}$", page_size=1000)])

    def record_cards(self, world: World, limit: int) -> None:
        """Record the response of the query for the cards of the first list."""
        query = CardQuery(world.find_list("To do").id)
        self.record(lambda: world.store.page_cards(world.board_id, world.ann.id, query, limit))

    def repeat_responses(self, times: int = 1) -> None:
        """Repeat recorded responses to the next so many queries."""

        def repeat_response(request: Any, send: faults.Send) -> Any:
            content = self._responses.get(self._query_key(request))
            return faults.make_response(200, content) if content else send(request)

        self._wire.faults["Query"] = iter([repeat_response] * times)

    @staticmethod
    def _query_key(request: Any) -> str:
        values: dict[str, dict[str, str]] = json.loads(request.body)["ExpressionAttributeValues"]
        return values[":pk"]["S"] + values[":first"]["S"]


@pytest.fixture
def lag(wire: Wire) -> Lag:
    return Lag(wire)


def read_entries(world: World, card: Card) -> tuple[BoardView, tuple[TimeEntry, ...]]:
    result = world.store.page_time_entries(world.board_id, world.ann.id, card.id, 10)
    assert result is not None
    return result[0], result[1].items


def add_entry(world: World, card: Card) -> TimeEntry:
    """Add a time entry of ten minutes."""
    world.advance(hours=1)
    start = world.now - timedelta(minutes=30)
    view = world.read_board(card.id)
    ended_at = start + timedelta(minutes=10)
    entry, change = time_entries.create(view, card.id, world.context(), NewTimeEntry(start, ended_at), entries=())
    world.store.commit(change)
    return entry


def lengthen(world: World, card: Card, entry: TimeEntry, minutes: int) -> Change:
    """Return a change after which the entry ends so many minutes later."""
    view, entries = read_entries(world, card)
    assert entry.ended_at is not None
    patch = {"ended_at": entry.ended_at + timedelta(minutes=minutes)}
    change = time_entries.update(view, card.id, entry.id, patch, world.context(), entries=entries)[1]
    assert change is not None
    return change


def read_checklists_of(world: World, card: Card) -> tuple[BoardView, tuple[Checklist, ...]]:
    result = world.store.read_checklists(world.board_id, world.ann.id, card.id)
    assert result is not None
    return result


def add_card_with_checklists(world: World) -> tuple[Card, Checklist, Checklist]:
    """Add a card with two checklists of one item each."""
    card = world.add_card("Steps")
    one, two = (make_checklist(world, card, rank, make_item(world, f"Item {rank}")) for rank in ("a0", "a1"))
    world.write(creates=(one, two), updates=(replace(card, item_count=2),))
    return card, one, two


def edit_first_item(world: World, card: Card, old: Checklist, text: str) -> None:
    """Give the first item of the checklist another text."""
    key = PartKey(Checklist, card.id, old.id)
    view = world.store.read_board(world.board_id, world.ann.id, card_ids=[card.id], parts=[key])
    assert view is not None
    checklist = checklists.get_checklist(view, card.id, old.id)
    _, change = checklist_items.update(view, checklist, checklist.items[0].id, {"text": text}, world.context())
    assert change is not None
    world.store.commit(change)


def add_commented_card(world: World, count: int) -> tuple[Card, Comment]:
    """Add a card with so many comments; return it and one of them."""
    card = world.add_card("Talk")
    comments = [make_comment(world, card, "As it was.") for _ in range(count)]
    for start in range(0, count, 50):
        world.write(creates=tuple(comments[start : start + 50]))
    card = replace(card, comment_count=count)
    world.write(updates=(card,))
    return card, comments[0]


def transfer(world: World, card: Card, target_id: str) -> Change:
    """Return a change that moves the card to another board."""
    target = world.store.read_board(target_id, world.ann.id)
    assert target is not None
    return transfers.transfer(world.read_board(card.id), target, card.id, world.context())[1]


def read_comment_texts(world: World, board_id: str, card: Card) -> list[str]:
    """Return the texts of a card's comments, the oldest first."""
    result = world.store.page_comments(board_id, world.ann.id, card.id, 200)
    assert result is not None
    return [comment.text for comment in reversed(result[1].items)]


def test_a_correction_decided_from_an_outdated_time_entry_is_stale(world: World, lag: Lag) -> None:
    card = world.add_card("Work")
    entry = add_entry(world, card)
    lag.record(lambda: read_entries(world, card))
    world.store.commit(lengthen(world, card, entry, 5))
    lag.repeat_responses()
    change = lengthen(world, card, entry, 10)

    with pytest.raises(StaleRead):
        world.store.commit(change)
    world.store.commit(lengthen(world, card, entry, 10))

    (corrected,) = read_entries(world, card)[1]
    assert (corrected.version, world.read_card(card).tracked_seconds) == (3, 20 * 60)


def test_a_deletion_decided_from_an_outdated_part_is_stale(world: World) -> None:
    card, comment = add_commented_card(world, 1)
    world.write(updates=(replace(comment, text="As it is.", version=2),))

    with pytest.raises(StaleRead):
        world.store.commit(build_change(world.read_board(), world.context(), "comment.deleted", deletes=(comment,)))

    assert read_comment_texts(world, world.board_id, card) == ["As it is."]


def move_all(world: World, limit: int) -> Change:
    """Return a change that moves all cards of the first list to the last one, read so many at once."""
    todo, view = world.find_list("To do"), world.read_board()
    listed = world.list_cards(CardQuery(todo.id), limit)
    _, _, change = bulk_moves.move_cards(
        view, todo.id, listed, world.context(), target_list_id=world.find_list("Done").id
    )
    assert change is not None
    return change


@pytest.mark.parametrize("limit", [1, 40])
def test_a_bulk_move_decided_from_an_outdated_card_is_stale(world: World, lag: Lag, limit: int) -> None:
    card = world.add_card("As it was")
    world.add_card("Another")
    lag.record_cards(world, limit)
    world.apply(cards.update, card.id, patch={"title": "As it is"})
    lag.repeat_responses()
    change = move_all(world, limit)

    with pytest.raises(StaleRead):
        world.store.commit(change)
    world.store.commit(move_all(world, limit))

    assert world.list_titles("Done") == ["As it is", "Another"]


def test_a_checklist_is_moved_as_it_is_even_if_a_query_lags(world: World, lag: Lag) -> None:
    card, one, two = add_card_with_checklists(world)
    lag.record(lambda: read_checklists_of(world, card))
    edit_first_item(world, card, two, "As it is.")
    lag.repeat_responses()

    view, current = read_checklists_of(world, card)
    _, change = checklists.move(view, card.id, current, two.id, world.context(), before=one.id)
    assert change is not None
    world.store.commit(change)

    assert [checklist.items[0].text for checklist in read_checklists_of(world, card)[1]] == ["As it is.", "Item a0"]


@pytest.mark.parametrize("count", [IN_ONE_TRANSACTION, TOO_MANY_TO_DELETE, WRITTEN_AHEAD])
def test_a_card_does_not_leave_an_edited_comment_behind(world: World, lag: Lag, count: int) -> None:
    card, comment = add_commented_card(world, count)
    target_id = world.add_board("Elsewhere")
    lag.record_parts(card)
    world.write(updates=(replace(comment, text="As it is.", version=2),))
    change = transfer(world, card, target_id)
    lag.repeat_responses()

    with pytest.raises(StaleRead):
        world.store.commit(change)
    world.store.commit(transfer(world, card, target_id))

    assert read_comment_texts(world, target_id, card) == ["As it is.", *["As it was."] * (count - 1)]


def test_a_card_moves_with_an_item_that_was_just_edited(world: World, lag: Lag) -> None:
    card, _, two = add_card_with_checklists(world)
    target_id = world.add_board("Elsewhere")
    lag.record_parts(card)
    edit_first_item(world, card, two, "As it is.")
    change = transfer(world, card, target_id)
    lag.repeat_responses()

    with pytest.raises(StaleRead):
        world.store.commit(change)
    world.store.commit(transfer(world, card, target_id))

    result = world.store.read_checklists(target_id, world.ann.id, card.id)
    assert result is not None
    assert [checklist.items[0].text for checklist in result[1]] == ["Item a0", "As it is."]


def test_a_card_with_wrong_counts_can_be_moved(wire: Wire, world: World) -> None:
    card, _ = add_commented_card(world, IN_ONE_TRANSACTION)
    world.write(updates=(replace(card, comment_count=IN_ONE_TRANSACTION + 1),))
    target_id = world.add_board("Elsewhere")
    change = transfer(world, card, target_id)
    wire.operations.clear()

    world.store.commit(change)

    assert wire.operations.count("Query") == 5
    assert len(read_comment_texts(world, target_id, card)) == IN_ONE_TRANSACTION


def test_a_card_moves_with_a_comment_and_a_time_entry_that_were_just_added(world: World, lag: Lag) -> None:
    card, _ = add_commented_card(world, IN_ONE_TRANSACTION)
    target_id = world.add_board("Elsewhere")
    lag.record_parts(card)
    new = make_comment(world, card, "Just now.")
    world.write(creates=(new,), updates=(replace(card, comment_count=IN_ONE_TRANSACTION + 1),))
    new_entry = add_entry(world, card)
    change = transfer(world, card, target_id)
    lag.repeat_responses(times=3)

    world.store.commit(change)

    assert read_comment_texts(world, target_id, card)[-1] == "Just now."
    result = world.store.page_time_entries(target_id, world.ann.id, card.id, 10)
    assert result is not None
    assert [entry.id for entry in result[1].items] == [new_entry.id]
