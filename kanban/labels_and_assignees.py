"""The labels of cards, and the members who are assigned to them.

A card may still name a deleted label, or the membership of someone who left. Such ids mean nothing, and are dropped
whenever the labels or assignees of the card are written.
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
    """Return the label ids as a card stores them. Raises UnknownReference if one is not a label of the board."""
    if not {label.id for label in view.labels}.issuperset(label_ids):
        raise UnknownReference("label_ids")
    return tuple(sorted(label_ids))


def resolve_membership_ids(view: BoardView, user_ids: Collection[str]) -> tuple[str, ...]:
    """Return the users' membership ids as a card stores them. Raises UnknownReference if one is not a member."""
    membership_ids = {member.user_id: member.id for member in view.members}
    if not membership_ids.keys() >= set(user_ids):
        raise UnknownReference("assignee_ids")
    return tuple(sorted(membership_ids[user_id] for user_id in user_ids))


def resolve_patch(view: BoardView, card: Card, patch: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the patch with `label_ids` and `assignee_ids` as a card stores them. Raises UnknownReference."""
    resolved = dict(patch)
    if "label_ids" in patch:
        ids = resolve_label_ids(view, patch["label_ids"])
        # Ids of deleted labels make no difference: a card that already shows exactly these labels is not changed.
        resolved["label_ids"] = card.label_ids if ids == _get_label_ids(view, card) else ids
    if "assignee_ids" in patch:
        ids = resolve_membership_ids(view, patch["assignee_ids"])
        resolved["assignee_ids"] = card.assignee_ids if ids == _get_membership_ids(view, card) else ids
    return resolved


def add_label(view: BoardView, card_id: str, label_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """Add a label to a card. Raises NotFound if the board does not have the label."""
    card, label = view.get_card(card_id), view.get_label(label_id)
    return _set_labels(view, card, {*_get_label_ids(view, card), label.id}, context)


def remove_label(view: BoardView, card_id: str, label_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """Remove a label from a card."""
    card = view.get_card(card_id)
    return _set_labels(view, card, {*_get_label_ids(view, card)} - {label_id}, context)


def assign(view: BoardView, card_id: str, user_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """Assign a member to a card. Raises NotFound if the user is not a member, LimitReached."""
    card, member = view.get_card(card_id), view.get_member(user_id)
    membership_ids = _get_membership_ids(view, card)
    if member.id not in membership_ids and len(membership_ids) >= MAX_ASSIGNEES_PER_CARD:
        raise LimitReached("assignees", MAX_ASSIGNEES_PER_CARD, holder_name=card.title)
    return _set_assignees(view, card, {*membership_ids, member.id}, context)


def unassign(view: BoardView, card_id: str, user_id: str, context: ActionContext) -> tuple[Card, Change | None]:
    """Remove a user from the assignees of a card."""
    card = view.get_card(card_id)
    removed_ids = {member.id for member in view.members if member.user_id == user_id}
    return _set_assignees(view, card, {*_get_membership_ids(view, card)} - removed_ids, context)


def _set_labels(
    view: BoardView, card: Card, label_ids: Iterable[str], context: ActionContext
) -> tuple[Card, Change | None]:
    new_ids = tuple(sorted(label_ids))
    if new_ids == _get_label_ids(view, card):
        return card, None
    return _update_card(view, card, {"label_ids": new_ids}, context)


def _set_assignees(
    view: BoardView, card: Card, membership_ids: Iterable[str], context: ActionContext
) -> tuple[Card, Change | None]:
    new_ids = tuple(sorted(membership_ids))
    if new_ids == _get_membership_ids(view, card):
        return card, None
    return _update_card(view, card, {"assignee_ids": new_ids}, context)


def _update_card(
    view: BoardView, old: Card, ids: Mapping[str, tuple[str, ...]], context: ActionContext
) -> tuple[Card, Change]:
    new = replace(old, **ids, version=old.version + 1, updated_at=context.at)  # type: ignore[arg-type]  # one field.
    data: EventData = {"changed": list(ids)}
    change = build_change(
        view,
        context,
        "card.updated",
        updates=(new,),
        subject=(old, new),
        list_id=new.list_id,
        card_id=new.id,
        data=data,
    )
    return new, change


def _get_label_ids(view: BoardView, card: Card) -> tuple[str, ...]:
    return tuple(sorted(view.get_label_ids(card)))


def _get_membership_ids(view: BoardView, card: Card) -> tuple[str, ...]:
    return tuple(sorted(member.id for member in view.members if member.id in card.assignee_ids))
