"""People, events and remembered answers, as they stand in the table."""

import json
from base64 import b64decode
from collections.abc import Iterable

from kanban.store import StoredResponse
from kanban.values import Event, Scope, Token, User
from stores.dynamodb import keys
from stores.dynamodb.attributes import (
    drop_missing,
    get_string,
    get_timestamp,
    parse_timestamp,
    to_number,
    to_optional_string,
    to_optional_timestamp,
    to_string,
    to_timestamp,
)
from stores.dynamodb.keys import Item

# Looking a word up is several times faster than calling the enumeration.
_SCOPES = {str(scope): scope for scope in Scope}


# People


def user_from_item(item: Item) -> User:
    """From an item."""
    return User(
        item["pk"]["S"][2:],
        item["name"]["S"],
        int(item["version"]["N"]),
        parse_timestamp(item["created_at"]["S"]),
        parse_timestamp(item["updated_at"]["S"]),
    )


def user_to_item(user: User) -> Item:
    """For the table."""
    return keys.user_key(user.id) | {
        "name": to_string(user.name),
        "version": to_number(user.version),
        "created_at": to_timestamp(user.created_at),
        "updated_at": to_timestamp(user.updated_at),
    }


def token_from_item(item: Item, ancestors: Iterable[Item] = ()) -> Token:
    """From an item and those of its ancestors: it is revoked with any of them."""
    ended = [get_timestamp(each, "revoked_at") for each in ancestors if "revoked_at" in each]
    return Token(
        item["sk"]["S"][2:],
        item["pk"]["S"][2:],
        item["name"]["S"],
        item["digest"]["S"],
        tuple(_SCOPES[word] for word in item["scopes"]["S"].split()),
        int(item["version"]["N"]),
        parse_timestamp(item["created_at"]["S"]),
        get_timestamp(item, "expires_at"),
        get_timestamp(item, "last_used_at"),
        get_timestamp(item, "revoked_at") or min(filter(None, ended), default=None),
        ancestor_ids_from_item(item),
    )


def ancestor_ids_from_item(item: Item) -> tuple[str, ...]:
    """The tokens that a token comes from: from its item, or from one that tells whose it is."""
    return tuple((get_string(item, "ancestor_ids") or "").split())


def token_to_item(token: Token) -> Item:
    """For the table."""
    return keys.token_key(token.user_id, token.id) | drop_missing(
        name=to_string(token.name),
        digest=to_string(token.digest),
        scopes=to_string(" ".join(token.scopes)),
        version=to_number(token.version),
        created_at=to_timestamp(token.created_at),
        expires_at=to_optional_timestamp(token.expires_at),
        last_used_at=to_optional_timestamp(token.last_used_at),
        revoked_at=to_optional_timestamp(token.revoked_at),
        ancestor_ids=_ancestors_attribute(token),
    )


def token_holder_to_item(digest_or_id: str, token: Token) -> Item:
    """For the table: whose token it is that has that digest or id, and what it comes from, which never changes."""
    return keys.token_holder_key(digest_or_id) | drop_missing(
        user_id=to_string(token.user_id), token_id=to_string(token.id), ancestor_ids=_ancestors_attribute(token)
    )


def _ancestors_attribute(token: Token) -> Item | None:
    return to_optional_string(" ".join(token.ancestor_ids) or None)


# Events and answers


def event_from_item(item: Item) -> Event:
    """From an item."""
    return Event(
        item["pk"]["S"][2:],
        int(item["sk"]["S"][2:]),
        item["type"]["S"],
        parse_timestamp(item["at"]["S"]),
        item["actor_id"]["S"],
        get_string(item, "list_id"),
        get_string(item, "card_id"),
        json.loads(item["data"]["S"]),
    )


def event_to_item(event: Event) -> Item:
    """For the table."""
    return keys.item_key(f"B#{event.board_id}", keys.event_sort_key(event.seq)) | drop_missing(
        type=to_string(event.type),
        at=to_timestamp(event.at),
        actor_id=to_string(event.actor_id),
        list_id=to_optional_string(event.list_id),
        card_id=to_optional_string(event.card_id),
        data=to_string(json.dumps(dict(event.data), ensure_ascii=False)),
    )


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
