"""Webhooks of a board."""

from typing import Any

from handlers import entity_tags, serialize
from handlers.dependencies import EnsureWebhookUrl, IfMatch
from handlers.preconditions import ensure_current
from handlers.results import Result, new_resource, no_content, page
from kanban import webhooks
from kanban.changes import ActionContext, Change
from kanban.store import Store
from kanban.values import FeedReader, Webhook
from kanban.views import BoardView
from kanban.webhooks import NewWebhook
from usecases.board_access import BoardAccess


def list_webhooks(access: BoardAccess, store: Store, context: ActionContext, board_id: str) -> Result:
    """List all webhooks of a board, oldest first."""
    access.read_board(board_id)
    readers = {reader.name: reader for reader in store.feed_readers.list_readers(board_id)}
    items = [
        serialize.webhook(webhook, readers.get(webhooks.get_reader_name(webhook.id)), context.at)
        for webhook in store.webhooks.list_webhooks(board_id)
    ]
    return page(items, None)


def create_webhook(
    access: BoardAccess,
    store: Store,
    context: ActionContext,
    ensure_webhook_url: EnsureWebhookUrl,
    webhook_key: bytes,
    board_id: str,
    body: dict[str, Any],
) -> Result:
    """Create a webhook. Only this response has its secret."""
    view = access.read_board(board_id)
    ensure_webhook_url(body["url"])
    new = NewWebhook(**{name: value for name, value in body.items() if value is not None})
    webhook, change = webhooks.create(view, store.webhooks.list_webhooks(board_id), context, new)
    (reader,) = (reader for reader in change.readers if isinstance(reader, FeedReader))
    location = f"/boards/{board_id}/webhooks/{webhook.id}"
    return new_resource(
        _serialize_with_secret(webhook_key, webhook, reader, context), etag=None, location=location, change=change
    )


def get_webhook(access: BoardAccess, store: Store, context: ActionContext, board_id: str, webhook_id: str) -> Result:
    """Return one webhook."""
    _, webhook = _read_webhook(access, store, board_id, webhook_id)
    return _webhook_result(store, webhook, context)


def update_webhook(
    access: BoardAccess,
    store: Store,
    context: ActionContext,
    if_match: IfMatch,
    ensure_webhook_url: EnsureWebhookUrl,
    board_id: str,
    webhook_id: str,
    body: dict[str, Any],
) -> Result:
    """Update a webhook, pause it, or set it active."""
    view, webhook = _read_webhook(access, store, board_id, webhook_id)
    ensure_current(if_match, access, view, webhook)
    if "url" in body:
        ensure_webhook_url(body["url"])
    updated, change = webhooks.update(view, webhook, body, context)
    return _webhook_result(store, updated, context, change)


def delete_webhook(
    access: BoardAccess, store: Store, context: ActionContext, if_match: IfMatch, board_id: str, webhook_id: str
) -> Result:
    """Delete a webhook with its deliveries."""
    view, webhook = _read_webhook(access, store, board_id, webhook_id)
    ensure_current(if_match, access, view, webhook)
    return no_content(webhooks.delete(view, webhook, context))


def rotate_webhook_secret(
    access: BoardAccess, store: Store, context: ActionContext, webhook_key: bytes, board_id: str, webhook_id: str
) -> Result:
    """Give a webhook another secret. Only this response has it."""
    view, webhook = _read_webhook(access, store, board_id, webhook_id)
    rotated, change = webhooks.rotate_secret(view, webhook, context)
    reader = _find_reader(store, webhook)
    return Result(_serialize_with_secret(webhook_key, rotated, reader, context), change=change)


def test_webhook(access: BoardAccess, store: Store, context: ActionContext, board_id: str, webhook_id: str) -> Result:
    """Send a webhook an event of its own."""
    view, webhook = _read_webhook(access, store, board_id, webhook_id)
    return _webhook_result(store, webhook, context, webhooks.send_test(view, webhook, context))


def replay_webhook(
    access: BoardAccess, store: Store, context: ActionContext, board_id: str, webhook_id: str, body: dict[str, Any]
) -> Result:
    """Deliver the events from a seq on once more."""
    view, webhook = _read_webhook(access, store, board_id, webhook_id)
    change = webhooks.replay(view, webhook, body["from_seq"], context)
    return _webhook_result(store, webhook, context, change)


def list_webhook_deliveries(access: BoardAccess, store: Store, board_id: str, webhook_id: str) -> Result:
    """List the last deliveries of a webhook, newest first."""
    _read_webhook(access, store, board_id, webhook_id)
    return page(map(serialize.webhook_delivery, store.webhooks.list_deliveries(board_id, webhook_id)), None)


def _read_webhook(access: BoardAccess, store: Store, board_id: str, webhook_id: str) -> tuple[BoardView, Webhook]:
    """Return the board, and then its webhook: a write between the two reads makes a commit stale."""
    view = access.read_board(board_id)
    return view, webhooks.require_webhook(store.webhooks.list_webhooks(board_id), webhook_id)


def _find_reader(store: Store, webhook: Webhook) -> FeedReader | None:
    name = webhooks.get_reader_name(webhook.id)
    return next((reader for reader in store.feed_readers.list_readers(webhook.board_id) if reader.name == name), None)


def _webhook_result(store: Store, webhook: Webhook, context: ActionContext, change: Change | None = None) -> Result:
    """Build a 200 with a webhook, whose reader is as the change leaves it."""
    reader = _find_reader(store, webhook)
    if reader and change:
        reader = webhooks.apply_resets(reader, change.readers)
    tag = entity_tags.webhook_tag(webhook, reader)
    return Result(serialize.webhook(webhook, reader, context.at), etag=tag, change=change)


def _serialize_with_secret(
    webhook_key: bytes, webhook: Webhook, reader: FeedReader | None, context: ActionContext
) -> dict[str, Any]:
    secret, *_ = webhooks.derive_secrets(webhook_key, webhook, context.at)
    return {"webhook": serialize.webhook(webhook, reader, context.at), "secret": secret}
