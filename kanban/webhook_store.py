"""The port of the store for webhooks."""

from collections.abc import Sequence
from typing import Protocol

from kanban.values import Webhook, WebhookDelivery

MAX_KEPT_DELIVERIES = 100
"""How many of the last deliveries of a webhook are kept."""


class WebhookStore(Protocol):
    """Where webhooks are read. They are written by commits, like everything on a board."""

    def list_webhooks(self, board_id: str) -> Sequence[Webhook]:
        """Return the webhooks of a board, oldest first."""

    def put_delivery(self, delivery: WebhookDelivery) -> None:
        """Keep a delivery, in place of the one that is `MAX_KEPT_DELIVERIES` older."""

    def list_deliveries(self, board_id: str, webhook_id: str) -> Sequence[WebhookDelivery]:
        """Return the deliveries of a webhook that are kept, newest first."""

    def erase_deliveries(self, board_id: str, webhook_id: str) -> None:
        """Erase the deliveries of a webhook that are kept."""

    def list_owner_ids(self, board_id: str) -> Sequence[str]:
        """Return the user ids of the owners of a board, also of a deleted one."""
