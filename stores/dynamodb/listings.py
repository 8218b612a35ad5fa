"""Work: what a user is assigned to on all boards, and the time that was spent on one."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from kanban.store import PAGE_BYTES, CardQuery
from kanban.values import Card, Stage, TimeEntry
from kanban.views import BoardView, Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import is_deleted, to_timestamp
from stores.dynamodb.board_items import BoardHead, head_from_item
from stores.dynamodb.card_items import card_from_item, part_from_item
from stores.dynamodb.client import InvalidRequest
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import TableReader
from stores.paging import count_text_bytes

MAX_PAGE_READS = 4
"""How often a page looks on for more before it ends early."""

_MAX_TRANSACTION_ITEMS = 100

CardReference = tuple[str, str]
"""A board and a card of it, by their ids."""


def page_assigned_cards(
    reader: TableReader, user_id: str, query: CardQuery, limit: int, after: PageKey | None
) -> Page[tuple[BoardView, Card]]:
    """The cards that a user is assigned to, with their boards. What an assignment names may be gone."""
    first = keys.assignment_sort_key(str(after[0]), str(after[1])) + keys.LEAST_SUFFIX if after else "A#"
    found: list[tuple[BoardView, Card]] = []
    looks, room = 0, PAGE_BYTES
    for batch, more in reader.query_batches(f"U#{user_id}", first, "A$", wanted=limit + 1):
        pairs = [(each["board_id"]["S"], each["card_id"]["S"]) for each in batch]
        while pairs:
            looks += 1
            looked_at = _read_with_boards(reader, user_id, pairs)
            rest = pairs[len(looked_at) :]
            for place, (pair, seen) in enumerate(zip(pairs, looked_at, strict=False)):
                if seen is None or not _matches(seen, user_id, query):
                    continue
                room -= count_text_bytes(seen[1])
                if found and room < 0:
                    return Page(tuple(found), (found[-1][1].board_id, found[-1][1].id))
                found.append(seen)
                if len(found) == limit:
                    is_last = not (more or rest or place + 1 < len(looked_at))
                    return Page(tuple(found), None if is_last else pair)
            if looks == MAX_PAGE_READS and (rest or more):
                return Page(tuple(found), pairs[len(looked_at) - 1])
            pairs = rest
    return Page(tuple(found))


def _read_with_boards(
    reader: TableReader, user_id: str, pairs: Sequence[CardReference]
) -> list[tuple[BoardView, Card] | None]:
    """The first of these cards, with their boards, all of one moment; None for one that the user does not see."""
    chosen: list[CardReference] = []
    boards: dict[str, None] = {}
    for board_id, card_id in pairs:
        if len(chosen) + len(boards | {board_id: None}) + 1 > _MAX_TRANSACTION_ITEMS:
            break
        chosen.append((board_id, card_id))
        boards[board_id] = None
    while True:
        wanted = [*map(keys.head_key, boards), *(keys.card_key(*pair) for pair in chosen)]
        try:
            found = reader.transact_get(*wanted)
        except InvalidRequest:
            # Very long texts: a transaction reads four megabytes.
            if len(chosen) == 1:
                raise
            chosen = chosen[: len(chosen) // 2]
            boards = dict.fromkeys(board_id for board_id, _ in chosen)
            continue
        heads = {board_id: head_from_item(item) for board_id, item in zip(boards, found, strict=False) if item}
        cards = found[len(boards) :]
        return [_visible_card(heads.get(pair[0]), user_id, item) for pair, item in zip(chosen, cards, strict=True)]


def _visible_card(head: BoardHead | None, user_id: str, item: Item | None) -> tuple[BoardView, Card] | None:
    view = head.live_view_for(user_id) if head else None
    if view is None or item is None or is_deleted(item):
        return None
    return view, card_from_item(item)


def _matches(visible_card: tuple[BoardView, Card], user_id: str, query: CardQuery) -> bool:
    """Whether the card is in use on a board in use, the user is assigned to it, and it is what was asked for."""
    view, card = visible_card
    home = next((each for each in view.lists if each.id == card.list_id and each.archived_at is None), None)
    place = next(each.id for each in view.members if each.user_id == user_id)
    if home is None or view.board.archived_at or card.archived_at or place not in card.assignee_ids:
        return False
    if query.status not in (None, home.stage):
        return False
    if query.overdue_at is not None and (card.due_complete or home.stage == Stage.DONE):
        return False
    ends = [each for each in (query.due_until, query.overdue_at) if each is not None]
    if query.due_from is None and not ends:
        return True
    return card.due_at is not None and _is_within(card.due_at, query.due_from, ends)


def _is_within(at: datetime, start: datetime | None, ends: Iterable[datetime]) -> bool:
    return (start is None or at >= start) and all(at < each for each in ends)


def page_entries_in_period(
    reader: TableReader, board_id: str, period: tuple[datetime, datetime], limit: int, after: PageKey | None
) -> Page[TimeEntry]:
    """The time entries that reach into the span, what ended first first, whatever became of their cards."""
    start, end = period
    # '$' stands just above '#': what ended with the start is left out.
    first = (
        keys.entry_index_key(str(after[0]), str(after[1])) + keys.LEAST_SUFFIX
        if after
        else f"T#{keys.format_timestamp(start)}$"
    )
    found = reader.query_batches(
        f"B#{board_id}",
        first,
        "T$",
        index="recent",
        wanted=limit + 1,
        filtered="#started_at < :end",
        names={"#started_at": "started_at"},
        values={":end": to_timestamp(end)},
    )
    entries: list[TimeEntry] = []
    for looks, (batch, more) in enumerate(found, 1):
        entries += [part for part in map(part_from_item, batch) if isinstance(part, TimeEntry)]
        if len(entries) > limit:
            last = entries[limit - 1]
            ended_at = keys.NO_END if last.ended_at is None else keys.format_timestamp(last.ended_at)
            return Page(tuple(entries[:limit]), (ended_at, last.id))
        if more and looks == MAX_PAGE_READS:
            _, ended_at, entry_id = more["recent"]["S"].split("#")
            return Page(tuple(entries), (ended_at, entry_id))
    return Page(tuple(entries))
