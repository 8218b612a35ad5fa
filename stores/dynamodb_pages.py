"""Pages of cards: which stretches of the table hold them, and in which order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kanban.store import CardQuery, Sort
from kanban.text import folded
from kanban.values import Card, List, Page, Position
from stores import dynamodb_items as items
from stores import dynamodb_keys as keys
from stores.dynamodb_keys import Item
from stores.pages import page_of_cards

Query = Callable[..., Iterator[Item]]
"""Asks for the items of a partition between two sort keys, one by one: `Reading.between`."""


@dataclass(frozen=True, slots=True)
class Among:
    """Live lists whose cards are looked for, in their order, and what else must be true of a card."""

    lists: Sequence[List]
    live: Sequence[List]
    q: str | None

    def filter(self, *, by_list: bool) -> dict[str, Any]:
        """Live cards that the query finds, in these lists; for a query of DynamoDB."""
        conditions = ["attribute_not_exists(#deleted_at)"]
        names = {"#deleted_at": "deleted_at"}
        values: Item = {}
        if self.q:
            conditions.append("contains(#search, :q)")
            names["#search"] = "search"
            values[":q"] = items.text(folded(self.q))
        if by_list:
            values |= {f":l{place}": items.text(each.id) for place, each in enumerate(self.lists)}
            conditions.append(f"#list_id IN ({', '.join(sign for sign in values if sign != ':q')})")
            names["#list_id"] = "list_id"
        return {"filtered": " AND ".join(conditions), "names": names, "values": values}


def among(live: Sequence[List], query: CardQuery) -> Among:
    """The lists that a query speaks of."""
    chosen = [each for each in live if query.list_id in (None, each.id) and query.status in (None, each.stage)]
    return Among(chosen, live, query.q)


def cards_of(query: Query, where: Among, asked: CardQuery, limit: int, after: Position | None) -> Page[Card]:
    """As many cards as fit on a page."""
    if not where.lists:
        return Page(())
    if asked.sort == Sort.POSITION:
        ranks = {each.id: each.rank for each in where.lists}
        found = _by_position(query, where, limit, after)
        return page_of_cards(found, limit, lambda card: (ranks[card.list_id], card.list_id, card.rank))
    found = _by_time(query, where, asked.sort, limit, after)
    if asked.sort in (Sort.OLDEST, Sort.NEWEST):
        return page_of_cards(found, limit, lambda card: (card.id,))
    return page_of_cards(found, limit, lambda card: (keys.moment_text(card.updated_at), card.id))


def _by_time(query: Query, where: Among, sort: Sort, limit: int, after: Position | None) -> Iterator[Card]:
    backwards = sort.startswith("-")
    if sort in (Sort.OLDEST, Sort.NEWEST):
        index, first, last = None, "C#", "C$"
        here = f"C#{after[0]}" if after else None
    else:
        index, first, last = "recent", " ", "~"
        here = keys.recent(str(after[0]), str(after[1])) if after else None
    if here is not None:
        first, last = (first, keys.before(here)) if backwards else (here + keys.AFTER, last)
    yield from map(
        items.card_of,
        query(first, last, index=index, backwards=backwards, wanted=limit + 1, **where.filter(by_list=True)),
    )


def _by_position(query: Query, where: Among, limit: int, after: Position | None) -> Iterator[Card]:
    """The cards of list after list. Lists that follow each other in the index too are read in one stretch."""
    lists = list(where.lists)
    rank = ""
    if after:
        list_rank, list_id, rank = map(str, after)
        # The list that the last page ended in may have been moved since.
        list_rank = next((each.rank for each in lists if each.id == list_id), list_rank)
        lists = [each for each in lists if each.rank >= list_rank]
        rank = rank if lists and lists[0].id == list_id else ""
    lists = [each for place, each in enumerate(lists) if each.card_count or (rank and not place)]
    others = {each.id for each in where.live if each.card_count} - {each.id for each in lists}
    wanted = limit + 1
    while lists:
        stretch = _stretch(lists, others)
        begin = keys.place(stretch[0].id, rank) + (keys.AFTER if rank else "")
        lists, rank = lists[len(stretch) :], ""
        known = {each.id for each in stretch}
        for item in query(begin, f"{stretch[-1].id}$", index="place", wanted=wanted, **where.filter(by_list=False)):
            list_id = item["list_id"]["S"]
            if list_id not in known:
                # A deleted list lies in between: leap over its cards.
                lists = [each for each in stretch if each.id > list_id] + lists
                break
            wanted -= 1
            yield items.card_of(item)


def _stretch(lists: Sequence[List], others: set[str]) -> Sequence[List]:
    """As many of the first lists as the index has in the same order, without another live list in between."""
    end = 1
    while end < len(lists):
        above, below = lists[end - 1].id, lists[end].id
        if above > below or any(above < each < below for each in others):
            break
        end += 1
    return lists[:end]
