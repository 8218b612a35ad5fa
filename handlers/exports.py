"""Exports: a whole board, page by page, as of one moment."""

from datetime import datetime

from handlers.dependencies import CursorEncoder
from handlers.results import Result
from kanban.access import Caller
from kanban.interchange import serialize_export
from kanban.interchange.export_document import BoardChanged, Digest
from kanban.store import Store
from kanban.views import PageKey
from usecases.board_access import BoardAccess
from usecases.board_export import ExportArrays, compute_installation_id, walk_board

_MAX_CARDS = 100
_MAX_PAGE_BYTES = 1_000_000
"""A page ends after the part that reaches this size; the last part may be a card with 20 long checklists."""

_MAX_READ_ATTEMPTS = 3
"""How often the first page is read, if the board changes meanwhile each time, before that is reported."""


def export_board(
    access: BoardAccess,
    store: Store,
    caller: Caller,
    now: datetime,
    encode_cursor: CursorEncoder,
    board_id: str,
    cursor: PageKey | None = None,
) -> Result:
    """Return a page of the whole board."""
    for _ in range(_MAX_READ_ATTEMPTS - 1):
        try:
            return _export_page(access, store, caller, now, encode_cursor, board_id, cursor)
        except BoardChanged:
            if cursor is not None:
                raise
    return _export_page(access, store, caller, now, encode_cursor, board_id, cursor)


def _export_page(
    access: BoardAccess,
    store: Store,
    caller: Caller,
    now: datetime,
    encode_cursor: CursorEncoder,
    board_id: str,
    cursor: PageKey | None,
) -> Result:
    """Return a page. A cursor holds the board's seq, the digest of the pages before, and where the walk goes on."""
    view = access.read_board(board_id)
    seq, digest_state, *start = cursor or (view.board.seq, "0")
    if view.board.seq != seq:
        raise BoardChanged
    digest = Digest(str(digest_state))
    if cursor is None:
        digest.add_board(serialize_export.serialize_board(view, now))
    arrays, next_key = ExportArrays(view, digest), None
    for part in walk_board(access, view, tuple(start) or None):
        arrays.add(part)
        if arrays.size >= _MAX_PAGE_BYTES or len(arrays.cards) >= _MAX_CARDS:
            next_key = part.next_key
            break
    next_cursor = encode_cursor((seq, str(digest), *next_key) if next_key else None)
    page = {
        **serialize_export.serialize_board(view, now, is_first_page=cursor is None),
        **arrays.to_json_object(),
        "digest": None if next_cursor else str(digest),
        "next_cursor": next_cursor,
    }
    users = store.read_users(sorted({caller.user_id, *serialize_export.find_user_ids(page)}))
    origin = serialize_export.serialize_origin(users[caller.user_id], compute_installation_id(store))
    next_query = {"cursor": next_cursor} if next_cursor else None
    return Result({**serialize_export.add_user_names(page, users), **origin}, next_query=next_query)
