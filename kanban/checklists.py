"""Checklists: the steps of a card, made, renamed, put into another order, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kanban import order, ranks
from kanban.errors import NotFound, TooManyChecklists
from kanban.patches import revised
from kanban.places import End
from kanban.record import record
from kanban.values import MOST_CHECKLISTS, Act, BoardView, Card, Change, Checklist, ChecklistItem, EventData

_FIELDS = frozenset({"name"})


def of(view: BoardView, card_id: str, checklist_id: str) -> Checklist:
    """The card's checklist of that id, if the read asked for both. Raises NotFound."""
    card = view.card(card_id)
    found = view.parts.get(checklist_id)
    if not isinstance(found, Checklist) or found.card_id != card.id:
        raise NotFound("checklist")
    return found


def add(view: BoardView, card_id: str, there: Sequence[Checklist], act: Act, *, name: str) -> tuple[Checklist, Change]:
    """A new checklist below those that are there, all of the card. Raises TooManyChecklists."""
    card = view.card(card_id)
    if len(there) >= MOST_CHECKLISTS:
        raise TooManyChecklists(card.title, MOST_CHECKLISTS)
    new = Checklist(
        id=act.new_id("checklist"),
        board_id=view.board.id,
        card_id=card_id,
        name=name,
        rank=ranks.after(there[-1].rank if there else ""),
        items=(),
        version=1,
        created_at=act.at,
        updated_at=act.at,
    )
    data = {"checklist_id": new.id, "name": name}
    change = record(view, act, "checklist.created", creates=(new,), list_id=card.list_id, card_id=card_id, data=data)
    return new, change


def revise(view: BoardView, old: Checklist, patch: Mapping[str, Any], act: Act) -> tuple[Checklist, Change | None]:
    """The checklist with the fields of the patch: name."""
    new, changed = revised(old, patch, _FIELDS, act)
    if not changed:
        return old, None
    data: EventData = {"checklist_id": old.id, "changed": changed}
    list_id = view.card(old.card_id).list_id
    change = record(view, act, "checklist.updated", updates=(new,), list_id=list_id, card_id=old.card_id, data=data)
    return new, change


def move(
    view: BoardView,
    card_id: str,
    there: Sequence[Checklist],
    checklist_id: str,
    act: Act,
    *,
    before: str | None = None,
    after: str | None = None,
    position: End | None = None,
) -> tuple[Checklist, Change | None]:
    """The checklist elsewhere among those that are there: before or after another, or at an end; one is given.

    Raises NotFound, and SelfReference and UnknownReference for the neighbour.
    """
    card = view.card(card_id)
    ids = [each.id for each in there]
    if checklist_id not in ids:
        raise NotFound("checklist")
    old, others = there[ids.index(checklist_id)], [each for each in there if each.id != checklist_id]
    place = order.place([each.id for each in others], checklist_id, before=before, after=after, position=position)
    if there[place].id == checklist_id:
        return old, None
    moved, displaced = _ranked(old, others, place)
    new = replace(moved, version=old.version + 1, updated_at=act.at)
    change = record(
        view,
        act,
        "checklist.moved",
        updates=(new, *displaced),
        list_id=card.list_id,
        card_id=card_id,
        data={"checklist_id": checklist_id},
    )
    return new, change


def delete(view: BoardView, old: Checklist, act: Act) -> Change:
    """Erase the checklist with its items, which then count no more on the card."""
    card = view.card(old.card_id)
    left = recounted(card, old.items, ())
    return record(
        view,
        act,
        "checklist.deleted",
        updates=() if left == card else (left,),
        deletes=(old,),
        list_id=card.list_id,
        card_id=card.id,
        data={"checklist_id": old.id, "name": old.name, "item_count": len(old.items)},
    )


def recounted(card: Card, old: Sequence[ChecklistItem], new: Sequence[ChecklistItem]) -> Card:
    """The card with its counts as they are once these new items stand where the old ones stood."""
    return replace(
        card,
        item_count=card.item_count + len(new) - len(old),
        done_count=card.done_count + sum(each.done for each in new) - sum(each.done for each in old),
    )


def _ranked(old: Checklist, others: Sequence[Checklist], place: int) -> tuple[Checklist, list[Checklist]]:
    """The checklist with a rank for that place, and those that had to get new ranks for it."""
    above, below = others[:place], others[place:]
    rank = ranks.between(above[-1].rank if above else "", below[0].rank if below else "")
    if len(rank) <= ranks.LONGEST:
        return replace(old, rank=rank), []
    # The shorter side gets short ranks beyond the present ones, so that no two ever have the same. Written again with
    # all their items, all of the largest ones would not fit into one commit of every engine.
    taken = sorted(each.rank for each in (old, *others))
    if len(above) < len(below):
        *fresh, rank = ranks.preceding(taken[0], len(above) + 1)
        displaced = above
    else:
        rank, *fresh = ranks.following(taken[-1], len(below) + 1)
        displaced = below
    return replace(old, rank=rank), [replace(each, rank=new) for each, new in zip(displaced, fresh, strict=True)]
