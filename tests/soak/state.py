"""What the model remembers: a board is a Python list of columns, a column a Python list of cards.

Order is their order, and time a list of stretches that are added up each time.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(eq=False)
class TimeEntry:
    """A user's work from one moment to another, or until now, at an hourly rate."""

    user: str
    started_at: datetime
    ended_at: datetime | None
    rate: int
    note: str = ""
    id: str = ""
    version: int = 1


@dataclass(eq=False)
class Membership:
    """A user's place on a board. Its id shows in its ETag alone."""

    id: str
    user: str
    role: str
    created_at: datetime
    updated_at: datetime
    version: int = 1


@dataclass(eq=False)
class Comment:
    """What somebody said about a card."""

    id: str
    author: str
    text: str
    created_at: datetime
    updated_at: datetime
    version: int = 1


@dataclass(eq=False)
class Item:
    """A step of a checklist. What is due is written as on the wire."""

    id: str
    text: str
    created_at: datetime
    updated_at: datetime
    done: bool = False
    assignee: Membership | None = None
    due_at: str | None = None
    version: int = 1


@dataclass(eq=False)
class Checklist:
    """Steps, from top to bottom."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    version: int = 1
    items: list[Item] = field(default_factory=list)


@dataclass(eq=False)
class Label:
    """A label of the board."""

    id: str
    name: str
    color: str
    created_at: datetime
    updated_at: datetime
    version: int = 1


@dataclass(eq=False)
class Card:
    """A card. Where it is, its column knows. Its dates are written as on the wire."""

    id: str
    title: str
    description: str
    external_id: str | None
    created_at: datetime
    updated_at: datetime
    version: int = 1
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    archived_at: datetime | None = None
    deleted_at: datetime | None = None
    start_at: str | None = None
    due_at: str | None = None
    due_complete: bool = False
    hourly_rate_minor: int | None = None
    links: list[dict[str, str]] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    assignees: list[Membership] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    checklists: list[Checklist] = field(default_factory=list)
    time_entries: list[TimeEntry] = field(default_factory=list)

    @property
    def is_running(self) -> bool:
        """Whether somebody works on it."""
        return any(stretch.ended_at is None for stretch in self.time_entries)

    @property
    def running_users(self) -> list[str]:
        """In whose name its clock runs."""
        return [stretch.user for stretch in self.time_entries if stretch.ended_at is None]

    @property
    def items(self) -> list[Item]:
        """Those of all its checklists."""
        return [item for checklist in self.checklists for item in checklist.items]


@dataclass(eq=False)
class Column:
    """A list of the board, its cards from top to bottom; deleted ones keep their places among them."""

    id: str
    name: str
    stage: str
    created_at: datetime
    updated_at: datetime
    wip_limit: int | None = None
    wip_enforcement: str = "warn"
    external_id: str | None = None
    version: int = 1
    archived_at: datetime | None = None
    deleted_at: datetime | None = None
    cards: list[Card] = field(default_factory=list)

    @property
    def active_cards(self) -> list[Card]:
        """The cards that are neither archived nor deleted."""
        return [card for card in self.cards if not card.archived_at and not card.deleted_at]


@dataclass(eq=False)
class Board:
    """A board: its columns from left to right, those that were deleted (`gone`), and all that ever happened."""

    id: str
    memberships: list[Membership]
    name: str
    description: str
    currency: str
    hourly_rate_minor: int
    created_at: datetime
    updated_at: datetime
    version: int = 1
    archived_at: datetime | None = None
    deleted_at: datetime | None = None
    columns: list[Column] = field(default_factory=list)
    deleted_columns: list[Column] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cards(self) -> list[Card]:
        """Those that are there, archived ones too, column by column, from top to bottom."""
        return [card for column in self.columns for card in column.cards if not card.deleted_at]

    @property
    def active_cards(self) -> list[Card]:
        """Those that are not archived, and whose columns aren't."""
        return [card for column in self.columns if not column.archived_at for card in column.active_cards]

    @property
    def deleted_cards(self) -> list[Card]:
        """Those that were deleted themselves, in columns that are there."""
        return [card for column in self.columns for card in column.cards if card.deleted_at]

    @property
    def owner(self) -> str:
        """One of those who own it."""
        return next(place.user for place in self.memberships if place.role == "owner")

    def find_membership(self, user: str) -> Membership | None:
        """Where that user stands, if the board knows them."""
        return next((place for place in self.memberships if place.user == user), None)

    def find_column(self, card: Card) -> Column:
        """The column that the card is in."""
        return next(column for column in (*self.columns, *self.deleted_columns) if card in column.cards)
