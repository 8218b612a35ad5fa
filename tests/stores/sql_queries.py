"""The queries that a SQL store runs, except pages of cards, so that tests can check the plans.

`test_flat_listings.py` checks those of pages of cards, and all others of a listing once more.
"""

from typing import Any

import sqlalchemy as sa

from stores.sql import (
    audit_log,
    feed_readers,
    flow_segments,
    invitations,
    jobs,
    read_statements,
    sign_in,
    text_statements,
    user_statements,
    webhooks,
)

FLAGS = [False, True]
_BOARD_QUERY_PREFIXES = (
    *("ANY_CARD", "CARD", "CHECKLIST", "COMMENT", "DELETED_LIST", "LABELS", "LISTS", "MEMBERS"),
    *("CARD_RANKS", "NEXT_RANK", "TIME_ENTRY", "select_comments", "select_deleted_lists"),
    *("select_events", "select_time_entries", "select_worked_time", "select_checklists_of_board"),
)
"""The beginnings of the names of those queries that are restricted to members of a board."""


def list_queries(*, for_members: bool) -> dict[str, sa.Select[Any]]:
    """Return the queries by a name; `for_members` as PostgreSQL runs those of a board, too."""
    queries = _list_unrestricted_queries()
    if not for_members:
        return queries
    return queries | {
        f"{name} for a member": read_statements.restrict_to_member(query)
        for name, query in queries.items()
        if name.startswith(_BOARD_QUERY_PREFIXES)
    }


def _list_unrestricted_queries() -> dict[str, sa.Select[Any]]:
    return {
        **{
            name: value
            for module in (
                *(read_statements, user_statements, feed_readers, webhooks, sign_in, invitations, audit_log),
                *(jobs, flow_segments, text_statements),
            )
            for name, value in vars(module).items()
            if isinstance(value, sa.Select) and name[0].isupper()
        },
        **{f"NEXT_RANK {side}": query for side, query in read_statements.NEXT_RANK.items()},
        **{f"BOARDS {archived}": query for archived, query in read_statements.BOARDS.items()},
        **{
            f"select_deleted_lists {continued}": read_statements.select_deleted_lists(continued=continued)
            for continued in FLAGS
        },
        **{
            f"select_events {of_card} {newest_first}": read_statements.select_events(
                of_card=of_card, newest_first=newest_first
            )
            for of_card in FLAGS
            for newest_first in FLAGS
        },
        **{
            f"select_time_entries {continued}": read_statements.select_time_entries(continued=continued)
            for continued in FLAGS
        },
        **{
            f"select_comments_of_board {of_card}": read_statements.select_comments_of_board(of_card=of_card)
            for of_card in FLAGS
        },
        **{
            f"select_checklists_of_board {of_card} {number}": query
            for of_card in FLAGS
            for number, query in enumerate(read_statements.select_checklists_of_board(of_card=of_card))
        },
        **{f"select_comments {continued}": read_statements.select_comments(continued=continued) for continued in FLAGS},
        **{
            f"select_time_entries_with_cards {continued}": read_statements.select_time_entries_with_cards(
                continued=continued
            )
            for continued in FLAGS
        },
        **{
            f"select_worked_time {continued}": read_statements.select_worked_time(continued=continued)
            for continued in FLAGS
        },
        **{
            f"select_cards_with_checklists {of_list} {number}": query
            for of_list in FLAGS
            for number, query in enumerate(read_statements.select_cards_with_checklists(of_list=of_list))
        },
    }
