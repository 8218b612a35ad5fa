"""Boards as files: exported into one, and imported from one, without a server.

A board is held in memory while it is carried: see `docs/backups.md` for how much.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.document import DOCUMENT_PATH
from cli import export_reader
from cli.progress import ProgressBar
from contract.schemas import Schemas
from handlers import cards as card_pages
from handlers import exports as export_pages
from handlers.csv_format import BYTE_ORDER_MARK
from kanban.access import Caller
from kanban.changes import ActionContext, Change
from kanban.errors import DomainError, NotFound
from kanban.ids import IdGenerator
from kanban.interchange import export_document, tackboard_import, trello_import
from kanban.interchange.export_document import BoardChanged
from kanban.interchange.import_report import ImportReport
from kanban.store import Store
from kanban.values import Role, Scope
from kanban.views import BoardView, PageKey
from stores import atomic_file
from usecases.board_access import BoardAccess

_BOARD_ID = re.compile("[a-z0-9_]{1,64}")
_MAX_EXPORT_ATTEMPTS = 5
_CARDS_PER_CSV_PAGE = 100


class BoardFileError(Exception):
    """A file is no export, or a board can't be exported; the message is one sentence for a person."""


def export_board_to_file(store: Store, board_id: str, path: Path, progress: ProgressBar) -> str:
    """Write a board into a new file: its cards as a table for a name that ends in `.csv`, else all of it.

    The digest of the board; for a table, ''. Raises BoardFileError, FileNotWritable.
    """
    if not _BOARD_ID.fullmatch(board_id):
        raise BoardFileError(f"There is no board with the id '{board_id}'.")
    caller = Caller(_require_owner_id(store), "", (Scope.READ,))
    access = BoardAccess(store, caller, Scope.READ, Role.VIEWER)
    digest = ""
    try:
        with atomic_file.create_atomically(path, 0o666) as part, part.open("w", encoding="utf-8", newline="") as file:
            if path.suffix.lower() == ".csv":
                file.write(BYTE_ORDER_MARK)
                file.writelines(_csv_pages(access, board_id, progress))
            else:
                document = _export_document(access, store, caller, board_id, progress)
                digest = document["digest"]
                json.dump(document, file, ensure_ascii=False, indent=1)
    except NotFound:
        raise BoardFileError(f"There is no board with the id '{board_id}' that the owner is a member of.") from None
    except DomainError as refused:
        raise BoardFileError(refused.message) from None
    except OSError as error:
        raise BoardFileError(f"{path} can't be written: {(error.strerror or 'unknown error').lower()}.") from None
    return digest


def import_board_from_file(store: Store, path: Path, progress: ProgressBar) -> tuple[BoardView, ImportReport] | str:
    """Make a board of a file that Tackboard or Trello exported, all of it or nothing; or the id that it has already.

    Raises BoardFileError for anything else.
    """
    document = _read_export(path, progress)
    is_ours = document.get("format") == export_document.FORMAT
    owner = _require_owner_id(store)
    known = store.find_board_id(owner, (export_document if is_ours else trello_import).build_external_id(document))
    if known:
        return known
    context = ActionContext(
        owner, datetime.now(UTC).replace(microsecond=0), IdGenerator(lambda: datetime.now(UTC), os.urandom)
    )
    try:
        view, change, report = (
            _import_tackboard_export(store, document, context)
            if is_ours
            else trello_import.import_board(document, context)
        )
    except DomainError as refused:
        raise BoardFileError(refused.message) from None
    whole = len(change.creates) + len(change.history)
    store.commit(change, progress=lambda done: progress("writing", min(done, whole), whole))
    return view, report


def _require_owner_id(store: Store) -> str:
    owner = store.read_installation_owner()
    if owner is None:
        raise BoardFileError("There is no owner yet: start the server once, or run the command token.")
    return owner.id


def _export_document(
    access: BoardAccess, store: Store, caller: Caller, board_id: str, progress: ProgressBar
) -> dict[str, Any]:
    """The whole board, of one moment."""
    for _ in range(_MAX_EXPORT_ATTEMPTS):
        try:
            pages: list[dict[str, Any]] = []
            position: PageKey | None = None
            while not pages or position:
                answer = export_pages.export_board(
                    access, store, caller, datetime.now(UTC), _plain_cursor, board_id, position
                )
                position = _position(answer.body["next_cursor"])
                pages.append(answer.body)
                progress("cards", sum(len(page["cards"]) for page in pages))
            return export_document.join_pages(pages)
        except BoardChanged:
            progress("changed meanwhile, beginning again", 0)
    raise BoardFileError("The board is being changed all the time: try again when it is quieter.")


def _csv_pages(access: BoardAccess, board_id: str, progress: ProgressBar) -> Iterator[str]:
    """The cards in use as a table, page by page."""
    caller, position, rows = Caller("", "", ()), None, 0
    while rows == 0 or position:
        now = datetime.now(UTC)
        answer = card_pages.list_cards(
            access, caller, now, _plain_cursor, "text/csv", board_id, _CARDS_PER_CSV_PAGE, cursor=position
        )
        position = _position((answer.next_query or {}).get("cursor"))
        yield answer.body
        rows += _CARDS_PER_CSV_PAGE
        progress("cards, about", rows)


def _plain_cursor(page_key: PageKey | None, operation_id: str | None = None, **scope: object) -> str | None:
    """A cursor that nobody has to seal: it stays in this process."""
    del operation_id, scope
    return json.dumps(page_key) if page_key else None


def _position(cursor: str | None) -> PageKey | None:
    return tuple(json.loads(cursor)) if cursor else None


def _read_export(path: Path, progress: ProgressBar) -> dict[str, Any]:
    """What was exported; raises BoardFileError for anything else."""
    try:
        found = export_reader.read_export(path, progress)
    except OSError as error:
        raise BoardFileError(f"{path} can't be read: {(error.strerror or 'unknown error').lower()}.") from None
    except export_reader.InvalidJson:
        raise BoardFileError(
            f"{path} is not JSON, or breaks off: choose a file that Tackboard or Trello exported."
        ) from None
    if found.get("format") == export_document.FORMAT:
        return _validate_export(found)
    arrays = all(isinstance(found.get(name), list) for name in ("lists", "cards"))
    if not arrays or not re.fullmatch("[0-9a-f]{24}", str(found.get("id"))):
        raise BoardFileError(f"{path} is no export of a Trello board: it lacks an id, lists or cards.")
    if not found["lists"]:
        raise BoardFileError(f"{path} has no lists: there would be no place for a card.")
    return found


def _validate_export(document: dict[str, Any]) -> dict[str, Any]:
    """A document of our own, which must keep what the API asks of it."""
    check = Schemas(json.loads(DOCUMENT_PATH.read_bytes())).get_check(
        {"$ref": "#/components/schemas/BoardExport"}, "request"
    )
    faults = check.find_violations(document)
    if not faults and check.normalize:
        document = check.normalize(document)
        faults = check.find_violations(document)
    if faults:
        raise BoardFileError(f"This is no sound export: '{faults[0].pointer}' {faults[0].message}.")
    return document


def _import_tackboard_export(
    store: Store, document: dict[str, Any], context: ActionContext
) -> tuple[BoardView, Change, ImportReport]:
    # Whoever has the store could write anything into it: here, and only here, an import speaks for every user.
    everybody = store.read_users(sorted(export_document.collect_user_names(document))).keys()
    return tackboard_import.import_board(document, everybody, context)
