"""Flow segments in a SQL database."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kanban.flow.flow_segments import EVENTS_PER_SEGMENT, FlowSegment
from kanban.store import AlreadyExists
from kanban.views import Page, PageKey
from stores.sql import mapping
from stores.sql.mapping import format_timestamp
from stores.sql.statement_cache import parameter
from stores.sql.store_part import SqlStorePart
from stores.sql.tables import boards, flow_segments

_SEGMENTS_PER_READ = 20
_IS_OF_BOARD = flow_segments.c.board_id == parameter("board_id")
_KEY = (flow_segments.c.at, flow_segments.c.seq)

SEGMENT_BEFORE = (
    sa.select(flow_segments)
    .where(_IS_OF_BOARD, flow_segments.c.at < parameter("at"))
    .order_by(flow_segments.c.at.desc(), flow_segments.c.seq.desc())
    .limit(sa.literal_column("1"))
)
SEGMENTS_SINCE = (
    sa.select(flow_segments)
    .where(_IS_OF_BOARD, sa.tuple_(*_KEY) > sa.tuple_(parameter("at"), parameter("after_seq")))
    .order_by(*_KEY)
    .limit(parameter("limit"))
)
OLDEST_SEGMENT, NEWEST_SEGMENT = (
    sa.select(flow_segments).where(_IS_OF_BOARD).order_by(order).limit(sa.literal_column("1"))
    for order in (flow_segments.c.seq, flow_segments.c.seq.desc())
)


def _end_of_segments(end: Callable[[sa.ColumnElement[int]], sa.ColumnElement[Any]]) -> sa.ScalarSelect[Any]:
    return sa.select(end(flow_segments.c.seq)).where(flow_segments.c.board_id == boards.c.id).scalar_subquery()


BOARDS_WITH_SEGMENTS = (
    sa.select(boards.c.id, boards.c.seq, _end_of_segments(sa.func.min), _end_of_segments(sa.func.max))
    .where(boards.c.id > parameter("after_id"))
    .order_by(boards.c.id)
    .limit(parameter("limit"))
)
# A purge may have erased the board.
INSERT_SEGMENT = flow_segments.insert().from_select(
    [column.name for column in flow_segments.columns],
    sa.select(*(sa.cast(parameter(column.name), column.type) for column in flow_segments.columns)).where(
        sa.select(boards.c.id).where(boards.c.id == parameter("board_id")).exists()
    ),
)


class SqlFlowSegments(SqlStorePart):
    """A `kanban.flow.flow_segment_store.FlowSegmentStore` over an engine. Threads may share it."""

    def find_last_before(self, board_id: str, at: datetime) -> FlowSegment | None:
        rows = self._read(SEGMENT_BEFORE, board_id=board_id, at=format_timestamp(at))
        return mapping.row_to_segment(rows[0]) if rows else None

    def list_since(self, board_id: str, at: datetime) -> Iterator[FlowSegment]:
        after_seq = 0
        while True:
            rows = self._read(
                SEGMENTS_SINCE,
                board_id=board_id,
                at=format_timestamp(at),
                after_seq=after_seq,
                limit=_SEGMENTS_PER_READ,
            )
            segments = [*map(mapping.row_to_segment, rows)]
            yield from segments
            if len(rows) < _SEGMENTS_PER_READ:
                return
            at, after_seq = segments[-1].at, segments[-1].seq

    def read_ends(self, board_id: str) -> tuple[FlowSegment, FlowSegment] | None:
        statements = tuple(self._bind(statement, board_id=board_id) for statement in (OLDEST_SEGMENT, NEWEST_SEGMENT))
        oldest, newest = self._engine.read(statements)
        return (mapping.row_to_segment(oldest[0]), mapping.row_to_segment(newest[0])) if oldest and newest else None

    def add_segment(self, segment: FlowSegment) -> int | None:
        with suppress(AlreadyExists), self._begin_write() as transaction:
            transaction.execute(self._bind(INSERT_SEGMENT, **mapping.segment_to_row(segment)))
        return None

    def page_incomplete_boards(self, limit: int, after: PageKey | None = None) -> Page[str]:
        rows = self._read(BOARDS_WITH_SEGMENTS, after_id=after[0] if after else "", limit=limit)
        incomplete = [
            str(board_id) for board_id, seq, oldest, newest in rows if _is_incomplete(seq, oldest or 0, newest or 0)
        ]
        return Page(tuple(incomplete), (str(rows[-1][0]),) if len(rows) == limit else None)

    def request_segments(self, board_id: str) -> None:
        """Do nothing: all boards are looked at."""

    def end_request(self, board_id: str) -> None:
        """Do nothing: all boards are looked at."""


def _is_incomplete(board_seq: int, oldest_seq: int, newest_seq: int) -> bool:
    return board_seq - newest_seq >= EVENTS_PER_SEGMENT or oldest_seq > EVENTS_PER_SEGMENT
