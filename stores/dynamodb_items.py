"""People, events and remembered answers, as they stand in the table."""

import json
from base64 import b64decode
from collections.abc import Iterable

from kanban.values import Event, Scope, StoredResponse, Token, User
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import (
    moment,
    moment_from,
    moment_of,
    number,
    optional_moment,
    optional_text,
    present,
    text,
    text_of,
)
from stores.dynamodb_keys import Item

# Looking a word up is several times faster than calling the enumeration.
_SCOPES = {str(scope): scope for scope in Scope}


# People


def user_of(item: Item) -> User:
    """From an item."""
    return User(
        item["pk"]["S"][2:],
        item["name"]["S"],
        int(item["version"]["N"]),
        moment_from(item["created_at"]["S"]),
        moment_from(item["updated_at"]["S"]),
    )


def user_item(user: User) -> Item:
    """For the table."""
    return keys.user_key(user.id) | {
        "name": text(user.name),
        "version": number(user.version),
        "created_at": moment(user.created_at),
        "updated_at": moment(user.updated_at),
    }


def token_of(item: Item, ancestors: Iterable[Item] = ()) -> Token:
    """From an item and those of its ancestors: it is revoked with any of them."""
    ended = [moment_of(each, "revoked_at") for each in ancestors if "revoked_at" in each]
    return Token(
        item["sk"]["S"][2:],
        item["pk"]["S"][2:],
        item["name"]["S"],
        item["digest"]["S"],
        tuple(_SCOPES[word] for word in item["scopes"]["S"].split()),
        int(item["version"]["N"]),
        moment_from(item["created_at"]["S"]),
        moment_of(item, "expires_at"),
        moment_of(item, "last_used_at"),
        moment_of(item, "revoked_at") or min(filter(None, ended), default=None),
        ancestor_ids_of(item),
    )


def ancestor_ids_of(item: Item) -> tuple[str, ...]:
    """The tokens that a token comes from: from its item, or from one that tells whose it is."""
    return tuple((text_of(item, "ancestor_ids") or "").split())


def token_item(token: Token) -> Item:
    """For the table."""
    return keys.token_key(token.user_id, token.id) | present(
        name=text(token.name),
        digest=text(token.digest),
        scopes=text(" ".join(token.scopes)),
        version=number(token.version),
        created_at=moment(token.created_at),
        expires_at=optional_moment(token.expires_at),
        last_used_at=optional_moment(token.last_used_at),
        revoked_at=optional_moment(token.revoked_at),
        ancestor_ids=_ancestors(token),
    )


def holder_item(digest_or_id: str, token: Token) -> Item:
    """For the table: whose token it is that has that digest or id, and what it comes from, which never changes."""
    return keys.holder_key(digest_or_id) | present(
        user_id=text(token.user_id), token_id=text(token.id), ancestor_ids=_ancestors(token)
    )


def _ancestors(token: Token) -> Item | None:
    return optional_text(" ".join(token.ancestor_ids) or None)


# Events and answers


def event_of(item: Item) -> Event:
    """From an item."""
    return Event(
        item["pk"]["S"][2:],
        int(item["sk"]["S"][2:]),
        item["type"]["S"],
        moment_from(item["at"]["S"]),
        item["actor_id"]["S"],
        text_of(item, "list_id"),
        text_of(item, "card_id"),
        json.loads(item["data"]["S"]),
    )


def event_item(event: Event) -> Item:
    """For the table."""
    return keys.key(f"B#{event.board_id}", keys.event_sk(event.seq)) | present(
        type=text(event.type),
        at=moment(event.at),
        actor_id=text(event.actor_id),
        list_id=optional_text(event.list_id),
        card_id=optional_text(event.card_id),
        data=text(json.dumps(dict(event.data), ensure_ascii=False)),
    )


def remembered_of(item: Item) -> StoredResponse:
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
        created_at=moment_from(item["created_at"]["S"]),
        expires_at=moment_from(item["expires_at"]["S"]),
    )


def remembered_item(record: StoredResponse) -> Item:
    """For the table. DynamoDB removes it some time after `expires`, the seconds of `expires_at` since 1970."""
    return keys.record_key(record.user_id, record.operation_id, record.key) | {
        "fingerprint": text(record.fingerprint),
        "status": number(record.status),
        "headers": text(json.dumps(record.headers, ensure_ascii=False)),
        "body": {"B": record.body},
        "created_at": moment(record.created_at),
        "expires_at": moment(record.expires_at),
        "expires": number(int(record.expires_at.timestamp())),
    }
