"""Boards that come from elsewhere, whole: with all that is on them, and with a history from before they were here."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kanban.cleaned import block
from kanban.reports import KINDS, Report
from kanban.values import Act, Board, BoardView, Change, Event, EventData, Label, List, Member, Role, Value

LONGEST_COMMENT = 10_000
"""Characters of a comment."""

LONGEST_NOTE = 1_000
"""Characters of the note of a time entry."""

_SIGNATURE = re.compile(r"[^\n]{1,100}:(?:\n\n|\Z)")
"""What `signed` puts before a text: a name on a line of its own."""


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


def signed(name: str, text: object, most: int = LONGEST_COMMENT) -> tuple[str, bool]:
    """Return a text of somebody else after their name, in at most so many characters; and whether it lost its end."""
    own = block(text, 2 * most)
    whole = f"{name}:\n\n{own}" if own else f"{name}:"
    kept = block(whole, most)
    return kept, len(kept) < len(whole)


def is_signed(name: str, text: str, *, by_importer: bool) -> bool:
    """Say whether a text of that person begins with a name already, so that it need not be signed again.

    A name that an import put there stands before texts of `by_importer`, the user who imported the board. Anybody else
    may begin a text with a name and a colon: then only their own name counts.
    """
    if by_importer:
        return _SIGNATURE.match(text) is not None
    return text == f"{name}:" or text.startswith(f"{name}:\n\n")


def _archivals(lists: Iterable[List], act: Act) -> Iterator[Event]:
    for each in lists:
        if each.archived_at is not None:
            data: EventData = {"name": each.name, "stage": str(each.stage), "card_count": each.card_count}
            yield Event(each.board_id, 0, "list.archived", min(each.archived_at, act.at), act.by, each.id, data=data)
