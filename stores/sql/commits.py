"""Write a change to a SQL database, in one transaction."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from kanban.changes import Change
from kanban.ordering import ranks
from kanban.store import StaleRead, StoredResponse
from kanban.values import (
    AuditEntry,
    Board,
    Card,
    CardRank,
    Checklist,
    Comment,
    Entity,
    Erasable,
    FeedReader,
    Identity,
    InstallationOwners,
    Invitation,
    Job,
    Label,
    List,
    Member,
    ReaderChange,
    ReaderReset,
    SignInCode,
    TimeEntry,
    Token,
    User,
    Webhook,
)
from stores.changes import find_required_user, uses_invitation
from stores.sql import feed_readers, mapping, tables, write_statements
from stores.sql.engine import Transaction
from stores.sql.statement_cache import BoundStatement

TABLE_AND_MAPPING: dict[type[Entity], tuple[sa.Table, Callable[[Any], dict[str, Any]]]] = {
    User: (tables.users, mapping.user_to_row),
    Token: (tables.tokens, mapping.token_to_row),
    SignInCode: (tables.sign_in_codes, mapping.sign_in_code_to_row),
    Identity: (tables.identities, mapping.identity_to_row),
    Job: (tables.jobs, mapping.job_to_row),
    Board: (tables.boards, mapping.board_to_row),
    Member: (tables.members, mapping.member_to_row),
    Label: (tables.labels, mapping.label_to_row),
    List: (tables.lists, mapping.list_to_row),
    Card: (tables.cards, mapping.card_to_row),
    TimeEntry: (tables.time_entries, mapping.time_entry_to_row),
    Checklist: (tables.checklists, mapping.checklist_to_row),
    Comment: (tables.comments, mapping.comment_to_row),
    Webhook: (tables.webhooks, mapping.webhook_to_row),
    Invitation: (tables.invitations, mapping.invitation_to_row),
    AuditEntry: (tables.audit_entries, mapping.audit_entry_to_row),
}
"""The table of each kind of value, and its row there."""

# Rows are written before those that refer to them.
_WRITE_ORDER = {value_type: position for position, value_type in enumerate((InstallationOwners, *TABLE_AND_MAPPING))}


class CommitWriter:
    """Write a change through a transaction, which makes it atomic."""

    __slots__ = ("_bind", "_progress", "_transaction")

    def __init__(
        self,
        transaction: Transaction,
        bind: Callable[..., BoundStatement],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Take a transaction, a function that binds parameters to statements, and a callback that counts writes."""
        self._transaction = transaction
        self._bind = bind
        self._progress = progress

    def write(self, change: Change, response: StoredResponse | None) -> None:
        """Write the change, the departure from another board and the response to an idempotency key.

        Raises StaleRead or AlreadyExists, here or when the transaction ends.
        """
        if response:
            self._write_response(response)
        required_user_id = find_required_user(change)
        if required_user_id is not None:
            self._ensure_active(required_user_id)
        changes = [change] if change.departure is None else [change.departure, change]
        # Boards come first, because their seq decides whether the change is written; and always in the same order, so
        # that two moves of cards between the same two boards don't deadlock.
        for board_change in sorted(changes, key=_board_id):
            for value in board_change.updates:
                if isinstance(value, Board):
                    self._update_board(value, board_change)
        for board_change in changes:
            self._write_values(board_change)

    def _ensure_active(self, user_id: str) -> None:
        """Raise StaleRead if the user is deactivated. No other transaction can do that before this one ends."""
        if not self._transaction.query(self._bind(write_statements.ACTIVE_USER, user_id=user_id)):
            raise StaleRead

    def _write_values(self, change: Change) -> None:
        for value in _sort_for_write(change.updates):
            if isinstance(value, InstallationOwners):
                self._update_owners(value)
            elif not isinstance(value, Board):
                self._update(value, change)
        for count, value in enumerate(_sort_for_write(change.creates), 1):
            self._create(value)
            self._report_progress(count)
        for value in change.deletes:
            self._delete(value)
        for reader in change.readers:
            self._write_reader(reader)
        self._write_ranks(change.card_ranks, _board_id(change))
        for count, event in enumerate((*change.history, *((change.event,) if change.event else ()))):
            self._execute(write_statements.INSERT[tables.events], **mapping.event_to_row(event))
            self._report_progress(len(change.creates) + count)
        if change.rebalance_list_id:
            self._rebalance(change.rebalance_list_id)

    def _report_progress(self, count: int) -> None:
        if self._progress:
            self._progress(count)

    def _execute(self, statement: Any, **values: Any) -> None:
        self._transaction.execute(self._bind(statement, **values))

    def _create(self, value: Entity) -> None:
        table, row = _to_row(value)
        if isinstance(value, Card):
            self._free_external_id(value)
        if isinstance(value, SignInCode):
            self._execute(write_statements.DELETE_EXPIRED_CODES, user_id=value.user_id, now=row["created_at"])
        self._execute(write_statements.INSERT[table], **row)
        if isinstance(value, User):
            self._execute(write_statements.MAKE_OWNER, user_id=value.id)
        if isinstance(value, Token):
            for position, ancestor_id in enumerate(value.ancestor_ids):
                row = {"token_id": value.id, "position": position, "ancestor_id": ancestor_id}
                self._execute(write_statements.INSERT[tables.token_ancestors], **row)
        self._write_child_rows(value)

    def _update_owners(self, owners: InstallationOwners) -> None:
        """Write the ids with blanks between, as a store of before has the only one."""
        ids, previous_ids = " ".join(owners.user_ids), " ".join(owners.previous_ids)
        self._transaction.write_one(self._bind(write_statements.UPDATE_OWNERS, value=ids, previous_value=previous_ids))

    def _update_board(self, board: Board, change: Change) -> None:
        event = change.event
        actor_id = event.actor_id if event else ""
        actor_leaves = any(isinstance(value, Member) and value.user_id == actor_id for value in change.deletes)
        statement = None
        if event and change.is_by_installation:
            statement = write_statements.UPDATE_BOARD_BY_INSTALLATION
        elif event and uses_invitation(change, event):
            statement = write_statements.UPDATE_JOINED_BOARD
        if statement is not None:
            self._transaction.write_one(self._bind(statement, **mapping.board_to_row(board)))
            return
        statement = write_statements.update_board(restores=change.restores_board, actor_leaves=actor_leaves)
        self._transaction.write_one(self._bind(statement, **mapping.board_to_row(board), actor_id=actor_id))

    def _update(self, value: Entity, change: Change) -> None:
        table, row = _to_row(value)
        statement = (
            write_statements.UPDATE_ON_BOARD[table]
            if change.event and not isinstance(value, Invitation)
            else write_statements.UPDATE_IF_VERSION_MATCHES[table]
        )
        if isinstance(value, Card):
            self._free_external_id(value)
            if change.departure:
                statement = write_statements.MOVE_CARD
                row["from_board_id"] = _board_id(change.departure)
        self._transaction.write_one(self._bind(statement, **row))
        if isinstance(value, List):
            self._execute(write_statements.UPDATE_STAGE, **row)
        elif isinstance(value, Card):
            for delete in write_statements.CLEAR_CARD_ROWS:
                self._execute(delete, card_id=value.id)
            if change.departure:
                self._move_parts(value, change.membership_ids)
        elif isinstance(value, Checklist):
            self._execute(write_statements.DELETE_ITEMS, checklist_id=value.id)
        self._write_child_rows(value)

    def _move_parts(self, card: Card, membership_ids: Mapping[str, str]) -> None:
        """Move what belongs to a card to its new board, and its items' assignees to their memberships there."""
        for statement in write_statements.MOVE_PARTS:
            self._execute(statement, card_id=card.id, board_id=card.board_id)
        ids = {f"from_{number}": member_id for number, member_id in enumerate(membership_ids)}
        ids |= {f"to_{number}": member_id for number, member_id in enumerate(membership_ids.values())}
        self._execute(write_statements.reassign_items(len(membership_ids)), card_id=card.id, **ids)

    def _write_child_rows(self, value: Entity) -> None:
        """Write those parts of a value that have their own tables."""
        if isinstance(value, Card):
            for label_id in value.label_ids:
                self._execute(write_statements.ADD_LABEL, card_id=value.id, label_id=label_id)
            for member_id in value.assignee_ids:
                self._execute(write_statements.ADD_ASSIGNEE, card_id=value.id, member_id=member_id)
            for position, link in enumerate(value.links):
                row = {"card_id": value.id, "position": position, "url": link.url, "title": link.title}
                self._execute(write_statements.INSERT[tables.card_links], **row)
        elif isinstance(value, Checklist):
            for position, item in enumerate(value.items):
                self._execute(
                    write_statements.INSERT[tables.checklist_items], **mapping.item_to_row(value.id, position, item)
                )

    def _delete(self, value: Erasable) -> None:
        if isinstance(value, SignInCode):
            self._transaction.write_one(self._bind(write_statements.DELETE_CODE, digest=value.digest))
            return
        if isinstance(value, Invitation):
            row = {"id": value.id, "version": value.version}
            self._transaction.write_one(self._bind(write_statements.DELETE_INVITATION, **row))
            return
        if isinstance(value, Identity):
            self._transaction.write_one(self._bind(write_statements.DELETE_IDENTITY, id=value.id))
            return
        if isinstance(value, Webhook):
            self._execute(write_statements.DELETE_DELIVERIES, board_id=value.board_id, webhook_id=value.id)
        table, _ = TABLE_AND_MAPPING[type(value)]
        self._transaction.write_one(
            self._bind(write_statements.DELETE_ON_BOARD[table], id=value.id, board_id=value.board_id)
        )

    def _write_reader(self, reader: ReaderChange) -> None:
        if isinstance(reader, FeedReader):
            self._execute(feed_readers.INSERT_READER, **mapping.reader_to_row(reader))
        elif isinstance(reader, ReaderReset):
            self._transaction.execute(feed_readers.bind_reset(self._bind, reader))
        else:
            self._execute(feed_readers.DELETE_READER, board_id=reader.board_id, name=reader.name)

    def _write_ranks(self, card_ranks: Iterable[CardRank], board_id: str) -> None:
        """Give cards new ranks. First each gets a temporary one, as its rank may be the new rank of another card."""
        rows = [
            {"id": card.card_id, "list_id": card.list_id, "board_id": board_id, "rank": card.rank}
            for card in card_ranks
        ]
        for row in rows:
            self._transaction.write_one(self._bind(write_statements.SET_CARD_RANK, **{**row, "rank": f"~{row['id']}"}))
        for row in rows:
            self._execute(write_statements.SET_CARD_RANK, **row)

    def _free_external_id(self, card: Card) -> None:
        """Clear the external id of a card that is live, but whose list is deleted, so that this card can have it."""
        if card.external_id is not None and card.deleted_at is None:
            self._execute(write_statements.CLEAR_EXTERNAL_ID, board_id=card.board_id, external_id=card.external_id)

    def _write_response(self, response: StoredResponse) -> None:
        row = mapping.stored_response_to_row(response)
        self._execute(write_statements.DELETE_RECORD_IF_EXPIRED, **row, now=row["created_at"])
        self._execute(write_statements.DELETE_SOME_EXPIRED_RECORDS, now=row["created_at"])
        self._execute(write_statements.INSERT[tables.idempotency_records], **row)

    def _rebalance(self, list_id: str) -> None:
        """Give the cards of a list new, short ranks in the same order.

        All new ranks sort after the old ones, and the last card gets its new rank first: so after every step the order
        is the same and no two ranks are equal.
        """
        ((last_rank,),) = self._transaction.query(self._bind(write_statements.LAST_RANK, list_id=list_id))
        rows = self._transaction.query(self._bind(write_statements.CARD_IDS_BY_RANK, list_id=list_id))
        card_ids = [card_id for (card_id,) in rows]
        new_ranks = ranks.sequence_after(last_rank, len(card_ids))
        for card_id, rank in zip(reversed(card_ids), reversed(new_ranks), strict=True):
            self._execute(write_statements.SET_RANK, id=card_id, rank=rank)
        self._execute(
            write_statements.SET_RANK_BOUNDS, list_id=list_id, first_rank=new_ranks[0], last_rank=new_ranks[-1]
        )


def _to_row(value: Entity) -> tuple[sa.Table, dict[str, Any]]:
    table, value_to_row = TABLE_AND_MAPPING[type(value)]
    return table, value_to_row(value)


def _sort_for_write(values: Iterable[Entity]) -> list[Entity]:
    return sorted(values, key=lambda value: _WRITE_ORDER[type(value)])


def _board_id(change: Change) -> str:
    return change.event.board_id if change.event else ""
