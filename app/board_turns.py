"""Turns: those who write to one board in this process do so one after the other, in the order in which they came."""

import threading
import time
from collections import deque

from contract.request_context import get_request_context
from kanban.store import Busy


class BoardTurns:
    """The turns at all boards. A board takes up memory only while somebody has its turn. Threads may share it."""

    def __init__(self, timeout_seconds: float) -> None:
        """Take how long anybody waits for a turn."""
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        # By board: a locked lock for each thread, the first of which has the turn; the others wait for theirs.
        self._queues: dict[str, deque[threading.Lock]] = {}

    def __len__(self) -> int:
        """Return at how many boards somebody has the turn."""
        return len(self._queues)

    def take(self, board_id: str) -> "_Turn":
        """Return the context in which a thread has the turn at a board. Entering it waits for the turn.

        Raises:
            Busy: The turn did not come in time.
        """
        return _Turn(self, board_id)

    def enter(self, board_id: str, turn: threading.Lock) -> None:
        """Join the queue of a board, and wait for the turn. Raises Busy."""
        with self._lock:
            queue = self._queues.setdefault(board_id, deque())
            queue.append(turn)
            if queue[0] is turn:
                return
        has_turn, began_at = False, time.perf_counter()
        try:
            has_turn = turn.acquire(timeout=self._timeout_seconds)
        finally:
            get_request_context().turn_seconds += time.perf_counter() - began_at
            if not has_turn:
                self.leave(board_id, turn)
        if not has_turn:
            raise Busy

    def leave(self, board_id: str, turn: threading.Lock) -> None:
        """Leave the queue, and pass on the turn. A thread that gave up waiting may just have got it."""
        with self._lock:
            queue = self._queues[board_id]
            had_turn = queue[0] is turn
            queue.remove(turn)
            if not queue:
                del self._queues[board_id]
            elif had_turn:
                queue[0].release()


class _Turn:
    """The context in which a thread has the turn at a board."""

    __slots__ = ("_board_id", "_lock", "_turns")

    def __init__(self, turns: BoardTurns, board_id: str) -> None:
        self._turns = turns
        self._board_id = board_id
        self._lock = threading.Lock()
        self._lock.acquire()

    def __enter__(self) -> None:
        self._turns.enter(self._board_id, self._lock)

    def __exit__(self, *_: object) -> None:
        self._turns.leave(self._board_id, self._lock)
