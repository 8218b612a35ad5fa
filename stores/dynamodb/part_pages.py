"""The parts of a card: its checklists, its comments, its time entries."""

from dataclasses import replace
from itertools import islice
from typing import TypeVar

from kanban.limits import MAX_CHECKLISTS_PER_CARD
from kanban.values import Checklist, Comment, TimeEntry
from kanban.views import BoardView, PageKey
from stores.dynamodb import keys
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.card_items import part_from_item
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import TableReader

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
