"""Statements that lock rows and skip locked ones choose their rows once, whatever PostgreSQL plans."""

from collections.abc import Iterator, Sequence
from types import ModuleType

from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.dml import UpdateBase

from stores.sql import feed_readers, jobs, purge, user_statements, webhooks, write_statements

DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

MODULES: Sequence[ModuleType] = (write_statements, purge, feed_readers, jobs, user_statements, webhooks)


def list_writes(value: object) -> Iterator[UpdateBase]:
    """Yield the statements that write: the value, or those in a container."""
    if isinstance(value, UpdateBase):
        yield value
    elif isinstance(value, dict):
        yield from list_writes([*value.values()])
    elif isinstance(value, list | tuple) and not isinstance(value, ClauseElement):
        for item in value:
            yield from list_writes(item)


def test_rows_to_write_are_locked_once() -> None:
    constants = [value for module in MODULES for name, value in vars(module).items() if not name.startswith("__")]
    texts = {str(write.compile(dialect=DIALECT)) for write in list_writes(constants)}
    skipping = [text for text in texts if "SKIP LOCKED" in text]

    assert len(skipping) >= 5
    assert [text for text in skipping if not text.startswith("WITH chosen AS")] == []
