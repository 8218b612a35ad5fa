"""Write the values of a backup to an empty table, in steps that may be interrupted anywhere and continued.

The item of the installation's secret says that a restore is under way, of which backup, and how many of its items are
written. While it does, no process can open the table. The same backup leads to the same items in the same order, so
a later attempt goes on there. The owners are written last, in one transaction that also ends the restore: a table
without them counts as new for versions that know nothing of restores.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from kanban.flow.flow_segments import FlowSegment
from kanban.store import StoredResponse, StoreError
from kanban.values import (
    AuditEntry,
    Checklist,
    Comment,
    Event,
    FeedReader,
    Identity,
    Invitation,
    Job,
    SignInCode,
    TimeEntry,
    Token,
    User,
    Webhook,
    WebhookDelivery,
)
from stores.dynamodb import board_items, card_items, event_items, keys, user_items, webhook_items
from stores.dynamodb.attributes import get_number, get_string, to_number, to_string
from stores.dynamodb.audit_log import audit_entry_to_item
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.flow_segments import segment_to_item
from stores.dynamodb.invitations import invitation_to_items
from stores.dynamodb.jobs import job_to_item, unended_job_to_item
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import TableReader
from stores.dynamodb.store import SECRET_BYTES
from stores.dynamodb.token_origins import origin_note_to_item
from stores.dynamodb.writes import IS_NEW, Put, UpdateBuilder, Write, to_transact_item
from stores.whole_store import AssignedCard, StoredValue, WholeBoard

ITEMS_PER_STEP = 1_000
"""After how many items it is noted how far the restore is: so many are written again at most."""


class TableInUse(StoreError):
    """Raised when the table holds data that are not those of this restore."""


class TableRestore:
    """Restores a backup into one table."""

    def __init__(self, client: RetryingClient, table: str) -> None:
        self._client = client
        self._table = table
        self._reader = TableReader(client, table)
        self._batches = BatchWriter(client, table)

    def write(self, values: Iterable[StoredValue], settings: Mapping[str, str], digest: str) -> None:
        """Write all values and settings of the backup of that digest, or what an interrupted attempt has left.

        Raises:
            TableInUse: The table holds something else.
            StoreError: Not all of it is written: another attempt with the same values goes on there.
        """
        written = self._begin(settings.get("secret") or secrets.token_hex(SECRET_BYTES), digest)
        items = islice((item for value in values for item in _TO_ITEMS[type(value)](value)), written, None)
        while step := [*islice(items, ITEMS_PER_STEP)]:
            self._batches.put(step)
            written += len(step)
            self._note(written, digest)
        self._end(settings.get("owner"), digest)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _begin(self, secret: str, digest: str) -> int:
        """Mark the table, unless it is marked; return how many items are written."""
        if self._reader.get_item(keys.setting_key("owner")) is not None:
            raise TableInUse("The table holds data already: restore into an empty one.")
        marked = keys.setting_key("secret") | {"value": to_string(secret), "written": to_number(0)}
        put = Put(marked | {"restoring": to_string(digest)}, condition="attribute_not_exists(#restoring)")
        try:
            self._client("put_item", **put.fields(self._table))
        except ConditionFailed as error:
            # The call may have been carried out before its response got lost.
            (reason,) = error.reasons
            item: Item = reason.get("Item") or {}
            if get_string(item, "restoring") != digest:
                raise TableInUse(
                    "The table holds a part of another backup, of which the restore was interrupted: restore that one, "
                    "or into another table."
                ) from error
            return get_number(item, "written") or 0
        return 0

    def _note(self, written: int, digest: str) -> None:
        update = self._update_marker(digest)
        update.set("#written", to_number(written))
        self._client("update_item", **update.build(keys.setting_key("secret")).fields(self._table))

    def _end(self, owner_ids: str | None, digest: str) -> None:
        update = self._update_marker(digest)
        update.remove("#restoring")
        update.remove("#written")
        writes: list[Write] = [update.build(keys.setting_key("secret"))]
        if owner_ids is not None:
            writes.append(Put(user_items.first_owner_to_item(owner_ids), condition=IS_NEW))
        try:
            self._client("transact_write_items", TransactItems=[to_transact_item(w, self._table) for w in writes])
        except ConditionFailed as error:
            marker = self._reader.get_item(keys.setting_key("secret")) or {}
            if not error.may_have_succeeded or "restoring" in marker:
                raise TableInUse("Somebody has used the table meanwhile: restore into another one.") from error

    @staticmethod
    def _update_marker(digest: str) -> UpdateBuilder:
        update = UpdateBuilder()
        update.require("#restoring = :digest", digest=to_string(digest))
        return update


def _board_to_items(value: WholeBoard) -> Iterator[Item]:
    board = value.board
    live_lists = [list_ for list_ in value.lists if list_.deleted_at is None]
    yield board_items.new_head_item(board, live_lists, value.members, value.labels)
    yield board_items.new_tip_item(board.id, board.seq, ())
    yield from map(board_items.membership_to_item, value.members)
    for list_ in value.lists:
        if list_.deleted_at is not None:
            yield board_items.deleted_list_to_item(list_)
            yield keys.tombstone_key(keys.format_timestamp(list_.deleted_at), "list", board.id, list_.id)
    if board.deleted_at is not None:
        yield keys.tombstone_key(keys.format_timestamp(board.deleted_at), "board", board.id)
    elif board.external_id is not None:
        yield keys.board_claim_key(board.created_by, board.external_id) | {"board_id": to_string(board.id)}


def _card_to_items(value: AssignedCard) -> Iterator[Item]:
    card = value.card
    yield card_items.card_to_item(card, value.assignee_users)
    for user_id in sorted(value.assignee_users.values()):
        yield card_items.assignment_to_item(user_id, card)
    if card.deleted_at is not None:
        yield keys.tombstone_key(keys.format_timestamp(card.deleted_at), "card", card.board_id, card.id)
    elif card.external_id is not None:
        yield keys.card_claim_key(card.board_id, card.external_id) | {"card_id": to_string(card.id)}


def _token_to_items(token: Token) -> Iterator[Item]:
    yield user_items.token_to_item(token)
    yield user_items.token_holder_to_item(token.id, token)
    yield user_items.token_holder_to_item(token.digest, token)
    if token.last_used_at is not None and token.last_used_from is not None:
        yield origin_note_to_item(token.user_id, token.id, token.last_used_at)


def _one(to_item: Callable[[Any], Item]) -> Callable[[Any], Iterable[Item]]:
    """Return what makes the only item of a value."""
    return lambda value: (to_item(value),)


_TO_ITEMS: Mapping[type[Any], Callable[[Any], Iterable[Item]]] = {
    WholeBoard: _board_to_items,
    AssignedCard: _card_to_items,
    User: lambda user: (user_items.user_to_item(user), keys.listed_user_key(user.id)),
    Token: _token_to_items,
    Job: lambda job: (job_to_item(job), *(() if job.ended_at else (unended_job_to_item(job),))),
    Invitation: invitation_to_items,
    SignInCode: user_items.code_to_items,
    Identity: user_items.identity_to_items,
    FeedReader: webhook_items.reader_to_items,
    AuditEntry: _one(audit_entry_to_item),
    StoredResponse: _one(event_items.stored_response_to_item),
    TimeEntry: _one(card_items.part_to_item),
    Checklist: _one(card_items.part_to_item),
    Comment: _one(card_items.part_to_item),
    Event: _one(event_items.event_to_item),
    FlowSegment: _one(segment_to_item),
    Webhook: _one(webhook_items.webhook_to_item),
    WebhookDelivery: _one(webhook_items.delivery_to_item),
}
"""All items that commits would have written of a value, by its type, each with a key of its own."""
