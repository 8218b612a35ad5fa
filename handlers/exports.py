"""Exports: a board, whole, page by page, each of the same moment."""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime

from handlers import serialize_exports
from handlers.dependencies import CursorEncoder
from handlers.results import Result
from handlers.serialize import JsonObject
from kanban.access import Caller
from kanban.interchange.export_document import BoardChanged, Digest
from kanban.store import CardQuery, CardState, Store
from kanban.values import Card
from kanban.views import BoardView, PageKey
from usecases.board_access import BoardAccess

_CARDS_PER_READ = 50
_COMMENTS_PER_READ = 50
_ENTRIES_PER_READ = 500
_MAX_PAGE_BYTES = 1_000_000
"""A page to which so much was added gets nothing more; the last thing may be a card with 20 long checklists."""

_MAX_READ_ATTEMPTS = 3
"""How often the first page is begun before the board is said to change all the time."""

_ALL_TIME = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
_EXPORTED_STATES = (CardState.ACTIVE, CardState.ARCHIVED)


def export_board(
    access: BoardAccess,
    store: Store,
    caller: Caller,
    now: datetime,
    encode_cursor: CursorEncoder,
    board_id: str,
    cursor: PageKey | None = None,
) -> Result:
    """A page of the whole board."""
    page = _read_page(access, board_id, cursor)
    shape = page.to_json_object(now, encode_cursor(page.next))
    people = store.read_users(sorted({caller.user_id, *page.user_ids()}))
    origin = serialize_exports.origin(people[caller.user_id], _compute_installation_id(store))
    next_query = {"cursor": shape["next_cursor"]} if page.next else None
    return Result({**serialize_exports.add_user_names(shape, people), **origin}, next_query=next_query)


def _compute_installation_id(store: Store) -> str:
    """Return what tells this installation from others. Its secret can't be told from it."""
    return hmac.digest(store.read_secret(), b"exported_from", "sha256").hex()[:32]


def _read_page(access: BoardAccess, board_id: str, cursor: PageKey | None) -> "_ExportPage":
    for glance in range(_MAX_READ_ATTEMPTS):
        page = _ExportPage(access, access.read_board(board_id), cursor)
        try:
            page.fill()
        except BoardChanged:
            if cursor is not None or glance == _MAX_READ_ATTEMPTS - 1:
                raise
        else:
            return page
    raise BoardChanged


class _ExportPage:
    """One page while it is filled.

    A position is the board's seq, the digest so far, the number of the shelf (two for each list, then one for the time
    entries), how many cards of the store's page are done, whether the next one is done but for its comments, the
    length of the store's position of that page, that position, and the store's position among the comments.
    """

    def __init__(self, access: BoardAccess, view: BoardView, cursor: PageKey | None) -> None:
        self.access = access
        self.view = view
        self.is_first = cursor is None
        seq, digest, shelf, done, midway, length, *rest = cursor or (view.board.seq, "0", 0, 0, 0, 0)
        self.seq = int(seq)
        self.digest = Digest(str(digest))
        self.section, self.cards_done, self.is_card_open = int(shelf), int(done), bool(midway)
        self.after: PageKey | None = tuple(rest[: int(length)]) or None
        self.comments_after: PageKey | None = tuple(rest[int(length) :]) or None
        self.size = 0
        self.next: PageKey | None = None
        self.list_indexes = {each.id: number for number, each in enumerate(view.lists)}
        self.label_names = {each.id: each.name for each in view.labels}
        self.shapes: dict[str, list[JsonObject]] = {"cards": [], "checklists": [], "comments": [], "time_entries": []}

    def to_json_object(self, now: datetime, next_cursor: str | None) -> JsonObject:
        """`BoardExport`, without the names of people."""
        digest = None if next_cursor else str(self.digest)
        head = serialize_exports.head(self.view, now, is_first=self.is_first)
        return {**head, **self.shapes, "digest": digest, "next_cursor": next_cursor}

    def user_ids(self) -> Iterable[str]:
        """Whose names the page shows, as users' ids."""
        yield from (each["author_id"] for each in self.shapes["comments"])
        yield from (each["user_id"] for each in self.shapes["time_entries"])
        if self.is_first:
            yield from (each.user_id for each in self.view.members)

    def fill(self) -> None:
        """Read on from the cursor until the page is full or the board is told. Raises BoardChanged."""
        self._ensure_unchanged(self.view)
        if self.is_first:
            self.digest.add_board(serialize_exports.head(self.view, self.view.board.updated_at, is_first=True))
        shelves = 2 * len(self.view.lists)
        while self.section < shelves:
            if not self._fill_cards():
                return
        while not self._is_full():
            if not self._fill_entries():
                return
        self._set_next()

    def _fill_cards(self) -> bool:
        """Add a page of the store's; whether there is room for more."""
        list_ = self.view.lists[self.section // 2]
        query = CardQuery(list_.id, state=_EXPORTED_STATES[self.section % 2])
        view, page = self.access.page_cards(self.view.board.id, query, _CARDS_PER_READ, self.after)
        self._ensure_unchanged(view)
        for card in page.items[self.cards_done :]:
            if self._is_full() or not self._fill_card(card):
                self._set_next()
                return False
            self.cards_done += 1
        self.cards_done, self.after = 0, page.next_key
        self.section += page.next_key is None
        return True

    def _fill_card(self, card: Card) -> bool:
        """Add a card, or what was left of it; whether all of it is there."""
        key = (self.list_indexes[card.list_id], card.rank)
        if not self.is_card_open:
            shape = serialize_exports.card(card, self.view)
            self._add("card", shape, self.digest.add_card(shape, key[0], self.label_names))
            view, checklists = self.access.read_checklists(card.board_id, card.id)
            self._ensure_unchanged(view)
            for number, each in enumerate(checklists):
                shape = serialize_exports.checklist(each, self.view)
                self._add("checklist", shape, self.digest.add("checklist", shape, key, number))
        self.is_card_open = card.comment_count > 0
        while self.is_card_open and not self._is_full():
            view, page = self.access.page_comments(card.board_id, card.id, _COMMENTS_PER_READ, self.comments_after)
            self._ensure_unchanged(view)
            for comment in page.items:
                shape = serialize_exports.comment(comment)
                self._add("comment", shape, self.digest.add("comment", shape, key))
            self.comments_after = page.next_key
            self.is_card_open = page.next_key is not None
        return not self.is_card_open

    def _fill_entries(self) -> bool:
        """Add a page of time entries; whether more follow."""
        view, page = self.access.page_board_time_entries(self.view.board.id, _ALL_TIME, _ENTRIES_PER_READ, self.after)
        self._ensure_unchanged(view)
        for entry, card in page.items:
            shape = serialize_exports.time_entry(entry)
            key = (self.list_indexes[card.list_id], card.rank)
            self._add("time_entry", shape, self.digest.add("time_entry", shape, key))
        self.after = page.next_key
        return page.next_key is not None

    def _add(self, kind: str, shape: JsonObject, size: int) -> None:
        self.shapes["time_entries" if kind == "time_entry" else f"{kind}s"].append(shape)
        self.size += size

    def _is_full(self) -> bool:
        return self.size >= _MAX_PAGE_BYTES or len(self.shapes["cards"]) >= 2 * _CARDS_PER_READ

    def _set_next(self) -> None:
        after, comments_after = self.after or (), self.comments_after or ()
        here = (self.section, self.cards_done, int(self.is_card_open), len(after))
        self.next = (self.seq, str(self.digest), *here, *after, *comments_after)

    def _ensure_unchanged(self, view: BoardView) -> None:
        if view.board.seq != self.seq:
            raise BoardChanged
