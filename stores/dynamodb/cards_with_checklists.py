"""All active cards of a board or of a list with their checklists, in as few calls as possible."""

from collections.abc import Callable, Iterator, Sequence

from kanban.limits import MAX_CHECKLISTS_PER_CARD
from kanban.store import CardQuery, CardsWithChecklists
from kanban.values import Card, Checklist
from kanban.views import BoardView
from stores.dynamodb import card_pages, keys
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.card_items import card_from_item, part_from_item
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import Filter, TableReader

_ITEMS_PER_CALL = 1000

_MAX_CARD_QUERIES = 10
"""For up to so many cards their checklists are queried card by card; for more, all parts of these cards are read."""

_IS_CHECKLIST = Filter("attribute_exists(#items)")

BoardQuery = Callable[..., Iterator[Item]]


def read_cards_with_checklists(
    reader: TableReader, board_id: str, user_id: str, list_id: str | None
) -> tuple[BoardView, CardsWithChecklists] | None:
    """Return the cards by position with their checklists that have items, and the board as that member sees it."""
    board_query = reader.board_query(board_id)

    def read(head: BoardHead) -> CardsWithChecklists:
        cards = _query_cards(board_query, head, list_id)
        return CardsWithChecklists(cards, _query_checklists(board_query, cards))

    return reader.read_consistent(board_id, user_id, read)


def _query_cards(board_query: BoardQuery, head: BoardHead, list_id: str | None) -> list[Card]:
    """Return the cards by position. Those of a whole board are found by their ids, all lists in one range."""
    card_filter = card_pages.build_card_filter(head, CardQuery(list_id))
    if card_filter is None:
        return []
    first, last, index = ("C#", "C$", None) if list_id is None else (f"{list_id}#", f"{list_id}$", "place")
    filter_by = card_filter.build(by_list=False)
    items = board_query(first, last, index=index, page_size=_ITEMS_PER_CALL, filter_by=filter_by)
    list_numbers = {list_.id: number for number, list_ in enumerate(card_filter.lists)}
    cards = [card for card in map(card_from_item, items) if card.list_id in list_numbers]
    return sorted(cards, key=lambda card: (list_numbers[card.list_id], card.rank))


def _query_checklists(board_query: BoardQuery, cards: Sequence[Card]) -> dict[str, list[Checklist]]:
    """Return the checklists that have items, by card and in their order."""
    card_ids = sorted(card.id for card in cards if card.item_count)
    checklists: dict[str, list[Checklist]] = {}
    for item in _query_checklist_items(board_query, card_ids):
        checklist = part_from_item(item)
        if isinstance(checklist, Checklist) and checklist.items:
            checklists.setdefault(checklist.card_id, []).append(checklist)
    known_ids = {*card_ids}
    return {
        card_id: sorted(card_checklists, key=lambda checklist: checklist.rank)
        for card_id, card_checklists in checklists.items()
        if card_id in known_ids
    }


def _query_checklist_items(board_query: BoardQuery, card_ids: Sequence[str]) -> Iterator[Item]:
    """Yield the checklists of these cards; if the cards are many, those of others too."""
    if len(card_ids) > _MAX_CARD_QUERIES:
        first, last = f"P#{card_ids[0]}#", f"P#{card_ids[-1]}$"
        yield from board_query(first, last, page_size=_ITEMS_PER_CALL, filter_by=_IS_CHECKLIST)
        return
    for card_id in card_ids:
        first, last = keys.part_sort_key(Checklist, card_id), keys.part_sort_key(Checklist, card_id, "~")
        yield from board_query(first, last, page_size=MAX_CHECKLISTS_PER_CARD)
