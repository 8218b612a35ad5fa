"""Create a board from an export, unless the user has imported that export before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kanban.changes import ActionContext, Change
from kanban.interchange import export_document, tackboard_import, trello_import
from kanban.interchange.import_report import ImportReport
from kanban.store import Store
from kanban.views import BoardView


@dataclass(frozen=True, slots=True)
class ImportedBoard:
    """A board, what its import reports, and the change to commit; None for a board that was imported before."""

    view: BoardView
    report: ImportReport
    change: Change | None


def import_trello(
    store: Store,
    context: ActionContext,
    document: Mapping[str, Any],
    *,
    currency: str = "USD",
    hourly_rate_minor: int = 0,
) -> ImportedBoard:
    """Import a board that Trello exported. Raises DomainError for what can't be imported."""
    view = _find_imported_board(store, context.actor_id, trello_import.build_external_id(document))
    if view is not None:
        return ImportedBoard(view, ImportReport(), None)
    view, change, report = trello_import.import_board(
        document, context, currency=currency, hourly_rate_minor=hourly_rate_minor
    )
    return ImportedBoard(view, report, change)


def import_tackboard(
    store: Store, context: ActionContext, document: Mapping[str, Any], *, trust_users: bool = False
) -> ImportedBoard:
    """Import a board that Tackboard exported. Raises DomainError for what can't be imported.

    With `trust_users` what belongs to users of this store stays theirs. Otherwise all of it becomes the importing
    user's, and the users that the export names are not even looked up.
    """
    view = _find_imported_board(store, context.actor_id, export_document.build_external_id(document))
    if view is not None:
        return ImportedBoard(view, ImportReport(), None)
    named_users = export_document.collect_user_names(document) if trust_users else {}
    trusted_user_ids = store.read_users(sorted(named_users)).keys() if named_users else ()
    view, change, report = tackboard_import.import_board(document, trusted_user_ids, context)
    return ImportedBoard(view, report, change)


def _find_imported_board(store: Store, user_id: str, external_id: str) -> BoardView | None:
    board_id = store.find_board_id(user_id, external_id)
    return store.read_board(board_id, user_id) if board_id else None
