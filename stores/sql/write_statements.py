"""The statements that write to the SQL store: see `stores.sql.statement_cache` for how they are run."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from stores.sql.read_statements import LIST_IS_LIVE, RECORD_KEY_MATCHES
from stores.sql.statement_cache import choose_once, parameter
from stores.sql.tables import (
    audit_entries,
    boards,
    card_assignees,
    card_labels,
    card_links,
    cards,
    checklist_items,
    checklists,
    comments,
    events,
    idempotency_records,
    identities,
    invitations,
    jobs,
    labels,
    lists,
    members,
    settings,
    sign_in_codes,
    time_entries,
    token_ancestors,
    tokens,
    users,
    webhook_deliveries,
    webhooks,
)

# A list's stage has its own statement: SQLite checks every card of a list whenever a statement sets a column to which
# the cards refer, even if its value stays the same.
_IMMUTABLE_COLUMNS = frozenset(
    {"id", "board_id", "user_id", "card_id", "digest", "created_at", "created_by", "author_id", "stage", "limits"}
)
_STATUS = sa.select(lists.c.stage).where(lists.c.id == parameter("list_id")).scalar_subquery()


def _column_parameters(table: sa.Table, *, exclude: frozenset[str] = frozenset()) -> dict[str, Any]:
    values: dict[str, Any] = {
        column.name: parameter(column.name) for column in table.columns if column.name not in exclude
    }
    if table is cards:
        values["status"] = _STATUS
    return values


def _update(table: sa.Table) -> sa.Update:
    # A time entry's user can be corrected, and a token's secret rotated; the user of a token or a membership can't
    # change.
    fixed = _IMMUTABLE_COLUMNS - {time_entries: {"user_id"}, tokens: {"digest"}}.get(table, set())
    return table.update().where(table.c.id == parameter("id")).values(_column_parameters(table, exclude=fixed))


INSERT = {
    table: table.insert().values(_column_parameters(table))
    for table in (
        *(users, tokens, token_ancestors, boards, members, labels, lists, cards, card_links, time_entries),
        *(checklists, checklist_items, comments, events, idempotency_records, settings, webhooks, sign_in_codes),
        invitations,
        identities,
        audit_entries,
        jobs,
    )
}

# Makes the first user of a store its owner, and no later one.
MAKE_OWNER = settings.insert().from_select(
    ["name", "value"],
    sa.select(sa.literal_column("'owner'"), parameter("user_id")).where(
        ~sa.select(settings.c.name).where(settings.c.name == sa.literal_column("'owner'")).exists()
    ),
)

ACTIVE_USER = (
    sa.select(users.c.id)
    .where(users.c.id == parameter("user_id"), users.c.deactivated_at.is_(None))
    .with_for_update(read=True)
)

UPDATE_OWNERS = (
    settings.update()
    .where(settings.c.name == sa.literal_column("'owner'"), settings.c.value == parameter("previous_value"))
    .values(value=parameter("value"))
)

UPDATE_IF_VERSION_MATCHES = {
    table: _update(table).where(table.c.version == parameter("version") - sa.literal_column("1"))
    for table in (users, tokens, invitations, jobs)
}

UPDATE_ON_BOARD = {
    table: _update(table).where(table.c.board_id == parameter("board_id"))
    for table in (members, labels, lists, cards, time_entries, checklists, comments, webhooks)
}

# Moves a card from another board; MOVE_PARTS moves what belongs to it.
MOVE_CARD = (
    cards.update()
    .where(cards.c.id == parameter("id"), cards.c.board_id.in_([parameter("board_id"), parameter("from_board_id")]))
    .values(_column_parameters(cards, exclude=frozenset({"id", "created_at"})))
)

MOVE_PARTS = tuple(
    table.update().where(table.c.card_id == parameter("card_id")).values(board_id=parameter("board_id"))
    for table in (time_entries, checklists, comments)
)


@cache
def reassign_items(count: int) -> sa.Update:
    """Give the items of a card's checklists other assignees: `count` memberships are replaced, all others removed."""
    item = checklist_items.c
    of_card = sa.select(checklists.c.id).where(checklists.c.card_id == parameter("card_id"))
    replacements = [
        (item.assignee_id == parameter(f"from_{number}"), parameter(f"to_{number}")) for number in range(count)
    ]
    return (
        checklist_items.update()
        .where(item.checklist_id.in_(of_card), item.assignee_id.is_not(None))
        .values(assignee_id=sa.case(*replacements, else_=sa.null()) if replacements else sa.null())
    )


DELETE_ON_BOARD = {
    table: table.delete().where(table.c.id == parameter("id"), table.c.board_id == parameter("board_id"))
    for table in (members, labels, time_entries, checklists, comments, webhooks)
}

DELETE_IDENTITY = identities.delete().where(identities.c.id == parameter("id"))

DELETE_CODE = sign_in_codes.delete().where(sign_in_codes.c.digest == parameter("digest"))

# The version tells an invitation that was used meanwhile.
DELETE_INVITATION = invitations.delete().where(
    invitations.c.id == parameter("id"), invitations.c.version == parameter("version")
)

DELETE_EXPIRED_CODES = sign_in_codes.delete().where(
    sign_in_codes.c.user_id == parameter("user_id"), sign_in_codes.c.expires_at <= parameter("now")
)

DELETE_DELIVERIES = webhook_deliveries.delete().where(
    webhook_deliveries.c.board_id == parameter("board_id"),
    webhook_deliveries.c.webhook_id == parameter("webhook_id"),
)

# A card may name a label or a membership that has been deleted: this inserts nothing for it.
ADD_LABEL = card_labels.insert().from_select(
    ["card_id", "label_id"], sa.select(parameter("card_id"), labels.c.id).where(labels.c.id == parameter("label_id"))
)

ADD_ASSIGNEE = card_assignees.insert().from_select(
    ["card_id", "member_id"],
    sa.select(parameter("card_id"), members.c.id).where(members.c.id == parameter("member_id")),
)

CLEAR_CARD_ROWS = tuple(
    table.delete().where(table.c.card_id == parameter("card_id")) for table in (card_labels, card_assignees, card_links)
)

DELETE_ITEMS = checklist_items.delete().where(checklist_items.c.checklist_id == parameter("checklist_id"))

SET_CARD_RANK = (
    cards.update()
    .where(
        cards.c.id == parameter("id"),
        cards.c.list_id == parameter("list_id"),
        cards.c.board_id == parameter("board_id"),
    )
    .values(rank=parameter("rank"))
)

UPDATE_STAGE = (
    lists.update()
    .where(lists.c.id == parameter("id"), lists.c.stage != parameter("stage"))
    .values(stage=parameter("stage"))
)


_HAS_SEQ_BEFORE = boards.c.seq == parameter("seq") - sa.literal_column("1")


@cache
def update_board(*, restores: bool, actor_leaves: bool) -> sa.Update:
    """Update a board to the seq of an event, if it still has the seq before it.

    The board must be live, or deleted if the event restores it. The actor must be an editor or owner, or any member
    when leaving the board, and not be deactivated.
    """
    actor = sa.select(members.c.role).where(
        members.c.board_id == boards.c.id,
        members.c.user_id == parameter("actor_id"),
        members.c.deactivated_at.is_(None),
    )
    if not actor_leaves:
        actor = actor.where(members.c.role != sa.literal_column("'viewer'"))
    return _update(boards).where(
        _HAS_SEQ_BEFORE, boards.c.deleted_at.is_not(None) if restores else boards.c.deleted_at.is_(None), actor.exists()
    )


# The actor is no member yet, or declines to be one. Whatever an invitation depends on raises the board's seq when it
# changes.
UPDATE_JOINED_BOARD = _update(boards).where(_HAS_SEQ_BEFORE, boards.c.deleted_at.is_(None))

# An owner of the installation does it, also on a deleted board: a change that may not has seen the seq of a live one.
UPDATE_BOARD_BY_INSTALLATION = _update(boards).where(_HAS_SEQ_BEFORE)


CLEAR_EXTERNAL_ID = (
    cards.update()
    .where(
        cards.c.board_id == parameter("board_id"),
        cards.c.external_id == parameter("external_id"),
        cards.c.deleted_at.is_(None),
        ~LIST_IS_LIVE,
    )
    .values(external_id=sa.null())
)

CARD_IDS_BY_RANK = sa.select(cards.c.id).where(cards.c.list_id == parameter("list_id")).order_by(cards.c.rank)

LAST_RANK = sa.select(lists.c.last_rank).where(lists.c.id == parameter("list_id"))

SET_RANK = cards.update().where(cards.c.id == parameter("id")).values(rank=parameter("rank"))

SET_RANK_BOUNDS = (
    lists.update()
    .where(lists.c.id == parameter("list_id"))
    .values(first_rank=parameter("first_rank"), last_rank=parameter("last_rank"))
)

RECORD_TOKEN_USE = (
    tokens.update()
    .where(
        tokens.c.id == parameter("token_id"),
        sa.or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < parameter("at")),
    )
    .values(last_used_at=parameter("at"), last_used_from=parameter("origin"))
)


# Idempotency


DELETE_RECORD_IF_EXPIRED = idempotency_records.delete().where(
    RECORD_KEY_MATCHES, idempotency_records.c.expires_at <= parameter("now")
)

_SOME_EXPIRED_RECORDS = (
    sa.select(idempotency_records.c.user_id, idempotency_records.c.operation_id, idempotency_records.c.key)
    .where(idempotency_records.c.expires_at <= parameter("now"))
    .order_by(idempotency_records.c.expires_at)
    .limit(20)
    # Two writers that delete the same records must not wait for each other.
    .with_for_update(skip_locked=True)
)

DELETE_SOME_EXPIRED_RECORDS = idempotency_records.delete().where(
    sa.tuple_(idempotency_records.c.user_id, idempotency_records.c.operation_id, idempotency_records.c.key).in_(
        choose_once(_SOME_EXPIRED_RECORDS)
    )
)
