"""Boards that are made with more than a transaction holds: a copy, an import, a template.

All but the head is written first, in batches: without a head nobody sees any of it. The last transaction decides. A
tombstone that is put there before the first batch, and goes with the last transaction, tells a purge what to erase if
that never comes; once the purge has begun, it cannot come any more.
"""

from collections.abc import Sequence

from kanban.store import AlreadyExists, StaleRead
from kanban.values import Change, Event, Member, StoredResponse
from stores import dynamodb_items as items
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import text
from stores.dynamodb_batches import Batches
from stores.dynamodb_expressions import Write, delete, of
from stores.dynamodb_reading import Reading


def founded(reading: Reading, batches: Batches, change: Change, event: Event, made: Sequence[Write]) -> Write:
    """Write what does not decide. Answers the part of the last transaction that takes the tombstone away."""
    head_key = keys.head_key(event.board_id)
    # The keys of another board's cards must not be written over: that board would have them in its partition.
    if reading.item(head_key) is not None:
        raise AlreadyExists("board")
    tombstone_key = keys.tombstone_key(keys.format_timestamp(event.at), "new", event.board_id)
    users = {"L": [text(each.user_id) for each in of(Member, change.creates)]}
    batches.put([tombstone_key | {"users": users}])
    batches.put(each.request["Item"] for each in made if not each.decides)
    condition = "attribute_exists(#pk) AND attribute_not_exists(#begun)"
    return Write("Delete", delete(batches.table, tombstone_key, condition), lambda _: StaleRead(), decides=True)


def refuse_known(reading: Reading, remember: StoredResponse | None) -> None:
    """Raise AlreadyExists if the key has an answer that had not expired, before anything is written in vain."""
    if remember is None:
        return
    found = reading.item(keys.record_key(remember.user_id, remember.operation_id, remember.key))
    if found and items.remembered_of(found).expires_at > remember.created_at:
        raise AlreadyExists("idempotency_key")
