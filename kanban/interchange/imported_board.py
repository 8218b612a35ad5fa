"""Build the board of an import, with everything on it and with its history."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kanban.changes import ActionContext, Change, build_event
from kanban.interchange.import_report import COUNTED_KINDS, ImportReport
from kanban.interchange.text_cleanup import clean_text
from kanban.values import Board, Entity, Event, EventData, Label, List, Member, Role
from kanban.views import BoardView

MAX_COMMENT_LENGTH = 10_000
"""Characters of a comment."""

MAX_NOTE_LENGTH = 1_000
"""Characters of the note of a time entry."""

_ATTRIBUTION = re.compile(r"[^\n]{1,100}:(?:\n\n|\Z)")
"""What `attribute_text` puts before a text: a name on a line of its own."""


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
    """Return the board as its owner sees it, and the change that creates it with everything on it, all or nothing.

    `history` holds the events of its lists and cards in any order, without the archiving of lists; this function
    numbers them. The last event says that the board was imported, from which source, and how many things the report
    counts.
    """
    # The sort is stable: of two events at the same second, that of a card comes before the archiving of its list.
    history = [*history, *_build_archived_events(lists, context)]
    first_event = Event(
        board.id, 1, "board.created", min(board.created_at, context.at), context.actor_id, data={"name": board.name}
    )
    numbered_events = [
        replace(event, seq=seq) for seq, event in enumerate(sorted(history, key=lambda event: event.at), 2)
    ]
    data: EventData = {"source": source, **{kind: report.counts[kind] for kind in COUNTED_KINDS}}
    last_event = build_event(context, board.id, len(numbered_events) + 2, "board.imported", data=data)
    board = replace(board, seq=last_event.seq)
    change = Change(
        creates=(board, *members, *lists, *labels, *other_values),
        event=last_event,
        history=(first_event, *numbered_events),
    )
    return BoardView(board, Role.OWNER, tuple(lists), members=tuple(members), labels=tuple(labels)), change


def attribute_text(name: str, text: object, max_length: int = MAX_COMMENT_LENGTH) -> tuple[str, bool]:
    """Return another person's text after their name, cut to `max_length`, and whether it was cut."""
    cleaned = clean_text(text, max_length)
    attributed = f"{name}:\n\n{cleaned}" if cleaned else f"{name}:"
    truncated = clean_text(attributed, max_length)
    return truncated, len(truncated) < len(attributed)


def is_attributed(name: str, text: str, *, by_importer: bool) -> bool:
    """Return whether a person's text already begins with a name, so that it need not be attributed again.

    With `by_importer`, the text belongs to the user who imported the board, and any name counts: an import put it
    there. Anybody else may begin a text with a name and a colon: then only their own name counts.
    """
    if by_importer:
        return _ATTRIBUTION.match(text) is not None
    return text == f"{name}:" or text.startswith(f"{name}:\n\n")


def _build_archived_events(lists: Iterable[List], context: ActionContext) -> Iterator[Event]:
    for list_ in lists:
        if list_.archived_at is not None:
            data: EventData = {"name": list_.name, "stage": str(list_.stage), "card_count": list_.card_count}
            yield Event(
                list_.board_id,
                0,
                "list.archived",
                min(list_.archived_at, context.at),
                context.actor_id,
                list_.id,
                data=data,
            )
