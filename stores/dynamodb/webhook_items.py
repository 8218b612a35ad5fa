"""Webhooks, their deliveries and readers as items of the table, and the writes of them in a commit."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from kanban.changes import Change
from kanban.values import FeedReader, ReaderRemoval, ReaderReset, Webhook, WebhookDelivery
from kanban.webhook_store import MAX_KEPT_DELIVERIES
from stores.dynamodb import keys
from stores.dynamodb.attributes import compile_reader, compile_writer, to_number, to_timestamp
from stores.dynamodb.changes import of_type
from stores.dynamodb.conflicts import uniqueness_conflict
from stores.dynamodb.keys import Item
from stores.dynamodb.writes import EXISTS, IS_NEW, Delete, Put, Update, UpdateBuilder, Write

_DELIVERY_LIFETIME = timedelta(days=90)
"""DynamoDB erases older deliveries by itself, also those of webhooks that were deleted."""

reader_from_item: Callable[[Item], FeedReader] = compile_reader(
    FeedReader, ("item",), {"board_id": "item['pk']['S'][2:]", "name": "item['sk']['S'][2:]"}
)
"""Return the reader in an item."""

reader_attributes: Callable[[FeedReader], Item] = compile_writer(FeedReader, ("board_id", "name"))
"""Return the attributes of a reader, without its key."""

webhook_from_item: Callable[[Item], Webhook] = compile_reader(
    Webhook,
    ("item",),
    {
        "id": "item['sk']['S'][2:]",
        "board_id": "item['pk']['S'][2:]",
        "types": "tuple(item['types']['S'].split())",
    },
)
"""Return the webhook in an item."""

_webhook_attributes: Callable[[Webhook], Item] = compile_writer(
    Webhook, ("id", "board_id"), {"types": "{'S': ' '.join(value.types)}"}
)

delivery_from_item: Callable[[Item], WebhookDelivery] = compile_reader(
    WebhookDelivery,
    ("item",),
    {"board_id": "item['pk']['S'][2:]", "webhook_id": "item['sk']['S'][2:].partition('#')[0]"},
)
"""Return the delivery in an item."""

_delivery_attributes: Callable[[WebhookDelivery], Item] = compile_writer(WebhookDelivery, ("board_id", "webhook_id"))


def delivery_to_item(delivery: WebhookDelivery) -> Item:
    """Return the item of a delivery."""
    slot = delivery.number % MAX_KEPT_DELIVERIES
    expires = to_number(int((delivery.at + _DELIVERY_LIFETIME).timestamp()))
    key = keys.delivery_key(delivery.board_id, delivery.webhook_id, slot)
    return key | _delivery_attributes(delivery) | {"expires": expires}


def build_reset(reset: ReaderReset) -> Update:
    """Return the update that resets a reader. Its condition fails without the reader."""
    update = UpdateBuilder()
    update.require(EXISTS)
    update.set("#attempts", to_number(0))
    update.remove("#failing_since")
    update.remove("#lease_owner")
    if reset.due_at is None:
        update.remove("#due_at")
    else:
        update.set("#due_at", to_timestamp(reset.due_at))
    if reset.after_seq is not None:
        update.set("#after_seq", to_number(reset.after_seq))
        update.remove("#batch_to")
    return update.build(keys.reader_key(reset.board_id, reset.name))


def reader_to_items(reader: FeedReader) -> tuple[Item, Item]:
    """Return the item of a reader, and the one that lists it."""
    item = keys.reader_key(reader.board_id, reader.name) | reader_attributes(reader)
    return item, keys.listed_reader_key(reader.board_id, reader.name)


def create_reader(reader: FeedReader) -> tuple[Put, Put]:
    """Return the writes that create a reader."""
    item, listed = reader_to_items(reader)
    return Put(item, condition=IS_NEW), Put(listed)


def delete_reader(reader: ReaderRemoval) -> tuple[Delete, Delete]:
    """Return the writes that delete a reader."""
    key = (reader.board_id, reader.name)
    return Delete(keys.reader_key(*key)), Delete(keys.listed_reader_key(*key))


def write_webhooks(change: Change) -> Iterator[Write]:
    """Yield the writes of webhooks and of their readers in a change."""
    for webhook in of_type(Webhook, change.creates):
        yield Put(webhook_to_item(webhook), condition=IS_NEW, on_failure=uniqueness_conflict("webhook"))
    for webhook in of_type(Webhook, change.updates):
        yield Put(webhook_to_item(webhook), condition=EXISTS)
    for webhook in of_type(Webhook, change.deletes):
        yield Delete(keys.webhook_key(webhook.board_id, webhook.id), condition=EXISTS)
    for reader in change.readers:
        if isinstance(reader, FeedReader):
            yield from create_reader(reader)
        elif isinstance(reader, ReaderReset):
            yield build_reset(reader)
        else:
            yield from delete_reader(reader)


def webhook_to_item(webhook: Webhook) -> Item:
    """Return the item of a webhook."""
    return keys.webhook_key(webhook.board_id, webhook.id) | _webhook_attributes(webhook)
