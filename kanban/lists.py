"""Lists: create, update, move, delete with their cards."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, ExternalIdTaken, LimitReached, quote_name
from kanban.fields import editable_fields
from kanban.limits import MAX_LISTS_PER_BOARD
from kanban.ordering import positions, ranks
from kanban.patches import apply_patch, replace_nulls
from kanban.timekeeping import card_clock, timestamps
from kanban.values import Card, End, EventData, List, NewList
from kanban.views import BoardView


class ListNotEmpty(Conflict):
    """Raised when the stage of a list should change while it holds cards."""

    code = "list_not_empty"

    def __init__(self, list_name: str, card_count: int) -> None:
        """Take the list's name and the number of its active cards; 0 means that it holds archived ones."""
        cards = {0: "archived cards", 1: "1 card"}.get(card_count, f"{card_count} cards")
        super().__init__(f"List {quote_name(list_name)} holds {cards}: its stage can change only while it is empty.")


def create(view: BoardView, context: ActionContext, new: NewList) -> tuple[List, Change]:
    """Create a list at the top or bottom of the board. Raises LimitReached, ExternalIdTaken."""
    if len(view.lists) >= MAX_LISTS_PER_BOARD:
        raise LimitReached("lists", MAX_LISTS_PER_BOARD)
    ensure_external_id_is_free(view.lists, new.external_id)
    list_ = build_list(
        new, context.new_id("list"), view.board.id, _get_rank_at_end(view.lists, new.position), context.at
    )
    data = {"name": list_.name, "stage": str(list_.stage)}
    return list_, build_change(view, context, "list.created", creates=(list_,), list_id=list_.id, data=data)


def build_list(new: NewList, list_id: str, board_id: str, rank: str, at: datetime) -> List:
    """Build a list without cards."""
    content = {name: getattr(new, name) for name in editable_fields(List)}
    return List(
        id=list_id,
        board_id=board_id,
        rank=rank,
        **content,
        card_count=0,
        first_rank="",
        last_rank="",
        version=1,
        created_at=at,
        updated_at=at,
    )


def update(
    view: BoardView, list_id: str, patch: Mapping[str, Any], context: ActionContext, *, has_archived_cards: bool = False
) -> tuple[List, Change | None]:
    """Apply a patch to the list. None clears wip_limit and external_id, and sets wip_enforcement to warn.

    Raises ListNotEmpty for another stage while the list holds cards (archived ones count), ExternalIdTaken.
    """
    old = view.get_list(list_id)
    patch = replace_nulls(patch, List)
    new, changed_fields = apply_patch(old, patch, context)
    if not changed_fields:
        return old, None
    if "stage" in changed_fields and (old.card_count or has_archived_cards):
        raise ListNotEmpty(old.name, old.card_count)
    if "external_id" in changed_fields:
        ensure_external_id_is_free(view.lists, new.external_id)
    return new, build_change(
        view,
        context,
        "list.updated",
        updates=(new,),
        subject=(old, new),
        list_id=list_id,
        data={"changed": changed_fields},
    )


def move(
    view: BoardView,
    list_id: str,
    context: ActionContext,
    *,
    before: str | None = None,
    after: str | None = None,
    position: End | None = None,
) -> tuple[List, Change | None]:
    """Move the list: before or after another one, or to an end. Exactly one of these is given.

    Raises SelfReference and UnknownReference for the neighbour.
    """
    old = view.get_list(list_id)
    others = [list_ for list_ in view.lists if list_.id != list_id]
    index = positions.find_index([other.id for other in others], list_id, before=before, after=after, position=position)
    if view.lists[index].id == list_id:
        return old, None
    moved, displaced = positions.assign_rank(old, others, index)
    new = replace(moved, version=old.version + 1, updated_at=context.at)
    return new, build_change(view, context, "list.moved", updates=(new, *displaced), list_id=list_id)


def delete(view: BoardView, list_id: str, context: ActionContext, running_cards: Sequence[Card] | None = ()) -> Change:
    """Mark the list as deleted: it disappears at once with its cards.

    `running_cards`, its cards in progress, stop their clocks. None means that they are too many to stop at once: their
    clocks keep running invisibly, and that time counts if the list is restored.
    """
    old = view.get_list(list_id)
    deleted = replace(old, deleted_at=context.at, updated_at=context.at, version=old.version + 1)
    data: EventData = {
        "name": old.name,
        "stage": str(old.stage),
        "card_count": old.card_count,
        "archived_at": timestamps.format_optional_utc(old.archived_at),
    }
    updates = (deleted, *card_clock.stop_clocks(running_cards or (), context.at))
    return build_change(
        view, context, "list.deleted", updates=updates, subject=(old, deleted), list_id=list_id, data=data
    )


def ensure_external_id_is_free(lists: Iterable[List], external_id: str | None) -> None:
    """Raise ExternalIdTaken if one of the lists has the external id. None is free."""
    if external_id is None:
        return
    for list_ in lists:
        if list_.external_id == external_id:
            raise ExternalIdTaken("list", list_.id)


def _get_rank_at_end(lists: tuple[List, ...], position: End) -> str:
    if not lists:
        return ranks.after("")
    return ranks.before(lists[0].rank) if position == "top" else ranks.after(lists[-1].rank)
