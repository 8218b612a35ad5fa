"""Every query that a SQL store runs, with all its filters and orders: what plans are looked at for."""

import itertools
from typing import Any

import sqlalchemy as sa

from kanban.store import CardSort, CardState
from stores.sql import deleted_statements, read_statements, user_statements

FLAGS = [False, True]
DUE_FILTERS: read_statements.FilterNames = frozenset({"due_from", "due_until", "overdue_at"})
_BOARD_QUERY_PREFIXES = (
    *("ANY_CARD", "CARD", "CHECKLIST", "COMMENT", "DELETED_LIST", "EVENTS", "LABELS", "LISTS", "MEMBERS"),
    *(
        "CARD_RANKS",
        "NEXT_RANK",
        "TIME_ENTRY",
        "cards_",
        "select_comments",
        "deleted_lists_page",
        "select_time_entries",
    ),
    "select_time_entries_with_cards",
)
"""What the names of those begin with that are only run for members of a board."""

FILTER_SETS: list[read_statements.FilterNames] = [
    frozenset(),
    frozenset({"q"}),
    frozenset({"label_id", "assignee_id"}),
    DUE_FILTERS | {"updated_since"},
]


def list_queries(*, use_lateral: bool) -> dict[str, sa.Select[Any]]:
    """Each of them by a name; `lateral` is how PostgreSQL puts cards in order, and SQLite can't."""
    found = _list_unrestricted_queries(use_lateral=use_lateral)
    if not use_lateral:
        return found
    of_board = {name: query for name, query in found.items() if name.startswith(_BOARD_QUERY_PREFIXES)}
    return found | {
        f"{name} for a member": read_statements.restrict_to_member(query) for name, query in of_board.items()
    }


def _list_unrestricted_queries(*, use_lateral: bool) -> dict[str, sa.Select[Any]]:
    return {
        **{
            name: value
            for name, value in (*vars(read_statements).items(), *vars(user_statements).items())
            if isinstance(value, sa.Select) and name[0].isupper()
        },
        **{f"NEXT_RANK {side}": query for side, query in read_statements.NEXT_RANK.items()},
        **{f"tokens_page {flag}": user_statements.select_tokens(continued=flag) for flag in FLAGS},
        **{
            f"boards_page {archived} {flag}": read_statements.select_boards(archived=archived, continued=flag)
            for archived, flag in itertools.product(FLAGS, FLAGS)
        },
        **{f"deleted_boards_page {flag}": deleted_statements.select_deleted_boards(continued=flag) for flag in FLAGS},
        **{f"deleted_lists_page {flag}": deleted_statements.select_deleted_lists(continued=flag) for flag in FLAGS},
        **{f"select_time_entries {flag}": read_statements.select_time_entries(continued=flag) for flag in FLAGS},
        **{f"select_comments {flag}": read_statements.select_comments(continued=flag) for flag in FLAGS},
        **{
            f"select_time_entries_with_cards {flag}": read_statements.select_time_entries_with_cards(continued=flag)
            for flag in FLAGS
        },
        **{
            f"select_assigned_cards {sorted(filters)} {flag} {part}": query
            for filters, flag in itertools.product([frozenset(), DUE_FILTERS | {"status"}], FLAGS)
            for part, query in enumerate(read_statements.select_assigned_cards(filters, continued=flag))
        },
        **{
            f"select_cards_by_position {shelf} {sorted(filters)}": read_statements.select_cards_by_position(
                shelf, filters, use_lateral=use_lateral
            )
            for shelf, filters in itertools.product(CardState, FILTER_SETS)
        },
        "select_cards_by_position of those deleted since": read_statements.select_cards_by_position(
            CardState.DELETED, frozenset({"deleted_since"}), use_lateral=use_lateral
        ),
        **{
            f"select_cards {scope} {sort} {sorted(filters)} {continued}": read_statements.select_cards(
                scope, sort, CardState.ACTIVE, filters, continued=continued
            )
            for scope, sort, filters, continued in itertools.product(
                read_statements.CARD_SCOPES, CardSort, FILTER_SETS, FLAGS
            )
            if sort is not CardSort.POSITION or scope == "list"
        },
    }
