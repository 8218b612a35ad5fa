"""Every query that a SQL store runs, with all its filters and sort orders, so that tests can check the plans."""

import itertools
from typing import Any

import sqlalchemy as sa

from kanban.store import CardSort, CardState
from stores.sql import read_statements, user_statements

FLAGS = [False, True]
DUE_FILTERS: read_statements.FilterNames = frozenset({"due_from", "due_until", "overdue_at"})
_BOARD_QUERY_PREFIXES = (
    *("ANY_CARD", "CARD", "CHECKLIST", "COMMENT", "DELETED_LIST", "EVENTS", "LABELS", "LISTS", "MEMBERS"),
    *("CARD_RANKS", "NEXT_RANK", "TIME_ENTRY", "select_cards", "select_comments", "select_deleted_lists"),
    "select_time_entries",
)
"""The beginnings of the names of those queries that are restricted to members of a board."""

FILTER_SETS: list[read_statements.FilterNames] = [
    frozenset(),
    frozenset({"q"}),
    frozenset({"label_id", "assignee_id"}),
    DUE_FILTERS | {"updated_since"},
]


def list_queries(*, use_lateral: bool) -> dict[str, sa.Select[Any]]:
    """Return every query by a name; with `use_lateral` as PostgreSQL runs them, else as SQLite does."""
    queries = _list_unrestricted_queries(use_lateral=use_lateral)
    if not use_lateral:
        return queries
    return queries | {
        f"{name} for a member": read_statements.restrict_to_member(query)
        for name, query in queries.items()
        if name.startswith(_BOARD_QUERY_PREFIXES)
    }


def _list_unrestricted_queries(*, use_lateral: bool) -> dict[str, sa.Select[Any]]:
    return {
        **{
            name: value
            for name, value in (*vars(read_statements).items(), *vars(user_statements).items())
            if isinstance(value, sa.Select) and name[0].isupper()
        },
        **{f"NEXT_RANK {side}": query for side, query in read_statements.NEXT_RANK.items()},
        **{f"select_tokens {continued}": user_statements.select_tokens(continued=continued) for continued in FLAGS},
        **{
            f"select_boards {archived} {continued}": read_statements.select_boards(
                archived=archived, continued=continued
            )
            for archived, continued in itertools.product(FLAGS, FLAGS)
        },
        **{
            f"select_deleted_boards {continued}": read_statements.select_deleted_boards(continued=continued)
            for continued in FLAGS
        },
        **{
            f"select_deleted_lists {continued}": read_statements.select_deleted_lists(continued=continued)
            for continued in FLAGS
        },
        **{
            f"select_time_entries {continued}": read_statements.select_time_entries(continued=continued)
            for continued in FLAGS
        },
        **{f"select_comments {continued}": read_statements.select_comments(continued=continued) for continued in FLAGS},
        **{
            f"select_time_entries_with_cards {continued}": read_statements.select_time_entries_with_cards(
                continued=continued
            )
            for continued in FLAGS
        },
        **_list_card_queries(use_lateral=use_lateral),
    }


def _list_card_queries(*, use_lateral: bool) -> dict[str, sa.Select[Any]]:
    return {
        **{
            f"select_assigned_cards {sorted(filters)} {continued} {number}": query
            for filters, continued in itertools.product([frozenset(), DUE_FILTERS | {"status"}], FLAGS)
            for number, query in enumerate(read_statements.select_assigned_cards(filters, continued=continued))
        },
        **{
            f"select_cards_by_position {state} {sorted(filters)}": read_statements.select_cards_by_position(
                state, filters, use_lateral=use_lateral
            )
            for state, filters in itertools.product(CardState, FILTER_SETS)
        },
        "select_cards_by_position deleted since a timestamp": read_statements.select_cards_by_position(
            CardState.DELETED, frozenset({"deleted_since"}), use_lateral=use_lateral
        ),
        **{
            f"select_cards_with_checklists {of_list} {number}": query
            for of_list in FLAGS
            for number, query in enumerate(read_statements.select_cards_with_checklists(of_list=of_list))
        },
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
