"""Boards that are made with more than a transaction holds: a copy, an import, a template.

All but the head is written first, in batches: without a head nobody sees any of it. The last transaction decides. A
tombstone that is put there before the first batch, and goes with the last transaction, tells a purge what to erase if
that never comes; once the purge has begun, it cannot come any more.
"""

from collections.abc import Sequence

from kanban.changes import Change
from kanban.store import AlreadyExists, StaleRead, StoredResponse
from kanban.values import Event, Member
from stores.dynamodb import keys
from stores.dynamodb import user_items as items
from stores.dynamodb.attributes import to_string
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.expressions import Write, key_request, of_type
from stores.dynamodb.reads import TableReader


def write_board_ahead(
    reader: TableReader, batches: BatchWriter, change: Change, event: Event, writes: Sequence[Write]
) -> Write:
    """Write what does not decide. Answers the part of the last transaction that takes the tombstone away."""
    head_key = keys.head_key(event.board_id)
    # The keys of another board's cards must not be written over: that board would have them in its partition.
    if reader.get_item(head_key) is not None:
        raise AlreadyExists("board")
    tombstone_key = keys.tombstone_key(keys.format_timestamp(event.at), "new", event.board_id)
    users = {"L": [to_string(each.user_id) for each in of_type(Member, change.creates)]}
    batches.put([tombstone_key | {"users": users}])
    batches.put(each.request["Item"] for each in writes if not each.is_final)
    condition = "attribute_exists(#pk) AND attribute_not_exists(#begun)"
    return Write("Delete", key_request(batches.table, tombstone_key, condition), lambda _: StaleRead(), is_final=True)


def ensure_key_unused(reader: TableReader, remember: StoredResponse | None) -> None:
    """Raise AlreadyExists if the key has an answer that had not expired, before anything is written in vain."""
    if remember is None:
        return
    found = reader.get_item(keys.stored_response_key(remember.user_id, remember.operation_id, remember.key))
    if found and items.stored_response_from_item(found).expires_at > remember.created_at:
        raise AlreadyExists("idempotency_key")
