"""Followers: requests that wait until there is news of a board. Each costs its connection, and no thread.

A commit of this process wakes the followers of its boards. What other processes commit is found by a poll: one cheap
read of all followed boards at a time. Only the event loop may use this.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial

from contract.problems import Problem
from server.lanes import Lane

log = logging.getLogger("tackboard")

MAX_FOLLOWERS = 5_000
"""The most requests that wait or stream at once; at most half of the connections that the system allows."""
MAX_FOLLOWERS_PER_USER = 100
"""The most requests of one user that wait or stream at once."""
MAX_BOARDS_PER_POLL = 500
"""How many boards one read of a poll is about."""

_MAX_REMEMBERED = 1_000
_RETRY_HEADERS = {"Retry-After": "5"}

ReadSeqs = Callable[[Sequence[str]], Mapping[str, int]]
"""Reads the seqs of boards by id; a board that doesn't exist has none."""


class Wakeup(Enum):
    """Why a follower stops to wait."""

    NEWS = "news"
    TIME = "time"
    GONE = "gone"
    """The client has closed the connection."""
    STOP = "stop"
    """The server stops."""


@dataclass(frozen=True, slots=True)
class FollowSettings:
    """How long the server waits, in seconds, and for how many."""

    poll: float = 1.0
    """Between two looks at what other processes have committed."""
    heartbeat: float = 15.0
    """Between two signs of life on a stream."""
    stream: float = 300.0
    """Until a stream ends, and its client connects again."""
    max_followers: int = MAX_FOLLOWERS
    max_per_user: int = MAX_FOLLOWERS_PER_USER


class _Follower:
    """One that waits: its future, and the seq of the board that it knows."""

    __slots__ = ("future", "seq")

    def __init__(self, future: "asyncio.Future[Wakeup]", seq: int) -> None:
        self.future = future
        self.seq = seq

    def wake(self, reason: Wakeup) -> None:
        if not self.future.done():
            self.future.set_result(reason)


class Followers:
    """All followers of a server, by board."""

    def __init__(self, lane: Lane, read_seqs: ReadSeqs | None, settings: FollowSettings) -> None:
        """Poll with `read_seqs` in a lane; without it, only commits of this process are news."""
        self._lane = lane
        self._read_seqs = read_seqs
        self._settings = settings
        self._count = 0
        self._counts: Counter[str] = Counter()
        self._waiting: dict[str, set[_Follower]] = {}
        # A board may be written to between a read of a follower and its wait.
        self._latest_seqs: OrderedDict[str, int] = OrderedDict()
        self._poll: asyncio.Task[None] | None = None
        self._is_stopping = False

    @property
    def count(self) -> int:
        """How many requests are held."""
        return self._count

    @contextmanager
    def admit(self, user_id: str) -> Iterator[None]:
        """Count a follower while it follows. Raises Problem if there are too many."""
        if self._counts[user_id] >= self._settings.max_per_user:
            detail = (
                f"{self._settings.max_per_user} of your requests wait for news or stream, which is the limit of a "
                "user: end one of them first."
            )
            raise Problem(
                429, "too_many_requests", detail, headers=_RETRY_HEADERS, members={"limit": self._settings.max_per_user}
            )
        if self._count >= self._settings.max_followers:
            detail = f"{self._settings.max_followers} requests wait for news, which is all that this server holds."
            raise Problem(503, "busy", detail, headers=_RETRY_HEADERS)
        self._count += 1
        self._counts[user_id] += 1
        try:
            yield
        finally:
            self._count -= 1
            self._counts[user_id] -= 1
            if not self._counts[user_id]:
                del self._counts[user_id]

    async def wait(self, board_id: str, seq: int, seconds: float, end: "asyncio.Future[None]") -> Wakeup:
        """Wait until a board has another seq, or `end` is done, or the server stops, or the time is over."""
        if end.done():
            return Wakeup.GONE
        if self._is_stopping:
            return Wakeup.STOP
        if self._latest_seqs.get(board_id, seq) > seq:
            return Wakeup.NEWS
        loop = asyncio.get_running_loop()
        follower = _Follower(loop.create_future(), seq)
        leave = partial(_wake_at_end, follower)
        end.add_done_callback(leave)
        timer = loop.call_later(max(seconds, 0), follower.wake, Wakeup.TIME)
        self._waiting.setdefault(board_id, set()).add(follower)
        self._begin_to_poll(loop)
        try:
            return await follower.future
        finally:
            timer.cancel()
            end.remove_done_callback(leave)
            self._forget(board_id, follower)

    def announce(self, board_id: str, seq: int) -> None:
        """Wake the followers of a board, which has that seq now."""
        self._latest_seqs[board_id] = max(seq, self._latest_seqs.pop(board_id, 0))
        if len(self._latest_seqs) > _MAX_REMEMBERED:
            self._latest_seqs.popitem(last=False)
        for follower in self._waiting.get(board_id, ()):
            if follower.seq < seq:
                follower.wake(Wakeup.NEWS)

    def stop(self) -> None:
        """Wake all followers, and let no request wait from now on."""
        self._is_stopping = True
        if self._poll:
            self._poll.cancel()
        for followers in self._waiting.values():
            for follower in followers:
                follower.wake(Wakeup.STOP)

    def _forget(self, board_id: str, follower: _Follower) -> None:
        followers = self._waiting[board_id]
        followers.discard(follower)
        if not followers:
            del self._waiting[board_id]

    def _begin_to_poll(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._read_seqs and (self._poll is None or self._poll.done()):
            self._poll = loop.create_task(self._run_polls(self._read_seqs))

    async def _run_polls(self, read_seqs: ReadSeqs) -> None:
        """Look for news as long as any follower waits."""
        has_failed = False
        while True:
            await asyncio.sleep(self._settings.poll)
            if not self._waiting:
                return
            board_ids = [*self._waiting]
            try:
                for start in range(0, len(board_ids), MAX_BOARDS_PER_POLL):
                    await self._poll_boards(read_seqs, board_ids[start : start + MAX_BOARDS_PER_POLL])
            except Exception as error:  # noqa: BLE001 - the next poll may succeed, and followers also end by time.
                if not has_failed:
                    log.warning("Followers of boards don't learn of other processes' commits: %s", type(error).__name__)
                has_failed = True
            else:
                has_failed = False

    async def _poll_boards(self, read_seqs: ReadSeqs, board_ids: Sequence[str]) -> None:
        seqs = await self._lane.run(partial(read_seqs, board_ids))
        for board_id in board_ids:
            for follower in self._waiting.get(board_id, ()):
                # A board that was purged has no seq, and one that was restored may have a lower one.
                if follower.seq != seqs.get(board_id):
                    follower.wake(Wakeup.NEWS)


def _wake_at_end(follower: _Follower, _: object) -> None:
    follower.wake(Wakeup.GONE)
