"""Boards: made, changed, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kanban import ranks, timeclock
from kanban.patches import cleared, revised
from kanban.record import record
from kanban.values import Act, Board, BoardView, Card, Change, Enforcement, Event, List, Member, Role, Stage

_FIELDS = frozenset({"name", "description", "hourly_rate_minor"})
_EMPTY = {"description": "", "hourly_rate_minor": 0}
_USUAL_LISTS: Sequence[Mapping[str, Any]] = (
    {"name": "To do", "stage": Stage.TODO},
    {"name": "Doing", "stage": Stage.IN_PROGRESS},
    {"name": "Done", "stage": Stage.DONE},
)


def create(
    act: Act,
    *,
    name: str,
    description: str = "",
    currency: str = "USD",
    hourly_rate_minor: int = 0,
    lists: Sequence[Mapping[str, Any]] | None = None,
) -> tuple[BoardView, Change]:
    """A new board that belongs to who makes it, seen as they see it.

    Each of `lists` has a name and a stage, and may have a wip_limit and a wip_enforcement; without any given,
    they are 'To do', 'Doing' and 'Done'.
    """
    board = Board(
        id=act.new_id("board"),
        name=name,
        description=description,
        currency=currency,
        hourly_rate_minor=hourly_rate_minor,
        external_id=None,
        created_by=act.by,
        seq=1,
        version=1,
        created_at=act.at,
        updated_at=act.at,
    )
    asked = _USUAL_LISTS if lists is None else lists
    made = tuple(
        _list(board.id, act, rank, each) for each, rank in zip(asked, ranks.following("", len(asked)), strict=True)
    )
    owner = Member(
        id=act.new_id("member"),
        board_id=board.id,
        user_id=act.by,
        role=Role.OWNER,
        version=1,
        created_at=act.at,
        updated_at=act.at,
    )
    event = Event(board_id=board.id, seq=1, type="board.created", at=act.at, actor_id=act.by, data={"name": name})
    return BoardView(board, Role.OWNER, made, members=(owner,)), Change(creates=(board, owner, *made), event=event)


def revise(view: BoardView, patch: Mapping[str, Any], act: Act) -> tuple[Board, Change | None]:
    """The board with the fields of the patch: name, description (None: empty), hourly_rate_minor (None: 0).

    A new rate is for time entries that open from now on.
    """
    board, changed = revised(view.board, cleared(patch, _EMPTY), _FIELDS, act)
    if not changed:
        return board, None
    change = record(view, act, "board.updated", board=board, data={"changed": changed})
    return replace(board, seq=board.seq + 1), change


def delete(view: BoardView, act: Act, running: Sequence[Card] | None = ()) -> Change:
    """Mark the board deleted: it and everything on it vanish at once.

    `running` is as for a list that is deleted: see `kanban.lists.delete`.
    """
    board = replace(view.board, deleted_at=act.at, updated_at=act.at, version=view.board.version + 1)
    return record(view, act, "board.deleted", board=board, updates=timeclock.stopped_all(running or (), act.at))


def _list(board_id: str, act: Act, rank: str, asked: Mapping[str, Any]) -> List:
    return List(
        id=act.new_id("list"),
        board_id=board_id,
        name=asked["name"],
        stage=Stage(asked["stage"]),
        rank=rank,
        wip_limit=asked.get("wip_limit"),
        wip_enforcement=Enforcement(asked.get("wip_enforcement") or Enforcement.WARN),
        external_id=asked.get("external_id"),
        card_count=0,
        first_rank="",
        last_rank="",
        version=1,
        created_at=act.at,
        updated_at=act.at,
    )
