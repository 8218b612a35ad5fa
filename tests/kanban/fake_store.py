"""A board on the desk: takes changes and gives views as a store does, in a dictionary and without its promises."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from kanban import boards
from kanban.changes import ActionContext, Change
from kanban.store import NeighbourOf
from kanban.values import Board, Card, Checklist, Comment, Entity, Event, Label, List, Member, Part, Role, TimeEntry
from kanban.views import BoardView

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


UNVERSIONED_FIELDS = {
    Board: {"seq"},
    List: {"card_count", "first_rank", "last_rank", "rank"},
    Card: {"comment_count", "item_count", "done_count"},
    Checklist: {"items", "rank"},
}
"""Fields that change without an edit of the value itself, so without a new version."""


def check_version(old: Any, new: Any) -> None:
    """Check that an edit raises the version by one, and nothing else raises it: If-Match depends on both."""
    if old is None:
        assert new.version == 1
        return
    uncounted = UNVERSIONED_FIELDS.get(type(new), set()) | {"version", "updated_at"}
    names = {field.name for field in fields(new)} - uncounted
    is_edited = any(getattr(old, name) != getattr(new, name) for name in names)
    allowed = {old.version + 1} if is_edited else {old.version, old.version + 1}
    assert new.version in allowed, f"{new.id}: version {old.version} became {new.version}"
    if isinstance(new, Checklist):
        items = {item.id: item for item in old.items}
        for item in new.items:
            check_version(items.get(item.id), item)


class FakeStore:
    """A new board of 'usr_ann', its clock at noon."""

    def __init__(self, **wishes: object) -> None:
        self.now = NOON
        self.lists: dict[str, List] = {}
        self.cards: dict[str, Card] = {}
        self.entries: dict[str, TimeEntry] = {}
        self.members: dict[str, Member] = {}
        self.labels: dict[str, Label] = {}
        self.parts: dict[str, Part] = {}
        self.events: list[Event] = []
        self._numbers: Iterator[int] = count(1)
        wishes = {"name": "Website", "hourly_rate_minor": 1000, **wishes}
        view, change = boards.create(self.context, **wishes)  # type: ignore[arg-type]  # a test gives what the rule takes
        self.board = view.board
        self.apply(change)

    @property
    def context(self) -> ActionContext:
        """Ann does something now."""
        return ActionContext("usr_ann", self.now, lambda kind: f"{kind}_{next(self._numbers):04d}")

    def advance_clock(self, **duration: float) -> None:
        """Let time pass, as `timedelta` takes it."""
        self.now += timedelta(**duration)

    def apply(self, change: Change | None) -> None:
        """Write the change down, and check that it tells of itself as every write to a board must."""
        if change is None:
            return
        assert change.event is not None
        assert change.event.seq == len(self.events) + 1
        boards_written = [value for value in (*change.creates, *change.updates) if isinstance(value, Board)]
        assert [board.seq for board in boards_written] == [change.event.seq]
        self.events.append(change.event)
        for value in (*change.creates, *change.updates):
            self._store(value)
        for gone in change.deletes:
            for kept in (self.members, self.labels, self.entries, self.parts):
                kept.pop(gone.id, None)
        for placed in change.card_ranks:
            card = self.cards[placed.card_id]
            assert card.list_id == placed.list_id
            self.cards[card.id] = replace(card, rank=placed.rank)

    def view(self, *card_ids: str, neighbour_of: NeighbourOf | None = None, role: Role = Role.OWNER) -> BoardView:
        """The board with these cards and their parts, and the neighbour's when there is one."""
        live = sorted((each for each in self.lists.values() if not each.deleted_at), key=lambda each: each.rank)
        wanted = {*card_ids, neighbour_of.card_id} if neighbour_of else set(card_ids)
        cards = {
            card.id: card
            for card in self.cards.values()
            if card.id in wanted and not card.deleted_at and card.list_id in {each.id for each in live}
        }
        beyond = (
            self._get_adjacent_rank(cards[neighbour_of.card_id], neighbour_of.side)
            if neighbour_of and neighbour_of.card_id in cards
            else None
        )
        members = tuple(sorted(self.members.values(), key=lambda each: each.id))
        labels = tuple(sorted(self.labels.values(), key=lambda each: each.id))
        parts = {each.id: each for each in self.parts.values() if each.card_id in cards}
        return BoardView(self.board, role, tuple(live), cards, beyond, members, labels, parts)

    def view_deleted(self, *, lists: Sequence[str] = (), cards: Sequence[str] = ()) -> BoardView:
        """The board, also if it is deleted, with these lists and cards, also if they are."""
        view = self.view()
        gone = tuple(each for each in self.lists.values() if each.id in lists and each.deleted_at)
        named = {each: self.cards[each] for each in cards}
        return replace(view, lists=(*view.lists, *gone), cards=named)

    def get_list(self, name: str) -> List:
        """The live list of that name."""
        return next(each for each in self.view().lists if each.name == name)

    def get_titles(self, list_id: str) -> list[str]:
        """The titles of a list's live cards, in their order."""
        return [card.title for card in self._get_cards_in_order(list_id) if not card.deleted_at]

    def change_list(self, list_name: str, **changes: object) -> None:
        """Put a list into a state that would be long to reach by rules."""
        old = self.get_list(list_name)
        self.lists[old.id] = replace(old, **changes)  # type: ignore[arg-type]  # a test names the fields of a list

    def _store(self, value: Entity) -> None:
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
        """The value of that id as it was before; None for a new one."""
        if isinstance(value, Board):
            return getattr(self, "board", None)
        for kept in (self.lists, self.cards, self.members, self.labels, self.parts):
            if value.id in kept and type(kept[value.id]) is type(value):
                return kept[value.id]
        return None

    def _get_adjacent_rank(self, neighbour: Card, side: str) -> str:
        ranks = [card.rank for card in self._get_cards_in_order(neighbour.list_id)]
        place = ranks.index(neighbour.rank) + (-1 if side == "before" else 1)
        return ranks[place] if 0 <= place < len(ranks) else ""

    def _get_cards_in_order(self, list_id: str) -> Sequence[Card]:
        return sorted((card for card in self.cards.values() if card.list_id == list_id), key=lambda card: card.rank)
