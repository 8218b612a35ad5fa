"""Labels, checklists, comments, assignees, links, archives; and whose things are."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_text = sa.Text()
_bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_moment = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_flag = sa.Integer().with_variant(sa.Boolean(), "postgresql")
_document = sa.Text().with_variant(postgresql.JSONB(), "postgresql")
_number = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    """Add columns, fill those that old rows must have, then make the new tables and indexes."""
    _widen_boards()
    _widen_cards()
    _complete_events()
    _make_labels()
    _make_joins()
    _make_checklists()
    _make_comments()
    _make_indexes()


def _widen_boards() -> None:
    op.add_column("boards", sa.Column("archived_at", _moment))
    op.add_column("boards", sa.Column("external_id", _bytewise))
    op.add_column("boards", sa.Column("created_by", _bytewise))
    op.execute("UPDATE boards SET created_by = (SELECT actor_id FROM events WHERE board_id = boards.id AND seq = 1)")
    op.add_column("members", sa.Column("id", _bytewise))
    op.add_column("members", sa.Column("version", _number, nullable=False, server_default="1"))
    op.add_column("members", sa.Column("updated_at", _moment))
    op.execute("UPDATE members SET id = 'mbr_' || board_id || '_' || user_id, updated_at = created_at")
    op.create_index("uq_members_id", "members", ["id"], unique=True)
    op.add_column("lists", sa.Column("archived_at", _moment))


def _widen_cards() -> None:
    for column in (
        sa.Column("archived_at", _moment),
        sa.Column("start_at", _moment),
        sa.Column("due_at", _moment),
        sa.Column("due_complete", _flag, nullable=False, server_default=sa.false()),
        sa.Column("hourly_rate_minor", _number),
        sa.Column("comment_count", _number, nullable=False, server_default="0"),
        sa.Column("item_count", _number, nullable=False, server_default="0"),
        sa.Column("done_count", _number, nullable=False, server_default="0"),
    ):
        op.add_column("cards", column)
    op.add_column("time_entries", sa.Column("user_id", _bytewise))
    # Who brought the card into progress at that moment; where nobody is found, who made the board.
    op.execute(
        "UPDATE time_entries SET user_id = coalesce("
        "(SELECT max(actor_id) FROM events WHERE events.board_id = time_entries.board_id "
        "AND events.card_id = time_entries.card_id AND events.at = time_entries.started_at), "
        "(SELECT created_by FROM boards WHERE boards.id = time_entries.board_id))"
    )
    op.add_column("time_entries", sa.Column("note", _text, nullable=False, server_default=sa.text("''")))


def _complete_events() -> None:
    """Let old events tell what such events tell by now: where a card stood that was deleted, and which list was."""
    connection = op.get_bind()
    events = sa.table("events", *map(sa.column, ("board_id", "seq", "type", "list_id")), sa.column("data", _document))
    lists = sa.table("lists", *map(sa.column, ("id", "name", "stage")))
    rows = connection.execute(
        sa.select(events.c.board_id, events.c.seq, events.c.type, events.c.data, lists.c.name, lists.c.stage)
        .join(lists, lists.c.id == events.c.list_id)
        .where(events.c.type.in_(("card.deleted", "list.deleted")))
    ).fetchall()
    for board_id, seq, kind, data, name, stage in rows:
        event_data = json.loads(data) if isinstance(data, str) else data
        event_data |= {"stage": stage, "archived_at": None}
        if kind == "list.deleted":
            event_data["name"] = name
        connection.execute(
            sa.update(events)
            .where(events.c.board_id == board_id, events.c.seq == seq)
            .values(data=json.dumps(event_data, ensure_ascii=False) if isinstance(data, str) else event_data)
        )


def _make_labels() -> None:
    op.create_table(
        "labels",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("board_id", _bytewise, nullable=False),
        sa.Column("name", _text, nullable=False),
        sa.Column("color", _text, nullable=False),
        sa.Column("version", _number, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.ForeignKeyConstraint(["board_id"], ["boards.id"], name="fk_labels_board_id"),
        sa.CheckConstraint(
            "color IN ('green', 'yellow', 'orange', 'red', 'purple', 'blue', 'sky', 'lime', 'pink', 'black')",
            name="ck_labels_color",
        ),
        sa.CheckConstraint("version >= 1", name="ck_labels_version"),
        sqlite_strict=True,
    )
    op.create_index("ix_labels_board", "labels", ["board_id", "id"])


def _make_joins() -> None:
    for table, column, target in (
        ("card_labels", "label_id", "labels.id"),
        ("card_assignees", "member_id", "members.id"),
    ):
        op.create_table(
            table,
            sa.Column("card_id", _bytewise, nullable=False),
            sa.Column(column, _bytewise, nullable=False),
            sa.PrimaryKeyConstraint("card_id", column, name=f"pk_{table}"),
            sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=f"fk_{table}_card_id", ondelete="CASCADE"),
            sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete="CASCADE"),
            sqlite_strict=True,
            sqlite_with_rowid=False,
        )
    op.create_index("ix_card_labels_label", "card_labels", ["label_id", "card_id"])
    op.create_index("ix_card_assignees_member", "card_assignees", ["member_id", "card_id"])
    op.create_table(
        "card_links",
        sa.Column("card_id", _bytewise, nullable=False),
        sa.Column("position", _number, nullable=False),
        sa.Column("url", _bytewise, nullable=False),
        sa.Column("title", _text, nullable=False),
        sa.PrimaryKeyConstraint("card_id", "position", name="pk_card_links"),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name="fk_card_links_card_id", ondelete="CASCADE"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _make_checklists() -> None:
    op.create_table(
        "checklists",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("board_id", _bytewise, nullable=False),
        sa.Column("card_id", _bytewise, nullable=False),
        sa.Column("name", _text, nullable=False),
        sa.Column("rank", _bytewise, nullable=False),
        sa.Column("version", _number, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_checklists"),
        sa.ForeignKeyConstraint(["board_id"], ["boards.id"], name="fk_checklists_board_id"),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name="fk_checklists_card_id"),
        sa.UniqueConstraint("card_id", "rank", name="uq_checklists_card_id_rank"),
        sa.CheckConstraint("version >= 1", name="ck_checklists_version"),
        sqlite_strict=True,
    )
    op.create_table(
        "checklist_items",
        sa.Column("checklist_id", _bytewise, nullable=False),
        sa.Column("position", _number, nullable=False),
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("text", _text, nullable=False),
        sa.Column("done", _flag, nullable=False),
        sa.Column("assignee_id", _bytewise),
        sa.Column("due_at", _moment),
        sa.Column("version", _number, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.PrimaryKeyConstraint("checklist_id", "position", name="pk_checklist_items"),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklists.id"], name="fk_checklist_items_checklist_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("version >= 1", name="ck_checklist_items_version"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _make_comments() -> None:
    op.create_table(
        "comments",
        sa.Column("id", _bytewise, nullable=False),
        sa.Column("board_id", _bytewise, nullable=False),
        sa.Column("card_id", _bytewise, nullable=False),
        sa.Column("author_id", _bytewise, nullable=False),
        sa.Column("text", _text, nullable=False),
        sa.Column("version", _number, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
        sa.Column("search", _text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
        sa.ForeignKeyConstraint(["board_id"], ["boards.id"], name="fk_comments_board_id"),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name="fk_comments_card_id"),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_comments_author_id"),
        sa.CheckConstraint("version >= 1", name="ck_comments_version"),
        sqlite_strict=True,
    )
    op.create_index("ix_comments_card", "comments", ["card_id", "id"])


def _make_indexes() -> None:
    _make_partial_index(
        "uq_boards_external_id",
        "boards",
        ["created_by", "external_id"],
        "deleted_at IS NULL AND external_id IS NOT NULL",
        unique=True,
    )
    for parent in ("list", "board"):
        _make_partial_index(
            f"ix_cards_{parent}_due",
            "cards",
            [f"{parent}_id", "due_at", "id"],
            "deleted_at IS NULL AND due_at IS NOT NULL",
        )
    for table in ("boards", "lists", "cards"):
        _make_partial_index(f"ix_{table}_deleted", table, ["deleted_at"], "deleted_at IS NOT NULL")
    op.create_index("ix_time_entries_worked", "time_entries", ["board_id", "ended_at", "id"])


def _make_partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
