"""How many bytes of text the boards of users hold, as it was counted some time ago.

Nothing is counted in a request: a count reads whole boards. So a quota of bytes is kept late. A user's boards are
counted again ten minutes after the last time, and after one minute if what was sent since may have reached the quota.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from queue import Full
from threading import Lock

from kanban.boards import TooManyBytes
from kanban.store import Store, StoreError
from kanban.values import Board

log = logging.getLogger("tackboard")

RECOUNT_SECONDS = 600.0
MIN_SECONDS_BETWEEN_COUNTS = 60.0
_MAX_KNOWN = 10_000
"""Of how many users and boards the last counts are remembered."""

ReadBoards = Callable[[Store, str], Iterator[Board]]
"""Returns the boards that count for a user."""
RunLater = Callable[[Callable[[], None]], object]
"""Runs a function later, one at a time. Raises Full if too many wait."""


@dataclass(slots=True)
class _Count:
    """What was counted and when, and how many bytes may have been added since."""

    total: int
    at: float
    added: int = 0


class TextCounts:
    """Counts the texts on the boards of users, one user at a time. Threads may share it.

    A board that has not changed since is not read again. Until the first count of a process is there, everything is
    admitted; so it is for a minute when the store can't be read.
    """

    def __init__(
        self, store: Store, maximum: int, read_boards: ReadBoards, monotonic_clock: Callable[[], float], run: RunLater
    ) -> None:
        """Create it. `maximum` is how many bytes the boards of a user may hold."""
        self._store = store
        self._maximum = maximum
        self._read_boards = read_boards
        self._monotonic_clock = monotonic_clock
        self._run = run
        self._lock = Lock()
        self._counts: dict[str, _Count] = {}
        self._counts_by_board: dict[str, tuple[int, int]] = {}
        self._waiting: set[str] = set()

    def ensure_room(self, user_id: str, added: int | None) -> None:
        """Raise TooManyBytes if the user's boards held the maximum when they were counted last.

        `added` is how many bytes the request adds at most, None if only its commit tells.
        """
        with self._lock:
            count = self._counts.get(user_id)
            if count is not None:
                count.added += self._maximum if added is None else added
            is_due = user_id not in self._waiting and (count is None or self._is_due(count))
            if is_due:
                self._waiting.add(user_id)
        if is_due:
            self._count_later(user_id)
        if count is not None and count.total >= self._maximum:
            raise TooManyBytes(count.total, self._maximum)

    def _is_due(self, count: _Count) -> bool:
        age = self._monotonic_clock() - count.at
        may_be_full = count.total + count.added >= self._maximum
        return age >= (MIN_SECONDS_BETWEEN_COUNTS if may_be_full else RECOUNT_SECONDS)

    def _count_later(self, user_id: str) -> None:
        try:
            self._run(partial(self._count, user_id))
        except Full:
            with self._lock:
                self._waiting.discard(user_id)

    def _count(self, user_id: str) -> None:
        total: int | None = None
        try:
            total = sum(map(self._count_board, self._read_boards(self._store, user_id)))
        except StoreError:
            # It may work the next time.
            pass
        except Exception:
            log.exception("The text of a user's boards could not be counted")
        finally:
            with self._lock:
                self._waiting.discard(user_id)
                self._remember(user_id, total)

    def _remember(self, user_id: str, total: int | None) -> None:
        if len(self._counts) >= _MAX_KNOWN:
            self._counts.clear()
        now = self._monotonic_clock()
        if total is not None:
            self._counts[user_id] = _Count(total, now)
            return
        known = self._counts.get(user_id)
        self._counts[user_id] = _Count(known.total if known else 0, now, self._maximum)

    def _count_board(self, board: Board) -> int:
        seq, total = self._counts_by_board.get(board.id, (0, 0))
        if seq != board.seq:
            total = self._store.sum_text_bytes(board.id)
            if len(self._counts_by_board) >= _MAX_KNOWN:
                self._counts_by_board.clear()
            self._counts_by_board[board.id] = (board.seq, total)
        return total
