"""Export a board to a file, and import one from a file, without a server.

An import is held in memory: see `docs/backups.md` for how much.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from app.document import DOCUMENT_PATH
from cli import export_reader
from cli.export_writer import ExportWriter
from cli.progress import ProgressBar
from contract.schemas import Schemas
from kanban.access import Caller
from kanban.changes import ActionContext
from kanban.errors import DomainError, NotFound
from kanban.ids import IdGenerator
from kanban.interchange import card_csv, export_document, serialize_export, trello_import
from kanban.interchange.csv_format import BYTE_ORDER_MARK
from kanban.interchange.export_document import BoardChanged, Digest, JsonObject
from kanban.interchange.import_report import ImportReport
from kanban.store import CardQuery, Store
from kanban.timekeeping.timestamps import truncate_to_seconds
from kanban.values import Role, Scope, User
from kanban.views import BoardView, PageKey
from stores import atomic_file
from usecases import board_import
from usecases.board_access import BoardAccess
from usecases.board_export import ExportArrays, compute_installation_id, walk_board

_BOARD_ID = re.compile("[a-z0-9_]{1,64}")
_MAX_EXPORT_ATTEMPTS = 5
_CARDS_PER_READ = 100


class BoardFileError(Exception):
    """A file is not an export, or a board can't be exported; the message is one sentence for the user."""


def export_board_to_file(store: Store, board_id: str, path: Path, progress: ProgressBar) -> str:
    """Write a board to a new file: its active cards as CSV if the name ends in `.csv`, else all of it as JSON.

    Return the digest of the board, or '' for CSV. Raises BoardFileError, FileNotWritable.
    """
    summary = store.summarize_board(board_id) if _BOARD_ID.fullmatch(board_id) else None
    if summary is None or not summary.members:
        raise BoardFileError(f"There is no board with the id '{board_id}'.")
    owner = _require_owner(store)
    # Any member's view will do: a board is the same for all.
    reader = Caller(summary.members[0].user_id, "", (Scope.READ,))
    access = BoardAccess(store, reader, Scope.READ, Role.VIEWER)
    try:
        with atomic_file.create_atomically(path, 0o666) as part, part.open("w", encoding="utf-8", newline="") as file:
            if path.suffix.lower() == ".csv":
                file.write(BYTE_ORDER_MARK)
                file.writelines(_csv_pages(access, board_id, progress))
                return ""
            return _write_export(store, access, owner, board_id, file, progress=progress)
    except NotFound:
        raise BoardFileError(f"There is no board with the id '{board_id}'.") from None
    except DomainError as error:
        raise BoardFileError(error.message) from None
    except OSError as error:
        raise BoardFileError(f"{path} can't be written: {(error.strerror or 'unknown error').lower()}.") from None


def import_board_from_file(store: Store, path: Path, progress: ProgressBar) -> tuple[BoardView, ImportReport] | str:
    """Create a board from a file that Tackboard or Trello exported, all of it or nothing.

    Return the board and what the import reports, or the id of the board if the export was imported before. Raises
    BoardFileError.
    """
    document = _read_export(path, progress)
    is_own = document.get("format") == export_document.FORMAT
    owner = _require_owner(store)
    # The owner may have left the board since: then nothing but its id is known.
    board_id = store.find_board_id(owner.id, (export_document if is_own else trello_import).build_external_id(document))
    if board_id:
        return board_id
    now = truncate_to_seconds(datetime.now(UTC))
    context = ActionContext(owner.id, now, IdGenerator(lambda: datetime.now(UTC), os.urandom))
    try:
        if is_own:
            # Whoever can open the store could write anything to it: only here an import may speak for every user.
            imported = board_import.import_tackboard(store, context, document, trust_users=True)
        else:
            imported = board_import.import_trello(store, context, document)
    except DomainError as error:
        raise BoardFileError(error.message) from None
    if imported.change is None:
        return imported.view.board.id
    total = len(imported.change.creates) + len(imported.change.history)
    store.commit(imported.change, progress=lambda done: progress("writing", min(done, total), total))
    return imported.view, imported.report


def _require_owner(store: Store) -> User:
    owner = store.read_installation_owner()
    if owner is None:
        raise BoardFileError("There is no owner yet: start the server once, or run the command token.")
    return owner


def _write_export(
    store: Store, access: BoardAccess, exporter: User, board_id: str, file: TextIO, *, progress: ProgressBar
) -> str:
    """Write the whole board, as of one moment; return its digest."""
    origin = serialize_export.serialize_origin(exporter, compute_installation_id(store))
    for _ in range(_MAX_EXPORT_ATTEMPTS):
        view, digest = access.read_board(board_id), Digest()
        board = serialize_export.serialize_board(view, datetime.now(UTC))
        digest.add_board(board)
        try:
            with ExportWriter(Path(file.name).parent) as writer:
                for part in walk_board(access, view):
                    arrays = ExportArrays(view, digest)
                    arrays.add(part)
                    writer.add(_add_user_names(store, arrays.to_json_object()))
                    progress("cards", writer.card_count)
                tail = {"digest": str(digest), "next_cursor": None, **origin}
                writer.write(file, _add_user_names(store, board), tail)
                return str(digest)
        except BoardChanged:
            progress("the board changed, starting again", 0)
    raise BoardFileError("The board is being changed all the time: try again when it is quieter.")


def _add_user_names(store: Store, document: JsonObject) -> dict[str, Any]:
    user_ids = serialize_export.find_user_ids(document)
    return serialize_export.add_user_names(document, store.read_users(sorted(user_ids)) if user_ids else {})


def _csv_pages(access: BoardAccess, board_id: str, progress: ProgressBar) -> Iterator[str]:
    """Yield the active cards as CSV, page by page."""
    after: PageKey | None = None
    is_first, count = True, 0
    while is_first or after:
        view, page = access.page_card_views(board_id, CardQuery(), _CARDS_PER_READ, after)
        yield card_csv.format_cards(page.items, view, datetime.now(UTC), has_header=is_first)
        is_first, after = False, page.next_key
        count += len(page.items)
        progress("cards", count)


def _read_export(path: Path, progress: ProgressBar) -> dict[str, Any]:
    """Return the exported document. Raises BoardFileError if it is not one."""
    try:
        document = export_reader.read_export(path, progress)
    except OSError as error:
        raise BoardFileError(f"{path} can't be read: {(error.strerror or 'unknown error').lower()}.") from None
    except export_reader.InvalidJson:
        raise BoardFileError(
            f"{path} is not valid JSON, or is incomplete: choose a file that Tackboard or Trello exported."
        ) from None
    if document.get("format") == export_document.FORMAT:
        return _validate_export(document)
    has_arrays = all(isinstance(document.get(name), list) for name in ("lists", "cards"))
    if not has_arrays or not re.fullmatch("[0-9a-f]{24}", str(document.get("id"))):
        raise BoardFileError(f"{path} is no export of a Trello board: it lacks an id, lists or cards.")
    if not document["lists"]:
        raise BoardFileError(f"{path} has no lists: there would be no place for a card.")
    return document


def _validate_export(document: dict[str, Any]) -> dict[str, Any]:
    """Return an export of Tackboard as the API would take it. Raises BoardFileError where it breaks its schema."""
    schemas = Schemas(json.loads(DOCUMENT_PATH.read_bytes()))
    check = schemas.get_check({"$ref": "#/components/schemas/BoardExport"}, "request")
    violations = check.find_violations(document)
    if not violations and check.normalize:
        document = check.normalize(document)
        violations = check.find_violations(document)
    if violations:
        raise BoardFileError(f"This is not a valid export: '{violations[0].pointer}' {violations[0].message}.")
    return document
