"""The tables of every SQL engine. The migrations create them; a test fails when the two differ.

Timestamps are ISO 8601 text with a 'Z' in SQLite ('2026-11-20T14:00:00Z', which sorts chronologically) and TIMESTAMPTZ
in PostgreSQL. Ids and ranks are compared byte by byte everywhere.
"""

from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import Grouping

from kanban.store import CardState
from kanban.values import Color, Enforcement, JobState, Role, Stage, WebhookState

TEXT = sa.Text()
BYTEWISE_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIMESTAMP = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
BOOLEAN = sa.Integer().with_variant(sa.Boolean(), "postgresql")
INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _check_one_of(column: str, words: type[StrEnum]) -> sa.CheckConstraint:
    allowed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=column)


def _check_between(column: str, min_value: int, max_value: int | None = None) -> sa.CheckConstraint:
    limits = f"{column} >= {min_value}" if max_value is None else f"{column} BETWEEN {min_value} AND {max_value}"
    return sa.CheckConstraint(limits, name=column)


users = sa.Table(
    "users",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("updated_at", TIMESTAMP, nullable=False),
    sa.Column("deactivated_at", TIMESTAMP),
    sa.Column("signed_out_at", TIMESTAMP),
    sa.Column("deleted_at", TIMESTAMP),
    sa.Column("owner_id", BYTEWISE_TEXT),
    sa.Column("bot_ids", TEXT),
    _check_between("version", 1),
    sqlite_strict=True,
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("user_id", BYTEWISE_TEXT, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("digest", BYTEWISE_TEXT, nullable=False, unique=True),
    sa.Column("scopes", TEXT, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("expires_at", TIMESTAMP),
    sa.Column("last_used_at", TIMESTAMP),
    sa.Column("revoked_at", TIMESTAMP),
    sa.Column("limits", TEXT),
    sa.Column("last_used_from", TEXT),
    sa.Column("kind", TEXT, nullable=False, server_default="api"),
    # The session that it was created in.
    sa.Column("session_id", BYTEWISE_TEXT),
    _check_between("version", 1),
    sa.CheckConstraint("length(digest) = 64", name="digest"),
    sqlite_strict=True,
)
sa.Index(
    "ix_tokens_newest",
    tokens.c.user_id,
    tokens.c.kind,
    tokens.c.id,
    sqlite_where=tokens.c.revoked_at.is_(None),
    postgresql_where=tokens.c.revoked_at.is_(None),
)
# For the deletion of their user.
sa.Index(
    "ix_tokens_revoked",
    tokens.c.user_id,
    sqlite_where=tokens.c.revoked_at.is_not(None),
    postgresql_where=tokens.c.revoked_at.is_not(None),
)
sa.Index(
    "ix_tokens_origin",
    tokens.c.last_used_at,
    sqlite_where=tokens.c.last_used_from.is_not(None),
    postgresql_where=tokens.c.last_used_from.is_not(None),
)

# The tokens with which a token was made, the oldest at position 0: it is revoked together with any of them.
token_ancestors = sa.Table(
    "token_ancestors",
    metadata,
    sa.Column("token_id", BYTEWISE_TEXT, sa.ForeignKey("tokens.id"), primary_key=True),
    sa.Column("position", INTEGER, primary_key=True),
    sa.Column("ancestor_id", BYTEWISE_TEXT, sa.ForeignKey("tokens.id"), nullable=False),
    sa.Index("ix_token_ancestors_ancestor", "ancestor_id", "token_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("user_id", BYTEWISE_TEXT, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("issuer", BYTEWISE_TEXT, nullable=False),
    sa.Column("subject", BYTEWISE_TEXT, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.UniqueConstraint("issuer", "subject"),
    sa.Index("ix_identities_user", "user_id", "id"),
    sqlite_strict=True,
)

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("type", BYTEWISE_TEXT, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("expires_at", TIMESTAMP, nullable=False),
    sa.Column("actor_id", BYTEWISE_TEXT),
    sa.Column("token_id", BYTEWISE_TEXT),
    sa.Column("request_id", BYTEWISE_TEXT),
    sa.Column("user_id", BYTEWISE_TEXT),
    sa.Column("data", JSON, nullable=False),
    sa.Index("ix_audit_entries_expired", "expires_at"),
    sqlite_strict=True,
)

sign_in_codes = sa.Table(
    "sign_in_codes",
    metadata,
    sa.Column("digest", BYTEWISE_TEXT, primary_key=True),
    sa.Column("user_id", BYTEWISE_TEXT, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("expires_at", TIMESTAMP, nullable=False),
    # Who created it, and with which token.
    sa.Column("created_by", BYTEWISE_TEXT),
    sa.Column("token_id", BYTEWISE_TEXT),
    sa.CheckConstraint("length(digest) = 64", name="digest"),
    sa.Index("ix_sign_in_codes_user", "user_id", "created_at", "digest"),
    sa.Index("ix_sign_in_codes_expired", "expires_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    # Who has started it.
    sa.Column("user_id", BYTEWISE_TEXT, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("subject_id", BYTEWISE_TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("done", INTEGER, nullable=False),
    sa.Column("total", INTEGER),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("started_at", TIMESTAMP),
    sa.Column("ended_at", TIMESTAMP),
    sa.Column("expires_at", TIMESTAMP),
    sa.Column("problem_code", TEXT),
    sa.Column("attempts", INTEGER, nullable=False),
    sa.Column("lease_owner", TEXT),
    sa.Column("lease_until", TIMESTAMP),
    _check_one_of("state", JobState),
    _check_between("done", 0),
    _check_between("attempts", 0),
    _check_between("version", 1),
    sa.Index("ix_jobs_user", "user_id", "id"),
    sqlite_strict=True,
)
# The jobs that workers look for: one of a kind for a subject.
sa.Index(
    "uq_jobs_subject",
    jobs.c.kind,
    jobs.c.subject_id,
    unique=True,
    sqlite_where=jobs.c.ended_at.is_(None),
    postgresql_where=jobs.c.ended_at.is_(None),
)
sa.Index(
    "ix_jobs_expired",
    jobs.c.expires_at,
    sqlite_where=jobs.c.expires_at.is_not(None),
    postgresql_where=jobs.c.expires_at.is_not(None),
)

boards = sa.Table(
    "boards",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("description", TEXT, nullable=False),
    sa.Column("currency", TEXT, nullable=False),
    sa.Column("hourly_rate_minor", INTEGER, nullable=False),
    sa.Column("seq", INTEGER, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("updated_at", TIMESTAMP, nullable=False),
    sa.Column("deleted_at", TIMESTAMP),
    sa.Column("archived_at", TIMESTAMP),
    sa.Column("external_id", BYTEWISE_TEXT),
    # Never NULL, but SQLite can't add a column that is NOT NULL and refers to another table.
    sa.Column("created_by", BYTEWISE_TEXT),
    sa.Column("history", BYTEWISE_TEXT),
    sa.CheckConstraint("length(currency) = 3", name="currency"),
    _check_between("hourly_rate_minor", 0, 100_000_000),
    _check_between("seq", 1),
    _check_between("version", 1),
    sqlite_strict=True,
)

members = sa.Table(
    "members",
    metadata,
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), primary_key=True),
    sa.Column("user_id", BYTEWISE_TEXT, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("role", TEXT, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("id", BYTEWISE_TEXT),
    sa.Column("version", INTEGER, nullable=False, server_default="1"),
    sa.Column("updated_at", TIMESTAMP),
    sa.Column("deactivated_at", TIMESTAMP),
    _check_one_of("role", Role),
    # Unique, as the primary key is: so SQLite knows that what it joins to it stays in its order.
    sa.Index("uq_members_user", "user_id", "board_id", unique=True),
    sa.Index("uq_members_id", "id", unique=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

lists = sa.Table(
    "lists",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("stage", TEXT, nullable=False),
    sa.Column("rank", BYTEWISE_TEXT, nullable=False),
    sa.Column("wip_limit", INTEGER),
    sa.Column("wip_enforcement", TEXT, nullable=False),
    sa.Column("external_id", BYTEWISE_TEXT),
    sa.Column("card_count", INTEGER, nullable=False),
    sa.Column("first_rank", BYTEWISE_TEXT, nullable=False),
    sa.Column("last_rank", BYTEWISE_TEXT, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("updated_at", TIMESTAMP, nullable=False),
    sa.Column("deleted_at", TIMESTAMP),
    sa.Column("archived_at", TIMESTAMP),
    # The cards refer to all three columns: so a card is on the board of its list, and its status is the list's stage.
    sa.UniqueConstraint("board_id", "id", "stage"),
    _check_one_of("stage", Stage),
    _check_between("wip_limit", 1, 5_000),
    _check_one_of("wip_enforcement", Enforcement),
    _check_between("card_count", 0, 5_000),
    _check_between("version", 1),
    sqlite_strict=True,
)

cards = sa.Table(
    "cards",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("board_id", BYTEWISE_TEXT, nullable=False),
    sa.Column("list_id", BYTEWISE_TEXT, nullable=False),
    sa.Column("status", TEXT, nullable=False),
    sa.Column("title", TEXT, nullable=False),
    sa.Column("description", TEXT, nullable=False),
    sa.Column("external_id", BYTEWISE_TEXT),
    sa.Column("rank", BYTEWISE_TEXT, nullable=False),
    sa.Column("started_at", TIMESTAMP),
    sa.Column("resolved_at", TIMESTAMP),
    sa.Column("tracked_seconds", INTEGER, nullable=False),
    sa.Column("tracked_cost", INTEGER, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("updated_at", TIMESTAMP, nullable=False),
    sa.Column("deleted_at", TIMESTAMP),
    # Title and description, case-folded for search: see kanban.text.
    sa.Column("search", TEXT, nullable=False),
    sa.Column("archived_at", TIMESTAMP),
    sa.Column("start_at", TIMESTAMP),
    sa.Column("due_at", TIMESTAMP),
    sa.Column("due_complete", BOOLEAN, nullable=False, server_default=sa.false()),
    sa.Column("hourly_rate_minor", INTEGER),
    sa.Column("comment_count", INTEGER, nullable=False, server_default="0"),
    sa.Column("item_count", INTEGER, nullable=False, server_default="0"),
    sa.Column("done_count", INTEGER, nullable=False, server_default="0"),
    sa.ForeignKeyConstraint(
        ["board_id", "list_id", "status"],
        ["lists.board_id", "lists.id", "lists.stage"],
        onupdate="CASCADE",
    ),
    # Deleted cards keep their rank, so that they can be restored to it.
    sa.UniqueConstraint("list_id", "rank"),
    _check_between("tracked_seconds", 0),
    _check_between("tracked_cost", 0),
    _check_between("version", 1),
    sqlite_strict=True,
)

time_entries = sa.Table(
    "time_entries",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("card_id", BYTEWISE_TEXT, sa.ForeignKey("cards.id"), nullable=False),
    sa.Column("started_at", TIMESTAMP, nullable=False),
    sa.Column("ended_at", TIMESTAMP),
    sa.Column("rate_minor", INTEGER, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("user_id", BYTEWISE_TEXT),
    sa.Column("note", TEXT, nullable=False, server_default=sa.text("''")),
    sa.Column("recorded_by", BYTEWISE_TEXT),
    sa.CheckConstraint("ended_at >= started_at", name="ended_at"),
    _check_between("rate_minor", 0),
    _check_between("version", 1),
    sa.Index("ix_time_entries_card", "card_id", "id"),
    sqlite_strict=True,
)

labels = sa.Table(
    "labels",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("color", TEXT, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("updated_at", TIMESTAMP, nullable=False),
    _check_one_of("color", Color),
    _check_between("version", 1),
    sa.Index("ix_labels_board", "board_id", "id"),
    sqlite_strict=True,
)

card_labels = sa.Table(
    "card_labels",
    metadata,
    sa.Column("card_id", BYTEWISE_TEXT, sa.ForeignKey("cards.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("label_id", BYTEWISE_TEXT, sa.ForeignKey("labels.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("ix_card_labels_label", "label_id", "card_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

card_assignees = sa.Table(
    "card_assignees",
    metadata,
    sa.Column("card_id", BYTEWISE_TEXT, sa.ForeignKey("cards.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("member_id", BYTEWISE_TEXT, sa.ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("ix_card_assignees_member", "member_id", "card_id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

card_links = sa.Table(
    "card_links",
    metadata,
    sa.Column("card_id", BYTEWISE_TEXT, sa.ForeignKey("cards.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", INTEGER, primary_key=True),
    sa.Column("url", BYTEWISE_TEXT, nullable=False),
    sa.Column("title", TEXT, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

checklists = sa.Table(
    "checklists",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("card_id", BYTEWISE_TEXT, sa.ForeignKey("cards.id"), nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("rank", BYTEWISE_TEXT, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("updated_at", TIMESTAMP, nullable=False),
    _check_between("version", 1),
    sa.UniqueConstraint("card_id", "rank"),
    sa.Index("ix_checklists_board", "board_id", "id"),
    sqlite_strict=True,
)

checklist_items = sa.Table(
    "checklist_items",
    metadata,
    sa.Column("checklist_id", BYTEWISE_TEXT, sa.ForeignKey("checklists.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", INTEGER, primary_key=True),
    sa.Column("id", BYTEWISE_TEXT, nullable=False),
    sa.Column("text", TEXT, nullable=False),
    sa.Column("done", BOOLEAN, nullable=False),
    # The id of a membership, which may have ended.
    sa.Column("assignee_id", BYTEWISE_TEXT),
    sa.Column("due_at", TIMESTAMP),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("updated_at", TIMESTAMP, nullable=False),
    _check_between("version", 1),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

comments = sa.Table(
    "comments",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("card_id", BYTEWISE_TEXT, sa.ForeignKey("cards.id"), nullable=False),
    sa.Column("author_id", BYTEWISE_TEXT, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("text", TEXT, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("updated_at", TIMESTAMP, nullable=False),
    # The text, case-folded for search: see kanban.text.
    sa.Column("search", TEXT, nullable=False),
    _check_between("version", 1),
    sa.Index("ix_comments_board", "board_id", "id"),
    sa.Index("ix_comments_card", "card_id", "id"),
    sqlite_strict=True,
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), primary_key=True),
    sa.Column("seq", INTEGER, primary_key=True),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("at", TIMESTAMP, nullable=False),
    sa.Column("actor_id", BYTEWISE_TEXT, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("list_id", BYTEWISE_TEXT),
    sa.Column("card_id", BYTEWISE_TEXT),
    sa.Column("data", JSON, nullable=False),
    sa.Column("changes", JSON),
    sa.Column("token_id", BYTEWISE_TEXT),
    sa.Column("request_id", BYTEWISE_TEXT),
    # What the commit touched: see kanban.touches.
    sa.Column("touches", BYTEWISE_TEXT),
    _check_between("seq", 1),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
sa.Index(
    "ix_events_card",
    events.c.card_id,
    events.c.seq,
    events.c.board_id,
    sqlite_where=events.c.card_id.is_not(None),
    postgresql_where=events.c.card_id.is_not(None),
)

feed_readers = sa.Table(
    "feed_readers",
    metadata,
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("name", BYTEWISE_TEXT, nullable=False),
    sa.Column("after_seq", INTEGER, nullable=False),
    sa.Column("batch_to", INTEGER),
    sa.Column("attempts", INTEGER, nullable=False),
    sa.Column("calls", INTEGER, nullable=False),
    sa.Column("failing_since", TIMESTAMP),
    sa.Column("due_at", TIMESTAMP),
    sa.Column("lease_owner", TEXT),
    sa.Column("lease_until", TIMESTAMP),
    sa.PrimaryKeyConstraint("board_id", "name"),
    _check_between("after_seq", 0),
    _check_between("attempts", 0),
    _check_between("calls", 0),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Derived from events: no digest has it.
flow_segments = sa.Table(
    "flow_segments",
    metadata,
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("seq", INTEGER, nullable=False),
    sa.Column("at", TIMESTAMP, nullable=False),
    sa.Column("content", sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint("board_id", "seq"),
    sa.Index("ix_flow_segments_at", "board_id", "at", "seq"),
    _check_between("seq", 1),
    sqlite_strict=True,
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("url", TEXT, nullable=False),
    sa.Column("types", TEXT, nullable=False),
    sa.Column("description", TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("owner_id", BYTEWISE_TEXT, nullable=False),
    sa.Column("created_by", BYTEWISE_TEXT, nullable=False),
    sa.Column("secret_number", INTEGER, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("updated_at", TIMESTAMP, nullable=False),
    sa.Column("rotated_at", TIMESTAMP),
    _check_one_of("state", WebhookState),
    _check_between("secret_number", 1),
    _check_between("version", 1),
    sqlite_strict=True,
)
sa.Index("ix_webhooks_board", webhooks.c.board_id, webhooks.c.id)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id"), nullable=False),
    sa.Column("webhook_id", BYTEWISE_TEXT, nullable=False),
    # The number modulo how many are kept.
    sa.Column("slot", INTEGER, nullable=False),
    sa.Column("number", INTEGER, nullable=False),
    sa.Column("message_id", TEXT, nullable=False),
    sa.Column("from_seq", INTEGER, nullable=False),
    sa.Column("to_seq", INTEGER, nullable=False),
    sa.Column("event_count", INTEGER, nullable=False),
    sa.Column("attempt", INTEGER, nullable=False),
    sa.Column("at", TIMESTAMP, nullable=False),
    sa.Column("duration_ms", INTEGER, nullable=False),
    sa.Column("status", INTEGER),
    sa.Column("response", TEXT, nullable=False),
    sa.Column("error", TEXT),
    sa.PrimaryKeyConstraint("board_id", "webhook_id", "slot"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("id", BYTEWISE_TEXT, primary_key=True),
    # NULL in one to the installation only.
    sa.Column("board_id", BYTEWISE_TEXT, sa.ForeignKey("boards.id")),
    sa.Column("role", TEXT),
    sa.Column("digest", BYTEWISE_TEXT, nullable=False),
    sa.Column("note", TEXT, nullable=False),
    sa.Column("max_uses", INTEGER, nullable=False),
    sa.Column("uses", INTEGER, nullable=False),
    sa.Column("created_by", BYTEWISE_TEXT, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("expires_at", TIMESTAMP, nullable=False),
    # NULL in one for anyone who has the secret.
    sa.Column("invitee_id", BYTEWISE_TEXT),
    _check_one_of("role", Role),
    _check_between("max_uses", 1, 100),
    _check_between("uses", 0, 100),
    _check_between("version", 1),
    sa.CheckConstraint("length(digest) = 64", name="digest"),
    sa.Index("ix_invitations_board", "board_id", "id"),
    sa.Index("ix_invitations_expired", "expires_at"),
    sa.Index(
        "ix_invitations_invitee",
        "invitee_id",
        "id",
        sqlite_where=sa.text("invitee_id IS NOT NULL"),
        postgresql_where=sa.text("invitee_id IS NOT NULL"),
    ),
    sqlite_strict=True,
)

idempotency_records = sa.Table(
    "idempotency_records",
    metadata,
    sa.Column("user_id", BYTEWISE_TEXT, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("operation_id", BYTEWISE_TEXT, primary_key=True),
    sa.Column("key", BYTEWISE_TEXT, primary_key=True),
    sa.Column("fingerprint", BYTEWISE_TEXT, nullable=False),
    sa.Column("status", INTEGER, nullable=False),
    sa.Column("headers", JSON, nullable=False),
    sa.Column("body", sa.LargeBinary(), nullable=False),
    sa.Column("created_at", TIMESTAMP, nullable=False),
    sa.Column("expires_at", TIMESTAMP, nullable=False),
    _check_between("status", 100, 599),
    sa.Index("ix_idempotency_records_expired", "expires_at"),
    sqlite_strict=True,
)

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("name", BYTEWISE_TEXT, primary_key=True),
    sa.Column("value", TEXT, nullable=False),
    sqlite_strict=True,
)


OPEN_ENTRY_END = "9999-12-31T23:59:59Z"
"""The end of an open time entry, for the order of entries."""


def effective_end(entries: sa.FromClause) -> sa.ColumnElement[Any]:
    """Return the end of time entries, written exactly as in the index, so that engines use it."""
    return sa.func.coalesce(entries.c.ended_at, sa.literal_column(f"'{OPEN_ENTRY_END}'"))


def card_state(cards: sa.FromClause) -> sa.ColumnElement[str]:
    """Return the `CardState` of cards, written exactly as in the indexes, so that engines use it."""
    state = sa.case(
        (cards.c.deleted_at.is_not(None), sa.literal_column("'deleted'")),
        (cards.c.archived_at.is_not(None), sa.literal_column("'archived'")),
        else_=sa.literal_column("'active'"),
    )
    # PostgreSQL wants an expression of an index in parentheses.
    return Grouping(state)


def has_state(cards: sa.FromClause, state: CardState) -> sa.ColumnElement[bool]:
    """Return the condition for cards in a state, written so that engines use the indexes."""
    return card_state(cards) == sa.literal_column(f"'{state}'")


def can_be_overdue(cards: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition for cards that are neither complete nor done, written as in the index."""
    return sa.and_(~cards.c.due_complete.is_(sa.true()), cards.c.status != sa.literal_column("'done'"))


def _index_live_rows(
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


_index_live_rows("uq_lists_rank", lists, "board_id", "rank", unique=True)
_index_live_rows(
    "uq_lists_external_id", lists, "board_id", "external_id", unique=True, where=lists.c.external_id.is_not(None)
)
_index_live_rows(
    "uq_boards_external_id", boards, "created_by", "external_id", unique=True, where=boards.c.external_id.is_not(None)
)
_index_live_rows(
    "uq_cards_external_id", cards, "board_id", "external_id", unique=True, where=cards.c.external_id.is_not(None)
)
_HAS_DUE_DATE = cards.c.due_at.is_not(None)


def _index_cards(name: str, *columns: str, where: sa.ColumnElement[bool] | None = None) -> None:
    """Index the cards of a list, a board, or a stage of it: one state after the other, each in an order of pages."""
    sa.Index(
        name,
        *(card_state(cards) if column == "state" else cards.c[column] for column in columns),
        sqlite_where=where,
        postgresql_where=where,
    )


_index_cards("ix_cards_list_rank", "list_id", "state", "rank")
_index_cards("ix_cards_list_id", "list_id", "state", "id")
_index_cards("ix_cards_list_updated", "list_id", "state", "updated_at", "id")
_index_cards("ix_cards_list_due", "list_id", "state", "due_at", "id", where=_HAS_DUE_DATE)
_index_cards("ix_cards_board_id", "board_id", "state", "id")
_index_cards("ix_cards_board_updated", "board_id", "state", "updated_at", "id")
_index_cards("ix_cards_board_due", "board_id", "state", "due_at", "id", where=_HAS_DUE_DATE)
_index_cards(
    "ix_cards_board_open", "board_id", "state", "due_at", "id", where=sa.and_(_HAS_DUE_DATE, can_be_overdue(cards))
)
_index_cards("ix_cards_status_id", "board_id", "status", "state", "id")
_index_cards("ix_cards_status_updated", "board_id", "status", "state", "updated_at", "id")
_index_cards("ix_cards_status_due", "board_id", "status", "state", "due_at", "id", where=_HAS_DUE_DATE)

for _table in (boards, lists, cards):
    _deleted = _table.c.deleted_at.is_not(None)
    sa.Index(f"ix_{_table.name}_deleted", _table.c.deleted_at, sqlite_where=_deleted, postgresql_where=_deleted)

sa.Index("ix_time_entries_worked", time_entries.c.board_id, effective_end(time_entries), time_entries.c.id)

sa.Index(
    "uq_time_entries_running",
    time_entries.c.card_id,
    unique=True,
    sqlite_where=time_entries.c.ended_at.is_(None),
    postgresql_where=time_entries.c.ended_at.is_(None),
)
