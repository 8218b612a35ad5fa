"""Reads of tokens: each is read together with its ancestors, since it is revoked with any of them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice

from kanban.values import Token, TokenKind, User
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_string
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import MAX_BATCH_KEYS, MAX_PAGE_READS, Filter, TableReader
from stores.dynamodb.user_items import ancestor_ids_from_item, token_from_item, user_from_item
from stores.paging import cut_page


def get_token_and_user(reader: TableReader, digest: str) -> tuple[Token, User] | None:
    """Return the token of that digest and its user."""
    holder = reader.get_token_holder(digest)
    if holder is None:
        return None
    token_keys = [keys.token_key(holder.user_id, token_id) for token_id in (holder.token_id, *holder.ancestor_ids)]
    # No transaction writes two of these, so they need not be read in one.
    items = {item["sk"]["S"]: item for item in reader.batch_get([keys.user_key(holder.user_id), *token_keys])}
    user, token = items.pop("U", None), items.pop(f"K#{holder.token_id}", None)
    # The holder may be cached from before a rotation that another process did.
    if user is None or token is None or token["digest"]["S"] != digest:
        return None
    return token_from_item(token, items.values()), user_from_item(user)


def get_token(reader: TableReader, user_id: str, token_id: str) -> Token | None:
    """Return the user's token of that id."""
    item = reader.get_item(keys.token_key(user_id, token_id))
    if item is None:
        return None
    ancestor_ids = ancestor_ids_from_item(item)
    return token_from_item(item, _get_tokens(reader, user_id, ancestor_ids) if ancestor_ids else ())


_IS_OF_KIND = {
    # Tokens of releases before 1.3 have no kind: they are all those of programs.
    TokenKind.API: "(attribute_not_exists(#kind) OR #kind = :kind)",
    TokenKind.SESSION: "#kind = :kind",
}


def page_tokens(
    reader: TableReader, user_id: str, limit: int, after: PageKey | None, kind: TokenKind = TokenKind.API
) -> Page[Token]:
    """Return the user's tokens of a kind that are not revoked, newest first."""
    last = keys.key_before(f"K#{after[0]}") if after else "K$"
    items = reader.query(
        f"U#{user_id}",
        "K#",
        last,
        backwards=True,
        page_size=limit + 1,
        filter_by=Filter(f"attribute_not_exists(#revoked_at) AND {_IS_OF_KIND[kind]}", {":kind": to_string(str(kind))}),
    )
    tokens: list[Token] = []
    for reads in count(1):
        batch = [*islice(items, limit + 1)]
        tokens += _drop_revoked(reader, user_id, batch)
        if len(tokens) > limit or len(batch) <= limit:
            break
        if reads == MAX_PAGE_READS:
            return Page(tuple(tokens), (batch[-1]["sk"]["S"][2:],))
    return cut_page(tokens, limit, lambda token: token.id)


def _drop_revoked(reader: TableReader, user_id: str, batch: Sequence[Item]) -> list[Token]:
    """Return the tokens of the batch that are not revoked with an ancestor."""
    known_ids = {item["sk"]["S"][2:] for item in batch}
    unknown_ids = {ancestor_id for item in batch for ancestor_id in ancestor_ids_from_item(item)} - known_ids
    ancestors = _get_tokens(reader, user_id, sorted(unknown_ids))
    revoked_ids = {ancestor["sk"]["S"][2:] for ancestor in ancestors if "revoked_at" in ancestor}
    return [token_from_item(item) for item in batch if revoked_ids.isdisjoint(ancestor_ids_from_item(item))]


def _get_tokens(reader: TableReader, user_id: str, token_ids: Iterable[str]) -> Iterator[Item]:
    item_keys = [keys.token_key(user_id, token_id) for token_id in token_ids]
    for start in range(0, len(item_keys), MAX_BATCH_KEYS):
        yield from reader.batch_get(item_keys[start : start + MAX_BATCH_KEYS])
