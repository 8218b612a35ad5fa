"""The tables: the rows that refer to a row are found by an index."""

import pytest
import sqlalchemy as sa

from stores.sql.engine import _KIND_BY_TABLE
from stores.sql.tables import metadata

# Users are never erased.
REFERENCES = {
    f"{table.name}.{'+'.join(key.column_keys)}": key
    for table in metadata.sorted_tables
    for key in table.foreign_key_constraints
    if key.referred_table.name != "users"
}


def leading_columns(table: sa.Table) -> set[str]:
    """Return the first columns of those keys and indexes of a table that hold every row."""
    keys = [key for key in table.constraints if isinstance(key, sa.PrimaryKeyConstraint | sa.UniqueConstraint)]
    full_indexes = [index for index in table.indexes if index.dialect_options["postgresql"]["where"] is None]
    return {next(iter(key.columns)).name for key in (*keys, *full_indexes)}


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_every_reference_has_an_index(name: str) -> None:
    reference = REFERENCES[name]

    assert leading_columns(reference.table) & {*reference.column_keys}


def test_every_table_has_a_name_for_what_is_taken() -> None:
    assert _KIND_BY_TABLE.keys() == metadata.tables.keys()


def test_all_references_are_checked() -> None:
    assert len(REFERENCES) > 15
    assert {"comments.board_id", "cards.board_id+list_id+status", "checklist_items.checklist_id"} <= set(REFERENCES)
