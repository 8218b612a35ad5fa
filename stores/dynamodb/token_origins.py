"""From where tokens were last used: it is part of a token's item, and a purge erases it after some time.

There is no index of that. So an item for each token and day says that there may be something to erase.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

from stores.dynamodb import keys
from stores.dynamodb.attributes import to_string, to_timestamp
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.keys import Item, format_timestamp, key_of
from stores.dynamodb.reads import TableReader, TokenHolder
from stores.dynamodb.writes import EXISTS, Put, UpdateBuilder


def record_use(client: RetryingClient, table: str, holder: TokenHolder, at: datetime, origin: str | None) -> None:
    """Record the last use of a token. Raises ConditionFailed if a later one is recorded, and Busy."""
    if origin is not None:
        # It is written first: without it, nothing would be erased.
        note = Put(origin_note_to_item(holder.user_id, holder.token_id, at))
        client("put_item", retries=False, **note.fields(table))
    update = UpdateBuilder()
    update.set("#last_used_at", to_timestamp(at))
    if origin is None:
        update.remove("#last_used_from")
    else:
        update.set("#last_used_from", to_string(origin))
    update.require(EXISTS)
    update.require("(attribute_not_exists(#last_used_at) OR #last_used_at < :at)", at=to_timestamp(at))
    key = keys.token_key(holder.user_id, holder.token_id)
    client("update_item", retries=False, **update.build(key).fields(table))


def origin_note_to_item(user_id: str, token_id: str, at: datetime) -> Item:
    """Return the item that says that the origin of a use of a token at that moment may be recorded."""
    next_day = format_timestamp(at.replace(hour=0, minute=0, second=0) + timedelta(days=1))
    return keys.token_origin_key(next_day, user_id, token_id)


def purge(client: RetryingClient, reader: TableReader, table: str, before: datetime, limit: int) -> int:
    """Erase from where up to `limit` tokens were last used before that moment; return how many were looked at."""
    notes = [*islice(reader.query("O", " ", format_timestamp(before), page_size=limit), limit)]
    for user_id, token_id in map(keys.parse_token_origin, notes):
        # After a later use, another item says so.
        with suppress(ConditionFailed):
            _erase(client, table, keys.token_key(user_id, token_id), before)
    _delete(client, table, notes)
    return len(notes)


def _erase(client: RetryingClient, table: str, key: Item, before: datetime) -> None:
    update = UpdateBuilder()
    update.remove("#last_used_from")
    update.require(EXISTS)
    update.require("#last_used_at < :before", before=to_timestamp(before))
    client("update_item", **update.build(key).fields(table))


def _delete(client: RetryingClient, table: str, notes: Iterable[Item]) -> None:
    BatchWriter(client, table).delete(map(key_of, notes))
