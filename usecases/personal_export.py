"""What is stored about a user, page by page: the account, and what they have on their boards.

A page makes a few reads of the store and ends, so it may hold little, and what was written between two pages may be
missing or be there twice. Deleted boards are left out, like everything that the user can't see themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kanban.store import CardQuery, Store
from kanban.values import Board, Card, Comment, Identity, Role, TimeEntry, Token, TokenKind, User
from kanban.views import BoardView, PageKey
from usecases.bots import list_bots

MAX_ITEMS_PER_PAGE = 100
"""A page ends after the read that reaches as many."""

MAX_READS_PER_PAGE = 10
"""Of one page: most of what is on a board may be by others."""

_ITEMS_PER_READ = 100
_ALL_TIME = (datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC))


@dataclass(slots=True)
class ExportPage:
    """Some of what is stored about a user."""

    identities: list[Identity] = field(default_factory=list)
    sessions: list[Token] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    boards: list[tuple[Board, Role]] = field(default_factory=list)
    assigned_cards: list[tuple[BoardView, Card]] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    time_entries: list[TimeEntry] = field(default_factory=list)
    bots: list[User] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether the page has as many items as it may have."""
        of_account = len(self.identities) + len(self.sessions) + len(self.tokens) + len(self.boards) + len(self.bots)
        of_boards = len(self.assigned_cards) + len(self.comments) + len(self.time_entries)
        return of_account + of_boards >= MAX_ITEMS_PER_PAGE


ReadPart = Callable[[Store, str, ExportPage, PageKey | None], PageKey | None]
"""Adds to a page what a read returns, from a key on; returns the key to go on from, None at the end."""


def read_page(store: Store, user_id: str, after: PageKey | None) -> tuple[ExportPage, PageKey | None]:
    """Return a page of what is stored about a user, and the key of the next one."""
    page = ExportPage()
    number, key = (int(after[0]), after[1:] or None) if after else (0, None)
    for _ in range(MAX_READS_PER_PAGE):
        key = _PARTS[number](store, user_id, page, key)
        number += key is None
        if number == len(_PARTS):
            return page, None
        if page.is_full:
            break
    return page, (number, *(key or ()))


def _read_identities(store: Store, user_id: str, page: ExportPage, _: PageKey | None) -> PageKey | None:
    page.identities += store.sign_in.list_identities(user_id)
    return None


def _read_sessions(store: Store, user_id: str, page: ExportPage, key: PageKey | None) -> PageKey | None:
    sessions = store.page_tokens(user_id, _ITEMS_PER_READ, key, TokenKind.SESSION)
    page.sessions += sessions.items
    return sessions.next_key


def _read_tokens(store: Store, user_id: str, page: ExportPage, key: PageKey | None) -> PageKey | None:
    tokens = store.page_tokens(user_id, _ITEMS_PER_READ, key)
    page.tokens += tokens.items
    return tokens.next_key


def _read_active_boards(store: Store, user_id: str, page: ExportPage, key: PageKey | None) -> PageKey | None:
    boards = store.page_boards(user_id, _ITEMS_PER_READ, key)
    page.boards += boards.items
    return boards.next_key


def _read_archived_boards(store: Store, user_id: str, page: ExportPage, key: PageKey | None) -> PageKey | None:
    boards = store.page_boards(user_id, _ITEMS_PER_READ, key, archived=True)
    page.boards += boards.items
    return boards.next_key


def _read_assigned_cards(store: Store, user_id: str, page: ExportPage, key: PageKey | None) -> PageKey | None:
    cards = store.page_assigned_cards(user_id, CardQuery(), _ITEMS_PER_READ, key)
    page.assigned_cards += cards.items
    return cards.next_key


def _read_comments(store: Store, user_id: str, page: ExportPage, key: PageKey | None) -> PageKey | None:
    def read(board_id: str, inner_key: PageKey | None) -> PageKey | None:
        result = store.page_parts(board_id, user_id, _ITEMS_PER_READ, inner_key)
        if result is None:
            return None
        _, parts = result
        page.comments += [part for part in parts.items if isinstance(part, Comment) and part.author_id == user_id]
        return parts.next_key

    return _read_on_boards(store, user_id, key, read)


def _read_time_entries(store: Store, user_id: str, page: ExportPage, key: PageKey | None) -> PageKey | None:
    def read(board_id: str, inner_key: PageKey | None) -> PageKey | None:
        result = store.page_board_time_entries(board_id, user_id, _ALL_TIME, _ITEMS_PER_READ, inner_key)
        if result is None:
            return None
        _, entries = result
        page.time_entries += [entry for entry, _ in entries.items if user_id in (entry.user_id, entry.recorded_by)]
        return entries.next_key

    return _read_on_boards(store, user_id, key, read)


def _read_bots(store: Store, user_id: str, page: ExportPage, _: PageKey | None) -> PageKey | None:
    person = store.read_user(user_id)
    page.bots += list_bots(store, person) if person else ()
    return None


def _read_on_boards(
    store: Store, user_id: str, key: PageKey | None, read: Callable[[str, PageKey | None], PageKey | None]
) -> PageKey | None:
    """Read something of the board that a key is at; return the key to go on from.

    A key has the length of the key before the board in the listing of boards, that key, and the one on the board.
    """
    length = int(key[0]) if key else 0
    board_key, inner_key = (key[1 : 1 + length] or None, key[1 + length :] or None) if key else (None, None)
    boards = store.page_board_ids(user_id, 1, board_key)
    for board_id in boards.items:
        next_inner_key = read(board_id, inner_key)
        if next_inner_key is not None:
            return (length, *(board_key or ()), *next_inner_key)
    return (len(boards.next_key), *boards.next_key) if boards.next_key else None


_PARTS: tuple[ReadPart, ...] = (
    _read_identities,
    _read_sessions,
    _read_tokens,
    _read_active_boards,
    _read_archived_boards,
    _read_assigned_cards,
    _read_comments,
    _read_time_entries,
    _read_bots,
)
