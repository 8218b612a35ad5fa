"""A report of any month of a board with years of events reads a few segments, and not what came later."""

import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from kanban.store import EventQuery
from readers.flow_segments import FlowSegmentBuilder
from stores import open_store
from tests.stores.old_board import EVENTS_PER_DAY, create_old_board
from tests.stores.test_flow_segments import build_report
from tests.stores.world import NOON, World

MAX_SEGMENTS = 31 * EVENTS_PER_DAY // 500 + 3
"""Of the longest month, with those at both ends."""


def list_months(days: int) -> list[tuple[date, date]]:
    """Return the first and the last day of each whole month of the past days, and of the present month."""
    months = []
    first_day = NOON.date().replace(day=1)
    while first_day >= (NOON - timedelta(days=days)).date():
        next_month = (first_day + timedelta(days=31)).replace(day=1)
        months.append((first_day, next_month - timedelta(days=1)))
        first_day = (first_day - timedelta(days=1)).replace(day=1)
    return months


@pytest.mark.sweep
def test_any_month_of_three_years_is_reported_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/tackboard.db")
    world = World(store)
    create_old_board(world, 1_096)
    assert world.read_board().board.seq > 200_000
    assert FlowSegmentBuilder(store, lambda: world.now).run(world.board_id, lambda: True)
    read_seqs: list[int] = []
    segment_seqs: list[int] = []
    page_events, list_since = store.page_events, store.flow_segments.list_since

    def count_events(board_id: str, user_id: str, query: EventQuery, limit: int) -> object:
        result = page_events(board_id, user_id, query, limit)
        assert result
        read_seqs.extend(event.seq for event in result[1].items)
        return result

    def count_segments(board_id: str, at: object) -> object:
        for segment in list_since(board_id, at):  # type: ignore[arg-type]  # it is what the reader gives
            segment_seqs.append(segment.seq)
            yield segment

    monkeypatch.setattr(store, "page_events", count_events)
    monkeypatch.setattr(store.flow_segments, "list_since", count_segments)
    seconds = []
    for first_day, last_day in list_months(1_096):
        read_seqs.clear()
        segment_seqs.clear()
        began = time.process_time()

        report = build_report(world, first_day, last_day)

        seconds.append(time.process_time() - began)
        assert len(report.completions) > 500
        assert len(read_seqs) <= (500 if last_day >= world.now.date() else 0)
        assert len(segment_seqs) <= MAX_SEGMENTS
    print(f"Months: {len(seconds)}; processor time: at most {max(seconds) * 1000:.0f} ms")  # noqa: T201  (a measurement)
    store.close()
