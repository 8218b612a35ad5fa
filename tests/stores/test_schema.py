"""The tables: what refers to what is found without reading a whole table."""

import pytest
import sqlalchemy as sa

from stores.sql.tables import metadata

# Users are never erased.
REFERENCES = {
    f"{table.name}.{'+'.join(key.column_keys)}": key
    for table in metadata.sorted_tables
    for key in table.foreign_key_constraints
    if key.referred_table.name != "users"
}


def leading_columns(table: sa.Table) -> set[str]:
    """The first columns of the keys and indexes that hold every row."""
    keys = [key for key in table.constraints if isinstance(key, sa.PrimaryKeyConstraint | sa.UniqueConstraint)]
    whole = [index for index in table.indexes if index.dialect_options["postgresql"]["where"] is None]
    return {next(iter(key.columns)).name for key in (*keys, *whole)}


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_what_refers_to_a_row_is_found_by_an_index_when_the_row_is_erased(name: str) -> None:
    reference = REFERENCES[name]

    assert leading_columns(reference.table) & {*reference.column_keys}


def test_the_references_that_are_checked_are_all() -> None:
    assert len(REFERENCES) > 15
    assert {"comments.board_id", "cards.board_id+list_id+status", "checklist_items.checklist_id"} <= set(REFERENCES)
