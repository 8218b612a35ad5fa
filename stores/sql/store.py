"""The store in a SQL database: the port's reads and its commit, over any engine."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from kanban.changes import Change
from kanban.store import AlreadyExists, Busy, CardQuery, CardSort, NeighbourOf, PartKey, StaleRead, StoredResponse
from kanban.text import fold
from kanban.values import (
    Board,
    Card,
    CardRank,
    Checklist,
    Comment,
    Event,
    List,
    Part,
    Role,
    Stage,
    TimeEntry,
    Token,
    User,
)
from kanban.views import BoardView, Page, PageKey
from stores.changes import validate_change
from stores.paging import cut_card_page, cut_page
from stores.sql import deleted_statements, mapping, purge, tables, user_statements, write_statements
from stores.sql import read_statements as st
from stores.sql.commits import CommitWriter
from stores.sql.engine import Engine, Transaction
from stores.sql.mapping import Row
from stores.sql.readiness import WriteReadiness

_SECRET_BYTES = 32
_TIME_ENTRY_COLUMN_COUNT = len(tables.time_entries.columns)
_TOKEN_COLUMN_COUNT = len(tables.tokens.columns) + 1

_PURGE_ATTEMPTS = 5
"""How often a step of a purge is begun. It is in vain if another purge has just erased what this one had found."""

Item = TypeVar("Item")

BoardQuery = tuple[sa.Select[Any], Mapping[str, Any]]
"""A query about a board, and its parameters without the board and who asks."""


class SqlStore:
    """A `kanban.store.Store` over an engine. Threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statements = st.StatementCache(engine.dialect)
        self._secret: bytes | None = None
        self._readiness = WriteReadiness()

    def read_board(
        self,
        board_id: str,
        user_id: str,
        *,
        card_ids: Sequence[str] = (),
        neighbour_of: NeighbourOf | None = None,
        parts: Sequence[PartKey] = (),
    ) -> BoardView | None:
        wanted = (*card_ids, neighbour_of.card_id) if neighbour_of else card_ids
        calls = [_make_query(st.CARD, card_id=card_id) for card_id in wanted]
        if neighbour_of:
            calls.append(_make_query(st.NEXT_RANK[neighbour_of.side], card_id=neighbour_of.card_id))
        for key in parts:
            calls += self._part_queries(key)
        view, found = self._read_board(board_id, user_id, *calls)
        if view is None:
            return None
        cards = _live_cards(view, [row for card in found[: len(wanted)] for row in card])
        beyond = None
        rest = found[len(wanted) :]
        if neighbour_of:
            beyond = (str(rest[0][0][0]) if rest[0] else "") if neighbour_of.card_id in cards else None
            rest = rest[1:]
        return replace(view, cards=cards, adjacent_rank=beyond, parts=_collect_parts(parts, rest, board_id, cards))

    def read_deleted(
        self, board_id: str, user_id: str, *, list_ids: Sequence[str] = (), card_ids: Sequence[str] = ()
    ) -> BoardView | None:
        calls = [_make_query(st.DELETED_LIST, list_id=list_id) for list_id in list_ids]
        calls += [_make_query(st.ANY_CARD, card_id=card_id) for card_id in card_ids]
        view, found = self._read_board(board_id, user_id, *calls, statement=st.ANY_BOARD)
        if view is None:
            return None
        gone = [mapping.row_to_list(row) for each in found[: len(list_ids)] for row in each]
        cards = [mapping.row_to_card(row) for each in found[len(list_ids) :] for row in each]
        return replace(view, lists=(*view.lists, *gone), cards={card.id: card for card in cards})

    def page_deleted_lists(
        self, board_id: str, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[List]] | None:
        call = _make_query(
            deleted_statements.select_deleted_lists(continued=after is not None),
            since=mapping.format_timestamp(since),
            after_id=after and after[0],
            limit=limit + 1,
        )
        view, (found,) = self._read_board(board_id, user_id, call)
        if view is None:
            return None
        return view, cut_page([mapping.row_to_list(row) for row in found], limit, lambda each: each.id)

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        view, (found,) = self._read_board(board_id, user_id, self._card_page_query(query, limit, after))
        if view is None:
            return None
        if query.list_id and not _has_list(view, query.list_id, query.status):
            return view, Page(())
        list_ranks = {each.id: each.rank for each in view.lists}

        def position(card: Card) -> PageKey:
            if query.sort == CardSort.POSITION:
                return list_ranks[card.list_id], card.list_id, card.rank
            if query.sort in (CardSort.OLDEST, CardSort.NEWEST):
                return (card.id,)
            by_due = query.sort in (CardSort.DUE_FIRST, CardSort.DUE_LAST)
            at = card.due_at if by_due and card.due_at else card.updated_at
            return mapping.format_timestamp(at), card.id

        return view, cut_card_page(map(mapping.row_to_card, found), limit, position)

    def page_assigned_cards(
        self, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> Page[tuple[BoardView, Card]]:
        values, filters = _card_filter_values(query)
        board_id, card_id = after or ("", "")
        statements = st.select_assigned_cards(filters, continued=after is not None)
        values |= {"user_id": user_id, "limit": limit + 1, "after_board_id": board_id, "after_id": card_id}
        found, boards, lists, members, labels = self._engine.read(
            [self._bind(statement, **values) for statement in statements]
        )
        views = {}
        for row in boards:
            board = mapping.row_to_board(row[:-1])
            views[board.id] = BoardView(
                board,
                mapping.parse_role(row[-1]),
                tuple(each for each in map(mapping.row_to_list, lists) if each.board_id == board.id),
                members=tuple(each for each in map(mapping.row_to_member, members) if each.board_id == board.id),
                labels=tuple(each for each in map(mapping.row_to_label, labels) if each.board_id == board.id),
            )
        cards = [*map(mapping.row_to_card, found)]
        shown = cut_card_page(cards, limit, lambda card: (card.board_id, card.id))
        return Page(tuple((views[card.board_id], card) for card in shown.items), shown.next_key)

    def read_card_ranks(
        self, board_id: str, user_id: str, list_id: str
    ) -> tuple[BoardView, tuple[CardRank, ...]] | None:
        view, (found,) = self._read_board(board_id, user_id, _make_query(st.CARD_RANKS, list_id=list_id))
        if view is None:
            return None
        if not _has_list(view, list_id, None):
            return view, ()
        return view, tuple(CardRank(card_id, list_id, rank, bool(hidden)) for card_id, rank, hidden in found)

    def page_events(
        self, board_id: str, user_id: str, after_seq: int, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        call = _make_query(st.EVENTS, after_seq=after_seq, limit=limit + 1)
        view, (found,) = self._read_board(board_id, user_id, call)
        if view is None:
            return None
        return view, cut_page([mapping.row_to_event(row) for row in found], limit, lambda event: event.seq)

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        statement = st.select_time_entries(continued=after is not None)
        view, (card, found) = self._read_board(
            board_id,
            user_id,
            _make_query(st.CARD, card_id=card_id),
            _make_query(statement, card_id=card_id, after_id=after and after[0], limit=limit + 1),
        )
        if view is None:
            return None
        cards = _live_cards(view, card)
        entries = [mapping.row_to_time_entry(row) for row in found] if cards else []
        return replace(view, cards=cards), cut_page(entries, limit, lambda entry: entry.id)

    def read_checklists(
        self, board_id: str, user_id: str, card_id: str
    ) -> tuple[BoardView, tuple[Checklist, ...]] | None:
        view, (card, found, items) = self._read_board(
            board_id,
            user_id,
            _make_query(st.CARD, card_id=card_id),
            _make_query(st.CHECKLISTS, card_id=card_id),
            _make_query(st.CHECKLIST_ITEMS, card_id=card_id),
        )
        if view is None:
            return None
        cards = _live_cards(view, card)
        made = [mapping.row_to_checklist(row, [item for item in items if item[0] == row[0]]) for row in found]
        return replace(view, cards=cards), tuple(made) if cards else ()

    def page_comments(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Comment]] | None:
        statement = st.select_comments(continued=after is not None)
        view, (card, found) = self._read_board(
            board_id,
            user_id,
            _make_query(st.CARD, card_id=card_id),
            _make_query(statement, card_id=card_id, after_id=after and after[0], limit=limit + 1),
        )
        if view is None:
            return None
        cards = _live_cards(view, card)
        comments = [mapping.row_to_comment(row) for row in found] if cards else []
        return replace(view, cards=cards), cut_page(comments, limit, lambda comment: comment.id)

    def page_board_time_entries(
        self, board_id: str, user_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[tuple[TimeEntry, Card]]] | None:
        ended_at, entry_id = after or ("", "")
        call = _make_query(
            st.select_time_entries_with_cards(continued=after is not None),
            since=mapping.format_timestamp(span[0]),
            until=mapping.format_timestamp(span[1]),
            after_ended_at=ended_at,
            after_id=entry_id,
            limit=limit + 1,
        )
        view, (found,) = self._read_board(board_id, user_id, call)
        if view is None:
            return None
        worked = [
            (
                mapping.row_to_time_entry(row[:_TIME_ENTRY_COLUMN_COUNT]),
                mapping.row_to_card(row[_TIME_ENTRY_COLUMN_COUNT:]),
            )
            for row in found
        ]
        if len(worked) <= limit:
            return view, Page(tuple(worked))
        last, _ = worked[limit - 1]
        ended = mapping.format_timestamp(last.ended_at) if last.ended_at else tables.OPEN_ENTRY_END
        return view, Page(tuple(worked[:limit]), (ended, last.id))

    def page_boards(
        self, user_id: str, limit: int, after: PageKey | None = None, *, archived: bool = False
    ) -> Page[tuple[Board, Role]]:
        statement = st.select_boards(archived=archived, continued=after is not None)
        return self._page_boards(statement, user_id, limit, after)

    def page_deleted_boards(
        self, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> Page[tuple[Board, Role]]:
        statement = deleted_statements.select_deleted_boards(continued=after is not None)
        return self._page_boards(
            statement, user_id, limit, after, since=mapping.format_timestamp(since), role=str(Role.OWNER)
        )

    def find_board_id(self, user_id: str, external_id: str) -> str | None:
        found = self._read(st.BOARD_ID_BY_EXTERNAL_ID, user_id=user_id, external_id=external_id)
        return str(found[0][0]) if found else None

    def read_users(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        if not user_ids:
            return {}
        found = self._engine.read([self._bind(user_statements.USER, user_id=user_id) for user_id in user_ids])
        return {user.id: user for each in found for user in map(mapping.row_to_user, each)}

    def read_user(self, user_id: str) -> User | None:
        found = self._read(user_statements.USER, user_id=user_id)
        return mapping.row_to_user(found[0]) if found else None

    def read_installation_owner(self) -> User | None:
        found = self._read(user_statements.OWNER, name="owner")
        return mapping.row_to_user(found[0]) if found else None

    def read_token_by_digest(self, digest: str) -> tuple[Token, User] | None:
        found = self._read(user_statements.TOKEN_AND_USER, digest=digest)
        return (
            (mapping.row_to_token(found[0][:_TOKEN_COLUMN_COUNT]), mapping.row_to_user(found[0][_TOKEN_COLUMN_COUNT:]))
            if found
            else None
        )

    def read_token(self, user_id: str, token_id: str) -> Token | None:
        found = self._read(user_statements.TOKEN, user_id=user_id, token_id=token_id)
        return mapping.row_to_token(found[0]) if found else None

    def page_tokens(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[Token]:
        statement = user_statements.select_tokens(continued=after is not None)
        found = self._read(statement, user_id=user_id, after_id=after and after[0], limit=limit + 1)
        return cut_page([mapping.row_to_token(row) for row in found], limit, lambda token: token.id)

    def read_stored_response(self, user_id: str, operation_id: str, key: str, now: datetime) -> StoredResponse | None:
        found = self._read(
            st.IDEMPOTENCY_RECORD,
            user_id=user_id,
            operation_id=operation_id,
            key=key,
            now=mapping.format_timestamp(now),
        )
        return mapping.row_to_idempotency_record(found[0]) if found else None

    def commit(
        self, change: Change, response: StoredResponse | None = None, progress: Callable[[int], None] | None = None
    ) -> None:
        validate_change(change)
        try:
            self._commit(change, response, progress)
        except AlreadyExists as error:
            if error.constraint != "setting":
                raise
            # Another first user was made at the same time, and is the owner.
            self._commit(change, response, progress)

    def purge(self, before: datetime, limit: int) -> int:
        return self._retry_erase(
            lambda transaction: purge.purge(transaction, self._bind, mapping.format_timestamp(before), limit)
        )

    def purge_expired_responses(self, now: datetime, limit: int) -> int:
        call = self._bind(purge.DELETE_EXPIRED_RECORDS, now=mapping.format_timestamp(now), limit=limit)
        return self._retry_erase(lambda transaction: len(transaction.query(call)))

    def touch_token(self, token_id: str, at: datetime) -> None:
        try:
            with self._begin_write(wait=False) as transaction:
                transaction.execute(
                    self._bind(write_statements.TOUCH_TOKEN, token_id=token_id, at=mapping.format_timestamp(at))
                )
        except (Busy, StaleRead):
            # The next request with this token tries again.
            return

    def check_ready(self) -> None:
        self._read(user_statements.SETTING, name="secret")
        self._engine.ensure_disk_space()
        self._readiness.check(self._probe_write)

    def read_secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._load_secret()
        return self._secret

    def close(self) -> None:
        self._engine.close()

    def _bind(self, statement: st.Statement, **values: Any) -> st.BoundStatement:
        return self._statements[statement].bind(values)

    # Reading

    def _page_boards(
        self, statement: st.Statement, user_id: str, limit: int, after: PageKey | None, **values: str
    ) -> Page[tuple[Board, Role]]:
        found = self._read(statement, user_id=user_id, after_id=after and after[0], limit=limit + 1, **values)
        boards = [(mapping.row_to_board(row[:-1]), mapping.parse_role(row[-1])) for row in found]
        return cut_page(boards, limit, lambda item: item[0].id)

    def _read(self, statement: st.Statement, **values: Any) -> list[Row]:
        return self._engine.read((self._bind(statement, **values),))[0]

    def _read_board(
        self, board_id: str, user_id: str, *extra_queries: BoardQuery, statement: sa.Select[Any] = st.BOARD
    ) -> tuple[BoardView | None, list[list[Row]]]:
        """The board, and the rows of other queries, seen at the same moment. Without a board they mean nothing.

        For somebody who is no member, nothing else is read.
        """
        whose = {"board_id": board_id, "user_id": user_id}
        queries: tuple[BoardQuery, ...] = ((st.LISTS, {}), (st.MEMBERS, {}), (st.LABELS, {}), *extra_queries)
        if self._engine.pipelines_reads:
            queries = tuple((st.restrict_to_member(query), values) for query, values in queries)
        calls = [self._bind(query, **whose, **values) for query, values in ((statement, {}), *queries)]
        board, lists, members, labels, *found = self._engine.read(calls, stop_if_first_empty=True)
        if not board:
            return None, found
        (row,) = board
        view = BoardView(
            mapping.row_to_board(row[:-1]),
            mapping.parse_role(row[-1]),
            tuple(map(mapping.row_to_list, lists)),
            members=tuple(sorted(map(mapping.row_to_member, members), key=lambda each: each.id)),
            labels=tuple(map(mapping.row_to_label, labels)),
        )
        return view, found

    def _part_queries(self, key: PartKey) -> list[BoardQuery]:
        """Two queries for each part: itself, and the items if it is a checklist."""
        values = {"id": key.id, "card_id": key.card_id}
        if key.part_type is Checklist:
            return [(st.CHECKLIST, values), _make_query(st.CHECKLIST_ITEMS, card_id=key.card_id)]
        return [(st.TIME_ENTRY if key.part_type is TimeEntry else st.COMMENT, values)]

    def _card_page_query(self, query: CardQuery, limit: int, after: PageKey | None) -> BoardQuery:
        values, filters = _card_filter_values(query)
        values["limit"] = limit + 1
        if query.sort == CardSort.POSITION:
            list_rank, list_id, rank = after or ("", "", "")
            values.update(after_list_rank=list_rank, after_list_id=list_id, after_rank=rank)
            if not query.list_id:
                statement = st.select_cards_by_position(query.state, filters, use_lateral=self._engine.supports_lateral)
                return statement, values
        elif after:
            *at, card_id = after
            values.update(after_id=card_id, after_updated_at=at and at[0], after_due_at=at and at[0])
        scope: st.CardScope = "list" if query.list_id else "status" if query.status else "board"
        statement = st.select_cards(scope, query.sort, query.state, filters - {"status"}, continued=after is not None)
        return statement, values

    # Writing

    @contextmanager
    def _begin_write(self, *, wait: bool = True) -> Iterator[Transaction]:
        with self._readiness.record_write(), self._engine.begin_write(wait=wait) as transaction:
            yield transaction

    def _probe_write(self) -> None:
        with self._begin_write(wait=False) as transaction:
            transaction.execute(self._engine.probe_statement)

    def _commit(self, change: Change, remember: StoredResponse | None, progress: Callable[[int], None] | None) -> None:
        with self._begin_write() as transaction:
            CommitWriter(transaction, self._bind, progress).write(change, remember)

    def _retry_erase(self, step: Callable[[Transaction], int]) -> int:
        for _ in range(_PURGE_ATTEMPTS):
            with suppress(StaleRead), self._begin_write() as transaction:
                return step(transaction)
        raise Busy("Others erase or bring back the same things.")

    # The store itself

    def _load_secret(self) -> bytes:
        while not (found := self._read(user_statements.SETTING, name="secret")):
            # Another process may be first: then its secret is read.
            with suppress(AlreadyExists), self._begin_write() as transaction:
                new = {"name": "secret", "value": secrets.token_hex(_SECRET_BYTES)}
                transaction.execute(self._bind(write_statements.INSERT[tables.settings], **new))
        return bytes.fromhex(found[0][0])


def _make_query(query: sa.Select[Any], **values: Any) -> BoardQuery:
    return query, values


def _card_filter_values(query: CardQuery) -> tuple[dict[str, Any], st.FilterNames]:
    """The parameters of a query for cards, and the names of its filters."""
    asked: dict[str, Any] = {
        "status": query.status and str(query.status),
        "q": query.q,
        "label_id": query.label_id,
        "assignee_id": query.assignee_id,
    }
    for name in ("due_from", "due_until", "overdue_at", "updated_since", "deleted_since"):
        at = getattr(query, name)
        asked[name] = mapping.format_timestamp(at) if at else None
    filters = frozenset(name for name, value in asked.items() if value)
    return asked | {"list_id": query.list_id, "pattern": _build_like_pattern(query.q)}, filters


def _collect_parts(
    keys: Sequence[PartKey], found: Sequence[list[Row]], board_id: str, cards: Mapping[str, Card]
) -> dict[str, Part]:
    """The parts that were asked for, as far as they belong to a live card of the board."""
    parts: dict[str, Part] = {}
    rest = iter(found)
    for key in keys:
        own = next(rest)
        items = next(rest) if key.part_type is Checklist else []
        for row in own:
            part: Part
            if key.part_type is Checklist:
                part = mapping.row_to_checklist(row, [item for item in items if item[0] == row[0]])
            else:
                part = mapping.row_to_time_entry(row) if key.part_type is TimeEntry else mapping.row_to_comment(row)
            if part.board_id == board_id and part.card_id in cards:
                parts[part.id] = part
    return parts


def _build_like_pattern(q: str | None) -> str:
    """For LIKE: the text anywhere, its own wildcards taken literally."""
    text = fold(q or "")
    for sign in "/%_":
        text = text.replace(sign, f"/{sign}")
    return f"%{text}%"


def _has_list(view: BoardView, list_id: str, stage: Stage | None) -> bool:
    """Whether the board has that list, at that stage if one is asked for."""
    return any(each.id == list_id and stage in (None, each.stage) for each in view.lists)


def _live_cards(view: BoardView, found: Iterable[Row]) -> dict[str, Card]:
    """The cards by id, without those that vanished with their list."""
    live = {each.id for each in view.lists}
    cards = map(mapping.row_to_card, found)
    return {card.id: card for card in cards if card.list_id in live}
