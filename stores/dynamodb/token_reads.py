"""Reads of tokens: each is read together with its ancestors, since it is revoked with any of them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice

from kanban.values import Token, User
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb import user_items as items
from stores.dynamodb.keys import Item
from stores.dynamodb.listings import MAX_PAGE_READS
from stores.dynamodb.reads import TableReader
from stores.paging import cut_page

_MAX_BATCH_KEYS = 100


def get_token_and_user(reader: TableReader, digest: str) -> tuple[Token, User] | None:
    """Return the token of that digest and its user."""
    holder = reader.get_token_holder(digest)
    if holder is None:
        return None
    own_keys = [keys.token_key(holder.user_id, each) for each in (holder.token_id, *holder.ancestor_ids)]
    # No transaction writes two of these, so they need not be read in one.
    found = {each["sk"]["S"]: each for each in reader.batch_get([keys.user_key(holder.user_id), *own_keys])}
    user, token = found.pop("U", None), found.pop(f"K#{holder.token_id}", None)
    # The holder may be cached from before a rotation that another process did.
    if user is None or token is None or token["digest"]["S"] != digest:
        return None
    return items.token_from_item(token, found.values()), items.user_from_item(user)


def get_token(reader: TableReader, user_id: str, token_id: str) -> Token | None:
    """Return the user's token of that id."""
    item = reader.get_item(keys.token_key(user_id, token_id))
    if item is None:
        return None
    ancestor_ids = items.ancestor_ids_from_item(item)
    return items.token_from_item(item, _get_tokens(reader, user_id, ancestor_ids) if ancestor_ids else ())


def page_tokens(reader: TableReader, user_id: str, limit: int, after: PageKey | None) -> Page[Token]:
    """Return the user's tokens that are not revoked, newest first."""
    last = keys.key_before(f"K#{after[0]}") if after else "K$"
    found = reader.query(
        f"U#{user_id}",
        "K#",
        last,
        backwards=True,
        wanted=limit + 1,
        filtered="attribute_not_exists(#revoked_at)",
        names={"#revoked_at": "revoked_at"},
    )
    tokens: list[Token] = []
    for looks in count(1):
        batch = [*islice(found, limit + 1)]
        tokens += _drop_revoked(reader, user_id, batch)
        if len(tokens) > limit or len(batch) <= limit:
            break
        if looks == MAX_PAGE_READS:
            return Page(tuple(tokens), (batch[-1]["sk"]["S"][2:],))
    return cut_page(tokens, limit, lambda token: token.id)


def _drop_revoked(reader: TableReader, user_id: str, batch: Sequence[Item]) -> list[Token]:
    """Return the tokens of the batch that are not revoked with an ancestor."""
    known = {each["sk"]["S"][2:] for each in batch}
    unknown = {each for item in batch for each in items.ancestor_ids_from_item(item)} - known
    ended = {each["sk"]["S"][2:] for each in _get_tokens(reader, user_id, sorted(unknown)) if "revoked_at" in each}
    return [items.token_from_item(each) for each in batch if ended.isdisjoint(items.ancestor_ids_from_item(each))]


def _get_tokens(reader: TableReader, user_id: str, token_ids: Iterable[str]) -> Iterator[Item]:
    wanted = [keys.token_key(user_id, each) for each in token_ids]
    for start in range(0, len(wanted), _MAX_BATCH_KEYS):
        yield from reader.batch_get(wanted[start : start + _MAX_BATCH_KEYS])
