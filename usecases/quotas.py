"""Quotas: how much of an installation a user may take.

What counts is on boards that the user has created and is a member of. Deleted boards don't count, archived ones do.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from kanban.boards import TooManyBoards
from kanban.members import TooManyMembersPerUser
from kanban.store import Store
from kanban.values import Board
from kanban.views import BoardView, PageKey
from usecases.text_counts import TextCounts

_BOARDS_PER_READ = 100

_BOARDS_WITH_MEMBERS = 10_000
"""Of how many of a user's boards the members are counted, the newest first: of all if their number has a quota."""


class QuotaLimits(NamedTuple):
    """How much each user may take, None for any amount.

    These are boards, different members of these boards besides the user, and bytes of text on them.
    """

    boards: int | None = None
    members: int | None = None
    text_bytes: int | None = None


NO_QUOTAS = QuotaLimits()


class Quotas:
    """The quotas of an installation. Without a limit, nothing is read.

    Two requests at once may both be admitted although there is room for one.
    """

    __slots__ = ("_limits", "_store", "_text_counts")

    def __init__(self, store: Store, limits: QuotaLimits, text_counts: TextCounts | None = None) -> None:
        """`text_counts` has how many bytes the boards of users hold, if they may not hold any number."""
        self._store = store
        self._limits = limits
        self._text_counts = text_counts

    def ensure_room_for_board(self, user_id: str) -> None:
        """Raise TooManyBoards or TooManyBytes if the user has created as much as a user may."""
        if self._text_counts is not None:
            self._text_counts.ensure_room(user_id, None)
        limit = self._limits.boards
        if limit is not None and has_created_boards(self._store, user_id, limit):
            raise TooManyBoards(limit)

    def ensure_room_for_member(self, view: BoardView, user_id: str) -> None:
        """Raise TooManyMembersPerUser if the boards of this board's creator have as many members as a user's may.

        A user who is a member of one of them already may become one of any other.
        """
        limit, creator_id = self._limits.members, view.board.created_by
        if limit is None or user_id == creator_id or view.has_member(user_id) or not view.has_member(creator_id):
            return
        member_ids = read_member_ids(self._store, creator_id)
        if user_id not in member_ids and len(member_ids) >= limit:
            raise TooManyMembersPerUser(limit)


def has_created_boards(store: Store, user_id: str, number: int) -> bool:
    """Tell whether a user has created so many of the boards that they are on, archived ones included."""
    return sum(1 for _ in islice(read_created_boards(store, user_id), number)) == number


def read_member_ids(store: Store, creator_id: str) -> set[str]:
    """Return the ids of the members of the boards that a user has created, without the user's own."""
    fellow_ids = store.read_fellow_ids(creator_id, _BOARDS_WITH_MEMBERS)
    created = (board.id for board in read_created_boards(store, creator_id))
    return {user_id for board_id in created for user_id in fellow_ids.get(board_id, ())} - {creator_id}


def read_created_boards(store: Store, user_id: str) -> Iterator[Board]:
    """Yield the boards that the user has created and is a member of."""
    for archived in (False, True):
        after: PageKey | None = None
        while True:
            page = store.page_boards(user_id, _BOARDS_PER_READ, after, archived=archived)
            yield from (board for board, _ in page.items if board.created_by == user_id)
            after = page.next_key
            if after is None:
                break
