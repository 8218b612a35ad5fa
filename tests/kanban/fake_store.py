"""A fake store with one board, kept in dictionaries: applies changes and returns views, without a store's promises."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from kanban import boards
from kanban.changes import ActionContext, Change
from kanban.store import NeighbourOf
from kanban.values import (
    Board,
    Card,
    Checklist,
    Comment,
    Entity,
    Event,
    Label,
    List,
    Member,
    NewBoard,
    Part,
    Role,
    TimeEntry,
)
from kanban.views import BoardView

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


UNVERSIONED_FIELDS = {
    Board: {"seq"},
    List: {"card_count", "first_rank", "last_rank", "rank"},
    Card: {"comment_count", "item_count", "done_count"},
    Checklist: {"items", "rank"},
}
"""Fields that can change without a new version of the value."""


def get_id(value: Entity) -> str:
    """Return the id of a value; nothing on a board is without one."""
    return getattr(value, "id", "")


def check_version(old: Any, new: Any) -> None:
    """Check that an edit raises the version by one, and that nothing else raises it: If-Match depends on both."""
    if old is None:
        assert new.version == 1
        return
    unversioned = UNVERSIONED_FIELDS.get(type(new), set()) | {"version", "updated_at"}
    names = {field.name for field in fields(new)} - unversioned
    is_edited = any(getattr(old, name) != getattr(new, name) for name in names)
    allowed = {old.version + 1} if is_edited else {old.version, old.version + 1}
    assert new.version in allowed, f"{new.id}: version {old.version} became {new.version}"
    if isinstance(new, Checklist):
        items = {item.id: item for item in old.items}
        for item in new.items:
            check_version(items.get(item.id), item)


class FakeStore:
    """A store with a new board of 'usr_ann' and a clock that starts at noon."""

    def __init__(self, **fields: object) -> None:
        self.now = NOON
        self.lists: dict[str, List] = {}
        self.cards: dict[str, Card] = {}
        self.entries: dict[str, TimeEntry] = {}
        self.members: dict[str, Member] = {}
        self.labels: dict[str, Label] = {}
        self.parts: dict[str, Part] = {}
        self.events: list[Event] = []
        self._numbers: Iterator[int] = count(1)
        fields = {"name": "Website", "hourly_rate_minor": 1000, **fields}
        view, change = boards.create(self.context, NewBoard(**fields))  # type: ignore[arg-type]  # the test gives what the rule takes
        self.board = view.board
        self.apply(change)

    @property
    def context(self) -> ActionContext:
        """The context of an action of Ann's at the present time."""
        return ActionContext("usr_ann", self.now, lambda kind: f"{kind}_{next(self._numbers):04d}")

    def advance_clock(self, **duration: float) -> None:
        """Advance the clock by a duration, given as `timedelta` takes it."""
        self.now += timedelta(**duration)

    def apply(self, change: Change | None) -> None:
        """Apply the change, and check that it carries one event and the board with the event's seq."""
        if change is None:
            return
        assert change.event is not None
        assert change.event.seq == len(self.events) + 1
        boards_written = [value for value in (*change.creates, *change.updates) if isinstance(value, Board)]
        assert [board.seq for board in boards_written] == [change.event.seq]
        self.events.append(change.event)
        for value in (*change.creates, *change.updates):
            self._save(value)
        for deleted in change.deletes:
            for values in (self.members, self.labels, self.entries, self.parts):
                values.pop(get_id(deleted), None)
        for card_rank in change.card_ranks:
            card = self.cards[card_rank.card_id]
            assert card.list_id == card_rank.list_id
            self.cards[card.id] = replace(card, rank=card_rank.rank)

    def view(self, *card_ids: str, neighbour_of: NeighbourOf | None = None, role: Role = Role.OWNER) -> BoardView:
        """Return the view of the board with these cards and their parts, and the rank beside `neighbour_of`."""
        live_lists = sorted(
            (list_ for list_ in self.lists.values() if not list_.deleted_at), key=lambda list_: list_.rank
        )
        wanted_ids = {*card_ids, neighbour_of.card_id} if neighbour_of else set(card_ids)
        cards = {
            card.id: card
            for card in self.cards.values()
            if card.id in wanted_ids and not card.deleted_at and card.list_id in {list_.id for list_ in live_lists}
        }
        adjacent_rank = (
            self._get_adjacent_rank(cards[neighbour_of.card_id], neighbour_of.side)
            if neighbour_of and neighbour_of.card_id in cards
            else None
        )
        members = tuple(sorted(self.members.values(), key=lambda member: member.id))
        labels = tuple(sorted(self.labels.values(), key=lambda label: label.id))
        parts = {part.id: part for part in self.parts.values() if part.card_id in cards}
        return BoardView(self.board, role, tuple(live_lists), cards, adjacent_rank, members, labels, parts)

    def view_deleted(self, *, lists: Sequence[str] = (), cards: Sequence[str] = ()) -> BoardView:
        """Return the view of the board, even if it is deleted, with these lists and cards, even if they are deleted."""
        view = self.view()
        deleted_lists = tuple(list_ for list_ in self.lists.values() if list_.id in lists and list_.deleted_at)
        named_cards = {card_id: self.cards[card_id] for card_id in cards}
        return replace(view, lists=(*view.lists, *deleted_lists), cards=named_cards)

    def get_list(self, name: str) -> List:
        """Return the live list of that name."""
        return next(list_ for list_ in self.view().lists if list_.name == name)

    def get_titles(self, list_id: str) -> list[str]:
        """Return the titles of a list's live cards, in their order."""
        return [card.title for card in self._get_cards_in_order(list_id) if not card.deleted_at]

    def change_list(self, list_name: str, **changes: object) -> None:
        """Put a list into a state that takes many rules to reach."""
        old = self.get_list(list_name)
        self.lists[old.id] = replace(old, **changes)  # type: ignore[arg-type]  # a test names the fields of a list

    def _save(self, value: Entity) -> None:
        check_version(self._find(value), value)
        match value:
            case Board():
                self.board = value
            case List():
                self.lists[value.id] = value
            case Card():
                self.cards[value.id] = value
            case Member():
                self.members[value.id] = value
            case Label():
                self.labels[value.id] = value
            case TimeEntry():
                self.entries[value.id] = self.parts[value.id] = value
            case Checklist() | Comment():
                self.parts[value.id] = value
            case _:
                pass

    def _find(self, value: Entity) -> Any:
        """Return the stored value with the same id; None for a new one."""
        if isinstance(value, Board):
            return getattr(self, "board", None)
        for values in (self.lists, self.cards, self.members, self.labels, self.parts):
            other = values.get(get_id(value))
            if type(other) is type(value):
                return other
        return None

    def _get_adjacent_rank(self, neighbour: Card, side: str) -> str:
        ranks = [card.rank for card in self._get_cards_in_order(neighbour.list_id)]
        index = ranks.index(neighbour.rank) + (-1 if side == "before" else 1)
        return ranks[index] if 0 <= index < len(ranks) else ""

    def _get_cards_in_order(self, list_id: str) -> Sequence[Card]:
        return sorted((card for card in self.cards.values() if card.list_id == list_id), key=lambda card: card.rank)
