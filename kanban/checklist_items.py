"""The items of a checklist: added, changed, put into another order, deleted, made into cards.

The card knows how many there are and how many of them are done, so most writes to an item are writes to its card too.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from kanban import cards, order
from kanban.checklists import recounted
from kanban.errors import NotFound, TooManyItems, UnknownReference
from kanban.patches import cleared, revised
from kanban.places import End
from kanban.record import record
from kanban.values import (
    MOST_ITEMS,
    Act,
    Board,
    BoardView,
    Card,
    Change,
    Checklist,
    ChecklistItem,
    EventData,
    Value,
)

_EMPTY = {"done": False}
_FIELDS = frozenset({"text", "done", "assignee_id", "due_at"})

Items = tuple[ChecklistItem, ...]


def item_of(checklist: Checklist, item_id: str) -> ChecklistItem:
    """The item of that id. Raises NotFound."""
    for each in checklist.items:
        if each.id == item_id:
            return each
    raise NotFound("checklist_item")


def add(
    view: BoardView,
    checklist: Checklist,
    act: Act,
    *,
    text: str,
    done: bool = False,
    assignee_id: str | None = None,
    due_at: datetime | None = None,
    position: End = "bottom",
) -> tuple[ChecklistItem, Change]:
    """A new item at the top or the bottom of the checklist. `assignee_id` is the id of a user.

    Raises NotFound, TooManyItems, UnknownReference.
    """
    if len(checklist.items) >= MOST_ITEMS:
        raise TooManyItems(checklist.name, MOST_ITEMS)
    new = ChecklistItem(
        id=act.new_id("checklist_item"),
        text=text,
        done=done,
        assignee_id=_place_of(view, assignee_id),
        due_at=due_at,
        version=1,
        created_at=act.at,
        updated_at=act.at,
    )
    items = (new, *checklist.items) if position == "top" else (*checklist.items, new)
    return new, _told(view, act, "checklist_item.created", checklist, items, data={"item_id": new.id, "text": text})


def revise(
    view: BoardView, checklist: Checklist, item_id: str, patch: Mapping[str, Any], act: Act
) -> tuple[ChecklistItem, Change | None]:
    """The item with the fields of the patch: text, done (None: not done), assignee_id (the id of a user), due_at.

    Raises NotFound, UnknownReference.
    """
    old = item_of(checklist, item_id)
    if "assignee_id" in patch:
        wished = _place_of(view, patch["assignee_id"])
        # Who left the board is nobody: an item that shows nobody already is not changed.
        shown = old.assignee_id if any(each.id == old.assignee_id for each in view.members) else None
        patch = {**patch, "assignee_id": old.assignee_id if wished == shown else wished}
    new, changed = revised(old, cleared(patch, _EMPTY), _FIELDS, act)
    if not changed:
        return old, None
    items = tuple(new if each.id == item_id else each for each in checklist.items)
    return new, _told(
        view, act, "checklist_item.updated", checklist, items, data={"item_id": item_id, "changed": changed}
    )


def move(
    view: BoardView,
    checklist: Checklist,
    item_id: str,
    act: Act,
    *,
    before: str | None = None,
    after: str | None = None,
    position: End | None = None,
) -> tuple[ChecklistItem, Change | None]:
    """The item elsewhere in its checklist: before or after another, or at an end; one of these is given.

    Raises NotFound, and SelfReference and UnknownReference for the neighbour.
    """
    old = item_of(checklist, item_id)
    others = _without(checklist, item_id)
    place = order.place([each.id for each in others], item_id, before=before, after=after, position=position)
    if checklist.items[place].id == item_id:
        return old, None
    new = replace(old, version=old.version + 1, updated_at=act.at)
    items = (*others[:place], new, *others[place:])
    return new, _told(view, act, "checklist_item.moved", checklist, items, data={"item_id": item_id})


def delete(view: BoardView, checklist: Checklist, item_id: str, act: Act) -> Change:
    """Erase the item."""
    data = {"item_id": item_id, "text": item_of(checklist, item_id).text}
    return _told(view, act, "checklist_item.deleted", checklist, _without(checklist, item_id), data=data)


def convert(
    view: BoardView, checklist: Checklist, item_id: str, act: Act, *, list_id: str | None = None
) -> tuple[Card, Change]:
    """A new card in place of the item: at the bottom of `list_id`, or of the list that the item's card is in.

    The item's text is its title; its assignee, what is due and whether that is done come along. The event tells of
    the item's card, and has in its list and its data what that of a new card has.
    Raises NotFound, UnknownReference, ListArchived, WipLimitReached, TooManyCards.
    """
    item = item_of(checklist, item_id)
    card, made = cards.add(
        view,
        act,
        title=item.text,
        list_id=view.card(checklist.card_id).list_id if list_id is None else list_id,
        due_at=item.due_at,
        due_complete=item.done,
        assignee_ids=[each.user_id for each in view.members if each.id == item.assignee_id],
    )
    data = {"item_id": item_id, "new_card_id": card.id, "title": card.title, "stage": str(view.list_of(card).stage)}
    items = _without(checklist, item_id)
    return card, _told(view, act, "checklist_item.converted", checklist, items, data=data, made=(card, made))


def _told(
    view: BoardView,
    act: Act,
    kind: str,
    checklist: Checklist,
    items: Items,
    *,
    data: EventData,
    made: tuple[Card, Change] | None = None,
) -> Change:
    """The change that gives the checklist these items, and its card the right counts."""
    old = view.card(checklist.card_id)
    card = recounted(old, checklist.items, items)
    updates: tuple[Value, ...] = (replace(checklist, items=items), *(() if card == old else (card,)))
    creates: tuple[Value, ...] = ()
    list_id = card.list_id
    if made:
        list_id = made[0].list_id
        creates = made[1].creates
        updates += tuple(each for each in made[1].updates if not isinstance(each, Board))
    return record(
        view,
        act,
        kind,
        creates=creates,
        updates=updates,
        list_id=list_id,
        card_id=card.id,
        data={"checklist_id": checklist.id, **data},
    )


def _without(checklist: Checklist, item_id: str) -> Items:
    return tuple(each for each in checklist.items if each.id != item_id)


def _place_of(view: BoardView, user_id: str | None) -> str | None:
    if user_id is None:
        return None
    try:
        return view.member(user_id).id
    except NotFound:
        raise UnknownReference("assignee_id") from None
