"""Sign-in codes and identities in a SQL database, beside what commits write of them."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from kanban.values import Identity, SignInCode
from stores.sql import mapping
from stores.sql.engine import Engine
from stores.sql.statement_cache import BoundStatement, parameter
from stores.sql.tables import identities, sign_in_codes

CODE = sa.select(sign_in_codes).where(sign_in_codes.c.digest == parameter("digest"))
CODES = (
    sa.select(sign_in_codes)
    .where(sign_in_codes.c.user_id == parameter("user_id"))
    .order_by(sign_in_codes.c.created_at, sign_in_codes.c.digest)
)


IDENTITY = sa.select(identities).where(
    identities.c.issuer == parameter("issuer"), identities.c.subject == parameter("subject")
)
IDENTITIES = sa.select(identities).where(identities.c.user_id == parameter("user_id")).order_by(identities.c.id)


class SqlSignIn:
    """A `kanban.sign_in_store.SignInStore` over an engine. Threads may share it."""

    def __init__(self, engine: Engine, bind: Callable[..., BoundStatement]) -> None:
        self._engine = engine
        self._bind = bind

    def read_code(self, digest: str) -> SignInCode | None:
        rows = self._engine.read((self._bind(CODE, digest=digest),))[0]
        return mapping.row_to_sign_in_code(rows[0]) if rows else None

    def list_codes(self, user_id: str) -> Sequence[SignInCode]:
        return [mapping.row_to_sign_in_code(row) for row in self._engine.read((self._bind(CODES, user_id=user_id),))[0]]

    def read_identity(self, issuer: str, subject: str) -> Identity | None:
        rows = self._engine.read((self._bind(IDENTITY, issuer=issuer, subject=subject),))[0]
        return mapping.row_to_identity(rows[0]) if rows else None

    def list_identities(self, user_id: str) -> Sequence[Identity]:
        rows = self._engine.read((self._bind(IDENTITIES, user_id=user_id),))[0]
        return [mapping.row_to_identity(row) for row in rows]
