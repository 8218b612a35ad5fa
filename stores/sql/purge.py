"""Purging in a SQL database: one bounded step at a time, each a transaction of its own.

What belongs to something goes before it, so a step that is interrupted leaves less behind, and never a loose end.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from stores.sql import read_statements as st
from stores.sql import tables
from stores.sql.engine import Transaction

_CARDS_PER_STEP = 50

_BEFORE: sa.BindParameter[Any] = sa.bindparam("given_before")
_LIMIT: sa.BindParameter[Any] = sa.bindparam("given_limit")
_ID: sa.BindParameter[Any] = sa.bindparam("given_id")


def _select_oldest_deleted(table: sa.Table) -> sa.Select[Any]:
    return (
        sa.select(table.c.id)
        .where(table.c.deleted_at < _BEFORE)
        .order_by(table.c.deleted_at, table.c.id)
        .limit(_LIMIT)
        # Several purges at once each erase something else, and nobody brings back what one has begun to erase.
        .with_for_update(skip_locked=True)
    )


_OLDEST_BOARD, _OLDEST_LIST, _OLDEST_CARD = (
    _select_oldest_deleted(table) for table in (tables.boards, tables.lists, tables.cards)
)

# By way of the lists: the indexes of a board's cards hold only those that are live.
_CARDS_OF_BOARD, _CARDS_OF_LIST = (
    sa.select(tables.cards.c.id)
    .join(tables.lists, tables.lists.c.id == tables.cards.c.list_id)
    .where(column == _ID)
    .order_by(tables.lists.c.id, tables.cards.c.rank)
    .limit(_LIMIT)
    for column in (tables.lists.c.board_id, tables.lists.c.id)
)


def _delete_up_to_limit(table: sa.Table, column: sa.Column[Any]) -> st.Statement:
    """Delete so many rows that belong to something."""
    key = list(table.primary_key.columns)
    here = sa.tuple_(*key) if len(key) > 1 else key[0]
    return (
        table.delete()
        .where(here.in_(sa.select(*key).where(column == _ID).limit(_LIMIT)))
        .returning(sa.literal_column("1"))
    )


_DELETE_CARD_PARTS = tuple(
    _delete_up_to_limit(table, table.c.card_id) for table in (tables.comments, tables.checklists, tables.time_entries)
)
_DELETE_BOARD_ROWS = tuple(
    _delete_up_to_limit(table, table.c.board_id)
    for table in (tables.lists, tables.labels, tables.members, tables.events)
)
_NOW: sa.BindParameter[Any] = sa.bindparam("given_now")
_RECORD_KEY = tuple(tables.idempotency_records.primary_key.columns)

DELETE_EXPIRED_RECORDS: st.Statement = (
    tables.idempotency_records.delete()
    .where(
        sa.tuple_(*_RECORD_KEY).in_(
            sa.select(*_RECORD_KEY)
            .where(tables.idempotency_records.c.expires_at <= _NOW)
            .order_by(tables.idempotency_records.c.expires_at)
            .limit(_LIMIT)
            # Several purges at once, and writers who forget some, must not wait for each other.
            .with_for_update(skip_locked=True)
        )
    )
    .returning(sa.literal_column("1"))
)
"""Answers to idempotency keys that have expired."""

_DELETE_BY_ID: dict[sa.Table, sa.Delete] = {
    table: table.delete().where(table.c.id == _ID) for table in (tables.boards, tables.lists, tables.cards)
}

Bind = Callable[..., st.BoundStatement]
"""Makes a call of a statement and its parameters."""


def purge(transaction: Transaction, bind: Bind, before: str, limit: int) -> int:
    """Erase about `limit` rows of what was deleted before that moment; how many there were."""
    for found, cards, rest in (
        (_OLDEST_BOARD, _CARDS_OF_BOARD, _DELETE_BOARD_ROWS),
        (_OLDEST_LIST, _CARDS_OF_LIST, ()),
    ):
        for (thing_id,) in transaction.query(bind(found, before=before, limit=1)):
            table = tables.boards if found is _OLDEST_BOARD else tables.lists
            doomed = transaction.query(bind(cards, id=thing_id, limit=_CARDS_PER_STEP))
            if doomed:
                return _erase_cards(transaction, bind, [card_id for (card_id,) in doomed], limit)
            erased = _erase_rows(transaction, bind, rest, thing_id, limit)
            if erased < limit:
                transaction.execute(bind(_DELETE_BY_ID[table], id=thing_id))
                erased += 1
            return erased
    doomed = transaction.query(bind(_OLDEST_CARD, before=before, limit=_CARDS_PER_STEP))
    return _erase_cards(transaction, bind, [card_id for (card_id,) in doomed], limit)


def _erase_cards(transaction: Transaction, bind: Bind, card_ids: Sequence[str], limit: int) -> int:
    erased = 0
    for card_id in card_ids:
        if erased >= limit:
            break
        erased += _erase_rows(transaction, bind, _DELETE_CARD_PARTS, card_id, limit - erased)
        if erased < limit:
            transaction.execute(bind(_DELETE_BY_ID[tables.cards], id=card_id))
            erased += 1
    return erased


def _erase_rows(
    transaction: Transaction, bind: Bind, deletes: Sequence[st.Statement], owner_id: str, limit: int
) -> int:
    erased = 0
    for delete in deletes:
        if erased < limit:
            erased += len(transaction.query(bind(delete, id=owner_id, limit=limit - erased)))
    return erased
