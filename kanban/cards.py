"""Cards: added, changed, moved through their life, deleted.

A card's status is its list's stage, so `start`, `resolve` and `reopen` are moves, and a move may be any of
these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kanban import finishes, marks, moments, ranks, sizes, timeclock
from kanban.errors import (
    CardArchived,
    EndsBeforeStart,
    ListArchived,
    NotFound,
    SelfReference,
    UnknownReference,
    WrongStage,
)
from kanban.patches import cleared, revised
from kanban.places import End, rank_at_end, refuse_entry, with_bounds, with_card, without_card
from kanban.record import record
from kanban.values import (
    Act,
    Board,
    BoardView,
    Card,
    Change,
    EventData,
    Link,
    List,
    Stage,
    TimeEntry,
    Value,
)

_EMPTY = {"description": "", "due_complete": False, "label_ids": (), "assignee_ids": (), "links": ()}
"""What null in a patch makes of these fields: what a new card has without them. Others may be None."""
_FIELDS = frozenset(
    {
        "title",
        "description",
        "external_id",
        "start_at",
        "due_at",
        "due_complete",
        "hourly_rate_minor",
        "label_ids",
        "assignee_ids",
        "links",
    }
)

_KEPT_LONG = frozenset({"title", "description", "links"})
"""What makes a card take more room."""


def add(
    view: BoardView,
    act: Act,
    *,
    title: str,
    description: str = "",
    list_id: str | None = None,
    position: End = "bottom",
    external_id: str | None = None,
    label_ids: Sequence[str] = (),
    assignee_ids: Sequence[str] = (),
    start_at: datetime | None = None,
    due_at: datetime | None = None,
    due_complete: bool = False,
    hourly_rate_minor: int | None = None,
    links: Sequence[Link] = (),
) -> tuple[Card, Change]:
    """A new card at the top or bottom of a list: that of `list_id`, or the first todo list.

    `assignee_ids` are ids of users, who must be members.
    Raises UnknownReference, NoListOfStage, ListArchived, WipLimitReached, TooManyCards, EndsBeforeStart, CardTooLong.
    """
    target = view.first_list(Stage.TODO) if list_id is None else referred_list(view, list_id)
    refuse_entry(target)
    card = Card(
        id=act.new_id("card"),
        board_id=view.board.id,
        list_id=target.id,
        title=title,
        description=description,
        external_id=external_id,
        rank=rank_at_end(target, position),
        start_at=start_at,
        due_at=due_at,
        due_complete=due_complete,
        hourly_rate_minor=hourly_rate_minor,
        label_ids=marks.labels_named(view, label_ids),
        assignee_ids=marks.places_named(view, assignee_ids),
        links=tuple(links),
        comment_count=0,
        item_count=0,
        done_count=0,
        started_at=None,
        resolved_at=None,
        tracked_seconds=0,
        tracked_cost=0,
        running=None,
        version=1,
        created_at=act.at,
        updated_at=act.at,
    )
    _refuse_dates(card)
    sizes.refuse_long(card)
    card, opened, _ = brought_to(card, view.board, None, target.stage, act)
    change = record(
        view,
        act,
        "card.created",
        creates=(card, *opened),
        updates=(with_card(target, card.rank),),
        list_id=target.id,
        card_id=card.id,
        data={"title": title, "stage": str(target.stage)},
    )
    return card, change


def revise(view: BoardView, card_id: str, patch: Mapping[str, Any], act: Act) -> tuple[Card, Change | None]:
    """The card with the fields of the patch; None empties what it can. A new rate spares the open time entry.

    `assignee_ids` are ids of users. Raises UnknownReference, EndsBeforeStart, CardTooLong.
    """
    old = view.card(card_id)
    patch = marks.as_kept(view, old, cleared(patch, _EMPTY))
    new, changed = revised(old, patch, _FIELDS, act)
    if not changed:
        return old, None
    _refuse_dates(new)
    # A card that is due is kept once more, in the order of what is due.
    if not _KEPT_LONG.isdisjoint(changed) or (new.due_at and not old.due_at):
        sizes.refuse_long(new)
    change = record(
        view,
        act,
        "card.updated",
        updates=(new,),
        list_id=old.list_id,
        card_id=card_id,
        data={"changed": changed},
    )
    return new, change


def move(
    view: BoardView,
    card_id: str,
    act: Act,
    *,
    list_id: str,
    before: str | None = None,
    after: str | None = None,
    position: End | None = None,
) -> tuple[Card, Change | None]:
    """The card in that list: before or after another card, at the top, or (with none of these) at the bottom.

    A view for `before` or `after` was read with that neighbour as its `beside`. Raises UnknownReference and
    SelfReference for what the body names, WipLimitReached and TooManyCards for entering a full list, CardArchived and
    ListArchived for what was put away.
    """
    card = _card_in_use(view, card_id)
    target = referred_list(view, list_id)
    if target.archived_at is not None:
        raise ListArchived(target.name)
    rank = _rank_for(view, card, target, before=before, after=after, position=position)
    if rank == card.rank and target.id == card.list_id:
        return card, None
    return _moved(view, card, target, rank, act)


def start(view: BoardView, card_id: str, act: Act) -> tuple[Card, Change]:
    """Begin work: from a todo list to the bottom of the first one in progress. There, a clock that stands runs on.

    Raises CardArchived, ListArchived, WrongStage, NoListOfStage, WipLimitReached, TooManyCards.
    """
    card = _card_in_use(view, card_id)
    if card.running is None and view.list_of(card).stage == Stage.IN_PROGRESS:
        return _clocked(view, card, act)
    return _advanced(view, card_id, Stage.TODO, Stage.IN_PROGRESS, act)


def resolve(view: BoardView, card_id: str, act: Act) -> tuple[Card, Change]:
    """Finish work: from a list in progress to the bottom of the first one that is done. Raises as `start`."""
    return _advanced(view, card_id, Stage.IN_PROGRESS, Stage.DONE, act)


def reopen(view: BoardView, card_id: str, act: Act) -> tuple[Card, Change]:
    """Take up again: from a done list to the bottom of the first todo list. Raises as `start`."""
    return _advanced(view, card_id, Stage.DONE, Stage.TODO, act)


def delete(view: BoardView, card_id: str, act: Act) -> Change:
    """Mark the card deleted; its clock stops."""
    card = view.card(card_id)
    home = view.list_of(card)
    counted = card.archived_at is None
    card, closed = timeclock.stopped(card, act.at)
    card = replace(card, deleted_at=act.at, updated_at=act.at, version=card.version + 1)
    updates: tuple[Value, ...] = (card, *closed, without_card(home) if counted else home)
    data: EventData = {"stage": str(home.stage), "archived_at": moments.written_or_none(card.archived_at)}
    return record(view, act, "card.deleted", updates=updates, list_id=home.id, card_id=card_id, data=data)


def _advanced(view: BoardView, card_id: str, origin: Stage, goal: Stage, act: Act) -> tuple[Card, Change]:
    card = _card_in_use(view, card_id)
    actual = view.list_of(card).stage
    if actual != origin:
        raise WrongStage(card.title, origin, actual)
    target = view.first_list(goal)
    return _moved(view, card, target, rank_at_end(target, "bottom"), act)


def _clocked(view: BoardView, card: Card, act: Act) -> tuple[Card, Change]:
    """The card where it is, its clock started."""
    home = view.list_of(card)
    if home.archived_at is not None:
        raise ListArchived(home.name)
    new = replace(card, started_at=card.started_at or act.at, version=card.version + 1, updated_at=act.at)
    new, entry = timeclock.opened(new, timeclock.rate_of(card, view.board), act)
    change = record(
        view,
        act,
        "card.clock_started",
        creates=(entry,),
        updates=(new,),
        list_id=card.list_id,
        card_id=card.id,
        data={"hourly_rate_minor": entry.rate_minor},
    )
    return new, change


def _moved(view: BoardView, card: Card, target: List, rank: str, act: Act) -> tuple[Card, Change]:
    origin = view.list_of(card)
    # Lift the card first: within its own list it must not count against the limit.
    lists: tuple[List, ...]
    if origin.id == target.id:
        lists = (with_bounds(target, rank),)
    else:
        refuse_entry(target)
        lists = (without_card(origin), with_card(target, rank))
    new = replace(card, list_id=target.id, rank=rank, version=card.version + 1, updated_at=act.at)
    new, opened, closed = brought_to(new, view.board, origin.stage, target.stage, act)
    change = record(
        view,
        act,
        "card.moved",
        creates=opened,
        updates=(new, *closed, *lists),
        list_id=target.id,
        card_id=card.id,
        data={
            "from_list_id": origin.id,
            "from_stage": str(origin.stage),
            "to_stage": str(target.stage),
            **finishes.told(new, origin.stage, target.stage),
        },
        rebalance=target.id if len(rank) > ranks.LONGEST else None,
    )
    return new, change


def brought_to(
    card: Card, board: Board, origin: Stage | None, goal: Stage, act: Act
) -> tuple[Card, tuple[TimeEntry, ...], tuple[TimeEntry, ...]]:
    """The card as it is on its new stage, with the time entries that opened and that closed."""
    if origin == goal:
        return card, (), ()
    opened: tuple[TimeEntry, ...] = ()
    card, closed = timeclock.stopped(card, act.at)
    if goal == Stage.IN_PROGRESS:
        card, entry = timeclock.opened(card, timeclock.rate_of(card, board), act)
        opened = (entry,)
        card = replace(card, started_at=card.started_at or act.at)
    return replace(card, resolved_at=act.at if goal == Stage.DONE else None), opened, closed


def _refuse_dates(card: Card) -> None:
    if card.start_at and card.due_at and card.due_at < card.start_at:
        raise EndsBeforeStart("start_at", "due_at")


def _card_in_use(view: BoardView, card_id: str) -> Card:
    card = view.card(card_id)
    if card.archived_at is not None:
        raise CardArchived(card.title)
    return card


def referred_list(view: BoardView, list_id: str) -> List:
    """The list that a body names as `list_id`. Raises UnknownReference."""
    try:
        return view.list(list_id)
    except NotFound:
        raise UnknownReference("list_id") from None


def _rank_for(
    view: BoardView,
    card: Card,
    target: List,
    *,
    before: str | None,
    after: str | None,
    position: End | None,
) -> str:
    """The rank of that place: the card's own when it stands there already."""
    if before is not None:
        neighbour, beyond = _neighbour(view, card, target, "before", before)
        above, below = beyond, neighbour.rank
    elif after is not None:
        neighbour, beyond = _neighbour(view, card, target, "after", after)
        above, below = neighbour.rank, beyond
    else:
        end: End = position or "bottom"
        outermost = target.first_rank if end == "top" else target.last_rank
        stays = card.list_id == target.id and card.rank == outermost
        return card.rank if stays else rank_at_end(target, end)
    stays = card.list_id == target.id and card.rank == beyond
    return card.rank if stays else ranks.between(above, below)


def _neighbour(view: BoardView, card: Card, target: List, field: str, neighbour_id: str) -> tuple[Card, str]:
    if neighbour_id == card.id:
        raise SelfReference(field)
    neighbour = view.cards.get(neighbour_id)
    if neighbour is None or neighbour.list_id != target.id:
        raise UnknownReference(field)
    if view.beyond is None:
        raise ValueError("The view was read without its neighbour as `beside`.")
    return neighbour, view.beyond
