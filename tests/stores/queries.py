"""Every query that a SQL store runs, with all its filters and orders: what plans are looked at for."""

import itertools
from typing import Any

import sqlalchemy as sa

from kanban.store import CardSort, CardState
from stores import sql_deleted, sql_people, statements

FLAGS = [False, True]
DUE: statements.Filters = frozenset({"due_from", "due_until", "overdue_at"})
_OF_BOARD = (
    *("ANY_CARD", "CARD", "CHECKLIST", "COMMENT", "DELETED_LIST", "EVENTS", "LABELS", "LISTS", "MEMBERS"),
    *("PLACED", "RANK_BEYOND", "TIME_ENTRY", "cards_", "comments_page", "deleted_lists_page", "time_entries_page"),
    "worked_page",
)
"""What the names of those begin with that are only run for members of a board."""

FILTERS: list[statements.Filters] = [
    frozenset(),
    frozenset({"q"}),
    frozenset({"label_id", "assignee_id"}),
    DUE | {"updated_since"},
]


def queries(*, lateral: bool) -> dict[str, sa.Select[Any]]:
    """Each of them by a name; `lateral` is how PostgreSQL puts cards in order, and SQLite can't."""
    found = _queries(lateral=lateral)
    if not lateral:
        return found
    of_board = {name: query for name, query in found.items() if name.startswith(_OF_BOARD)}
    return found | {f"{name} for a member": statements.for_member(query) for name, query in of_board.items()}


def _queries(*, lateral: bool) -> dict[str, sa.Select[Any]]:
    return {
        **{
            name: value
            for name, value in (*vars(statements).items(), *vars(sql_people).items())
            if isinstance(value, sa.Select) and name[0].isupper()
        },
        **{f"RANK_BEYOND {side}": query for side, query in statements.RANK_BEYOND.items()},
        **{f"tokens_page {flag}": sql_people.tokens_page(continued=flag) for flag in FLAGS},
        **{
            f"boards_page {archived} {flag}": statements.boards_page(archived=archived, continued=flag)
            for archived, flag in itertools.product(FLAGS, FLAGS)
        },
        **{f"deleted_boards_page {flag}": sql_deleted.boards_page(continued=flag) for flag in FLAGS},
        **{f"deleted_lists_page {flag}": sql_deleted.lists_page(continued=flag) for flag in FLAGS},
        **{f"time_entries_page {flag}": statements.time_entries_page(continued=flag) for flag in FLAGS},
        **{f"comments_page {flag}": statements.comments_page(continued=flag) for flag in FLAGS},
        **{f"worked_page {flag}": statements.worked_page(continued=flag) for flag in FLAGS},
        **{
            f"assigned_page {sorted(filters)} {flag} {part}": query
            for filters, flag in itertools.product([frozenset(), DUE | {"status"}], FLAGS)
            for part, query in enumerate(statements.assigned_page(filters, continued=flag))
        },
        **{
            f"cards_in_order {shelf} {sorted(filters)}": statements.cards_in_order(shelf, filters, lateral=lateral)
            for shelf, filters in itertools.product(CardState, FILTERS)
        },
        "cards_in_order of those deleted since": statements.cards_in_order(
            CardState.DELETED, frozenset({"deleted_since"}), lateral=lateral
        ),
        **{
            f"cards_page {scope} {sort} {sorted(filters)} {continued}": statements.cards_page(
                scope, sort, CardState.ACTIVE, filters, continued=continued
            )
            for scope, sort, filters, continued in itertools.product(statements.CARD_SCOPES, CardSort, FILTERS, FLAGS)
            if sort is not CardSort.POSITION or scope == "list"
        },
    }
