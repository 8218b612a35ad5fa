"""Imports: boards that come from elsewhere."""

from typing import Any

from handlers import show
from handlers.answers import Answer, created
from kanban import trello
from kanban.access import Caller
from kanban.reports import Report
from kanban.store import Store
from kanban.values import Act


def import_trello(store: Store, caller: Caller, act: Act, body: dict[str, Any]) -> Answer:
    """Make a board of an export; the same one again changes nothing."""
    known = store.board_of(caller.user_id, trello.external_id(body))
    view = store.read_board(known, caller.user_id) if known else None
    if view is not None:
        shape = {"board": show.board(view.board, view.role), "report": _report(Report())}
        return Answer(shape, etag=show.board_tag(view.board))
    view, change, report = trello.brought(body, act)
    shape = {"board": show.board(view.board, view.role), "report": _report(report)}
    return created(shape, etag=show.board_tag(view.board), location=f"/boards/{view.board.id}", change=change)


def _report(report: Report) -> show.Shape:
    """`ImportReport`."""
    kinds = ("lists", "cards", "labels", "checklists", "comments")
    return {
        "brought": {kind: report.brought[kind] for kind in kinds},
        "items": [{"kind": line.kind, "name": line.name, "message": line.message} for line in report.lines],
        "unlisted": report.unlisted,
    }
