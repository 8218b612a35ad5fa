"""Pages of cards: which stretches of the table hold them, and in which order."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kanban.store import CardQuery, CardSort, CardState
from kanban.text import fold
from kanban.values import Card, List, Stage
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_number, to_string, to_timestamp
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.card_items import card_from_item, contains_text
from stores.dynamodb.keys import Item
from stores.paging import cut_card_page

BoardQuery = Callable[..., Iterator[Item]]
"""Asks for the items of a partition between two sort keys, one by one: `Reading.between`."""

_STATE_CONDITIONS = {
    CardState.ACTIVE: "attribute_not_exists(#deleted_at) AND attribute_not_exists(#archived_at)",
    CardState.ARCHIVED: "attribute_not_exists(#deleted_at) AND attribute_exists(#archived_at)",
    CardState.DELETED: "attribute_exists(#deleted_at)",
}

_NAME_PLACEHOLDERS = re.compile("#[a-z_]+")
_BY_CHANGE = (CardSort.LEAST_RECENTLY_UPDATED, CardSort.MOST_RECENTLY_UPDATED)
_BY_DUE = (CardSort.DUE_FIRST, CardSort.DUE_LAST)
_COMMENT_PAGE_SIZE = 1000

_TEXT_CONDITION = "contains(#title, :q) OR contains(#description, :q) OR contains(#search, :q)"


@dataclass(frozen=True, slots=True)
class CardFilter:
    """Live lists whose cards are looked for, in their order, and what else must be true of a card.

    `live` are all live lists of the board. `member_id` is the place of the assignee, if one is asked for.
    """

    query: CardQuery
    lists: Sequence[List]
    live_lists: Sequence[List]
    member_id: str | None

    def may_have_cards(self, list_: List) -> bool:
        """Whether such cards may be in that list."""
        return list_.card_count > 0 if self.query.state == CardState.ACTIVE else list_.first_rank != ""

    def build_expression(self, *, by_list: bool) -> dict[str, Any]:
        """The cards that are looked for; for a query of DynamoDB. Those with comments are found whatever `q` is."""
        asked = self.query
        conditions = [_STATE_CONDITIONS[asked.state]]
        names = {sign: sign[1:] for sign in _NAME_PLACEHOLDERS.findall(conditions[0])}
        values: Item = {}
        for name, condition, value in self._attribute_conditions():
            sign = f":v{len(values)}"
            conditions.append(condition.format(f"#{name}", sign))
            names[f"#{name}"], values[sign] = name, value
        if asked.q:
            conditions.append(f"({_TEXT_CONDITION} OR #comment_count > :none)")
            names |= {sign: sign[1:] for sign in ("#search", "#title", "#description", "#comment_count")}
            values |= {":q": to_string(fold(asked.q)), ":none": to_number(0)}
        if self.member_id is not None:
            conditions.append("attribute_exists(#assigned.#member)")
            names |= {"#assigned": "assigned", "#member": self.member_id}
        if by_list:
            signs = {f":l{place}": to_string(each.id) for place, each in enumerate(self.lists)}
            conditions.append(f"#list_id IN ({', '.join(signs)})")
            names["#list_id"] = "list_id"
            values |= signs
        return {"filtered": " AND ".join(conditions), "names": names, "values": values}

    def _attribute_conditions(self) -> Iterator[tuple[str, str, Item]]:
        """What an attribute must be: its name, the condition, and a value in it."""
        asked = self.query
        if asked.label_id is not None:
            yield "label_ids", "contains({0}, {1})", to_string(asked.label_id)
        if asked.due_from is not None:
            yield "due_at", "{0} >= {1}", to_timestamp(asked.due_from)
        for end in (asked.due_until, asked.overdue_at):
            if end is not None:
                yield "due_at", "{0} < {1}", to_timestamp(end)
        if asked.overdue_at is not None:
            yield "due_complete", "{0} <> {1}", {"BOOL": True}
        if asked.updated_since is not None:
            yield "updated_at", "{0} >= {1}", to_timestamp(asked.updated_since)
        if asked.deleted_since is not None:
            yield "deleted_at", "{0} >= {1}", to_timestamp(asked.deleted_since)


def build_card_filter(head: BoardHead, query: CardQuery) -> CardFilter | None:
    """What a query speaks of; None when it speaks of something that is not there."""
    if query.label_id is not None and all(each.id != query.label_id for each in head.labels):
        return None
    member = None if query.assignee_id is None else head.members.get(query.assignee_id)
    if query.assignee_id is not None and member is None:
        return None
    chosen = [
        each
        for each in head.lists
        if query.list_id in (None, each.id)
        and query.status in (None, each.stage)
        and (query.list_id is not None or query.state != CardState.ACTIVE or each.archived_at is None)
        and (query.overdue_at is None or each.stage != Stage.DONE)
    ]
    return CardFilter(query, chosen, head.lists, member.id if member else None) if chosen else None


def page_cards(
    board_query: BoardQuery, card_filter: CardFilter | None, limit: int, after: PageKey | None
) -> Page[Card]:
    """As many cards as fit on a page."""
    if card_filter is None:
        return Page(())
    asked = card_filter.query
    found = _query_items(board_query, card_filter, limit, after)
    if asked.q:
        found = _keep_matching(found, fold(asked.q), _cards_with_matching_comment(board_query, asked.q))
    cards = map(card_from_item, found)
    if asked.sort == CardSort.POSITION:
        ranks = {each.id: each.rank for each in card_filter.lists}
        return cut_card_page(cards, limit, lambda card: (ranks[card.list_id], card.list_id, card.rank))
    if asked.sort in (CardSort.OLDEST, CardSort.NEWEST):
        return cut_card_page(cards, limit, lambda card: (card.id,))
    if asked.sort in _BY_DUE:
        return cut_card_page(
            cards, limit, lambda card: (keys.format_timestamp(card.due_at or card.updated_at), card.id)
        )
    return cut_card_page(cards, limit, lambda card: (keys.format_timestamp(card.updated_at), card.id))


def _query_items(board_query: BoardQuery, card_filter: CardFilter, limit: int, after: PageKey | None) -> Iterator[Item]:
    if card_filter.query.sort == CardSort.POSITION:
        return _by_position(board_query, card_filter, limit, after)
    return _by_time(board_query, card_filter, limit, after)


def _cards_with_matching_comment(board_query: BoardQuery, q: str) -> Collection[str]:
    """The cards that have a comment with that text, whichever else they must be."""
    found = board_query(
        *("P#", "P$"),
        wanted=_COMMENT_PAGE_SIZE,
        filtered="contains(#search, :q)",
        names={"#search": "search"},
        values={":q": to_string(fold(q))},
    )
    return {each["sk"]["S"][2:].partition("#")[0] for each in found}


def _keep_matching(items: Iterator[Item], q: str, commented_card_ids: Collection[str]) -> Iterator[Item]:
    return (each for each in items if contains_text(each, q) or each["sk"]["S"][2:] in commented_card_ids)


def _by_time(board_query: BoardQuery, card_filter: CardFilter, limit: int, after: PageKey | None) -> Iterator[Item]:
    asked = card_filter.query
    backwards = asked.sort.startswith("-")
    if asked.sort in (CardSort.OLDEST, CardSort.NEWEST):
        index, first, last = None, "C#", "C$"
        here = f"C#{after[0]}" if after else None
    else:
        index = "recent" if asked.sort in _BY_CHANGE else "due"
        first, last = _sort_key_range(asked)
        here = keys.time_index_key(asked.state, str(after[0]), str(after[1])) if after else None
    if here is not None:
        first, last = (
            (first, min(last, keys.key_before(here))) if backwards else (max(first, here + keys.LEAST_SUFFIX), last)
        )
    return board_query(
        first, last, index=index, backwards=backwards, wanted=limit + 1, **card_filter.build_expression(by_list=True)
    )


def _sort_key_range(query: CardQuery) -> tuple[str, str]:
    """Where in its index the cards of a query are. A key is a time and more, so it sorts above that time alone."""
    since: str | None = None
    until: list[str] = []
    if query.sort in _BY_CHANGE:
        # To delete a card is to change it, and nobody changes it afterwards.
        starts = [each for each in (query.updated_since, query.deleted_since) if each is not None]
        since = keys.format_timestamp(max(starts)) if starts else None
    if query.sort in _BY_DUE:
        since = None if query.due_from is None else keys.format_timestamp(query.due_from)
        until = [keys.format_timestamp(each) for each in (query.due_until, query.overdue_at) if each is not None]
    shelf = keys.STATE_PREFIXES[query.state]
    return shelf + (since or " "), shelf + min([*until, ":"])


def _by_position(board_query: BoardQuery, card_filter: CardFilter, limit: int, after: PageKey | None) -> Iterator[Item]:
    """The cards of list after list. Lists that follow each other in the index too are read in one stretch."""
    lists = list(card_filter.lists)
    rank = ""
    if after:
        list_rank, list_id, rank = map(str, after)
        # The list that the last page ended in may have been moved since.
        list_rank = next((each.rank for each in lists if each.id == list_id), list_rank)
        lists = [each for each in lists if each.rank >= list_rank]
        rank = rank if lists and lists[0].id == list_id else ""
    lists = [each for place, each in enumerate(lists) if card_filter.may_have_cards(each) or (rank and not place)]
    others = {each.id for each in card_filter.live_lists if card_filter.may_have_cards(each)} - {
        each.id for each in lists
    }
    wanted = limit + 1
    while lists:
        stretch = _consecutive_lists(lists, others)
        begin = keys.rank_index_key(stretch[0].id, rank) + (keys.LEAST_SUFFIX if rank else "")
        lists, rank = lists[len(stretch) :], ""
        known = {each.id for each in stretch}
        for item in board_query(
            begin, f"{stretch[-1].id}$", index="place", wanted=wanted, **card_filter.build_expression(by_list=False)
        ):
            list_id = item["list_id"]["S"]
            if list_id not in known:
                # A deleted list lies in between: leap over its cards.
                lists = [each for each in stretch if each.id > list_id] + lists
                break
            # What the search of comments leaves out is not on the page.
            wanted -= 0 if card_filter.query.q else 1
            yield item


def _consecutive_lists(lists: Sequence[List], other_list_ids: set[str]) -> Sequence[List]:
    """As many of the first lists as the index has in the same order, without another live list in between."""
    end = 1
    while end < len(lists):
        above, below = lists[end - 1].id, lists[end].id
        if above > below or any(above < each < below for each in other_list_ids):
            break
        end += 1
    return lists[:end]
