"""The readers of the feed in a SQL database."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from kanban.feed_readers import LEASE_DURATION, MAX_CLOCK_SKEW, Backlog, LeaseLost, is_due, is_leased
from kanban.store import AlreadyExists, StaleRead
from kanban.values import Event, FeedReader, ReaderReset
from kanban.views import Page, PageKey
from stores.sql import mapping
from stores.sql.mapping import format_timestamp
from stores.sql.statement_cache import BoundStatement, parameter
from stores.sql.store_part import SqlStorePart
from stores.sql.tables import boards, events, feed_readers

_KEY = (feed_readers.c.board_id, feed_readers.c.name)
_IS_READER = (feed_readers.c.board_id == parameter("board_id"), feed_readers.c.name == parameter("name"))

READERS = sa.select(feed_readers).where(feed_readers.c.board_id == parameter("board_id")).order_by(feed_readers.c.name)
READERS_WITH_SEQ = (
    sa.select(boards.c.seq, feed_readers)
    .join(boards, boards.c.id == feed_readers.c.board_id)
    .where(sa.tuple_(*_KEY) > sa.tuple_(parameter("after_board_id"), parameter("after_name")))
    .order_by(*_KEY)
    .limit(parameter("limit"))
)
FEED = (
    sa.select(events)
    .where(events.c.board_id == parameter("board_id"), events.c.seq > parameter("after_seq"))
    .order_by(events.c.seq)
    .limit(parameter("limit"))
)
_NEXT_EVENT = sa.and_(
    events.c.board_id == feed_readers.c.board_id, events.c.seq == feed_readers.c.after_seq + sa.literal_column("1")
)
BACKLOG = (
    sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(boards.c.seq - feed_readers.c.after_seq), sa.literal_column("0")),
        sa.func.count(feed_readers.c.failing_since),
        sa.func.min(events.c.at),
    )
    .select_from(feed_readers)
    .join(boards, boards.c.id == feed_readers.c.board_id)
    .outerjoin(events, _NEXT_EVENT)
    .where(
        feed_readers.c.board_id > parameter("after_board_id"),
        feed_readers.c.due_at.is_not(None),
        boards.c.seq > feed_readers.c.after_seq,
        boards.c.deleted_at.is_(None),
    )
)

INSERT_READER = feed_readers.insert().values({column.name: parameter(column.name) for column in feed_readers.columns})
DELETE_READER = feed_readers.delete().where(*_IS_READER)
_STATE = {column.name: parameter(column.name) for column in feed_readers.columns if not column.primary_key}
LEASE_READER = (
    feed_readers.update()
    .where(
        *_IS_READER,
        feed_readers.c.after_seq == parameter("after_seq"),
        sa.func.coalesce(feed_readers.c.batch_to, sa.literal_column("0")) == parameter("seen_batch_to"),
        feed_readers.c.due_at == parameter("due_at"),
        sa.or_(
            feed_readers.c.lease_until.is_(None),
            feed_readers.c.lease_until <= parameter("now"),
            feed_readers.c.lease_until > parameter("latest"),
        ),
    )
    .values({name: parameter(name) for name in ("batch_to", "lease_owner", "lease_until")})
)
UPDATE_READER = (
    feed_readers.update().where(*_IS_READER, feed_readers.c.lease_owner == parameter("owner")).values(_STATE)
)
_RESET = feed_readers.update().where(*_IS_READER)
_NO_ATTEMPTS = {"attempts": sa.literal_column("0"), "failing_since": sa.null(), "lease_owner": sa.null()}
RESET_READER = _RESET.values({**_NO_ATTEMPTS, "due_at": parameter("due_at")})
MOVE_READER = _RESET.values(
    {
        **_NO_ATTEMPTS,
        "due_at": parameter("due_at"),
        "after_seq": parameter("after_seq"),
        "batch_to": sa.null(),
    }
)


def bind_reset(bind: Callable[..., BoundStatement], reset: ReaderReset) -> BoundStatement:
    """Return the statement that resets a reader."""
    values = {"board_id": reset.board_id, "name": reset.name, "due_at": mapping.to_column(reset.due_at)}
    if reset.after_seq is None:
        return bind(RESET_READER, **values)
    return bind(MOVE_READER, **values, after_seq=reset.after_seq)


class SqlFeedReaders(SqlStorePart):
    """A `kanban.feed_readers.FeedReaderStore` over an engine. Threads may share it."""

    def add_reader(self, reader: FeedReader) -> None:
        with suppress(AlreadyExists), self._begin_write() as transaction:
            transaction.execute(self._bind(INSERT_READER, **mapping.reader_to_row(reader)))

    def remove_reader(self, board_id: str, name: str) -> None:
        with self._begin_write() as transaction:
            transaction.execute(self._bind(DELETE_READER, board_id=board_id, name=name))

    def reset_reader(
        self, board_id: str, name: str, *, due_at: datetime | None, after_seq: int | None = None
    ) -> FeedReader | None:
        with self._begin_write() as transaction:
            transaction.execute(bind_reset(self._bind, ReaderReset(board_id, name, due_at, after_seq)))
            rows = transaction.query(self._bind(READERS, board_id=board_id))
        return next((reader for reader in map(mapping.row_to_reader, rows) if reader.name == name), None)

    def list_readers(self, board_id: str) -> Sequence[FeedReader]:
        return [mapping.row_to_reader(row) for row in self._read(READERS, board_id=board_id)]

    def page_due_readers(self, now: datetime, limit: int, after: PageKey | None = None) -> Page[FeedReader]:
        board_id, name = after or ("", "")
        rows = self._read(READERS_WITH_SEQ, after_board_id=board_id, after_name=name, limit=limit)
        readers = [(seq, mapping.row_to_reader(row)) for seq, *row in rows]
        last = readers[-1][1] if len(readers) == limit else None
        return Page(
            tuple(
                reader
                for seq, reader in readers
                if seq > reader.after_seq and is_due(reader, now) and not is_leased(reader, now)
            ),
            (last.board_id, last.name) if last else None,
        )

    def measure_backlog(self) -> Backlog | None:
        ((behind_count, event_count, failing_count, oldest_at),) = self._read(BACKLOG, after_board_id="")
        return Backlog(behind_count, int(event_count), failing_count, oldest_at and mapping.parse_timestamp(oldest_at))

    def lease_reader(self, reader: FeedReader, owner: str, batch_to: int, now: datetime) -> FeedReader | None:
        leased = replace(reader, batch_to=batch_to, lease_owner=owner, lease_until=now + LEASE_DURATION)
        values = mapping.reader_to_row(leased)
        seen = {"seen_batch_to": reader.batch_to or 0, "now": format_timestamp(now)}
        latest = format_timestamp(now + LEASE_DURATION + MAX_CLOCK_SKEW)
        try:
            with self._begin_write() as transaction:
                transaction.write_one(self._bind(LEASE_READER, **values, **seen, latest=latest))
        except StaleRead:
            return None
        return leased

    def update_reader(self, reader: FeedReader, owner: str) -> None:
        try:
            with self._begin_write() as transaction:
                transaction.write_one(self._bind(UPDATE_READER, **mapping.reader_to_row(reader), owner=owner))
        except StaleRead:
            raise LeaseLost(f"The lease of a reader is no longer that of {owner}.") from None

    def read_feed(self, board_id: str, after_seq: int, limit: int) -> Sequence[Event]:
        rows = self._read(FEED, board_id=board_id, after_seq=after_seq, limit=limit)
        return [mapping.row_to_event(row) for row in rows]
