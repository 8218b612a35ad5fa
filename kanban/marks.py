"""What a card bears: labels of its board, and members who work on it.

A card may still name a label that was deleted or the place of someone who left. Such names mean nothing, and whoever
writes the labels or the assignees of a card leaves them out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from kanban.errors import TooManyAssignees, UnknownReference
from kanban.record import record
from kanban.values import MOST_ASSIGNEES, Act, BoardView, Card, Change, EventData


def labels_named(view: BoardView, label_ids: Collection[str]) -> tuple[str, ...]:
    """These labels, as a card keeps them. Raises UnknownReference for one that the board does not have."""
    if not {each.id for each in view.labels}.issuperset(label_ids):
        raise UnknownReference("label_ids")
    return tuple(sorted(label_ids))


def places_named(view: BoardView, user_ids: Collection[str]) -> tuple[str, ...]:
    """The places of these users, as a card keeps them. Raises UnknownReference for one who is no member."""
    places = {each.user_id: each.id for each in view.members}
    if not places.keys() >= set(user_ids):
        raise UnknownReference("assignee_ids")
    return tuple(sorted(places[each] for each in user_ids))


def as_kept(view: BoardView, card: Card, patch: Mapping[str, Any]) -> Mapping[str, Any]:
    """The patch with its `label_ids` and `assignee_ids` as a card keeps them. Raises UnknownReference."""
    kept = dict(patch)
    if "label_ids" in patch:
        wished = labels_named(view, patch["label_ids"])
        # What is there no more tells no difference: a card that shows these labels already is not changed.
        kept["label_ids"] = card.label_ids if wished == _labels(view, card) else wished
    if "assignee_ids" in patch:
        wished = places_named(view, patch["assignee_ids"])
        kept["assignee_ids"] = card.assignee_ids if wished == _places(view, card) else wished
    return kept


def label(view: BoardView, card_id: str, label_id: str, act: Act) -> tuple[Card, Change | None]:
    """The card with that label. Raises NotFound for a label that the board does not have."""
    card, there = view.card(card_id), view.label(label_id).id
    return _with_labels(view, card, {*_labels(view, card), there}, act)


def unlabel(view: BoardView, card_id: str, label_id: str, act: Act) -> tuple[Card, Change | None]:
    """The card without that label."""
    card = view.card(card_id)
    return _with_labels(view, card, {*_labels(view, card)} - {label_id}, act)


def assign(view: BoardView, card_id: str, user_id: str, act: Act) -> tuple[Card, Change | None]:
    """The card with that member among its assignees. Raises NotFound for who is no member, TooManyAssignees."""
    card, there = view.card(card_id), view.member(user_id).id
    borne = _places(view, card)
    if there not in borne and len(borne) >= MOST_ASSIGNEES:
        raise TooManyAssignees(card.title, MOST_ASSIGNEES)
    return _with_assignees(view, card, {*borne, there}, act)


def unassign(view: BoardView, card_id: str, user_id: str, act: Act) -> tuple[Card, Change | None]:
    """The card without that user among its assignees."""
    card = view.card(card_id)
    gone = {each.id for each in view.members if each.user_id == user_id}
    return _with_assignees(view, card, {*_places(view, card)} - gone, act)


def _with_labels(view: BoardView, card: Card, label_ids: Iterable[str], act: Act) -> tuple[Card, Change | None]:
    wished = tuple(sorted(label_ids))
    if wished == _labels(view, card):
        return card, None
    return _marked(view, replace(card, label_ids=wished), "label_ids", act)


def _with_assignees(view: BoardView, card: Card, places: Iterable[str], act: Act) -> tuple[Card, Change | None]:
    wished = tuple(sorted(places))
    if wished == _places(view, card):
        return card, None
    return _marked(view, replace(card, assignee_ids=wished), "assignee_ids", act)


def _marked(view: BoardView, card: Card, field: str, act: Act) -> tuple[Card, Change]:
    new = replace(card, version=card.version + 1, updated_at=act.at)
    data: EventData = {"changed": [field]}
    change = record(view, act, "card.updated", updates=(new,), list_id=new.list_id, card_id=new.id, data=data)
    return new, change


def _labels(view: BoardView, card: Card) -> tuple[str, ...]:
    return tuple(sorted(view.label_ids_of(card)))


def _places(view: BoardView, card: Card) -> tuple[str, ...]:
    return tuple(sorted(each.id for each in view.members if each.id in card.assignee_ids))
