"""The statements for pages of cards: those of a board, of a list or at a stage, and those assigned to a user.

A page costs about the same however many cards there are. Its cards are read in their order from an index, and filtered
on the way. A filter that leaves few cards of many would make that a long way: then those few are read from the filter's
own index and sorted. `count_candidates` counts them.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from kanban.card_filters import COMPARISONS, OPERATORS
from kanban.store import CardSort, CardState
from stores.sql.read_statements import (
    CARDS_WITH_RUNNING_ENTRY,
    LIST_IS_LIVE,
    MAX_ID,
    MAX_SCANNED,
    SELECTED_CARD_COLUMNS,
    avoid_index,
    select_or_empty,
    select_row_after,
)
from stores.sql.statement_cache import parameter
from stores.sql.tables import (
    boards,
    can_be_overdue,
    card_assignees,
    card_labels,
    card_state,
    cards,
    comments,
    has_state,
    labels,
    lists,
    members,
)

CardScope = Literal["list", "board", "status"]
CARD_SCOPES: tuple[CardScope, ...] = ("list", "board", "status")

FilterNames = frozenset[str]
"""The names of the filters of a query: those fields of a `CardQuery` that are not None."""

MAX_CANDIDATES = 500
"""The most cards that are sorted for a page.

If more match, a page finds enough of them within a short part of the index that has its order.
"""

_CARDS = sa.select(*SELECTED_CARD_COLUMNS).select_from(CARDS_WITH_RUNNING_ENTRY)

_SORT_COLUMNS: dict[CardSort, tuple[sa.Column[Any], ...]] = {
    CardSort.POSITION: (cards.c.rank,),
    CardSort.OLDEST: (cards.c.id,),
    CardSort.NEWEST: (cards.c.id,),
    CardSort.LEAST_RECENTLY_UPDATED: (cards.c.updated_at, cards.c.id),
    CardSort.MOST_RECENTLY_UPDATED: (cards.c.updated_at, cards.c.id),
    CardSort.DUE_FIRST: (cards.c.due_at, cards.c.id),
    CardSort.DUE_LAST: (cards.c.due_at, cards.c.id),
}

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


# Filters


_ASSIGNED_MEMBER_ID = (
    sa.select(members.c.id)
    .where(members.c.board_id == parameter("board_id"), members.c.user_id == parameter("assignee_id"))
    .scalar_subquery()
)

_FILTERS: Mapping[str, sa.ColumnElement[bool]] = {
    "status": cards.c.status == parameter("status"),
    "q": sa.or_(
        cards.c.search.like(parameter("pattern"), escape="/"),
        # Not EXISTS, here and below: PostgreSQL would collect all rows that match, those of other boards too.
        sa.select(comments.c.card_id)
        .where(comments.c.card_id == cards.c.id, comments.c.search.like(parameter("pattern"), escape="/"))
        .limit(sa.literal_column("1"))
        .correlate(cards)
        .scalar_subquery()
        .is_not(None),
    ),
    "label_id": sa.select(card_labels.c.card_id)
    .where(card_labels.c.card_id == cards.c.id, card_labels.c.label_id == parameter("label_id"))
    .limit(sa.literal_column("1"))
    .correlate(cards)
    .scalar_subquery()
    .is_not(None),
    "assignee_id": sa.select(card_assignees.c.card_id)
    .where(
        card_assignees.c.card_id == cards.c.id,
        card_assignees.c.member_id == _ASSIGNED_MEMBER_ID,
    )
    .limit(sa.literal_column("1"))
    .correlate(cards)
    .scalar_subquery()
    .is_not(None),
}
_COMPARISONS = {comparison.name: comparison for comparison in COMPARISONS}


def _filter_condition(
    name: str, table: sa.FromClause = cards, indexed: sa.Column[Any] | None = None
) -> sa.ColumnElement[bool]:
    """Return the condition of a filter. Only a comparison of the `indexed` column may use an index."""
    if name not in _COMPARISONS:
        return _FILTERS[name]
    comparison = _COMPARISONS[name]
    column = table.c[comparison.field]
    value = column if indexed is not None and indexed.name == column.name else avoid_index(column)
    condition: sa.ColumnElement[bool] = OPERATORS[comparison.sign](value, parameter(name))
    return sa.and_(condition, can_be_overdue(table)) if name == "overdue_at" else condition


# Pages in the order of an index


@cache
def select_cards(
    scope: CardScope,
    sort: CardSort,
    state: CardState,
    filters: FilterNames,
    *,
    continued: bool,
    with_archived_lists: bool = False,
) -> sa.Select[Any]:
    """Select a page of the cards of a list, a board or a stage of a board; `continued` after the sort keys of a card.

    By position, only those of one list: `select_cards_by_position` selects those of several.
    """
    keys = _SORT_COLUMNS[sort]
    page = _CARDS.where(
        has_state(cards, state),
        *_SCOPE_CONDITIONS[scope],
        *(_filter_condition(name, indexed=keys[0]) for name in sorted(filters)),
    )
    if scope != "list":
        page = page.where(_LIST_IS_ACTIVE if state == CardState.ACTIVE and not with_archived_lists else LIST_IS_LIVE)
    if keys[0] is cards.c.due_at:
        page = page.where(cards.c.due_at.is_not(None))
    if continued:
        page = page.where(_is_after(sort, keys))
    return page.order_by(*_order(sort, keys)).limit(parameter("limit"))


def _is_after(sort: CardSort, keys: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
    """Return the condition for cards whose sort keys are after those of another one, which are parameters."""
    after_keys = [parameter(f"after_{column.name}") for column in _SORT_COLUMNS[sort]]
    position = sa.tuple_(*keys) if len(keys) > 1 else keys[0]
    after = sa.tuple_(*after_keys) if len(keys) > 1 else after_keys[0]
    return position < after if sort.startswith("-") else position > after


def _order(sort: CardSort, keys: Sequence[sa.ColumnElement[Any]]) -> Iterator[sa.ColumnElement[Any]]:
    return (key.desc() if sort.startswith("-") else key for key in keys)


@cache
def select_cards_by_position(state: CardState, filters: FilterNames, *, use_lateral: bool) -> sa.Select[Any]:
    """Select a page of the cards of a board's lists, or of those at a stage, list by list, after a position.

    A position is the rank of a list, its id, and the rank of a card in it; '' for the first page. The list may have
    been moved since: its present rank counts. `use_lateral` reads no more cards of a list than the page needs, for an
    engine that would otherwise read a whole list to sort it.
    """
    card_conditions = [
        cards.c.list_id == lists.c.id,
        has_state(cards, state),
        *(_filter_condition(name) for name in sorted(filters - {"status"})),
        cards.c.rank > _AFTER_RANK,
    ]
    if use_lateral:
        page = _CARDS.where(*card_conditions).order_by(cards.c.rank).limit(parameter("limit"))
        cards_of_list = page.correlate(lists).lateral("page")
        query = sa.select(*cards_of_list.c).select_from(lists.join(cards_of_list, sa.true()))
        rank = cards_of_list.c.rank
    else:
        query = (
            sa.select(*SELECTED_CARD_COLUMNS)
            .select_from(lists.join(CARDS_WITH_RUNNING_ENTRY, sa.true()))
            .where(*card_conditions)
        )
        rank = cards.c.rank
    return (
        query.where(
            lists.c.board_id == parameter("board_id"),
            lists.c.rank >= _AFTER_LIST_RANK,
            *_list_conditions(state),
            *([lists.c.stage == parameter("status")] if "status" in filters else []),
        )
        .order_by(lists.c.rank, rank)
        .limit(parameter("limit"))
    )


_LAST_LIST = lists.alias("last_list")
_AFTER_LIST_RANK = sa.func.coalesce(
    sa.select(_LAST_LIST.c.rank)
    .where(_LAST_LIST.c.id == parameter("after_list_id"), _LAST_LIST.c.deleted_at.is_(None))
    .scalar_subquery(),
    parameter("after_list_rank"),
)
_AFTER_RANK = sa.case(
    (lists.c.id == parameter("after_list_id"), parameter("after_rank")), else_=sa.literal_column("''")
)


def _list_conditions(state: CardState) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for the lists of a board whose cards of that state are listed."""
    is_live = lists.c.deleted_at.is_(None)
    return [is_live, lists.c.archived_at.is_(None)] if state == CardState.ACTIVE else [is_live]


# Pages of few cards, sorted

Narrowing = Literal["label_id", "assignee_id", "due_at", "updated_at"]
"""What leaves few cards of a board: a label, an assignee, or the filters that compare one of these columns."""

_SORT_COLUMN_NAMES = {sort: keys[0].name for sort, keys in _SORT_COLUMNS.items()}


def list_narrowings(sort: CardSort, filters: FilterNames) -> list[Narrowing]:
    """Return what may leave few cards of a board, except what the order of the page finds by itself."""
    compared = {_COMPARISONS[name].field for name in filters & _COMPARISONS.keys()} - {_SORT_COLUMN_NAMES[sort]}
    narrowings: tuple[Narrowing, ...] = ("label_id", "assignee_id", "due_at", "updated_at")
    return [narrowing for narrowing in narrowings if narrowing in filters | compared]


@cache
def count_candidates(narrowing: Narrowing, state: CardState, filters: FilterNames) -> sa.Select[Any]:
    """Count the cards that a narrowing leaves, up to a parameter."""
    candidates = _select_candidates(narrowing, state, filters).limit(parameter("max_count"))
    return sa.select(sa.func.count()).select_from(candidates.subquery("candidate"))


@cache
def select_narrowed_cards(
    narrowing: Narrowing, scope: CardScope, sort: CardSort, state: CardState, filters: FilterNames, *, continued: bool
) -> sa.Select[Any]:
    """Select the page that `select_cards` or `select_cards_by_position` selects, by sorting the cards of a narrowing.

    By position of several lists, it is always `continued`.
    """
    candidate = _select_candidates(narrowing, state, filters).subquery("candidate")
    # Cards are found by the ids of the candidates, and lists by those of the cards: no other index may be used.
    tables = candidate.join(cards, cards.c.id == candidate.c.id).join(lists, lists.c.id == avoid_index(cards.c.list_id))
    keys = [avoid_index(column) for column in _SORT_COLUMNS[sort]]
    conditions = [
        avoid_index(card_state(cards)) == sa.literal_column(f"'{state}'"),
        *(_filter_condition(name) for name in sorted(filters - {"status"})),
        lists.c.board_id == parameter("board_id"),
    ]
    if "status" in filters:
        conditions.append(lists.c.stage == parameter("status"))
    conditions += [lists.c.id == parameter("list_id")] if scope == "list" else _list_conditions(state)
    if _SORT_COLUMNS[sort][0] is cards.c.due_at:
        conditions.append(keys[0].is_not(None))
    if sort == CardSort.POSITION and scope != "list":
        keys = [avoid_index(lists.c.rank), *keys]
        conditions += [keys[0] >= _AFTER_LIST_RANK, keys[1] > _AFTER_RANK]
    elif continued:
        conditions.append(_is_after(sort, keys))
    # Texts, labels and the like are read for the cards of the page only.
    page = (
        sa.select(cards.c.id.label("card_id"), *(key.label(f"key_{number}") for number, key in enumerate(keys)))
        .select_from(tables)
        .where(*conditions)
        .order_by(*_order(sort, keys))
        .limit(parameter("limit"))
        .subquery("page")
    )
    return (
        sa.select(*SELECTED_CARD_COLUMNS)
        .select_from(page.join(CARDS_WITH_RUNNING_ENTRY, cards.c.id == page.c.card_id))
        .order_by(*_order(sort, [page.c[f"key_{number}"] for number in range(len(keys))]))
    )


def _select_candidates(narrowing: Narrowing, state: CardState, filters: FilterNames) -> sa.Select[Any]:
    """Select the ids of the cards that a narrowing leaves, from its index. Those of a label may be on any board."""
    if narrowing == "label_id":
        return sa.select(card_labels.c.card_id.label("id")).where(card_labels.c.label_id == parameter("label_id"))
    if narrowing == "assignee_id":
        return sa.select(card_assignees.c.card_id.label("id")).where(card_assignees.c.member_id == _ASSIGNED_MEMBER_ID)
    dated = cards.alias("dated")
    names = [name for name in sorted(filters & _COMPARISONS.keys()) if _COMPARISONS[name].field == narrowing]
    return sa.select(dated.c.id).where(
        dated.c.board_id == parameter("board_id"),
        has_state(dated, state),
        dated.c[narrowing].is_not(None),
        *(_filter_condition(name, dated, indexed=dated.c[narrowing]) for name in names),
    )


# Cards assigned to a user


_MAX_ID: sa.ColumnElement[str] = sa.literal_column(f"'{MAX_ID}'")
_MEMBER = members.alias("member")
_BOARD = boards.alias("board")
_ASSIGNED_CARDS = CARDS_WITH_RUNNING_ENTRY.join(card_assignees, card_assignees.c.card_id == cards.c.id)


_SCANNED = members.alias("scanned")
LAST_SCANNED_MEMBERSHIP = select_row_after(
    MAX_SCANNED - 1,
    sa.select(_SCANNED.c.board_id)
    .where(_SCANNED.c.user_id == parameter("user_id"), _SCANNED.c.board_id <= parameter("after_board_id"))
    .order_by(_SCANNED.c.board_id.desc()),
)
"""The board of the last membership that is looked through for a page; no row if all of them are."""


class _Memberships(NamedTuple):
    """The tables from `_MEMBER` on, and conditions, that say on which boards assigned cards are looked for."""

    tables: sa.FromClause
    conditions: Sequence[sa.ColumnElement[bool]]


@cache
def select_last_scanned_assignment(*, use_lateral: bool) -> sa.Select[Any]:
    """Select board and card of the last assignment that is looked through for a page; no row if all of them are."""
    query = _select_by_board(
        (_MEMBER.c.board_id, card_assignees.c.card_id),
        _Memberships(_MEMBER, (_MEMBER.c.board_id >= select_or_empty(LAST_SCANNED_MEMBERSHIP),)),
        card_assignees,
        (),
        lateral_limit=sa.literal_column(str(MAX_SCANNED)) if use_lateral else None,
    )
    return select_row_after(MAX_SCANNED - 1, query)


@cache
def select_assigned_cards(filters: FilterNames, *, use_lateral: bool) -> tuple[sa.Select[Any], ...]:
    """Select a page of the cards assigned to a user; and their boards, with lists, members and labels, in no order.

    The page begins after a board and a card on it, and ends with another such pair, both of which are parameters.
    """
    memberships = _Memberships(
        _MEMBER.join(_BOARD, _BOARD.c.id == _MEMBER.c.board_id),
        (
            _MEMBER.c.board_id >= parameter("last_board_id"),
            _BOARD.c.deleted_at.is_(None),
            _BOARD.c.archived_at.is_(None),
        ),
    )
    conditions = (
        card_assignees.c.card_id
        <= sa.case((_MEMBER.c.board_id == parameter("last_board_id"), parameter("last_id")), else_=_MAX_ID),
        cards.c.deleted_at.is_(None),
        cards.c.archived_at.is_(None),
        _LIST_IS_ACTIVE,
        *(_filter_condition(name) for name in sorted(filters)),
    )

    def select_page(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        lateral_limit = parameter("limit") if use_lateral else None
        page = _select_by_board(columns, memberships, _ASSIGNED_CARDS, conditions, lateral_limit=lateral_limit)
        return page.limit(parameter("limit"))

    on_boards = sa.select(select_page(_MEMBER.c.board_id).subquery("page").c.board_id)
    return (
        select_page(*SELECTED_CARD_COLUMNS),
        sa.select(boards, members.c.role).where(
            boards.c.id.in_(on_boards),
            members.c.board_id == boards.c.id,
            members.c.user_id == parameter("user_id"),
        ),
        sa.select(lists).where(lists.c.board_id.in_(on_boards), lists.c.deleted_at.is_(None)),
        sa.select(members).where(members.c.board_id.in_(on_boards)),
        sa.select(labels).where(labels.c.board_id.in_(on_boards)),
    )


def _select_by_board(
    columns: Sequence[sa.ColumnElement[Any]],
    memberships: _Memberships,
    assignments: sa.FromClause,
    conditions: Sequence[sa.ColumnElement[bool]],
    *,
    lateral_limit: sa.ColumnElement[int] | None,
) -> sa.Select[Any]:
    """Select columns of the assignments of a user after a board and a card: newest board first, oldest card first.

    With a `lateral_limit`, that many assignments at most are read of each board, for an engine that sorts them.
    """
    board_conditions = (
        _MEMBER.c.user_id == parameter("user_id"),
        _MEMBER.c.board_id <= parameter("after_board_id"),
        *memberships.conditions,
    )
    conditions = (
        card_assignees.c.member_id == _MEMBER.c.id,
        card_assignees.c.card_id
        > sa.case(
            (_MEMBER.c.board_id == parameter("after_board_id"), parameter("after_id")), else_=sa.literal_column("''")
        ),
        *conditions,
    )
    if lateral_limit is None:
        query = sa.select(*columns).select_from(memberships.tables.join(assignments, sa.true())).where(*conditions)
        card_id: sa.ColumnElement[str] = card_assignees.c.card_id
    else:
        of_board = (
            sa.select(card_assignees.c.card_id.label("assigned_id"), *columns)
            .select_from(assignments)
            .where(*conditions)
            .order_by(card_assignees.c.card_id)
            .limit(lateral_limit)
            .correlate(_MEMBER, _BOARD)
            .lateral("page")
        )
        card_id, *page_columns = of_board.c
        query = sa.select(*page_columns).select_from(memberships.tables.join(of_board, sa.true()))
    return query.where(*board_conditions).order_by(_MEMBER.c.board_id.desc(), card_id)
