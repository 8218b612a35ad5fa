"""The webhooks: readers of the feed that post batches of events to URLs."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from delivery.addresses import AddressForbidden
from delivery.sender import CallFailed, CallResponse
from delivery.signatures import build_headers
from delivery.targets import InvalidTarget
from kanban import webhooks
from kanban.changes import ActionContext
from kanban.store import StaleRead, Store
from kanban.timekeeping.timestamps import format_utc
from kanban.values import Event, FeedReader, Role, Webhook, WebhookDelivery, WebhookState
from kanban.views import BoardView
from kanban.webhooks import StopReason
from readers.runner import Handled, Outcome, Removed, Retry, Sleep

MAX_MESSAGE_BYTES = 262_144
"""A batch ends before the events for the webhook are longer than this, but has at least one event."""

USER_AGENT = "Tackboard-Webhooks"

_GONE = 410
_MAX_STOP_ATTEMPTS = 12


class MessageSender(Protocol):
    """What sends a message: see `delivery.sender.Sender`."""

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> CallResponse:
        """Post a body. Raises InvalidTarget, AddressForbidden, CallFailed."""


class WebhookHandler:
    """Delivers batches of events to the webhooks of one store."""

    def __init__(
        self,
        store: Store,
        sender: MessageSender,
        serialize_event: Callable[[Event], Mapping[str, Any]],
        now: Callable[[], datetime],
        new_id: Callable[[str], str],
    ) -> None:
        """`serialize_event` returns an event as the API returns it; `now` whole seconds."""
        self._store = store
        self._sender = sender
        self._serialize_event = serialize_event
        self._now = now
        self._new_id = new_id

    def choose_batch(self, reader: FeedReader, events: Sequence[Event]) -> int:
        """Return how many events make one message: all, unless it would be too long."""
        webhook = self._find_webhook(reader)
        size = 0
        for count, event in enumerate(events):
            if webhook is None or not webhooks.matches(webhook, event):
                continue
            size += len(_encode(self._serialize_event(event)))
            if size > MAX_MESSAGE_BYTES and count:
                return count
        return len(events)

    def handle(self, reader: FeedReader, events: Sequence[Event]) -> Outcome:
        """Deliver those events that the webhook gets; nothing is sent if there are none."""
        webhook = self._find_webhook(reader)
        if webhook is None:
            return Removed()
        if webhook.state != WebhookState.ACTIVE:
            return Sleep(is_call=False)
        view = self._store.read_deleted(webhook.board_id, webhook.owner_id)
        if view is None or view.role != Role.OWNER or view.get_member(webhook.owner_id).deactivated_at:
            return self._stop(webhook, "owner_left", is_call=False)
        matching = [event for event in events if webhooks.matches(webhook, event)]
        if not matching:
            return Handled(is_call=False)
        delivery = self._deliver(reader, webhook, view, matching)
        self._store.webhooks.put_delivery(delivery)
        return self._decide(reader, webhook, delivery)

    def _decide(self, reader: FeedReader, webhook: Webhook, delivery: WebhookDelivery) -> Outcome:
        """Return what follows from a delivery."""
        if delivery.is_success:
            return Handled()
        if delivery.status == _GONE:
            return self._stop(webhook, "gone")
        next_attempt_at = webhooks.next_attempt_at(reader.attempts + 1, self._now())
        return Retry(next_attempt_at) if next_attempt_at else self._stop(webhook, "no_success")

    def _find_webhook(self, reader: FeedReader) -> Webhook | None:
        return self._read_webhook(reader.board_id, webhooks.get_webhook_id(reader))

    def _read_webhook(self, board_id: str, webhook_id: str) -> Webhook | None:
        candidates = self._store.webhooks.list_webhooks(board_id)
        return next((webhook for webhook in candidates if webhook.id == webhook_id), None)

    def _deliver(
        self, reader: FeedReader, webhook: Webhook, view: BoardView, events: Sequence[Event]
    ) -> WebhookDelivery:
        """Post one message, and return what came of it."""
        from_seq, to_seq = reader.after_seq + 1, reader.batch_to or reader.after_seq
        history = view.board.get_history()
        message_id = webhooks.build_message_id(webhook, history, from_seq, to_seq)
        body = _encode(
            {
                # The same at each attempt, like everything in here.
                "type": "board.events",
                "timestamp": format_utc(events[-1].at),
                "data": {
                    "board_id": webhook.board_id,
                    "history": history,
                    "webhook_id": webhook.id,
                    "from_seq": from_seq,
                    "to_seq": to_seq,
                    "events": [self._serialize_event(event) for event in events],
                },
            }
        )
        now, began = self._now(), time.monotonic()
        secrets = webhooks.derive_secrets(self._store.read_secret(), webhook, now)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            **build_headers(message_id, int(now.timestamp()), body, secrets),
        }
        response, error = self._send(webhook.url, body, headers)
        return WebhookDelivery(
            board_id=webhook.board_id,
            webhook_id=webhook.id,
            number=reader.calls + 1,
            message_id=message_id,
            from_seq=from_seq,
            to_seq=to_seq,
            event_count=len(events),
            attempt=reader.attempts + 1,
            at=now,
            duration_ms=round((time.monotonic() - began) * 1000),
            status=response.status if response else None,
            response=_to_text(response.body) if response else "",
            error=error,
        )

    def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[CallResponse | None, str | None]:
        """Return the response, or a sentence about why there is none."""
        try:
            return self._sender.send(url, body, headers), None
        except (InvalidTarget, AddressForbidden, CallFailed) as error:
            return None, str(error)

    def _stop(self, webhook: Webhook, reason: StopReason, *, is_call: bool = True) -> Outcome:
        """Stop a webhook in the name of an owner, unless somebody has changed it meanwhile."""
        for _ in range(_MAX_STOP_ATTEMPTS):
            owner_ids = self._store.webhooks.list_owner_ids(webhook.board_id)
            if not owner_ids:
                return Removed()
            actor_id = webhook.owner_id if webhook.owner_id in owner_ids else owner_ids[0]
            view = self._store.read_board(webhook.board_id, actor_id)
            current = self._read_webhook(webhook.board_id, webhook.id)
            if current is None:
                return Removed()
            if view is None or current != webhook:
                # The board is deleted, and may come back; or somebody has just changed the webhook.
                return Retry(self._now() + webhooks.RETRY_DELAYS[-1], is_call)
            context = ActionContext(actor_id, self._now(), self._new_id)
            try:
                change = webhooks.stop(view, webhook, reason, context)
                # The only owner may be deactivated.
                self._store.commit(replace(change, is_by_installation=True))
            except StaleRead:
                continue
            return Sleep(is_call)
        return Retry(self._now() + webhooks.RETRY_DELAYS[0], is_call)


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _to_text(body: bytes) -> str:
    """Decode a body as UTF-8, with replacement characters for other bytes and for NUL, which no engine stores."""
    return body.decode(errors="replace").replace("\0", "\ufffd")
