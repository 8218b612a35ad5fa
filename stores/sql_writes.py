"""Every statement that writes to the SQL store: see `stores.statements` for how they are run."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from stores.schema import (
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
    labels,
    lists,
    members,
    settings,
    time_entries,
    token_ancestors,
    tokens,
    users,
)
from stores.statements import IN_LIVE_LIST, RECORD, given

# A list's stage is written by a statement of its own: SQLite looks at every card of the list whenever a statement
# may change what the cards refer to, even if it does not.
_FIXED = frozenset({"id", "board_id", "user_id", "card_id", "digest", "created_at", "created_by", "author_id", "stage"})
_STATUS = sa.select(lists.c.stage).where(lists.c.id == given("list_id")).scalar_subquery()


def _written(table: sa.Table, *, except_for: frozenset[str] = frozenset()) -> dict[str, Any]:
    values: dict[str, Any] = {
        column.name: given(column.name) for column in table.columns if column.name not in except_for
    }
    if table is cards:
        values["status"] = _STATUS
    return values


def _update(table: sa.Table) -> sa.Update:
    # Whose work a time entry is can be corrected, and a token can have another secret; whose a token or a place on a
    # board is cannot change.
    fixed = _FIXED - {time_entries: {"user_id"}, tokens: {"digest"}}.get(table, set())
    return table.update().where(table.c.id == given("id")).values(_written(table, except_for=fixed))


INSERT = {
    table: table.insert().values(_written(table))
    for table in (
        *(users, tokens, token_ancestors, boards, members, labels, lists, cards, card_links, time_entries),
        *(checklists, checklist_items, comments, events, idempotency_records, settings),
    )
}

# The first user of all, and nobody else after.
MAKE_OWNER = settings.insert().from_select(
    ["name", "value"],
    sa.select(sa.literal_column("'owner'"), given("user_id")).where(
        ~sa.select(settings.c.name).where(settings.c.name == sa.literal_column("'owner'")).exists()
    ),
)

UPDATE_PERSON = {
    table: _update(table).where(table.c.version == given("version") - sa.literal_column("1"))
    for table in (users, tokens)
}

UPDATE_PART = {
    table: _update(table).where(table.c.board_id == given("board_id"))
    for table in (members, labels, lists, cards, time_entries, checklists, comments)
}

# A card that comes from another board, and what comes along.
MOVE_CARD = (
    cards.update()
    .where(cards.c.id == given("id"), cards.c.board_id.in_([given("board_id"), given("from_board_id")]))
    .values(_written(cards, except_for=frozenset({"id", "created_at"})))
)

CARRY_PARTS = tuple(
    table.update().where(table.c.card_id == given("card_id")).values(board_id=given("board_id"))
    for table in (time_entries, checklists, comments)
)


@cache
def hand_over_items(count: int) -> sa.Update:
    """The items of a card's checklists change hands: from so many places to others, and from any else to nobody."""
    item = checklist_items.c
    of_card = sa.select(checklists.c.id).where(checklists.c.card_id == given("card_id"))
    hands = [(item.assignee_id == given(f"from_{number}"), given(f"to_{number}")) for number in range(count)]
    return (
        checklist_items.update()
        .where(item.checklist_id.in_(of_card), item.assignee_id.is_not(None))
        .values(assignee_id=sa.case(*hands, else_=sa.null()) if hands else sa.null())
    )


DELETE_PART = {
    table: table.delete().where(table.c.id == given("id"), table.c.board_id == given("board_id"))
    for table in (members, labels, time_entries, checklists, comments)
}

# A card may still name a label or a place that is gone: that is passed over.
ADD_LABEL = card_labels.insert().from_select(
    ["card_id", "label_id"], sa.select(given("card_id"), labels.c.id).where(labels.c.id == given("label_id"))
)

ADD_ASSIGNEE = card_assignees.insert().from_select(
    ["card_id", "member_id"], sa.select(given("card_id"), members.c.id).where(members.c.id == given("member_id"))
)

STRIP_CARD = tuple(
    table.delete().where(table.c.card_id == given("card_id")) for table in (card_labels, card_assignees, card_links)
)

DELETE_ITEMS = checklist_items.delete().where(checklist_items.c.checklist_id == given("checklist_id"))

PLACE_CARD = (
    cards.update()
    .where(
        cards.c.id == given("id"),
        cards.c.list_id == given("list_id"),
        cards.c.board_id == given("board_id"),
    )
    .values(rank=given("rank"))
)

UPDATE_STAGE = (
    lists.update().where(lists.c.id == given("id"), lists.c.stage != given("stage")).values(stage=given("stage"))
)


@cache
def update_board(*, revives: bool, leaves: bool) -> sa.Update:
    """The board after an event: it must be live (or deleted, if it revives), the actor an editor (or any, to leave)."""
    actor = sa.select(members.c.role).where(members.c.board_id == boards.c.id, members.c.user_id == given("actor_id"))
    if not leaves:
        actor = actor.where(members.c.role != sa.literal_column("'viewer'"))
    return _update(boards).where(
        boards.c.seq == given("seq") - sa.literal_column("1"),
        boards.c.deleted_at.is_not(None) if revives else boards.c.deleted_at.is_(None),
        actor.exists(),
    )


FREE_EXTERNAL_ID = (
    cards.update()
    .where(
        cards.c.board_id == given("board_id"),
        cards.c.external_id == given("external_id"),
        cards.c.deleted_at.is_(None),
        ~IN_LIVE_LIST,
    )
    .values(external_id=sa.null())
)

RANKS_IN_LIST = sa.select(cards.c.id).where(cards.c.list_id == given("list_id")).order_by(cards.c.rank)

LAST_RANK = sa.select(lists.c.last_rank).where(lists.c.id == given("list_id"))

SET_RANK = cards.update().where(cards.c.id == given("id")).values(rank=given("rank"))

SET_BOUNDS = (
    lists.update()
    .where(lists.c.id == given("list_id"))
    .values(first_rank=given("first_rank"), last_rank=given("last_rank"))
)

TOUCH_TOKEN = (
    tokens.update()
    .where(
        tokens.c.id == given("token_id"),
        sa.or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < given("at")),
    )
    .values(last_used_at=given("at"))
)


# Idempotency


FORGET_RECORD = idempotency_records.delete().where(RECORD, idempotency_records.c.expires_at <= given("now"))

_EXPIRED = (
    sa.select(idempotency_records.c.user_id, idempotency_records.c.operation_id, idempotency_records.c.key)
    .where(idempotency_records.c.expires_at <= given("now"))
    .order_by(idempotency_records.c.expires_at)
    .limit(20)
    # Two writers who forget the same answers must not wait for each other.
    .with_for_update(skip_locked=True)
)

FORGET_EXPIRED = idempotency_records.delete().where(
    sa.tuple_(idempotency_records.c.user_id, idempotency_records.c.operation_id, idempotency_records.c.key).in_(
        _EXPIRED
    )
)
