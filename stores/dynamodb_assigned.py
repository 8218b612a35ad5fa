"""Work: what a user is assigned to on all boards, and the time that was spent on one."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from kanban.store import PAGE_BYTES, CardQuery
from kanban.values import BoardView, Card, Page, PageKey, Stage, TimeEntry
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import is_deleted, moment
from stores.dynamodb_cards import card_of, part_of
from stores.dynamodb_client import Rejected
from stores.dynamodb_heads import Head, head_of
from stores.dynamodb_keys import Item
from stores.dynamodb_reading import Reading
from stores.pages import count_text_bytes

MOST_LOOKS = 4
"""How often a page looks on for more before it ends early."""

_MOST_AT_ONCE = 100

Pair = tuple[str, str]
"""A board and a card of it, by their ids."""


def assigned_to(
    reading: Reading, user_id: str, asked: CardQuery, limit: int, after: PageKey | None
) -> Page[tuple[BoardView, Card]]:
    """The cards that a user is assigned to, with their boards. What an assignment names may be gone."""
    first = keys.assignment_sk(str(after[0]), str(after[1])) + keys.AFTER if after else "A#"
    found: list[tuple[BoardView, Card]] = []
    looks, room = 0, PAGE_BYTES
    for batch, more in reading.batches(f"U#{user_id}", first, "A$", wanted=limit + 1):
        pairs = [(each["board_id"]["S"], each["card_id"]["S"]) for each in batch]
        while pairs:
            looks += 1
            looked_at = _looked_at(reading, user_id, pairs)
            rest = pairs[len(looked_at) :]
            for place, (pair, seen) in enumerate(zip(pairs, looked_at, strict=False)):
                if seen is None or not _fits(seen, user_id, asked):
                    continue
                room -= count_text_bytes(seen[1])
                if found and room < 0:
                    return Page(tuple(found), (found[-1][1].board_id, found[-1][1].id))
                found.append(seen)
                if len(found) == limit:
                    is_last = not (more or rest or place + 1 < len(looked_at))
                    return Page(tuple(found), None if is_last else pair)
            if looks == MOST_LOOKS and (rest or more):
                return Page(tuple(found), pairs[len(looked_at) - 1])
            pairs = rest
    return Page(tuple(found))


def _looked_at(reading: Reading, user_id: str, pairs: Sequence[Pair]) -> list[tuple[BoardView, Card] | None]:
    """The first of these cards, with their boards, all of one moment; None for one that the user does not see."""
    chosen: list[Pair] = []
    boards: dict[str, None] = {}
    for board_id, card_id in pairs:
        if len(chosen) + len(boards | {board_id: None}) + 1 > _MOST_AT_ONCE:
            break
        chosen.append((board_id, card_id))
        boards[board_id] = None
    while True:
        wanted = [*map(keys.head_key, boards), *(keys.card_key(*pair) for pair in chosen)]
        try:
            found = reading.together(*wanted)
        except Rejected:
            # Very long texts: a transaction reads four megabytes.
            if len(chosen) == 1:
                raise
            chosen = chosen[: len(chosen) // 2]
            boards = dict.fromkeys(board_id for board_id, _ in chosen)
            continue
        heads = {board_id: head_of(item) for board_id, item in zip(boards, found, strict=False) if item}
        cards = found[len(boards) :]
        return [_seen(heads.get(pair[0]), user_id, item) for pair, item in zip(chosen, cards, strict=True)]


def _seen(head: Head | None, user_id: str, item: Item | None) -> tuple[BoardView, Card] | None:
    view = head.seen_by(user_id) if head else None
    if view is None or item is None or is_deleted(item):
        return None
    return view, card_of(item)


def _fits(seen: tuple[BoardView, Card], user_id: str, asked: CardQuery) -> bool:
    """Whether the card is in use on a board in use, the user is assigned to it, and it is what was asked for."""
    view, card = seen
    home = next((each for each in view.lists if each.id == card.list_id and each.archived_at is None), None)
    place = next(each.id for each in view.members if each.user_id == user_id)
    if home is None or view.board.archived_at or card.archived_at or place not in card.assignee_ids:
        return False
    if asked.status not in (None, home.stage):
        return False
    if asked.overdue_at is not None and (card.due_complete or home.stage == Stage.DONE):
        return False
    ends = [each for each in (asked.due_until, asked.overdue_at) if each is not None]
    if asked.due_from is None and not ends:
        return True
    return card.due_at is not None and _within(card.due_at, asked.due_from, ends)


def _within(at: datetime, since: datetime | None, ends: Iterable[datetime]) -> bool:
    return (since is None or at >= since) and all(at < each for each in ends)


def worked(
    reading: Reading, board_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None
) -> Page[TimeEntry]:
    """The time entries that reach into the span, what ended first first, whatever became of their cards."""
    start, end = span
    # '$' stands just above '#': what ended with the start is left out.
    first = keys.worked(str(after[0]), str(after[1])) + keys.AFTER if after else f"T#{keys.format_timestamp(start)}$"
    found = reading.batches(
        f"B#{board_id}",
        first,
        "T$",
        index="recent",
        wanted=limit + 1,
        filtered="#started_at < :end",
        names={"#started_at": "started_at"},
        values={":end": moment(end)},
    )
    entries: list[TimeEntry] = []
    for looks, (batch, more) in enumerate(found, 1):
        entries += [part for part in map(part_of, batch) if isinstance(part, TimeEntry)]
        if len(entries) > limit:
            last = entries[limit - 1]
            ended_at = keys.OPEN if last.ended_at is None else keys.format_timestamp(last.ended_at)
            return Page(tuple(entries[:limit]), (ended_at, last.id))
        if more and looks == MOST_LOOKS:
            _, ended_at, entry_id = more["recent"]["S"].split("#")
            return Page(tuple(entries), (ended_at, entry_id))
    return Page(tuple(entries))
