"""The statements that read boards and what is on them: see `stores.sql.statement_cache` for how they are run."""

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from kanban.store import CardState
from stores.sql.mapping import CARD_COLUMNS, CARD_VIEW_COLUMNS, RUNNING_ENTRY_COLUMNS
from stores.sql.statement_cache import parameter
from stores.sql.tables import (
    boards,
    card_assignees,
    card_labels,
    card_links,
    cards,
    checklist_items,
    checklists,
    comments,
    effective_end,
    events,
    has_state,
    idempotency_records,
    labels,
    lists,
    members,
    time_entries,
)

MAX_ID = "~"
"""A text that sorts after every id."""

MAX_SCANNED = 1_000
"""The most rows of a user that are searched for one page. A page ends early if more would have to be."""


def select_row_after(count: int, query: sa.Select[Any]) -> sa.Select[Any]:
    """Return the query for the one row after `count` others."""
    return query.limit(sa.literal_column("1")).offset(sa.literal_column(str(count)))


def avoid_index(expression: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return an expression of the same value for which engines use no index, however good one may seem to be."""
    return sa.func.coalesce(expression, expression, type_=expression.type)


def select_or_empty(query: sa.Select[Any]) -> sa.ColumnElement[str]:
    """Return the text that a query finds, '' if it finds none."""
    return sa.func.coalesce(query.scalar_subquery(), sa.literal_column("''"))


# Boards


ANY_BOARD = sa.select(boards, members.c.role).where(
    boards.c.id == parameter("board_id"),
    members.c.board_id == boards.c.id,
    members.c.user_id == parameter("user_id"),
)

BOARD_OF_ANYBODY = sa.select(boards).where(boards.c.id == parameter("board_id"))
"""A board, live or deleted, without a role on it."""

BOARD_SEQ = sa.select(boards.c.id, boards.c.seq).where(boards.c.id == parameter("board_id"))

BOARD = ANY_BOARD.where(boards.c.deleted_at.is_(None))

_CALLER = members.alias("caller")
_CALLER_IS_MEMBER = (
    sa.select(_CALLER.c.user_id)
    .where(_CALLER.c.board_id == parameter("board_id"), _CALLER.c.user_id == parameter("user_id"))
    .exists()
)


@cache
def restrict_to_member(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Restrict a statement to members of the board.

    For other users it has no rows, and PostgreSQL doesn't look for any. SQLite would look, and evaluate the condition
    at each row.
    """
    return statement.where(_CALLER_IS_MEMBER)


MEMBERS = sa.select(members).where(members.c.board_id == parameter("board_id"))

LABELS = sa.select(labels).where(labels.c.board_id == parameter("board_id"))

DELETED_LIST = sa.select(lists).where(
    lists.c.board_id == parameter("board_id"), lists.c.id == parameter("list_id"), lists.c.deleted_at.is_not(None)
)

BOARD_ID_BY_EXTERNAL_ID = sa.select(boards.c.id).where(
    boards.c.created_by == parameter("user_id"),
    boards.c.external_id == parameter("external_id"),
    boards.c.deleted_at.is_(None),
)

LISTS = sa.select(lists).where(lists.c.board_id == parameter("board_id"), lists.c.deleted_at.is_(None))


_SCANNED = members.alias("scanned")
LAST_SCANNED_BOARD = select_row_after(
    MAX_SCANNED - 1,
    sa.select(_SCANNED.c.board_id)
    .where(_SCANNED.c.user_id == parameter("user_id"), _SCANNED.c.board_id < parameter("after_id"))
    .order_by(_SCANNED.c.board_id.desc()),
)
"""The id of the last board that is looked through for a page of a user's boards; no row if all of them are."""


def _select_boards_where(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select a page of a user's boards below an id under conditions, with the user's role, newest first."""
    return (
        sa.select(boards, members.c.role)
        .join(members, members.c.board_id == boards.c.id)
        .where(
            members.c.user_id == parameter("user_id"),
            members.c.board_id < parameter("after_id"),
            members.c.board_id >= select_or_empty(LAST_SCANNED_BOARD),
            *conditions,
        )
        .order_by(members.c.board_id.desc())
        .limit(parameter("limit"))
    )


BOARDS = {
    is_archived: _select_boards_where(
        boards.c.deleted_at.is_(None),
        boards.c.archived_at.is_not(None) if is_archived else boards.c.archived_at.is_(None),
    )
    for is_archived in (False, True)
}
"""By whether they are archived: a page of a user's live boards."""

DELETED_BOARDS = _select_boards_where(boards.c.deleted_at >= parameter("since"), members.c.role == parameter("role"))
"""A page of the boards deleted since a timestamp on which the user has a role."""


@cache
def select_deleted_lists(*, continued: bool) -> sa.Select[Any]:
    """Select a page of the lists of a board deleted since a timestamp, newest first; `continued` below an id."""
    page = sa.select(lists).where(
        lists.c.board_id == parameter("board_id"), avoid_index(lists.c.deleted_at) >= parameter("since")
    )
    if continued:
        page = page.where(lists.c.id < parameter("after_id"))
    return page.order_by(lists.c.id.desc()).limit(parameter("limit"))


@cache
def select_events(*, of_card: bool, newest_first: bool) -> sa.Select[Any]:
    """Select the first or last events of a board, or of one of its cards, between two seqs."""
    # Without statistics, SQLite would look for a card's events among all of the board.
    board_id = avoid_index(events.c.board_id) if of_card else events.c.board_id
    page = sa.select(events).where(
        board_id == parameter("board_id"),
        events.c.seq > parameter("after_seq"),
        events.c.seq < parameter("before_seq"),
    )
    if of_card:
        page = page.where(events.c.card_id == parameter("card_id"))
    return page.order_by(events.c.seq.desc() if newest_first else events.c.seq).limit(parameter("limit"))


# Cards


class GroupConcat(FunctionElement[str]):
    """The texts of several rows joined with a separator, in no order."""

    type = sa.Text()
    inherit_cache = True


@compiles(GroupConcat, "sqlite")
def _compile_for_sqlite(element: GroupConcat, compiler: SQLCompiler, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)})"


@compiles(GroupConcat, "postgresql")
def _compile_for_postgresql(element: GroupConcat, compiler: SQLCompiler, **options: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **options)})"


def _aggregate_for_card(column: sa.ColumnElement[str], separator: str, name: str, table: sa.Table) -> sa.Label[str]:
    """Return a column with the texts that another table holds for a card, joined."""
    return (
        sa.select(GroupConcat(column, sa.literal_column(f"'{separator}'")))
        .where(table.c.card_id == cards.c.id)
        .correlate(cards)
        .scalar_subquery()
        .label(name)
    )


SPACE: sa.ColumnElement[str] = sa.literal_column("' '", sa.Text())

_LABEL_IDS = _aggregate_for_card(card_labels.c.label_id, " ", "label_ids", card_labels)
_MEMBER_IDS = _aggregate_for_card(card_assignees.c.member_id, " ", "member_ids", card_assignees)
_LINKS = _aggregate_for_card(
    sa.cast(card_links.c.position, sa.Text) + SPACE + card_links.c.url + SPACE + card_links.c.title,
    "\n",
    "links",
    card_links,
)

SELECTED_CARD_COLUMNS = (
    *(cards.c[name] for name in CARD_COLUMNS),
    *(time_entries.c[name] for name in RUNNING_ENTRY_COLUMNS),
    _LABEL_IDS,
    _MEMBER_IDS,
    _LINKS,
)
_ENTRY_RUNS = sa.and_(time_entries.c.card_id == cards.c.id, time_entries.c.ended_at.is_(None))
CARDS_WITH_RUNNING_ENTRY = cards.outerjoin(time_entries, _ENTRY_RUNS)
_CARDS = sa.select(*SELECTED_CARD_COLUMNS).select_from(CARDS_WITH_RUNNING_ENTRY)

LIST_IS_LIVE = sa.select(lists.c.id).where(lists.c.id == cards.c.list_id, lists.c.deleted_at.is_(None)).exists()

CARD_COUNT = (
    sa.select(sa.func.count())
    .select_from(cards)
    .where(cards.c.board_id == parameter("board_id"), cards.c.deleted_at.is_(None), LIST_IS_LIVE)
)
"""How many live cards a board has."""

CARD_ID_BY_EXTERNAL_ID = sa.select(cards.c.id).where(
    cards.c.board_id == parameter("board_id"),
    cards.c.external_id == parameter("external_id"),
    cards.c.deleted_at.is_(None),
    LIST_IS_LIVE,
)

_ASSIGNEE = members.alias("assignee")

_ASSIGNEE_USERS = (
    sa.select(GroupConcat(_ASSIGNEE.c.id + SPACE + _ASSIGNEE.c.user_id, sa.literal_column("'\n'")))
    .where(card_assignees.c.card_id == cards.c.id, _ASSIGNEE.c.id == card_assignees.c.member_id)
    .correlate(cards)
    .scalar_subquery()
)

ALL_CARDS = _CARDS.add_columns(_ASSIGNEE_USERS).order_by(cards.c.id)
"""All cards of a store, and who is assigned to each: lines of a membership's id and the user's."""

CARD = _CARDS.where(
    cards.c.id == parameter("card_id"), cards.c.board_id == parameter("board_id"), cards.c.deleted_at.is_(None)
)

CARD_VIEW = (
    sa.select(
        members.c.role,
        *(cards.c[name] for name in CARD_VIEW_COLUMNS),
        *(time_entries.c[name] for name in RUNNING_ENTRY_COLUMNS),
        _LABEL_IDS,
        sa.select(GroupConcat(_ASSIGNEE.c.user_id, SPACE))
        .where(card_assignees.c.card_id == cards.c.id, _ASSIGNEE.c.id == card_assignees.c.member_id)
        .correlate(cards)
        .scalar_subquery(),
        _LINKS,
        cards.c.status,
        boards.c.currency,
    )
    .select_from(
        boards.join(members, members.c.board_id == boards.c.id)
        .outerjoin(
            cards,
            sa.and_(
                cards.c.id == parameter("card_id"),
                cards.c.board_id == boards.c.id,
                cards.c.deleted_at.is_(None),
                LIST_IS_LIVE,
            ),
        )
        .outerjoin(time_entries, _ENTRY_RUNS)
    )
    .where(
        boards.c.id == parameter("board_id"), boards.c.deleted_at.is_(None), members.c.user_id == parameter("user_id")
    )
)
"""A live card as a member sees it, after the member's role. The card's columns are NULL if there is none."""

ANY_CARD = _CARDS.where(cards.c.id == parameter("card_id"), cards.c.board_id == parameter("board_id"))


def _neighbour_column(column: str) -> sa.ScalarSelect[Any]:
    neighbour = cards.alias("neighbour")
    return (
        sa.select(neighbour.c[column])
        .where(neighbour.c.id == parameter("card_id"), neighbour.c.board_id == parameter("board_id"))
        .scalar_subquery()
    )


_RANKS_IN_NEIGHBOUR_LIST = sa.select(cards.c.rank).where(cards.c.list_id == _neighbour_column("list_id"))

NEXT_RANK: dict[str, sa.Select[Any]] = {
    "before": _RANKS_IN_NEIGHBOUR_LIST.where(cards.c.rank < _neighbour_column("rank"))
    .order_by(cards.c.rank.desc())
    .limit(1),
    "after": _RANKS_IN_NEIGHBOUR_LIST.where(cards.c.rank > _neighbour_column("rank")).order_by(cards.c.rank).limit(1),
}


@cache
def select_cards_with_checklists(*, of_list: bool) -> tuple[sa.Select[Any], ...]:
    """Select the active cards of a board, or of a list, by position; their checklists; and the items of these."""
    conditions = [
        lists.c.board_id == parameter("board_id"),
        lists.c.deleted_at.is_(None),
        lists.c.id == parameter("list_id") if of_list else lists.c.archived_at.is_(None),
        cards.c.list_id == lists.c.id,
        has_state(cards, CardState.ACTIVE),
    ]
    position = (lists.c.rank, cards.c.rank)
    with_cards = lists.join(cards, sa.true())
    with_checklists = with_cards.join(checklists, checklists.c.card_id == cards.c.id)
    with_items = with_checklists.join(checklist_items, checklist_items.c.checklist_id == checklists.c.id)
    return (
        sa.select(*SELECTED_CARD_COLUMNS)
        .select_from(lists.join(CARDS_WITH_RUNNING_ENTRY, sa.true()))
        .where(*conditions)
        .order_by(*position),
        sa.select(checklists).select_from(with_checklists).where(*conditions).order_by(*position, checklists.c.rank),
        sa.select(checklist_items)
        .select_from(with_items)
        .where(*conditions)
        .order_by(*position, checklists.c.rank, checklist_items.c.position),
    )


@cache
def select_time_entries(*, continued: bool) -> sa.Select[Any]:
    """Select a page of the time entries of a card, oldest first; `continued` after an id."""
    page = sa.select(time_entries).where(time_entries.c.card_id == parameter("card_id"))
    if continued:
        page = page.where(time_entries.c.id > parameter("after_id"))
    return page.order_by(time_entries.c.id).limit(parameter("limit"))


TIME_ENTRY = sa.select(time_entries).where(
    time_entries.c.id == parameter("id"), time_entries.c.card_id == parameter("card_id")
)

CHECKLIST = sa.select(checklists).where(
    checklists.c.id == parameter("id"), checklists.c.card_id == parameter("card_id")
)

CHECKLIST_ITEMS = (
    sa.select(checklist_items)
    .join(checklists, checklists.c.id == checklist_items.c.checklist_id)
    .where(checklists.c.card_id == parameter("card_id"))
    .order_by(checklists.c.rank, checklist_items.c.position)
)

CHECKLISTS = sa.select(checklists).where(checklists.c.card_id == parameter("card_id")).order_by(checklists.c.rank)

_COMMENTS = sa.select(*(column for column in comments.c if column.name != "search"))

COMMENT = _COMMENTS.where(comments.c.id == parameter("id"), comments.c.card_id == parameter("card_id"))


@cache
def select_comments(*, continued: bool) -> sa.Select[Any]:
    """Select a page of the comments of a card, newest first; `continued` below an id."""
    page = _COMMENTS.where(comments.c.card_id == parameter("card_id"))
    if continued:
        page = page.where(comments.c.id < parameter("after_id"))
    return page.order_by(comments.c.id.desc()).limit(parameter("limit"))


def _card_is_live(card_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return sa.select(cards.c.id).where(cards.c.id == card_id, cards.c.deleted_at.is_(None), LIST_IS_LIVE).exists()


def _select_parts(table: sa.Table, columns: sa.Select[Any], *, of_card: bool) -> sa.Select[Any]:
    """Select the parts of a board or of a card after an id, with whether their cards are live."""
    # Without statistics, SQLite would look for a card's parts among all of the board.
    board_id = avoid_index(table.c.board_id) if of_card else table.c.board_id
    parts = columns.add_columns(_card_is_live(table.c.card_id).label("is_live")).where(
        board_id == parameter("board_id"), table.c.id > parameter("after_id")
    )
    return parts.where(table.c.card_id == parameter("card_id")) if of_card else parts


@cache
def select_comments_of_board(*, of_card: bool) -> sa.Select[Any]:
    """Select a page of the comments of a board, or of a card, by id, with whether their cards are live."""
    page = _select_parts(comments, _COMMENTS, of_card=of_card)
    return page.order_by(comments.c.id).limit(parameter("limit"))


@cache
def select_checklists_of_board(*, of_card: bool) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Select a page of the checklists of a board, or all of a card, which has few; and their items, in no order."""
    page = _select_parts(checklists, sa.select(checklists), of_card=of_card)
    if not of_card:
        page = page.order_by(checklists.c.id).limit(parameter("limit"))
    selected = page.subquery("page")
    items = sa.select(checklist_items).select_from(
        selected.join(checklist_items, checklist_items.c.checklist_id == selected.c.id)
    )
    return page, items


CARD_RANKS = (
    sa.select(cards.c.id, cards.c.rank, sa.or_(cards.c.deleted_at.is_not(None), cards.c.archived_at.is_not(None)))
    .where(cards.c.list_id == parameter("list_id"), cards.c.board_id == parameter("board_id"))
    .order_by(cards.c.rank)
)


# Time entries of a board


_ENTRY = time_entries.alias("entry")


@cache
def select_time_entries_with_cards(*, continued: bool) -> sa.Select[Any]:
    """Select a page of the time entries that overlap a period, with their cards, by end; `continued` after an entry."""
    page = sa.select(*_ENTRY.c, *SELECTED_CARD_COLUMNS).select_from(
        _ENTRY.join(CARDS_WITH_RUNNING_ENTRY, _ENTRY.c.card_id == cards.c.id)
    )
    return _select_overlapping_entries(page, continued=continued)


@cache
def select_worked_time(*, continued: bool) -> sa.Select[Any]:
    """Select what a time report needs of the time entries that `select_time_entries_with_cards` selects."""
    page = sa.select(
        *(_ENTRY.c[name] for name in ("id", "ended_at", "started_at", "user_id", "rate_minor")),
        cards.c.list_id,
        _LABEL_IDS,
    ).select_from(_ENTRY.join(cards, _ENTRY.c.card_id == cards.c.id))
    return _select_overlapping_entries(page, continued=continued)


def _select_overlapping_entries(page: sa.Select[Any], *, continued: bool) -> sa.Select[Any]:
    entry, end = _ENTRY, effective_end(_ENTRY)
    page = page.where(
        entry.c.board_id == parameter("board_id"),
        entry.c.started_at < parameter("until"),
        # The previous page was already past the start of the period. The condition on the pair of keys below is not
        # enough: SQLite can't look a pair up in an index on an expression.
        end >= parameter("after_ended_at") if continued else end > parameter("since"),
        cards.c.deleted_at.is_(None),
        LIST_IS_LIVE,
    )
    if continued:
        page = page.where(sa.tuple_(end, entry.c.id) > sa.tuple_(parameter("after_ended_at"), parameter("after_id")))
    return page.order_by(end, entry.c.id).limit(parameter("limit"))


# Idempotency


RECORD_KEY_MATCHES = sa.and_(
    idempotency_records.c.user_id == parameter("user_id"),
    idempotency_records.c.operation_id == parameter("operation_id"),
    idempotency_records.c.key == parameter("key"),
)

IDEMPOTENCY_RECORD = sa.select(idempotency_records).where(
    RECORD_KEY_MATCHES, idempotency_records.c.expires_at > parameter("now")
)
