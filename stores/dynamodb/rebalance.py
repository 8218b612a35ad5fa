"""New, short ranks for the cards around a place where they have grown long.

A transaction holds a hundred parts, so it is never the whole of a large list that gets new ranks, but what lies next
to the long one: enough of it that the next wish is many moves away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kanban.changes import Change
from kanban.ordering import ranks
from kanban.values import Card, CardRank, Entity, List

NEIGHBOURS_PER_SIDE = 40
"""How many cards on each side of the long rank get new ones."""


def find_pivot(change: Change, list_id: str) -> Card | None:
    """The card whose place in that list made its rank long."""
    cards = [each for each in (*change.updates, *change.creates) if isinstance(each, Card) and each.list_id == list_id]
    return cards[0] if len(cards) == 1 else None


def rebalance_around(
    change: Change, list_id: str, card: Card, cards_above: Sequence[CardRank], cards_below: Sequence[CardRank]
) -> tuple[Change, list[tuple[CardRank, CardRank]]]:
    """The change with shorter ranks, and the other cards that get new ones: where they are, where they shall be.

    `above` and `below` are the cards around that one, the nearest first, up to one more than REACH.
    """
    bounds = next((each for each in change.updates if isinstance(each, List) and each.id == list_id), None)
    if bounds is None:
        return change, []
    order = [
        *reversed(cards_above[:NEIGHBOURS_PER_SIDE]),
        CardRank(card.id, list_id, card.rank),
        *cards_below[:NEIGHBOURS_PER_SIDE],
    ]
    if len(cards_below) <= NEIGHBOURS_PER_SIDE:
        # Everything down to the end: it goes past the end, as it is.
        new = ranks.sequence_after(bounds.last_rank, len(order))
        bounds = replace(
            bounds,
            first_rank=bounds.first_rank if len(cards_above) > NEIGHBOURS_PER_SIDE else new[0],
            last_rank=new[-1],
        )
    elif len(cards_above) <= NEIGHBOURS_PER_SIDE:
        new = ranks.sequence_before(bounds.first_rank, len(order))
        bounds = replace(bounds, first_rank=new[0])
    else:
        new = [
            *_ranks_between(cards_above[NEIGHBOURS_PER_SIDE].rank, cards_below[NEIGHBOURS_PER_SIDE].rank, len(order))
        ]
    moved = [(each, replace(each, rank=rank)) for each, rank in zip(order, new, strict=True)]
    rank = next(after.rank for _, after in moved if after.card_id == card.id)
    return _replace_values(change, replace(card, rank=rank), bounds), [
        pair for pair in moved if pair[0].card_id != card.id
    ]


def _ranks_between(above: str, below: str, count: int) -> Iterator[str]:
    """That many ranks in order between two, in as few digits as halving gives."""
    if count:
        middle = ranks.between(above, below)
        half = count // 2
        yield from _ranks_between(above, middle, half)
        yield middle
        yield from _ranks_between(middle, below, count - half - 1)


def _replace_values(change: Change, card: Card, list_: List) -> Change:
    def new(value: Entity) -> Entity:
        if isinstance(value, Card | List) and value.id in (card.id, list_.id):
            return card if isinstance(value, Card) else list_
        return value

    return replace(change, creates=tuple(map(new, change.creates)), updates=tuple(map(new, change.updates)))
