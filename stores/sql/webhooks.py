"""Webhooks in a SQL database, beside what commits write of them."""

from collections.abc import Sequence

import sqlalchemy as sa

from kanban.values import Role, Webhook, WebhookDelivery
from stores.sql import mapping
from stores.sql.statement_cache import parameter
from stores.sql.store_part import SqlStorePart
from stores.sql.tables import members, webhook_deliveries, webhooks
from stores.sql.write_statements import DELETE_DELIVERIES

WEBHOOKS = sa.select(webhooks).where(webhooks.c.board_id == parameter("board_id")).order_by(webhooks.c.id)
_IS_OF_WEBHOOK = (
    webhook_deliveries.c.board_id == parameter("board_id"),
    webhook_deliveries.c.webhook_id == parameter("webhook_id"),
)
DELIVERIES = (
    sa.select(*(column for column in webhook_deliveries.columns))
    .where(*_IS_OF_WEBHOOK)
    .order_by(webhook_deliveries.c.slot)
)
OWNERS = sa.select(members.c.user_id).where(
    members.c.board_id == parameter("board_id"), members.c.role == parameter("role")
)
DELETE_DELIVERY = webhook_deliveries.delete().where(*_IS_OF_WEBHOOK, webhook_deliveries.c.slot == parameter("slot"))
# A webhook that is deleted while it delivers keeps nothing.
INSERT_DELIVERY = webhook_deliveries.insert().from_select(
    [column.name for column in webhook_deliveries.columns],
    sa.select(*(sa.cast(parameter(column.name), column.type) for column in webhook_deliveries.columns)).where(
        sa.select(webhooks.c.id)
        .where(webhooks.c.id == parameter("webhook_id"), webhooks.c.board_id == parameter("board_id"))
        .exists()
    ),
)


class SqlWebhooks(SqlStorePart):
    """A `kanban.webhook_store.WebhookStore` over an engine. Threads may share it."""

    def list_webhooks(self, board_id: str) -> Sequence[Webhook]:
        return [mapping.row_to_webhook(row) for row in self._read(WEBHOOKS, board_id=board_id)]

    def put_delivery(self, delivery: WebhookDelivery) -> None:
        row = mapping.delivery_to_row(delivery)
        with self._begin_write() as transaction:
            transaction.execute(self._bind(DELETE_DELIVERY, **row))
            transaction.execute(self._bind(INSERT_DELIVERY, **row))

    def list_deliveries(self, board_id: str, webhook_id: str) -> Sequence[WebhookDelivery]:
        rows = self._read(DELIVERIES, board_id=board_id, webhook_id=webhook_id)
        return sorted(map(mapping.row_to_delivery, rows), key=lambda delivery: -delivery.number)

    def erase_deliveries(self, board_id: str, webhook_id: str) -> None:
        with self._begin_write() as transaction:
            transaction.execute(self._bind(DELETE_DELIVERIES, board_id=board_id, webhook_id=webhook_id))

    def list_owner_ids(self, board_id: str) -> Sequence[str]:
        return sorted(str(user_id) for (user_id,) in self._read(OWNERS, board_id=board_id, role=str(Role.OWNER)))
