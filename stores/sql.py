"""The store in a SQL database: the port's reads and its commit, over any engine."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from kanban import ranks
from kanban.store import AlreadyExists, Beside, Busy, CardQuery, Sort, Stale
from kanban.text import folded
from kanban.values import (
    Board,
    BoardView,
    Card,
    Change,
    Event,
    List,
    Member,
    Page,
    Position,
    Remembered,
    Role,
    Stage,
    TimeEntry,
    Token,
    User,
    Value,
)
from stores import rows, schema
from stores import statements as st
from stores.changes import check
from stores.engine import Engine, Transaction
from stores.pages import page, page_of_cards
from stores.rows import Row

_SECRET_BYTES = 32

Item = TypeVar("Item")


class SqlStore:
    """A `kanban.store.Store` over an engine. Threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._catalogue = st.Catalogue(engine.dialect)
        self._secret: bytes | None = None

    def read_board(
        self, board_id: str, user_id: str, *, card_ids: Sequence[str] = (), beside: Beside | None = None
    ) -> BoardView | None:
        wanted = (*card_ids, beside.card_id) if beside else card_ids
        calls = [self._call(st.CARD, board_id=board_id, card_id=card_id) for card_id in wanted]
        if beside:
            calls.append(self._call(st.RANK_BEYOND[beside.side], board_id=board_id, card_id=beside.card_id))
        view, found = self._read_board(board_id, user_id, *calls)
        if view is None:
            return None
        cards = _live_cards(view, [row for card in found[: len(wanted)] for row in card])
        beyond = None
        if beside and beside.card_id in cards:
            beyond = str(found[-1][0][0]) if found[-1] else ""
        return BoardView(view.board, view.role, view.lists, cards, beyond)

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: Position | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        view, (found,) = self._read_board(board_id, user_id, self._cards_call(board_id, query, limit, after))
        if view is None:
            return None
        if query.list_id and not _has(view, query.list_id, query.status):
            return view, Page(())
        list_ranks = {each.id: each.rank for each in view.lists}

        def position(card: Card) -> Position:
            if query.sort == Sort.POSITION:
                return list_ranks[card.list_id], card.list_id, card.rank
            if query.sort in (Sort.OLDEST, Sort.NEWEST):
                return (card.id,)
            return rows.moment_text(card.updated_at), card.id

        return view, page_of_cards(map(rows.card_of, found), limit, position)

    def page_events(
        self, board_id: str, user_id: str, after_seq: int, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        call = self._call(st.EVENTS, board_id=board_id, after_seq=after_seq, limit=limit + 1)
        view, (found,) = self._read_board(board_id, user_id, call)
        if view is None:
            return None
        return view, page([rows.event_of(row) for row in found], limit, lambda event: event.seq)

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: Position | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        statement = st.time_entries_page(continued=after is not None)
        view, (card, found) = self._read_board(
            board_id,
            user_id,
            self._call(st.CARD, board_id=board_id, card_id=card_id),
            self._call(statement, card_id=card_id, after_id=after and after[0], limit=limit + 1),
        )
        if view is None:
            return None
        cards = _live_cards(view, card)
        entries = [rows.time_entry_of(row) for row in found] if cards else []
        view = BoardView(view.board, view.role, view.lists, cards)
        return view, page(entries, limit, lambda entry: entry.id)

    def page_boards(self, user_id: str, limit: int, after: Position | None = None) -> Page[tuple[Board, Role]]:
        statement = st.boards_page(continued=after is not None)
        found = self._read(statement, user_id=user_id, after_id=after and after[0], limit=limit + 1)
        boards = [(rows.board_of(row[:-1]), rows.role_of(row[-1])) for row in found]
        return page(boards, limit, lambda item: item[0].id)

    def user(self, user_id: str) -> User | None:
        found = self._read(st.USER, user_id=user_id)
        return rows.user_of(found[0]) if found else None

    def owner(self) -> User | None:
        found = self._read(st.FIRST_USER)
        return rows.user_of(found[0]) if found else None

    def token_holder(self, digest: str) -> tuple[Token, User] | None:
        found = self._read(st.TOKEN_HOLDER, digest=digest)
        return (rows.token_of(found[0][:10]), rows.user_of(found[0][10:])) if found else None

    def token(self, user_id: str, token_id: str) -> Token | None:
        found = self._read(st.TOKEN, user_id=user_id, token_id=token_id)
        return rows.token_of(found[0]) if found else None

    def page_tokens(self, user_id: str, limit: int, after: Position | None = None) -> Page[Token]:
        statement = st.tokens_page(continued=after is not None)
        found = self._read(statement, user_id=user_id, after_id=after and after[0], limit=limit + 1)
        return page([rows.token_of(row) for row in found], limit, lambda token: token.id)

    def remembered(self, user_id: str, operation_id: str, key: str, now: datetime) -> Remembered | None:
        found = self._read(
            st.REMEMBERED, user_id=user_id, operation_id=operation_id, key=key, now=rows.moment_text(now)
        )
        return rows.remembered_of(found[0]) if found else None

    def commit(self, change: Change, remember: Remembered | None = None) -> None:
        check(change)
        with self._engine.writing() as transaction:
            if remember:
                self._remember(transaction, remember)
            for value in _in_order(change.updates):
                self._update(transaction, value, change.event)
            for value in _in_order(change.creates):
                self._create(transaction, value)
            if change.event:
                transaction.run(self._call(st.INSERT[schema.events], **rows.event_row(change.event)))
            if change.rebalance:
                self._rebalance(transaction, change.rebalance)

    def touch_token(self, token_id: str, at: datetime) -> None:
        try:
            with self._engine.writing(patient=False) as transaction:
                transaction.run(self._call(st.TOUCH_TOKEN, token_id=token_id, at=rows.moment_text(at)))
        except (Busy, Stale):
            # The next request with this token tries again.
            return

    def ready(self) -> None:
        self._read(st.SETTING, name="secret")

    def secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._kept_secret()
        return self._secret

    def close(self) -> None:
        self._engine.close()

    def _call(self, statement: st.Statement, **values: Any) -> st.Call:
        return self._catalogue[statement].call(values)

    # Reading

    def _read(self, statement: st.Statement, **values: Any) -> list[Row]:
        return self._engine.read((self._call(statement, **values),))[0]

    def _read_board(self, board_id: str, user_id: str, *calls: st.Call) -> tuple[BoardView | None, list[list[Row]]]:
        """The board, and the rows of other queries, seen at the same moment. Without a board they mean nothing."""
        board, lists, *found = self._engine.read(
            (
                self._call(st.BOARD, board_id=board_id, user_id=user_id),
                self._call(st.LISTS, board_id=board_id),
                *calls,
            )
        )
        if not board:
            return None, found
        (row,) = board
        view = BoardView(rows.board_of(row[:-1]), rows.role_of(row[-1]), tuple(rows.list_of(each) for each in lists))
        return view, found

    def _cards_call(self, board_id: str, query: CardQuery, limit: int, after: Position | None) -> st.Call:
        values: dict[str, Any] = {
            "board_id": board_id,
            "list_id": query.list_id,
            "status": str(query.status),
            "pattern": _pattern(query.q),
            "limit": limit + 1,
        }
        searching = bool(query.q)
        if query.sort == Sort.POSITION:
            list_rank, list_id, rank = after or ("", "", "")
            values.update(after_list_rank=list_rank, after_list_id=list_id, after_rank=rank)
            if not query.list_id:
                lateral = self._engine.has_lateral
                statement = st.cards_in_order(staged=bool(query.status), searching=searching, lateral=lateral)
                return self._call(statement, **values)
        elif after:
            *updated_at, card_id = after
            values.update(after_id=card_id, after_updated_at=updated_at[0] if updated_at else None)
        scope: st.Scope = "list" if query.list_id else "status" if query.status else "board"
        statement = st.cards_page(scope, query.sort, searching=searching, continued=after is not None)
        return self._call(statement, **values)

    # Writing

    def _create(self, transaction: Transaction, value: Value) -> None:
        table, row = _row(value)
        if isinstance(value, Card):
            self._free_external_id(transaction, value)
        transaction.run(self._call(st.INSERT[table], **row))

    def _update(self, transaction: Transaction, value: Value, event: Event | None) -> None:
        table, row = _row(value)
        if isinstance(value, Board):
            statement: st.Statement = st.UPDATE_BOARD
            row["actor_id"] = event.actor_id if event else ""
        else:
            statement = st.UPDATE_PART[table] if event else st.UPDATE_PERSON[table]
        if isinstance(value, Card):
            self._free_external_id(transaction, value)
        transaction.change(self._call(statement, **row))
        if isinstance(value, List):
            transaction.run(self._call(st.UPDATE_STAGE, **row))

    def _free_external_id(self, transaction: Transaction, card: Card) -> None:
        """Take the external id from a card that vanished with its list."""
        if card.external_id is not None and card.deleted_at is None:
            transaction.run(self._call(st.FREE_EXTERNAL_ID, board_id=card.board_id, external_id=card.external_id))

    def _remember(self, transaction: Transaction, record: Remembered) -> None:
        row = rows.remembered_row(record)
        transaction.run(self._call(st.FORGET_RECORD, **row, now=row["created_at"]))
        transaction.run(self._call(st.FORGET_EXPIRED, now=row["created_at"]))
        transaction.run(self._call(st.INSERT[schema.idempotency_records], **row))

    def _rebalance(self, transaction: Transaction, list_id: str) -> None:
        """Give the cards of a list new, short ranks in their order.

        The new ranks all lie below the old ones, and the last card gets its own first: at every step the order
        is right and no two ranks are equal.
        """
        ((last_rank,),) = transaction.rows(self._call(st.LAST_RANK, list_id=list_id))
        card_ids = [card_id for (card_id,) in transaction.rows(self._call(st.RANKS_IN_LIST, list_id=list_id))]
        new_ranks = ranks.following(last_rank, len(card_ids))
        for card_id, rank in zip(reversed(card_ids), reversed(new_ranks), strict=True):
            transaction.run(self._call(st.SET_RANK, id=card_id, rank=rank))
        transaction.run(self._call(st.SET_BOUNDS, list_id=list_id, first_rank=new_ranks[0], last_rank=new_ranks[-1]))

    # The store itself

    def _kept_secret(self) -> bytes:
        while not (found := self._read(st.SETTING, name="secret")):
            # Another process may be first: then its secret is read.
            with suppress(AlreadyExists), self._engine.writing() as transaction:
                new = {"name": "secret", "value": secrets.token_hex(_SECRET_BYTES)}
                transaction.run(self._call(st.INSERT[schema.settings], **new))
        return bytes.fromhex(found[0][0])


_ROWS: dict[type[Value], tuple[sa.Table, Callable[[Any], dict[str, Any]]]] = {
    User: (schema.users, rows.user_row),
    Token: (schema.tokens, rows.token_row),
    Board: (schema.boards, rows.board_row),
    Member: (schema.members, rows.member_row),
    List: (schema.lists, rows.list_row),
    Card: (schema.cards, rows.card_row),
    TimeEntry: (schema.time_entries, rows.time_entry_row),
}

# Parents before children; and the board before all, for its seq decides whether the rest is to be.
_ORDER = {kind: place for place, kind in enumerate(_ROWS)}


def _row(value: Value) -> tuple[sa.Table, dict[str, Any]]:
    table, row_of = _ROWS[type(value)]
    return table, row_of(value)


def _in_order(values: Iterable[Value]) -> list[Value]:
    return sorted(values, key=lambda each: _ORDER[type(each)])


def _pattern(q: str | None) -> str:
    """For LIKE: the text anywhere, its own wildcards taken literally."""
    text = folded(q or "")
    for sign in "/%_":
        text = text.replace(sign, f"/{sign}")
    return f"%{text}%"


def _has(view: BoardView, list_id: str, stage: Stage | None) -> bool:
    """Whether the board has that list, at that stage if one is asked for."""
    return any(each.id == list_id and stage in (None, each.stage) for each in view.lists)


def _live_cards(view: BoardView, found: Iterable[Row]) -> dict[str, Card]:
    """The cards by id, without those that vanished with their list."""
    live = {each.id for each in view.lists}
    cards = map(rows.card_of, found)
    return {card.id: card for card in cards if card.list_id in live}
