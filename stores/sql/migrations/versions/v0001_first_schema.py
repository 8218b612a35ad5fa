"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_text = sa.Text()
_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_moment = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_number = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_document = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make every table and index."""
    _make_people()
    _make_boards()
    _make_lists()
    _make_cards()
    _make_time_entries()
    _make_records()


def _make_people() -> None:
    op.create_table(
        "users",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("name", _text, nullable=False),
        sa.Column("version", _number, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.CheckConstraint("version >= 1", name="ck_users_version"),
        sqlite_strict=True,
    )
    op.create_index("ix_users_first", "users", ["created_at", "id"])
    op.create_table(
        "tokens",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("user_id", _bytewise, nullable=False),
        sa.Column("name", _text, nullable=False),
        sa.Column("digest", _bytewise, nullable=False),
        sa.Column("scopes", _text, nullable=False),
        sa.Column("version", _number, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("expires_at", _moment),
        sa.Column("last_used_at", _moment),
        sa.Column("revoked_at", _moment),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tokens_user_id"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
        sa.CheckConstraint("version >= 1", name="ck_tokens_version"),
        sa.CheckConstraint("length(digest) = 64", name="ck_tokens_digest"),
        sqlite_strict=True,
    )
    _make_partial_index("ix_tokens_newest", "tokens", ["user_id", "id"], "revoked_at IS NULL")


def _make_boards() -> None:
    op.create_table(
        "boards",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("name", _text, nullable=False),
        sa.Column("description", _text, nullable=False),
        sa.Column("currency", _text, nullable=False),
        sa.Column("hourly_rate_minor", _number, nullable=False),
        sa.Column("seq", _number, nullable=False),
        sa.Column("version", _number, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.Column("deleted_at", _moment),
        sa.PrimaryKeyConstraint("id", name="pk_boards"),
        sa.CheckConstraint("length(currency) = 3", name="ck_boards_currency"),
        sa.CheckConstraint("hourly_rate_minor BETWEEN 0 AND 100000000", name="ck_boards_hourly_rate_minor"),
        sa.CheckConstraint("seq >= 1", name="ck_boards_seq"),
        sa.CheckConstraint("version >= 1", name="ck_boards_version"),
        sqlite_strict=True,
    )
    op.create_table(
        "members",
        sa.Column("board_id", _bytewise, nullable=False),
        sa.Column("user_id", _bytewise, nullable=False),
        sa.Column("role", _text, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("board_id", "user_id", name="pk_members"),
        sa.ForeignKeyConstraint(["board_id"], ["boards.id"], name="fk_members_board_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_members_user_id"),
        sa.CheckConstraint("role IN ('viewer', 'editor', 'owner')", name="ck_members_role"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_members_user", "members", ["user_id", "board_id"])


def _make_lists() -> None:
    op.create_table(
        "lists",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("board_id", _bytewise, nullable=False),
        sa.Column("name", _text, nullable=False),
        sa.Column("stage", _text, nullable=False),
        sa.Column("rank", _bytewise, nullable=False),
        sa.Column("wip_limit", _number),
        sa.Column("wip_enforcement", _text, nullable=False),
        sa.Column("external_id", _bytewise),
        sa.Column("card_count", _number, nullable=False),
        sa.Column("first_rank", _bytewise, nullable=False),
        sa.Column("last_rank", _bytewise, nullable=False),
        sa.Column("version", _number, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.Column("deleted_at", _moment),
        sa.PrimaryKeyConstraint("id", name="pk_lists"),
        sa.ForeignKeyConstraint(["board_id"], ["boards.id"], name="fk_lists_board_id"),
        sa.UniqueConstraint("board_id", "id", "stage", name="uq_lists_board_id_id_stage"),
        sa.CheckConstraint("stage IN ('todo', 'in_progress', 'done')", name="ck_lists_stage"),
        sa.CheckConstraint("wip_limit BETWEEN 1 AND 5000", name="ck_lists_wip_limit"),
        sa.CheckConstraint("wip_enforcement IN ('warn', 'block')", name="ck_lists_wip_enforcement"),
        sa.CheckConstraint("card_count BETWEEN 0 AND 5000", name="ck_lists_card_count"),
        sa.CheckConstraint("version >= 1", name="ck_lists_version"),
        sqlite_strict=True,
    )
    _make_partial_index("uq_lists_rank", "lists", ["board_id", "rank"], "deleted_at IS NULL", unique=True)
    _make_partial_index(
        "uq_lists_external_id",
        "lists",
        ["board_id", "external_id"],
        "deleted_at IS NULL AND external_id IS NOT NULL",
        unique=True,
    )


def _make_cards() -> None:
    op.create_table(
        "cards",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("board_id", _bytewise, nullable=False),
        sa.Column("list_id", _bytewise, nullable=False),
        sa.Column("status", _text, nullable=False),
        sa.Column("title", _text, nullable=False),
        sa.Column("description", _text, nullable=False),
        sa.Column("external_id", _bytewise),
        sa.Column("rank", _bytewise, nullable=False),
        sa.Column("started_at", _moment),
        sa.Column("resolved_at", _moment),
        sa.Column("tracked_seconds", _number, nullable=False),
        sa.Column("tracked_cost", _number, nullable=False),
        sa.Column("version", _number, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.Column("deleted_at", _moment),
        sa.Column("search", _text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cards"),
        sa.ForeignKeyConstraint(
            ["board_id", "list_id", "status"],
            ["lists.board_id", "lists.id", "lists.stage"],
            name="fk_cards_board_id_list_id_status",
            onupdate="CASCADE",
        ),
        sa.UniqueConstraint("list_id", "rank", name="uq_cards_list_id_rank"),
        sa.CheckConstraint("tracked_seconds >= 0", name="ck_cards_tracked_seconds"),
        sa.CheckConstraint("tracked_cost >= 0", name="ck_cards_tracked_cost"),
        sa.CheckConstraint("version >= 1", name="ck_cards_version"),
        sqlite_strict=True,
    )
    live = "deleted_at IS NULL"
    _make_partial_index(
        "uq_cards_external_id",
        "cards",
        ["board_id", "external_id"],
        "deleted_at IS NULL AND external_id IS NOT NULL",
        unique=True,
    )
    _make_partial_index("ix_cards_list_rank", "cards", ["list_id", "rank"], live)
    _make_partial_index("ix_cards_list_id", "cards", ["list_id", "id"], live)
    _make_partial_index("ix_cards_list_updated", "cards", ["list_id", "updated_at", "id"], live)
    _make_partial_index("ix_cards_board_id", "cards", ["board_id", "id"], live)
    _make_partial_index("ix_cards_board_updated", "cards", ["board_id", "updated_at", "id"], live)
    _make_partial_index("ix_cards_status_id", "cards", ["board_id", "status", "id"], live)
    _make_partial_index("ix_cards_status_updated", "cards", ["board_id", "status", "updated_at", "id"], live)


def _make_time_entries() -> None:
    op.create_table(
        "time_entries",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("board_id", _bytewise, nullable=False),
        sa.Column("card_id", _bytewise, nullable=False),
        sa.Column("started_at", _moment, nullable=False),
        sa.Column("ended_at", _moment),
        sa.Column("rate_minor", _number, nullable=False),
        sa.Column("version", _number, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_time_entries"),
        sa.ForeignKeyConstraint(["board_id"], ["boards.id"], name="fk_time_entries_board_id"),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name="fk_time_entries_card_id"),
        sa.CheckConstraint("ended_at >= started_at", name="ck_time_entries_ended_at"),
        sa.CheckConstraint("rate_minor >= 0", name="ck_time_entries_rate_minor"),
        sa.CheckConstraint("version >= 1", name="ck_time_entries_version"),
        sqlite_strict=True,
    )
    op.create_index("ix_time_entries_card", "time_entries", ["card_id", "id"])
    _make_partial_index("uq_time_entries_running", "time_entries", ["card_id"], "ended_at IS NULL", unique=True)


def _make_records() -> None:
    op.create_table(
        "events",
        sa.Column("board_id", _bytewise, nullable=False),
        sa.Column("seq", _number, nullable=False),
        sa.Column("type", _text, nullable=False),
        sa.Column("at", _moment, nullable=False),
        sa.Column("actor_id", _bytewise, nullable=False),
        sa.Column("list_id", _bytewise),
        sa.Column("card_id", _bytewise),
        sa.Column("data", _document, nullable=False),
        sa.PrimaryKeyConstraint("board_id", "seq", name="pk_events"),
        sa.ForeignKeyConstraint(["board_id"], ["boards.id"], name="fk_events_board_id"),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name="fk_events_actor_id"),
        sa.CheckConstraint("seq >= 1", name="ck_events_seq"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "idempotency_records",
        sa.Column("user_id", _bytewise, nullable=False),
        sa.Column("operation_id", _bytewise, nullable=False),
        sa.Column("key", _bytewise, nullable=False),
        sa.Column("fingerprint", _bytewise, nullable=False),
        sa.Column("status", _number, nullable=False),
        sa.Column("headers", _document, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("expires_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "operation_id", "key", name="pk_idempotency_records"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_idempotency_records_user_id"),
        sa.CheckConstraint("status BETWEEN 100 AND 599", name="ck_idempotency_records_status"),
        sqlite_strict=True,
    )
    op.create_index("ix_idempotency_records_expired", "idempotency_records", ["expires_at"])
    op.create_table(
        "settings",
        sa.Column("name", _bytewise, nullable=False),
        sa.Column("value", _text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
        sqlite_strict=True,
    )


def _make_partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
