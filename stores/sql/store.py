"""The store in a SQL database: the port's reads and its commit, over any SQL engine."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from kanban.card_filters import active_comparisons
from kanban.changes import Change, record_touches
from kanban.store import (
    AlreadyExists,
    Busy,
    CardQuery,
    CardSort,
    CardsWithChecklists,
    EventQuery,
    NeighbourOf,
    PartKey,
    StaleRead,
    StoredResponse,
)
from kanban.text import fold
from kanban.values import (
    Board,
    Card,
    CardRank,
    CardView,
    Checklist,
    Comment,
    Event,
    Label,
    List,
    Member,
    Part,
    Role,
    Stage,
    TimeEntry,
    Token,
    TokenKind,
    User,
)
from kanban.views import BoardSummary, BoardView, Page, PageKey, WorkedTime
from stores.changes import validate_change
from stores.measured_calls import OnCall
from stores.paging import count_events_to_read, cut_card_page, cut_event_page, cut_page, cut_part_page
from stores.sql import card_page_statements, mapping, purge, read_statements, tables, user_statements, write_statements
from stores.sql.audit_log import SqlAuditLog
from stores.sql.commits import CommitWriter
from stores.sql.engine import Engine, Transaction
from stores.sql.feed_readers import SqlFeedReaders
from stores.sql.flow_segments import SqlFlowSegments
from stores.sql.invitations import SqlInvitations
from stores.sql.jobs import SqlJobs
from stores.sql.mapping import Row, format_timestamp
from stores.sql.measured_engine import MeasuredEngine
from stores.sql.readiness import WriteReadiness
from stores.sql.sign_in import SqlSignIn
from stores.sql.statement_cache import BoundStatement, Statement, StatementCache
from stores.sql.text_statements import TEXT_BYTES
from stores.sql.webhooks import SqlWebhooks

_SECRET_BYTES = 32
_TIME_ENTRY_COLUMN_COUNT = len(tables.time_entries.columns)
_TOKEN_COLUMN_COUNT = len(mapping.TOKEN_COLUMNS) + 2

_PURGE_ATTEMPTS = 5
"""How often a step of a purge is tried. It fails when another purge has just erased the rows that this one found."""

BoardQuery = tuple[sa.Select[Any], Mapping[str, Any]]
"""A query about a board, and its parameters except `board_id` and `user_id`."""


def build_store(engine: Engine, on_call: OnCall | None) -> "SqlStore":
    """Return the store over an engine. `on_call` is called after each call of the engine."""
    return SqlStore(MeasuredEngine(engine, on_call) if on_call else engine)


class SqlStore:
    """A `kanban.store.Store` over an engine. Threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statements = StatementCache(engine.dialect)
        self._secret: bytes | None = None
        self._readiness = WriteReadiness()
        self.webhooks = SqlWebhooks(engine, self._bind, self._begin_write)
        self.feed_readers = SqlFeedReaders(engine, self._bind, self._begin_write)
        self.sign_in = SqlSignIn(engine, self._bind)
        self.invitations = SqlInvitations(engine, self._bind)
        self.audit_log = SqlAuditLog(engine, self._bind)
        self.jobs = SqlJobs(engine, self._bind, self._begin_write)
        self.flow_segments = SqlFlowSegments(engine, self._bind, self._begin_write)
        self.request_usage = engine.request_usage

    def read_board(
        self,
        board_id: str,
        user_id: str,
        *,
        card_ids: Sequence[str] = (),
        neighbour_of: NeighbourOf | None = None,
        parts: Sequence[PartKey] = (),
    ) -> BoardView | None:
        all_card_ids = (*card_ids, neighbour_of.card_id) if neighbour_of else card_ids
        queries = [_make_query(read_statements.CARD, card_id=card_id) for card_id in all_card_ids]
        if neighbour_of:
            queries.append(_make_query(read_statements.NEXT_RANK[neighbour_of.side], card_id=neighbour_of.card_id))
        for key in parts:
            queries += _make_part_queries(key)
        view, results = self._read_board(board_id, user_id, *queries)
        if view is None:
            return None
        remaining = iter(results)
        cards = _live_cards(view, [row for rows in islice(remaining, len(all_card_ids)) for row in rows])
        adjacent_rank = None
        if neighbour_of:
            rank_rows = next(remaining)
            if neighbour_of.card_id in cards:
                adjacent_rank = str(rank_rows[0][0]) if rank_rows else ""
        return view.with_cards(cards, _collect_parts(parts, remaining, board_id, cards), adjacent_rank)

    def read_card(self, board_id: str, user_id: str, card_id: str) -> tuple[Role, CardView | None] | None:
        statement = read_statements.CARD_VIEW
        if self._engine.pipelines_reads:
            statement = read_statements.restrict_to_member(statement)
        rows = self._read(statement, board_id=board_id, user_id=user_id, card_id=card_id)
        if not rows:
            return None
        role, *card_row = rows[0]
        return mapping.parse_role(role), mapping.row_to_card_view(card_row) if card_row[0] else None

    def read_deleted(
        self, board_id: str, user_id: str, *, list_ids: Sequence[str] = (), card_ids: Sequence[str] = ()
    ) -> BoardView | None:
        queries = [_make_query(read_statements.DELETED_LIST, list_id=list_id) for list_id in list_ids]
        queries += [_make_query(read_statements.ANY_CARD, card_id=card_id) for card_id in card_ids]
        view, results = self._read_board(board_id, user_id, *queries, board_statement=read_statements.ANY_BOARD)
        if view is None:
            return None
        deleted_lists = [mapping.row_to_list(row) for rows in results[: len(list_ids)] for row in rows]
        cards = [mapping.row_to_card(row) for rows in results[len(list_ids) :] for row in rows]
        return replace(view, lists=(*view.lists, *deleted_lists), cards={card.id: card for card in cards})

    def page_deleted_lists(
        self, board_id: str, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[List]] | None:
        query = _make_query(
            read_statements.select_deleted_lists(continued=after is not None),
            since=format_timestamp(since),
            after_id=after and after[0],
            limit=limit + 1,
        )
        view, (rows,) = self._read_board(board_id, user_id, query)
        if view is None:
            return None
        return view, cut_page([mapping.row_to_list(row) for row in rows], limit, lambda list_: list_.id)

    def page_cards(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Card]] | None:
        view, rows = self._read_card_page(board_id, user_id, query, limit, after)
        if view is None:
            return None
        return view, cut_card_page(map(mapping.row_to_card, rows), limit, _card_page_key(view, query.sort))

    def page_card_views(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[CardView]] | None:
        view, rows = self._read_card_page(board_id, user_id, query, limit, after)
        if view is None:
            return None
        context: mapping.CardViewContext = (
            {list_.id: list_.stage for list_ in view.lists},
            {label.id for label in view.labels},
            {member.id: member.user_id for member in view.members},
            view.board.currency,
        )
        cards = (mapping.row_to_card_view_on(row, context) for row in rows)
        return view, cut_card_page(cards, limit, _card_page_key(view, query.sort))

    def read_cards_with_checklists(
        self, board_id: str, user_id: str, list_id: str | None = None
    ) -> tuple[BoardView, CardsWithChecklists] | None:
        statements = read_statements.select_cards_with_checklists(of_list=list_id is not None)
        view, (card_rows, checklist_rows, item_rows) = self._read_board(
            board_id, user_id, *(_make_query(statement, list_id=list_id) for statement in statements)
        )
        if view is None:
            return None
        checklists: dict[str, list[Checklist]] = {}
        for checklist in _rows_to_checklists(checklist_rows, item_rows):
            if checklist.items:
                checklists.setdefault(checklist.card_id, []).append(checklist)
        return view, CardsWithChecklists([*map(mapping.row_to_card, card_rows)], checklists)

    def page_assigned_cards(
        self, user_id: str, query: CardQuery, limit: int, after: PageKey | None = None
    ) -> Page[tuple[BoardView, Card]]:
        values, filters = _card_filter_values(query)
        board_id, card_id = after or (read_statements.MAX_ID, "")
        values |= {"user_id": user_id, "limit": limit + 1, "after_board_id": board_id, "after_id": card_id}
        last_key = self._find_last_scanned_assignment(values)
        last_board_id, last_card_id = last_key or ("", read_statements.MAX_ID)
        values |= {"last_board_id": last_board_id, "last_id": last_card_id}
        statements = card_page_statements.select_assigned_cards(filters, use_lateral=self._engine.supports_lateral)
        card_rows, board_rows, list_rows, member_rows, label_rows = self._engine.read(
            [self._bind(statement, **values) for statement in statements]
        )
        lists, members, labels = _sort_lists(list_rows), _sort_members(member_rows), _sort_labels(label_rows)
        views = {}
        for row in board_rows:
            board = mapping.row_to_board(row[:-1])
            views[board.id] = BoardView(
                board,
                mapping.parse_role(row[-1]),
                tuple(list_ for list_ in lists if list_.board_id == board.id),
                members=tuple(member for member in members if member.board_id == board.id),
                labels=tuple(label for label in labels if label.board_id == board.id),
            )
        page = cut_card_page(map(mapping.row_to_card, card_rows), limit, lambda card: (card.board_id, card.id))
        return Page(tuple((views[card.board_id], card) for card in page.items), page.next_key or last_key)

    def _find_last_scanned_assignment(self, values: Mapping[str, Any]) -> PageKey | None:
        """Return the key of the last assignment that is looked through for a page; None if all of them are."""
        statement = card_page_statements.select_last_scanned_assignment(use_lateral=self._engine.supports_lateral)
        assignment_rows, membership_rows = self._engine.read(
            [self._bind(statement, **values), self._bind(card_page_statements.LAST_SCANNED_MEMBERSHIP, **values)]
        )
        if assignment_rows:
            board_id, card_id = assignment_rows[0]
            return board_id, card_id
        return (membership_rows[0][0], read_statements.MAX_ID) if membership_rows else None

    def read_card_ranks(
        self, board_id: str, user_id: str, list_id: str
    ) -> tuple[BoardView, tuple[CardRank, ...]] | None:
        view, (rows,) = self._read_board(board_id, user_id, _make_query(read_statements.CARD_RANKS, list_id=list_id))
        if view is None:
            return None
        if not _has_list(view, list_id, None):
            return view, ()
        return view, tuple(CardRank(card_id, list_id, rank, bool(is_hidden)) for card_id, rank, is_hidden in rows)

    def page_events(
        self, board_id: str, user_id: str, query: EventQuery, limit: int
    ) -> tuple[BoardView, Page[Event]] | None:
        statement = read_statements.select_events(of_card=query.card_id is not None, newest_first=query.newest_first)
        values = {
            "after_seq": query.after,
            "before_seq": query.before,
            "limit": count_events_to_read(query, limit),
            **({} if query.card_id is None else {"card_id": query.card_id}),
        }
        view, (rows,) = self._read_board(board_id, user_id, _make_query(statement, **values))
        if view is None:
            return None
        return view, cut_event_page([mapping.row_to_event(row) for row in rows], query, limit)

    def page_time_entries(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[TimeEntry]] | None:
        statement = read_statements.select_time_entries(continued=after is not None)
        view, (card_rows, rows) = self._read_board(
            board_id,
            user_id,
            _make_query(read_statements.CARD, card_id=card_id),
            _make_query(statement, card_id=card_id, after_id=after and after[0], limit=limit + 1),
        )
        if view is None:
            return None
        cards = _live_cards(view, card_rows)
        entries = [mapping.row_to_time_entry(row) for row in rows] if cards else []
        return view.with_cards(cards), cut_page(entries, limit, lambda entry: entry.id)

    def read_checklists(
        self, board_id: str, user_id: str, card_id: str
    ) -> tuple[BoardView, tuple[Checklist, ...]] | None:
        view, (card_rows, rows, item_rows) = self._read_board(
            board_id,
            user_id,
            _make_query(read_statements.CARD, card_id=card_id),
            _make_query(read_statements.CHECKLISTS, card_id=card_id),
            _make_query(read_statements.CHECKLIST_ITEMS, card_id=card_id),
        )
        if view is None:
            return None
        cards = _live_cards(view, card_rows)
        checklists = _rows_to_checklists(rows, item_rows) if cards else []
        return view.with_cards(cards), tuple(checklists)

    def page_comments(
        self, board_id: str, user_id: str, card_id: str, limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[Comment]] | None:
        statement = read_statements.select_comments(continued=after is not None)
        view, (card_rows, rows) = self._read_board(
            board_id,
            user_id,
            _make_query(read_statements.CARD, card_id=card_id),
            _make_query(statement, card_id=card_id, after_id=after and after[0], limit=limit + 1),
        )
        if view is None:
            return None
        cards = _live_cards(view, card_rows)
        comments = [mapping.row_to_comment(row) for row in rows] if cards else []
        return view.with_cards(cards), cut_page(comments, limit, lambda comment: comment.id)

    def page_parts(
        self, board_id: str, user_id: str, limit: int, after: PageKey | None = None, card_id: str | None = None
    ) -> tuple[BoardView, Page[Checklist | Comment]] | None:
        name, after_id = after or ("checklist", "")
        values = {"limit": limit + 1, **({} if card_id is None else {"card_id": card_id})}
        of_card = card_id is not None
        queries = [_make_query(read_statements.select_comments_of_board(of_card=of_card), **values, after_id=after_id)]
        if name == "checklist":
            queries = [
                *(
                    _make_query(statement, **values, after_id=after_id)
                    for statement in read_statements.select_checklists_of_board(of_card=of_card)
                ),
                _make_query(read_statements.select_comments_of_board(of_card=of_card), **values, after_id=""),
            ]
        view, (*results, comment_rows) = self._read_board(board_id, user_id, *queries)
        if view is None:
            return None
        candidates: list[tuple[PageKey, Checklist | Comment | None]] = []
        if results:
            candidates += _to_checklist_candidates(*results)
        if len(candidates) <= limit:
            comments = ((row, mapping.row_to_comment(row[:-1]) if row[-1] else None) for row in comment_rows)
            candidates += ((("comment", row[0]), comment) for row, comment in comments)
        return view, cut_part_page(candidates, limit)

    def page_board_time_entries(
        self, board_id: str, user_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[tuple[TimeEntry, Card]]] | None:
        statement = read_statements.select_time_entries_with_cards(continued=after is not None)
        view, (rows,) = self._read_board(board_id, user_id, _span_query(statement, span, limit, after))
        if view is None:
            return None
        items = [
            (
                mapping.row_to_time_entry(row[:_TIME_ENTRY_COLUMN_COUNT]),
                mapping.row_to_card(row[_TIME_ENTRY_COLUMN_COUNT:]),
            )
            for row in rows
        ]
        if len(items) <= limit:
            return view, Page(tuple(items))
        last_entry, _ = items[limit - 1]
        last_end = format_timestamp(last_entry.ended_at) if last_entry.ended_at else tables.OPEN_ENTRY_END
        return view, Page(tuple(items[:limit]), (last_end, last_entry.id))

    def page_worked_time(
        self, board_id: str, user_id: str, span: tuple[datetime, datetime], limit: int, after: PageKey | None = None
    ) -> tuple[BoardView, Page[WorkedTime]] | None:
        statement = read_statements.select_worked_time(continued=after is not None)
        view, (rows,) = self._read_board(board_id, user_id, _span_query(statement, span, limit, after))
        if view is None:
            return None
        items = tuple(map(mapping.row_to_worked_time, rows[:limit]))
        if len(rows) <= limit:
            return view, Page(items)
        entry_id, ended_at, *_ = rows[limit - 1]
        return view, Page(items, (ended_at or tables.OPEN_ENTRY_END, entry_id))

    def page_boards(
        self, user_id: str, limit: int, after: PageKey | None = None, *, archived: bool = False
    ) -> Page[tuple[Board, Role]]:
        return self._page_boards(read_statements.BOARDS[archived], user_id, limit, after)

    def page_deleted_boards(
        self, user_id: str, since: datetime, limit: int, after: PageKey | None = None
    ) -> Page[tuple[Board, Role]]:
        values = {"since": format_timestamp(since), "role": str(Role.OWNER)}
        return self._page_boards(read_statements.DELETED_BOARDS, user_id, limit, after, **values)

    def page_board_ids(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[str]:
        values = {"after_id": after[0] if after else "", "limit": limit + 1}
        rows = self._read(user_statements.BOARD_IDS, user_id=user_id, **values)
        return cut_page([str(board_id) for (board_id,) in rows], limit, lambda board_id: board_id)

    def summarize_board(self, board_id: str) -> BoardSummary | None:
        statements = (read_statements.BOARD_OF_ANYBODY, read_statements.MEMBERS, read_statements.CARD_COUNT)
        board_rows, member_rows, count_rows = self._engine.read(
            [self._bind(statement, board_id=board_id) for statement in statements]
        )
        if not board_rows:
            return None
        return BoardSummary(mapping.row_to_board(board_rows[0]), _sort_members(member_rows), int(count_rows[0][0]))

    def find_board_id(self, user_id: str, external_id: str) -> str | None:
        rows = self._read(read_statements.BOARD_ID_BY_EXTERNAL_ID, user_id=user_id, external_id=external_id)
        return str(rows[0][0]) if rows else None

    def find_card_id(self, board_id: str, external_id: str) -> str | None:
        rows = self._read(read_statements.CARD_ID_BY_EXTERNAL_ID, board_id=board_id, external_id=external_id)
        return str(rows[0][0]) if rows else None

    def read_board_seqs(self, board_ids: Sequence[str]) -> Mapping[str, int]:
        if not board_ids:
            return {}
        results = self._engine.read([self._bind(read_statements.BOARD_SEQ, board_id=id_) for id_ in board_ids])
        return {board_id: seq for rows in results for board_id, seq in rows}

    def read_users(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        if not user_ids:
            return {}
        results = self._engine.read([self._bind(user_statements.USER, user_id=user_id) for user_id in user_ids])
        return {user.id: user for rows in results for user in map(mapping.row_to_user, rows)}

    def read_user(self, user_id: str) -> User | None:
        rows = self._read(user_statements.USER, user_id=user_id)
        return mapping.row_to_user(rows[0]) if rows else None

    def page_users(self, limit: int, after: PageKey | None = None) -> Page[User]:
        rows = self._read(user_statements.ALL_USERS, after_id=after[0] if after else "", limit=limit + 1)
        return cut_page([mapping.row_to_user(row) for row in rows], limit, lambda user: user.id)

    def read_fellow_ids(self, user_id: str, max_boards: int) -> Mapping[str, Sequence[str]]:
        fellow_ids: dict[str, list[str]] = {}
        for board_id, fellow_id in self._read(user_statements.FELLOWS, user_id=user_id, limit=max_boards):
            fellow_ids.setdefault(board_id, []).append(fellow_id)
        return fellow_ids

    def sum_text_bytes(self, board_id: str) -> int:
        total: int = self._read(TEXT_BYTES, board_id=board_id)[0][0]
        return total

    def read_installation_owner_ids(self) -> tuple[str, ...]:
        rows = self._read(user_statements.SETTING, name="owner")
        return tuple(rows[0][0].split()) if rows else ()

    def read_installation_owner(self) -> User | None:
        owner_ids = self.read_installation_owner_ids()
        return self.read_user(owner_ids[0]) if owner_ids else None

    def read_token_by_digest(self, digest: str) -> tuple[Token, User] | None:
        rows = self._read(user_statements.TOKEN_AND_USER, digest=digest)
        if not rows:
            return None
        (row,) = rows
        token = mapping.row_to_token((*row[:_TOKEN_COLUMN_COUNT], digest))
        return token, mapping.row_to_user((token.user_id, *row[_TOKEN_COLUMN_COUNT:]))

    def read_token(self, user_id: str, token_id: str) -> Token | None:
        rows = self._read(user_statements.TOKEN, user_id=user_id, token_id=token_id)
        return mapping.row_to_token(rows[0]) if rows else None

    def find_token_holder(self, token_id: str) -> str | None:
        rows = self._read(user_statements.TOKEN_HOLDER, token_id=token_id)
        return str(rows[0][0]) if rows else None

    def page_tokens(
        self, user_id: str, limit: int, after: PageKey | None = None, kind: TokenKind = TokenKind.API
    ) -> Page[Token]:
        rows, last_key = self._read_scanned_page(
            user_statements.TOKENS, user_statements.LAST_SCANNED_TOKEN, user_id, limit, after, kind=str(kind)
        )
        page = cut_page([mapping.row_to_token(row) for row in rows], limit, lambda token: token.id)
        return Page(page.items, page.next_key or last_key)

    def read_stored_response(self, user_id: str, operation_id: str, key: str, now: datetime) -> StoredResponse | None:
        rows = self._read(
            read_statements.IDEMPOTENCY_RECORD,
            user_id=user_id,
            operation_id=operation_id,
            key=key,
            now=format_timestamp(now),
        )
        return mapping.row_to_stored_response(rows[0]) if rows else None

    def commit(
        self, change: Change, response: StoredResponse | None = None, progress: Callable[[int], None] | None = None
    ) -> None:
        validate_change(change)
        change = record_touches(change)
        try:
            self._commit(change, response, progress)
        except AlreadyExists as error:
            if error.constraint != "setting":
                raise
            # Another process made the first user at the same time, who is the owner.
            self._commit(change, response, progress)

    def purge(self, before: datetime, limit: int) -> int:
        return self._retry_erase(
            lambda transaction: purge.purge(transaction, self._bind, format_timestamp(before), limit)
        )

    def purge_expired(self, now: datetime, limit: int) -> int:
        return self._retry_erase(
            lambda transaction: purge.purge_expired(transaction, self._bind, format_timestamp(now), limit)
        )

    def purge_token_origins(self, before: datetime, limit: int) -> int:
        statement = self._bind(purge.ERASE_TOKEN_ORIGINS, before=format_timestamp(before), limit=limit)
        return self._retry_erase(lambda transaction: len(transaction.query(statement)))

    def erase_user(self, user_id: str, limit: int) -> int:
        owner_ids = self.read_installation_owner_ids()
        return self._retry_erase(
            lambda transaction: purge.erase_user(transaction, self._bind, user_id, owner_ids, limit)
        )

    def record_token_use(self, token_id: str, at: datetime, origin: str | None = None) -> None:
        values = {"token_id": token_id, "at": format_timestamp(at), "origin": origin}
        try:
            with self._begin_write(wait=False) as transaction:
                transaction.execute(self._bind(write_statements.RECORD_TOKEN_USE, **values))
        except (Busy, StaleRead):
            # The next request with this token tries it again.
            return

    def check_ready(self) -> None:
        self._read(user_statements.SETTING, name="secret")
        self._engine.ensure_disk_space()
        self._readiness.check(self._probe_write)

    def read_secret(self) -> bytes:
        if self._secret is None:
            self._secret = self._load_secret()
        return self._secret

    def measure_size(self) -> int | None:
        return self._engine.measure_size()

    def close(self) -> None:
        self._engine.close()

    def _bind(self, statement: Statement, **values: Any) -> BoundStatement:
        return self._statements[statement].bind(values)

    # Reading

    def _page_boards(
        self, statement: Statement, user_id: str, limit: int, after: PageKey | None, **values: str
    ) -> Page[tuple[Board, Role]]:
        rows, last_key = self._read_scanned_page(
            statement, read_statements.LAST_SCANNED_BOARD, user_id, limit, after, **values
        )
        boards = [(mapping.row_to_board(row[:-1]), mapping.parse_role(row[-1])) for row in rows]
        page = cut_page(boards, limit, lambda item: item[0].id)
        return Page(page.items, page.next_key or last_key)

    def _read_scanned_page(
        self,
        statement: Statement,
        last_scanned: Statement,
        user_id: str,
        limit: int,
        after: PageKey | None,
        **values: str,
    ) -> tuple[list[Row], PageKey | None]:
        """Return the rows of a page and one more; and the key of the last row looked through, None if all were."""
        after_id = after[0] if after else read_statements.MAX_ID
        all_values = {"user_id": user_id, "after_id": after_id, "limit": limit + 1, **values}
        rows, last_rows = self._engine.read([self._bind(query, **all_values) for query in (statement, last_scanned)])
        return rows, (last_rows[0][0],) if last_rows else None

    def _read(self, statement: Statement, **values: Any) -> list[Row]:
        return self._engine.read((self._bind(statement, **values),))[0]

    def _read_board(
        self,
        board_id: str,
        user_id: str,
        *extra_queries: BoardQuery,
        board_statement: sa.Select[Any] = read_statements.BOARD,
    ) -> tuple[BoardView | None, list[list[Row]]]:
        """Return the board, and the rows of other queries from the same snapshot.

        For a user who isn't a member, the board is None and the rows mean nothing: nothing else is read.
        """
        queries = [
            (read_statements.LISTS, {}),
            (read_statements.MEMBERS, {}),
            (read_statements.LABELS, {}),
            *extra_queries,
        ]
        board_rows, (list_rows, member_rows, label_rows, *results) = self._read_of_board(
            board_id, user_id, queries, board_statement
        )
        if not board_rows:
            return None, results
        (row,) = board_rows
        view = BoardView(
            mapping.row_to_board(row[:-1]),
            mapping.parse_role(row[-1]),
            _sort_lists(list_rows),
            members=_sort_members(member_rows),
            labels=_sort_labels(label_rows),
        )
        return view, results

    def _read_of_board(
        self,
        board_id: str,
        user_id: str,
        queries: Sequence[BoardQuery],
        board_statement: sa.Select[Any] = read_statements.BOARD,
    ) -> tuple[list[Row], list[list[Row]]]:
        """Return the row of the board, and those of queries about it from the same snapshot; see `_read_board`."""
        if self._engine.pipelines_reads:
            queries = [(read_statements.restrict_to_member(query), values) for query, values in queries]
        board_values = {"board_id": board_id, "user_id": user_id}
        statements = [
            self._bind(query, **{**values, **board_values}) for query, values in ((board_statement, {}), *queries)
        ]
        board_rows, *results = self._engine.read(statements, stop_if_first_empty=True)
        return board_rows, results

    def _read_card_page(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None
    ) -> tuple[BoardView | None, list[Row]]:
        """Return the board, and the rows of a page of its cards and one more; see `_read_board`."""
        view, (rows,) = self._read_board(
            board_id, user_id, self._card_page_query(board_id, user_id, query, limit, after)
        )
        if view and query.list_id and not _has_list(view, query.list_id, query.status):
            return view, []
        return view, rows

    def _card_page_query(
        self, board_id: str, user_id: str, query: CardQuery, limit: int, after: PageKey | None
    ) -> BoardQuery:
        values, filters = _card_filter_values(query)
        values["limit"] = limit + 1
        if query.sort == CardSort.POSITION:
            list_rank, list_id, rank = after or ("", "", "")
            values.update(after_list_rank=list_rank, after_list_id=list_id, after_rank=rank)
        elif after:
            *at, card_id = after
            values.update(after_id=card_id, after_updated_at=at and at[0], after_due_at=at and at[0])
        scope: card_page_statements.CardScope = "list" if query.list_id else "status" if query.status else "board"
        narrowing = self._choose_narrowing(board_id, user_id, query, values, filters)
        continued = after is not None
        if narrowing:
            statement = card_page_statements.select_narrowed_cards(
                narrowing, scope, query.sort, query.state, filters, continued=continued
            )
        elif query.sort == CardSort.POSITION and scope != "list":
            statement = card_page_statements.select_cards_by_position(
                query.state, filters, use_lateral=self._engine.supports_lateral
            )
        else:
            statement = card_page_statements.select_cards(
                scope,
                query.sort,
                query.state,
                filters - {"status"},
                continued=continued,
                with_archived_lists=query.with_archived_lists,
            )
        return statement, values

    def _choose_narrowing(
        self,
        board_id: str,
        user_id: str,
        query: CardQuery,
        values: Mapping[str, Any],
        filters: card_page_statements.FilterNames,
    ) -> card_page_statements.Narrowing | None:
        """Return what leaves so few cards that a page is best read by sorting them; None if nothing does."""
        narrowings = card_page_statements.list_narrowings(query.sort, filters)
        if not narrowings:
            return None
        values = {**values, "max_count": card_page_statements.MAX_CANDIDATES + 1}
        queries = [
            (card_page_statements.count_candidates(narrowing, query.state, filters), values) for narrowing in narrowings
        ]
        board_rows, results = self._read_of_board(board_id, user_id, queries)
        if not board_rows:
            return None
        count, narrowing = min((rows[0][0], narrowing) for rows, narrowing in zip(results, narrowings, strict=True))
        return narrowing if count <= card_page_statements.MAX_CANDIDATES else None

    # Writing

    @contextmanager
    def _begin_write(self, *, wait: bool = True) -> Iterator[Transaction]:
        with self._readiness.record_write(), self._engine.begin_write(wait=wait) as transaction:
            yield transaction

    def _probe_write(self) -> None:
        with self._begin_write(wait=False) as transaction:
            transaction.execute(self._engine.probe_statement)

    def _commit(self, change: Change, response: StoredResponse | None, progress: Callable[[int], None] | None) -> None:
        with self._begin_write() as transaction:
            CommitWriter(transaction, self._bind, progress).write(change, response)

    def _retry_erase(self, step: Callable[[Transaction], int]) -> int:
        for _ in range(_PURGE_ATTEMPTS):
            with suppress(StaleRead), self._begin_write() as transaction:
                return step(transaction)
        raise Busy("Other processes erase or restore the same boards, lists or cards.")

    # The store itself

    def _load_secret(self) -> bytes:
        while not (rows := self._read(user_statements.SETTING, name="secret")):
            # If another process is first, its secret is read.
            with suppress(AlreadyExists), self._begin_write() as transaction:
                setting = {"name": "secret", "value": secrets.token_hex(_SECRET_BYTES)}
                transaction.execute(self._bind(write_statements.INSERT[tables.settings], **setting))
        return bytes.fromhex(rows[0][0])


def _sort_lists(rows: Iterable[Row]) -> tuple[List, ...]:
    return tuple(sorted(map(mapping.row_to_list, rows), key=lambda list_: list_.rank))


def _sort_members(rows: Iterable[Row]) -> tuple[Member, ...]:
    return tuple(sorted(map(mapping.row_to_member, rows), key=lambda member: member.id))


def _sort_labels(rows: Iterable[Row]) -> tuple[Label, ...]:
    return tuple(sorted(map(mapping.row_to_label, rows), key=lambda label: label.id))


def _make_query(query: sa.Select[Any], **values: Any) -> BoardQuery:
    return query, values


def _make_part_queries(key: PartKey) -> list[BoardQuery]:
    """Return the queries that read a part: the part itself and, for a checklist, its items."""
    values = {"id": key.id, "card_id": key.card_id}
    if key.part_type is Checklist:
        return [
            (read_statements.CHECKLIST, values),
            _make_query(read_statements.CHECKLIST_ITEMS, card_id=key.card_id),
        ]
    return [(read_statements.TIME_ENTRY if key.part_type is TimeEntry else read_statements.COMMENT, values)]


def _card_page_key(view: BoardView, sort: CardSort) -> Callable[[Card | CardView], PageKey]:
    """Return the function that makes the key from which the page after a card continues."""
    if sort == CardSort.POSITION:
        list_ranks = {list_.id: list_.rank for list_ in view.lists}
        return lambda card: (list_ranks[card.list_id], card.list_id, card.rank)
    if sort in (CardSort.OLDEST, CardSort.NEWEST):
        return lambda card: (card.id,)
    if sort in (CardSort.DUE_FIRST, CardSort.DUE_LAST):
        return lambda card: (mapping.to_column(card.due_at), card.id)
    return lambda card: (mapping.to_column(card.updated_at), card.id)


def _span_query(
    statement: sa.Select[Any], span: tuple[datetime, datetime], limit: int, after: PageKey | None
) -> BoardQuery:
    """Return the query for a page of the time entries of a span, and one more."""
    ended_at, entry_id = after or ("", "")
    return _make_query(
        statement,
        since=format_timestamp(span[0]),
        until=format_timestamp(span[1]),
        after_ended_at=ended_at,
        after_id=entry_id,
        limit=limit + 1,
    )


def _card_filter_values(query: CardQuery) -> tuple[dict[str, Any], card_page_statements.FilterNames]:
    """Return the parameters of a query for cards, and the names of its filters: those that are not None."""
    named_values = {name: getattr(query, name) for name in ("status", "q", "label_id", "assignee_id")}
    named_values |= {comparison.name: value for comparison, value in active_comparisons(query)}
    values = {name: mapping.to_column(value) for name, value in named_values.items() if value is not None}
    return {**values, "list_id": query.list_id, "pattern": _build_like_pattern(query.q)}, frozenset(values)


def _collect_parts(
    keys: Sequence[PartKey], results: Iterator[list[Row]], board_id: str, cards: Mapping[str, Card]
) -> dict[str, Part]:
    """Return the requested parts that belong to live cards of the board, by id."""
    parts: list[Part] = []
    for key in keys:
        rows = next(results)
        if key.part_type is Checklist:
            parts += _rows_to_checklists(rows, next(results))
        elif key.part_type is TimeEntry:
            parts += map(mapping.row_to_time_entry, rows)
        else:
            parts += map(mapping.row_to_comment, rows)
    return {part.id: part for part in parts if part.board_id == board_id and part.card_id in cards}


def _rows_to_checklists(rows: Iterable[Row], item_rows: Iterable[Row]) -> list[Checklist]:
    """Return the checklists of rows, each with those items whose first column names it."""
    items: dict[str, list[Row]] = {}
    for item_row in item_rows:
        items.setdefault(item_row[0], []).append(item_row)
    return [mapping.row_to_checklist(row, items.get(row[0], [])) for row in rows]


def _to_checklist_candidates(
    rows: Sequence[Row], item_rows: Iterable[Row]
) -> list[tuple[PageKey, Checklist | Comment | None]]:
    """Return the checklists of rows whose last column says whether the card is live, by id and with page keys."""
    rows = sorted(rows, key=lambda row: str(row[0]))
    checklists = _rows_to_checklists([row[:-1] for row in rows], sorted(item_rows, key=lambda row: (row[0], row[1])))
    return [
        (("checklist", checklist.id), checklist if row[-1] else None)
        for row, checklist in zip(rows, checklists, strict=True)
    ]


def _build_like_pattern(q: str | None) -> str:
    """Return the pattern for LIKE that finds the text anywhere; wildcards in the text are escaped with '/'."""
    text = fold(q or "")
    for sign in "/%_":
        text = text.replace(sign, f"/{sign}")
    return f"%{text}%"


def _has_list(view: BoardView, list_id: str, stage: Stage | None) -> bool:
    """Tell whether the board has the list, at the stage if one is given."""
    return any(list_.id == list_id and stage in (None, list_.stage) for list_ in view.lists)


def _live_cards(view: BoardView, rows: Iterable[Row]) -> dict[str, Card]:
    """Return the cards by id, without those whose list is deleted."""
    live_list_ids = {list_.id for list_ in view.lists}
    cards = map(mapping.row_to_card, rows)
    return {card.id: card for card in cards if card.list_id in live_list_ids}
