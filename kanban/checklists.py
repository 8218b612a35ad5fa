"""Checklists: the steps of a card. Create, update, move, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import LimitReached, NotFound
from kanban.limits import MAX_CHECKLISTS_PER_CARD
from kanban.ordering import positions, ranks
from kanban.ordering.list_capacity import ListEnd
from kanban.patches import apply_patch
from kanban.values import Card, Checklist, ChecklistItem, EventData
from kanban.views import BoardView

_EDITABLE_FIELDS = frozenset({"name"})


def get_checklist(view: BoardView, card_id: str, checklist_id: str) -> Checklist:
    """Return the card's checklist of that id, if the view was read with both. Raises NotFound."""
    card = view.get_card(card_id)
    found = view.parts.get(checklist_id)
    if not isinstance(found, Checklist) or found.card_id != card.id:
        raise NotFound("checklist")
    return found


def create(
    view: BoardView, card_id: str, checklists: Sequence[Checklist], context: ActionContext, *, name: str
) -> tuple[Checklist, Change]:
    """Create a checklist below the card's other `checklists`. Raises LimitReached."""
    card = view.get_card(card_id)
    if len(checklists) >= MAX_CHECKLISTS_PER_CARD:
        raise LimitReached("checklists", MAX_CHECKLISTS_PER_CARD, holder_name=card.title)
    new = Checklist(
        id=context.new_id("checklist"),
        board_id=view.board.id,
        card_id=card_id,
        name=name,
        rank=ranks.after(checklists[-1].rank if checklists else ""),
        items=(),
        version=1,
        created_at=context.at,
        updated_at=context.at,
    )
    data = {"checklist_id": new.id, "name": name}
    change = build_change(
        view, context, "checklist.created", creates=(new,), list_id=card.list_id, card_id=card_id, data=data
    )
    return new, change


def update(
    view: BoardView, old: Checklist, patch: Mapping[str, Any], context: ActionContext
) -> tuple[Checklist, Change | None]:
    """Apply a patch of name to the checklist."""
    new, changed = apply_patch(old, patch, _EDITABLE_FIELDS, context)
    if not changed:
        return old, None
    data: EventData = {"checklist_id": old.id, "changed": changed}
    list_id = view.get_card(old.card_id).list_id
    change = build_change(
        view, context, "checklist.updated", updates=(new,), list_id=list_id, card_id=old.card_id, data=data
    )
    return new, change


def move(
    view: BoardView,
    card_id: str,
    checklists: Sequence[Checklist],
    checklist_id: str,
    context: ActionContext,
    *,
    before: str | None = None,
    after: str | None = None,
    position: ListEnd | None = None,
) -> tuple[Checklist, Change | None]:
    """Move a checklist among the card's `checklists`: before or after another one, or to an end (exactly one is given).

    Raises NotFound, and SelfReference and UnknownReference for the neighbour.
    """
    card = view.get_card(card_id)
    ids = [checklist.id for checklist in checklists]
    if checklist_id not in ids:
        raise NotFound("checklist")
    old, others = (
        checklists[ids.index(checklist_id)],
        [checklist for checklist in checklists if checklist.id != checklist_id],
    )
    place = positions.find_index(
        [each.id for each in others], checklist_id, before=before, after=after, position=position
    )
    if checklists[place].id == checklist_id:
        return old, None
    moved, displaced = _rank_at(old, others, place)
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


def delete(view: BoardView, old: Checklist, context: ActionContext) -> Change:
    """Delete the checklist with its items; the card no longer counts them."""
    card = view.get_card(old.card_id)
    left = update_item_counts(card, old.items, ())
    return build_change(
        view,
        context,
        "checklist.deleted",
        updates=() if left == card else (left,),
        deletes=(old,),
        list_id=card.list_id,
        card_id=card.id,
        data={"checklist_id": old.id, "name": old.name, "item_count": len(old.items)},
    )


def update_item_counts(card: Card, old_items: Sequence[ChecklistItem], new_items: Sequence[ChecklistItem]) -> Card:
    """Return the card with its counts as they are once the new items replace the old ones."""
    return replace(
        card,
        item_count=card.item_count + len(new_items) - len(old_items),
        done_count=card.done_count + sum(each.done for each in new_items) - sum(each.done for each in old_items),
    )


def _rank_at(checklist: Checklist, others: Sequence[Checklist], index: int) -> tuple[Checklist, list[Checklist]]:
    """Return the checklist with a rank for that index, and the other checklists that need new ranks for it."""
    above, below = others[:index], others[index:]
    rank = ranks.between(above[-1].rank if above else "", below[0].rank if below else "")
    if len(rank) <= ranks.MAX_RANK_LENGTH:
        return replace(checklist, rank=rank), []
    # The shorter side gets short ranks beyond the present ones, so that no two ever have the same. Written again with
    # all their items, all of the largest ones would not fit into one commit of every engine.
    taken = sorted(each.rank for each in (checklist, *others))
    if len(above) < len(below):
        *fresh, rank = ranks.sequence_before(taken[0], len(above) + 1)
        displaced = above
    else:
        rank, *fresh = ranks.sequence_after(taken[-1], len(below) + 1)
        displaced = below
    return replace(checklist, rank=rank), [replace(each, rank=new) for each, new in zip(displaced, fresh, strict=True)]
