"""Events of a board that are asked for by card, or newest first."""

from itertools import islice

from kanban.store import EventQuery
from kanban.values import Event
from kanban.views import BoardView
from stores.dynamodb import keys
from stores.dynamodb.event_items import event_from_item
from stores.dynamodb.event_pages import get_events_by_seq, read_events
from stores.dynamodb.reads import TableReader


def read_queried_events(
    reader: TableReader, board_id: str, user_id: str, query: EventQuery, count: int
) -> tuple[BoardView, list[Event]] | None:
    """Return the first `count` events of a query in its order, of all types, and the board as that member sees it."""
    if query.card_id is None and not query.newest_first:
        count = max(min(count, query.before - query.after - 1), 0)
        return read_events(reader, board_id, user_id, query.after, count)
    head = reader.get_head(board_id, user_id)
    view = head.live_view_for(user_id) if head else None
    if view is None:
        return None
    if query.card_id is not None:
        return view, _read_card_events(reader, board_id, query.card_id, query, count)
    events = _read_newest_events(reader, view, query, count)
    return None if events is None else (view, events)


def _read_card_events(reader: TableReader, board_id: str, card_id: str, query: EventQuery, count: int) -> list[Event]:
    """Return the events of a card that have an entry in the index: those that this release and later ones wrote."""
    items = reader.query(
        f"B#{board_id}",
        keys.card_event_index_key(card_id, query.after + 1),
        keys.card_event_index_key(card_id, query.before - 1),
        index="recent",
        backwards=query.newest_first,
        page_size=count,
    )
    return [event_from_item(item) for item in islice(items, count)]


def _read_newest_events(reader: TableReader, view: BoardView, query: EventQuery, count: int) -> list[Event] | None:
    """Return the last events before a seq, newest first; None if a purge has erased the board."""
    board_id = view.board.id
    newest = min(view.board.seq, query.before - 1)
    oldest = max(query.after + 1, newest - count + 1)
    items = reader.query(
        f"B#{board_id}",
        keys.event_sort_key(oldest),
        keys.event_sort_key(newest),
        backwards=True,
        page_size=count,
    )
    events = {event.seq: event for event in map(event_from_item, items)}
    # The query may have come between the writes of the last transaction, which the board shows already.
    missing = [seq for seq in range(oldest, newest + 1) if seq not in events]
    late = get_events_by_seq(reader, board_id, missing)
    if len(late) < len(missing):
        return None
    events |= {event.seq: event for event in late}
    return [events[seq] for seq in sorted(events, reverse=True)]
