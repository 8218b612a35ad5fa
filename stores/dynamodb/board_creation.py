"""Boards that are created with more than a transaction holds: a copy, an import, a template.

All but the head is written first, in batches: without a head none of it is visible. The last transaction decides. A
tombstone that is put there before the first batch, and deleted by the last transaction, tells a purge what to erase if
that never comes; once the purge has begun, it cannot come any more.
"""

from stores.dynamodb import keys
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.conflicts import Conflict, uniqueness_conflict
from stores.dynamodb.plan import BoardAhead
from stores.dynamodb.reads import TableReader


def write_board_ahead(reader: TableReader, batches: BatchWriter, ahead: BoardAhead) -> Conflict | None:
    """Write all of a new board that may be written before its last transaction; return what is in the way.

    Batches have no conditions: over a board of that id they would write its cards.
    """
    if reader.get_item(keys.head_key(ahead.board_id)) is not None:
        return uniqueness_conflict("board")
    batches.put([ahead.tombstone])
    batches.put(ahead.items)
    return None
