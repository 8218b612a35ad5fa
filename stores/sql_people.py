"""Statements that find people, their tokens, and what belongs to the store itself: see `stores.statements`."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from stores.schema import settings, tokens, users
from stores.statements import given

USER = sa.select(users).where(users.c.id == given("user_id"))

TOKEN_HOLDER = (
    sa.select(tokens, users).join(users, users.c.id == tokens.c.user_id).where(tokens.c.digest == given("digest"))
)

TOKEN = sa.select(tokens).where(tokens.c.id == given("token_id"), tokens.c.user_id == given("user_id"))


@cache
def tokens_page(*, continued: bool) -> sa.Select[Any]:
    """The tokens of a user that are not revoked, newest first; continued below an id."""
    page = sa.select(tokens).where(tokens.c.user_id == given("user_id"), tokens.c.revoked_at.is_(None))
    if continued:
        page = page.where(tokens.c.id < given("after_id"))
    return page.order_by(tokens.c.id.desc()).limit(given("limit"))


SETTING = sa.select(settings.c.value).where(settings.c.name == given("name"))

# The owner is a setting, which does not compare byte by byte, as ids do.
OWNER = sa.select(users).where(users.c.id == sa.cast(SETTING.scalar_subquery(), users.c.id.type))
