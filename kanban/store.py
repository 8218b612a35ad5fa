"""The port: what the rules need from a store.

An engine knows versions and conditions, but no rules. Every read returns one consistent moment. A read of a board
returns None both if there is no such live board and if the user is not a member, so that the two can't be told apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from kanban.audit_log_store import AuditLogStore
from kanban.changes import Change
from kanban.feed_readers import FeedReaderStore
from kanban.fields import compares
from kanban.flow.flow_segment_store import FlowSegmentStore
from kanban.invitation_store import InvitationStore
from kanban.job_store import JobStore
from kanban.request_usage import UsageStore
from kanban.sign_in_store import SignInStore
from kanban.values import (
    Board,
    Card,
    CardRank,
    CardView,
    Checklist,
    Comment,
    Event,
    List,
    Part,
    Role,
    Stage,
    TimeEntry,
    Token,
    TokenKind,
    User,
)
from kanban.views import BoardSummary, BoardView, Page, PageKey, WorkedTime
from kanban.webhook_store import WebhookStore

PAGE_BYTES = 1_048_576
"""A page of cards ends early rather than hold more text than this (UTF-8), but holds at least one card."""


class StoreError(Exception):
    """Raised when the store did not do what was asked; nothing was written, unless a subclass says otherwise."""


class StaleRead(StoreError):
    """Raised when something changed since it was read: read again, decide again."""


class AlreadyExists(StoreError):
    """Raised when something that must be unique exists already."""

    def __init__(self, constraint: str) -> None:
        """Take what must be unique, such as 'user', 'card', 'token', 'list.external_id' or 'idempotency_key'."""
        super().__init__(f"Already exists: {constraint}.")
        self.constraint = constraint


class Busy(StoreError):
    """Raised when the store could not do it in time. Trying again later may help."""


class Unavailable(Busy):
    """Raised when the store cannot be used: disk full, file gone, server away. An operator should look.

    If the connection broke in the middle of a commit, it is unknown whether everything was written or nothing.
    """


class CardSort(StrEnum):
    """The orders of a page of cards. Cards that were updated, or are due, in the same second are ordered by id.

    By `due_at` and `-due_at` only cards with a due date are returned.
    """

    POSITION = "position"
    OLDEST = "created_at"
    NEWEST = "-created_at"
    LEAST_RECENTLY_UPDATED = "updated_at"
    MOST_RECENTLY_UPDATED = "-updated_at"
    DUE_FIRST = "due_at"
    DUE_LAST = "-due_at"


class CardState(StrEnum):
    """Which cards of a board: active ones, those that are archived themselves, or those that are deleted themselves.

    An active card is neither archived nor deleted, its list is live, and its list is not archived unless the query
    names that list. A deleted card is found even if its list is archived, but not if its list is deleted; and until it
    is purged, or as long ago as the query says.
    """

    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class CardQuery:
    """Which cards, in which order: those that match every field that is not None.

    `q` is a substring of the title, the description or a comment, ignoring case (`kanban.text`). `assignee_id` is a
    user's id, `label_id` the id of a live label. `due_from` is inclusive, `due_until` exclusive. `overdue_at` asks for
    cards that were due before that moment, are not marked complete and not done. `updated_since` is inclusive, and so
    is `deleted_since`, which applies to deleted cards. `with_archived_lists` asks for active cards of archived lists,
    too, in an order other than that of positions.
    """

    list_id: str | None = None
    status: Stage | None = None
    q: str | None = None
    sort: CardSort = CardSort.POSITION
    state: CardState = CardState.ACTIVE
    label_id: str | None = None
    assignee_id: str | None = None
    due_from: datetime | None = field(default=None, metadata=compares("due_at", ">="))
    due_until: datetime | None = field(default=None, metadata=compares("due_at", "<"))
    # Whether a card is complete or done as well is not a comparison: each engine adds that.
    overdue_at: datetime | None = field(default=None, metadata=compares("due_at", "<"))
    updated_since: datetime | None = field(default=None, metadata=compares("updated_at", ">="))
    deleted_since: datetime | None = field(default=None, metadata=compares("deleted_at", ">="))
    with_archived_lists: bool = False


BEYOND_ALL_SEQS = 10**12
"""More than any seq."""

MAX_EVENTS_LOOKED_AT = 1_000
"""Events that one page looks at when it leaves some out."""


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events of a board: those with a seq between `after` and `before`, which are both excluded.

    `types` are the types to return, all if it is empty. With a `card_id`, only events of that card; DynamoDB knows
    which card an event is of from release 1.3 on. With a `token_id`, only events of writes with that token.
    """

    after: int = 0
    before: int = BEYOND_ALL_SEQS
    card_id: str | None = None
    types: frozenset[str] = frozenset()
    newest_first: bool = False
    token_id: str | None = None

    @property
    def is_filtered(self) -> bool:
        """Tell whether a page leaves out some of the events that are read for it."""
        return bool(self.types) or self.token_id is not None

    def matches(self, event: Event) -> bool:
        """Tell whether an event has one of the types and the token."""
        return (not self.types or event.type in self.types) and self.token_id in (None, event.token_id)


@dataclass(frozen=True, slots=True)
class PartKey:
    """The key of a part of a card: a TimeEntry, a Checklist or a Comment."""

    part_type: type[Part]
    card_id: str
    id: str


@dataclass(frozen=True, slots=True)
class NeighbourOf:
    """Asks for the rank just above ('before') or just below ('after') a card in its list."""

    card_id: str
    side: Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class CardsWithChecklists:
    """Cards in the order of their positions, and their checklists that have items, by the card's id and in order."""

    cards: Sequence[Card]
    checklists: Mapping[str, Sequence[Checklist]]


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The response to a request with an idempotency key, stored until `expires_at`."""

    key: str
    user_id: str
    operation_id: str
    fingerprint: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    created_at: datetime
    expires_at: datetime


OPERATIONS_ABOUT_USERS = frozenset({"deactivate_user", "reactivate_user", "transfer_boards"})
"""The operations whose stored responses show another user."""


class Store(Protocol):
    """The operations of a store.

    Every one can raise Busy. A page continues from the `next_key` of the page before, or None.
    """

    @property
    def feed_readers(self) -> FeedReaderStore:
        """Return the store of the readers of the feed, in the same data."""

    @property
    def webhooks(self) -> WebhookStore:
        """Return the store of the webhooks, in the same data."""

    @property
    def sign_in(self) -> SignInStore:
        """Return the store of the sign-in codes, in the same data."""

    @property
    def invitations(self) -> InvitationStore:
        """Return the store of the invitations, in the same data."""

    @property
    def audit_log(self) -> AuditLogStore:
        """Return the store of the audit log, in the same data."""

    @property
    def jobs(self) -> JobStore:
        """Return the store of the jobs, in the same data."""

    @property
    def flow_segments(self) -> FlowSegmentStore:
        """Return the store of the flow segments, in the same data. They are derived from events."""

    @property
    def request_usage(self) -> UsageStore:
        """Return the store of how much of their limits callers have used. It is not part of the data."""

    def read_board(
        self,
        board_id: str,
        user_id: str,
        *,
        card_ids: Sequence[str] = (),
        neighbour_of: NeighbourOf | None = None,
        parts: Sequence[PartKey] = (),
    ) -> BoardView | None:
        """Read the board, its lists, members and labels, and the named cards (`neighbour_of` included) that are live.

        An archived card is live; so is a card in an archived list. Parts are returned with live cards only.
        """

    def read_card(self, board_id: str, user_id: str, card_id: str) -> tuple[Role, CardView | None] | None:
        """Read a live card as that member sees it, and the member's role. The card is None if the board has none.

        It takes less than `read_board`, which also returns what is needed to decide something.
        """

    def read_deleted(
        self, board_id: str, user_id: str, *, list_ids: Sequence[str] = (), card_ids: Sequence[str] = ()
    ) -> BoardView | None:
        """Read a board as `read_board` does, even if it is deleted.

        Of the named lists and cards, deleted ones are returned too, the lists after the live ones. None only if there
        never was such a board, if it has been purged, or if the user is not a member.
        """

    def page_deleted_lists(
        self, board_id: str, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[List]] | None:
        """Read lists of a live board that were deleted since that moment (inclusive), newest first.

        A page may be shorter than the limit, and may be empty while more follow.
        """

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        """Read the cards that match the query. A page may be shorter than the limit, but is empty only at the end.

        A card that is moved during paging may be returned twice or not at all; every other card is returned once,
        except across a rebalance of its list. A `list_id` that is not live on the board gives an empty page.
        """

    def page_card_views(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[CardView]] | None:
        """Read the page that `page_cards` reads, of cards as that member sees them."""

    def read_cards_with_checklists(
        self, board_id: str, user_id: str, list_id: str | None = None
    ) -> tuple[BoardView, CardsWithChecklists] | None:
        """Read all active cards of the board, or of one list, with their checklists: as of one moment, however many.

        A `list_id` that is not live on the board gives no cards.
        """

    def page_assigned_cards(
        self, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> Page[tuple[BoardView, Card]]:
        """Read active cards assigned to the user on active boards: newest board first, on each the oldest card first.

        Of the query, `status`, `due_from`, `due_until` and `overdue_at` count. Each card comes with its board, read at
        the same moment. A page may be shorter than the limit, and may be empty while more follow.
        """

    def read_card_ranks(
        self, board_id: str, user_id: str, list_id: str
    ) -> tuple[BoardView, tuple[CardRank, ...]] | None:
        """Read the ranks of all cards of a live list in order, hidden cards included; none if the list is not live."""

    def page_events(
        self, board_id: str, user_id: str, query: EventQuery, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        """Read events, oldest or newest first, and the board as it is after the last of all its events.

        The key of the next page is the seq of the last event that was looked at: `after` of the next query, or `before`
        if the newest come first. A page of some types or of a token looks at `MAX_EVENTS_LOOKED_AT` events at most,
        so it may be empty while more follow.
        """

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        """Read the card's time entries, oldest first.

        If the card is not live there are none: `view.get_card` raises.
        """

    def read_checklists(
        self, board_id: str, user_id: str, card_id: str
    ) -> tuple[BoardView, tuple[Checklist, ...]] | None:
        """Read the card's checklists in their order. If the card is not live there are none: `view.cards` lacks it."""

    def page_comments(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Comment]] | None:
        """Read the card's comments, newest first. If the card is not live there are none: `view.cards` lacks it."""

    def page_parts(
        self, board_id: str, user_id: str, limit: int, after: PageKey | None = None, card_id: str | None = None
    ) -> tuple[BoardView, Page[Checklist | Comment]] | None:
        """Read the checklists and comments of all live cards of the board, or of one card, in an order that stays.

        A page ends early rather than hold more than PAGE_BYTES of text. It may be shorter than the limit, and may be
        empty while more follow.
        """

    def page_board_time_entries(
        self, board_id: str, user_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[tuple[TimeEntry, Card]]] | None:
        """Read the board's time entries that overlap the span (its end is exclusive), with their cards.

        Entries of deleted cards and of cards in deleted lists are left out. They are ordered by their end, open entries
        last, and in the same second by id. A page may be shorter than the limit, and may be empty while more follow.
        """

    def page_worked_time(
        self, board_id: str, user_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[WorkedTime]] | None:
        """Read what `page_board_time_entries` reads, but of each entry only what a time report needs."""

    def page_boards(
        self, user_id: str, limit: int, after: PageKey | None = None, *, archived: bool = False
    ) -> Page[tuple[Board, Role]]:
        """Read live boards that the user is a member of, newest first: the active ones, or the archived ones.

        A page may be shorter than the limit, and may be empty while more follow.
        """

    def page_deleted_boards(
        self, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> Page[tuple[Board, Role]]:
        """Read boards that the user owns and that were deleted since that moment (inclusive), as `page_boards` does."""

    def read_board_seqs(self, board_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the seq of those of these boards that exist, deleted ones included, by id.

        Memberships are not checked: this tells a process that another one has written.
        """

    def page_board_ids(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[str]:
        """Read the ids of all boards that the user is a member of, deleted ones included.

        Some may be boards that they have just left, and which `read_deleted` does not return to them.
        """

    def sum_text_bytes(self, board_id: str) -> int:
        """Return how many bytes of UTF-8 the texts of all live cards of a board take (`kanban.text_size`).

        Comments, checklists and notes of time entries belong to them, archived cards are among them. It reads the whole
        board, which need not be as of one moment.
        """

    def summarize_board(self, board_id: str) -> BoardSummary | None:
        """Return what is on the board, live or deleted, without asking who may see it: for the operator.

        None if there is no such board, or if it has been purged.
        """

    def find_board_id(self, user_id: str, external_id: str) -> str | None:
        """Return the id of the live board that this user created with that external id."""

    def find_card_id(self, board_id: str, external_id: str) -> str | None:
        """Return the id of the card of that board with that external id, if the card and its list are live."""

    def read_users(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        """Return those of these users who exist, by id."""

    def read_user(self, user_id: str) -> User | None:
        """Return the user of that id."""

    def page_users(self, limit: int, after: PageKey | None = None) -> Page[User]:
        """Read all users of the installation, by id.

        A page may be shorter than the limit, and may be empty while more follow.
        """

    def read_fellow_ids(self, user_id: str, max_boards: int) -> Mapping[str, Sequence[str]]:
        """Return the user ids of the members of the user's newest boards, this user's included, by board id.

        Deleted boards are left out, but count among `max_boards`.
        """

    def read_installation_owner_ids(self) -> tuple[str, ...]:
        """Return the ids of the users who own the installation, none in a new store: its first user becomes one."""

    def read_installation_owner(self) -> User | None:
        """Return the owner of the installation, of several the one that became it first; None in a new store."""

    def read_token_by_digest(self, digest: str) -> tuple[Token, User] | None:
        """Return the token of that digest and its user, even if it is revoked or has expired.

        A token is revoked with any of its ancestors, however many tokens descend from these; a digest that a rotation
        replaced gives None. Both hold from the commit on, for every process.
        """

    def read_token(self, user_id: str, token_id: str) -> Token | None:
        """Return the user's token of that id, even if it is revoked or has expired."""

    def find_token_holder(self, token_id: str) -> str | None:
        """Return the id of the user whose token has that id, even if it is revoked or has expired."""

    def page_tokens(
        self, user_id: str, limit: int, after: PageKey | None = None, kind: TokenKind = TokenKind.API
    ) -> Page[Token]:
        """Read the user's tokens of that kind that are not revoked, newest first.

        A page may be shorter than the limit, and may be empty while more follow.
        """

    def read_stored_response(self, user_id: str, operation_id: str, key: str, now: datetime) -> StoredResponse | None:
        """Return the response stored for that idempotency key, if it has not expired."""

    def commit(
        self, change: Change, response: StoredResponse | None = None, progress: Callable[[int], None] | None = None
    ) -> None:
        """Write the whole change or nothing.

        `progress` is called with how many `creates` and `history` events are written.

        With an event, the board must still have the seq before the first event's and be live (with `restores_board`: be
        deleted), and the actor must be a member who may write (editor or owner) or whose own membership is among the
        `deletes`; otherwise StaleRead. Whoever accepts an invitation need not be a member yet: then it is among the
        `updates` or `deletes`, their membership among the `creates` or `updates`, and they themselves may be created.
        A board among the `creates` is created instead: nobody sees any of it before all of it is there, whatever its
        size. The same holds for the other board of a `departure` and its own event.

        Without an event, only users, tokens, sign-in codes and invitations to no board are written: each update must
        find the version before its own, and each of the `deletes` what it erases; otherwise StaleRead.

        Raises AlreadyExists for an id, or an external id of a live board, list or card, that is taken, or for a user
        who is a member already. A card in a deleted list gives up its external id; a card or list that comes back must
        find its own free. An idempotency key that is taken, and had not expired when `response` was created, is
        reported before anything else, so that the stored response can be replayed.

        `change.rebalance_list_id` asks that the cards of that list, deleted ones included, get new, short ranks in
        their present order. It only concerns their length, never correctness: SQL does it in the same
        transaction, another engine may do it afterwards in steps, each of which keeps the order and makes writers who
        read before it fail with StaleRead. A request that is lost is repeated with the next long rank.
        """

    def purge(self, before: datetime, limit: int) -> int:
        """Erase about `limit` things that belong to boards, lists and cards deleted before that moment.

        Return how many were erased; 0 if nothing is left to erase, except what another purge is erasing right now. Each
        call is one bounded step: it may be interrupted anywhere, and the next caller continues. Events of a board are
        erased with the board only; of a card, what was written on it is erased from its events. What an interrupted
        write of many steps left behind is erased in the same way.
        """

    def purge_expired(self, now: datetime, limit: int) -> int:
        """Erase up to `limit` expired codes, invitations and stored responses; return how many were erased.

        0 if none is left, except what another purge is erasing right now; and always 0 if the engine erases them by
        itself.
        """

    def purge_token_origins(self, before: datetime, limit: int) -> int:
        """Erase from where tokens were last used, of up to `limit` tokens that were last used before that moment.

        An engine may keep it up to a day longer. Return how many were looked at; 0 if none is left, except what another
        purge is erasing right now.
        """

    def erase_user(self, user_id: str, limit: int) -> int:
        """Erase about `limit` things that belong to a deleted user who is no member of any board.

        These are tokens and sessions with from where they were used, identities, sign-in codes and stored responses;
        also stored responses of owners of the installation to operations about users (`OPERATIONS_ABOUT_USERS`), which
        may show the name. The user, their jobs and what they wrote on boards stay. Return how many were erased; 0 if
        nothing is left. It may be interrupted anywhere, and the next caller continues.
        """

    def record_token_use(self, token_id: str, at: datetime, origin: str | None = None) -> None:
        """Record the last use of a token, and from where, if that needs no waiting. Never raises Busy."""

    def check_ready(self) -> None:
        """Do one keyed read, and check that writes are accepted if that leaves nothing behind.

        Raises Busy or Unavailable.
        """

    def read_secret(self) -> bytes:
        """Return 32 random bytes that belong to the data: the same for every process that uses it."""

    def measure_size(self) -> int | None:
        """Return how many bytes everything in the store takes up, None if the engine can't tell at once.

        Raises:
            Busy: The store can't be used now.
        """

    def close(self) -> None:
        """Close files and connections."""
