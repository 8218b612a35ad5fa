"""An engine that tells how long each read and each writing transaction has taken."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType

from kanban.request_usage import UsageStore
from stores.measured_calls import OnCall
from stores.sql.engine import Engine, Transaction
from stores.sql.mapping import Row
from stores.sql.statement_cache import BoundStatement


class MeasuredEngine:
    """An engine around another one. What processes tell each other about usage isn't measured: no request waits."""

    def __init__(self, engine: Engine, on_call: OnCall, clock: Callable[[], float] = time.perf_counter) -> None:
        self._engine = engine
        self._on_call = on_call
        self._clock = clock
        self.dialect = engine.dialect
        self.supports_lateral = engine.supports_lateral
        self.probe_statement = engine.probe_statement
        self.pipelines_reads = engine.pipelines_reads

    @property
    def request_usage(self) -> UsageStore:
        """Return the store of how much of their limits callers have used."""
        return self._engine.request_usage

    def read(self, statements: Sequence[BoundStatement], *, stop_if_first_empty: bool = False) -> list[list[Row]]:
        """Return the rows of each query, all from one snapshot."""
        started_at = self._clock()
        try:
            return self._engine.read(statements, stop_if_first_empty=stop_if_first_empty)
        finally:
            self._on_call("read", self._clock() - started_at, 0.0)

    def begin_write(self, *, wait: bool = True) -> AbstractContextManager[Transaction]:
        """Begin a writing transaction."""
        return _MeasuredWrite(self._engine.begin_write(wait=wait), self._on_call, self._clock)

    def measure_size(self) -> int:
        """Return how many bytes the data takes up."""
        return self._engine.measure_size()

    def ensure_disk_space(self) -> None:
        """Raise Unavailable if the engine can tell that the disk is almost full."""
        self._engine.ensure_disk_space()

    def close(self) -> None:
        """Close the connections."""
        self._engine.close()


class _MeasuredWrite:
    """The context of a writing transaction. Until it is entered, it waits: for other writers, or for a connection."""

    __slots__ = ("_clock", "_context", "_on_call", "_started_at", "_waited_seconds")

    def __init__(
        self, context: AbstractContextManager[Transaction], on_call: OnCall, clock: Callable[[], float]
    ) -> None:
        self._context = context
        self._on_call = on_call
        self._clock = clock
        self._started_at = 0.0
        self._waited_seconds = 0.0

    def __enter__(self) -> Transaction:
        self._started_at = self._clock()
        try:
            return self._context.__enter__()
        except BaseException:
            seconds = self._clock() - self._started_at
            self._on_call("write", seconds, seconds)
            raise
        finally:
            self._waited_seconds = self._clock() - self._started_at

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> bool | None:
        try:
            return self._context.__exit__(kind, error, where)
        finally:
            self._on_call("write", self._clock() - self._started_at, self._waited_seconds)
