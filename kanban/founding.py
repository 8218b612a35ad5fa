"""Boards that come from elsewhere, whole: with all that is on them, and with a history from before they were here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kanban.cleaned import block
from kanban.reports import KINDS, Report
from kanban.values import Act, Board, BoardView, Change, Event, EventData, Label, List, Member, Role, Value

LONGEST_COMMENT = 10_000
"""Characters of a comment."""


def founded(
    board: Board,
    act: Act,
    *,
    source: str,
    report: Report,
    history: Sequence[Event],
    members: Sequence[Member],
    lists: Sequence[List],
    labels: Sequence[Label],
    rest: Iterable[Value],
) -> tuple[BoardView, Change]:
    """The board as its owner sees it, and the change that makes it with everything on it, all or nothing.

    `history` are events of its lists and cards in any order, without those that lists were archived; their numbers, and
    the board's, are given here. The last event says that the board was imported, from which source, and how many things
    the report counts.
    """
    # Of two events of one moment the one that was told first comes first: cards came into their list before it was
    # archived.
    history = [*history, *_archivals(lists, act)]
    first = Event(board.id, 1, "board.created", min(board.created_at, act.at), act.by, data={"name": board.name})
    told = [replace(each, seq=seq) for seq, each in enumerate(sorted(history, key=lambda each: each.at), 2)]
    data: EventData = {"source": source, **{kind: report.brought[kind] for kind in KINDS}}
    last = Event(board.id, len(told) + 2, "board.imported", act.at, act.by, data=data)
    board = replace(board, seq=last.seq)
    change = Change(creates=(board, *members, *lists, *labels, *rest), event=last, history=(first, *told))
    return BoardView(board, Role.OWNER, tuple(lists), members=tuple(members), labels=tuple(labels)), change


def signed(name: str, text: object) -> tuple[str, bool]:
    """A comment of somebody who is not known here, after their name; and whether it lost its end to make it fit."""
    whole = f"{name}:\n\n{block(text, 2 * LONGEST_COMMENT)}"
    kept = block(whole, LONGEST_COMMENT)
    return kept, len(kept) < len(whole)


def _archivals(lists: Iterable[List], act: Act) -> Iterator[Event]:
    for each in lists:
        if each.archived_at is not None:
            data: EventData = {"name": each.name, "stage": str(each.stage), "card_count": each.card_count}
            yield Event(each.board_id, 0, "list.archived", min(each.archived_at, act.at), act.by, each.id, data=data)
