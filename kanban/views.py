"""Views: what a read of the store returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from kanban.errors import Conflict, NotFound
from kanban.values import Board, Card, Label, List, Member, Part, Role, Stage


class NoListOfStage(Conflict):
    """Raised when the board has no active list of a stage."""

    code = "no_list_of_stage"

    def __init__(self, stage: str) -> None:
        """Take the stage."""
        super().__init__(f"This board has no list of the stage {stage}.")
        self.stage = stage


@dataclass(frozen=True, slots=True)
class BoardView:
    """A live board as one member sees it at one moment.

    `lists` are the live ones in their order, archived ones included; `members` and `labels` are sorted by id.
    `cards` and `parts` are the live ones that were asked for, by id. `adjacent_rank` answers a read that named a
    neighbour: the rank just beyond the neighbour (archived and deleted cards count), '' at the end of the list.
    """

    board: Board
    role: Role
    lists: tuple[List, ...] = ()
    cards: Mapping[str, Card] = field(default_factory=dict)
    adjacent_rank: str | None = None
    members: tuple[Member, ...] = ()
    labels: tuple[Label, ...] = ()
    parts: Mapping[str, Part] = field(default_factory=dict)

    def with_cards(
        self, cards: Mapping[str, Card], parts: Mapping[str, Part] | None = None, adjacent_rank: str | None = None
    ) -> "BoardView":
        """Return the view with these cards, their parts, and the rank beyond a neighbour."""
        # Every read of a board ends here: `dataclasses.replace` would take three times as long.
        return BoardView(
            self.board, self.role, self.lists, cards, adjacent_rank, self.members, self.labels, parts or {}
        )

    def get_list(self, list_id: str) -> List:
        """Return the live list of that id. Raises NotFound."""
        for list_ in self.lists:
            if list_.id == list_id:
                return list_
        raise NotFound("list")

    def get_card(self, card_id: str) -> Card:
        """Return the live card of that id, if the view was read with it. Raises NotFound."""
        try:
            return self.cards[card_id]
        except KeyError:
            raise NotFound("card") from None

    def get_label(self, label_id: str) -> Label:
        """Return the label of that id. Raises NotFound."""
        for label in self.labels:
            if label.id == label_id:
                return label
        raise NotFound("label")

    def get_member(self, user_id: str) -> Member:
        """Return the membership of that user. Raises NotFound."""
        for member in self.members:
            if member.user_id == user_id:
                return member
        raise NotFound("member")

    def has_member(self, user_id: str) -> bool:
        """Return whether that user is a member."""
        return any(member.user_id == user_id for member in self.members)

    def get_label_ids(self, card: Card) -> Sequence[str]:
        """Return the ids of the card's labels, without deleted labels."""
        if not card.label_ids:
            return []
        live_ids = {label.id for label in self.labels}
        return [label_id for label_id in card.label_ids if label_id in live_ids]

    def get_assignee_ids(self, card: Card) -> Sequence[str]:
        """Return the sorted user ids of the card's assignees, without former members."""
        if not card.assignee_ids:
            return []
        return sorted(member.user_id for member in self.members if member.id in card.assignee_ids)

    def get_list_of(self, card: Card) -> List:
        """Return the list that the card is in."""
        return self.get_list(card.list_id)

    def get_first_list(self, stage: Stage) -> List:
        """Return the first list of that stage that is not archived. Raises NoListOfStage."""
        for list_ in self.lists:
            if list_.stage == stage and list_.archived_at is None:
                return list_
        raise NoListOfStage(stage)


@dataclass(frozen=True, slots=True)
class BoardSummary:
    """What the operator of an installation sees of any board, live or deleted.

    `members` are sorted by id. `card_count` is how many cards it has, archived ones included.
    """

    board: Board
    members: tuple[Member, ...]
    card_count: int


@dataclass(frozen=True, slots=True)
class WorkedTime:
    """What a time entry says about work: who worked when, at which hourly rate, and on a card of which list and labels.

    `ended_at` is None while the entry is open. `label_ids` is sorted, and may contain ids of deleted labels.
    """

    user_id: str
    list_id: str
    label_ids: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None
    rate_minor: int


PageKey = tuple[str | int, ...]
"""The sort keys of a page's last item, from which the next page continues. Only the store that made it can read it."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items in order, and the key that the next page continues from, None on the last page."""

    items: tuple[T, ...]
    next_key: PageKey | None = None
