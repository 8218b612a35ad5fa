"""A query that lags behind the head, as one may that comes between the parts of the last write: nothing is lost."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import bulk_moves, cards, checklist_items, checklists, transfers
from kanban.changes import Change, build_change
from kanban.store import CardQuery, PartKey, StaleRead, Store
from kanban.timekeeping import time_entries
from kanban.values import Card, Checklist, Comment, TimeEntry
from kanban.views import BoardView
from stores.dynamodb.reads import TableReader
from tests.engines import dynamodb_wire as wire
from tests.engines.dynamodb_wire import Wire
from tests.stores.part_builders import make_checklist, make_comment, make_item
from tests.stores.world import World

IN_ONE, WITHOUT_ROOM, AHEAD = 5, 60, 150
"""Comments that move in one transaction; that do, but are not deleted in it; and that are sent ahead of it."""


@pytest.fixture
def store(line: Wire) -> Store:
    """The store behind the wire."""
    return line.store


class Lag:
    """Keeps what a query answers, and answers it once more when the table has gone on."""

    def __init__(self, line: Wire) -> None:
        self._line = line
        self._kept: dict[str, bytes] = {}

    def keep(self, read: Callable[[], Any]) -> None:
        """Keep the answer of the query that this sends."""

        def keeping(request: Any, send: wire.Send) -> Any:
            self._kept[self._question(request)] = content = send(request).content
            return wire.make_response(request, 200, content)

        self._line.faults["Query"] = iter([keeping])
        read()
        self._line.faults.clear()

    def keep_parts(self, card: Card) -> None:
        """Keep what a mover of the card is told of its parts."""
        read = TableReader(self._line.client, self._line.table).board_query(card.board_id)
        self.keep(lambda: [*read(f"P#{card.id}#", f"P#{card.id}$", wanted=1000)])

    def keep_cards(self, world: World, limit: int) -> None:
        """Keep what is found of the cards of the first list."""
        read = CardQuery(world.find_list("To do").id)
        self.keep(lambda: world.store.page_cards(world.board_id, world.ann.id, read, limit))

    def answer_again(self, times: int = 1) -> None:
        """Answer so many queries as then, if that one is among them."""

        def lagging(request: Any, send: wire.Send) -> Any:
            kept = self._kept.get(self._question(request))
            return wire.make_response(request, 200, kept) if kept else send(request)

        self._line.faults["Query"] = iter([lagging] * times)

    @staticmethod
    def _question(request: Any) -> str:
        values: dict[str, dict[str, str]] = json.loads(request.body)["ExpressionAttributeValues"]
        return values[":pk"]["S"] + values[":first"]["S"]


@pytest.fixture
def lag(line: Wire) -> Lag:
    return Lag(line)


def entries_of(world: World, card: Card) -> tuple[BoardView, tuple[TimeEntry, ...]]:
    found = world.store.page_time_entries(world.board_id, world.ann.id, card.id, 10)
    assert found is not None
    return found[0], found[1].items


def worked_on(world: World, card: Card) -> TimeEntry:
    """An entry of ten minutes."""
    world.advance(hours=1)
    start = world.now - timedelta(minutes=30)
    view = world.read_board(card.id)
    ended_at = start + timedelta(minutes=10)
    entry, change = time_entries.create(view, card.id, world.context(), entries=(), started_at=start, ended_at=ended_at)
    world.store.commit(change)
    return entry


def lengthened(world: World, card: Card, entry: TimeEntry, minutes: int) -> Change:
    """The entry ends so many minutes later."""
    view, entries = entries_of(world, card)
    assert entry.ended_at is not None
    patch = {"ended_at": entry.ended_at + timedelta(minutes=minutes)}
    change = time_entries.update(view, card.id, entry.id, patch, world.context(), entries=entries)[1]
    assert change is not None
    return change


def checklists_of(world: World, card: Card) -> tuple[BoardView, tuple[Checklist, ...]]:
    found = world.store.read_checklists(world.board_id, world.ann.id, card.id)
    assert found is not None
    return found


def with_checklists(world: World) -> tuple[Card, Checklist, Checklist]:
    """A card with two checklists of an item each."""
    card = world.add_card("Steps")
    one, two = (make_checklist(world, card, rank, make_item(world, f"Item {rank}")) for rank in ("a0", "a1"))
    world.write(creates=(one, two), updates=(replace(card, item_count=2),))
    return card, one, two


def reworded(world: World, card: Card, old: Checklist, text: str) -> None:
    """The first item of the checklist has another text."""
    key = PartKey(Checklist, card.id, old.id)
    view = world.store.read_board(world.board_id, world.ann.id, card_ids=[card.id], parts=[key])
    assert view is not None
    there = checklists.get_checklist(view, card.id, old.id)
    _, change = checklist_items.update(view, there, there.items[0].id, {"text": text}, world.context())
    assert change is not None
    world.store.commit(change)


def commented(world: World, count: int) -> tuple[Card, Comment]:
    """A card with so many comments, and one of them."""
    card = world.add_card("Talk")
    made = [make_comment(world, card, "As it was.") for _ in range(count)]
    for start in range(0, count, 50):
        world.write(creates=tuple(made[start : start + 50]))
    card = replace(card, comment_count=count)
    world.write(updates=(card,))
    return card, made[0]


def transferred(world: World, card: Card, target_id: str) -> Change:
    """The card goes to another board of Ann's."""
    target = world.store.read_board(target_id, world.ann.id)
    assert target is not None
    return transfers.transfer(world.read_board(card.id), target, card.id, world.context())[1]


def texts(world: World, board_id: str, card: Card) -> list[str]:
    """What the comments of a card say, the oldest first."""
    found = world.store.page_comments(board_id, world.ann.id, card.id, 200)
    assert found is not None
    return [each.text for each in reversed(found[1].items)]


def test_a_correction_of_a_time_entry_that_was_seen_as_it_was_before_is_decided_again(world: World, lag: Lag) -> None:
    card = world.add_card("Work")
    entry = worked_on(world, card)
    lag.keep(lambda: entries_of(world, card))
    world.store.commit(lengthened(world, card, entry, 5))
    lag.answer_again()
    change = lengthened(world, card, entry, 10)

    with pytest.raises(StaleRead):
        world.store.commit(change)
    world.store.commit(lengthened(world, card, entry, 10))

    (corrected,) = entries_of(world, card)[1]
    assert (corrected.version, world.read_card(card).tracked_seconds) == (3, 20 * 60)


def test_a_part_that_was_seen_as_it_was_before_is_not_deleted(world: World) -> None:
    card, said = commented(world, 1)
    world.write(updates=(replace(said, text="As it is.", version=2),))

    with pytest.raises(StaleRead):
        world.store.commit(build_change(world.read_board(), world.context(), "comment.deleted", deletes=(said,)))

    assert texts(world, world.board_id, card) == ["As it is."]


def gathered(world: World, limit: int) -> Change:
    """All cards of the first list go to the last; so many are read at once."""
    todo, view = world.find_list("To do"), world.read_board()
    there = world.list_cards(CardQuery(todo.id), limit)
    _, _, change = bulk_moves.move_cards(
        view, todo.id, there, world.context(), target_list_id=world.find_list("Done").id
    )
    assert change is not None
    return change


@pytest.mark.parametrize("limit", [1, 40])
def test_a_card_is_not_moved_with_others_as_it_was_before(world: World, lag: Lag, limit: int) -> None:
    card = world.add_card("As it was")
    world.add_card("Another")
    lag.keep_cards(world, limit)
    world.apply(cards.update, card.id, patch={"title": "As it is"})
    lag.answer_again()
    change = gathered(world, limit)

    with pytest.raises(StaleRead):
        world.store.commit(change)
    world.store.commit(gathered(world, limit))

    assert world.list_titles("Done") == ["As it is", "Another"]


def test_a_checklist_is_moved_as_it_is_however_it_was_found(world: World, lag: Lag) -> None:
    card, one, two = with_checklists(world)
    lag.keep(lambda: checklists_of(world, card))
    reworded(world, card, two, "As it is.")
    lag.answer_again()

    view, there = checklists_of(world, card)
    _, change = checklists.move(view, card.id, there, two.id, world.context(), before=one.id)
    assert change is not None
    world.store.commit(change)

    assert [each.items[0].text for each in checklists_of(world, card)[1]] == ["As it is.", "Item a0"]


@pytest.mark.parametrize("count", [IN_ONE, WITHOUT_ROOM, AHEAD])
def test_a_card_leaves_no_edited_comment_behind(world: World, lag: Lag, count: int) -> None:
    card, said = commented(world, count)
    target_id = world.add_board("Elsewhere")
    lag.keep_parts(card)
    world.write(updates=(replace(said, text="As it is.", version=2),))
    change = transferred(world, card, target_id)
    lag.answer_again()

    with pytest.raises(StaleRead):
        world.store.commit(change)
    world.store.commit(transferred(world, card, target_id))

    assert texts(world, target_id, card) == ["As it is.", *["As it was."] * (count - 1)]


def test_a_card_takes_along_an_item_that_was_reworded_just_now(world: World, lag: Lag) -> None:
    card, _, two = with_checklists(world)
    target_id = world.add_board("Elsewhere")
    lag.keep_parts(card)
    reworded(world, card, two, "As it is.")
    change = transferred(world, card, target_id)
    lag.answer_again()

    with pytest.raises(StaleRead):
        world.store.commit(change)
    world.store.commit(transferred(world, card, target_id))

    found = world.store.read_checklists(target_id, world.ann.id, card.id)
    assert found is not None
    assert [each.items[0].text for each in found[1]] == ["Item a0", "As it is."]


def test_a_card_whose_counts_have_never_been_right_can_be_moved(line: Wire, world: World) -> None:
    card, _ = commented(world, IN_ONE)
    world.write(updates=(replace(card, comment_count=IN_ONE + 1),))
    target_id = world.add_board("Elsewhere")
    change = transferred(world, card, target_id)
    line.operations.clear()

    world.store.commit(change)

    assert line.operations.count("Query") == 5
    assert len(texts(world, target_id, card)) == IN_ONE


def test_a_card_takes_along_a_comment_and_an_hour_that_came_just_now(world: World, lag: Lag) -> None:
    card, _ = commented(world, IN_ONE)
    target_id = world.add_board("Elsewhere")
    lag.keep_parts(card)
    new = make_comment(world, card, "Just now.")
    world.write(creates=(new,), updates=(replace(card, comment_count=IN_ONE + 1),))
    entry = worked_on(world, card)
    change = transferred(world, card, target_id)
    lag.answer_again(times=3)

    world.store.commit(change)

    assert texts(world, target_id, card)[-1] == "Just now."
    found = world.store.page_time_entries(target_id, world.ann.id, card.id, 10)
    assert found is not None
    assert [each.id for each in found[1].items] == [entry.id]
