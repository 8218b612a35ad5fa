"""Webhooks in a table, beside what commits write of them."""

from collections.abc import Sequence

from kanban.values import Role, Webhook, WebhookDelivery
from kanban.webhook_store import MAX_KEPT_DELIVERIES
from stores.dynamodb import keys
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.reads import TableReader
from stores.dynamodb.webhook_items import delivery_from_item, delivery_to_item, webhook_from_item
from stores.dynamodb.writes import EXISTS, Check, Put, to_transact_item


class DynamoWebhooks:
    """A `kanban.webhook_store.WebhookStore` in a table. Threads may share it."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table
        self._batches = BatchWriter(client, table)

    def list_webhooks(self, board_id: str) -> Sequence[Webhook]:
        items = self._reader.query(f"B#{board_id}", "W#", "W$", page_size=MAX_KEPT_DELIVERIES)
        return [webhook_from_item(item) for item in items]

    def put_delivery(self, delivery: WebhookDelivery) -> None:
        webhook = keys.webhook_key(delivery.board_id, delivery.webhook_id)
        writes = (Put(delivery_to_item(delivery)), Check(webhook, condition=EXISTS))
        try:
            self._client(
                "transact_write_items", TransactItems=[to_transact_item(write, self._table) for write in writes]
            )
        except ConditionFailed:
            # A webhook that is deleted while it delivers keeps nothing.
            return

    def list_deliveries(self, board_id: str, webhook_id: str) -> Sequence[WebhookDelivery]:
        first, last = f"V#{webhook_id}#", f"V#{webhook_id}$"
        items = self._reader.query(f"B#{board_id}", first, last, page_size=MAX_KEPT_DELIVERIES)
        return sorted(map(delivery_from_item, items), key=lambda delivery: -delivery.number)

    def erase_deliveries(self, board_id: str, webhook_id: str) -> None:
        for batch, _ in self._reader.query_batches(
            f"B#{board_id}",
            f"V#{webhook_id}#",
            f"V#{webhook_id}$",
            page_size=MAX_KEPT_DELIVERIES,
            projection="#pk, #sk",
        ):
            self._batches.delete(map(keys.key_of, batch))

    def list_owner_ids(self, board_id: str) -> Sequence[str]:
        head = self._reader.get_head(board_id)
        members = head.members.values() if head else ()
        return sorted(member.user_id for member in members if member.role == Role.OWNER)
