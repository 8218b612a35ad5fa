"""Write and read all values of a store in a SQLite file: the form in which a backup moves them to another engine."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from kanban.card_size import MAX_STORED_BYTES, compute_stored_bytes
from kanban.flow.flow_segments import FlowSegment
from kanban.store import StoredResponse
from kanban.values import (
    Checklist,
    Event,
    FeedReader,
    Stage,
    Token,
    WebhookDelivery,
)
from stores.sql import mapping, read_statements, tables, user_statements
from stores.sql.commits import TABLE_AND_MAPPING
from stores.whole_store import AssignedCard, Setting, StoredValue, WholeBoard

BATCH_ROWS = 1_000
"""How many rows are held in memory at a time."""

_TABLE_AND_MAPPING: dict[type[Any], tuple[sa.Table, Callable[[Any], dict[str, Any]]]] = {
    **TABLE_AND_MAPPING,
    Setting: (tables.settings, Setting._asdict),
    Event: (tables.events, mapping.event_to_row),
    FeedReader: (tables.feed_readers, mapping.reader_to_row),
    FlowSegment: (tables.flow_segments, mapping.segment_to_row),
    WebhookDelivery: (tables.webhook_deliveries, mapping.delivery_to_row),
    StoredResponse: (tables.idempotency_records, mapping.stored_response_to_row),
}

_Row = tuple[sa.Table, dict[str, Any]]


class ValueWriter:
    """Writes values to an empty SQLite file through a connection that does not check foreign keys."""

    def __init__(self, connection: sa.Connection, progress: Callable[[int], None]) -> None:
        """Take what is called with the number of values written."""
        self._connection = connection
        self._progress = progress
        self._rows: dict[sa.Table, list[dict[str, Any]]] = {}
        self._row_count = 0
        self._count = 0
        self._stages: dict[str, Stage] = {}

    def write(self, values: Iterable[StoredValue]) -> None:
        """Write the values; a board before its cards."""
        for value in values:
            for table, row in self._to_rows(value):
                self._rows.setdefault(table, []).append(row)
                self._row_count += 1
            self._count += 1
            if self._row_count >= BATCH_ROWS:
                self._flush()
        self._flush()

    def write_attempts(self, write: Callable[[Callable[[Iterable[StoredValue]], None]], bool]) -> None:
        """Let `write` pass values to what it gets, each time in place of those before; keep the last if it says so."""
        execute = self._connection.exec_driver_sql
        count = self._count

        def forget() -> None:
            execute("ROLLBACK TO attempt")
            self._count = count

        def take(values: Iterable[StoredValue]) -> None:
            forget()
            self.write(values)

        execute("SAVEPOINT attempt")
        if not write(take):
            forget()
        execute("RELEASE attempt")

    def list_missing_user_ids(self) -> list[str]:
        """Return the ids of users who are named by something that was written, but were not written themselves."""
        named = [
            sa.select(key.parent.label("user_id")).where(key.parent.is_not(None))
            for table in tables.metadata.sorted_tables
            for key in table.foreign_keys
            if key.column is tables.users.c.id
        ]
        missing = sa.union(*named).subquery()
        statement = sa.select(missing.c.user_id).where(missing.c.user_id.not_in(sa.select(tables.users.c.id)))
        return [user_id for (user_id,) in self._connection.execute(statement)]

    def drop_tokens_without_ancestors(self) -> None:
        """Delete tokens of which an ancestor is missing: an interrupted erasure of their user leaves such."""
        tokens, ancestors = tables.tokens, tables.token_ancestors
        lost = sa.select(ancestors.c.token_id).where(ancestors.c.ancestor_id.not_in(sa.select(tokens.c.id)))
        self._connection.execute(tokens.delete().where(tokens.c.id.in_(lost)))
        self._connection.execute(ancestors.delete().where(ancestors.c.token_id.not_in(sa.select(tokens.c.id))))

    def find_broken_table(self) -> str | None:
        """Return the name of a table that refers to something missing, None if there is none."""
        row = self._connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        return str(row[0]) if row else None

    def _flush(self) -> None:
        for table, rows in self._rows.items():
            self._connection.execute(table.insert(), rows)
        self._rows.clear()
        self._row_count = 0
        self._progress(self._count)

    def _to_rows(self, value: StoredValue) -> Iterator[_Row]:
        if isinstance(value, WholeBoard):
            self._stages = {list_.id: list_.stage for list_ in value.lists}
            for part in (value.board, *value.lists, *value.members, *value.labels):
                yield _to_row(part)
        elif isinstance(value, AssignedCard):
            yield from self._card_to_rows(value)
        else:
            yield _to_row(value)
        if isinstance(value, Token):
            for position, ancestor_id in enumerate(value.ancestor_ids):
                row = {"token_id": value.id, "position": position, "ancestor_id": ancestor_id}
                yield tables.token_ancestors, row
        elif isinstance(value, Checklist):
            for position, item in enumerate(value.items):
                yield tables.checklist_items, mapping.item_to_row(value.id, position, item)

    def _card_to_rows(self, value: AssignedCard) -> Iterator[_Row]:
        card = value.card
        table, row = _to_row(card)
        yield table, row | {"status": str(self._stages[card.list_id])}
        for label_id in card.label_ids:
            yield tables.card_labels, {"card_id": card.id, "label_id": label_id}
        for member_id in card.assignee_ids:
            yield tables.card_assignees, {"card_id": card.id, "member_id": member_id}
        for position, link in enumerate(card.links):
            yield tables.card_links, {"card_id": card.id, "position": position, "url": link.url, "title": link.title}


def _to_row(value: Any) -> _Row:
    table, value_to_row = _TABLE_AND_MAPPING[type(value)]
    return table, value_to_row(value)


def read_values(connection: sa.Connection) -> Iterator[tuple[str, StoredValue]]:
    """Yield all values of a SQLite file but its settings, each with the name of its table, always in the same order."""
    for table, read in _READERS.items():
        for value in read(connection):
            yield table.name, value


def read_settings(connection: sa.Connection) -> dict[str, str]:
    """Return what belongs to the installation, by name."""
    return {str(name): str(value) for name, value in _read(connection, sa.select(tables.settings))}


def find_long_card(connection: sa.Connection) -> str | None:
    """Return the id of a card of earlier releases that is longer than cards may be now, None if there is none."""
    for card, _ in _read_cards(connection):
        if compute_stored_bytes(card.title, card.description, card.links) > MAX_STORED_BYTES:
            return card.id
    return None


def _read(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[mapping.Row]:
    return iter(connection.execution_options(yield_per=BATCH_ROWS).execute(query))


def _read_table(
    table: sa.Table, parse: Callable[[mapping.Row], StoredValue]
) -> Callable[[sa.Connection], Iterator[StoredValue]]:
    """Return what reads the rows of a table in the order of its primary key."""
    columns = [column for column in table.columns if column.name != _COMPUTED_COLUMN]
    query = sa.select(*columns).order_by(*table.primary_key.columns)
    return lambda connection: map(parse, _read(connection, query))


_COMPUTED_COLUMN = "search"
"""It is computed from others, and no value has it."""


def _read_boards(connection: sa.Connection) -> Iterator[WholeBoard]:
    for row in _read(connection, sa.select(tables.boards).order_by(tables.boards.c.id)):
        board = mapping.row_to_board(row)
        lists, members, labels = (
            _read(connection, sa.select(table).where(table.c.board_id == board.id))
            for table in (tables.lists, tables.members, tables.labels)
        )
        yield WholeBoard(
            board,
            [*map(mapping.row_to_list, lists)],
            [*map(mapping.row_to_member, members)],
            [*map(mapping.row_to_label, labels)],
        )


def _read_cards(connection: sa.Connection) -> Iterator[AssignedCard]:
    for *row, assignees in _read(connection, read_statements.ALL_CARDS):
        users = dict(line.split(" ") for line in assignees.split("\n")) if assignees else {}
        yield AssignedCard(mapping.row_to_card(row), users)


def _read_tokens(connection: sa.Connection) -> Iterator[Token]:
    return map(mapping.row_to_token, _read(connection, user_statements.ALL_TOKENS))


def _read_checklists(connection: sa.Connection) -> Iterator[Checklist]:
    items = tables.checklist_items
    item_rows = _read(connection, sa.select(items).order_by(*items.primary_key.columns))
    groups = groupby(item_rows, key=attrgetter("checklist_id"))
    next_id, group = next(groups, (None, iter(())))
    for row in _read(connection, sa.select(tables.checklists).order_by(tables.checklists.c.id)):
        if row[0] != next_id:
            yield mapping.row_to_checklist(row, ())
            continue
        yield mapping.row_to_checklist(row, [*group])
        next_id, group = next(groups, (None, iter(())))


_READERS: dict[sa.Table, Callable[[sa.Connection], Iterator[StoredValue]]] = {
    tables.users: _read_table(tables.users, mapping.row_to_user),
    tables.tokens: _read_tokens,
    tables.identities: _read_table(tables.identities, mapping.row_to_identity),
    tables.sign_in_codes: _read_table(tables.sign_in_codes, mapping.row_to_sign_in_code),
    tables.audit_entries: _read_table(tables.audit_entries, mapping.row_to_audit_entry),
    tables.jobs: _read_table(tables.jobs, mapping.row_to_job),
    tables.idempotency_records: _read_table(tables.idempotency_records, mapping.row_to_stored_response),
    tables.boards: _read_boards,
    tables.invitations: _read_table(tables.invitations, mapping.row_to_invitation),
    tables.cards: _read_cards,
    tables.time_entries: _read_table(tables.time_entries, mapping.row_to_time_entry),
    tables.checklists: _read_checklists,
    tables.comments: _read_table(tables.comments, mapping.row_to_comment),
    tables.events: _read_table(tables.events, mapping.row_to_event),
    tables.feed_readers: _read_table(tables.feed_readers, mapping.row_to_reader),
    tables.flow_segments: _read_table(tables.flow_segments, mapping.row_to_segment),
    tables.webhooks: _read_table(tables.webhooks, mapping.row_to_webhook),
    tables.webhook_deliveries: _read_table(tables.webhook_deliveries, mapping.row_to_delivery),
}
"""How the values of each table are read; those of the tables that belong to others come with them."""
