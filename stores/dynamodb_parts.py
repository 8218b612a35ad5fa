"""The parts of a card: its checklists, its comments, its time entries."""

from dataclasses import replace
from itertools import islice
from typing import TypeVar

from kanban.values import MAX_CHECKLISTS_PER_CARD, BoardView, Checklist, Comment, PageKey, TimeEntry
from stores import dynamodb_keys as keys
from stores.dynamodb_cards import part_of
from stores.dynamodb_heads import Head
from stores.dynamodb_keys import Item
from stores.dynamodb_reading import Reading

Kind = TypeVar("Kind", TimeEntry, Comment)


def checklists_of(
    reading: Reading, board_id: str, user_id: str, card_id: str
) -> tuple[BoardView, tuple[Checklist, ...]] | None:
    """The checklists of a live card in their order.

    A query finds them, but they are read by their keys: they are moved together, and their versions do not tell when
    their items change, so nothing else would keep a move from writing an item as it was before the last change.
    """
    first, last = keys.part_sk(Checklist, card_id), keys.part_sk(Checklist, card_id, "~")

    def read(_: Head) -> list[Item]:
        found = reading.on_board(board_id)(first, last, wanted=MAX_CHECKLISTS_PER_CARD)
        return [keys.key(each["pk"]["S"], each["sk"]["S"]) for each in found]

    found = reading.settled(board_id, user_id, read, lambda _: (card_id,), lambda there: there)
    if found is None:
        return None
    view = found[0]
    there = [each for each in view.parts.values() if isinstance(each, Checklist)] if view.cards else []
    return replace(view, parts={}), tuple(sorted(there, key=lambda each: each.rank))


def parts_of(
    reading: Reading, kind: type[Kind], where: tuple[str, str, str], count: int, after: PageKey | None = None
) -> tuple[BoardView, list[Kind]] | None:
    """The first parts of a card that follow a position, in the order of their ids; comments the other way round.

    `where` names the board, the user who looks, and the card. Without a live card there are none.
    """
    board_id, user_id, card_id = where
    first, last = keys.part_sk(kind, card_id), keys.part_sk(kind, card_id, "~")
    backwards = issubclass(kind, Comment)
    if after:
        here = keys.part_sk(kind, card_id, str(after[0]))
        first, last = (first, keys.before(here)) if backwards else (here + keys.AFTER, last)

    def read(_: Head) -> list[Kind]:
        found = reading.on_board(board_id)(first, last, backwards=backwards, wanted=count)
        return [part for part in map(part_of, islice(found, count)) if isinstance(part, kind)]

    found = reading.settled(board_id, user_id, read, lambda _: (card_id,))
    return found if found is None or found[0].cards else (found[0], [])
