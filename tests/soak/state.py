"""What the model remembers: a board is a Python list of columns, a column a Python list of cards.

Order is their order, and time a list of stretches that are added up each time.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(eq=False)
class Stretch:
    """A user's work from one moment to another, or until now, at an hourly rate."""

    user: str
    begin: datetime
    end: datetime | None
    rate: int
    note: str = ""
    id: str = ""
    version: int = 1


@dataclass(eq=False)
class Place:
    """A user's place on a board. Its id shows in its ETag alone."""

    id: str
    user: str
    role: str
    made: datetime
    edited: datetime
    version: int = 1


@dataclass(eq=False)
class Comment:
    """What somebody said about a card."""

    id: str
    author: str
    text: str
    made: datetime
    edited: datetime
    version: int = 1


@dataclass(eq=False)
class Item:
    """A step of a checklist. What is due is written as on the wire."""

    id: str
    text: str
    made: datetime
    edited: datetime
    done: bool = False
    assigned: Place | None = None
    due_at: str | None = None
    version: int = 1


@dataclass(eq=False)
class Checklist:
    """Steps, from top to bottom."""

    id: str
    name: str
    made: datetime
    edited: datetime
    version: int = 1
    items: list[Item] = field(default_factory=list)


@dataclass(eq=False)
class Label:
    """A label of the board."""

    id: str
    name: str
    color: str
    made: datetime
    edited: datetime
    version: int = 1


@dataclass(eq=False)
class Card:
    """A card. Where it is, its column knows. Its dates are written as on the wire."""

    id: str
    title: str
    description: str
    external_id: str | None
    made: datetime
    edited: datetime
    version: int = 1
    started: datetime | None = None
    resolved: datetime | None = None
    archived: datetime | None = None
    deleted: datetime | None = None
    start_at: str | None = None
    due_at: str | None = None
    due_complete: bool = False
    hourly_rate_minor: int | None = None
    links: list[dict[str, str]] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    assigned: list[Place] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    checklists: list[Checklist] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def is_running(self) -> bool:
        """Whether somebody works on it."""
        return any(stretch.end is None for stretch in self.stretches)

    @property
    def workers(self) -> list[str]:
        """In whose name its clock runs."""
        return [stretch.user for stretch in self.stretches if stretch.end is None]

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
    made: datetime
    edited: datetime
    wip_limit: int | None = None
    wip_enforcement: str = "warn"
    external_id: str | None = None
    version: int = 1
    archived: datetime | None = None
    deleted: datetime | None = None
    cards: list[Card] = field(default_factory=list)

    @property
    def in_use(self) -> list[Card]:
        """The cards that are neither archived nor deleted."""
        return [card for card in self.cards if not card.archived and not card.deleted]


@dataclass(eq=False)
class Board:
    """A board: its columns from left to right, those that were deleted (`gone`), and all that ever happened."""

    id: str
    places: list[Place]
    name: str
    description: str
    currency: str
    hourly_rate_minor: int
    made: datetime
    edited: datetime
    version: int = 1
    archived: datetime | None = None
    deleted: datetime | None = None
    columns: list[Column] = field(default_factory=list)
    gone: list[Column] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cards(self) -> list[Card]:
        """Those that are there, archived ones too, column by column, from top to bottom."""
        return [card for column in self.columns for card in column.cards if not card.deleted]

    @property
    def in_use(self) -> list[Card]:
        """Those that are not archived, and whose columns aren't."""
        return [card for column in self.columns if not column.archived for card in column.in_use]

    @property
    def trash(self) -> list[Card]:
        """Those that were deleted themselves, in columns that are there."""
        return [card for column in self.columns for card in column.cards if card.deleted]

    @property
    def owner(self) -> str:
        """One of those who own it."""
        return next(place.user for place in self.places if place.role == "owner")

    def place_of(self, user: str) -> Place | None:
        """Where that user stands, if the board knows them."""
        return next((place for place in self.places if place.user == user), None)

    def home(self, card: Card) -> Column:
        """The column that the card is in."""
        return next(column for column in (*self.columns, *self.gone) if card in column.cards)
