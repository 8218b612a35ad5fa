"""Users, tokens, sign-in codes and identities as items of the table."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from kanban.tokens import format_limits, parse_limits
from kanban.values import UNLIMITED, Identity, SignInCode, Token, User
from stores.dynamodb import keys
from stores.dynamodb.attributes import (
    compile_reader,
    compile_writer,
    drop_missing,
    get_string,
    parse_timestamp,
    to_boolean,
    to_number,
    to_optional_string,
    to_string,
)
from stores.dynamodb.keys import Item

user_from_item: Callable[[Item], User] = compile_reader(
    User,
    ("item",),
    {
        "id": "item['pk']['S'][2:]",
        "bot_ids": "tuple(item['bot_ids']['S'].split()) if 'bot_ids' in item else ()",
    },
)
"""Return the user in an item."""

_user_attributes: Callable[[User], Item] = compile_writer(
    User, ("id",), {"bot_ids": "{'S': ' '.join(value.bot_ids)} if value.bot_ids else None"}
)


def user_to_item(user: User) -> Item:
    """Return the item of a user."""
    return keys.user_key(user.id) | _user_attributes(user)


def first_owner_to_item(user_id: str) -> Item:
    """Return the item of the installation's owners when there is one. All later users are listed when created."""
    return keys.setting_key("owner") | {
        "user_id": to_string(user_id),
        "users_listed": to_boolean(True),  # noqa: FBT003  (it is the value)
    }


_token_from_item: Callable[[Item], Token] = compile_reader(
    Token,
    ("item",),
    {
        "id": "item['sk']['S'][2:]",
        "user_id": "item['pk']['S'][2:]",
        "scopes": "tuple([Scope_WORDS[word] for word in item['scopes']['S'].split()])",
        "ancestor_ids": "tuple(item['ancestor_ids']['S'].split()) if 'ancestor_ids' in item else ()",
        "limits": "parse_limits(item['limits']['S']) if 'limits' in item else UNLIMITED",
        "kind": "TokenKind_WORDS[item['kind']['S'] if 'kind' in item else 'api']",
    },
    {"UNLIMITED": UNLIMITED, "parse_limits": parse_limits},
)

_token_attributes: Callable[[Token], Item] = compile_writer(
    Token,
    ("id", "user_id"),
    {
        "scopes": "{'S': ' '.join(value.scopes)}",
        "ancestor_ids": "{'S': ' '.join(value.ancestor_ids)} if value.ancestor_ids else None",
        "limits": "to_optional_string(format_limits(value.limits))",
    },
    {"to_optional_string": to_optional_string, "format_limits": format_limits},
)


def token_from_item(item: Item, ancestors: Iterable[Item] = ()) -> Token:
    """Return the token in an item, given the items of its ancestors: it is revoked with any of them."""
    token = _token_from_item(item)
    if token.revoked_at is not None:
        return token
    revoked = [parse_timestamp(ancestor["revoked_at"]["S"]) for ancestor in ancestors if "revoked_at" in ancestor]
    return replace(token, revoked_at=min(revoked)) if revoked else token


def ancestor_ids_from_item(item: Item) -> tuple[str, ...]:
    """Return the ids of a token's ancestors, from its item or from the one of its holder."""
    return tuple((get_string(item, "ancestor_ids") or "").split())


def token_to_item(token: Token) -> Item:
    """Return the item of a token."""
    return keys.token_key(token.user_id, token.id) | _token_attributes(token)


def token_holder_to_item(digest_or_id: str, token: Token) -> Item:
    """Return the item that tells whose token has that digest or id, and its ancestors, which never change."""
    return keys.token_holder_key(digest_or_id) | drop_missing(
        user_id=to_string(token.user_id), token_id=to_string(token.id), ancestor_ids=_ancestors_attribute(token)
    )


def _ancestors_attribute(token: Token) -> Item | None:
    return to_optional_string(" ".join(token.ancestor_ids) or None)


_code_attributes: Callable[[SignInCode], Item] = compile_writer(SignInCode, ())

code_from_item: Callable[[Item], SignInCode] = compile_reader(SignInCode, ("item",), {})
"""Return the sign-in code in an item."""


def code_to_items(code: SignInCode) -> tuple[Item, Item]:
    """Return the items of a sign-in code: by its digest, and among those of its user. DynamoDB erases expired ones."""
    attributes = _code_attributes(code) | {"expires": to_number(int(code.expires_at.timestamp()))}
    by_digest, of_user = code_keys(code)
    return by_digest | attributes, of_user | attributes


def code_keys(code: SignInCode) -> tuple[Item, Item]:
    """Return the keys of the items of a sign-in code."""
    return keys.sign_in_code_key(code.digest), keys.code_of_user_key(code.user_id, code.created_at, code.digest)


_identity_attributes: Callable[[Identity], Item] = compile_writer(Identity, ())

identity_from_item: Callable[[Item], Identity] = compile_reader(Identity, ("item",), {})
"""Return the identity in an item."""


def identity_to_items(identity: Identity) -> tuple[Item, Item]:
    """Return the items of an identity: by its account, and among those of its user."""
    attributes = _identity_attributes(identity)
    by_account, of_user = identity_keys(identity)
    return by_account | attributes, of_user | attributes


def identity_keys(identity: Identity) -> tuple[Item, Item]:
    """Return the keys of the items of an identity."""
    of_user = keys.identity_of_user_key(identity.user_id, identity.id)
    return keys.identity_key(identity.issuer, identity.subject), of_user
