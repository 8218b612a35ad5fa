"""Undo an event: read it and what it is about, let the rules decide the reverting change, and find what prevents it."""

from collections.abc import Callable, Mapping

from kanban import archive, boards, cards, checklist_items, checklists, labels, lists, members
from kanban.changes import ActionContext, Change
from kanban.errors import NotFound, UnknownReference
from kanban.store import CardQuery, CardState, EventQuery, PartKey
from kanban.timekeeping import time_entries
from kanban.timekeeping.time_entries import MAX_MANUAL_TIME_ENTRIES
from kanban.timekeeping.timestamps import format_optional_utc
from kanban.undo import NotUndoable, UndoBlocked, build_patch, ensure_unchanged, get_changes, is_cause
from kanban.values import Card, Checklist, Event, Role
from kanban.views import BoardView
from usecases.board_access import BoardAccess

EVENTS_SEARCHED = 400
"""How many of the newest events are searched for the one that prevents an undo."""


def undo_event(access: BoardAccess, context: ActionContext, board_id: str, seq: int) -> Change:
    """Return the change that takes back what an event did.

    Raises UnknownReference if there is no such event, NotUndoable, UndoBlocked, RoleTooLow if what the event did takes
    an owner, and what the rules raise for the change back.
    """
    _, page = access.page_events(board_id, EventQuery(after=seq - 1, before=seq + 1), 1)
    if not page.items:
        raise UnknownReference("seq")
    (event,) = page.items
    decide = _DECISIONS.get(event.type)
    if decide is None:
        raise NotUndoable(seq, f"that isn't possible for {event.type}")
    try:
        change = decide(access, event, context)
    except UndoBlocked as error:
        raise _find_cause(access, event, error) from None
    except NotFound as error:
        if error.kind == "board":
            raise
        raise _find_cause(access, event, UndoBlocked(seq, error.kind.replace("_", " "))) from None
    except UnknownReference as error:
        raise UndoBlocked(seq, _get_kind(event), error.field) from None
    if change is None:
        raise UndoBlocked(seq, _get_kind(event), get_changes(event)[0]["field"])  # type: ignore[arg-type]
    return change


def _get_kind(event: Event) -> str:
    return event.type.partition(".")[0].replace("_", " ")


def _find_cause(access: BoardAccess, event: Event, error: UndoBlocked) -> UndoBlocked:
    """Return the error with the newest event that prevents the undo, if it is among those that are searched."""
    query = EventQuery(after=event.seq, newest_first=True)
    _, page = access.page_events(event.board_id, query, EVENTS_SEARCHED)
    causes = (other.seq for other in page.items if is_cause(other, event, error.changed_field))
    return UndoBlocked(error.seq, error.subject, error.changed_field, next(causes, None))


# Edits


def _undo_board_update(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view = access.require_owner(access.read_board(event.board_id))
    return boards.update(view, build_patch(view, event, view.board), context)[1]


def _undo_member_update(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view = access.require_owner(access.read_board(event.board_id))
    member = view.get_member(str(event.data["user_id"]))
    if event.changes == ():
        raise NotUndoable(event.seq, "an owner of the installation deactivated or reactivated the member")
    return members.put(view, member.user_id, Role(build_patch(view, event, member)["role"]), context)[1]


def _undo_label_update(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view = access.read_board(event.board_id)
    label = view.get_label(str(event.data["label_id"]))
    return labels.update(view, label.id, build_patch(view, event, label), context)[1]


def _undo_list_update(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    list_id = str(event.list_id)
    view, page = access.page_cards(event.board_id, CardQuery(list_id, state=CardState.ARCHIVED), 1)
    patch = build_patch(view, event, view.get_list(list_id))
    return lists.update(view, list_id, patch, context, has_archived_cards=bool(page.items))[1]


def _undo_card_update(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, card = _read_card(access, event)
    return cards.update(view, card.id, build_patch(view, event, card), context)[1]


def _undo_checklist_update(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, checklist = _read_checklist(access, event)
    return checklists.update(view, checklist, build_patch(view, event, checklist), context)[1]


def _undo_item_update(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, checklist = _read_checklist(access, event)
    item = checklist_items.get_item(checklist, str(event.data["item_id"]))
    return checklist_items.update(view, checklist, item.id, build_patch(view, event, item), context)[1]


def _undo_time_entry_update(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    card_id, entry_id = str(event.card_id), str(event.data["time_entry_id"])
    view, entries = access.read_time_entries(event.board_id, card_id, MAX_MANUAL_TIME_ENTRIES)
    entry = time_entries.get_entry_among(view, card_id, entries, entry_id)
    return time_entries.update(view, card_id, entry_id, build_patch(view, event, entry), context, entries=entries)[1]


# Moves, creations, archiving and deletion


def _undo_card_move(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, card = _read_card(access, event)
    if all(change["field"] != "list_id" for change in get_changes(event)):
        raise NotUndoable(event.seq, "it changed a position only, and events don't have positions")
    ensure_unchanged(event, card, "list_id", card.list_id)
    return cards.move(view, card.id, context, list_id=str(event.data["from_list_id"]))[1]


def _undo_card_creation(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, card = _read_card(access, event)
    if card.version > 1 or card.comment_count:
        raise UndoBlocked(event.seq, "card", "version")
    return cards.delete(view, card.id, context)


def _undo_card_archiving(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, card = _read_card(access, event)
    ensure_unchanged(event, card, "archived_at", format_optional_utc(card.archived_at))
    undo = archive.archive_card if card.archived_at is None else archive.unarchive_card
    return undo(view, card.id, context)[1]


def _undo_card_deletion(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view = access.read_board_with_deleted(event.board_id, card_ids=[str(event.card_id)])
    card = view.get_card(str(event.card_id))
    ensure_unchanged(event, card, "deleted_at", format_optional_utc(card.deleted_at))
    return archive.restore_card(view, card.id, context)[1]


def _undo_card_restoration(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, card = _read_card(access, event)
    return cards.delete(view, card.id, context)


def _undo_list_creation(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, running = access.read_running_cards(event.board_id, event.list_id)
    list_ = view.get_list(str(event.list_id))
    if list_.version > 1 or list_.last_rank:
        raise UndoBlocked(event.seq, "list", "version" if list_.version > 1 else "card_count")
    return lists.delete(view, list_.id, context, running)


def _undo_list_archiving(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, running = access.read_running_cards(event.board_id, event.list_id)
    list_ = view.get_list(str(event.list_id))
    ensure_unchanged(event, list_, "archived_at", format_optional_utc(list_.archived_at))
    if list_.archived_at is None:
        return archive.archive_list(view, list_.id, context, running)[1]
    return archive.unarchive_list(view, list_.id, context)[1]


def _undo_list_deletion(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    list_id = str(event.list_id)
    view = access.read_board_with_deleted(event.board_id, list_ids=[list_id])
    list_ = view.get_list(list_id)
    ensure_unchanged(event, list_, "deleted_at", format_optional_utc(list_.deleted_at))
    return archive.restore_list(view, list_id, context)[1]


def _undo_list_restoration(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, running = access.read_running_cards(event.board_id, event.list_id)
    return lists.delete(view, view.get_list(str(event.list_id)).id, context, running)


def _undo_board_archiving(access: BoardAccess, event: Event, context: ActionContext) -> Change | None:
    view, running = access.read_running_cards(event.board_id)
    board = access.require_owner(view).board
    ensure_unchanged(event, board, "archived_at", format_optional_utc(board.archived_at))
    if board.archived_at is None:
        return archive.archive_board(view, context, running)[1]
    return archive.unarchive_board(view, context)[1]


def _read_card(access: BoardAccess, event: Event) -> tuple[BoardView, Card]:
    view = access.read_board(event.board_id, card_ids=[str(event.card_id)])
    return view, view.get_card(str(event.card_id))


def _read_checklist(access: BoardAccess, event: Event) -> tuple[BoardView, Checklist]:
    card_id, checklist_id = str(event.card_id), str(event.data["checklist_id"])
    key = PartKey(Checklist, card_id, checklist_id)
    view = access.read_board(event.board_id, card_ids=[card_id], parts=[key])
    return view, checklists.get_checklist(view, card_id, checklist_id)


_DECISIONS: Mapping[str, Callable[[BoardAccess, Event, ActionContext], Change | None]] = {
    "board.updated": _undo_board_update,
    "board.archived": _undo_board_archiving,
    "board.unarchived": _undo_board_archiving,
    "member.updated": _undo_member_update,
    "label.updated": _undo_label_update,
    "list.created": _undo_list_creation,
    "list.updated": _undo_list_update,
    "list.archived": _undo_list_archiving,
    "list.unarchived": _undo_list_archiving,
    "list.deleted": _undo_list_deletion,
    "list.restored": _undo_list_restoration,
    "card.created": _undo_card_creation,
    "card.copied": _undo_card_creation,
    "card.updated": _undo_card_update,
    "card.moved": _undo_card_move,
    "card.archived": _undo_card_archiving,
    "card.unarchived": _undo_card_archiving,
    "card.deleted": _undo_card_deletion,
    "card.restored": _undo_card_restoration,
    "checklist.updated": _undo_checklist_update,
    "checklist_item.updated": _undo_item_update,
    "time_entry.updated": _undo_time_entry_update,
}
"""How each type of event is undone. All others can't be: they erase, or don't say where something stood before."""
