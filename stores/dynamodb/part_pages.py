"""The parts of a card: its checklists, its comments, its time entries."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from kanban.limits import MAX_CHECKLISTS_PER_CARD
from kanban.values import Checklist, Comment, TimeEntry
from kanban.views import BoardView, Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.card_items import part_from_item
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import TableReader
from stores.paging import cut_part_page

_MAX_PARTS_PER_PAGE = 90
"""So many cards, if each has one part, are read with the board in one transaction."""

Kind = TypeVar("Kind", TimeEntry, Comment)


def read_checklists(
    reader: TableReader, board_id: str, user_id: str, card_id: str
) -> tuple[BoardView, tuple[Checklist, ...]] | None:
    """Return the checklists of a live card in their order, and the board as that member sees it.

    A query finds their keys, and they are read by key together with the head. What a query returns may be older than
    the head, and a move writes whole checklists, whose versions do not change with their items: it would undo the last
    change of an item.
    """
    first, last = keys.part_sort_key(Checklist, card_id), keys.part_sort_key(Checklist, card_id, "~")

    def find_keys(_: BoardHead) -> list[Item]:
        items = reader.board_query(board_id)(first, last, page_size=MAX_CHECKLISTS_PER_CARD)
        return [*map(keys.key_of, items)]

    result = reader.read_consistent(board_id, user_id, find_keys, lambda _: (card_id,), lambda item_keys: item_keys)
    if result is None:
        return None
    view, _ = result
    checklists = [part for part in view.parts.values() if isinstance(part, Checklist)] if view.cards else []
    return replace(view, parts={}), tuple(sorted(checklists, key=lambda checklist: checklist.rank))


def page_parts(
    reader: TableReader, board_id: str, user_id: str, limit: int, *, after: PageKey | None, card_id: str | None
) -> tuple[BoardView, Page[Checklist | Comment]] | None:
    """Return a page of the checklists and comments of all live cards of a board, or of one card, by their keys.

    The cards are read with the board, to see which are live.
    """
    first = keys.part_sort_key(Checklist, card_id) if card_id else "P#"
    last = keys.part_sort_key(Comment, card_id, "~") if card_id else "P$"
    if after:
        first = str(after[0]) + keys.NEXT_KEY_SUFFIX
    count = min(limit, _MAX_PARTS_PER_PAGE)

    def read(_: BoardHead) -> tuple[Sequence[Item], Item | None]:
        return next(reader.query_batches(f"B#{board_id}", first, last, page_size=count), ((), None))

    def find_card_ids(batch: tuple[Sequence[Item], Item | None]) -> set[str]:
        return {keys.card_id_of_part(item) for item in batch[0]}

    result = reader.read_consistent(board_id, user_id, read, find_card_ids)
    if result is None:
        return None
    view, (items, last_key) = result
    parts = [(item, part_from_item(item)) for item in items]
    candidates: list[tuple[PageKey, Checklist | Comment | None]] = [
        ((item["sk"]["S"],), part if part.card_id in view.cards and not isinstance(part, TimeEntry) else None)
        for item, part in parts
    ]
    page = cut_part_page(candidates, len(candidates))
    # A query ends at its limit without knowing whether anything follows.
    next_key = page.next_key or ((last_key["sk"]["S"],) if last_key else None)
    return view.with_cards({}), replace(page, next_key=next_key)


def read_parts(
    reader: TableReader,
    kind: type[Kind],
    board_id: str,
    user_id: str,
    card_id: str,
    *,
    count: int,
    after: PageKey | None = None,
) -> tuple[BoardView, list[Kind]] | None:
    """Return the first parts of a live card after a page key: time entries oldest first, comments newest first.

    A card that is not live has none.
    """
    first, last = keys.part_sort_key(kind, card_id), keys.part_sort_key(kind, card_id, "~")
    backwards = issubclass(kind, Comment)
    if after:
        last_key = keys.part_sort_key(kind, card_id, str(after[0]))
        first, last = (first, keys.key_before(last_key)) if backwards else (last_key + keys.NEXT_KEY_SUFFIX, last)

    def read(_: BoardHead) -> list[Kind]:
        items = reader.board_query(board_id)(first, last, backwards=backwards, page_size=count)
        return [part for part in map(part_from_item, islice(items, count)) if isinstance(part, kind)]

    result = reader.read_consistent(board_id, user_id, read, lambda _: (card_id,))
    if result is None:
        return None
    view, parts = result
    return view, parts if view.cards else []
