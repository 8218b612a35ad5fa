"""The things a board is made of, as frozen values.

Moments are aware UTC datetimes of whole seconds. Money is an integer of the currency's minor unit.
Text has been trimmed and normalised (NFC) before it comes here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


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

    def covers(self, required: "Role") -> bool:
        """Whether this role is at least that one."""
        return _ROLE_LEVEL[self] >= _ROLE_LEVEL[required]


_ROLE_LEVEL = {Role.VIEWER: 0, Role.EDITOR: 1, Role.OWNER: 2}


class Scope(StrEnum):
    """What a token may be used for. One scope does not contain another."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Enforcement(StrEnum):
    """What happens when a card would pass a list's WIP limit: it is told, or it is refused."""

    WARN = "warn"
    BLOCK = "block"


class Color(StrEnum):
    """What a label can look like; a client chooses the shades."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    PURPLE = "purple"
    BLUE = "blue"
    SKY = "sky"
    LIME = "lime"
    PINK = "pink"
    BLACK = "black"


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
    """A key that its user may call with. Only the SHA-256 of its text is kept.

    `ancestor_ids` are the token that it was made with, last, and before it that one's ancestors. It is revoked with any
    of them: `revoked_at` tells of that, too.
    """

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
    ancestor_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """A board. `seq` counts every write to anything on it, `version` the edits of the board itself.

    `created_by` is the user who made it. Among that user's live boards an `external_id` is unique.
    """

    id: str
    name: str
    description: str
    currency: str
    hourly_rate_minor: int
    external_id: str | None
    created_by: str
    seq: int
    version: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A user's place on a board. Who leaves and comes back has a place with another id."""

    id: str
    board_id: str
    user_id: str
    role: Role
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Label:
    """A word and a colour that cards of its board can bear. Its name is unique on the board, whatever the case."""

    id: str
    board_id: str
    name: str
    color: Color
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class List:
    """A column of a board.

    `card_count` counts its cards that are neither deleted nor archived. `first_rank` and `last_rank` are outer
    bounds of every rank in it, '' while it never held a card: a card goes to the top or the bottom without
    looking at the others.
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
    archived_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TimeEntry:
    """A stretch of a user's work on a card, at the hourly rate that was in force when it began."""

    id: str
    board_id: str
    card_id: str
    user_id: str
    started_at: datetime
    ended_at: datetime | None
    rate_minor: int
    note: str
    version: int


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """A line of a checklist. `assignee_id` is the id of a member's place: see `Card`."""

    id: str
    text: str
    done: bool
    assignee_id: str | None
    due_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Checklist:
    """Steps of a card, in their order. `rank` is its place among the card's checklists."""

    id: str
    board_id: str
    card_id: str
    name: str
    rank: str
    items: tuple[ChecklistItem, ...]
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """What someone said about a card: Markdown, kept as it was sent. `author_id` is a user's id."""

    id: str
    board_id: str
    card_id: str
    author_id: str
    text: str
    version: int
    created_at: datetime
    updated_at: datetime


Part = TimeEntry | Checklist | Comment
"""What belongs to one card and is kept beside it."""


@dataclass(frozen=True, slots=True)
class Link:
    """An address (http or https) that a card points to."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Card:
    """A piece of work. Its status is the stage of its list.

    `tracked_seconds` and `tracked_cost` sum its closed time entries; the cost in minor units times seconds
    (seconds x hourly rate), to be divided by 3,600 and rounded once, when shown. `running` is the open entry.
    `hourly_rate_minor` stands above the board's. `label_ids` and `assignee_ids` are sorted; the latter are ids of
    members' places (`Member.id`). Either may name what is no longer there, which then means nothing: a label
    that was deleted, the place of someone who left. `comment_count`, `item_count` and `done_count` (items of
    its checklists) are kept by whoever writes those, and do not raise `version`.
    """

    id: str
    board_id: str
    list_id: str
    title: str
    description: str
    external_id: str | None
    rank: str
    start_at: datetime | None
    due_at: datetime | None
    due_complete: bool
    hourly_rate_minor: int | None
    label_ids: tuple[str, ...]
    assignee_ids: tuple[str, ...]
    links: tuple[Link, ...]
    comment_count: int
    item_count: int
    done_count: int
    started_at: datetime | None
    resolved_at: datetime | None
    tracked_seconds: int
    tracked_cost: int
    running: TimeEntry | None
    version: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CardRank:
    """A card and its place. `hidden` tells that it is archived or deleted, and keeps the place for its return."""

    card_id: str
    list_id: str
    rank: str
    is_hidden: bool = False


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


Entity = User | Token | Board | Member | Label | List | Card | TimeEntry | Checklist | Comment

Erasable = Member | Label | TimeEntry | Checklist | Comment
"""What is erased at once when it is deleted."""
