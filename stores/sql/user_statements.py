"""The statements that read users, tokens and settings: see `stores.sql.statement_cache` for how they are run."""

import sqlalchemy as sa

from stores.sql.mapping import TOKEN_COLUMNS
from stores.sql.read_statements import MAX_SCANNED, SPACE, GroupConcat, select_or_empty, select_row_after
from stores.sql.statement_cache import parameter
from stores.sql.tables import boards, members, settings, token_ancestors, tokens, users

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

# Each column costs every request. The digest is what is asked for, and the token has its user's id.
TOKEN_AND_USER = (
    sa.select(*_TOKEN_COLUMNS, *(column for column in users.c if column is not users.c.id))
    .join(users, users.c.id == tokens.c.user_id)
    .where(tokens.c.digest == parameter("digest"))
)

"""A token of a digest, without the digest, and its user without the id."""

TOKEN = sa.select(*_TOKEN_COLUMNS, tokens.c.digest).where(
    tokens.c.id == parameter("token_id"), tokens.c.user_id == parameter("user_id")
)

ALL_TOKENS = sa.select(
    *(tokens.c[name] for name in TOKEN_COLUMNS), tokens.c.revoked_at, _ANCESTORS.label("ancestors"), tokens.c.digest
).order_by(tokens.c.id)
"""All tokens of a store, each as it is stored: not revoked with an ancestor."""

TOKEN_HOLDER = sa.select(tokens.c.user_id).where(tokens.c.id == parameter("token_id"))
"""The id of the user of a token."""

_SCANNED = tokens.alias("scanned")
LAST_SCANNED_TOKEN = select_row_after(
    MAX_SCANNED - 1,
    sa.select(_SCANNED.c.id)
    .where(
        _SCANNED.c.user_id == parameter("user_id"),
        _SCANNED.c.kind == parameter("kind"),
        _SCANNED.c.revoked_at.is_(None),
        _SCANNED.c.id < parameter("after_id"),
    )
    .order_by(_SCANNED.c.id.desc()),
)
"""The id of the last token that is looked through for a page; no row if all of them are."""

TOKENS = (
    sa.select(*_TOKEN_COLUMNS, tokens.c.digest)
    .where(
        tokens.c.user_id == parameter("user_id"),
        tokens.c.kind == parameter("kind"),
        tokens.c.revoked_at.is_(None),
        _ANCESTOR_REVOKED_AT.is_(None),
        tokens.c.id < parameter("after_id"),
        tokens.c.id >= select_or_empty(LAST_SCANNED_TOKEN),
    )
    .order_by(tokens.c.id.desc())
    .limit(parameter("limit"))
)
"""A page of the tokens of a user and a kind below an id that are not revoked, newest first."""

ALL_USERS = sa.select(users).where(users.c.id > parameter("after_id")).order_by(users.c.id).limit(parameter("limit"))
"""A page of all users above an id."""

BOARD_IDS = (
    sa.select(members.c.board_id)
    .where(members.c.user_id == parameter("user_id"), members.c.board_id > parameter("after_id"))
    .order_by(members.c.board_id)
    .limit(parameter("limit"))
)
"""A page of the ids of a user's boards above an id."""

_OWN = members.alias("own")
_NEWEST_BOARD_IDS = (
    sa.select(_OWN.c.board_id)
    .where(_OWN.c.user_id == parameter("user_id"))
    .order_by(_OWN.c.board_id.desc())
    .limit(parameter("limit"))
)
FELLOWS = (
    sa.select(members.c.board_id, members.c.user_id)
    .join(boards, boards.c.id == members.c.board_id)
    .where(members.c.board_id.in_(_NEWEST_BOARD_IDS), boards.c.deleted_at.is_(None))
)
"""The members of the newest boards of a user."""

SETTING = sa.select(settings.c.value).where(settings.c.name == parameter("name"))
