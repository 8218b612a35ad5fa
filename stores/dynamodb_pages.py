"""Pages of cards: which stretches of the table hold them, and in which order."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kanban.store import CardQuery, CardSort, CardState
from kanban.text import fold
from kanban.values import Card, List, Page, PageKey, Stage
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import moment, number, text
from stores.dynamodb_cards import card_of, found_by
from stores.dynamodb_heads import Head
from stores.dynamodb_keys import Item
from stores.pages import cut_card_page

Query = Callable[..., Iterator[Item]]
"""Asks for the items of a partition between two sort keys, one by one: `Reading.between`."""

_ON_SHELF = {
    CardState.ACTIVE: "attribute_not_exists(#deleted_at) AND attribute_not_exists(#archived_at)",
    CardState.ARCHIVED: "attribute_not_exists(#deleted_at) AND attribute_exists(#archived_at)",
    CardState.DELETED: "attribute_exists(#deleted_at)",
}

_SIGNS = re.compile("#[a-z_]+")
_BY_CHANGE = (CardSort.LEAST_RECENTLY_UPDATED, CardSort.MOST_RECENTLY_UPDATED)
_BY_DUE = (CardSort.DUE_FIRST, CardSort.DUE_LAST)
_COMMENTS_AT_ONCE = 1000

_HAS_TEXT = "contains(#title, :q) OR contains(#description, :q) OR contains(#search, :q)"


@dataclass(frozen=True, slots=True)
class Among:
    """Live lists whose cards are looked for, in their order, and what else must be true of a card.

    `live` are all live lists of the board. `member_id` is the place of the assignee, if one is asked for.
    """

    asked: CardQuery
    lists: Sequence[List]
    live: Sequence[List]
    member_id: str | None

    def has_cards(self, each: List) -> bool:
        """Whether such cards may be in that list."""
        return each.card_count > 0 if self.asked.state == CardState.ACTIVE else each.first_rank != ""

    def filter(self, *, by_list: bool) -> dict[str, Any]:
        """The cards that are looked for; for a query of DynamoDB. Those with comments are found whatever `q` is."""
        asked = self.asked
        conditions = [_ON_SHELF[asked.state]]
        names = {sign: sign[1:] for sign in _SIGNS.findall(conditions[0])}
        values: Item = {}
        for name, condition, value in self._wishes():
            sign = f":v{len(values)}"
            conditions.append(condition.format(f"#{name}", sign))
            names[f"#{name}"], values[sign] = name, value
        if asked.q:
            conditions.append(f"({_HAS_TEXT} OR #comment_count > :none)")
            names |= {sign: sign[1:] for sign in ("#search", "#title", "#description", "#comment_count")}
            values |= {":q": text(fold(asked.q)), ":none": number(0)}
        if self.member_id is not None:
            conditions.append("attribute_exists(#assigned.#member)")
            names |= {"#assigned": "assigned", "#member": self.member_id}
        if by_list:
            signs = {f":l{place}": text(each.id) for place, each in enumerate(self.lists)}
            conditions.append(f"#list_id IN ({', '.join(signs)})")
            names["#list_id"] = "list_id"
            values |= signs
        return {"filtered": " AND ".join(conditions), "names": names, "values": values}

    def _wishes(self) -> Iterator[tuple[str, str, Item]]:
        """What an attribute must be: its name, the condition, and a value in it."""
        asked = self.asked
        if asked.label_id is not None:
            yield "label_ids", "contains({0}, {1})", text(asked.label_id)
        if asked.due_from is not None:
            yield "due_at", "{0} >= {1}", moment(asked.due_from)
        for end in (asked.due_until, asked.overdue_at):
            if end is not None:
                yield "due_at", "{0} < {1}", moment(end)
        if asked.overdue_at is not None:
            yield "due_complete", "{0} <> {1}", {"BOOL": True}
        if asked.updated_since is not None:
            yield "updated_at", "{0} >= {1}", moment(asked.updated_since)
        if asked.deleted_since is not None:
            yield "deleted_at", "{0} >= {1}", moment(asked.deleted_since)


def among(head: Head, asked: CardQuery) -> Among | None:
    """What a query speaks of; None when it speaks of something that is not there."""
    if asked.label_id is not None and all(each.id != asked.label_id for each in head.labels):
        return None
    member = None if asked.assignee_id is None else head.members.get(asked.assignee_id)
    if asked.assignee_id is not None and member is None:
        return None
    chosen = [
        each
        for each in head.lists
        if asked.list_id in (None, each.id)
        and asked.status in (None, each.stage)
        and (asked.list_id is not None or asked.state != CardState.ACTIVE or each.archived_at is None)
        and (asked.overdue_at is None or each.stage != Stage.DONE)
    ]
    return Among(asked, chosen, head.lists, member.id if member else None) if chosen else None


def cards_of(query: Query, where: Among | None, limit: int, after: PageKey | None) -> Page[Card]:
    """As many cards as fit on a page."""
    if where is None:
        return Page(())
    asked = where.asked
    found = _found(query, where, limit, after)
    if asked.q:
        found = _matching(found, fold(asked.q), _commented(query, asked.q))
    cards = map(card_of, found)
    if asked.sort == CardSort.POSITION:
        ranks = {each.id: each.rank for each in where.lists}
        return cut_card_page(cards, limit, lambda card: (ranks[card.list_id], card.list_id, card.rank))
    if asked.sort in (CardSort.OLDEST, CardSort.NEWEST):
        return cut_card_page(cards, limit, lambda card: (card.id,))
    if asked.sort in _BY_DUE:
        return cut_card_page(
            cards, limit, lambda card: (keys.format_timestamp(card.due_at or card.updated_at), card.id)
        )
    return cut_card_page(cards, limit, lambda card: (keys.format_timestamp(card.updated_at), card.id))


def _found(query: Query, where: Among, limit: int, after: PageKey | None) -> Iterator[Item]:
    if where.asked.sort == CardSort.POSITION:
        return _by_position(query, where, limit, after)
    return _by_time(query, where, limit, after)


def _commented(query: Query, q: str) -> Collection[str]:
    """The cards that have a comment with that text, whichever else they must be."""
    found = query(
        *("P#", "P$"),
        wanted=_COMMENTS_AT_ONCE,
        filtered="contains(#search, :q)",
        names={"#search": "search"},
        values={":q": text(fold(q))},
    )
    return {each["sk"]["S"][2:].partition("#")[0] for each in found}


def _matching(found: Iterator[Item], q: str, commented: Collection[str]) -> Iterator[Item]:
    return (each for each in found if found_by(each, q) or each["sk"]["S"][2:] in commented)


def _by_time(query: Query, where: Among, limit: int, after: PageKey | None) -> Iterator[Item]:
    asked = where.asked
    backwards = asked.sort.startswith("-")
    if asked.sort in (CardSort.OLDEST, CardSort.NEWEST):
        index, first, last = None, "C#", "C$"
        here = f"C#{after[0]}" if after else None
    else:
        index = "recent" if asked.sort in _BY_CHANGE else "due"
        first, last = _bounds(asked)
        here = keys.timed(asked.state, str(after[0]), str(after[1])) if after else None
    if here is not None:
        first, last = (first, min(last, keys.before(here))) if backwards else (max(first, here + keys.AFTER), last)
    return query(first, last, index=index, backwards=backwards, wanted=limit + 1, **where.filter(by_list=True))


def _bounds(asked: CardQuery) -> tuple[str, str]:
    """Where in its index the cards of a query are. A key is a time and more, so it sorts above that time alone."""
    since: str | None = None
    until: list[str] = []
    if asked.sort in _BY_CHANGE:
        # To delete a card is to change it, and nobody changes it afterwards.
        starts = [each for each in (asked.updated_since, asked.deleted_since) if each is not None]
        since = keys.format_timestamp(max(starts)) if starts else None
    if asked.sort in _BY_DUE:
        since = None if asked.due_from is None else keys.format_timestamp(asked.due_from)
        until = [keys.format_timestamp(each) for each in (asked.due_until, asked.overdue_at) if each is not None]
    shelf = keys.SHELVES[asked.state]
    return shelf + (since or " "), shelf + min([*until, ":"])


def _by_position(query: Query, where: Among, limit: int, after: PageKey | None) -> Iterator[Item]:
    """The cards of list after list. Lists that follow each other in the index too are read in one stretch."""
    lists = list(where.lists)
    rank = ""
    if after:
        list_rank, list_id, rank = map(str, after)
        # The list that the last page ended in may have been moved since.
        list_rank = next((each.rank for each in lists if each.id == list_id), list_rank)
        lists = [each for each in lists if each.rank >= list_rank]
        rank = rank if lists and lists[0].id == list_id else ""
    lists = [each for place, each in enumerate(lists) if where.has_cards(each) or (rank and not place)]
    others = {each.id for each in where.live if where.has_cards(each)} - {each.id for each in lists}
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
            # What the search of comments leaves out is not on the page.
            wanted -= 0 if where.asked.q else 1
            yield item


def _stretch(lists: Sequence[List], others: set[str]) -> Sequence[List]:
    """As many of the first lists as the index has in the same order, without another live list in between."""
    end = 1
    while end < len(lists):
        above, below = lists[end - 1].id, lists[end].id
        if above > below or any(above < each < below for each in others):
            break
        end += 1
    return lists[:end]
