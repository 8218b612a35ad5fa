"""A commit in a SQL database: one transaction, whatever it writes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from kanban.changes import Change
from kanban.ordering import ranks
from kanban.store import StoredResponse
from kanban.values import (
    Board,
    Card,
    CardRank,
    Checklist,
    Comment,
    Entity,
    Erasable,
    Label,
    List,
    Member,
    TimeEntry,
    Token,
    User,
)
from stores.sql import mapping, tables
from stores.sql import write_statements as sw
from stores.sql.engine import Transaction
from stores.sql.read_statements import BoundStatement

_TABLE_AND_MAPPING: dict[type[Entity], tuple[sa.Table, Callable[[Any], dict[str, Any]]]] = {
    User: (tables.users, mapping.user_to_row),
    Token: (tables.tokens, mapping.token_to_row),
    Board: (tables.boards, mapping.board_to_row),
    Member: (tables.members, mapping.member_to_row),
    Label: (tables.labels, mapping.label_to_row),
    List: (tables.lists, mapping.list_to_row),
    Card: (tables.cards, mapping.card_to_row),
    TimeEntry: (tables.time_entries, mapping.time_entry_to_row),
    Checklist: (tables.checklists, mapping.checklist_to_row),
    Comment: (tables.comments, mapping.comment_to_row),
}

# Parents before children.
_WRITE_ORDER = {kind: place for place, kind in enumerate(_TABLE_AND_MAPPING)}


class CommitWriter:
    """Writes a change through a transaction, which makes it whole."""

    __slots__ = ("_bind", "_progress", "_transaction")

    def __init__(
        self,
        transaction: Transaction,
        bind: Callable[..., BoundStatement],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """The transaction, what makes a call of a statement and its parameters, and what is told how far it is."""
        self._transaction = transaction
        self._bind = bind
        self._progress = progress

    def write(self, change: Change, remember: StoredResponse | None) -> None:
        """Write the change, its origin and the answer. Raises Stale and AlreadyExists, here or at the end."""
        if remember:
            self._write_idempotency_record(remember)
        changes = [change] if change.departure is None else [change.departure, change]
        # The boards come before all: their seq decides whether the rest is to be. And always in the same order, so
        # that two who move cards between the same two boards do not wait for each other.
        for each in sorted(changes, key=_board_id):
            for value in each.updates:
                if isinstance(value, Board):
                    self._update_board(value, each)
        for each in changes:
            self._write_values(each)

    def _write_values(self, change: Change) -> None:
        for value in _sort_for_write(change.updates):
            if not isinstance(value, Board):
                self._update(value, change)
        for written, value in enumerate(_sort_for_write(change.creates), 1):
            self._create(value)
            self._report_progress(written)
        for gone in change.deletes:
            self._delete(gone)
        self._write_ranks(change.card_ranks, _board_id(change))
        for written, event in enumerate((*change.history, *((change.event,) if change.event else ()))):
            self._execute(sw.INSERT[tables.events], **mapping.event_to_row(event))
            self._report_progress(len(change.creates) + written)
        if change.rebalance_list_id:
            self._rebalance(change.rebalance_list_id)

    def _report_progress(self, written: int) -> None:
        if self._progress:
            self._progress(written)

    def _execute(self, statement: Any, **values: Any) -> None:
        self._transaction.execute(self._bind(statement, **values))

    def _create(self, value: Entity) -> None:
        table, row = _to_row(value)
        if isinstance(value, Card):
            self._free_external_id(value)
        self._execute(sw.INSERT[table], **row)
        if isinstance(value, User):
            self._execute(sw.MAKE_OWNER, user_id=value.id)
        if isinstance(value, Token):
            for position, ancestor_id in enumerate(value.ancestor_ids):
                row = {"token_id": value.id, "position": position, "ancestor_id": ancestor_id}
                self._execute(sw.INSERT[tables.token_ancestors], **row)
        self._write_child_rows(value)

    def _update_board(self, board: Board, change: Change) -> None:
        actor_id = change.event.actor_id if change.event else ""
        leaves = any(isinstance(gone, Member) and gone.user_id == actor_id for gone in change.deletes)
        statement = sw.update_board(restores=change.restores_board, actor_leaves=leaves)
        self._transaction.write_one(self._bind(statement, **mapping.board_to_row(board), actor_id=actor_id))

    def _update(self, value: Entity, change: Change) -> None:
        table, row = _to_row(value)
        statement = sw.UPDATE_ON_BOARD[table] if change.event else sw.UPDATE_IF_VERSION_MATCHES[table]
        if isinstance(value, Card):
            self._free_external_id(value)
            if change.departure:
                statement = sw.MOVE_CARD
                row["from_board_id"] = _board_id(change.departure)
        self._transaction.write_one(self._bind(statement, **row))
        if isinstance(value, List):
            self._execute(sw.UPDATE_STAGE, **row)
        elif isinstance(value, Card):
            for strip in sw.CLEAR_CARD_ROWS:
                self._execute(strip, card_id=value.id)
            if change.departure:
                self._move_parts(value, change.membership_ids)
        elif isinstance(value, Checklist):
            self._execute(sw.DELETE_ITEMS, checklist_id=value.id)
        self._write_child_rows(value)

    def _move_parts(self, card: Card, counterparts: Mapping[str, str]) -> None:
        """Let what belongs to a card follow it to another board."""
        for carry in sw.MOVE_PARTS:
            self._execute(carry, card_id=card.id, board_id=card.board_id)
        hands = {f"from_{number}": place for number, place in enumerate(counterparts)}
        hands |= {f"to_{number}": place for number, place in enumerate(counterparts.values())}
        self._execute(sw.reassign_items(len(counterparts)), card_id=card.id, **hands)

    def _write_child_rows(self, value: Entity) -> None:
        """What of a value stands in tables of its own."""
        if isinstance(value, Card):
            for label_id in value.label_ids:
                self._execute(sw.ADD_LABEL, card_id=value.id, label_id=label_id)
            for member_id in value.assignee_ids:
                self._execute(sw.ADD_ASSIGNEE, card_id=value.id, member_id=member_id)
            for position, link in enumerate(value.links):
                row = {"card_id": value.id, "position": position, "url": link.url, "title": link.title}
                self._execute(sw.INSERT[tables.card_links], **row)
        elif isinstance(value, Checklist):
            for position, item in enumerate(value.items):
                self._execute(sw.INSERT[tables.checklist_items], **mapping.item_to_row(value.id, position, item))

    def _delete(self, gone: Erasable) -> None:
        table = _TABLE_AND_MAPPING[type(gone)][0]
        self._transaction.write_one(self._bind(sw.DELETE_ON_BOARD[table], id=gone.id, board_id=gone.board_id))

    def _write_ranks(self, places: Iterable[CardRank], board_id: str) -> None:
        """Give cards other ranks. They first leave their own, which may be the new one of another."""
        rows_of_places = [
            {"id": each.card_id, "list_id": each.list_id, "board_id": board_id, "rank": each.rank} for each in places
        ]
        for row in rows_of_places:
            self._transaction.write_one(self._bind(sw.SET_CARD_RANK, **{**row, "rank": f"~{row['id']}"}))
        for row in rows_of_places:
            self._execute(sw.SET_CARD_RANK, **row)

    def _free_external_id(self, card: Card) -> None:
        """Take the external id from a card that vanished with its list."""
        if card.external_id is not None and card.deleted_at is None:
            self._execute(sw.CLEAR_EXTERNAL_ID, board_id=card.board_id, external_id=card.external_id)

    def _write_idempotency_record(self, record: StoredResponse) -> None:
        row = mapping.idempotency_record_to_row(record)
        self._execute(sw.DELETE_RECORD_IF_EXPIRED, **row, now=row["created_at"])
        self._execute(sw.DELETE_SOME_EXPIRED_RECORDS, now=row["created_at"])
        self._execute(sw.INSERT[tables.idempotency_records], **row)

    def _rebalance(self, list_id: str) -> None:
        """Give the cards of a list new, short ranks in their order.

        The new ranks all lie below the old ones, and the last card gets its own first: at every step the order
        is right and no two ranks are equal.
        """
        ((last_rank,),) = self._transaction.query(self._bind(sw.LAST_RANK, list_id=list_id))
        held = self._transaction.query(self._bind(sw.CARD_IDS_BY_RANK, list_id=list_id))
        card_ids = [card_id for (card_id,) in held]
        new_ranks = ranks.sequence_after(last_rank, len(card_ids))
        for card_id, rank in zip(reversed(card_ids), reversed(new_ranks), strict=True):
            self._execute(sw.SET_RANK, id=card_id, rank=rank)
        self._execute(sw.SET_RANK_BOUNDS, list_id=list_id, first_rank=new_ranks[0], last_rank=new_ranks[-1])


def _to_row(value: Entity) -> tuple[sa.Table, dict[str, Any]]:
    table, row_of = _TABLE_AND_MAPPING[type(value)]
    return table, row_of(value)


def _sort_for_write(values: Iterable[Entity]) -> list[Entity]:
    return sorted(values, key=lambda each: _WRITE_ORDER[type(each)])


def _board_id(change: Change) -> str:
    return change.event.board_id if change.event else ""
