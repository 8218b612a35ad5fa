"""Checklist items: create, update, move, delete, convert to cards.

A card stores how many items it has and how many of them are done, so most writes to an item also write its card.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from kanban import cards
from kanban.changes import ActionContext, Change, build_change
from kanban.checklists import update_item_counts
from kanban.errors import LimitReached, NotFound, UnknownReference
from kanban.fields import editable_fields
from kanban.limits import MAX_ITEMS_PER_CHECKLIST
from kanban.ordering import positions
from kanban.patches import apply_patch, replace_nulls
from kanban.values import Board, Card, Checklist, ChecklistItem, End, Entity, EventData, NewCard, NewChecklistItem
from kanban.views import BoardView

Items = tuple[ChecklistItem, ...]


def get_item(checklist: Checklist, item_id: str) -> ChecklistItem:
    """Return the item of that id. Raises NotFound."""
    for item in checklist.items:
        if item.id == item_id:
            return item
    raise NotFound("checklist_item")


def create(
    view: BoardView, checklist: Checklist, context: ActionContext, new: NewChecklistItem
) -> tuple[ChecklistItem, Change]:
    """Create an item at the top or bottom of the checklist. Raises NotFound, LimitReached, UnknownReference."""
    if len(checklist.items) >= MAX_ITEMS_PER_CHECKLIST:
        raise LimitReached("items", MAX_ITEMS_PER_CHECKLIST, holder_name=checklist.name)
    assignee_id = _resolve_membership_id(view, new.assignee_id)
    item = build_item(new, context.new_id("checklist_item"), assignee_id, context.at)
    items = (item, *checklist.items) if new.position == "top" else (*checklist.items, item)
    return item, _replace_items(
        view, context, "checklist_item.created", checklist, items, data={"item_id": item.id, "text": item.text}
    )


def build_item(new: NewChecklistItem, item_id: str, assignee_id: str | None, at: datetime) -> ChecklistItem:
    """Build an item that nothing has happened to yet. `assignee_id` is the id of a membership."""
    content = {name: getattr(new, name) for name in editable_fields(ChecklistItem)} | {"assignee_id": assignee_id}
    return ChecklistItem(id=item_id, **content, version=1, created_at=at, updated_at=at)


def update(
    view: BoardView, checklist: Checklist, item_id: str, patch: Mapping[str, Any], context: ActionContext
) -> tuple[ChecklistItem, Change | None]:
    """Apply a patch of text, done (None: not done), assignee_id (the id of a user) and due_at to the item.

    Raises NotFound, UnknownReference.
    """
    old = get_item(checklist, item_id)
    if "assignee_id" in patch:
        new_assignee_id = _resolve_membership_id(view, patch["assignee_id"])
        # The id of a former member counts as no assignee, so that such an item is not changed by null.
        current_assignee_id = old.assignee_id if any(member.id == old.assignee_id for member in view.members) else None
        patch = {**patch, "assignee_id": old.assignee_id if new_assignee_id == current_assignee_id else new_assignee_id}
    new, changed_fields = apply_patch(old, replace_nulls(patch, ChecklistItem), context)
    if not changed_fields:
        return old, None
    items = tuple(new if item.id == item_id else item for item in checklist.items)
    return new, _replace_items(
        view,
        context,
        "checklist_item.updated",
        checklist,
        items,
        data={"item_id": item_id, "changed": changed_fields},
        subject=(old, new),
    )


def move(
    view: BoardView,
    checklist: Checklist,
    item_id: str,
    context: ActionContext,
    *,
    before: str | None = None,
    after: str | None = None,
    position: End | None = None,
) -> tuple[ChecklistItem, Change | None]:
    """Move the item within its checklist: before or after another item, or to an end. Exactly one of these is given.

    Raises NotFound, and SelfReference and UnknownReference for the neighbour.
    """
    old = get_item(checklist, item_id)
    others = _remove_item(checklist, item_id)
    index = positions.find_index([other.id for other in others], item_id, before=before, after=after, position=position)
    if checklist.items[index].id == item_id:
        return old, None
    new = replace(old, version=old.version + 1, updated_at=context.at)
    items = (*others[:index], new, *others[index:])
    return new, _replace_items(view, context, "checklist_item.moved", checklist, items, data={"item_id": item_id})


def delete(view: BoardView, checklist: Checklist, item_id: str, context: ActionContext) -> Change:
    """Delete the item."""
    data = {"item_id": item_id, "text": get_item(checklist, item_id).text}
    return _replace_items(
        view, context, "checklist_item.deleted", checklist, _remove_item(checklist, item_id), data=data
    )


def convert(
    view: BoardView, checklist: Checklist, item_id: str, context: ActionContext, *, list_id: str | None = None
) -> tuple[Card, Change]:
    """Convert the item to a new card at the bottom of `list_id`, by default of the list of the item's card.

    The item's text becomes the title; assignee, due date and whether it is done are kept. The event belongs to the
    item's card; its list and data are those of a new card's event.

    Raises NotFound, UnknownReference, ListArchived, WipLimitReached, LimitReached.
    """
    item = get_item(checklist, item_id)
    card, card_change = cards.create(
        view,
        context,
        NewCard(
            title=item.text,
            list_id=view.get_card(checklist.card_id).list_id if list_id is None else list_id,
            due_at=item.due_at,
            due_complete=item.done,
            assignee_ids=[member.user_id for member in view.members if member.id == item.assignee_id],
        ),
    )
    data = {"item_id": item_id, "new_card_id": card.id, "title": card.title, "stage": str(view.get_list_of(card).stage)}
    items = _remove_item(checklist, item_id)
    return card, _replace_items(
        view, context, "checklist_item.converted", checklist, items, data=data, new_card=(card, card_change)
    )


def _replace_items(
    view: BoardView,
    context: ActionContext,
    event_type: str,
    checklist: Checklist,
    items: Items,
    *,
    data: EventData,
    subject: tuple[ChecklistItem, ChecklistItem] | None = None,
    new_card: tuple[Card, Change] | None = None,
) -> Change:
    """Build the change that gives the checklist these items and updates the counts of its card."""
    old_card = view.get_card(checklist.card_id)
    card = update_item_counts(old_card, checklist.items, items)
    updates: tuple[Entity, ...] = (replace(checklist, items=items), *(() if card == old_card else (card,)))
    creates: tuple[Entity, ...] = ()
    list_id = card.list_id
    if new_card:
        list_id = new_card[0].list_id
        creates = new_card[1].creates
        updates += tuple(value for value in new_card[1].updates if not isinstance(value, Board))
    return build_change(
        view,
        context,
        event_type,
        creates=creates,
        updates=updates,
        subject=subject,
        list_id=list_id,
        card_id=card.id,
        data={"checklist_id": checklist.id, **data},
    )


def _remove_item(checklist: Checklist, item_id: str) -> Items:
    return tuple(item for item in checklist.items if item.id != item_id)


def _resolve_membership_id(view: BoardView, user_id: str | None) -> str | None:
    if user_id is None:
        return None
    try:
        return view.get_member(user_id).id
    except NotFound:
        raise UnknownReference("assignee_id") from None
