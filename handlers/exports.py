"""Exports: a board, whole, page by page, each of the same moment."""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime

from handlers import show_exports
from handlers.answers import Answer
from handlers.door import Door
from handlers.given import NextCursor
from handlers.show import Shape
from kanban.access import Caller
from kanban.errors import BoardChanged
from kanban.exports import Digest
from kanban.store import CardQuery, CardState, Store
from kanban.values import BoardView, Card, PageKey

_CARDS_AT_ONCE = 50
_COMMENTS_AT_ONCE = 50
_ENTRIES_AT_ONCE = 500
_MOST_BYTES = 1_000_000
"""A page to which so much was added gets nothing more; the last thing may be a card with 20 long checklists."""

_MOST_GLANCES = 3
"""How often the first page is begun before the board is said to change all the time."""

_ALL_TIME = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
_SHELVES = (CardState.ACTIVE, CardState.ARCHIVED)


def export_board(
    door: Door,
    store: Store,
    caller: Caller,
    now: datetime,
    next_cursor: NextCursor,
    board_id: str,
    cursor: PageKey | None = None,
) -> Answer:
    """A page of the whole board."""
    page = _page(door, board_id, cursor)
    shape = page.shape(now, next_cursor(page.next))
    people = store.read_users(sorted({caller.user_id, *page.people()}))
    origin = show_exports.origin(people[caller.user_id], _installation_id(store))
    next_query = {"cursor": shape["next_cursor"]} if page.next else None
    return Answer({**show_exports.with_names(shape, people), **origin}, next_query=next_query)


def _installation_id(store: Store) -> str:
    """Return what tells this installation from others. Its secret can't be told from it."""
    return hmac.digest(store.read_secret(), b"exported_from", "sha256").hex()[:32]


def _page(door: Door, board_id: str, cursor: PageKey | None) -> "_Page":
    for glance in range(_MOST_GLANCES):
        page = _Page(door, door.board(board_id), cursor)
        try:
            page.fill()
        except BoardChanged:
            if cursor is not None or glance == _MOST_GLANCES - 1:
                raise
        else:
            return page
    raise BoardChanged


class _Page:
    """One page while it is filled.

    A position is the board's seq, the digest so far, the number of the shelf (two for each list, then one for the time
    entries), how many cards of the store's page are done, whether the next one is done but for its comments, the
    length of the store's position of that page, that position, and the store's position among the comments.
    """

    def __init__(self, door: Door, view: BoardView, cursor: PageKey | None) -> None:
        self.door = door
        self.view = view
        self.is_first = cursor is None
        seq, digest, shelf, done, midway, length, *rest = cursor or (view.board.seq, "0", 0, 0, 0, 0)
        self.seq = int(seq)
        self.digest = Digest(str(digest))
        self.shelf, self.done, self.midway = int(shelf), int(done), bool(midway)
        self.after: PageKey | None = tuple(rest[: int(length)]) or None
        self.comments_after: PageKey | None = tuple(rest[int(length) :]) or None
        self.bytes = 0
        self.next: PageKey | None = None
        self.numbers = {each.id: number for number, each in enumerate(view.lists)}
        self.labels = {each.id: each.name for each in view.labels}
        self.found: dict[str, list[Shape]] = {"cards": [], "checklists": [], "comments": [], "time_entries": []}

    def shape(self, now: datetime, next_cursor: str | None) -> Shape:
        """`BoardExport`, without the names of people."""
        digest = None if next_cursor else str(self.digest)
        head = show_exports.head(self.view, now, is_first=self.is_first)
        return {**head, **self.found, "digest": digest, "next_cursor": next_cursor}

    def people(self) -> Iterable[str]:
        """Whose names the page shows, as users' ids."""
        yield from (each["author_id"] for each in self.found["comments"])
        yield from (each["user_id"] for each in self.found["time_entries"])
        if self.is_first:
            yield from (each.user_id for each in self.view.members)

    def fill(self) -> None:
        """Read on from the cursor until the page is full or the board is told. Raises BoardChanged."""
        self._same(self.view)
        if self.is_first:
            self.digest.add_board(show_exports.head(self.view, self.view.board.updated_at, is_first=True))
        shelves = 2 * len(self.view.lists)
        while self.shelf < shelves:
            if not self._fill_cards():
                return
        while not self._is_full():
            if not self._fill_entries():
                return
        self._stop()

    def _fill_cards(self) -> bool:
        """Add a page of the store's; whether there is room for more."""
        list_ = self.view.lists[self.shelf // 2]
        query = CardQuery(list_.id, state=_SHELVES[self.shelf % 2])
        view, page = self.door.cards(self.view.board.id, query, _CARDS_AT_ONCE, self.after)
        self._same(view)
        for card in page.items[self.done :]:
            if self._is_full() or not self._fill_card(card):
                self._stop()
                return False
            self.done += 1
        self.done, self.after = 0, page.next_key
        self.shelf += page.next_key is None
        return True

    def _fill_card(self, card: Card) -> bool:
        """Add a card, or what was left of it; whether all of it is there."""
        key = (self.numbers[card.list_id], card.rank)
        if not self.midway:
            shape = show_exports.card(card, self.view)
            self._add("card", shape, self.digest.add_card(shape, key[0], self.labels))
            view, checklists = self.door.checklists(card.board_id, card.id)
            self._same(view)
            for number, each in enumerate(checklists):
                shape = show_exports.checklist(each, self.view)
                self._add("checklist", shape, self.digest.add("checklist", shape, key, number))
        self.midway = card.comment_count > 0
        while self.midway and not self._is_full():
            view, page = self.door.comments(card.board_id, card.id, _COMMENTS_AT_ONCE, self.comments_after)
            self._same(view)
            for comment in page.items:
                shape = show_exports.comment(comment)
                self._add("comment", shape, self.digest.add("comment", shape, key))
            self.comments_after = page.next_key
            self.midway = page.next_key is not None
        return not self.midway

    def _fill_entries(self) -> bool:
        """Add a page of time entries; whether more follow."""
        view, page = self.door.worked(self.view.board.id, _ALL_TIME, _ENTRIES_AT_ONCE, self.after)
        self._same(view)
        for entry, card in page.items:
            shape = show_exports.time_entry(entry)
            key = (self.numbers[card.list_id], card.rank)
            self._add("time_entry", shape, self.digest.add("time_entry", shape, key))
        self.after = page.next_key
        return page.next_key is not None

    def _add(self, kind: str, shape: Shape, size: int) -> None:
        self.found["time_entries" if kind == "time_entry" else f"{kind}s"].append(shape)
        self.bytes += size

    def _is_full(self) -> bool:
        return self.bytes >= _MOST_BYTES or len(self.found["cards"]) >= 2 * _CARDS_AT_ONCE

    def _stop(self) -> None:
        after, comments_after = self.after or (), self.comments_after or ()
        here = (self.shelf, self.done, int(self.midway), len(after))
        self.next = (self.seq, str(self.digest), *here, *after, *comments_after)

    def _same(self, view: BoardView) -> None:
        if view.board.seq != self.seq:
            raise BoardChanged
