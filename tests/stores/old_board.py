"""A board with years of events behind it: cards are created, edited, worked on, finished, archived and deleted."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kanban import boards
from kanban.timekeeping.timestamps import format_utc
from kanban.values import Entity, Event, EventData, List, NewBoard
from tests.stores.world import World

EVENTS_PER_DAY = 183
"""So that three years have 200,000 events."""


@dataclass
class _PastCard:
    """A card as its past events left it."""

    id: str
    list_number: int
    created_at: datetime
    started_at: datetime | None = None


def create_old_board(world: World, days: int) -> None:
    """Make the world's board one that has so many days of events behind it, up to now."""
    view, change = boards.create(world.context(), NewBoard(name="Old"))
    assert change.event is not None
    past = _Past(world, view.board.id, view.lists)
    count = days * EVENTS_PER_DAY
    start = world.now - timedelta(days=days)
    first = replace(change.event, at=start)
    events = [first, *past.make_events(start, timedelta(days=1) / EVENTS_PER_DAY, count - 1)]
    counted_lists = (
        replace(list_, card_count=sum(card.list_number == number for card in past.cards))
        for number, list_ in enumerate(view.lists)
    )
    board = replace(view.board, seq=count, created_at=start)
    creates: tuple[Entity, ...] = (board, *view.members, *counted_lists)
    world.store.commit(replace(change, creates=creates, history=tuple(events[:-1]), event=events[-1]))
    world.board_id = view.board.id


class _Past:
    """Makes events, and keeps the cards that they leave."""

    def __init__(self, world: World, board_id: str, lists: tuple[List, ...]) -> None:
        self.cards: list[_PastCard] = []
        self._user_id = world.ann.id
        self._new_id = world.context().new_id
        self._board_id = board_id
        self._lists = lists
        self._chance = random.Random(11)  # noqa: S311  (a test wants the same chances again)

    def make_events(self, at: datetime, interval: timedelta, count: int) -> Iterator[Event]:
        """Yield so many events in order, the first of them with the seq 2."""
        for seq in range(2, count + 2):
            at += interval
            event_type, card, list_number, data = self._act(at)
            fields = {"title": f"Write the copy of page {seq}", **data}
            list_id, card_id = self._lists[list_number].id, card.id
            yield Event(
                self._board_id, seq, event_type, at.replace(microsecond=0), self._user_id, list_id, card_id, fields
            )

    def _act(self, at: datetime) -> tuple[str, _PastCard, int, EventData]:
        """Return what happens next: its type, the card, the number of the list and the data."""
        chance = self._chance.random()
        if len(self.cards) < 5 or (chance < 0.2 and len(self.cards) < 200):
            card = _PastCard(self._new_id("card"), 0, at)
            self.cards.append(card)
            return "card.created", card, 0, {"stage": "todo"}
        index = self._chance.randrange(len(self.cards))
        card = self.cards[index]
        if chance < 0.6 and card.list_number < 2:
            return self._move(card, at)
        if chance < 0.8 and card.list_number == 2:
            del self.cards[index]
            return "card.archived", card, 2, {"stage": "done", "archived_at": format_utc(at)}
        return "card.updated", card, card.list_number, {"changed": ["description"]}

    def _move(self, card: _PastCard, at: datetime) -> tuple[str, _PastCard, int, EventData]:
        source = self._lists[card.list_number]
        card.list_number += 1
        target = self._lists[card.list_number]
        data: EventData = {"from_list_id": source.id, "from_stage": str(source.stage), "to_stage": str(target.stage)}
        if card.list_number == 1:
            card.started_at = at
        else:
            assert card.started_at is not None
            data = {**data, "created_at": format_utc(card.created_at), "started_at": format_utc(card.started_at)}
        return "card.moved", card, card.list_number, data
