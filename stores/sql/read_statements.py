"""The statements that read boards and what is on them: see `stores.sql.statement_cache` for how they are run."""

from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from kanban.card_filters import COMPARISONS, OPERATORS
from kanban.store import CardSort, CardState
from stores.sql.mapping import CARD_COLUMNS, RUNNING_ENTRY_COLUMNS
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
    idempotency_records,
    labels,
    lists,
    members,
    time_entries,
)

CardScope = Literal["list", "board", "status"]
CARD_SCOPES: tuple[CardScope, ...] = ("list", "board", "status")

# Boards


ANY_BOARD = sa.select(boards, members.c.role).where(
    boards.c.id == parameter("board_id"),
    members.c.board_id == boards.c.id,
    members.c.user_id == parameter("user_id"),
)

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

LABELS = sa.select(labels).where(labels.c.board_id == parameter("board_id")).order_by(labels.c.id)

DELETED_LIST = sa.select(lists).where(
    lists.c.board_id == parameter("board_id"), lists.c.id == parameter("list_id"), lists.c.deleted_at.is_not(None)
)

BOARD_ID_BY_EXTERNAL_ID = sa.select(boards.c.id).where(
    boards.c.created_by == parameter("user_id"),
    boards.c.external_id == parameter("external_id"),
    boards.c.deleted_at.is_(None),
)

LISTS = (
    sa.select(lists)
    .where(lists.c.board_id == parameter("board_id"), lists.c.deleted_at.is_(None))
    .order_by(lists.c.rank)
)


@cache
def select_boards(*, archived: bool, continued: bool) -> sa.Select[Any]:
    """Select a page of a user's live boards with the user's role, newest first; `continued` below an id."""
    is_archived = boards.c.archived_at.is_not(None) if archived else boards.c.archived_at.is_(None)
    return _select_boards_where(boards.c.deleted_at.is_(None), is_archived, continued=continued)


@cache
def select_deleted_boards(*, continued: bool) -> sa.Select[Any]:
    """Select a page of the boards deleted since a timestamp on which the user has a role; `continued` below an id."""
    is_recent, has_role = boards.c.deleted_at >= parameter("since"), members.c.role == parameter("role")
    return _select_boards_where(is_recent, has_role, continued=continued)


def _select_boards_where(*conditions: sa.ColumnElement[bool], continued: bool) -> sa.Select[Any]:
    """Select a page of a user's boards under conditions, with the user's role, newest first; `continued` as above."""
    page = (
        sa.select(boards, members.c.role)
        .join(members, members.c.board_id == boards.c.id)
        .where(members.c.user_id == parameter("user_id"), *conditions)
    )
    if continued:
        page = page.where(members.c.board_id < parameter("after_id"))
    return page.order_by(members.c.board_id.desc()).limit(parameter("limit"))


@cache
def select_deleted_lists(*, continued: bool) -> sa.Select[Any]:
    """Select a page of the lists of a board deleted since a timestamp, newest first; `continued` below an id."""
    page = sa.select(lists).where(lists.c.board_id == parameter("board_id"), lists.c.deleted_at >= parameter("since"))
    if continued:
        page = page.where(lists.c.id < parameter("after_id"))
    return page.order_by(lists.c.id.desc()).limit(parameter("limit"))


EVENTS = (
    sa.select(events)
    .where(events.c.board_id == parameter("board_id"), events.c.seq > parameter("after_seq"))
    .order_by(events.c.seq)
    .limit(parameter("limit"))
)


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

_AGGREGATES = (
    _aggregate_for_card(card_labels.c.label_id, " ", "label_ids", card_labels),
    _aggregate_for_card(card_assignees.c.member_id, " ", "member_ids", card_assignees),
    _aggregate_for_card(
        sa.cast(card_links.c.position, sa.Text) + SPACE + card_links.c.url + SPACE + card_links.c.title,
        "\n",
        "links",
        card_links,
    ),
)

_CARD_COLUMNS = (
    *(cards.c[name] for name in CARD_COLUMNS),
    *(time_entries.c[name] for name in RUNNING_ENTRY_COLUMNS),
    *_AGGREGATES,
)
_WITH_RUNNING_ENTRY = cards.outerjoin(
    time_entries, sa.and_(time_entries.c.card_id == cards.c.id, time_entries.c.ended_at.is_(None))
)
_CARDS = sa.select(*_CARD_COLUMNS).select_from(_WITH_RUNNING_ENTRY)

CARD = _CARDS.where(
    cards.c.id == parameter("card_id"), cards.c.board_id == parameter("board_id"), cards.c.deleted_at.is_(None)
)

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

LIST_IS_LIVE = sa.select(lists.c.id).where(lists.c.id == cards.c.list_id, lists.c.deleted_at.is_(None)).exists()
_LIST_IS_ACTIVE = (
    sa.select(lists.c.id)
    .where(lists.c.id == cards.c.list_id, lists.c.deleted_at.is_(None), lists.c.archived_at.is_(None))
    .exists()
)

_SCOPE_CONDITIONS = {
    "list": (cards.c.list_id == parameter("list_id"),),
    "board": (cards.c.board_id == parameter("board_id"),),
    "status": (cards.c.board_id == parameter("board_id"), cards.c.status == parameter("status")),
}

_STATE_CONDITIONS = {
    CardState.ACTIVE: (cards.c.deleted_at.is_(None), cards.c.archived_at.is_(None)),
    CardState.ARCHIVED: (cards.c.deleted_at.is_(None), cards.c.archived_at.is_not(None)),
    CardState.DELETED: (cards.c.deleted_at.is_not(None),),
}

_SORT_COLUMNS: dict[CardSort, tuple[sa.Column[Any], ...]] = {
    CardSort.POSITION: (cards.c.rank,),
    CardSort.OLDEST: (cards.c.id,),
    CardSort.NEWEST: (cards.c.id,),
    CardSort.LEAST_RECENTLY_UPDATED: (cards.c.updated_at, cards.c.id),
    CardSort.MOST_RECENTLY_UPDATED: (cards.c.updated_at, cards.c.id),
    CardSort.DUE_FIRST: (cards.c.due_at, cards.c.id),
    CardSort.DUE_LAST: (cards.c.due_at, cards.c.id),
}

FilterNames = frozenset[str]
"""The names of the filters of a query: keys of `_FILTER_CONDITIONS`."""

_FILTER_CONDITIONS: dict[str, sa.ColumnElement[bool]] = {
    "status": cards.c.status == parameter("status"),
    "q": sa.or_(
        cards.c.search.like(parameter("pattern"), escape="/"),
        # Not EXISTS: PostgreSQL would collect all comments that match, those of other boards too.
        sa.select(comments.c.card_id)
        .where(comments.c.card_id == cards.c.id, comments.c.search.like(parameter("pattern"), escape="/"))
        .limit(sa.literal_column("1"))
        .correlate(cards)
        .scalar_subquery()
        .is_not(None),
    ),
    "label_id": sa.select(card_labels.c.card_id)
    .where(card_labels.c.card_id == cards.c.id, card_labels.c.label_id == parameter("label_id"))
    .correlate(cards)
    .exists(),
    "assignee_id": sa.select(card_assignees.c.card_id)
    .join(members, members.c.id == card_assignees.c.member_id)
    .where(card_assignees.c.card_id == cards.c.id, members.c.user_id == parameter("assignee_id"))
    .correlate(cards)
    .exists(),
    **{
        comparison.name: OPERATORS[comparison.sign](cards.c[comparison.field], parameter(comparison.name))
        for comparison in COMPARISONS
    },
}
_FILTER_CONDITIONS["overdue_at"] = sa.and_(
    _FILTER_CONDITIONS["overdue_at"],
    ~cards.c.due_complete.is_(sa.true()),
    cards.c.status != sa.literal_column("'done'"),
)


@cache
def select_cards(
    scope: CardScope, sort: CardSort, state: CardState, filters: FilterNames, *, continued: bool
) -> sa.Select[Any]:
    """Select a page of the cards of a list, a board or a stage of a board; `continued` after the sort keys of a card.

    By position, only those of one list: `select_cards_by_position` selects those of several.
    """
    keys = _SORT_COLUMNS[sort]
    is_descending = sort.startswith("-")
    page = _CARDS.where(*_STATE_CONDITIONS[state], *_SCOPE_CONDITIONS[scope], *_filter_conditions(filters))
    if scope != "list":
        page = page.where(_LIST_IS_ACTIVE if state == CardState.ACTIVE else LIST_IS_LIVE)
    if keys[0] is cards.c.due_at:
        page = page.where(cards.c.due_at.is_not(None))
    if continued:
        position = sa.tuple_(*keys) if len(keys) > 1 else keys[0]
        after_keys = [parameter(f"after_{key.name}") for key in keys]
        after = sa.tuple_(*after_keys) if len(after_keys) > 1 else after_keys[0]
        page = page.where(position < after if is_descending else position > after)
    return page.order_by(*(key.desc() if is_descending else key for key in keys)).limit(parameter("limit"))


def _filter_conditions(filters: FilterNames) -> list[sa.ColumnElement[bool]]:
    return [_FILTER_CONDITIONS[name] for name in sorted(filters)]


@cache
def select_cards_by_position(state: CardState, filters: FilterNames, *, use_lateral: bool) -> sa.Select[Any]:
    """Select a page of the cards of a board's lists, or of those at a stage, list by list, after a position.

    A position is the rank of a list, its id, and the rank of a card in it; '' for the first page. The list may have
    been moved since: its present rank counts. `use_lateral` reads no more cards of a list than the page needs, for an
    engine that would otherwise read a whole list to sort it.
    """
    last_list = lists.alias("last_list")
    present_rank = (
        sa.select(last_list.c.rank)
        .where(last_list.c.id == parameter("after_list_id"), last_list.c.deleted_at.is_(None))
        .scalar_subquery()
    )
    list_conditions = [
        lists.c.board_id == parameter("board_id"),
        lists.c.deleted_at.is_(None),
        lists.c.rank >= sa.func.coalesce(present_rank.scalar_subquery(), parameter("after_list_rank")),
    ]
    if "status" in filters:
        list_conditions.append(lists.c.stage == parameter("status"))
    if state == CardState.ACTIVE:
        list_conditions.append(lists.c.archived_at.is_(None))
    card_conditions = [
        cards.c.list_id == lists.c.id,
        *_STATE_CONDITIONS[state],
        *_filter_conditions(filters - {"status"}),
        cards.c.rank
        > sa.case((lists.c.id == parameter("after_list_id"), parameter("after_rank")), else_=sa.literal_column("''")),
    ]
    if use_lateral:
        page = _CARDS.where(*card_conditions).order_by(cards.c.rank).limit(parameter("limit"))
        cards_of_list = page.correlate(lists).lateral("page")
        query = sa.select(*cards_of_list.c).select_from(lists.join(cards_of_list, sa.true()))
        rank = cards_of_list.c.rank
    else:
        query = (
            sa.select(*_CARD_COLUMNS).select_from(lists.join(_WITH_RUNNING_ENTRY, sa.true())).where(*card_conditions)
        )
        rank = cards.c.rank
    return query.where(*list_conditions).order_by(lists.c.rank, rank).limit(parameter("limit"))


@cache
def select_cards_with_checklists(*, of_list: bool) -> tuple[sa.Select[Any], ...]:
    """Select the active cards of a board, or of a list, by position; their checklists; and the items of these."""
    conditions = [
        lists.c.board_id == parameter("board_id"),
        lists.c.deleted_at.is_(None),
        lists.c.id == parameter("list_id") if of_list else lists.c.archived_at.is_(None),
        cards.c.list_id == lists.c.id,
        *_STATE_CONDITIONS[CardState.ACTIVE],
    ]
    position = (lists.c.rank, cards.c.rank)
    with_cards = lists.join(cards, sa.true())
    with_checklists = with_cards.join(checklists, checklists.c.card_id == cards.c.id)
    with_items = with_checklists.join(checklist_items, checklist_items.c.checklist_id == checklists.c.id)
    return (
        sa.select(*_CARD_COLUMNS)
        .select_from(lists.join(_WITH_RUNNING_ENTRY, sa.true()))
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


CARD_RANKS = (
    sa.select(cards.c.id, cards.c.rank, sa.or_(cards.c.deleted_at.is_not(None), cards.c.archived_at.is_not(None)))
    .where(cards.c.list_id == parameter("list_id"), cards.c.board_id == parameter("board_id"))
    .order_by(cards.c.rank)
)


# Time entries and cards of several cards and boards


@cache
def select_time_entries_with_cards(*, continued: bool) -> sa.Select[Any]:
    """Select a page of the time entries that overlap a period, with their cards, by end; `continued` after an entry."""
    entry = time_entries.alias("entry")
    end = effective_end(entry)
    page = (
        sa.select(*entry.c, *_CARD_COLUMNS)
        .select_from(entry.join(_WITH_RUNNING_ENTRY, entry.c.card_id == cards.c.id))
        .where(
            entry.c.board_id == parameter("board_id"),
            entry.c.started_at < parameter("until"),
            # The previous page was already past the start of the period. The condition on the pair of keys below is not
            # enough: SQLite can't look a pair up in an index on an expression.
            end >= parameter("after_ended_at") if continued else end > parameter("since"),
            cards.c.deleted_at.is_(None),
            LIST_IS_LIVE,
        )
    )
    if continued:
        page = page.where(sa.tuple_(end, entry.c.id) > sa.tuple_(parameter("after_ended_at"), parameter("after_id")))
    return page.order_by(end, entry.c.id).limit(parameter("limit"))


@cache
def select_assigned_cards(filters: FilterNames, *, continued: bool) -> tuple[sa.Select[Any], ...]:
    """Select a page of the cards assigned to a user; and their boards, with the lists, members and labels of these."""
    member = members.alias("member")
    board = boards.alias("board")
    assigned_cards = (
        _WITH_RUNNING_ENTRY.join(card_assignees, card_assignees.c.card_id == cards.c.id)
        .join(member, member.c.id == card_assignees.c.member_id)
        .join(board, board.c.id == cards.c.board_id)
    )
    conditions = [
        member.c.user_id == parameter("user_id"),
        board.c.deleted_at.is_(None),
        board.c.archived_at.is_(None),
        *_STATE_CONDITIONS[CardState.ACTIVE],
        _LIST_IS_ACTIVE,
        *_filter_conditions(filters),
    ]
    if continued:
        conditions.append(
            sa.or_(
                cards.c.board_id < parameter("after_board_id"),
                sa.and_(cards.c.board_id == parameter("after_board_id"), cards.c.id > parameter("after_id")),
            )
        )

    def select_page(*columns: Any) -> sa.Select[Any]:
        query = sa.select(*columns).select_from(assigned_cards).where(*conditions)
        return query.order_by(cards.c.board_id.desc(), cards.c.id).limit(parameter("limit"))

    on_boards = sa.select(select_page(cards.c.board_id).subquery("page").c.board_id)
    return (
        select_page(*_CARD_COLUMNS),
        sa.select(boards, members.c.role).where(
            boards.c.id.in_(on_boards),
            members.c.board_id == boards.c.id,
            members.c.user_id == parameter("user_id"),
        ),
        sa.select(lists).where(lists.c.board_id.in_(on_boards), lists.c.deleted_at.is_(None)).order_by(lists.c.rank),
        sa.select(members).where(members.c.board_id.in_(on_boards)).order_by(members.c.id),
        sa.select(labels).where(labels.c.board_id.in_(on_boards)).order_by(labels.c.id),
    )


# Idempotency


RECORD_KEY_MATCHES = sa.and_(
    idempotency_records.c.user_id == parameter("user_id"),
    idempotency_records.c.operation_id == parameter("operation_id"),
    idempotency_records.c.key == parameter("key"),
)

IDEMPOTENCY_RECORD = sa.select(idempotency_records).where(
    RECORD_KEY_MATCHES, idempotency_records.c.expires_at > parameter("now")
)
