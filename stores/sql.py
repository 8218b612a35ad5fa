"""The store in a SQL database: the port's reads and its commit, over any engine."""

import secrets
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from kanban import ranks
from kanban.store import PAGE_BYTES, Beside, Busy, CardQuery, Sort, Stale
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
    TimeEntry,
    Token,
    User,
    Value,
)
from stores import rows, schema
from stores import statements as st
from stores.engine import Connection, Cursor, Engine
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
        with self._engine.reading() as connection:
            view = self._view(connection, board_id, user_id)
            if view is None or not (card_ids or beside):
                return view
            wanted = (*card_ids, beside.card_id) if beside else card_ids
            cards = self._cards(connection, view, wanted)
            neighbour = cards.get(beside.card_id) if beside else None
            beyond = self._beyond(connection, neighbour, beside) if beside and neighbour else None
        return BoardView(view.board, view.role, view.lists, cards, beyond)

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: Position | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        with self._engine.reading() as connection:
            view = self._view(connection, board_id, user_id)
            if view is None:
                return None
            among = [
                each for each in view.lists if query.list_id in (None, each.id) and query.status in (None, each.stage)
            ]
            if not among:
                page: Page[Card] = Page(())
            elif query.sort == Sort.POSITION:
                list_ranks = {each.id: each.rank for each in among}
                found = self._cards_by_position(connection, among, query, limit, after)
                page = _page_of_cards(found, limit, lambda card: (list_ranks[card.list_id], card.list_id, card.rank))
            else:
                by_id = query.sort in (Sort.OLDEST, Sort.NEWEST)
                found = self._cards_by_time(connection, board_id, query, limit, after)
                page = _page_of_cards(
                    found,
                    limit,
                    lambda card: (card.id,) if by_id else (rows.moment_text(card.updated_at), card.id),
                )
        return view, page

    def page_events(
        self, board_id: str, user_id: str, after_seq: int, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        with self._engine.reading() as connection:
            view = self._view(connection, board_id, user_id)
            if view is None:
                return None
            found = self._run(connection, st.EVENTS, board_id=board_id, after_seq=after_seq, limit=limit + 1)
            events = [rows.event_of(row) for row in found.fetchall()]
        return view, _page(events, limit, lambda event: event.seq)

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: Position | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        with self._engine.reading() as connection:
            view = self._view(connection, board_id, user_id)
            if view is None:
                return None
            cards = self._cards(connection, view, (card_id,))
            if not cards:
                return view, Page(())
            statement = st.time_entries_page(continued=after is not None)
            found = self._run(connection, statement, card_id=card_id, after_id=after and after[0], limit=limit + 1)
            entries = [rows.time_entry_of(row) for row in found.fetchall()]
        view = BoardView(view.board, view.role, view.lists, cards)
        return view, _page(entries, limit, lambda entry: entry.id)

    def page_boards(self, user_id: str, limit: int, after: Position | None = None) -> Page[tuple[Board, Role]]:
        statement = st.boards_page(continued=after is not None)
        with self._engine.reading() as connection:
            found = self._run(connection, statement, user_id=user_id, after_id=after and after[0], limit=limit + 1)
            boards = [(rows.board_of(row[:-1]), rows.role_of(row[-1])) for row in found.fetchall()]
        return _page(boards, limit, lambda item: item[0].id)

    def user(self, user_id: str) -> User | None:
        with self._engine.reading() as connection:
            row = self._run(connection, st.USER, user_id=user_id).fetchone()
        return None if row is None else rows.user_of(row)

    def owner(self) -> User | None:
        with self._engine.reading() as connection:
            row = self._run(connection, st.FIRST_USER).fetchone()
        return None if row is None else rows.user_of(row)

    def token_holder(self, digest: str) -> tuple[Token, User] | None:
        with self._engine.reading() as connection:
            row = self._run(connection, st.TOKEN_HOLDER, digest=digest).fetchone()
        return None if row is None else (rows.token_of(row[:10]), rows.user_of(row[10:]))

    def token(self, user_id: str, token_id: str) -> Token | None:
        with self._engine.reading() as connection:
            row = self._run(connection, st.TOKEN, user_id=user_id, token_id=token_id).fetchone()
        return None if row is None else rows.token_of(row)

    def page_tokens(self, user_id: str, limit: int, after: Position | None = None) -> Page[Token]:
        statement = st.tokens_page(continued=after is not None)
        with self._engine.reading() as connection:
            found = self._run(connection, statement, user_id=user_id, after_id=after and after[0], limit=limit + 1)
            tokens = [rows.token_of(row) for row in found.fetchall()]
        return _page(tokens, limit, lambda token: token.id)

    def remembered(self, user_id: str, operation_id: str, key: str, now: datetime) -> Remembered | None:
        with self._engine.reading() as connection:
            row = self._run(
                connection,
                st.REMEMBERED,
                user_id=user_id,
                operation_id=operation_id,
                key=key,
                now=rows.moment_text(now),
            ).fetchone()
        return None if row is None else rows.remembered_of(row)

    def commit(self, change: Change, remember: Remembered | None = None) -> None:
        _check(change)
        with self._engine.writing() as connection:
            if remember:
                self._remember(connection, remember)
            for value in _in_order(change.updates):
                self._update(connection, value, change.event)
            for value in _in_order(change.creates):
                self._create(connection, value)
            if change.event:
                self._insert(connection, schema.events, rows.event_row(change.event))
            if change.rebalance:
                self._rebalance(connection, change.rebalance)

    def touch_token(self, token_id: str, at: datetime) -> None:
        try:
            with self._engine.writing(patient=False) as connection:
                self._run(connection, st.TOUCH_TOKEN, token_id=token_id, at=rows.moment_text(at))
        except Busy:
            # The next request with this token tries again.
            return

    def ready(self) -> None:
        with self._engine.reading() as connection:
            self._setting(connection, "secret")

    def secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._kept_secret()
        return self._secret

    def close(self) -> None:
        self._engine.close()

    def _run(self, connection: Connection, statement: st.Statement, **values: Any) -> Cursor:
        prepared = self._catalogue[statement]
        cursor: Cursor = connection.execute(prepared.text, prepared.parameters(values))
        return cursor

    # Reading

    def _view(self, connection: Connection, board_id: str, user_id: str) -> BoardView | None:
        row = self._run(connection, st.BOARD, board_id=board_id, user_id=user_id).fetchone()
        if row is None:
            return None
        lists = self._run(connection, st.LISTS, board_id=board_id).fetchall()
        return BoardView(rows.board_of(row[:-1]), rows.role_of(row[-1]), tuple(rows.list_of(each) for each in lists))

    def _cards(self, connection: Connection, view: BoardView, card_ids: Sequence[str]) -> dict[str, Card]:
        live = {each.id for each in view.lists}
        cards = {}
        for card_id in card_ids:
            row = self._run(connection, st.CARD, board_id=view.board.id, card_id=card_id).fetchone()
            if row is not None:
                card = rows.card_of(row)
                if card.list_id in live:
                    cards[card_id] = card
        return cards

    def _beyond(self, connection: Connection, neighbour: Card, beside: Beside) -> str:
        statement = st.RANK_ABOVE if beside.side == "before" else st.RANK_BELOW
        row = self._run(connection, statement, list_id=neighbour.list_id, rank=neighbour.rank).fetchone()
        return "" if row is None else str(row[0])

    def _cards_by_position(
        self, connection: Connection, among: list[List], query: CardQuery, limit: int, after: Position | None
    ) -> Generator[Card]:
        """The cards of list after list, until a page is sure to be full."""
        list_rank, list_id, rank = after or ("", "", "")
        # The list that the last page ended in may have been moved since.
        list_rank = next((each.rank for each in among if each.id == list_id), list_rank)
        left = limit + 1
        for each in among:
            if each.rank < str(list_rank) or not each.card_count:
                continue
            continued = each.id == list_id
            found = self._run(
                connection,
                st.cards_page("list", query.sort, searching=bool(query.q), continued=continued),
                list_id=each.id,
                after_rank=rank,
                pattern=_pattern(query.q),
                limit=left,
            )
            for row in _each(found):
                left -= 1
                yield rows.card_of(row)
            if not left:
                return

    def _cards_by_time(
        self, connection: Connection, board_id: str, query: CardQuery, limit: int, after: Position | None
    ) -> Generator[Card]:
        scope: st.Scope = "list" if query.list_id else "status" if query.status else "board"
        *_, updated_at, card_id = ("", *after) if after else ("", "")
        found = self._run(
            connection,
            st.cards_page(scope, query.sort, searching=bool(query.q), continued=after is not None),
            board_id=board_id,
            list_id=query.list_id,
            status=str(query.status),
            pattern=_pattern(query.q),
            after_updated_at=updated_at,
            after_id=card_id,
            limit=limit + 1,
        )
        for row in _each(found):
            yield rows.card_of(row)

    # Writing

    def _insert(self, connection: Connection, table: sa.Table, row: dict[str, Any]) -> None:
        self._run(connection, st.INSERT[table], **row)

    def _create(self, connection: Connection, value: Value) -> None:
        table, row = _row(value)
        if isinstance(value, Card):
            self._free_external_id(connection, value)
        self._insert(connection, table, row)

    def _update(self, connection: Connection, value: Value, event: Event | None) -> None:
        table, row = _row(value)
        if isinstance(value, Board):
            statement: st.Statement = st.UPDATE_BOARD
            row["actor_id"] = event.actor_id if event else ""
        else:
            statement = st.UPDATE_PART[table] if event else st.UPDATE_PERSON[table]
        if isinstance(value, Card):
            self._free_external_id(connection, value)
        if self._run(connection, statement, **row).rowcount != 1:
            raise Stale
        if isinstance(value, List):
            self._run(connection, st.UPDATE_STAGE, **row)

    def _free_external_id(self, connection: Connection, card: Card) -> None:
        """Take the external id from a card that vanished with its list."""
        if card.external_id is not None and card.deleted_at is None:
            self._run(connection, st.FREE_EXTERNAL_ID, board_id=card.board_id, external_id=card.external_id)

    def _remember(self, connection: Connection, record: Remembered) -> None:
        row = rows.remembered_row(record)
        self._run(connection, st.FORGET_RECORD, **row, now=row["created_at"])
        self._run(connection, st.FORGET_EXPIRED, now=row["created_at"])
        self._insert(connection, schema.idempotency_records, row)

    def _rebalance(self, connection: Connection, list_id: str) -> None:
        """Give the cards of a list new, short ranks in their order.

        The new ranks all lie below the old ones, and the last card gets its own first: at every step the order
        is right and no two ranks are equal.
        """
        (last_rank,) = self._run(connection, st.LAST_RANK, list_id=list_id).fetchone()
        card_ids = [card_id for (card_id,) in self._run(connection, st.RANKS_IN_LIST, list_id=list_id).fetchall()]
        new_ranks = ranks.following(last_rank, len(card_ids))
        for card_id, rank in zip(reversed(card_ids), reversed(new_ranks), strict=True):
            self._run(connection, st.SET_RANK, id=card_id, rank=rank)
        self._run(connection, st.SET_BOUNDS, list_id=list_id, first_rank=new_ranks[0], last_rank=new_ranks[-1])

    # The store itself

    def _setting(self, connection: Connection, name: str) -> str | None:
        row = self._run(connection, st.SETTING, name=name).fetchone()
        return None if row is None else str(row[0])

    def _kept_secret(self) -> bytes:
        with self._engine.reading() as connection:
            kept = self._setting(connection, "secret")
        if kept is None:
            with self._engine.writing() as connection:
                # Another process may have been first.
                kept = self._setting(connection, "secret")
                if kept is None:
                    kept = secrets.token_hex(_SECRET_BYTES)
                    self._insert(connection, schema.settings, {"name": "secret", "value": kept})
        return bytes.fromhex(kept)


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


def _check(change: Change) -> None:
    """Refuse, with ValueError, a change that no rule could have meant."""
    values = (*change.creates, *change.updates)
    event = change.event
    if event is None:
        if not all(isinstance(each, User | Token) for each in values):
            raise ValueError("What belongs to a board is written with an event.")
        return
    boards = change.creates if event.seq == 1 else change.updates
    if [(each.id, each.seq) for each in boards if isinstance(each, Board)] != [(event.board_id, event.seq)]:
        raise ValueError("A change with an event holds its board, at the event's seq.")
    for each in values:
        board_id = None if isinstance(each, User | Token) else each.id if isinstance(each, Board) else each.board_id
        if board_id != event.board_id:
            raise ValueError("A change with an event writes to one board.")


def _pattern(q: str | None) -> str:
    """For LIKE: the text anywhere, its own wildcards taken literally."""
    text = folded(q or "")
    for sign in "/%_":
        text = text.replace(sign, f"/{sign}")
    return f"%{text}%"


def _each(cursor: Cursor) -> Generator[Row]:
    """The rows, one by one: a page may be full before they are all read."""
    try:
        while (row := cursor.fetchone()) is not None:
            yield row
    finally:
        cursor.close()


def _page(items: list[Item], limit: int, key: Callable[[Item], str | int]) -> Page[Item]:
    """A page of what was read with a limit of one more."""
    if len(items) <= limit:
        return Page(tuple(items))
    return Page(tuple(items[:limit]), (key(items[limit - 1]),))


def _page_of_cards(found: Generator[Card], limit: int, position: Callable[[Card], Position]) -> Page[Card]:
    """As many of the cards as are allowed by their number and by the size of their text."""
    cards: list[Card] = []
    room = PAGE_BYTES
    with closing(found):
        for card in found:
            room -= _bytes(card.title) + _bytes(card.description)
            if cards and (len(cards) == limit or room < 0):
                return Page(tuple(cards), position(cards[-1]))
            cards.append(card)
    return Page(tuple(cards))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
