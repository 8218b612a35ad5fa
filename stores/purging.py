"""Purging in a SQL database: one bounded step at a time, each a transaction of its own.

What belongs to something goes before it, so a step that is interrupted leaves less behind, and never a loose end.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from stores import schema
from stores import statements as st
from stores.engine import Transaction

_CARDS_AT_ONCE = 50

_before: sa.BindParameter[Any] = sa.bindparam("given_before")
_limit: sa.BindParameter[Any] = sa.bindparam("given_limit")
_id: sa.BindParameter[Any] = sa.bindparam("given_id")


def _oldest(table: sa.Table) -> sa.Select[Any]:
    return (
        sa.select(table.c.id)
        .where(table.c.deleted_at < _before)
        .order_by(table.c.deleted_at, table.c.id)
        .limit(_limit)
        # Several purges at once each erase something else, and nobody brings back what one has begun to erase.
        .with_for_update(skip_locked=True)
    )


_BOARD, _LIST, _CARD = (_oldest(table) for table in (schema.boards, schema.lists, schema.cards))

# By way of the lists: the indexes of a board's cards hold only those that are live.
_CARDS_OF_BOARD, _CARDS_OF_LIST = (
    sa.select(schema.cards.c.id)
    .join(schema.lists, schema.lists.c.id == schema.cards.c.list_id)
    .where(column == _id)
    .order_by(schema.lists.c.id, schema.cards.c.rank)
    .limit(_limit)
    for column in (schema.lists.c.board_id, schema.lists.c.id)
)


def _some(table: sa.Table, column: sa.Column[Any]) -> st.Statement:
    """Delete so many rows that belong to something."""
    key = list(table.primary_key.columns)
    here = sa.tuple_(*key) if len(key) > 1 else key[0]
    return (
        table.delete()
        .where(here.in_(sa.select(*key).where(column == _id).limit(_limit)))
        .returning(sa.literal_column("1"))
    )


_PARTS_OF_CARD = tuple(
    _some(table, table.c.card_id) for table in (schema.comments, schema.checklists, schema.time_entries)
)
_REST_OF_BOARD = tuple(
    _some(table, table.c.board_id) for table in (schema.lists, schema.labels, schema.members, schema.events)
)
_now: sa.BindParameter[Any] = sa.bindparam("given_now")
_RECORD_KEY = tuple(schema.idempotency_records.primary_key.columns)

EXPIRED_RECORDS: st.Statement = (
    schema.idempotency_records.delete()
    .where(
        sa.tuple_(*_RECORD_KEY).in_(
            sa.select(*_RECORD_KEY)
            .where(schema.idempotency_records.c.expires_at <= _now)
            .order_by(schema.idempotency_records.c.expires_at)
            .limit(_limit)
            # Several purges at once, and writers who forget some, must not wait for each other.
            .with_for_update(skip_locked=True)
        )
    )
    .returning(sa.literal_column("1"))
)
"""Answers to idempotency keys that have expired."""

_ONE: dict[sa.Table, sa.Delete] = {
    table: table.delete().where(table.c.id == _id) for table in (schema.boards, schema.lists, schema.cards)
}

Call = Callable[..., st.Call]
"""Makes a call of a statement and its parameters."""


def purge(transaction: Transaction, call: Call, before: str, limit: int) -> int:
    """Erase about `limit` rows of what was deleted before that moment; how many there were."""
    for found, cards, rest in ((_BOARD, _CARDS_OF_BOARD, _REST_OF_BOARD), (_LIST, _CARDS_OF_LIST, ())):
        for (thing_id,) in transaction.rows(call(found, before=before, limit=1)):
            table = schema.boards if found is _BOARD else schema.lists
            doomed = transaction.rows(call(cards, id=thing_id, limit=_CARDS_AT_ONCE))
            if doomed:
                return _cards(transaction, call, [card_id for (card_id,) in doomed], limit)
            erased = _rows_of(transaction, call, rest, thing_id, limit)
            if erased < limit:
                transaction.run(call(_ONE[table], id=thing_id))
                erased += 1
            return erased
    doomed = transaction.rows(call(_CARD, before=before, limit=_CARDS_AT_ONCE))
    return _cards(transaction, call, [card_id for (card_id,) in doomed], limit)


def _cards(transaction: Transaction, call: Call, card_ids: Sequence[str], limit: int) -> int:
    erased = 0
    for card_id in card_ids:
        if erased >= limit:
            break
        erased += _rows_of(transaction, call, _PARTS_OF_CARD, card_id, limit - erased)
        if erased < limit:
            transaction.run(call(_ONE[schema.cards], id=card_id))
            erased += 1
    return erased


def _rows_of(transaction: Transaction, call: Call, deletes: Sequence[st.Statement], owner_id: str, limit: int) -> int:
    erased = 0
    for delete in deletes:
        if erased < limit:
            erased += len(transaction.rows(call(delete, id=owner_id, limit=limit - erased)))
    return erased
