"""The statements that read users, tokens and settings: see `stores.sql.statement_cache` for how they are run."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from stores.sql.mapping import TOKEN_COLUMNS
from stores.sql.read_statements import SPACE, GroupConcat
from stores.sql.statement_cache import parameter
from stores.sql.tables import settings, token_ancestors, tokens, users

USER = sa.select(users).where(users.c.id == parameter("user_id"))

_ancestor = tokens.alias("ancestor")

# Evaluated only for a token that is not revoked itself. Most tokens have no ancestor: then it is one index lookup.
_ANCESTOR_REVOKED_AT = (
    sa.select(sa.func.min(_ancestor.c.revoked_at))
    .select_from(token_ancestors.join(_ancestor, _ancestor.c.id == token_ancestors.c.ancestor_id))
    .where(token_ancestors.c.token_id == tokens.c.id)
    .correlate(tokens)
    .scalar_subquery()
)

_ANCESTORS = (
    sa.select(
        GroupConcat(
            sa.cast(token_ancestors.c.position, sa.Text) + SPACE + token_ancestors.c.ancestor_id,
            sa.literal_column("'\n'"),
        )
    )
    .where(token_ancestors.c.token_id == tokens.c.id)
    .correlate(tokens)
    .scalar_subquery()
)

_TOKEN_COLUMNS = (
    *(tokens.c[name] for name in TOKEN_COLUMNS),
    sa.func.coalesce(tokens.c.revoked_at, _ANCESTOR_REVOKED_AT).label("revoked_at"),
    _ANCESTORS.label("ancestors"),
)

TOKEN_AND_USER = (
    sa.select(*_TOKEN_COLUMNS, users)
    .join(users, users.c.id == tokens.c.user_id)
    .where(tokens.c.digest == parameter("digest"))
)

TOKEN = sa.select(*_TOKEN_COLUMNS).where(tokens.c.id == parameter("token_id"), tokens.c.user_id == parameter("user_id"))


@cache
def select_tokens(*, continued: bool) -> sa.Select[Any]:
    """Select a page of the tokens of a user that are not revoked, newest first; `continued` below an id."""
    page = sa.select(*_TOKEN_COLUMNS).where(
        tokens.c.user_id == parameter("user_id"), tokens.c.revoked_at.is_(None), _ANCESTOR_REVOKED_AT.is_(None)
    )
    if continued:
        page = page.where(tokens.c.id < parameter("after_id"))
    return page.order_by(tokens.c.id.desc()).limit(parameter("limit"))


SETTING = sa.select(settings.c.value).where(settings.c.name == parameter("name"))

# The owner's id is a setting. The cast makes it compare byte by byte, as ids do.
OWNER = sa.select(users).where(users.c.id == sa.cast(SETTING.scalar_subquery(), users.c.id.type))
