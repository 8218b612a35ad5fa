"""The statement that counts how many bytes the texts of a board take."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from stores.sql.statement_cache import parameter
from stores.sql.tables import card_links, cards, checklist_items, checklists, comments, lists, time_entries


class _Utf8Length(FunctionElement[int]):
    """How many bytes a text takes in UTF-8."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(_Utf8Length, "sqlite")
def _compile_for_sqlite(element: _Utf8Length, compiler: SQLCompiler, **options: Any) -> str:
    # octet_length() is younger than some versions of SQLite that are in use.
    return f"length(CAST({compiler.process(element.clauses, **options)} AS BLOB))"


@compiles(_Utf8Length, "postgresql")
def _compile_for_postgresql(element: _Utf8Length, compiler: SQLCompiler, **options: Any) -> str:
    return f"octet_length({compiler.process(element.clauses, **options)})"


def _sum(*texts: sa.ColumnElement[str], of: tuple[sa.Table, ...] = ()) -> sa.ColumnElement[int]:
    """Sum what these columns take for the live cards of a board; `of` has the tables with them, below the cards."""
    source: sa.FromClause = cards.join(lists, lists.c.id == cards.c.list_id)
    for table, key in zip(of, (cards.c.id, checklists.c.id), strict=False):
        source = source.join(table, key == (table.c.card_id if key is cards.c.id else table.c.checklist_id))
    lengths = [sa.func.sum(_Utf8Length(text)) for text in texts]
    selected = sa.select(sum(lengths[1:], lengths[0])).select_from(source)
    is_live = (cards.c.board_id == parameter("board_id"), cards.c.deleted_at.is_(None), lists.c.deleted_at.is_(None))
    return sa.func.coalesce(selected.where(*is_live).scalar_subquery(), 0)


TEXT_BYTES = sa.select(
    sa.cast(
        _sum(cards.c.title, cards.c.description)
        + _sum(card_links.c.url, card_links.c.title, of=(card_links,))
        + _sum(comments.c.text, of=(comments,))
        + _sum(time_entries.c.note, of=(time_entries,))
        + _sum(checklists.c.name, of=(checklists,))
        + _sum(checklist_items.c.text, of=(checklists, checklist_items)),
        sa.BigInteger,
    )
)
"""How many bytes the texts of the live cards of a board take."""
