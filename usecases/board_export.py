"""Walk through a whole board for an export: everything on it, in one order, as of one moment.

An export of a large board takes more than one request. So a walk can stop after any part, and a later walk goes on
from that part's `next_key`, as long as nobody has written to the board in between.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kanban.interchange import serialize_export
from kanban.interchange.export_document import BoardChanged, CardLocation, Digest, JsonObject
from kanban.store import CardQuery, CardState, Store
from kanban.values import Card, Checklist, Comment, TimeEntry
from kanban.views import BoardView, PageKey
from usecases.board_access import BoardAccess

_CARDS_PER_READ = 50
_COMMENTS_PER_READ = 50
_ENTRIES_PER_READ = 500

_ALL_TIME = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
_EXPORTED_STATES = (CardState.ACTIVE, CardState.ARCHIVED)


@dataclass(frozen=True, slots=True)
class ExportItem:
    """A value of an export, and the location of its card; a checklist also has its index on the card."""

    value: Card | Checklist | Comment | TimeEntry
    card_location: CardLocation
    checklist_index: int = 0


@dataclass(frozen=True, slots=True)
class ExportPart:
    """Items that stay together: a card with its checklists, comments of one card, or time entries of the board.

    `next_key` is where the next part begins; None after the last one.
    """

    items: tuple[ExportItem, ...]
    next_key: PageKey | None


def walk_board(access: BoardAccess, view: BoardView, start: PageKey | None = None) -> Iterator[ExportPart]:
    """Yield everything on the board except its lists, labels and members, which `view` has.

    List by list come the active and then the archived cards, each followed by its comments; time entries come last.

    Raises:
        BoardChanged: Somebody has written to the board since `view` was read.
    """
    return _Walk(access, view).walk(_WalkKey.decode(start) if start else _WalkKey())


@dataclass(frozen=True, slots=True)
class _WalkKey:
    """Where a walk goes on.

    There are two sections for each list, its active and its archived cards, and one for the time entries. `after` is
    the store's key of a page of cards or time entries, of which `cards_done` cards are done; if `is_card_open`, the
    next card is done except for its comments, which go on after `comments_after`.
    """

    section: int = 0
    cards_done: int = 0
    is_card_open: bool = False
    after: PageKey | None = None
    comments_after: PageKey | None = None

    @classmethod
    def decode(cls, key: PageKey) -> "_WalkKey":
        section, cards_done, is_card_open, length, *rest = key
        keys = tuple(rest[: int(length)]), tuple(rest[int(length) :])
        return cls(int(section), int(cards_done), bool(is_card_open), keys[0] or None, keys[1] or None)

    def encode(self) -> PageKey:
        after, comments_after = self.after or (), self.comments_after or ()
        return (self.section, self.cards_done, int(self.is_card_open), len(after), *after, *comments_after)


class _Walk:
    def __init__(self, access: BoardAccess, view: BoardView) -> None:
        self._access = access
        self._view = view
        self._board_id = view.board.id
        self._list_indexes = {list_.id: index for index, list_ in enumerate(view.lists)}

    def walk(self, key: _WalkKey) -> Iterator[ExportPart]:
        while key.section < 2 * len(self._view.lists):
            yield from self._walk_cards(key)
            key = _WalkKey(key.section + 1)
        yield from self._walk_time_entries(key)

    def _walk_cards(self, key: _WalkKey) -> Iterator[ExportPart]:
        """Yield the cards of one section."""
        query = CardQuery(self._view.lists[key.section // 2].id, state=_EXPORTED_STATES[key.section % 2])
        while True:
            view, page = self._access.page_cards(self._board_id, query, _CARDS_PER_READ, key.after)
            self._ensure_unchanged(view)
            end = _WalkKey(key.section, after=page.next_key) if page.next_key else _WalkKey(key.section + 1)
            for done, card in enumerate(page.items[key.cards_done :], key.cards_done + 1):
                is_last = done == len(page.items)
                following = end if is_last else _WalkKey(key.section, done, after=key.after)
                yield from self._walk_card(card, key, following)
                key = following
            if page.next_key is None:
                return
            key = end

    def _walk_card(self, card: Card, key: _WalkKey, following: _WalkKey) -> Iterator[ExportPart]:
        """Yield a card, or what is left of it: `following` is where the next one begins."""
        location = self._locate(card)
        if not key.is_card_open:
            view, checklists = self._access.read_checklists(self._board_id, card.id)
            self._ensure_unchanged(view)
            items = [ExportItem(card, location)]
            items += [ExportItem(checklist, location, index) for index, checklist in enumerate(checklists)]
            key = replace(key, is_card_open=True)
            yield ExportPart(tuple(items), (key if card.comment_count else following).encode())
        while card.comment_count:
            view, page = self._access.page_comments(self._board_id, card.id, _COMMENTS_PER_READ, key.comments_after)
            self._ensure_unchanged(view)
            comments = tuple(ExportItem(comment, location) for comment in page.items)
            key = replace(key, comments_after=page.next_key)
            yield ExportPart(comments, (key if page.next_key else following).encode())
            if page.next_key is None:
                return

    def _walk_time_entries(self, key: _WalkKey) -> Iterator[ExportPart]:
        while True:
            view, page = self._access.page_board_time_entries(self._board_id, _ALL_TIME, _ENTRIES_PER_READ, key.after)
            self._ensure_unchanged(view)
            entries = tuple(ExportItem(entry, self._locate(card)) for entry, card in page.items)
            key = replace(key, after=page.next_key)
            yield ExportPart(entries, key.encode() if page.next_key else None)
            if page.next_key is None:
                return

    def _locate(self, card: Card) -> CardLocation:
        return self._list_indexes[card.list_id], card.rank

    def _ensure_unchanged(self, view: BoardView) -> None:
        if view.board.seq != self._view.board.seq:
            raise BoardChanged


class ExportArrays:
    """The cards, checklists, comments and time entries of an export, or of one page of it, as JSON objects.

    `size` is about how many bytes they have. They lack the names of users: see `serialize_export.add_user_names`.
    """

    def __init__(self, view: BoardView, digest: Digest) -> None:
        """Begin with nothing. What is added is added to the digest, too."""
        self.cards: list[JsonObject] = []
        self.checklists: list[JsonObject] = []
        self.comments: list[JsonObject] = []
        self.time_entries: list[JsonObject] = []
        self.size = 0
        self._view = view
        self._digest = digest
        self._label_names = {label.id: label.name for label in view.labels}

    def add(self, part: ExportPart) -> None:
        """Add the items of a part."""
        self.size += sum(map(self._add, part.items))

    def to_json_object(self) -> JsonObject:
        """Return the arrays under the names that they have in an export."""
        return {
            "cards": self.cards,
            "checklists": self.checklists,
            "comments": self.comments,
            "time_entries": self.time_entries,
        }

    def _add(self, item: ExportItem) -> int:
        """Add an item; return about how many bytes it has."""
        location = item.card_location
        match item.value:
            case Card() as card:
                self.cards.append(serialize_export.serialize_card(card, self._view))
                return self._digest.add_card(self.cards[-1], location[0], self._label_names)
            case Checklist() as checklist:
                self.checklists.append(serialize_export.serialize_checklist(checklist, self._view))
                return self._digest.add("checklist", self.checklists[-1], location, item.checklist_index)
            case Comment() as comment:
                self.comments.append(serialize_export.serialize_comment(comment))
                return self._digest.add("comment", self.comments[-1], location)
            case TimeEntry() as entry:
                self.time_entries.append(serialize_export.serialize_time_entry(entry))
                return self._digest.add("time_entry", self.time_entries[-1], location)


def compute_installation_id(store: Store) -> str:
    """Return an id that tells this installation from others. The store's secret can't be derived from it."""
    return hmac.digest(store.read_secret(), b"exported_from", "sha256").hex()[:32]
