"""Pages of boards, deleted lists, assigned cards and time entries.

Each is filtered after it was read: a page that finds little ends early, with a key to go on from.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count, islice

from kanban.card_filters import matches_comparisons
from kanban.store import PAGE_BYTES, CardQuery
from kanban.text_size import count_text_bytes
from kanban.values import Board, Card, List, Role, Stage, TimeEntry
from kanban.views import BoardSummary, BoardView, Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import is_deleted, to_timestamp
from stores.dynamodb.board_items import BoardHead, deleted_list_from_item, head_from_items
from stores.dynamodb.card_items import card_from_item, part_from_item
from stores.dynamodb.client import InvalidRequest
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import MAX_BATCH_KEYS, MAX_PAGE_READS, Filter, TableReader
from stores.paging import cut_page

_MIN_BOARDS_PER_READ = 25
_CARDS_PER_COUNT = 1_000

CardReference = tuple[str, str]
"""The ids of a board and of a card on it."""


# Boards and deleted lists


def page_boards(
    reader: TableReader,
    user_id: str,
    limit: int,
    after: PageKey | None,
    matches: Callable[[Board, Role], bool],
) -> Page[tuple[Board, Role]]:
    """Return those of the user's boards that match, with the user's role, newest first."""
    last = keys.key_before(f"B#{after[0]}") if after else "B$"
    items = reader.query(f"U#{user_id}", "B#", last, backwards=True, page_size=limit + 1)
    size = min(max(limit + 1, _MIN_BOARDS_PER_READ), MAX_BATCH_KEYS)
    boards: list[tuple[Board, Role]] = []
    for reads in count(1):
        board_ids = [item["sk"]["S"][2:] for item in islice(items, size)]
        boards += [(board, role) for board, role in reader.get_boards(user_id, board_ids) if matches(board, role)]
        if len(boards) > limit or len(board_ids) < size:
            break
        if reads == MAX_PAGE_READS:
            return Page(tuple(boards), (board_ids[-1],))
    return cut_page(boards, limit, lambda board_and_role: board_and_role[0].id)


def page_board_ids(reader: TableReader, user_id: str, limit: int, after: PageKey | None) -> Page[str]:
    """Return the ids of the user's boards, deleted ones included."""
    first = f"B#{after[0]}{keys.NEXT_KEY_SUFFIX}" if after else "B#"
    items = islice(reader.query(f"U#{user_id}", first, "B$", page_size=limit + 1), limit + 1)
    return cut_page([str(item["sk"]["S"][2:]) for item in items], limit, lambda board_id: board_id)


def summarize_board(reader: TableReader, board_id: str) -> BoardSummary | None:
    """Return a board with its members, and how many cards it has: all of them are read, without what is in them."""
    head = reader.get_head(board_id)
    if head is None:
        return None
    batches = reader.query_batches(
        f"B#{board_id}",
        "C#",
        "C$",
        page_size=_CARDS_PER_COUNT,
        filter_by=Filter("attribute_not_exists(#deleted_at)"),
        projection="#list_id",
    )
    card_count = sum(head.has_list(item["list_id"]["S"]) for batch, _ in batches for item in batch)
    members = tuple(sorted(head.members.values(), key=lambda member: member.id))
    return BoardSummary(head.board, members, card_count)


def page_deleted_lists(
    reader: TableReader, board_id: str, since: datetime, limit: int, after: PageKey | None
) -> Page[List]:
    """Return the lists that were deleted at that moment or later, newest first.

    Their items are beside the head of the board until they are restored or purged.
    """
    batches = reader.query_batches(
        f"B#{board_id}",
        "L#",
        keys.key_before(f"L#{after[0]}") if after else "L$",
        backwards=True,
        page_size=limit + 1,
        filter_by=Filter("#deleted_at >= :since", {":since": to_timestamp(since)}),
    )
    lists: list[List] = []
    for reads, (batch, last_key) in enumerate(batches, 1):
        lists += map(deleted_list_from_item, batch)
        if len(lists) > limit:
            break
        if last_key and reads == MAX_PAGE_READS:
            return Page(tuple(lists), (last_key["sk"]["S"][2:],))
    return cut_page(lists, limit, lambda list_: list_.id)


# Cards that a user is assigned to


def page_assigned_cards(
    reader: TableReader, user_id: str, query: CardQuery, limit: int, after: PageKey | None
) -> Page[tuple[BoardView, Card]]:
    """Return the cards that a user is assigned to, with their boards.

    Assignments are hints: cards and boards that they name may be gone, or no longer be the user's.
    """
    first = keys.assignment_sort_key(str(after[0]), str(after[1])) + keys.NEXT_KEY_SUFFIX if after else "A#"
    page: list[tuple[BoardView, Card]] = []
    reads, free_bytes = 0, PAGE_BYTES
    for batch, last_key in reader.query_batches(f"U#{user_id}", first, "A$", page_size=limit + 1):
        references = [(item["board_id"]["S"], item["card_id"]["S"]) for item in batch]
        while references:
            reads += 1
            visible = _read_with_boards(reader, user_id, references)
            rest = references[len(visible) :]
            for index, (reference, visible_card) in enumerate(zip(references, visible, strict=False), 1):
                if visible_card is None or not _matches(visible_card, user_id, query):
                    continue
                free_bytes -= count_text_bytes(visible_card[1])
                if page and free_bytes < 0:
                    return Page(tuple(page), (page[-1][1].board_id, page[-1][1].id))
                page.append(visible_card)
                if len(page) == limit:
                    is_last = not (last_key or rest or index < len(visible))
                    return Page(tuple(page), None if is_last else reference)
            if reads == MAX_PAGE_READS and (rest or last_key):
                return Page(tuple(page), references[len(visible) - 1])
            references = rest
    return Page(tuple(page))


def _read_with_boards(
    reader: TableReader, user_id: str, references: Sequence[CardReference]
) -> list[tuple[BoardView, Card] | None]:
    """Return the first of these cards, as many as one transaction reads, with their boards, all of one moment.

    A card that the user can't see is None.
    """
    chosen: list[CardReference] = []
    board_ids: dict[str, None] = {}
    for board_id, card_id in references:
        if len(chosen) + 2 * len(board_ids | {board_id: None}) + 1 > MAX_BATCH_KEYS:
            break
        chosen.append((board_id, card_id))
        board_ids[board_id] = None
    while True:
        item_keys = [
            *map(keys.head_key, board_ids),
            *map(keys.tip_key, board_ids),
            *(keys.card_key(*reference) for reference in chosen),
        ]
        try:
            items = reader.transact_get(*item_keys)
        except InvalidRequest:
            # Very long texts: a transaction reads four megabytes.
            if len(chosen) == 1:
                raise
            chosen = chosen[: len(chosen) // 2]
            board_ids = dict.fromkeys(board_id for board_id, _ in chosen)
            continue
        count = len(board_ids)
        heads = {
            board_id: head_from_items(item, tip)
            for board_id, item, tip in zip(board_ids, items[:count], items[count : 2 * count], strict=True)
            if item
        }
        return [
            _visible_card(heads.get(board_id), user_id, item)
            for (board_id, _), item in zip(chosen, items[2 * count :], strict=True)
        ]


def _visible_card(head: BoardHead | None, user_id: str, item: Item | None) -> tuple[BoardView, Card] | None:
    view = head.live_view_for(user_id) if head else None
    if view is None or item is None or is_deleted(item):
        return None
    return view, card_from_item(item)


def _matches(visible_card: tuple[BoardView, Card], user_id: str, query: CardQuery) -> bool:
    """Tell whether card, list and board are active, the user is assigned, and the card is what the query asks for."""
    view, card = visible_card
    list_ = next((other for other in view.lists if other.id == card.list_id and other.archived_at is None), None)
    member_id = next(member.id for member in view.members if member.user_id == user_id)
    if list_ is None or view.board.archived_at or card.archived_at or member_id not in card.assignee_ids:
        return False
    if query.status not in (None, list_.stage):
        return False
    if query.overdue_at is not None and (card.due_complete or list_.stage == Stage.DONE):
        return False
    return matches_comparisons(card, query)


# Time entries of a board


def page_entries_in_period(
    reader: TableReader, board_id: str, period: tuple[datetime, datetime], limit: int, after: PageKey | None
) -> Page[TimeEntry]:
    """Return the time entries that overlap a period, ordered by their ends, those of deleted cards too."""
    start, end = period
    # '$' sorts just above '#', so entries that ended at the start are left out.
    first = (
        keys.entry_index_key(str(after[0]), str(after[1])) + keys.NEXT_KEY_SUFFIX
        if after
        else f"T#{keys.format_timestamp(start)}$"
    )
    batches = reader.query_batches(
        f"B#{board_id}",
        first,
        "T$",
        index="recent",
        page_size=limit + 1,
        filter_by=Filter("#started_at < :end", {":end": to_timestamp(end)}),
    )
    entries: list[TimeEntry] = []
    for reads, (batch, last_key) in enumerate(batches, 1):
        entries += [part for part in map(part_from_item, batch) if isinstance(part, TimeEntry)]
        if len(entries) > limit:
            last = entries[limit - 1]
            ended_at = keys.NO_END if last.ended_at is None else keys.format_timestamp(last.ended_at)
            return Page(tuple(entries[:limit]), (ended_at, last.id))
        if last_key and reads == MAX_PAGE_READS:
            _, ended_at, entry_id = last_key["recent"]["S"].split("#")
            return Page(tuple(entries), (ended_at, entry_id))
    return Page(tuple(entries))
