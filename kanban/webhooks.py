"""Webhooks: create, update, delete, test and replay; and when a delivery is tried again.

A webhook is a reader of the feed, so its cursor is that of a feed reader. It works for an owner of the board: whoever
created it, or set it active last.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, LimitReached, NotFound, Unprocessable
from kanban.limits import MAX_WEBHOOKS_PER_BOARD
from kanban.patches import apply_patch, replace_nulls
from kanban.values import Event, EventData, FeedReader, ReaderChange, ReaderRemoval, ReaderReset, Webhook, WebhookState
from kanban.views import BoardView

READER_KIND = "webhook"
"""What the names of the readers of webhooks begin with."""

RETRY_DELAYS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    *(timedelta(hours=6),) * 12,
)
"""How long to wait after each failed attempt at a batch. The last twelve make 72 hours; then the webhook stops."""

PREVIOUS_SECRET_LIFETIME = timedelta(hours=24)
"""How long a secret that was rotated is still used, beside the new one."""

StopReason = Literal["no_success", "gone", "owner_left"]
"""Why a webhook stops: no success for 72 hours, a response with 410, or its owner is no owner of the board any more."""


class InvalidWebhookUrl(Unprocessable):
    """Raised for a URL that no delivery could reach."""

    code = "invalid_webhook_url"
    field = "url"


class SeqAhead(Unprocessable):
    """Raised when a replay should begin after the last event of the board."""

    code = "seq_ahead"
    field = "from_seq"

    def __init__(self, seq: int) -> None:
        """Take the seq of the last event."""
        super().__init__(f"The last event of this board has the seq {seq}: a replay begins there or before.")


class WebhookNotActive(Conflict):
    """Raised when a webhook that delivers nothing should be tested."""

    code = "webhook_not_active"

    def __init__(self, state: WebhookState) -> None:
        """Take the state that the webhook is in."""
        super().__init__(f"This webhook is {state}: set it active before you test it.")


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """What a webhook is created with. Without `types` it gets all events."""

    url: str
    types: Sequence[str] = ()
    description: str = ""


def create(
    view: BoardView, webhooks: Sequence[Webhook], context: ActionContext, new: NewWebhook
) -> tuple[Webhook, Change]:
    """Create a webhook, which gets the events from its own creation on. Raises LimitReached."""
    if len(webhooks) >= MAX_WEBHOOKS_PER_BOARD:
        raise LimitReached("webhooks", MAX_WEBHOOKS_PER_BOARD)
    webhook = Webhook(
        id=context.new_id("webhook"),
        board_id=view.board.id,
        url=new.url,
        types=_sort_types(new.types),
        description=new.description,
        state=WebhookState.ACTIVE,
        owner_id=context.actor_id,
        created_by=context.actor_id,
        secret_number=1,
        version=1,
        created_at=context.at,
        updated_at=context.at,
    )
    reader = FeedReader(view.board.id, get_reader_name(webhook.id), view.board.seq, due_at=context.at)
    data = {"webhook_id": webhook.id}
    return webhook, build_change(view, context, "webhook.created", creates=(webhook,), readers=(reader,), data=data)


def update(
    view: BoardView, webhook: Webhook, patch: Mapping[str, Any], context: ActionContext
) -> tuple[Webhook, Change | None]:
    """Apply a patch of the URL, the types, the description and the state, which can be set active or paused.

    A webhook that is set active works for the actor from now on, and goes on where it was, at once.
    """
    patch = replace_nulls(patch, Webhook)
    if "types" in patch:
        patch["types"] = _sort_types(patch["types"])
    if "state" in patch:
        patch["state"] = WebhookState(patch["state"])
    new, changed_fields = apply_patch(webhook, patch, context)
    is_woken = patch.get("state") == WebhookState.ACTIVE
    if not changed_fields and not is_woken:
        return webhook, None
    if is_woken:
        # Also where it was active: then it failed, and is tried at once.
        version = webhook.version + 1
        new = replace(new, owner_id=context.actor_id, version=version, updated_at=context.at)
    resets = _build_resets(new, context, is_woken=is_woken)
    data: EventData = {"webhook_id": webhook.id, "changed": changed_fields or ["state"]}
    change = build_change(
        view, context, "webhook.updated", updates=(new,), readers=resets, subject=(webhook, new), data=data
    )
    return new, change


def delete(view: BoardView, webhook: Webhook, context: ActionContext) -> Change:
    """Delete a webhook. A call that is under way is not interrupted."""
    reader = ReaderRemoval(view.board.id, get_reader_name(webhook.id))
    data = {"webhook_id": webhook.id}
    return build_change(view, context, "webhook.deleted", deletes=(webhook,), readers=(reader,), data=data)


def rotate_secret(view: BoardView, webhook: Webhook, context: ActionContext) -> tuple[Webhook, Change]:
    """Give a webhook another secret. For 24 hours it signs with the one before, too."""
    rotated = replace(
        webhook,
        secret_number=webhook.secret_number + 1,
        rotated_at=context.at,
        version=webhook.version + 1,
        updated_at=context.at,
    )
    data = {"webhook_id": webhook.id}
    return rotated, build_change(view, context, "webhook.secret_rotated", updates=(rotated,), data=data)


def send_test(view: BoardView, webhook: Webhook, context: ActionContext) -> Change:
    """Send the webhook an event of its own, in its turn like others. Raises WebhookNotActive."""
    if webhook.state != WebhookState.ACTIVE:
        raise WebhookNotActive(webhook.state)
    return build_change(view, context, "webhook.tested", data={"webhook_id": webhook.id})


def replay(view: BoardView, webhook: Webhook, from_seq: int, context: ActionContext) -> Change:
    """Let a webhook get the events from that seq on, once more. Raises SeqAhead."""
    if from_seq > view.board.seq:
        raise SeqAhead(view.board.seq)
    due_at = context.at if webhook.state == WebhookState.ACTIVE else None
    reset = ReaderReset(view.board.id, get_reader_name(webhook.id), due_at, from_seq - 1)
    data: EventData = {"webhook_id": webhook.id, "from_seq": from_seq}
    return build_change(view, context, "webhook.replayed", readers=(reset,), data=data)


def stop(view: BoardView, webhook: Webhook, reason: StopReason, context: ActionContext) -> Change:
    """Stop a webhook, with a notice on the board."""
    stopped = replace(webhook, state=WebhookState.STOPPED, version=webhook.version + 1, updated_at=context.at)
    data = {"webhook_id": webhook.id, "reason": reason}
    return build_change(view, context, "webhook.stopped", updates=(stopped,), subject=(webhook, stopped), data=data)


def apply_resets(reader: FeedReader, changes: Sequence[ReaderChange]) -> FeedReader:
    """Return a reader as the resets of a change leave it."""
    for reset in changes:
        if isinstance(reset, ReaderReset) and reset.name == reader.name:
            reader = replace(reader, attempts=0, failing_since=None, lease_owner=None, due_at=reset.due_at)
            if reset.after_seq is not None:
                reader = replace(reader, after_seq=reset.after_seq, batch_to=None)
    return reader


def require_webhook(webhooks: Sequence[Webhook], webhook_id: str) -> Webhook:
    """Return the webhook of that id. Raises NotFound."""
    for webhook in webhooks:
        if webhook.id == webhook_id:
            return webhook
    raise NotFound("webhook")


def get_reader_name(webhook_id: str) -> str:
    """Return the name of the reader of a webhook."""
    return f"{READER_KIND}:{webhook_id}"


def get_webhook_id(reader: FeedReader) -> str:
    """Return the id of the webhook that a reader is of."""
    return reader.name.partition(":")[2]


def next_attempt_at(attempts: int, now: datetime) -> datetime | None:
    """Return when to try again after so many failed attempts; None if it is time to stop."""
    return now + RETRY_DELAYS[attempts - 1] if attempts <= len(RETRY_DELAYS) else None


def matches(webhook: Webhook, event: Event) -> bool:
    """Tell whether a webhook gets an event: one of its types, or its own test."""
    if event.type == "webhook.tested":
        return event.data.get("webhook_id") == webhook.id
    return not webhook.types or event.type in webhook.types


def build_message_id(webhook: Webhook, history: str, from_seq: int, to_seq: int) -> str:
    """Return the id of the message with the events from one seq to another, both included, of a board's history.

    It names the same contents at each attempt: other types make another id. So does a restore from a backup, after
    which the same seqs are those of other events.
    """
    digest = hashlib.sha256(" ".join((history, *webhook.types)).encode()).hexdigest()[:8]
    return f"msg_{webhook.id.partition('_')[2]}_{from_seq}_{to_seq}_{digest}"


def derive_secrets(installation_secret: bytes, webhook: Webhook, now: datetime) -> list[str]:
    """Return the secrets that are valid, the current one first.

    They are derived from the secret of the installation, so no secret of a webhook is stored anywhere.
    """
    secrets = [_derive_secret(installation_secret, webhook.id, webhook.secret_number)]
    if webhook.rotated_at is not None and now < webhook.rotated_at + PREVIOUS_SECRET_LIFETIME:
        secrets.append(_derive_secret(installation_secret, webhook.id, webhook.secret_number - 1))
    return secrets


def _derive_secret(installation_secret: bytes, webhook_id: str, number: int) -> str:
    key = hmac.new(installation_secret, f"webhook {webhook_id} {number}".encode(), hashlib.sha256).digest()
    return f"whsec_{base64.b64encode(key).decode()}"


def _sort_types(types: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(types)))


def _build_resets(webhook: Webhook, context: ActionContext, *, is_woken: bool) -> tuple[ReaderReset, ...]:
    """Return what a patch makes of the reader: it goes on at once, sleeps, or keeps waiting."""
    name = get_reader_name(webhook.id)
    if is_woken:
        return (ReaderReset(webhook.board_id, name, context.at),)
    if webhook.state == WebhookState.PAUSED:
        return (ReaderReset(webhook.board_id, name, None),)
    return ()
