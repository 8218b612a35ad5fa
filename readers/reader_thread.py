"""Run the readers of the feed in the background of a server."""

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta

from kanban.store import Busy
from kanban.values import FeedReader
from readers.runner import Runner

log = logging.getLogger("tackboard")

POLL_INTERVAL = timedelta(seconds=1)
"""How often the thread looks for readers that are due, unless it is told otherwise."""

WORKERS = 4
"""How many readers are run at once, so that a slow receiver doesn't delay all others."""


class ReaderThread:
    """Looks for readers that are due, and runs them until it is stopped. Several processes may do that."""

    def __init__(self, runner: Runner, interval: timedelta = POLL_INTERVAL) -> None:
        self._runner = runner
        self._interval = interval.total_seconds()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="readers", daemon=True)
        self._running: dict[tuple[str, str], Future[None]] = {}

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
        """Begin to run the readers that are due, but for those that run already."""
        self._running = {key: future for key, future in self._running.items() if not future.done()}
        try:
            readers = self._runner.list_due()
        except Busy as error:
            log.warning("The readers of the feed can't be read now: %s", error)
            return
        for reader in readers:
            key = (reader.board_id, reader.name)
            if key not in self._running:
                self._running[key] = pool.submit(self._run_reader, reader)

    def _run_reader(self, reader: FeedReader) -> None:
        if self._is_stopping.is_set():
            return
        try:
            self._runner.run(reader, lambda: not self._is_stopping.is_set())
        except Busy as error:
            log.warning("A reader of the feed has to wait: %s", error)
        except Exception:
            # The future's result is not read. The reader is tried once more when its lease has ended.
            log.exception("A reader of the feed failed")
