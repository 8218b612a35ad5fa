"""The tables, for every SQL engine. The migrations make them; a test tells when the two differ.

Moments are ISO 8601 text with a 'Z' in SQLite ('2026-11-20T14:00:00Z', which sorts as time does) and
TIMESTAMPTZ in PostgreSQL. Ids and ranks are compared byte by byte everywhere.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from kanban.values import Color, Enforcement, Role, Stage

plain = sa.Text()
bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
moment = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
flag = sa.Integer().with_variant(sa.Boolean(), "postgresql")
number = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
document = sa.Text().with_variant(postgresql.JSONB(), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _is_one_of(column: str, words: type[Stage] | type[Role] | type[Enforcement] | type[Color]) -> sa.CheckConstraint:
    allowed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=column)


def _is_between(column: str, least: int, most: int | None = None) -> sa.CheckConstraint:
    limits = f"{column} >= {least}" if most is None else f"{column} BETWEEN {least} AND {most}"
    return sa.CheckConstraint(limits, name=column)


users = sa.Table(
    "users",
    metadata,
    sa.Column("id", bytewise, primary_key=True),
    sa.Column("name", plain, nullable=False),
    sa.Column("version", number, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
    _is_between("version", 1),
    sqlite_strict=True,
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", bytewise, primary_key=True),
    sa.Column("user_id", bytewise, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("name", plain, nullable=False),
    sa.Column("digest", bytewise, nullable=False, unique=True),
    sa.Column("scopes", plain, nullable=False),
    sa.Column("version", number, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("expires_at", moment),
    sa.Column("last_used_at", moment),
    sa.Column("revoked_at", moment),
    _is_between("version", 1),
    sa.CheckConstraint("length(digest) = 64", name="digest"),
    sqlite_strict=True,
)
sa.Index(
    "ix_tokens_newest",
    tokens.c.user_id,
    tokens.c.id,
    sqlite_where=tokens.c.revoked_at.is_(None),
    postgresql_where=tokens.c.revoked_at.is_(None),
)

# The tokens that a token comes from, the oldest at position 0: it is revoked with any of them.
token_ancestors = sa.Table(
    "token_ancestors",
    metadata,
    sa.Column("token_id", bytewise, sa.ForeignKey("tokens.id"), primary_key=True),
    sa.Column("position", number, primary_key=True),
    sa.Column("ancestor_id", bytewise, sa.ForeignKey("tokens.id"), nullable=False),
    sa.Index("ix_token_ancestors_ancestor", "ancestor_id", "token_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

boards = sa.Table(
    "boards",
    metadata,
    sa.Column("id", bytewise, primary_key=True),
    sa.Column("name", plain, nullable=False),
    sa.Column("description", plain, nullable=False),
    sa.Column("currency", plain, nullable=False),
    sa.Column("hourly_rate_minor", number, nullable=False),
    sa.Column("seq", number, nullable=False),
    sa.Column("version", number, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
    sa.Column("deleted_at", moment),
    sa.Column("archived_at", moment),
    sa.Column("external_id", bytewise),
    # SQLite adds no column that must have a value and refers to another table: it is always there all the same.
    sa.Column("created_by", bytewise),
    sa.CheckConstraint("length(currency) = 3", name="currency"),
    _is_between("hourly_rate_minor", 0, 100_000_000),
    _is_between("seq", 1),
    _is_between("version", 1),
    sqlite_strict=True,
)

members = sa.Table(
    "members",
    metadata,
    sa.Column("board_id", bytewise, sa.ForeignKey("boards.id"), primary_key=True),
    sa.Column("user_id", bytewise, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("role", plain, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("id", bytewise),
    sa.Column("version", number, nullable=False, server_default="1"),
    sa.Column("updated_at", moment),
    _is_one_of("role", Role),
    sa.Index("ix_members_user", "user_id", "board_id"),
    sa.Index("uq_members_id", "id", unique=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

lists = sa.Table(
    "lists",
    metadata,
    sa.Column("id", bytewise, primary_key=True),
    sa.Column("board_id", bytewise, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("name", plain, nullable=False),
    sa.Column("stage", plain, nullable=False),
    sa.Column("rank", bytewise, nullable=False),
    sa.Column("wip_limit", number),
    sa.Column("wip_enforcement", plain, nullable=False),
    sa.Column("external_id", bytewise),
    sa.Column("card_count", number, nullable=False),
    sa.Column("first_rank", bytewise, nullable=False),
    sa.Column("last_rank", bytewise, nullable=False),
    sa.Column("version", number, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
    sa.Column("deleted_at", moment),
    sa.Column("archived_at", moment),
    # The cards refer to all three, so that a card is on its list's board and has its list's stage.
    sa.UniqueConstraint("board_id", "id", "stage"),
    _is_one_of("stage", Stage),
    _is_between("wip_limit", 1, 5_000),
    _is_one_of("wip_enforcement", Enforcement),
    _is_between("card_count", 0, 5_000),
    _is_between("version", 1),
    sqlite_strict=True,
)

cards = sa.Table(
    "cards",
    metadata,
    sa.Column("id", bytewise, primary_key=True),
    sa.Column("board_id", bytewise, nullable=False),
    sa.Column("list_id", bytewise, nullable=False),
    sa.Column("status", plain, nullable=False),
    sa.Column("title", plain, nullable=False),
    sa.Column("description", plain, nullable=False),
    sa.Column("external_id", bytewise),
    sa.Column("rank", bytewise, nullable=False),
    sa.Column("started_at", moment),
    sa.Column("resolved_at", moment),
    sa.Column("tracked_seconds", number, nullable=False),
    sa.Column("tracked_cost", number, nullable=False),
    sa.Column("version", number, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
    sa.Column("deleted_at", moment),
    # Title and description as they are searched: see kanban.text.
    sa.Column("search", plain, nullable=False),
    sa.Column("archived_at", moment),
    sa.Column("start_at", moment),
    sa.Column("due_at", moment),
    sa.Column("due_complete", flag, nullable=False, server_default=sa.false()),
    sa.Column("hourly_rate_minor", number),
    sa.Column("comment_count", number, nullable=False, server_default="0"),
    sa.Column("item_count", number, nullable=False, server_default="0"),
    sa.Column("done_count", number, nullable=False, server_default="0"),
    sa.ForeignKeyConstraint(
        ["board_id", "list_id", "status"],
        ["lists.board_id", "lists.id", "lists.stage"],
        onupdate="CASCADE",
    ),
    # Deleted cards keep their place, for the day they come back.
    sa.UniqueConstraint("list_id", "rank"),
    _is_between("tracked_seconds", 0),
    _is_between("tracked_cost", 0),
    _is_between("version", 1),
    sqlite_strict=True,
)

time_entries = sa.Table(
    "time_entries",
    metadata,
    sa.Column("id", bytewise, primary_key=True),
    sa.Column("board_id", bytewise, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("card_id", bytewise, sa.ForeignKey("cards.id"), nullable=False),
    sa.Column("started_at", moment, nullable=False),
    sa.Column("ended_at", moment),
    sa.Column("rate_minor", number, nullable=False),
    sa.Column("version", number, nullable=False),
    sa.Column("user_id", bytewise),
    sa.Column("note", plain, nullable=False, server_default=sa.text("''")),
    sa.CheckConstraint("ended_at >= started_at", name="ended_at"),
    _is_between("rate_minor", 0),
    _is_between("version", 1),
    sa.Index("ix_time_entries_card", "card_id", "id"),
    sqlite_strict=True,
)

labels = sa.Table(
    "labels",
    metadata,
    sa.Column("id", bytewise, primary_key=True),
    sa.Column("board_id", bytewise, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("name", plain, nullable=False),
    sa.Column("color", plain, nullable=False),
    sa.Column("version", number, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
    _is_one_of("color", Color),
    _is_between("version", 1),
    sa.Index("ix_labels_board", "board_id", "id"),
    sqlite_strict=True,
)

card_labels = sa.Table(
    "card_labels",
    metadata,
    sa.Column("card_id", bytewise, sa.ForeignKey("cards.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("label_id", bytewise, sa.ForeignKey("labels.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("ix_card_labels_label", "label_id", "card_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

card_assignees = sa.Table(
    "card_assignees",
    metadata,
    sa.Column("card_id", bytewise, sa.ForeignKey("cards.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("member_id", bytewise, sa.ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("ix_card_assignees_member", "member_id", "card_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

card_links = sa.Table(
    "card_links",
    metadata,
    sa.Column("card_id", bytewise, sa.ForeignKey("cards.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", number, primary_key=True),
    sa.Column("url", bytewise, nullable=False),
    sa.Column("title", plain, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

checklists = sa.Table(
    "checklists",
    metadata,
    sa.Column("id", bytewise, primary_key=True),
    sa.Column("board_id", bytewise, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("card_id", bytewise, sa.ForeignKey("cards.id"), nullable=False),
    sa.Column("name", plain, nullable=False),
    sa.Column("rank", bytewise, nullable=False),
    sa.Column("version", number, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
    _is_between("version", 1),
    sa.UniqueConstraint("card_id", "rank"),
    sa.Index("ix_checklists_board", "board_id"),
    sqlite_strict=True,
)

checklist_items = sa.Table(
    "checklist_items",
    metadata,
    sa.Column("checklist_id", bytewise, sa.ForeignKey("checklists.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", number, primary_key=True),
    sa.Column("id", bytewise, nullable=False),
    sa.Column("text", plain, nullable=False),
    sa.Column("done", flag, nullable=False),
    # The place of a member, who may have left since.
    sa.Column("assignee_id", bytewise),
    sa.Column("due_at", moment),
    sa.Column("version", number, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
    _is_between("version", 1),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

comments = sa.Table(
    "comments",
    metadata,
    sa.Column("id", bytewise, primary_key=True),
    sa.Column("board_id", bytewise, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("card_id", bytewise, sa.ForeignKey("cards.id"), nullable=False),
    sa.Column("author_id", bytewise, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("text", plain, nullable=False),
    sa.Column("version", number, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
    # The text as it is searched: see kanban.text.
    sa.Column("search", plain, nullable=False),
    _is_between("version", 1),
    sa.Index("ix_comments_board", "board_id"),
    sa.Index("ix_comments_card", "card_id", "id"),
    sqlite_strict=True,
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("board_id", bytewise, sa.ForeignKey("boards.id"), primary_key=True),
    sa.Column("seq", number, primary_key=True),
    sa.Column("type", plain, nullable=False),
    sa.Column("at", moment, nullable=False),
    sa.Column("actor_id", bytewise, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("list_id", bytewise),
    sa.Column("card_id", bytewise),
    sa.Column("data", document, nullable=False),
    _is_between("seq", 1),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

idempotency_records = sa.Table(
    "idempotency_records",
    metadata,
    sa.Column("user_id", bytewise, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("operation_id", bytewise, primary_key=True),
    sa.Column("key", bytewise, primary_key=True),
    sa.Column("fingerprint", bytewise, nullable=False),
    sa.Column("status", number, nullable=False),
    sa.Column("headers", document, nullable=False),
    sa.Column("body", sa.LargeBinary(), nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("expires_at", moment, nullable=False),
    _is_between("status", 100, 599),
    sa.Index("ix_idempotency_records_expired", "expires_at"),
    sqlite_strict=True,
)

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("name", bytewise, primary_key=True),
    sa.Column("value", plain, nullable=False),
    sqlite_strict=True,
)


NEVER = "9999-12-31T23:59:59Z"
"""When a time entry that is open ends, for the order of entries."""


def end_of(entries: sa.FromClause) -> sa.ColumnElement[Any]:
    """When time entries end. Written out, so that an engine sees that the index holds just this."""
    return sa.func.coalesce(entries.c.ended_at, sa.literal_column(f"'{NEVER}'"))


def _index_of_live(
    name: str, table: sa.Table, *columns: str, unique: bool = False, where: sa.ColumnElement[bool] | None = None
) -> sa.Index:
    live = table.c.deleted_at.is_(None)
    condition = live if where is None else sa.and_(live, where)
    return sa.Index(
        name,
        *(table.c[column] for column in columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


_index_of_live("uq_lists_rank", lists, "board_id", "rank", unique=True)
_index_of_live(
    "uq_lists_external_id", lists, "board_id", "external_id", unique=True, where=lists.c.external_id.is_not(None)
)
_index_of_live(
    "uq_boards_external_id", boards, "created_by", "external_id", unique=True, where=boards.c.external_id.is_not(None)
)
_index_of_live(
    "uq_cards_external_id", cards, "board_id", "external_id", unique=True, where=cards.c.external_id.is_not(None)
)
_index_of_live("ix_cards_list_rank", cards, "list_id", "rank")
_index_of_live("ix_cards_list_id", cards, "list_id", "id")
_index_of_live("ix_cards_list_updated", cards, "list_id", "updated_at", "id")
_index_of_live("ix_cards_board_id", cards, "board_id", "id")
_index_of_live("ix_cards_board_updated", cards, "board_id", "updated_at", "id")
_index_of_live("ix_cards_status_id", cards, "board_id", "status", "id")
_index_of_live("ix_cards_status_updated", cards, "board_id", "status", "updated_at", "id")
_index_of_live("ix_cards_list_due", cards, "list_id", "due_at", "id", where=cards.c.due_at.is_not(None))
_index_of_live("ix_cards_board_due", cards, "board_id", "due_at", "id", where=cards.c.due_at.is_not(None))

for _table in (boards, lists, cards):
    _deleted = _table.c.deleted_at.is_not(None)
    sa.Index(f"ix_{_table.name}_deleted", _table.c.deleted_at, sqlite_where=_deleted, postgresql_where=_deleted)

sa.Index("ix_time_entries_worked", time_entries.c.board_id, end_of(time_entries), time_entries.c.id)

sa.Index(
    "uq_time_entries_running",
    time_entries.c.card_id,
    unique=True,
    sqlite_where=time_entries.c.ended_at.is_(None),
    postgresql_where=time_entries.c.ended_at.is_(None),
)
