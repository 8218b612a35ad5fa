"""The port of the store for flow segments."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from kanban.flow.flow_segments import FlowSegment
from kanban.views import Page, PageKey


class FlowSegmentStore(Protocol):
    """Where flow segments are kept. Every operation can raise Busy, unless it says otherwise."""

    def find_last_before(self, board_id: str, at: datetime) -> FlowSegment | None:
        """Return the last segment of a board that ended before that moment."""

    def list_since(self, board_id: str, at: datetime) -> Iterator[FlowSegment]:
        """Yield the segments of a board that ended at that moment or later, oldest first, reading some at a time."""

    def read_ends(self, board_id: str) -> tuple[FlowSegment, FlowSegment] | None:
        """Return the oldest and the newest segment of a board, None if it has none."""

    def add_segment(self, segment: FlowSegment) -> int | None:
        """Add a segment, unless it is there, or there is no such board.

        Return how many gigabytes everything that belongs to the board takes at most, None if the engine has no limit.
        """

    def page_incomplete_boards(self, limit: int, after: PageKey | None = None) -> Page[str]:
        """Return the ids of boards that can have more segments than they have.

        A page looks at `limit` boards, so it may be short or empty while more follow. An engine that can't look at all
        boards returns those that were requested.
        """

    def request_segments(self, board_id: str) -> None:
        """Ask for the segments of a board that lacks some. Never raises Busy.

        An engine that looks at all boards anyway does nothing.
        """

    def end_request(self, board_id: str) -> None:
        """Record that a board has all the segments that were requested."""
