"""Sign-in codes and identities in a table, beside what commits write of them."""

from collections.abc import Sequence

from kanban.identities import MAX_IDENTITIES_PER_USER
from kanban.sign_in import MAX_CODES_PER_USER
from kanban.values import Identity, SignInCode
from stores.dynamodb import keys
from stores.dynamodb.reads import TableReader
from stores.dynamodb.user_items import code_from_item, identity_from_item


class DynamoSignIn:
    """A `kanban.sign_in_store.SignInStore` in a table. Threads may share it."""

    def __init__(self, reader: TableReader) -> None:
        self._reader = reader

    def read_code(self, digest: str) -> SignInCode | None:
        item = self._reader.get_item(keys.sign_in_code_key(digest))
        return code_from_item(item) if item else None

    def list_codes(self, user_id: str) -> Sequence[SignInCode]:
        items = self._reader.query(f"U#{user_id}", "G#", "G$", page_size=MAX_CODES_PER_USER + 1)
        return [code_from_item(item) for item in items]

    def read_identity(self, issuer: str, subject: str) -> Identity | None:
        item = self._reader.get_item(keys.identity_key(issuer, subject))
        return identity_from_item(item) if item else None

    def list_identities(self, user_id: str) -> Sequence[Identity]:
        items = self._reader.query(f"U#{user_id}", "H#", "H$", page_size=MAX_IDENTITIES_PER_USER + 1)
        return [identity_from_item(item) for item in items]
