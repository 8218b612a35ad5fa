"""Every write to a board is one change with one event, and raises the board's seq by one."""

from dataclasses import replace

from kanban.values import ActionContext, Board, BoardView, CardRank, Change, Entity, Erasable, Event, EventData


def build_change(
    view: BoardView,
    context: ActionContext,
    event_type: str,
    *,
    board: Board | None = None,
    creates: tuple[Entity, ...] = (),
    updates: tuple[Entity, ...] = (),
    list_id: str | None = None,
    card_id: str | None = None,
    data: EventData | None = None,
    rebalance_list_id: str | None = None,
    deletes: tuple[Erasable, ...] = (),
    card_ranks: tuple[CardRank, ...] = (),
    restores_board: bool = False,
) -> Change:
    """The change that writes these values and tells of it. `board` is the board itself, if it is edited."""
    seq = view.board.seq + 1
    event = Event(
        board_id=view.board.id,
        seq=seq,
        type=event_type,
        at=context.at,
        actor_id=context.actor_id,
        list_id=list_id,
        card_id=card_id,
        data=data or {},
    )
    written = (replace(board or view.board, seq=seq), *updates)
    return Change(creates, written, event, rebalance_list_id, deletes, card_ranks, restores_board)
