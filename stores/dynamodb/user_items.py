"""People, events and remembered answers, as they stand in the table."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import replace

from kanban.store import StoredResponse
from kanban.values import Event, Token, User
from stores.dynamodb import keys
from stores.dynamodb.attributes import (
    compile_reader,
    compile_writer,
    drop_missing,
    get_string,
    parse_timestamp,
    to_number,
    to_optional_string,
    to_string,
    to_timestamp,
)
from stores.dynamodb.keys import Item

# People


user_from_item: Callable[[Item], User] = compile_reader(User, ("item",), {"id": "item['pk']['S'][2:]"})
"""Return the user of an item."""

_user_attributes: Callable[[User], Item] = compile_writer(User, ("id",))


def user_to_item(user: User) -> Item:
    """Return the item of a user."""
    return keys.user_key(user.id) | _user_attributes(user)


_token_from_item: Callable[[Item], Token] = compile_reader(
    Token,
    ("item",),
    {
        "id": "item['sk']['S'][2:]",
        "user_id": "item['pk']['S'][2:]",
        "scopes": "tuple([Scope_WORDS[word] for word in item['scopes']['S'].split()])",
        "ancestor_ids": "tuple(item['ancestor_ids']['S'].split()) if 'ancestor_ids' in item else ()",
    },
)

_token_attributes: Callable[[Token], Item] = compile_writer(
    Token,
    ("id", "user_id"),
    {
        "scopes": "{'S': ' '.join(value.scopes)}",
        "ancestor_ids": "{'S': ' '.join(value.ancestor_ids)} if value.ancestor_ids else None",
    },
)


def token_from_item(item: Item, ancestors: Iterable[Item] = ()) -> Token:
    """Return the token of an item and those of its ancestors: it is revoked with any of them."""
    token = _token_from_item(item)
    if token.revoked_at is not None:
        return token
    revoked = [parse_timestamp(ancestor["revoked_at"]["S"]) for ancestor in ancestors if "revoked_at" in ancestor]
    return replace(token, revoked_at=min(revoked)) if revoked else token


def ancestor_ids_from_item(item: Item) -> tuple[str, ...]:
    """The tokens that a token comes from: from its item, or from one that tells whose it is."""
    return tuple((get_string(item, "ancestor_ids") or "").split())


def token_to_item(token: Token) -> Item:
    """Return the item of a token."""
    return keys.token_key(token.user_id, token.id) | _token_attributes(token)


def token_holder_to_item(digest_or_id: str, token: Token) -> Item:
    """For the table: whose token it is that has that digest or id, and what it comes from, which never changes."""
    return keys.token_holder_key(digest_or_id) | drop_missing(
        user_id=to_string(token.user_id), token_id=to_string(token.id), ancestor_ids=_ancestors_attribute(token)
    )


def _ancestors_attribute(token: Token) -> Item | None:
    return to_optional_string(" ".join(token.ancestor_ids) or None)


# Events and answers


event_from_item: Callable[[Item], Event] = compile_reader(
    Event,
    ("item",),
    {"board_id": "item['pk']['S'][2:]", "seq": "int(item['sk']['S'][2:])", "data": "json.loads(item['data']['S'])"},
    {"json": json},
)
"""Return the event of an item."""

_event_attributes: Callable[[Event], Item] = compile_writer(
    Event,
    ("board_id", "seq"),
    {"data": "{'S': json.dumps(dict(value.data), ensure_ascii=False)}"},
    {"json": json},
)


def event_to_item(event: Event) -> Item:
    """Return the item of an event."""
    return keys.item_key(f"B#{event.board_id}", keys.event_sort_key(event.seq)) | _event_attributes(event)


def stored_response_from_item(item: Item) -> StoredResponse:
    """From an item."""
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


def stored_response_to_item(record: StoredResponse) -> Item:
    """For the table. DynamoDB removes it some time after `expires`, the seconds of `expires_at` since 1970."""
    return keys.stored_response_key(record.user_id, record.operation_id, record.key) | {
        "fingerprint": to_string(record.fingerprint),
        "status": to_number(record.status),
        "headers": to_string(json.dumps(record.headers, ensure_ascii=False)),
        "body": {"B": record.body},
        "created_at": to_timestamp(record.created_at),
        "expires_at": to_timestamp(record.expires_at),
        "expires": to_number(int(record.expires_at.timestamp())),
    }
