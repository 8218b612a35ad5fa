"""Erase what was deleted long ago, in bounded steps, each in its own transaction.

Rows are erased before the row that they refer to, so an interrupted step leaves fewer rows, but no dangling ones.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from kanban.field_changes import erase_values
from kanban.store import OPERATIONS_ABOUT_USERS
from stores.sql import mapping, tables
from stores.sql.engine import Transaction
from stores.sql.statement_cache import BoundStatement, Statement, choose_once, parameter

_CARDS_PER_STEP = 50

_BEFORE = parameter("before")
_LIMIT = parameter("limit")
_ID = parameter("id")


def _select_oldest_deleted(table: sa.Table) -> sa.Select[Any]:
    return (
        sa.select(table.c.id)
        .where(table.c.deleted_at < _BEFORE)
        .order_by(table.c.deleted_at, table.c.id)
        .limit(_LIMIT)
        # Purges that run at the same time erase different things, and nobody can restore what one has begun to erase.
        .with_for_update(skip_locked=True)
    )


_OLDEST_BOARD, _OLDEST_LIST, _OLDEST_CARD = (
    _select_oldest_deleted(table) for table in (tables.boards, tables.lists, tables.cards)
)

# The query goes through the lists, because the indexes of a board's cards hold live cards only.
_CARDS_OF_BOARD, _CARDS_OF_LIST = (
    sa.select(tables.cards.c.id)
    .join(tables.lists, tables.lists.c.id == tables.cards.c.list_id)
    .where(column == _ID)
    .order_by(tables.lists.c.id, tables.cards.c.rank)
    .limit(_LIMIT)
    for column in (tables.lists.c.board_id, tables.lists.c.id)
)


def _delete_up_to_limit(table: sa.Table, keys: sa.Select[Any]) -> Statement:
    """Return a statement that deletes at most `limit` rows of a table, of those whose primary keys are selected."""
    key = list(table.primary_key.columns)
    row_key = sa.tuple_(*key) if len(key) > 1 else key[0]
    return table.delete().where(row_key.in_(keys.limit(_LIMIT))).returning(sa.literal_column("1"))


def _delete_rows_of(table: sa.Table, column: sa.Column[Any]) -> Statement:
    """Return a statement that deletes at most `limit` rows of a table that belong to the row of an id."""
    return _delete_up_to_limit(table, sa.select(*table.primary_key.columns).where(column == _ID))


_DELETE_CARD_PARTS = tuple(
    _delete_rows_of(table, table.c.card_id) for table in (tables.comments, tables.checklists, tables.time_entries)
)
_DELETE_BOARD_ROWS = tuple(
    _delete_rows_of(table, table.c.board_id)
    for table in (
        *(tables.lists, tables.labels, tables.members, tables.feed_readers),
        *(tables.webhooks, tables.webhook_deliveries, tables.invitations, tables.flow_segments, tables.events),
    )
)
_EVENTS_PER_QUERY = 500
_EVENT_KEY = (tables.events.c.seq, tables.events.c.board_id)
_EVENTS_OF_CARD = (
    sa.select(tables.events)
    .where(
        tables.events.c.card_id == _ID,
        sa.tuple_(*_EVENT_KEY) > sa.tuple_(parameter("after_seq"), parameter("after_board_id")),
    )
    .order_by(*_EVENT_KEY)
    .limit(_LIMIT)
)
_UPDATE_EVENT = (
    tables.events.update()
    .where(tables.events.c.board_id == parameter("board_id"), tables.events.c.seq == parameter("seq"))
    .values(data=parameter("data"), changes=parameter("changes"))
)


def _delete_expired(table: sa.Table) -> Statement:
    """Return a statement that deletes at most `limit` rows of a table that have expired."""
    key = list(table.primary_key.columns)
    row_key = sa.tuple_(*key) if len(key) > 1 else key[0]
    # Purges and writers (which delete some expired records too) must not wait for each other.
    chosen = choose_once(
        sa.select(*key)
        .where(table.c.expires_at <= parameter("now"))
        .order_by(table.c.expires_at)
        .limit(_LIMIT)
        .with_for_update(skip_locked=True)
    )
    return table.delete().where(row_key.in_(chosen)).returning(sa.literal_column("1"))


DELETE_EXPIRED = tuple(
    map(
        _delete_expired,
        (tables.idempotency_records, tables.sign_in_codes, tables.invitations, tables.audit_entries, tables.jobs),
    )
)
"""Each deletes at most `limit` rows that have expired."""

ERASE_TOKEN_ORIGINS: Statement = (
    tables.tokens.update()
    .where(
        tables.tokens.c.id.in_(
            choose_once(
                sa.select(tables.tokens.c.id)
                .where(tables.tokens.c.last_used_from.is_not(None), tables.tokens.c.last_used_at < _BEFORE)
                .order_by(tables.tokens.c.last_used_at)
                .limit(_LIMIT)
                .with_for_update(skip_locked=True)
            )
        )
    )
    .values(last_used_from=sa.null())
    .returning(sa.literal_column("1"))
)
"""Erases from where at most `limit` tokens were last used before a timestamp."""

# The indexes of tokens by their user hold either live or revoked ones.
_TOKEN_STATES = (tables.tokens.c.revoked_at.is_(None), tables.tokens.c.revoked_at.is_not(None))
ERASE_USER: Sequence[Statement] = (
    # All ancestors of a token are tokens of the same user.
    *(
        _delete_up_to_limit(
            tables.token_ancestors,
            sa.select(tables.token_ancestors.c.token_id, tables.token_ancestors.c.position)
            .join(tables.tokens, tables.tokens.c.id == tables.token_ancestors.c.token_id)
            .where(tables.tokens.c.user_id == _ID, has_state),
        )
        for has_state in _TOKEN_STATES
    ),
    *(
        _delete_up_to_limit(
            tables.tokens, sa.select(tables.tokens.c.id).where(tables.tokens.c.user_id == _ID, has_state)
        )
        for has_state in _TOKEN_STATES
    ),
    *(
        _delete_rows_of(table, table.c.user_id)
        for table in (tables.identities, tables.sign_in_codes, tables.idempotency_records)
    ),
)
"""Each erases at most `limit` rows of a deleted user."""

_RECORDS = tables.idempotency_records
ERASE_RESPONSES: Sequence[Statement] = tuple(
    _delete_up_to_limit(
        _RECORDS,
        sa.select(*_RECORDS.primary_key.columns).where(
            _RECORDS.c.user_id == _ID, _RECORDS.c.operation_id == sa.literal_column(f"'{operation_id}'")
        ),
    )
    for operation_id in sorted(OPERATIONS_ABOUT_USERS)
)
"""Each erases at most `limit` stored responses of an owner of the installation that show other users."""

_DELETE_BY_ID: dict[sa.Table, sa.Delete] = {
    table: table.delete().where(table.c.id == _ID) for table in (tables.boards, tables.lists, tables.cards)
}

Bind = Callable[..., BoundStatement]
"""Binds parameters to a statement."""


def purge(transaction: Transaction, bind: Bind, before: str, limit: int) -> int:
    """Erase about `limit` rows of what was deleted before a timestamp; return how many were erased."""
    for table, oldest, cards, deletes in (
        (tables.boards, _OLDEST_BOARD, _CARDS_OF_BOARD, _DELETE_BOARD_ROWS),
        (tables.lists, _OLDEST_LIST, _CARDS_OF_LIST, ()),
    ):
        for (owner_id,) in transaction.query(bind(oldest, before=before, limit=1)):
            card_rows = transaction.query(bind(cards, id=owner_id, limit=_CARDS_PER_STEP))
            if card_rows:
                return _erase_cards(transaction, bind, [card_id for (card_id,) in card_rows], limit)
            erased = _erase_rows(transaction, bind, deletes, owner_id, limit)
            if erased < limit:
                transaction.execute(bind(_DELETE_BY_ID[table], id=owner_id))
                erased += 1
            return erased
    card_rows = transaction.query(bind(_OLDEST_CARD, before=before, limit=_CARDS_PER_STEP))
    return _erase_cards(transaction, bind, [card_id for (card_id,) in card_rows], limit)


def purge_expired(transaction: Transaction, bind: Bind, now: str, limit: int) -> int:
    """Erase up to `limit` rows that have expired at a timestamp; return how many were erased."""
    erased = 0
    for statement in DELETE_EXPIRED:
        if erased < limit:
            erased += len(transaction.query(bind(statement, now=now, limit=limit - erased)))
    return erased


def erase_user(transaction: Transaction, bind: Bind, user_id: str, owner_ids: Sequence[str], limit: int) -> int:
    """Erase up to `limit` rows of a deleted user, and stored responses of owners that may show the name.

    Return how many were erased.
    """
    erased = _erase_rows(transaction, bind, ERASE_USER, user_id, limit)
    for owner_id in owner_ids:
        erased += _erase_rows(transaction, bind, ERASE_RESPONSES, owner_id, limit - erased)
    return erased


def _erase_cards(transaction: Transaction, bind: Bind, card_ids: Sequence[str], limit: int) -> int:
    erased = 0
    for card_id in card_ids:
        if erased >= limit:
            break
        erased += _erase_rows(transaction, bind, _DELETE_CARD_PARTS, card_id, limit - erased)
        erased += _erase_event_values(transaction, bind, card_id, limit - erased)
        if erased < limit:
            transaction.execute(bind(_DELETE_BY_ID[tables.cards], id=card_id))
            erased += 1
    return erased


def _erase_rows(transaction: Transaction, bind: Bind, deletes: Sequence[Statement], owner_id: str, limit: int) -> int:
    erased = 0
    for delete in deletes:
        if erased < limit:
            erased += len(transaction.query(bind(delete, id=owner_id, limit=limit - erased)))
    return erased


def _erase_event_values(transaction: Transaction, bind: Bind, card_id: str, limit: int) -> int:
    """Erase what was written on a card from up to `limit` of its events, on whatever board; return how many."""
    erased, after = 0, ("", 0)
    while erased < limit:
        query = bind(_EVENTS_OF_CARD, id=card_id, after_board_id=after[0], after_seq=after[1], limit=_EVENTS_PER_QUERY)
        events = [mapping.row_to_event(row) for row in transaction.query(query)]
        if not events:
            break
        with_values = [(event, erase_values(event)) for event in events]
        changed = [erased_event for event, erased_event in with_values if erased_event is not event]
        for event in changed[: limit - erased]:
            columns = mapping.event_to_row(event)
            kept = {name: columns[name] for name in ("board_id", "seq", "data", "changes")}
            transaction.execute(bind(_UPDATE_EVENT, **kept))
            erased += 1
        after = (events[-1].board_id, events[-1].seq)
    return erased
