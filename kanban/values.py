"""The values of the domain, all frozen: users, tokens, boards, and what boards are made of.

Timestamps are aware UTC datetimes of whole seconds; in a `CardView` they are text. Money is an integer of the
currency's minor unit. Text has been trimmed and normalized (NFC) before it gets here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from kanban.fields import editable, recordable


class Stage(StrEnum):
    """The stage of a list, which is the status of its cards."""

    TODO = "todo"
    IN_PROGRESS = "in_progress"
    DONE = "done"


class Role(StrEnum):
    """What a member may do on a board. Compare roles with `covers`, because `<` would compare their names."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def covers(self, required: "Role") -> bool:
        """Return whether this role is at least the required one."""
        return _ROLE_LEVEL[self] >= _ROLE_LEVEL[required]


_ROLE_LEVEL = {Role.VIEWER: 0, Role.EDITOR: 1, Role.OWNER: 2}


class Scope(StrEnum):
    """What a token may be used for. No scope contains another one."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class TokenKind(StrEnum):
    """What holds a token: a program, or a device on which the user has signed in."""

    API = "api"
    SESSION = "session"


class JobKind(StrEnum):
    """What a job does."""

    DELETE_USER = "delete_user"


class JobState(StrEnum):
    """Where a job is. The last three are its ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class InstallationRole(StrEnum):
    """What a user may do in the whole installation: owners let users in and put them out."""

    OWNER = "owner"
    MEMBER = "member"


class Enforcement(StrEnum):
    """What happens when a card would exceed a list's WIP limit: a warning, or an error."""

    WARN = "warn"
    BLOCK = "block"


class Color(StrEnum):
    """The color of a label; clients choose the shades."""

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


End = Literal["top", "bottom"]
"""An end of an order: of a board's lists, a list's cards, a card's checklists or a checklist's items."""


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot, who can hold tokens and be a member of boards.

    Since `deactivated_at` the user can neither call nor sign in. `signed_out_at` is when that last began, also of a
    user who is active again: tokens, sessions and sign-in codes from before are void for good. Since `deleted_at`
    nothing is left of the user but the id.

    A bot is a program: `owner_id` is the person to whom it belongs. A person has none, but may have bots: `bot_ids`, in
    the order in which they came to them, without those that are deleted.
    """

    id: str
    name: str = field(metadata=editable())
    version: int
    created_at: datetime
    updated_at: datetime
    deactivated_at: datetime | None = None
    signed_out_at: datetime | None = None
    deleted_at: datetime | None = None
    owner_id: str | None = None
    bot_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstallationOwners:
    """The users who own the installation, in the order in which they came to it.

    `previous_ids` are those that a change was decided from: it is stale if they are no longer so. They are never empty,
    because the first user that a store creates is an owner.
    """

    user_ids: tuple[str, ...]
    previous_ids: tuple[str, ...] = ()


class TokenLimits(NamedTuple):
    """What narrows a token: the only boards that it reaches, its highest role, and the only resources that it may use.

    None does not narrow it. Ids and resources are sorted. `kanban.access` says what each limit means.
    """

    board_ids: tuple[str, ...] | None = None
    max_role: Role | None = None
    resources: tuple[str, ...] | None = None


UNLIMITED = TokenLimits()
"""The limits of a token that nothing narrows."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. Only the SHA-256 digest of its text is stored.

    `ancestor_ids` are the ids of the token that it was created with (last) and of that token's ancestors (before). It
    is revoked with any of them, and `revoked_at` says so in that case, too.

    Its `limits` never change. `last_used_from` says from where it was used at `last_used_at`, in the form that
    `kanban.tokens` writes.

    A session has no ancestors and no `expires_at`: it ends some time after its last use (`kanban.tokens`). `session_id`
    is the session that a token of a program was created in; the token stays when that session ends.
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
    limits: TokenLimits = UNLIMITED
    last_used_from: str | None = None
    kind: TokenKind = TokenKind.API
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """An account at a provider of OpenID Connect with which a user signs in. No other user has the same."""

    id: str
    user_id: str
    issuer: str
    subject: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SignInCode:
    """A code with which a user signs in once. Only the SHA-256 digest of its text is stored.

    `created_by` is the user who created it, and `token_id` the token: when that token ends, the code does, too. Both
    are None for a code of the command line.
    """

    digest: str
    user_id: str
    created_at: datetime
    expires_at: datetime
    created_by: str | None = None
    token_id: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Work that goes on after the request that started it, step by step: see `kanban.jobs`.

    Attributes:
        id: The id.
        user_id: Who has started it.
        kind: What it does.
        subject_id: What it is about. One job of a kind at a time is under way for a subject.
        state: Where it is.
        done: How much is done.
        total: How much there is to do, None before it has begun.
        version: Raised by each write: a worker that has read an older one writes nothing.
        created_at: When it was started.
        started_at: When its first step began.
        ended_at: When it ended.
        expires_at: When it is erased, after its end.
        problem_code: Why it failed.
        attempts: How often it was leased since its last step.
        lease_owner: The worker, None without one.
        lease_until: When the lease ends.
    """

    id: str
    user_id: str
    kind: JobKind
    subject_id: str
    state: JobState
    done: int
    total: int | None
    version: int
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    problem_code: str | None = None
    attempts: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A board. `seq` counts the writes to anything on it, `version` the edits of the board itself.

    `history` names the history that `seq` counts; a board that was never restored from a backup has None, and its
    history is named after the board.

    `created_by` is the user who created it. An `external_id` is unique among that user's live boards.
    """

    id: str
    name: str = field(metadata=editable())
    description: str = field(metadata=editable(null=""))
    currency: str
    hourly_rate_minor: int = field(metadata=editable(null=0))
    external_id: str | None
    created_by: str
    seq: int
    version: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = field(default=None, metadata=recordable())
    deleted_at: datetime | None = field(default=None, metadata=recordable())
    history: str | None = None

    def get_history(self) -> str:
        """Return the id of the board's history."""
        return self.history or f"hst_{self.id.partition('_')[2]}"


@dataclass(frozen=True, slots=True)
class Member:
    """A user's membership of a board. Someone who leaves and comes back gets a membership with another id.

    Since `deactivated_at` the user can do nothing on the board: it follows that of the user.
    """

    id: str
    board_id: str
    user_id: str
    role: Role = field(metadata=recordable())
    version: int
    created_at: datetime
    updated_at: datetime
    deactivated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A name and a color for cards of its board. Names are unique on the board, ignoring case."""

    id: str
    board_id: str
    name: str = field(metadata=editable())
    color: Color = field(metadata=editable())
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewLabel:
    """What a label is created with."""

    name: str
    color: Color


@dataclass(frozen=True, slots=True)
class List:
    """A column of a board.

    `card_count` counts its cards that are neither deleted nor archived. `first_rank` and `last_rank` bound all ranks in
    it, and are '' until it holds its first card, so that a card can go to the top or bottom without a read of the
    others. `version` is raised neither by these three nor by a new rank that the move of another list made necessary.
    """

    id: str
    board_id: str
    name: str = field(metadata=editable())
    stage: Stage = field(metadata=editable())
    rank: str
    wip_limit: int | None = field(metadata=editable())
    wip_enforcement: Enforcement = field(metadata=editable(null=Enforcement.WARN))
    external_id: str | None = field(metadata=editable())
    card_count: int
    first_rank: str
    last_rank: str
    version: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = field(default=None, metadata=recordable())
    deleted_at: datetime | None = field(default=None, metadata=recordable())


@dataclass(frozen=True, slots=True)
class NewList:
    """What a list is created with."""

    name: str
    stage: Stage
    wip_limit: int | None = None
    wip_enforcement: Enforcement = Enforcement.WARN
    position: End = "bottom"
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewBoard:
    """What a board is created with: its `lists` in their order, by default one of each stage."""

    name: str
    description: str = ""
    currency: str = "USD"
    hourly_rate_minor: int = 0
    lists: Sequence[NewList] = (
        NewList("To do", Stage.TODO),
        NewList("Doing", Stage.IN_PROGRESS),
        NewList("Done", Stage.DONE),
    )


@dataclass(frozen=True, slots=True)
class TimeEntry:
    """A period of a user's work on a card, at the hourly rate that was in force when it began.

    `recorded_by` is the user who wrote the entry by hand, or corrected it last. It is None while the entry is as the
    clock recorded it, and for entries of releases that did not record it.
    """

    id: str
    board_id: str
    card_id: str
    user_id: str = field(metadata=recordable())
    started_at: datetime = field(metadata=editable())
    ended_at: datetime | None = field(metadata=editable())
    rate_minor: int = field(metadata=recordable("hourly_rate_minor"))
    note: str = field(metadata=editable(null=""))
    version: int
    recorded_by: str | None = None


@dataclass(frozen=True, slots=True)
class NewTimeEntry:
    """What a time entry is created with, for work that is over.

    `user_id` defaults to the actor, `hourly_rate_minor` to the rate in force for the card.
    """

    started_at: datetime
    ended_at: datetime
    user_id: str | None = None
    note: str = ""
    hourly_rate_minor: int | None = None


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """An item of a checklist. `assignee_id` is the id of a membership: see `Card`."""

    id: str
    text: str = field(metadata=editable())
    done: bool = field(metadata=editable(null=False))
    assignee_id: str | None = field(metadata=editable())
    due_at: datetime | None = field(metadata=editable())
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewChecklistItem:
    """What a checklist item is created with. `assignee_id` is the id of a user, who must be a member of the board."""

    text: str
    done: bool = False
    assignee_id: str | None = None
    due_at: datetime | None = None
    position: End = "bottom"


@dataclass(frozen=True, slots=True)
class Checklist:
    """The steps of a card, in their order. `rank` is its rank among the card's checklists."""

    id: str
    board_id: str
    card_id: str
    name: str = field(metadata=editable())
    rank: str
    items: tuple[ChecklistItem, ...]
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewChecklist:
    """What a checklist is created with."""

    name: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a card: Markdown, stored as it was sent. `author_id` is a user's id."""

    id: str
    board_id: str
    card_id: str
    author_id: str
    text: str = field(metadata=editable(is_text_private=True))
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewComment:
    """What a comment is created with: Markdown."""

    text: str


Part = TimeEntry | Checklist | Comment
"""What belongs to one card and is stored beside it."""


@dataclass(frozen=True, slots=True)
class Link:
    """An address (http or https) that a card points to."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Card:
    """A piece of work. Its status is the stage of its list.

    `tracked_seconds` and `tracked_cost` sum its closed time entries; the cost is in minor units times seconds (seconds
    times hourly rate), and is divided by 3,600 and rounded once, when it is formatted. `running` is the open entry.
    `hourly_rate_minor` overrides the board's. `label_ids` and `assignee_ids` are sorted; the latter are ids of
    memberships (`Member.id`). Both may contain ids that mean nothing any more: of a deleted label, of the membership of
    someone who left. `comment_count`, `item_count` and `done_count` (items of its checklists) are kept by whoever
    writes those, and do not raise `version`.
    """

    id: str
    board_id: str
    list_id: str = field(metadata=recordable())
    title: str = field(metadata=editable())
    description: str = field(metadata=editable(null=""))
    external_id: str | None = field(metadata=editable())
    rank: str
    start_at: datetime | None = field(metadata=editable())
    due_at: datetime | None = field(metadata=editable())
    due_complete: bool = field(metadata=editable(null=False))
    hourly_rate_minor: int | None = field(metadata=editable())
    label_ids: tuple[str, ...] = field(metadata=editable(null=()))
    assignee_ids: tuple[str, ...] = field(metadata=editable(null=()))
    links: tuple[Link, ...] = field(metadata=editable(null=()))
    comment_count: int
    item_count: int
    done_count: int
    started_at: datetime | None = field(metadata=recordable())
    resolved_at: datetime | None = field(metadata=recordable())
    tracked_seconds: int
    tracked_cost: int
    running: TimeEntry | None = field(metadata=recordable("running_since"))
    version: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = field(default=None, metadata=recordable())
    deleted_at: datetime | None = field(default=None, metadata=recordable())


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as a member sees it at one moment. Nothing is decided from it, so its timestamps stay text.

    Its fields are those of a `Card`, but `status` is the stage of its list, `label_ids` has no deleted labels,
    `assignee_ids` are the sorted user ids of members, and `currency` is the board's.
    """

    id: str
    board_id: str
    list_id: str
    title: str
    description: str
    status: Stage
    external_id: str | None
    rank: str
    start_at: str | None
    due_at: str | None
    due_complete: bool
    hourly_rate_minor: int | None
    label_ids: tuple[str, ...]
    assignee_ids: tuple[str, ...]
    links: tuple[Link, ...]
    comment_count: int
    item_count: int
    done_count: int
    started_at: str | None
    resolved_at: str | None
    tracked_seconds: int
    tracked_cost: int
    running: TimeEntry | None
    currency: str
    version: int
    created_at: str
    updated_at: str
    archived_at: str | None
    deleted_at: str | None


@dataclass(frozen=True, slots=True)
class NewCard:
    """What a card is created with. Without a `list_id` it goes to the first list of the stage todo.

    `assignee_ids` are ids of users, who must be members of the board.
    """

    title: str
    description: str = ""
    list_id: str | None = None
    position: End = "bottom"
    external_id: str | None = None
    label_ids: Sequence[str] = ()
    assignee_ids: Sequence[str] = ()
    start_at: datetime | None = None
    due_at: datetime | None = None
    due_complete: bool = False
    hourly_rate_minor: int | None = None
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class CardRank:
    """A card's rank in its list.

    `is_hidden` means that the card is archived or deleted and keeps its rank for its return.
    """

    card_id: str
    list_id: str
    rank: str
    is_hidden: bool = False


EventData = Mapping[str, str | int | list[str] | None]

FieldChange = Mapping[str, str | int | list[str] | None]
"""From what to what a field changed: see `kanban.field_changes`."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a board: one event for each write, numbered without gaps from 1.

    `changes` say from what to what the fields of its subject changed. They are None if that was not recorded: in events
    of releases before 1.3, and in a history that an import made. `token_id` and `request_id` name the token and the
    request that it came by, and are None in such events and in those of the command line. `touches` is for readers that
    follow the board, see `kanban.touches`; the API doesn't show it, and an event is the same without it.
    """

    board_id: str
    seq: int
    type: str
    at: datetime
    actor_id: str
    list_id: str | None = None
    card_id: str | None = None
    data: EventData = field(default_factory=dict)
    changes: tuple[FieldChange, ...] | None = None
    token_id: str | None = None
    request_id: str | None = None
    touches: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation to a board in a role, or, without these two, to the installation only.

    Only the SHA-256 digest of its secret is stored. `uses` is how often it was used; with the last use it is erased.
    One with an `invitee_id` is for that user, who accepts it without a secret; nothing else accepts it.
    """

    id: str
    board_id: str | None
    role: Role | None
    digest: str
    note: str
    max_uses: int
    uses: int
    created_by: str
    version: int
    created_at: datetime
    expires_at: datetime
    invitee_id: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry of the installation's audit log: `kanban.audit_log` says which there are.

    `actor_id` did it with the token of `token_id`, and it concerns `user_id`. Its id sorts by time.
    """

    id: str
    type: str
    created_at: datetime
    expires_at: datetime
    actor_id: str | None
    token_id: str | None
    request_id: str | None
    user_id: str | None
    data: Mapping[str, str] = field(default_factory=dict)


class WebhookState(StrEnum):
    """What a webhook does.

    Active, it delivers. Paused by an owner or stopped by the server, it keeps its cursor until an owner sets it active.
    """

    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL to which the events of a board are delivered: those of its `types`, all if there are none.

    `owner_id` is the owner of the board that it works for. `secret_number` counts its secrets, `rotated_at` is when it
    got the present one.
    """

    id: str
    board_id: str
    url: str = field(metadata=editable(is_text_private=True))
    types: tuple[str, ...] = field(metadata=editable(null=()))
    description: str = field(metadata=editable(null=""))
    state: WebhookState = field(metadata=editable())
    owner_id: str
    created_by: str
    secret_number: int
    version: int
    created_at: datetime
    updated_at: datetime
    rotated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """An attempt to deliver a message, numbered from 1 for each webhook.

    Attributes:
        message_id: The same for each attempt at a message.
        from_seq: The first event that the message is about, whether or not it is in it.
        to_seq: The last one.
        event_count: How many events are in it.
        attempt: The number of the attempt at this message.
        duration_ms: How long the call took, in milliseconds.
        status: The status of the response, None without one.
        response: The beginning of the body of the response.
        error: Why there is no response.
    """

    board_id: str
    webhook_id: str
    number: int
    message_id: str
    from_seq: int
    to_seq: int
    event_count: int
    attempt: int
    at: datetime
    duration_ms: int
    status: int | None
    response: str
    error: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the receiver has accepted the message."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - success, in HTTP.


@dataclass(frozen=True, slots=True)
class FeedReader:
    """Where a reader of a board's feed is.

    Attributes:
        board_id: The board.
        name: Which reader it is, unique on the board: its kind, a colon and an identifier.
        after_seq: The seq of the last event that it has done with.
        batch_to: The seq of the last event of the batch that it is at, which begins after `after_seq`; None if no
            batch was begun. Another attempt has the same batch, even if more has happened since.
        attempts: How often that batch has failed.
        calls: How many calls it has made, with or without success.
        failing_since: When it failed for the first time.
        due_at: When it goes on; None if it sleeps.
        lease_owner: The worker; None without one, or after a reset.
        lease_until: When the lease ends.
    """

    board_id: str
    name: str
    after_seq: int
    batch_to: int | None = None
    attempts: int = 0
    calls: int = 0
    failing_since: datetime | None = None
    due_at: datetime | None = None
    lease_owner: str | None = None
    lease_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReaderReset:
    """Lets a reader go on at a time, or sleep if it is None: see `kanban.feed_readers.FeedReaderStore.reset_reader`."""

    board_id: str
    name: str
    due_at: datetime | None
    after_seq: int | None = None


@dataclass(frozen=True, slots=True)
class ReaderRemoval:
    """Removes a reader."""

    board_id: str
    name: str


ReaderChange = FeedReader | ReaderReset | ReaderRemoval
"""What a commit does with a reader: add it, reset it, or remove it."""

Entity = (
    User
    | InstallationOwners
    | Token
    | SignInCode
    | Identity
    | Job
    | Board
    | Member
    | Label
    | List
    | Card
    | TimeEntry
    | Checklist
    | Comment
    | Webhook
    | Invitation
    | AuditEntry
)

Erasable = SignInCode | Identity | Member | Label | TimeEntry | Checklist | Comment | Webhook | Invitation
"""What is erased at once when it is deleted."""
