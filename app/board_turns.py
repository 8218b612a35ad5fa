"""Turns: those who write to one board in this process do so one after the other, in the order in which they came."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

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

    @contextmanager
    def take(self, board_id: str) -> Iterator[None]:
        """Wait for the turn at a board, and have it until the end of the context.

        Raises:
            Busy: It did not come in time.
        """
        turn = threading.Lock()
        turn.acquire()
        with self._lock:
            queue = self._queues.setdefault(board_id, deque())
            queue.append(turn)
            has_turn = queue[0] is turn
        try:
            if not has_turn and not turn.acquire(timeout=self._timeout_seconds):
                raise Busy
            yield
        finally:
            self._leave(board_id, queue, turn)

    def _leave(self, board_id: str, queue: deque[threading.Lock], turn: threading.Lock) -> None:
        """Leave the queue, and pass on the turn. A thread that gave up waiting may just have got it."""
        with self._lock:
            had_turn = queue[0] is turn
            queue.remove(turn)
            if not queue:
                del self._queues[board_id]
            elif had_turn:
                queue[0].release()
