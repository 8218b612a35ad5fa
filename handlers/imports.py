"""Imports: boards that come from elsewhere."""

from typing import Any

from handlers import serialize
from handlers.results import Result, created
from kanban.access import Caller
from kanban.changes import ActionContext, Change
from kanban.interchange import export_document, tackboard_import, trello_import
from kanban.interchange.import_report import COUNTED_KINDS, ImportReport
from kanban.store import Store
from kanban.views import BoardView


def import_trello(
    store: Store,
    caller: Caller,
    context: ActionContext,
    body: dict[str, Any],
    currency: str = "USD",
    hourly_rate_minor: int = 0,
) -> Result:
    """Make a board of an export; the same one again changes nothing."""
    view = _find_imported_board(store, caller, trello_import.build_external_id(body))
    if view is not None:
        return _unchanged_result(view)
    return _created_result(
        *trello_import.import_board(body, context, currency=currency, hourly_rate_minor=hourly_rate_minor)
    )


def import_tackboard(store: Store, caller: Caller, context: ActionContext, body: dict[str, Any]) -> Result:
    """Make a board of an export of our own; the same one again changes nothing.

    The caller speaks for nobody else, so the users that the export names are not even looked up.
    """
    view = _find_imported_board(store, caller, export_document.build_external_id(body))
    if view is not None:
        return _unchanged_result(view)
    return _created_result(*tackboard_import.import_board(body, (), context))


def _find_imported_board(store: Store, caller: Caller, external_id: str) -> BoardView | None:
    """The board that the caller has made of this export before."""
    known = store.find_board_id(caller.user_id, external_id)
    return store.read_board(known, caller.user_id) if known else None


def _unchanged_result(view: BoardView) -> Result:
    shape = {"board": serialize.board(view.board, view.role), "report": _serialize_report(ImportReport())}
    return Result(shape, etag=serialize.board_tag(view.board))


def _created_result(view: BoardView, change: Change, report: ImportReport) -> Result:
    shape = {"board": serialize.board(view.board, view.role), "report": _serialize_report(report)}
    return created(shape, etag=serialize.board_tag(view.board), location=f"/boards/{view.board.id}", change=change)


def _serialize_report(report: ImportReport) -> serialize.JsonObject:
    """`ImportReport`."""
    return {
        "brought": {kind: report.counts[kind] for kind in COUNTED_KINDS},
        "items": [{"kind": line.kind, "name": line.name, "message": line.message} for line in report.lines],
        "unlisted": report.omitted_lines,
    }
