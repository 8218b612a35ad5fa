"""The port: what the rules need from whatever remembers the boards.

An engine knows versions and conditions, never rules. Every read answers one consistent moment. A read of a
board answers None when there is no such live board and when the user is not a member: one answer for both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from kanban.values import (
    Board,
    BoardView,
    Card,
    Change,
    Event,
    Page,
    Position,
    Remembered,
    Role,
    Stage,
    TimeEntry,
    Token,
    User,
)

PAGE_BYTES = 1_048_576
"""A page of cards ends early rather than hold more text than this (UTF-8), but never before one card."""


class StoreError(Exception):
    """The store did not do what was asked; nothing was written, unless a subclass says otherwise."""


class Stale(StoreError):
    """Something changed since it was read: read again, decide again."""


class AlreadyExists(StoreError):
    """A unique thing is there already."""

    def __init__(self, what: str) -> None:
        """What: 'user', 'board', 'list', 'card', 'token', 'list.external_id', 'idempotency_key', ..."""
        super().__init__(f"Already exists: {what}.")
        self.what = what


class Busy(StoreError):
    """The store could not do it in time. Trying again later may help."""


class Unavailable(Busy):
    """The store cannot be used: disk full, file gone, server away. An operator should look.

    When the connection broke in the middle of a commit, nobody knows whether all of it was written or nothing.
    """


class Sort(StrEnum):
    """The orders of a page of cards. Cards changed at the same second stand in the order of their ids."""

    POSITION = "position"
    OLDEST = "created_at"
    NEWEST = "-created_at"
    LEAST_RECENT = "updated_at"
    MOST_RECENT = "-updated_at"


@dataclass(frozen=True, slots=True)
class CardQuery:
    """Which cards, in which order. `q` is a substring of title or description, without regard to case."""

    list_id: str | None = None
    status: Stage | None = None
    q: str | None = None
    sort: Sort = Sort.POSITION


@dataclass(frozen=True, slots=True)
class Beside:
    """A wish to know what lies just above ('before') or just below ('after') a card in its list."""

    card_id: str
    side: Literal["before", "after"]


class Store(Protocol):
    """Everything may raise Busy. Pages are asked for with the `next` of the page before, or None."""

    def read_board(
        self, board_id: str, user_id: str, *, card_ids: Sequence[str] = (), beside: Beside | None = None
    ) -> BoardView | None:
        """The board, its lists, and the cards named (that of `beside` among them) as far as they are live."""

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: Position | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        """Live cards of live lists. A page may be shorter than the limit, but is empty only at the end.

        A card that is moved while someone pages may be seen twice or not at all; others are seen once,
        except across a rebalance of their list. A `list_id` that is not live there gives an empty page.
        """

    def page_events(
        self, board_id: str, user_id: str, after_seq: int, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        """Events with a greater seq, oldest first. The next position is the seq of the last."""

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: Position | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        """The card's time entries, oldest first. Without a live card, no entries: `view.card` tells."""

    def page_boards(self, user_id: str, limit: int, after: Position | None = None) -> Page[tuple[Board, Role]]:
        """Live boards that the user is a member of, newest first."""

    def user(self, user_id: str) -> User | None:
        """The user of that id."""

    def owner(self) -> User | None:
        """The first user that was ever made, None in a new store."""

    def token_holder(self, digest: str) -> tuple[Token, User] | None:
        """The token of that digest and its user, also when it is revoked or has expired."""

    def token(self, user_id: str, token_id: str) -> Token | None:
        """The user's token of that id, also when it is revoked or has expired."""

    def page_tokens(self, user_id: str, limit: int, after: Position | None = None) -> Page[Token]:
        """The user's tokens that are not revoked, newest first."""

    def remembered(self, user_id: str, operation_id: str, key: str, now: datetime) -> Remembered | None:
        """What was answered to that key, if it has not expired."""

    def commit(self, change: Change, remember: Remembered | None = None) -> None:
        """Write all of it or nothing.

        With an event, the board must still have the seq before the event's and be live, and the actor must
        be a member who may write (editor or owner); else Stale. An event of seq 1 makes the board instead.
        Without one, only users and tokens are written, and each update must find the version before its own;
        else Stale.

        Raises AlreadyExists for an id, or an external id of a live list or card, that is taken. A card in
        a deleted list gives its external id up. An idempotency key that is taken, and had not expired when
        `remember` was created, is told before anything else, so that its answer can be replayed.

        `change.rebalance` asks that the cards of that list get new, short ranks in their present order, the
        deleted ones with them. It is a wish about length, never a condition of being right: SQL does it in
        the same transaction, another engine may do it afterwards in steps, each of which keeps the order and
        makes writers who read before it Stale. A wish that got lost is made again by the next long rank.
        """

    def touch_token(self, token_id: str, at: datetime) -> None:
        """Note the last use of a token, if that can be done without waiting. Never raises Busy."""

    def ready(self) -> None:
        """Do one keyed read. Raises Busy or Unavailable."""

    def secret(self) -> bytes:
        """32 random bytes that belong to the data: the same for every process that uses it."""

    def close(self) -> None:
        """Let go of files and connections."""
