"""Every write to a board is one change with one event, and raises the board's seq by one."""

from dataclasses import replace

from kanban.values import Act, Board, BoardView, Change, Event, EventData, Gone, Placed, Value


def record(
    view: BoardView,
    act: Act,
    kind: str,
    *,
    board: Board | None = None,
    creates: tuple[Value, ...] = (),
    updates: tuple[Value, ...] = (),
    list_id: str | None = None,
    card_id: str | None = None,
    data: EventData | None = None,
    rebalance: str | None = None,
    deletes: tuple[Gone, ...] = (),
    places: tuple[Placed, ...] = (),
    revives: bool = False,
) -> Change:
    """The change that writes these values and tells of it. `board` is the board itself, if it is edited."""
    seq = view.board.seq + 1
    event = Event(
        board_id=view.board.id,
        seq=seq,
        type=kind,
        at=act.at,
        actor_id=act.by,
        list_id=list_id,
        card_id=card_id,
        data=data or {},
    )
    written = (replace(board or view.board, seq=seq), *updates)
    return Change(creates, written, event, rebalance, deletes, places, revives)
