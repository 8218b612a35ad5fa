"""Reports: the time report and the flow report of a board."""

from datetime import date, datetime

from handlers import serialize_reports
from handlers.results import Result
from kanban.flow import flow_report
from kanban.store import Store
from kanban.timekeeping import date_ranges, time_report
from kanban.timekeeping.date_ranges import Bucket
from usecases import report_reads
from usecases.board_access import BoardAccess
from usecases.flow_history import FlowHistoryReader


def get_time_report(
    access: BoardAccess,
    store: Store,
    now: datetime,
    media_type: str | None,
    board_id: str,
    from_: str | None = None,
    to: str | None = None,
    bucket: str = Bucket.DAY,
    tz: str = "UTC",
) -> Result:
    """Return the time worked on the board and its cost, as JSON or CSV."""
    view = access.read_board(board_id)
    days = date_ranges.build_date_range(_parse_day(from_), _parse_day(to), tz, now)
    pages = report_reads.read_worked_time(access, board_id, days)
    report = time_report.build_time_report(pages, days, Bucket(bucket), now)
    users = store.read_users([user_id for user_id, _ in report.members])
    names = {user.id: user.name for user in users.values()}
    body = serialize_reports.time_report(report, days, Bucket(bucket), view.board.currency, names)
    return Result(serialize_reports.time_report_csv(body) if media_type == "text/csv" else body)


def get_flow(
    access: BoardAccess,
    store: Store,
    now: datetime,
    board_id: str,
    from_: str | None = None,
    to: str | None = None,
    bucket: str = Bucket.DAY,
    tz: str = "UTC",
) -> Result:
    """Return how work flowed over the board, derived from its events, and what is in progress."""
    view, cards_in_progress = report_reads.read_cards_in_progress(access, board_id)
    days = date_ranges.build_date_range(_parse_day(from_), _parse_day(to), tz, now)
    history = FlowHistoryReader(access, store.flow_segments, view).read(days, now)
    report = flow_report.build_flow_report(history.events, view, history.days.split(Bucket.DAY), history.end_state)
    body = serialize_reports.flow(report, days, history.days, Bucket(bucket))
    return Result({**body, "in_progress": serialize_reports.work_in_progress(cards_in_progress, view, now)})


def _parse_day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
