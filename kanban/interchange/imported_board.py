"""Boards that come from elsewhere, whole: with all that is on them, and with a history from before they were here."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kanban.changes import ActionContext, Change
from kanban.interchange.import_report import COUNTED_KINDS, ImportReport
from kanban.interchange.text_cleanup import clean_text
from kanban.values import Board, Entity, Event, EventData, Label, List, Member, Role
from kanban.views import BoardView

MAX_COMMENT_LENGTH = 10_000
"""Characters of a comment."""

MAX_NOTE_LENGTH = 1_000
"""Characters of the note of a time entry."""

_ATTRIBUTION = re.compile(r"[^\n]{1,100}:(?:\n\n|\Z)")
"""What `signed` puts before a text: a name on a line of its own."""


def build_imported_board(
    board: Board,
    context: ActionContext,
    *,
    source: str,
    report: ImportReport,
    history: Sequence[Event],
    members: Sequence[Member],
    lists: Sequence[List],
    labels: Sequence[Label],
    other_values: Iterable[Entity],
) -> tuple[BoardView, Change]:
    """The board as its owner sees it, and the change that makes it with everything on it, all or nothing.

    `history` are events of its lists and cards in any order, without those that lists were archived; their numbers, and
    the board's, are given here. The last event says that the board was imported, from which source, and how many things
    the report counts.
    """
    # Of two events of one moment the one that was told first comes first: cards came into their list before it was
    # archived.
    history = [*history, *_build_archived_events(lists, context)]
    first = Event(
        board.id, 1, "board.created", min(board.created_at, context.at), context.actor_id, data={"name": board.name}
    )
    told = [replace(each, seq=seq) for seq, each in enumerate(sorted(history, key=lambda each: each.at), 2)]
    data: EventData = {"source": source, **{kind: report.counts[kind] for kind in COUNTED_KINDS}}
    last = Event(board.id, len(told) + 2, "board.imported", context.at, context.actor_id, data=data)
    board = replace(board, seq=last.seq)
    change = Change(creates=(board, *members, *lists, *labels, *other_values), event=last, history=(first, *told))
    return BoardView(board, Role.OWNER, tuple(lists), members=tuple(members), labels=tuple(labels)), change


def attribute_text(name: str, text: object, max_length: int = MAX_COMMENT_LENGTH) -> tuple[str, bool]:
    """Return a text of somebody else after their name, in at most so many characters; and whether it lost its end."""
    own = clean_text(text, 2 * max_length)
    whole = f"{name}:\n\n{own}" if own else f"{name}:"
    kept = clean_text(whole, max_length)
    return kept, len(kept) < len(whole)


def is_attributed(name: str, text: str, *, by_importer: bool) -> bool:
    """Say whether a text of that person begins with a name already, so that it need not be signed again.

    A name that an import put there stands before texts of `by_importer`, the user who imported the board. Anybody else
    may begin a text with a name and a colon: then only their own name counts.
    """
    if by_importer:
        return _ATTRIBUTION.match(text) is not None
    return text == f"{name}:" or text.startswith(f"{name}:\n\n")


def _build_archived_events(lists: Iterable[List], context: ActionContext) -> Iterator[Event]:
    for each in lists:
        if each.archived_at is not None:
            data: EventData = {"name": each.name, "stage": str(each.stage), "card_count": each.card_count}
            yield Event(
                each.board_id,
                0,
                "list.archived",
                min(each.archived_at, context.at),
                context.actor_id,
                each.id,
                data=data,
            )
