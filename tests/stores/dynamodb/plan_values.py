"""Values for tests of plans and resolutions, made by hand: no store is needed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kanban.changes import Change
from kanban.values import Board, Card, Comment, Enforcement, Entity, Event, List, Member, Role, Stage
from stores.dynamodb.board_items import BoardHead, Hold
from stores.dynamodb.snapshots import BoardSnapshot, Snapshot

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW_MS = 1_763_640_000_000
ANN, EVE = "usr_ann", "usr_eve"


def make_board(seq: int, board_id: str = "brd_1", **fields: Any) -> Board:
    board = Board(board_id, "Website", "", "EUR", 0, None, ANN, seq, 1, NOON, NOON)
    return replace(board, **fields)


def make_list(list_id: str = "lst_1", **fields: Any) -> List:
    list_ = List(list_id, "brd_1", "To do", Stage.TODO, "a0", None, Enforcement.WARN, None, 0, "", "", 1, NOON, NOON)
    return replace(list_, **fields)


def make_member(user_id: str = ANN, role: Role = Role.OWNER, board_id: str = "brd_1") -> Member:
    return Member(f"mem_{user_id}", board_id, user_id, role, 1, NOON, NOON)


def make_card(card_id: str = "crd_1", **fields: Any) -> Card:
    card = Card(
        id=card_id,
        board_id="brd_1",
        list_id="lst_1",
        title="Card",
        description="",
        external_id=None,
        rank="a0",
        start_at=None,
        due_at=None,
        due_complete=False,
        hourly_rate_minor=None,
        label_ids=(),
        assignee_ids=(),
        links=(),
        comment_count=0,
        item_count=0,
        done_count=0,
        started_at=None,
        resolved_at=None,
        tracked_seconds=0,
        tracked_cost=0,
        running=None,
        version=1,
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(card, **fields)


def make_comment(number: int, text: str = "Hm.") -> Comment:
    return Comment(f"cmt_{number:03d}", "brd_1", "crd_1", ANN, text, 1, NOON, NOON)


def make_snapshot(*members: Member, seq: int = 4, board_id: str = "brd_1", **fields: Any) -> Snapshot:
    """Return the snapshot of a board with one list; without members, Ann owns it."""
    by_user = {member.user_id: member for member in members or (make_member(board_id=board_id),)}
    head = BoardHead(make_board(seq, board_id), by_user, (), (make_list(),), (), Hold())
    return Snapshot(nonce="n1", now_ms=NOW_MS, before=BoardSnapshot(head))._replace(**fields)


def make_change(*updates: Entity, seq: int = 5, board_id: str = "brd_1", **fields: Any) -> Change:
    """Return a change that Ann makes, after which the board has that seq."""
    event = Event(board_id, seq, "test.written", NOON, ANN)
    return replace(Change(updates=(make_board(seq, board_id), *updates), event=event), **fields)
