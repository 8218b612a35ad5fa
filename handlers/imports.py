"""Import boards from Trello and from Tackboard exports."""

from typing import Any

from handlers import entity_tags, serialize
from handlers.results import Result, new_resource
from kanban.changes import ActionContext
from kanban.interchange.import_report import COUNTED_KINDS, ImportReport
from kanban.store import Store
from usecases import board_import
from usecases.board_access import BoardAccess
from usecases.board_import import ImportedBoard
from usecases.quotas import Quotas


def import_trello(
    access: BoardAccess,
    store: Store,
    context: ActionContext,
    quotas: Quotas,
    body: dict[str, Any],
    currency: str = "USD",
    hourly_rate_minor: int = 0,
) -> Result:
    """Create a board from an export of Trello. Importing the same export again changes nothing."""
    access.ensure_may_create_boards()
    imported = board_import.import_trello(store, context, body, currency=currency, hourly_rate_minor=hourly_rate_minor)
    return _import_result(access, context, quotas, imported)


def import_tackboard(
    access: BoardAccess, store: Store, context: ActionContext, quotas: Quotas, body: dict[str, Any]
) -> Result:
    """Create a board from an export of Tackboard. Importing the same export again changes nothing."""
    access.ensure_may_create_boards()
    return _import_result(access, context, quotas, board_import.import_tackboard(store, context, body))


def _import_result(access: BoardAccess, context: ActionContext, quotas: Quotas, imported: ImportedBoard) -> Result:
    board, role = imported.view.board, access.limit_role(imported.view.role)
    body = {"board": serialize.board(board, role), "report": _serialize_report(imported.report)}
    if imported.change is None:
        return Result(body, etag=entity_tags.board_tag(board))
    quotas.ensure_room_for_board(context.actor_id)
    return new_resource(body, etag=entity_tags.board_tag(board), location=f"/boards/{board.id}", change=imported.change)


def _serialize_report(report: ImportReport) -> serialize.JsonObject:
    """Serialize an `ImportReport`."""
    return {
        "brought": {kind: report.counts[kind] for kind in COUNTED_KINDS},
        "items": [{"kind": line.kind, "name": line.name, "message": line.message} for line in report.lines],
        "unlisted": report.omitted_lines,
    }
