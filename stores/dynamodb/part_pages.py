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
    """The checklists of a live card in their order.

    A query finds them, but they are read by their keys: they are moved together, and their versions do not tell when
    their items change, so nothing else would keep a move from writing an item as it was before the last change.
    """
    first, last = keys.part_sort_key(Checklist, card_id), keys.part_sort_key(Checklist, card_id, "~")

    def read(_: BoardHead) -> list[Item]:
        found = reader.board_query(board_id)(first, last, wanted=MAX_CHECKLISTS_PER_CARD)
        return [keys.item_key(each["pk"]["S"], each["sk"]["S"]) for each in found]

    found = reader.read_consistent(board_id, user_id, read, lambda _: (card_id,), lambda there: there)
    if found is None:
        return None
    view = found[0]
    there = [each for each in view.parts.values() if isinstance(each, Checklist)] if view.cards else []
    return replace(view, parts={}), tuple(sorted(there, key=lambda each: each.rank))


def read_parts(
    reader: TableReader, kind: type[Kind], ids: tuple[str, str, str], count: int, after: PageKey | None = None
) -> tuple[BoardView, list[Kind]] | None:
    """The first parts of a card that follow a position, in the order of their ids; comments the other way round.

    `where` names the board, the user who looks, and the card. Without a live card there are none.
    """
    board_id, user_id, card_id = ids
    first, last = keys.part_sort_key(kind, card_id), keys.part_sort_key(kind, card_id, "~")
    backwards = issubclass(kind, Comment)
    if after:
        here = keys.part_sort_key(kind, card_id, str(after[0]))
        first, last = (first, keys.key_before(here)) if backwards else (here + keys.LEAST_SUFFIX, last)

    def read(_: BoardHead) -> list[Kind]:
        found = reader.board_query(board_id)(first, last, backwards=backwards, wanted=count)
        return [part for part in map(part_from_item, islice(found, count)) if isinstance(part, kind)]

    found = reader.read_consistent(board_id, user_id, read, lambda _: (card_id,))
    return found if found is None or found[0].cards else (found[0], [])
