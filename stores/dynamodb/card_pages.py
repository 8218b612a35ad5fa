"""Pages of cards: which ranges of the table hold them, in which order, and what filters them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from kanban.card_filters import active_comparisons
from kanban.store import CardQuery, CardSort, CardState
from kanban.text import fold
from kanban.values import Card, List, Stage
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_attribute, to_boolean, to_number, to_string
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.card_items import card_from_item, contains_text
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import Filter
from stores.paging import cut_card_page

BoardQuery = Callable[..., Iterator[Item]]
"""Queries the partition of a board: `TableReader.board_query`."""

_STATE_CONDITIONS = {
    CardState.ACTIVE: "attribute_not_exists(#deleted_at) AND attribute_not_exists(#archived_at)",
    CardState.ARCHIVED: "attribute_not_exists(#deleted_at) AND attribute_exists(#archived_at)",
    CardState.DELETED: "attribute_exists(#deleted_at)",
}

_BY_CHANGE = (CardSort.LEAST_RECENTLY_UPDATED, CardSort.MOST_RECENTLY_UPDATED)
_BY_DUE = (CardSort.DUE_FIRST, CardSort.DUE_LAST)
_COMMENT_PAGE_SIZE = 1000

_TEXT_CONDITION = "contains(#title, :q) OR contains(#description, :q) OR contains(#search, :q)"


@dataclass(frozen=True, slots=True)
class CardFilter:
    """A query for cards, resolved on a board.

    Attributes:
        query: What is asked for.
        lists: The live lists whose cards are looked for, in their order.
        live_lists: All live lists of the board.
        member_id: The membership of the assignee who is asked for.
    """

    query: CardQuery
    lists: Sequence[List]
    live_lists: Sequence[List]
    member_id: str | None

    def may_have_cards(self, list_: List) -> bool:
        """Tell whether that list may have cards of the state that is asked for."""
        return list_.card_count > 0 if self.query.state == CardState.ACTIVE else list_.first_rank != ""

    def build(self, *, by_list: bool) -> Filter:
        """Return the filter of a query of the table.

        A search also gets every card that has comments; `_keep_matching` drops those whose comments lack the text.
        """
        query = self.query
        conditions = [_STATE_CONDITIONS[query.state]]
        values: Item = {}
        for condition, value in self._attribute_conditions():
            placeholder = f":v{len(values)}"
            conditions.append(condition.format(placeholder))
            values[placeholder] = value
        if query.q is not None:
            conditions.append(f"({_TEXT_CONDITION} OR #comment_count > :none)")
            values |= {":q": to_string(fold(query.q)), ":none": to_number(0)}
        if self.member_id is not None:
            conditions.append("attribute_exists(#assigned.#member)")
        if by_list:
            list_ids = {f":l{index}": to_string(list_.id) for index, list_ in enumerate(self.lists)}
            conditions.append(f"#list_id IN ({', '.join(list_ids)})")
            values |= list_ids
        names = {} if self.member_id is None else {"#member": self.member_id}
        return Filter(" AND ".join(conditions), values, names)

    def _attribute_conditions(self) -> Iterator[tuple[str, Item]]:
        """Yield conditions on attributes, each with a gap for a value, and the value."""
        query = self.query
        if query.label_id is not None:
            yield "contains(#label_ids, {})", to_string(query.label_id)
        for comparison, value in active_comparisons(query):
            yield f"#{comparison.field} {comparison.sign} {{}}", to_attribute(value)
        if query.overdue_at is not None:
            yield "#due_complete <> {}", to_boolean(True)  # noqa: FBT003  (it is the value)


def build_card_filter(head: BoardHead, query: CardQuery) -> CardFilter | None:
    """Return the filter of a query; None if it names something that is not there, so that nothing can match."""
    if query.label_id is not None and all(label.id != query.label_id for label in head.labels):
        return None
    member = None if query.assignee_id is None else head.members.get(query.assignee_id)
    if query.assignee_id is not None and member is None:
        return None
    lists = [
        list_
        for list_ in head.lists
        if query.list_id in (None, list_.id)
        and query.status in (None, list_.stage)
        and (query.list_id or query.with_archived_lists or query.state != CardState.ACTIVE or not list_.archived_at)
        and (query.overdue_at is None or list_.stage != Stage.DONE)
    ]
    return CardFilter(query, lists, head.lists, member.id if member else None) if lists else None


def page_cards(
    board_query: BoardQuery, card_filter: CardFilter | None, limit: int, after: PageKey | None
) -> Page[Card]:
    """Return as many cards as fit on a page."""
    if card_filter is None:
        return Page(())
    query = card_filter.query
    items = _query_items(board_query, card_filter, limit, after)
    if query.q:
        items = _keep_matching(items, fold(query.q), _cards_with_matching_comment(board_query, query.q))
    cards = map(card_from_item, items)
    if query.sort == CardSort.POSITION:
        ranks = {list_.id: list_.rank for list_ in card_filter.lists}
        return cut_card_page(cards, limit, lambda card: (ranks[card.list_id], card.list_id, card.rank))
    if query.sort in (CardSort.OLDEST, CardSort.NEWEST):
        return cut_card_page(cards, limit, lambda card: (card.id,))
    if query.sort in _BY_DUE:
        return cut_card_page(
            cards, limit, lambda card: (keys.format_timestamp(card.due_at or card.updated_at), card.id)
        )
    return cut_card_page(cards, limit, lambda card: (keys.format_timestamp(card.updated_at), card.id))


def _query_items(board_query: BoardQuery, card_filter: CardFilter, limit: int, after: PageKey | None) -> Iterator[Item]:
    if card_filter.query.sort == CardSort.POSITION:
        return _by_position(board_query, card_filter, limit, after)
    return _by_time(board_query, card_filter, limit, after)


# Searches


def _cards_with_matching_comment(board_query: BoardQuery, q: str) -> Collection[str]:
    """Return the ids of the cards that have a comment with that text, whatever else is asked of them."""
    items = board_query(
        "P#",
        "P$",
        page_size=_COMMENT_PAGE_SIZE,
        filter_by=Filter("contains(#search, :q)", {":q": to_string(fold(q))}),
    )
    return {item["sk"]["S"][2:].partition("#")[0] for item in items}


def _keep_matching(items: Iterator[Item], q: str, commented_card_ids: Collection[str]) -> Iterator[Item]:
    return (item for item in items if contains_text(item, q) or item["sk"]["S"][2:] in commented_card_ids)


# By time: one range of the board's items or of an index


def _by_time(board_query: BoardQuery, card_filter: CardFilter, limit: int, after: PageKey | None) -> Iterator[Item]:
    query = card_filter.query
    backwards = query.sort.startswith("-")
    if query.sort in (CardSort.OLDEST, CardSort.NEWEST):
        index, first, last = None, "C#", "C$"
        last_key = f"C#{after[0]}" if after else None
    else:
        index = "recent" if query.sort in _BY_CHANGE else "due"
        first, last = _sort_key_range(query)
        last_key = keys.time_index_key(query.state, str(after[0]), str(after[1])) if after else None
    if last_key is not None and backwards:
        last = min(last, keys.key_before(last_key))
    elif last_key is not None:
        first = max(first, last_key + keys.NEXT_KEY_SUFFIX)
    filter_by = card_filter.build(by_list=True)
    return board_query(first, last, index=index, backwards=backwards, page_size=limit + 1, filter_by=filter_by)


def _sort_key_range(query: CardQuery) -> tuple[str, str]:
    """Return the first and last key of the query's cards in its index.

    A key begins with a time and goes on: it sorts above that time alone.
    """
    since: str | None = None
    ends: list[str] = []
    if query.sort in _BY_CHANGE:
        # A deletion is the last change of a card.
        starts = [start for start in (query.updated_since, query.deleted_since) if start is not None]
        since = keys.format_timestamp(max(starts)) if starts else None
    if query.sort in _BY_DUE:
        since = None if query.due_from is None else keys.format_timestamp(query.due_from)
        ends = [keys.format_timestamp(end) for end in (query.due_until, query.overdue_at) if end is not None]
    prefix = keys.STATE_PREFIXES[query.state]
    return prefix + (since or " "), prefix + min([*ends, ":"])


# By position: list after list


def _by_position(board_query: BoardQuery, card_filter: CardFilter, limit: int, after: PageKey | None) -> Iterator[Item]:
    """Yield the cards of list after list. Lists that follow each other in the index too are read by one query."""
    lists = list(card_filter.lists)
    rank = ""
    if after:
        list_rank, list_id, rank = map(str, after)
        # The list that the last page ended in may have been moved since.
        list_rank = next((list_.rank for list_ in lists if list_.id == list_id), list_rank)
        lists = [list_ for list_ in lists if list_.rank >= list_rank]
        rank = rank if lists and lists[0].id == list_id else ""
    lists = [list_ for index, list_ in enumerate(lists) if card_filter.may_have_cards(list_) or (rank and index == 0)]
    non_empty_ids = {list_.id for list_ in card_filter.live_lists if card_filter.may_have_cards(list_)}
    other_list_ids = non_empty_ids - {list_.id for list_ in lists}
    filter_by = card_filter.build(by_list=False)
    page_size = limit + 1
    while lists:
        consecutive = _consecutive_lists(lists, other_list_ids)
        first = keys.rank_index_key(consecutive[0].id, rank) + (keys.NEXT_KEY_SUFFIX if rank else "")
        lists, rank = lists[len(consecutive) :], ""
        expected_ids = {list_.id for list_ in consecutive}
        last = f"{consecutive[-1].id}$"
        for item in board_query(first, last, index="place", page_size=page_size, filter_by=filter_by):
            list_id = item["list_id"]["S"]
            if list_id not in expected_ids:
                # A deleted list lies in between: skip its cards.
                lists = [list_ for list_ in consecutive if list_.id > list_id] + lists
                break
            # Not every item that a search reads is on the page.
            page_size -= 0 if card_filter.query.q else 1
            yield item


def _consecutive_lists(lists: Sequence[List], other_list_ids: set[str]) -> Sequence[List]:
    """Return as many of the first lists as the index has in the same order, without another live list in between."""
    end = 1
    while end < len(lists):
        above, below = lists[end - 1].id, lists[end].id
        if above > below or any(above < list_id < below for list_id in other_list_ids):
            break
        end += 1
    return lists[:end]
