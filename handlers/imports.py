"""Import boards from Trello and from Tackboard exports."""

from typing import Any

from handlers import entity_tags, serialize
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
    """Create a board from a Trello export. Importing the same export again changes nothing."""
    view = _find_imported_board(store, caller, trello_import.build_external_id(body))
    if view is not None:
        return _unchanged_result(view)
    return _created_result(
        *trello_import.import_board(body, context, currency=currency, hourly_rate_minor=hourly_rate_minor)
    )


def import_tackboard(store: Store, caller: Caller, context: ActionContext, body: dict[str, Any]) -> Result:
    """Create a board from a Tackboard export. Importing the same export again changes nothing.

    The caller can't act for other users, so the users that the export names are not looked up.
    """
    view = _find_imported_board(store, caller, export_document.build_external_id(body))
    if view is not None:
        return _unchanged_result(view)
    return _created_result(*tackboard_import.import_board(body, (), context))


def _find_imported_board(store: Store, caller: Caller, external_id: str) -> BoardView | None:
    """Return the board that the caller imported from this export before; None if there is none."""
    board_id = store.find_board_id(caller.user_id, external_id)
    return store.read_board(board_id, caller.user_id) if board_id else None


def _unchanged_result(view: BoardView) -> Result:
    result_body = {"board": serialize.board(view.board, view.role), "report": _serialize_report(ImportReport())}
    return Result(result_body, etag=entity_tags.board_tag(view.board))


def _created_result(view: BoardView, change: Change, report: ImportReport) -> Result:
    result_body = {"board": serialize.board(view.board, view.role), "report": _serialize_report(report)}
    return created(
        result_body, etag=entity_tags.board_tag(view.board), location=f"/boards/{view.board.id}", change=change
    )


def _serialize_report(report: ImportReport) -> serialize.JsonObject:
    """Serialize an `ImportReport`."""
    return {
        "brought": {kind: report.counts[kind] for kind in COUNTED_KINDS},
        "items": [{"kind": line.kind, "name": line.name, "message": line.message} for line in report.lines],
        "unlisted": report.omitted_lines,
    }
