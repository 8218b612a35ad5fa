"""Cards: create, update, move through the stages, delete.

A card's status is the stage of its list, so `start`, `resolve` and `reopen` are moves, and any move can be one of
these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kanban import card_size, labels_and_assignees
from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, EndsBeforeStart, NotFound, SelfReference, UnknownReference, quote_name
from kanban.fields import editable_fields
from kanban.flow import completions
from kanban.ordering import ranks
from kanban.ordering.list_capacity import (
    ListArchived,
    ensure_card_can_enter,
    get_rank_at_end,
    with_card,
    with_rank,
    without_card,
)
from kanban.patches import apply_patch, replace_nulls
from kanban.timekeeping import card_clock, timestamps
from kanban.values import Board, Card, End, Entity, EventData, List, NewCard, Stage, TimeEntry
from kanban.views import BoardView

_SIZED_FIELDS = frozenset({"title", "description", "links"})
"""The fields that count towards the size of a card."""


class WrongStage(Conflict):
    """Raised when a card is not on the stage where this step begins."""

    code = "wrong_stage"

    def __init__(self, card_title: str, required: str, actual: str) -> None:
        """Take the card's title, the required stage and the actual one."""
        super().__init__(f"Card {quote_name(card_title)} is not on the {required} stage: it is on {actual}.")


class CardArchived(Conflict):
    """Raised when an archived card should move."""

    code = "card_archived"

    def __init__(self, card_title: str) -> None:
        """Take the card's title."""
        super().__init__(f"Card {quote_name(card_title)} is archived: unarchive it first.")


def create(view: BoardView, context: ActionContext, new: NewCard) -> tuple[Card, Change]:
    """Create a card at the top or bottom of its list.

    Raises UnknownReference, NoListOfStage, ListArchived, WipLimitReached, LimitReached, EndsBeforeStart, CardTooLong.
    """
    target = view.get_first_list(Stage.TODO) if new.list_id is None else resolve_list(view, new.list_id)
    ensure_card_can_enter(target)
    card = build_card(
        new,
        context.new_id("card"),
        target,
        rank=get_rank_at_end(target, new.position),
        at=context.at,
        label_ids=labels_and_assignees.resolve_label_ids(view, new.label_ids),
        assignee_ids=labels_and_assignees.resolve_membership_ids(view, new.assignee_ids),
    )
    _ensure_dates_in_order(card)
    card_size.ensure_card_fits(card)
    card, opened, _ = enter_stage(card, view.board, None, target.stage, context)
    change = build_change(
        view,
        context,
        "card.created",
        creates=(card, *opened),
        updates=(with_card(target, card.rank),),
        list_id=target.id,
        card_id=card.id,
        data={"title": card.title, "stage": str(target.stage)},
    )
    return card, change


def build_card(
    new: NewCard,
    card_id: str,
    target: List,
    *,
    rank: str,
    at: datetime,
    label_ids: Sequence[str] = (),
    assignee_ids: Sequence[str] = (),
) -> Card:
    """Build a card that nothing has happened to yet. `assignee_ids` are ids of memberships."""
    content = {name: getattr(new, name) for name in editable_fields(Card)}
    content |= {"label_ids": tuple(label_ids), "assignee_ids": tuple(assignee_ids), "links": tuple(new.links)}
    return Card(
        id=card_id,
        board_id=target.board_id,
        list_id=target.id,
        rank=rank,
        **content,
        comment_count=0,
        item_count=0,
        done_count=0,
        started_at=None,
        resolved_at=None,
        tracked_seconds=0,
        tracked_cost=0,
        running=None,
        version=1,
        created_at=at,
        updated_at=at,
    )


def update(
    view: BoardView, card_id: str, patch: Mapping[str, Any], context: ActionContext
) -> tuple[Card, Change | None]:
    """Apply a patch to a card; None clears what can be cleared. A new hourly rate does not change the open time entry.

    `assignee_ids` are ids of users. Raises UnknownReference, EndsBeforeStart, CardTooLong.
    """
    old = view.get_card(card_id)
    patch = labels_and_assignees.resolve_patch(view, old, replace_nulls(patch, Card))
    new, changed_fields = apply_patch(old, patch, context)
    if not changed_fields:
        return old, None
    _ensure_dates_in_order(new)
    # A card with a due date is stored once more, in the index by due date.
    if not _SIZED_FIELDS.isdisjoint(changed_fields) or (new.due_at and not old.due_at):
        card_size.ensure_card_fits(new)
    change = build_change(
        view,
        context,
        "card.updated",
        updates=(new,),
        subject=(old, new),
        list_id=old.list_id,
        card_id=card_id,
        data={"changed": changed_fields},
    )
    return new, change


def move(
    view: BoardView,
    card_id: str,
    context: ActionContext,
    *,
    list_id: str,
    before: str | None = None,
    after: str | None = None,
    position: End | None = None,
) -> tuple[Card, Change | None]:
    """Move a card to a list: before or after another card, to the top, or (by default) to the bottom.

    For `before` or `after` the view must have been read with that card as its `neighbour_of`.

    Raises UnknownReference and SelfReference for what the body names, WipLimitReached and LimitReached if the list is
    full, CardArchived and ListArchived.
    """
    card = _get_active_card(view, card_id)
    target = resolve_list(view, list_id)
    if target.archived_at is not None:
        raise ListArchived(target.name)
    rank = _find_rank(view, card, target, before=before, after=after, position=position)
    if rank == card.rank and target.id == card.list_id:
        return card, None
    return _move_to_rank(view, card, target, rank, context)


def start(view: BoardView, card_id: str, context: ActionContext) -> tuple[Card, Change]:
    """Start work: move the card from a todo list to the bottom of the first list in progress.

    If the card is already in progress with a stopped clock, restart the clock.

    Raises CardArchived, ListArchived, WrongStage, NoListOfStage, WipLimitReached, LimitReached.
    """
    card = _get_active_card(view, card_id)
    if card.running is None and view.get_list_of(card).stage == Stage.IN_PROGRESS:
        return _restart_clock(view, card, context)
    return _advance(view, card_id, Stage.TODO, Stage.IN_PROGRESS, context)


def resolve(view: BoardView, card_id: str, context: ActionContext) -> tuple[Card, Change]:
    """Finish work: move the card from a list in progress to the bottom of the first done list.

    Raises what `start` raises.
    """
    return _advance(view, card_id, Stage.IN_PROGRESS, Stage.DONE, context)


def reopen(view: BoardView, card_id: str, context: ActionContext) -> tuple[Card, Change]:
    """Reopen work: move the card from a done list to the bottom of the first todo list. Raises what `start` raises."""
    return _advance(view, card_id, Stage.DONE, Stage.TODO, context)


def delete(view: BoardView, card_id: str, context: ActionContext) -> Change:
    """Mark the card as deleted and stop its clock."""
    old = view.get_card(card_id)
    list_ = view.get_list_of(old)
    was_active = old.archived_at is None
    card, closed = card_clock.stop_clock(old, context.at)
    card = replace(card, deleted_at=context.at, updated_at=context.at, version=card.version + 1)
    updates: tuple[Entity, ...] = (card, *closed, without_card(list_) if was_active else list_)
    data: EventData = {"stage": str(list_.stage), "archived_at": timestamps.format_optional_utc(card.archived_at)}
    return build_change(
        view,
        context,
        "card.deleted",
        updates=updates,
        subject=(old, card),
        list_id=list_.id,
        card_id=card_id,
        data=data,
    )


def _advance(
    view: BoardView, card_id: str, required_stage: Stage, target_stage: Stage, context: ActionContext
) -> tuple[Card, Change]:
    card = _get_active_card(view, card_id)
    actual_stage = view.get_list_of(card).stage
    if actual_stage != required_stage:
        raise WrongStage(card.title, required_stage, actual_stage)
    target = view.get_first_list(target_stage)
    return _move_to_rank(view, card, target, get_rank_at_end(target, "bottom"), context)


def _restart_clock(view: BoardView, card: Card, context: ActionContext) -> tuple[Card, Change]:
    """Start the clock of a card that stays where it is."""
    list_ = view.get_list_of(card)
    if list_.archived_at is not None:
        raise ListArchived(list_.name)
    new = replace(card, started_at=card.started_at or context.at, version=card.version + 1, updated_at=context.at)
    new, entry = card_clock.start_clock(new, card_clock.get_hourly_rate(card, view.board), context)
    change = build_change(
        view,
        context,
        "card.clock_started",
        creates=(entry,),
        updates=(new,),
        subject=(card, new),
        list_id=card.list_id,
        card_id=card.id,
        data={"hourly_rate_minor": entry.rate_minor},
    )
    return new, change


def _move_to_rank(view: BoardView, card: Card, target: List, rank: str, context: ActionContext) -> tuple[Card, Change]:
    source = view.get_list_of(card)
    # Within its own list the card does not count against the limit.
    lists: tuple[List, ...]
    if source.id == target.id:
        lists = (with_rank(target, rank),)
    else:
        ensure_card_can_enter(target)
        lists = (without_card(source), with_card(target, rank))
    new = replace(card, list_id=target.id, rank=rank, version=card.version + 1, updated_at=context.at)
    new, opened, closed = enter_stage(new, view.board, source.stage, target.stage, context)
    change = build_change(
        view,
        context,
        "card.moved",
        creates=opened,
        updates=(new, *closed, *lists),
        subject=(card, new),
        list_id=target.id,
        card_id=card.id,
        data={
            "from_list_id": source.id,
            "from_stage": str(source.stage),
            "to_stage": str(target.stage),
            **completions.build_completion_data(new, source.stage, target.stage),
        },
        rebalance_list_id=target.id if len(rank) > ranks.MAX_RANK_LENGTH else None,
    )
    return new, change


def enter_stage(
    card: Card, board: Board, old_stage: Stage | None, new_stage: Stage, context: ActionContext
) -> tuple[Card, tuple[TimeEntry, ...], tuple[TimeEntry, ...]]:
    """Return the card as it is on its new stage, the time entries that this opens, and those that it closes."""
    if old_stage == new_stage:
        return card, (), ()
    opened: tuple[TimeEntry, ...] = ()
    card, closed = card_clock.stop_clock(card, context.at)
    if new_stage == Stage.IN_PROGRESS:
        card, entry = card_clock.start_clock(card, card_clock.get_hourly_rate(card, board), context)
        opened = (entry,)
        card = replace(card, started_at=card.started_at or context.at)
    return replace(card, resolved_at=context.at if new_stage == Stage.DONE else None), opened, closed


def _ensure_dates_in_order(card: Card) -> None:
    if card.start_at and card.due_at and card.due_at < card.start_at:
        raise EndsBeforeStart("start_at", "due_at")


def _get_active_card(view: BoardView, card_id: str) -> Card:
    card = view.get_card(card_id)
    if card.archived_at is not None:
        raise CardArchived(card.title)
    return card


def resolve_list(view: BoardView, list_id: str) -> List:
    """Return the list that a request names as `list_id`. Raises UnknownReference."""
    try:
        return view.get_list(list_id)
    except NotFound:
        raise UnknownReference("list_id") from None


def _find_rank(
    view: BoardView,
    card: Card,
    target: List,
    *,
    before: str | None,
    after: str | None,
    position: End | None,
) -> str:
    """Return the rank of the requested position: the card's own rank if it stands there already."""
    if before is not None:
        neighbour, adjacent_rank = _get_neighbour(view, card, target, "before", before)
        above, below = adjacent_rank, neighbour.rank
    elif after is not None:
        neighbour, adjacent_rank = _get_neighbour(view, card, target, "after", after)
        above, below = neighbour.rank, adjacent_rank
    else:
        end: End = position or "bottom"
        outermost_rank = target.first_rank if end == "top" else target.last_rank
        stays = card.list_id == target.id and card.rank == outermost_rank
        return card.rank if stays else get_rank_at_end(target, end)
    stays = card.list_id == target.id and card.rank == adjacent_rank
    return card.rank if stays else ranks.between(above, below)


def _get_neighbour(view: BoardView, card: Card, target: List, field: str, neighbour_id: str) -> tuple[Card, str]:
    if neighbour_id == card.id:
        raise SelfReference(field)
    neighbour = view.cards.get(neighbour_id)
    if neighbour is None or neighbour.list_id != target.id:
        raise UnknownReference(field)
    if view.adjacent_rank is None:
        raise ValueError("The view was read without `neighbour_of`.")
    return neighbour, view.adjacent_rank
