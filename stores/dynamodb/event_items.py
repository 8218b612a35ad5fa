"""Events and stored responses as items of the table."""

import json
from base64 import b64decode
from collections.abc import Callable

from kanban.field_changes import format_changes, parse_changes
from kanban.store import StoredResponse
from kanban.values import Event
from stores.dynamodb import keys
from stores.dynamodb.attributes import (
    compile_reader,
    compile_writer,
    parse_timestamp,
    to_number,
    to_string,
    to_timestamp,
)
from stores.dynamodb.keys import Item

event_from_item: Callable[[Item], Event] = compile_reader(
    Event,
    ("item",),
    {
        "board_id": "item['pk']['S'][2:]",
        "seq": "int(item['sk']['S'][2:])",
        "data": "json.loads(item['data']['S'])",
        "changes": "parse_changes(item['changes']['S']) if 'changes' in item else None",
    },
    {"json": json, "parse_changes": parse_changes},
)
"""Return the event in an item."""

_event_attributes: Callable[[Event], Item] = compile_writer(
    Event,
    ("board_id", "seq"),
    {
        "data": "{'S': json.dumps(dict(value.data), ensure_ascii=False)}",
        "changes": ("{'S': format_changes(value.changes)} if value.changes is not None else None"),
    },
    {"json": json, "format_changes": format_changes},
)


def event_to_item(event: Event) -> Item:
    """Return the item of an event. One of a card has an entry in the index `recent`."""
    item = keys.event_key(event.board_id, event.seq) | _event_attributes(event)
    if event.card_id is not None:
        item["recent"] = to_string(keys.card_event_index_key(event.card_id, event.seq))
    return item


def stored_response_from_item(item: Item) -> StoredResponse:
    """Return the stored response in an item."""
    operation_id, _, idempotency_key = item["sk"]["S"][2:].partition("#")
    return StoredResponse(
        key=idempotency_key,
        user_id=item["pk"]["S"][2:],
        operation_id=operation_id,
        fingerprint=item["fingerprint"]["S"],
        status=int(item["status"]["N"]),
        headers=tuple((name, value) for name, value in json.loads(item["headers"]["S"])),
        body=b64decode(item["body"]["B"]),
        created_at=parse_timestamp(item["created_at"]["S"]),
        expires_at=parse_timestamp(item["expires_at"]["S"]),
    )


def stored_response_to_item(response: StoredResponse) -> Item:
    """Return the item of a stored response.

    DynamoDB removes it some time after `expires`, which is `expires_at` in seconds since 1970.
    """
    return keys.stored_response_key(response.user_id, response.operation_id, response.key) | {
        "fingerprint": to_string(response.fingerprint),
        "status": to_number(response.status),
        "headers": to_string(json.dumps(response.headers, ensure_ascii=False)),
        "body": {"B": response.body},
        "created_at": to_timestamp(response.created_at),
        "expires_at": to_timestamp(response.expires_at),
        "expires": to_number(int(response.expires_at.timestamp())),
    }
