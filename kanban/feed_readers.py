"""Readers of the feed: where each of them is, and the port of the store for them.

A reader follows the feed of one board by a cursor. A worker holds its lease, so that one call at a time is under way,
and moves the cursor only while the lease is still its own: a worker that was suspended for too long can't set the
cursor back. Code that writes to a board does not know its readers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from kanban.values import Event, FeedReader
from kanban.views import Page, PageKey

LEASE_DURATION = timedelta(seconds=30)
"""How long a lease holds, unless it is renewed. It must be longer than anything that a reader does with one batch."""

MAX_CLOCK_SKEW = timedelta(seconds=30)
"""By how much the clocks of processes may differ. A lease that ends later than that allows is not in force."""

MAX_WAIT = timedelta(days=1)
"""How long a reader may ask to wait. One that is due later was written by a clock that was wrong, and is due now."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the readers of all boards are behind. Readers that sleep, and those of deleted boards, don't count.

    Attributes:
        behind_count: How many readers there are events for.
        event_count: How many events these are, with those that a reader doesn't care about.
        failing_count: How many of the readers have failed since they last succeeded.
        oldest_at: When the oldest of the events happened; None without any.
    """

    behind_count: int = 0
    event_count: int = 0
    failing_count: int = 0
    oldest_at: datetime | None = None


class LeaseLost(Exception):
    """Raised when the lease of a reader is no longer that of the writer; nothing was written."""


def is_due(reader: FeedReader, now: datetime) -> bool:
    """Tell whether a reader is to go on, if there are events for it and it is not leased."""
    return reader.due_at is not None and (reader.due_at <= now or reader.due_at > now + MAX_WAIT)


def is_leased(reader: FeedReader, now: datetime) -> bool:
    """Tell whether somebody may be working for a reader."""
    return reader.lease_until is not None and now < reader.lease_until <= now + LEASE_DURATION + MAX_CLOCK_SKEW


class FeedReaderStore(Protocol):
    """Where readers are kept. Every operation can raise Busy."""

    def add_reader(self, reader: FeedReader) -> None:
        """Add a reader of an existing board, unless there is one of that name."""

    def remove_reader(self, board_id: str, name: str) -> None:
        """Remove a reader, if it is there. A purge of its board removes it, too."""

    def reset_reader(
        self, board_id: str, name: str, *, due_at: datetime | None, after_seq: int | None = None
    ) -> FeedReader | None:
        """Let a reader go on at that time, or sleep if it is None, with no failed attempts; return it as it is then.

        With `after_seq` it goes on after that event. The worker loses the lease, and no other gets it
        before it would have ended. Return None if there is no such reader.
        """

    def list_readers(self, board_id: str) -> Sequence[FeedReader]:
        """Return the readers of a board, by name."""

    def page_due_readers(self, now: datetime, limit: int, after: PageKey | None = None) -> Page[FeedReader]:
        """Return readers of all boards that are due and not leased, and whose boards have events for them.

        A page looks at `limit` readers, so it may be short or empty while more follow.
        """

    def measure_backlog(self) -> Backlog | None:
        """Return how far the readers of all boards are behind, None if the engine can't tell by one query."""

    def lease_reader(self, reader: FeedReader, owner: str, batch_to: int, now: datetime) -> FeedReader | None:
        """Lease a reader for a batch, for `LEASE_DURATION`; return it as it is then.

        None if it is no longer as it was read, or if somebody works for it.
        """

    def update_reader(self, reader: FeedReader, owner: str) -> None:
        """Write a reader that this owner has leased. Raises LeaseLost if it is no longer that owner's."""

    def read_feed(self, board_id: str, after_seq: int, limit: int) -> Sequence[Event]:
        """Return the events that follow, oldest first and without a gap. A deleted board has its events, too."""
