"""Boards that are created with more than a transaction holds: a copy, an import, a template.

All but the head is written first, in batches: without a head none of it is visible. The last transaction writes the
head. A tombstone is put before the first batch, and that transaction deletes it: if it is never carried out, a purge
finds the tombstone and erases what was written. Once a purge has begun, the transaction fails.
"""

from stores.dynamodb import keys
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.conflicts import Conflict, uniqueness_conflict
from stores.dynamodb.plan import BoardAhead
from stores.dynamodb.reads import TableReader


def write_board_ahead(reader: TableReader, batches: BatchWriter, ahead: BoardAhead) -> Conflict | None:
    """Write all of a new board that may be written before its last transaction; return a conflict if its id is taken.

    Batches have no conditions: they would overwrite the cards of another board with that id.
    """
    if reader.get_item(keys.head_key(ahead.board_id)) is not None:
        return uniqueness_conflict("board")
    batches.put([ahead.tombstone])
    batches.put(ahead.items)
    return None
