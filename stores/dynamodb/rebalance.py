"""Rebalance: new, short ranks for the cards around one whose rank has grown long.

A transaction holds a hundred items, so not all cards of a large list get new ranks, but those next to the long one:
enough of them that the next rebalance is many moves away.
"""

from dataclasses import replace

from kanban.changes import Change
from kanban.ordering import ranks
from kanban.values import Card, CardRank, Entity, List
from stores.dynamodb.snapshots import Neighbours

NEIGHBOURS_PER_SIDE = 40
"""How many cards on each side of the long rank get new ones."""


def find_pivot(change: Change) -> Card | None:
    """Return the card whose position in the list to rebalance made its rank long."""
    cards = [
        value
        for value in (*change.updates, *change.creates)
        if isinstance(value, Card) and value.list_id == change.rebalance_list_id
    ]
    return cards[0] if len(cards) == 1 else None


def rebalance(change: Change, neighbours: Neighbours) -> tuple[Change, list[tuple[CardRank, CardRank]]]:
    """Return the change with shorter ranks, and the neighbours that get new ranks: each before and after.

    `neighbours` has up to one card more than NEIGHBOURS_PER_SIDE on each side: if there is none, the list ends there.
    """
    card = find_pivot(change)
    list_ = next(
        (value for value in change.updates if isinstance(value, List) and value.id == change.rebalance_list_id), None
    )
    if card is None or list_ is None:
        return change, []
    above, below = neighbours.above, neighbours.below
    order = [
        *reversed(above[:NEIGHBOURS_PER_SIDE]),
        CardRank(card.id, list_.id, card.rank),
        *below[:NEIGHBOURS_PER_SIDE],
    ]
    if len(below) <= NEIGHBOURS_PER_SIDE:
        # All cards down to the end of the list: they move past its last rank, in the same order.
        new_ranks = ranks.sequence_after(list_.last_rank, len(order))
        first_rank = list_.first_rank if len(above) > NEIGHBOURS_PER_SIDE else new_ranks[0]
        list_ = replace(list_, first_rank=first_rank, last_rank=new_ranks[-1])
    elif len(above) <= NEIGHBOURS_PER_SIDE:
        new_ranks = ranks.sequence_before(list_.first_rank, len(order))
        list_ = replace(list_, first_rank=new_ranks[0])
    else:
        outer = above[NEIGHBOURS_PER_SIDE].rank, below[NEIGHBOURS_PER_SIDE].rank
        new_ranks = ranks.sequence_between(*outer, len(order))
    moves = [(before, replace(before, rank=rank)) for before, rank in zip(order, new_ranks, strict=True)]
    new_rank = next(after.rank for _, after in moves if after.card_id == card.id)
    rebalanced = _with_values(change, replace(card, rank=new_rank), list_)
    return rebalanced, [(before, after) for before, after in moves if before.card_id != card.id]


def _with_values(change: Change, card: Card, list_: List) -> Change:
    """Return the change with this card and this list in place of those of the same ids."""

    def current(value: Entity) -> Entity:
        if isinstance(value, Card) and value.id == card.id:
            return card
        return list_ if isinstance(value, List) and value.id == list_.id else value

    return replace(change, creates=tuple(map(current, change.creates)), updates=tuple(map(current, change.updates)))
