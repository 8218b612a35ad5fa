"""Run the readers of the feed: each in order, at least once, with one call under way at a time.

The runner doesn't know what readers do. It keeps their cursors, holds their leases, gives them their events in batches
that stay the same from attempt to attempt, and lets them wait as long as they ask for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from kanban.feed_readers import LEASE_DURATION, FeedReaderStore, LeaseLost
from kanban.values import Event, FeedReader

MAX_BATCH_EVENTS = 100
"""How many events a reader gets at once."""

READERS_PER_PAGE = 200


@dataclass(frozen=True, slots=True)
class Handled:
    """The reader has done with the batch. If there was nothing to do, that is no call."""

    is_call: bool = True


@dataclass(frozen=True, slots=True)
class Retry:
    """The reader gets the same batch once more, not before that moment. If nothing was tried, that is no call."""

    at: datetime
    is_call: bool = True


@dataclass(frozen=True, slots=True)
class Sleep:
    """The reader gets the same batch once more when it is woken. If nothing was tried, that is no call."""

    is_call: bool = True


@dataclass(frozen=True, slots=True)
class Removed:
    """There is no such reader any more."""


Outcome = Handled | Retry | Sleep | Removed


class Handler(Protocol):
    """What readers of one kind do. It must take less time than a lease holds."""

    def choose_batch(self, reader: FeedReader, events: Sequence[Event]) -> int:
        """Return how many of these events to take at once, at least one. Called once for each batch."""

    def handle(self, reader: FeedReader, events: Sequence[Event]) -> Outcome:
        """Do what the reader does with a batch, which it may have been given before."""


class Runner:
    """Runs readers that are due. Threads, and other processes with the same data, may do the same."""

    def __init__(
        self,
        store: FeedReaderStore,
        handlers: Mapping[str, Handler],
        now: Callable[[], datetime],
        new_owner: Callable[[], str],
    ) -> None:
        """`handlers` are by what the names of readers begin with; `new_owner` returns a text never returned before."""
        self._store = store
        self._handlers = handlers
        self._now = now
        self._new_owner = new_owner

    def list_due(self) -> list[FeedReader]:
        """Return the readers of all boards that are due, and that there are events for."""
        readers: list[FeedReader] = []
        page = self._store.page_due_readers(self._now(), READERS_PER_PAGE)
        readers += page.items
        while page.next_key:
            page = self._store.page_due_readers(self._now(), READERS_PER_PAGE, page.next_key)
            readers += page.items
        return readers

    def run(self, reader: FeedReader, should_go_on: Callable[[], bool]) -> None:
        """Give a reader its batches, as long as there are some, it has done with each, and `should_go_on`.

        Raises Busy, and what its handler raises; then the same batch comes once more when the lease has ended.
        """
        handler = self._handlers.get(reader.name.partition(":")[0])
        batch = self._next_batch(handler, reader) if handler else []
        if handler is None or not batch:
            return
        owner = self._new_owner()
        leased = self._store.lease_reader(reader, owner, batch[-1].seq, self._now())
        try:
            while leased is not None:
                outcome = handler.handle(leased, batch)
                leased, batch = self._record(handler, leased, outcome, should_go_on)
        except LeaseLost:
            # Somebody else works for it by now, or it was reset.
            return

    def _record(
        self, handler: Handler, leased: FeedReader, outcome: Outcome, should_go_on: Callable[[], bool]
    ) -> tuple[FeedReader | None, Sequence[Event]]:
        """Write what has come of a batch, and begin the next one in the same write.

        Return the reader and that batch; None, and the lease is released, if nothing follows now. Raises LeaseLost.
        """
        if isinstance(outcome, Removed):
            self._store.remove_reader(leased.board_id, leased.name)
            return None, ()
        owner, now = leased.lease_owner or "", self._now()
        reader = _apply(leased, outcome, now)
        batch = self._next_batch(handler, reader) if isinstance(outcome, Handled) and should_go_on() else []
        if not batch:
            self._store.update_reader(replace(reader, lease_owner=None, lease_until=None), owner)
            return None, ()
        reader = replace(reader, batch_to=batch[-1].seq, lease_until=now + LEASE_DURATION)
        self._store.update_reader(reader, owner)
        return reader, batch

    def _next_batch(self, handler: Handler, reader: FeedReader) -> Sequence[Event]:
        """Return the events of the batch that was begun, or of the next one; none if not all of them are there."""
        count = MAX_BATCH_EVENTS if reader.batch_to is None else reader.batch_to - reader.after_seq
        events = self._store.read_feed(reader.board_id, reader.after_seq, count)
        if reader.batch_to is not None:
            return events if len(events) == count else ()
        return events[: handler.choose_batch(reader, events)] if events else ()


def _apply(reader: FeedReader, outcome: Handled | Retry | Sleep, now: datetime) -> FeedReader:
    """Return the reader as it is after a batch."""
    if outcome.is_call:
        reader = replace(reader, calls=reader.calls + 1)
    if isinstance(outcome, Handled):
        after_seq = reader.batch_to or reader.after_seq
        return replace(reader, after_seq=after_seq, batch_to=None, attempts=0, failing_since=None, due_at=now)
    if outcome.is_call:
        reader = replace(reader, attempts=reader.attempts + 1, failing_since=reader.failing_since or now)
    return replace(reader, due_at=outcome.at if isinstance(outcome, Retry) else None)
