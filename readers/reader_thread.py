"""Run the readers of the feed, the jobs and the builder of flow segments in the background of a server."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TypeVar

from kanban.store import Busy
from readers.flow_segments import FlowSegmentBuilder
from readers.jobs import JobRunner
from readers.runner import Runner

log = logging.getLogger("tackboard")

T = TypeVar("T")

ShouldGoOn = Callable[[], bool]
"""Tells whether to begin anything more."""

POLL_INTERVAL = timedelta(seconds=1)
"""How often the thread looks for what is due, unless it is told otherwise."""

WORKERS = 4
"""How much is run at once, so that a slow receiver doesn't delay all others."""


class ReaderThread:
    """Looks for what is due, and runs it until it is stopped. Several processes may do that."""

    def __init__(
        self,
        runner: Runner,
        job_runner: JobRunner,
        segment_builder: FlowSegmentBuilder,
        interval: timedelta = POLL_INTERVAL,
    ) -> None:
        self._runner = runner
        self._job_runner = job_runner
        self._segment_builder = segment_builder
        self._interval = interval.total_seconds()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="readers", daemon=True)
        self._running: dict[tuple[str, str], Future[None]] = {}

    @property
    def running_count(self) -> int:
        """How many readers and jobs are at work."""
        return sum(not future.done() for future in tuple(self._running.values()))

    def start(self) -> None:
        """Start, once."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Begin nothing more, and wait for so many seconds until what has begun is over.

        What takes longer ends with the process. Its leases end by themselves, and nothing is lost.
        """
        self._is_stopping.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        pool = ThreadPoolExecutor(WORKERS, "reader")
        try:
            while not self._is_stopping.wait(self._interval):
                self._begin(pool)
            wait(self._running.values())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        """Begin to run what is due, but for what runs already."""
        self._running = {key: future for key, future in self._running.items() if not future.done()}
        for reader in _list_due("The readers of the feed", self._runner.list_due):
            self._submit(pool, "A reader of the feed", (reader.board_id, reader.name), self._runner.run, reader)
        for job in _list_due("The jobs", self._job_runner.list_due):
            self._submit(pool, "A job", (job.user_id, job.id), self._job_runner.run, job)
        # One board at a time: after an upgrade there may be many, and webhooks must not wait for them.
        if board_ids := _list_due("The flow segments", self._segment_builder.search_due):
            self._submit(pool, "A builder of flow segments", ("", "segments"), self._segment_builder.run_all, board_ids)

    def _submit(
        self, pool: ThreadPoolExecutor, kind: str, key: tuple[str, str], run: Callable[[T, ShouldGoOn], object], due: T
    ) -> None:
        if key not in self._running:
            self._running[key] = pool.submit(self._run_safely, kind, run, due)

    def _should_go_on(self) -> bool:
        return not self._is_stopping.is_set()

    def _run_safely(self, kind: str, run: Callable[[T, ShouldGoOn], object], due: T) -> None:
        if self._is_stopping.is_set():
            return
        try:
            run(due, self._should_go_on)
        except Busy as error:
            log.warning("%s has to wait: %s", kind, error)
        except Exception:
            # The future's result is not read. The same is tried once more when its lease has ended.
            log.exception("%s failed", kind)


def _list_due(kind: str, list_due: Callable[[], Sequence[T]]) -> Sequence[T]:
    """Return what is due, nothing while the store is away."""
    try:
        return list_due()
    except Busy as error:
        log.warning("%s can't be read now: %s", kind, error)
        return ()
