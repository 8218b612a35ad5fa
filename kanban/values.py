"""The things a board is made of, as frozen values.

Moments are aware UTC datetimes of whole seconds. Money is an integer of the currency's minor unit.
Text has been trimmed and normalised (NFC) before it comes here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from kanban.errors import NoListOfStage, NotFound

MOST_LISTS = 100
"""Live lists on one board."""

MOST_CARDS = 5_000
"""Live cards in one list."""


class Stage(StrEnum):
    """Where the cards of a list stand in their life."""

    TODO = "todo"
    IN_PROGRESS = "in_progress"
    DONE = "done"


class Role(StrEnum):
    """What a member may do on a board. Compare with `covers`, never with `<`: these are words."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def covers(self, least: "Role") -> bool:
        """Whether this role is at least that one."""
        return _STRENGTH[self] >= _STRENGTH[least]


_STRENGTH = {Role.VIEWER: 0, Role.EDITOR: 1, Role.OWNER: 2}


class Scope(StrEnum):
    """What a token may be used for. One scope does not contain another."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Enforcement(StrEnum):
    """What happens when a card would pass a list's WIP limit: it is told, or it is refused."""

    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class User:
    """Someone who may hold tokens and be a member of boards."""

    id: str
    name: str
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A key that its user may call with. Only the SHA-256 of its text is kept."""

    id: str
    user_id: str
    name: str
    digest: str
    scopes: tuple[Scope, ...]
    version: int
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A board. `seq` counts every write to anything on it, `version` the edits of the board itself."""

    id: str
    name: str
    description: str
    currency: str
    hourly_rate_minor: int
    seq: int
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A user's place on a board."""

    board_id: str
    user_id: str
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True)
class List:
    """A column of a board.

    `card_count` counts its live cards. `first_rank` and `last_rank` are outer bounds of every rank in it,
    '' while it never held a card: a card goes to the top or the bottom without looking at the others.
    Neither those three nor a rank that other lists made necessary raises `version`.
    """

    id: str
    board_id: str
    name: str
    stage: Stage
    rank: str
    wip_limit: int | None
    wip_enforcement: Enforcement
    external_id: str | None
    card_count: int
    first_rank: str
    last_rank: str
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TimeEntry:
    """A stretch of work on a card, at the hourly rate that was in force when it began."""

    id: str
    board_id: str
    card_id: str
    started_at: datetime
    ended_at: datetime | None
    rate_minor: int
    version: int


@dataclass(frozen=True, slots=True)
class Card:
    """A piece of work. Its status is the stage of its list.

    `tracked_seconds` and `tracked_cost` sum its closed time entries; the cost in minor units times seconds
    (seconds x hourly rate), to be divided by 3,600 and rounded once, when shown. `running` is the open entry.
    """

    id: str
    board_id: str
    list_id: str
    title: str
    description: str
    external_id: str | None
    rank: str
    started_at: datetime | None
    resolved_at: datetime | None
    tracked_seconds: int
    tracked_cost: int
    running: TimeEntry | None
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


EventData = Mapping[str, str | int | list[str] | None]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a board, once for each write, numbered without gaps from 1."""

    board_id: str
    seq: int
    type: str
    at: datetime
    actor_id: str
    list_id: str | None = None
    card_id: str | None = None
    data: EventData = field(default_factory=dict)


Value = User | Token | Board | Member | List | Card | TimeEntry


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written, all of it or nothing.

    A write to a board carries one event, and in `updates` (in `creates`, for a new one) the board with the
    event's seq. `rebalance` names a list whose cards' ranks have grown long: see `kanban.store`.
    """

    creates: tuple[Value, ...] = ()
    updates: tuple[Value, ...] = ()
    event: Event | None = None
    rebalance: str | None = None

    def plus(self, other: "Change") -> "Change":
        """Both changes as one. Raises ValueError when each has an event: a commit tells of one."""
        if self.event and other.event:
            message = "A change carries one event."
            raise ValueError(message)
        return Change(
            self.creates + other.creates,
            self.updates + other.updates,
            self.event or other.event,
            self.rebalance or other.rebalance,
        )


@dataclass(frozen=True, slots=True)
class BoardView:
    """A live board as one member sees it at one moment.

    `lists` are the live ones in their order; `cards` those that were asked for and are live. `beyond` answers
    a read that named a neighbour: the rank of the card just past it (deleted ones count), '' at the end.
    """

    board: Board
    role: Role
    lists: tuple[List, ...] = ()
    cards: Mapping[str, Card] = field(default_factory=dict)
    beyond: str | None = None

    def list(self, list_id: str) -> List:
        """The live list of that id. Raises NotFound."""
        for each in self.lists:
            if each.id == list_id:
                return each
        raise NotFound("list")

    def card(self, card_id: str) -> Card:
        """The live card of that id, if the read asked for it. Raises NotFound."""
        try:
            return self.cards[card_id]
        except KeyError:
            raise NotFound("card") from None

    def list_of(self, card: Card) -> List:
        """The list that the card is in."""
        return self.list(card.list_id)

    def first_list(self, stage: Stage) -> List:
        """The first list of that stage. Raises NoListOfStage."""
        for each in self.lists:
            if each.stage == stage:
                return each
        raise NoListOfStage(stage)


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something (a user's id), when, and where new ids come from (by kind: 'card', 'list', ...)."""

    by: str
    at: datetime
    new_id: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer to a request that carried an idempotency key, kept until `expires_at`."""

    key: str
    user_id: str
    operation_id: str
    fingerprint: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    created_at: datetime
    expires_at: datetime


Position = tuple[str | int, ...]
"""Where a page ended: the sort keys of its last item. Opaque to everyone but the store that made it."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items in order, and the position after the last, None at the end."""

    items: tuple[T, ...]
    next: Position | None = None
