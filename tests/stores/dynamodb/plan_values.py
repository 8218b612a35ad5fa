"""Values for tests of plans and resolutions, made by hand: no store is needed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kanban.boards import build_board
from kanban.cards import build_card
from kanban.changes import Change
from kanban.lists import build_list
from kanban.values import Board, Card, Comment, Entity, Event, List, Member, NewBoard, NewCard, NewList, Role, Stage
from stores.dynamodb.board_items import BoardHead, Hold
from stores.dynamodb.snapshots import BoardSnapshot, Snapshot

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW_MS = 1_763_640_000_000
ANN, EVE = "usr_ann", "usr_eve"


def make_board(seq: int, board_id: str = "brd_1", **fields: Any) -> Board:
    board = build_board(NewBoard("Website", currency="EUR"), board_id, ANN, NOON)
    return replace(board, seq=seq, **fields)


def make_list(list_id: str = "lst_1", **fields: Any) -> List:
    list_ = build_list(NewList("To do", Stage.TODO), list_id, "brd_1", "a0", NOON)
    return replace(list_, **fields)


def make_member(user_id: str = ANN, role: Role = Role.OWNER, board_id: str = "brd_1") -> Member:
    return Member(f"mem_{user_id}", board_id, user_id, role, 1, NOON, NOON)


def make_card(card_id: str = "crd_1", **fields: Any) -> Card:
    card = build_card(NewCard("Card"), card_id, make_list(), rank="a0", at=NOON)
    return replace(card, **fields)


def make_comment(number: int, text: str = "Hm.") -> Comment:
    return Comment(f"cmt_{number:03d}", "brd_1", "crd_1", ANN, text, 1, NOON, NOON)


def make_snapshot(*members: Member, seq: int = 4, board_id: str = "brd_1", **fields: Any) -> Snapshot:
    """Return the snapshot of a board with one list; without members, Ann owns it."""
    by_user = {member.user_id: member for member in members or (make_member(board_id=board_id),)}
    head = BoardHead(make_board(seq, board_id), by_user, (), (make_list(),), (), Hold(), head_seq=seq)
    return Snapshot(nonce="n1", now_ms=NOW_MS, before=BoardSnapshot(head))._replace(**fields)


def make_change(*updates: Entity, seq: int = 5, board_id: str = "brd_1", **fields: Any) -> Change:
    """Return a change that Ann makes, after which the board has that seq."""
    event = Event(board_id, seq, "test.written", NOON, ANN)
    return replace(Change(updates=(make_board(seq, board_id), *updates), event=event), **fields)
