"""The port: what the rules need from whatever remembers the boards.

An engine knows versions and conditions, never rules. Every read answers one consistent moment. A read of a
board answers None when there is no such live board and when the user is not a member: one answer for both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from kanban.changes import Change
from kanban.values import (
    Board,
    Card,
    CardRank,
    Checklist,
    Comment,
    Event,
    List,
    Part,
    Role,
    Stage,
    TimeEntry,
    Token,
    User,
)
from kanban.views import BoardView, Page, PageKey

PAGE_BYTES = 1_048_576
"""A page of cards ends early rather than hold more text than this (UTF-8), but never before one card."""


class StoreError(Exception):
    """The store did not do what was asked; nothing was written, unless a subclass says otherwise."""


class StaleRead(StoreError):
    """Something changed since it was read: read again, decide again."""


class AlreadyExists(StoreError):
    """A unique thing is there already."""

    def __init__(self, constraint: str) -> None:
        """What: 'user', 'board', 'list', 'card', 'token', 'list.external_id', 'idempotency_key', ..."""
        super().__init__(f"Already exists: {constraint}.")
        self.constraint = constraint


class Busy(StoreError):
    """The store could not do it in time. Trying again later may help."""


class Unavailable(Busy):
    """The store cannot be used: disk full, file gone, server away. An operator should look.

    When the connection broke in the middle of a commit, nobody knows whether all of it was written or nothing.
    """


class CardSort(StrEnum):
    """The orders of a page of cards. Cards changed, or due, at the same second stand in the order of their ids.

    By `due_at` and `-due_at` come only cards that are due some time.
    """

    POSITION = "position"
    OLDEST = "created_at"
    NEWEST = "-created_at"
    LEAST_RECENTLY_UPDATED = "updated_at"
    MOST_RECENTLY_UPDATED = "-updated_at"
    DUE_FIRST = "due_at"
    DUE_LAST = "-due_at"


class CardState(StrEnum):
    """Which cards of a board: those in use, those that are archived themselves, or those that are deleted themselves.

    A card in use is neither, and its list is live; and its list is not archived, unless the query names that list.
    A deleted card is found also when its list is archived, but not when its list is deleted; until it is purged, or for
    as long as the query says.
    """

    ACTIVE = "in_use"
    ARCHIVED = "archived"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class CardQuery:
    """Which cards, in which order: those that fit all that is not None.

    `q` is a substring of the title, the description or a comment, without regard to case (`kanban.text`).
    `assignee_id` is a user's id, `label_id` that of a live label. `due_from` is included in the range, `due_until` is
    not. `overdue_at` asks for cards that were due before that moment, are not marked complete and not done.
    `updated_since` is included, and so is `deleted_since`, which is for cards that are deleted.
    """

    list_id: str | None = None
    status: Stage | None = None
    q: str | None = None
    sort: CardSort = CardSort.POSITION
    state: CardState = CardState.ACTIVE
    label_id: str | None = None
    assignee_id: str | None = None
    due_from: datetime | None = None
    due_until: datetime | None = None
    overdue_at: datetime | None = None
    updated_since: datetime | None = None
    deleted_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PartKey:
    """Names a part of a card: a TimeEntry, a Checklist or a Comment."""

    part_type: type[Part]
    card_id: str
    id: str


@dataclass(frozen=True, slots=True)
class NeighbourOf:
    """A wish to know what lies just above ('before') or just below ('after') a card in its list."""

    card_id: str
    side: Literal["before", "after"]


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


class Store(Protocol):
    """Everything may raise Busy. Pages are asked for with the `next` of the page before, or None."""

    def read_board(
        self,
        board_id: str,
        user_id: str,
        *,
        card_ids: Sequence[str] = (),
        neighbour_of: NeighbourOf | None = None,
        parts: Sequence[PartKey] = (),
    ) -> BoardView | None:
        """The board, its lists, members and labels, and the cards named (that of `beside` among them) that are live.

        An archived card is live; so is a card in an archived list. Parts come with live cards only.
        """

    def read_deleted(
        self, board_id: str, user_id: str, *, list_ids: Sequence[str] = (), card_ids: Sequence[str] = ()
    ) -> BoardView | None:
        """As `read_board`, but also if the board is deleted.

        Of the lists and cards named, those that are deleted come too, the lists after the live ones. None only where
        there never was such a board, where it has been purged, or where the user is not a member.
        """

    def page_deleted_lists(
        self, board_id: str, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[List]] | None:
        """Lists of a live board that were deleted at that moment or later, newest first.

        A page may be shorter than the limit, and may be empty while more follow.
        """

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        """Cards that the query asks for. A page may be shorter than the limit, but is empty only at the end.

        A card that is moved while someone pages may be seen twice or not at all; others are seen once,
        except across a rebalance of their list. A `list_id` that is not live there gives an empty page.
        """

    def page_assigned_cards(
        self, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> Page[tuple[BoardView, Card]]:
        """Cards in use on boards in use that the user is assigned to: newest board first, there the oldest card first.

        Of the query, `status`, `due_from`, `due_until` and `overdue_at` count. Each card comes with its board, seen at
        the same moment. A page may be shorter than the limit, and may be empty while more follow.
        """

    def read_card_ranks(
        self, board_id: str, user_id: str, list_id: str
    ) -> tuple[BoardView, tuple[CardRank, ...]] | None:
        """The places of all cards of a live list, in order, hidden ones too; none for a list that is not live."""

    def page_events(
        self, board_id: str, user_id: str, after_seq: int, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        """Events with a greater seq, oldest first. The next position is the seq of the last."""

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        """The card's time entries, oldest first. Without a live card, no entries: `view.card` tells."""

    def read_checklists(
        self, board_id: str, user_id: str, card_id: str
    ) -> tuple[BoardView, tuple[Checklist, ...]] | None:
        """The card's checklists in their order. Without a live card, none: `view.cards` tells."""

    def page_comments(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Comment]] | None:
        """The card's comments, newest first. Without a live card, none: `view.cards` tells."""

    def page_board_time_entries(
        self, board_id: str, user_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[tuple[TimeEntry, Card]]] | None:
        """The board's time entries that reach into the span (its end is not included), with their cards.

        Those of deleted cards, and of cards of deleted lists, are left out. What ended first comes first, entries that
        are open at the end; of the same second, in the order of their ids. A page may be shorter than the limit,
        and may be empty while more follow.
        """

    def page_boards(
        self, user_id: str, limit: int, after: PageKey | None = None, *, archived: bool = False
    ) -> Page[tuple[Board, Role]]:
        """Live boards that the user is a member of, newest first: those in use, or those that are archived.

        A page may be shorter than the limit, and may be empty while more follow.
        """

    def page_deleted_boards(
        self, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> Page[tuple[Board, Role]]:
        """As `page_boards`, those that were deleted at that moment or later and that the user is an owner of."""

    def find_board_id(self, user_id: str, external_id: str) -> str | None:
        """The id of the live board that this user made with that external id."""

    def read_users(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        """Those of these users that there are, by id."""

    def read_user(self, user_id: str) -> User | None:
        """The user of that id."""

    def read_installation_owner(self) -> User | None:
        """The first user that was ever made, None in a new store."""

    def read_token_by_digest(self, digest: str) -> tuple[Token, User] | None:
        """The token of that digest and its user, also when it is revoked or has expired.

        A token is revoked with any of its ancestors, however many tokens come from these; and the token of a digest
        that a rotation has replaced is None. Both hold from the commit on, for every process.
        """

    def read_token(self, user_id: str, token_id: str) -> Token | None:
        """The user's token of that id, also when it is revoked or has expired."""

    def page_tokens(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[Token]:
        """The user's tokens that are not revoked, newest first.

        A page may be shorter than the limit, and may be empty while more follow.
        """

    def read_stored_response(self, user_id: str, operation_id: str, key: str, now: datetime) -> StoredResponse | None:
        """What was answered to that key, if it has not expired."""

    def commit(
        self, change: Change, response: StoredResponse | None = None, progress: Callable[[int], None] | None = None
    ) -> None:
        """Write all of it or nothing. `progress` is told how many of the `creates` and of the `history` are written.

        With an event, the board must still have the seq before the first event's and be live (with `revives`:
        be deleted), and the actor must be a member who may write (editor or owner) or whose own place is among the
        `deletes`; else Stale. A board among the `creates` is made instead: nobody sees any of it before all of it
        is there, whatever its size. Without an event, only users and tokens are written, and each update must find
        the version before its own; else Stale. So must the other board of an `origin`, for its own event.

        Raises AlreadyExists for an id, or an external id of a live board, list or card, that is taken, or a
        member who is there already. A card in a deleted list gives its external id up; a card or list that
        comes back must find its own free. An idempotency key that is taken, and had not expired when `remember` was
        created, is told before anything else, so that its answer can be replayed.

        `change.rebalance` asks that the cards of that list get new, short ranks in their present order, the
        deleted ones with them. It is a wish about length, never a condition of being right: SQL does it in
        the same transaction, another engine may do it afterwards in steps, each of which keeps the order and
        makes writers who read before it Stale. A wish that got lost is made again by the next long rank.
        """

    def purge(self, before: datetime, limit: int) -> int:
        """Erase about `limit` things that belong to boards, lists and cards deleted before that moment.

        Answers how many were erased; 0 when nothing is left to erase, but what another purge is erasing at this
        moment. Each call is one bounded step: it may be interrupted anywhere, and whoever calls next goes on. Events
        of a board are erased with the board alone. What a write of many steps left behind, because it was
        interrupted, is erased in the same way.
        """

    def purge_expired_responses(self, now: datetime, limit: int) -> int:
        """Erase up to `limit` answers to idempotency keys that have expired; how many were erased.

        0 when none is left, but what another purge is erasing at this moment; and where the engine erases them by
        itself.
        """

    def touch_token(self, token_id: str, at: datetime) -> None:
        """Note the last use of a token, if that can be done without waiting. Never raises Busy."""

    def check_ready(self) -> None:
        """Do one keyed read, and see whether writes are accepted, where that can be seen without leaving anything.

        Raises Busy or Unavailable.
        """

    def read_secret(self) -> bytes:
        """32 random bytes that belong to the data: the same for every process that uses it."""

    def close(self) -> None:
        """Let go of files and connections."""
