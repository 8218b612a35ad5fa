"""Lanes: each runs functions in a few threads of its own, and lets a bounded number of them wait.

The event loop never waits for a store: it gives such work to a lane. What is slow in one lane delays no other.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]


class LaneFull(Exception):
    """As many functions as may wait are waiting."""


class Lane:
    """A number of threads with one queue. They are daemons: a function that never ends doesn't keep the process."""

    def __init__(self, name: str, thread_count: int, max_waiting: int) -> None:
        """Start the threads. `max_waiting` is how many functions may wait while all threads are busy."""
        self.name = name
        self._thread_count = thread_count
        self._capacity = thread_count + max_waiting
        self._unfinished_count = 0
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        for number in range(thread_count):
            Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    @property
    def thread_count(self) -> int:
        """How many threads there are."""
        return self._thread_count

    @property
    def busy_count(self) -> int:
        """How many threads are at work."""
        return min(self._unfinished_count, self._thread_count)

    @property
    def waiting_count(self) -> int:
        """How many functions wait for a thread."""
        return max(self._unfinished_count - self._thread_count, 0)

    async def run(self, function: Callable[[], _Result]) -> _Result:
        """Run a function in the lane. If the caller is cancelled, a function that still waits is dropped.

        Raises:
            LaneFull: Too many wait already.
        """
        if self._unfinished_count >= self._capacity:
            raise LaneFull
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Result] = loop.create_future()
        self._unfinished_count += 1
        self._jobs.put((loop, future, function))
        try:
            return await future
        finally:
            self._unfinished_count -= 1

    def close(self) -> None:
        """Let the threads end after what they have begun."""
        for _ in range(self._thread_count):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, future, function = job
            if future.cancelled():
                continue
            result, error = None, None
            try:
                result = function()
            except Exception as raised:  # noqa: BLE001 - whoever waits for the function gets it.
                error = raised
            # Nobody waits any more if the loop has ended meanwhile.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_resolve, future, result, error)


def _resolve(future: "asyncio.Future[Any]", result: object, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
