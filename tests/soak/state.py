"""The state of the model: a board has a Python list of columns, a column a Python list of cards.

A column is what the API calls a list. Positions are the order of these lists; times are summed up from time entries.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(eq=False)
class TimeEntry:
    """A user's work from one time to another, or until now, at an hourly rate."""

    user: str
    started_at: datetime
    ended_at: datetime | None
    rate: int
    note: str = ""
    id: str = ""
    version: int = 1
    recorded_by: str | None = None


@dataclass(eq=False)
class Membership:
    """A user's membership of a board. Its id is part of its ETag only."""

    id: str
    user: str
    role: str
    created_at: datetime
    updated_at: datetime
    version: int = 1


@dataclass(eq=False)
class Comment:
    """A comment on a card."""

    id: str
    author: str
    text: str
    created_at: datetime
    updated_at: datetime
    version: int = 1


@dataclass(eq=False)
class Item:
    """An item of a checklist. `due_at` is text as in JSON."""

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
    """A checklist, its items from top to bottom."""

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
    """A card. Its column is the one that contains it. `start_at` and `due_at` are text as in JSON."""

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
        """Tell whether its clock runs."""
        return any(entry.ended_at is None for entry in self.time_entries)

    @property
    def running_users(self) -> list[str]:
        """Return the users of its open time entries."""
        return [entry.user for entry in self.time_entries if entry.ended_at is None]

    @property
    def items(self) -> list[Item]:
        """Return the items of all its checklists."""
        return [item for checklist in self.checklists for item in checklist.items]


@dataclass(eq=False)
class Column:
    """A list of a board, its cards from top to bottom; deleted cards keep their position."""

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
        """Return the cards that are neither archived nor deleted."""
        return [card for card in self.cards if not card.archived_at and not card.deleted_at]


@dataclass(eq=False)
class Board:
    """A board: its columns from left to right, its deleted columns, and all its events."""

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
        """Return the cards that are not deleted, column by column, from top to bottom."""
        return [card for column in self.columns for card in column.cards if not card.deleted_at]

    @property
    def active_cards(self) -> list[Card]:
        """Return the cards that are not archived in columns that are not archived."""
        return [card for column in self.columns if not column.archived_at for card in column.active_cards]

    @property
    def deleted_cards(self) -> list[Card]:
        """Return the deleted cards of columns that are not deleted."""
        return [card for column in self.columns for card in column.cards if card.deleted_at]

    @property
    def owner(self) -> str:
        """Return one of the owners."""
        return next(membership.user for membership in self.memberships if membership.role == "owner")

    def find_membership(self, user: str) -> Membership | None:
        """Return the user's membership, None for a user who isn't a member."""
        return next((membership for membership in self.memberships if membership.user == user), None)

    def find_column(self, card: Card) -> Column:
        """Return the column that contains the card."""
        return next(column for column in (*self.columns, *self.deleted_columns) if card in column.cards)
