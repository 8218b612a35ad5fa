"""How many bytes the texts of a board take: all of its cards and their parts are read."""

from kanban.text_size import count_text_bytes
from kanban.values import TimeEntry
from stores.dynamodb.card_items import card_from_item, part_from_item
from stores.dynamodb.reads import TableReader

_ITEMS_PER_CALL = 1_000
"""DynamoDB ends a page at 1 MB before that."""


def sum_text_bytes(reader: TableReader, board_id: str) -> int:
    """Return how many bytes of UTF-8 the texts of all live cards of a board take."""
    partition = f"B#{board_id}"
    deleted_lists = {item["sk"]["S"][2:] for item in reader.query(partition, "L#", "L$", page_size=_ITEMS_PER_CALL)}
    total = 0
    live_card_ids = set()
    for card in map(card_from_item, reader.query(partition, "C#", "C$", page_size=_ITEMS_PER_CALL)):
        if card.deleted_at is None and card.list_id not in deleted_lists:
            live_card_ids.add(card.id)
            total += count_text_bytes(card)
    for part in map(part_from_item, reader.query(partition, "P#", "P$", page_size=_ITEMS_PER_CALL)):
        if part.card_id in live_card_ids:
            total += len(part.note.encode()) if isinstance(part, TimeEntry) else count_text_bytes(part)
    return total
