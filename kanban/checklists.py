"""Checklists: the steps of a card. Create, update, move, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import LimitReached, NotFound
from kanban.fields import editable_fields
from kanban.limits import MAX_CHECKLISTS_PER_CARD
from kanban.ordering import positions, ranks
from kanban.patches import apply_patch
from kanban.values import Card, Checklist, ChecklistItem, End, EventData, NewChecklist
from kanban.views import BoardView


def get_checklist(view: BoardView, card_id: str, checklist_id: str) -> Checklist:
    """Return the card's checklist of that id, if the view was read with both. Raises NotFound."""
    card = view.get_card(card_id)
    checklist = view.parts.get(checklist_id)
    if not isinstance(checklist, Checklist) or checklist.card_id != card.id:
        raise NotFound("checklist")
    return checklist


def create(
    view: BoardView, card_id: str, checklists: Sequence[Checklist], context: ActionContext, new: NewChecklist
) -> tuple[Checklist, Change]:
    """Create a checklist below the card's other `checklists`. Raises LimitReached."""
    card = view.get_card(card_id)
    if len(checklists) >= MAX_CHECKLISTS_PER_CARD:
        raise LimitReached("checklists", MAX_CHECKLISTS_PER_CARD, holder_name=card.title)
    checklist = Checklist(
        id=context.new_id("checklist"),
        board_id=view.board.id,
        card_id=card_id,
        **{name: getattr(new, name) for name in editable_fields(Checklist)},
        rank=ranks.after(checklists[-1].rank if checklists else ""),
        items=(),
        version=1,
        created_at=context.at,
        updated_at=context.at,
    )
    data = {"checklist_id": checklist.id, "name": checklist.name}
    change = build_change(
        view, context, "checklist.created", creates=(checklist,), list_id=card.list_id, card_id=card_id, data=data
    )
    return checklist, change


def update(
    view: BoardView, checklist: Checklist, patch: Mapping[str, Any], context: ActionContext
) -> tuple[Checklist, Change | None]:
    """Apply a patch of name to the checklist."""
    updated, changed_fields = apply_patch(checklist, patch, context)
    if not changed_fields:
        return checklist, None
    data: EventData = {"checklist_id": checklist.id, "changed": changed_fields}
    list_id = view.get_card(checklist.card_id).list_id
    change = build_change(
        view,
        context,
        "checklist.updated",
        updates=(updated,),
        subject=(checklist, updated),
        list_id=list_id,
        card_id=checklist.card_id,
        data=data,
    )
    return updated, change


def move(
    view: BoardView,
    card_id: str,
    checklists: Sequence[Checklist],
    checklist_id: str,
    context: ActionContext,
    *,
    before: str | None = None,
    after: str | None = None,
    position: End | None = None,
) -> tuple[Checklist, Change | None]:
    """Move a checklist among the card's `checklists`: before or after another one, or to an end (exactly one is given).

    Raises NotFound, and SelfReference and UnknownReference for the neighbour.
    """
    card = view.get_card(card_id)
    ids = [checklist.id for checklist in checklists]
    if checklist_id not in ids:
        raise NotFound("checklist")
    old = checklists[ids.index(checklist_id)]
    others = [checklist for checklist in checklists if checklist.id != checklist_id]
    index = positions.find_index(
        [other.id for other in others], checklist_id, before=before, after=after, position=position
    )
    if checklists[index].id == checklist_id:
        return old, None
    moved, displaced = positions.assign_rank(old, others, index)
    new = replace(moved, version=old.version + 1, updated_at=context.at)
    change = build_change(
        view,
        context,
        "checklist.moved",
        updates=(new, *displaced),
        list_id=card.list_id,
        card_id=card_id,
        data={"checklist_id": checklist_id},
    )
    return new, change


def delete(view: BoardView, checklist: Checklist, context: ActionContext) -> Change:
    """Delete the checklist with its items; the card no longer counts them."""
    card = view.get_card(checklist.card_id)
    updated_card = update_item_counts(card, checklist.items, ())
    return build_change(
        view,
        context,
        "checklist.deleted",
        updates=() if updated_card == card else (updated_card,),
        deletes=(checklist,),
        list_id=card.list_id,
        card_id=card.id,
        data={"checklist_id": checklist.id, "name": checklist.name, "item_count": len(checklist.items)},
    )


def update_item_counts(card: Card, old_items: Sequence[ChecklistItem], new_items: Sequence[ChecklistItem]) -> Card:
    """Return the card with its counts as they are once the new items replace the old ones."""
    return replace(
        card,
        item_count=card.item_count + len(new_items) - len(old_items),
        done_count=card.done_count + sum(item.done for item in new_items) - sum(item.done for item in old_items),
    )
