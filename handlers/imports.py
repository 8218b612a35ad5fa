"""Imports: boards that come from elsewhere."""

from typing import Any

from handlers import show
from handlers.answers import Answer, created
from kanban import exports, imports, trello
from kanban.access import Caller
from kanban.reports import COUNTED_KINDS, ImportReport
from kanban.store import Store
from kanban.values import ActionContext, BoardView, Change


def import_trello(
    store: Store,
    caller: Caller,
    act: ActionContext,
    body: dict[str, Any],
    currency: str = "USD",
    hourly_rate_minor: int = 0,
) -> Answer:
    """Make a board of an export; the same one again changes nothing."""
    view = _there(store, caller, trello.build_external_id(body))
    if view is not None:
        return _as_it_is(view)
    return _made(*trello.import_board(body, act, currency=currency, hourly_rate_minor=hourly_rate_minor))


def import_tackboard(store: Store, caller: Caller, act: ActionContext, body: dict[str, Any]) -> Answer:
    """Make a board of an export of our own; the same one again changes nothing.

    The caller speaks for nobody else, so the users that the export names are not even looked up.
    """
    view = _there(store, caller, exports.build_external_id(body))
    if view is not None:
        return _as_it_is(view)
    return _made(*imports.import_board(body, (), act))


def _there(store: Store, caller: Caller, external_id: str) -> BoardView | None:
    """The board that the caller has made of this export before."""
    known = store.find_board_id(caller.user_id, external_id)
    return store.read_board(known, caller.user_id) if known else None


def _as_it_is(view: BoardView) -> Answer:
    shape = {"board": show.board(view.board, view.role), "report": _report(ImportReport())}
    return Answer(shape, etag=show.board_tag(view.board))


def _made(view: BoardView, change: Change, report: ImportReport) -> Answer:
    shape = {"board": show.board(view.board, view.role), "report": _report(report)}
    return created(shape, etag=show.board_tag(view.board), location=f"/boards/{view.board.id}", change=change)


def _report(report: ImportReport) -> show.Shape:
    """`ImportReport`."""
    return {
        "brought": {kind: report.counts[kind] for kind in COUNTED_KINDS},
        "items": [{"kind": line.kind, "name": line.name, "message": line.message} for line in report.lines],
        "unlisted": report.omitted_lines,
    }
