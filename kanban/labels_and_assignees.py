"""What a card bears: labels of its board, and members who work on it.

A card may still name a label that was deleted or the place of someone who left. Such names mean nothing, and whoever
writes the labels or the assignees of a card leaves them out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import LimitReached, UnknownReference
from kanban.limits import MAX_ASSIGNEES_PER_CARD
from kanban.values import Card, EventData
from kanban.views import BoardView


def resolve_label_ids(view: BoardView, label_ids: Collection[str]) -> tuple[str, ...]:
    """These labels, as a card keeps them. Raises UnknownReference for one that the board does not have."""
    if not {each.id for each in view.labels}.issuperset(label_ids):
        raise UnknownReference("label_ids")
    return tuple(sorted(label_ids))


def resolve_membership_ids(view: BoardView, user_ids: Collection[str]) -> tuple[str, ...]:
    """The places of these users, as a card keeps them. Raises UnknownReference for one who is no member."""
    places = {each.user_id: each.id for each in view.members}
    if not places.keys() >= set(user_ids):
        raise UnknownReference("assignee_ids")
    return tuple(sorted(places[each] for each in user_ids))


def resolve_patch(view: BoardView, card: Card, patch: Mapping[str, Any]) -> Mapping[str, Any]:
    """The patch with its `label_ids` and `assignee_ids` as a card keeps them. Raises UnknownReference."""
    kept = dict(patch)
    if "label_ids" in patch:
        wished = resolve_label_ids(view, patch["label_ids"])
        # What is there no more tells no difference: a card that shows these labels already is not changed.
        kept["label_ids"] = card.label_ids if wished == _get_label_ids(view, card) else wished
    if "assignee_ids" in patch:
        wished = resolve_membership_ids(view, patch["assignee_ids"])
        kept["assignee_ids"] = card.assignee_ids if wished == _get_membership_ids(view, card) else wished
    return kept


def add_label(view: BoardView, card_id: str, label_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """The card with that label. Raises NotFound for a label that the board does not have."""
    card, there = view.get_card(card_id), view.get_label(label_id).id
    return _set_labels(view, card, {*_get_label_ids(view, card), there}, context)


def remove_label(view: BoardView, card_id: str, label_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """The card without that label."""
    card = view.get_card(card_id)
    return _set_labels(view, card, {*_get_label_ids(view, card)} - {label_id}, context)


def assign(view: BoardView, card_id: str, user_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """The card with that member among its assignees. Raises NotFound for who is no member, LimitReached."""
    card, there = view.get_card(card_id), view.get_member(user_id).id
    borne = _get_membership_ids(view, card)
    if there not in borne and len(borne) >= MAX_ASSIGNEES_PER_CARD:
        raise LimitReached("assignees", MAX_ASSIGNEES_PER_CARD, holder_name=card.title)
    return _set_assignees(view, card, {*borne, there}, context)


def unassign(view: BoardView, card_id: str, user_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """The card without that user among its assignees."""
    card = view.get_card(card_id)
    gone = {each.id for each in view.members if each.user_id == user_id}
    return _set_assignees(view, card, {*_get_membership_ids(view, card)} - gone, context)


def _set_labels(
    view: BoardView, card: Card, label_ids: Iterable[str], context: ActionContext
) -> tuple[Card, Change | None]:
    wished = tuple(sorted(label_ids))
    if wished == _get_label_ids(view, card):
        return card, None
    return _update_card(view, replace(card, label_ids=wished), "label_ids", context)


def _set_assignees(
    view: BoardView, card: Card, membership_ids: Iterable[str], context: ActionContext
) -> tuple[Card, Change | None]:
    wished = tuple(sorted(membership_ids))
    if wished == _get_membership_ids(view, card):
        return card, None
    return _update_card(view, replace(card, assignee_ids=wished), "assignee_ids", context)


def _update_card(view: BoardView, card: Card, field: str, context: ActionContext) -> tuple[Card, Change]:
    new = replace(card, version=card.version + 1, updated_at=context.at)
    data: EventData = {"changed": [field]}
    change = build_change(view, context, "card.updated", updates=(new,), list_id=new.list_id, card_id=new.id, data=data)
    return new, change


def _get_label_ids(view: BoardView, card: Card) -> tuple[str, ...]:
    return tuple(sorted(view.get_label_ids(card)))


def _get_membership_ids(view: BoardView, card: Card) -> tuple[str, ...]:
    return tuple(sorted(each.id for each in view.members if each.id in card.assignee_ids))
