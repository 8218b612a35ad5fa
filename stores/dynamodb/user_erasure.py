"""Erase what belongs to a deleted user, in steps that may be interrupted anywhere.

Nearly all of it is in the user's partition. Items elsewhere that it leads to are erased first, so that an interrupted
step finds them again.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from kanban.store import OPERATIONS_ABOUT_USERS
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_string
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.keys import Item, key_of
from stores.dynamodb.reads import TableReader
from stores.dynamodb.writes import Delete

_USER = "U"
_KEPT_PREFIXES = ("X#", "Y#")
"""What the sort keys of external ids of the boards that the user has created, and of their jobs begin with."""

_PROJECTION = "#pk, #sk, #digest, #issuer, #subject, #id"


class UserErasure:
    """Erases in one table."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table
        self._batches = BatchWriter(client, table)

    def step(self, user_id: str, owner_ids: Sequence[str], limit: int) -> int:
        """Erase about `limit` items of a user, and of stored responses that show the name to owners.

        Return how many were erased.
        """
        erased = 0
        for batch, _ in self._reader.query_batches(f"U#{user_id}", " ", "~", page_size=limit, projection=_PROJECTION):
            items = [item for item in batch if not _is_kept(item)]
            self._erase_identities(items)
            self._batches.delete(_list_holder_keys(items))
            self._batches.delete(map(key_of, items))
            erased += len(items)
            if erased >= limit:
                return erased
        return erased + self._erase_responses_of_owners(owner_ids, limit - erased)

    def _erase_identities(self, items: Sequence[Item]) -> None:
        for item in items:
            if item["sk"]["S"].startswith("H#"):
                key = keys.identity_key(item["issuer"]["S"], item["subject"]["S"])
                # The account may be another identity by now.
                own = Delete(key, condition="#id = :id", values={":id": to_string(item["id"]["S"])})
                with suppress(ConditionFailed):
                    self._client("delete_item", **own.fields(self._table))

    def _erase_responses_of_owners(self, owner_ids: Sequence[str], limit: int) -> int:
        erased = 0
        for owner_id in owner_ids:
            for operation_id in sorted(OPERATIONS_ABOUT_USERS):
                first, last = f"I#{operation_id}#", f"I#{operation_id}$"
                for batch, _ in self._reader.query_batches(
                    f"U#{owner_id}", first, last, page_size=limit, projection="#pk, #sk"
                ):
                    self._batches.delete(map(key_of, batch))
                    erased += len(batch)
                    if erased >= limit:
                        return erased
        return erased


def _is_kept(item: Item) -> bool:
    sort_key: str = item["sk"]["S"]
    return sort_key == _USER or sort_key.startswith(_KEPT_PREFIXES)


def _list_holder_keys(items: Sequence[Item]) -> Iterator[Item]:
    """Yield the keys of the items that lead to tokens and codes from their secrets or ids."""
    for item in items:
        kind, _, name = item["sk"]["S"].partition("#")
        if kind == "K":
            yield keys.token_holder_key(name)
            yield keys.token_holder_key(item["digest"]["S"])
        elif kind == "G":
            yield keys.sign_in_code_key(item["digest"]["S"])
