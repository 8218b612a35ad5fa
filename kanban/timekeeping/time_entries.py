"""Time entries by hand: work that no clock saw, corrections of what it saw, and what is taken back.

A card's sums of time and cost are always those of its entries: whoever adds, corrects or deletes an entry changes
the sums in the same commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, EndsBeforeStart, NotFound, UnknownReference, Unprocessable, quote_name
from kanban.patches import replace_nulls
from kanban.timekeeping import card_clock, timestamps
from kanban.values import Card, EventData, TimeEntry
from kanban.views import BoardView

MAX_MANUAL_TIME_ENTRIES = 1_000
"""Time entries of a card, as far as people add and correct them; its clock may make more."""

MAX_DURATION = timedelta(days=366)
"""The longest stretch of work that can be written down by hand."""

_ATTRIBUTES = {
    "user_id": "user_id",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "note": "note",
    "hourly_rate_minor": "rate_minor",
}
"""What can be corrected: its name in a patch, and in the value."""

_INTERVAL_FIELDS = frozenset(("user_id", "started_at", "ended_at"))


class TimeEntryOverlaps(Conflict):
    """Raised when a user has another time entry on the card at the same time."""

    code = "time_entry_overlaps"

    def __init__(self, started_at: datetime, ended_at: datetime | None) -> None:
        """Take start and end of the existing entry; without an end it is open."""
        until = f"ends at {timestamps.format_utc(ended_at)}" if ended_at else "still runs"
        super().__init__(
            f"This user has a time entry on this card that began at {timestamps.format_utc(started_at)} and {until}: "
            "the two would overlap."
        )


class TimeEntryRunning(Conflict):
    """Raised when the end of an open entry should be edited: it ends when its card leaves its stage."""

    code = "time_entry_running"

    def __init__(self, card_title: str) -> None:
        """Take the title of the card whose clock runs."""
        super().__init__(f"The clock of card {quote_name(card_title)} runs: move the card to end this time entry.")


class TooManyTimeEntries(Conflict):
    """Raised when a card has so many time entries that none can be created or moved by hand."""

    code = "too_many_time_entries"

    def __init__(self, card_title: str, maximum: int) -> None:
        """Take the card's title and the number allowed."""
        super().__init__(
            f"Card {quote_name(card_title)} has {maximum} time entries, the most that can be kept by hand."
        )


class InFuture(Unprocessable):
    """Raised when a time entry lies in the future."""

    code = "in_future"

    def __init__(self, field: str) -> None:
        """Take the member of the body."""
        super().__init__(f"'{field}' lies in the future.")
        self.field = field


class TimeEntryTooLong(Unprocessable):
    """Raised when a time entry is longer than anybody works, probably by a typing error."""

    code = "time_entry_too_long"

    def __init__(self, max_days: int) -> None:
        """Take the maximum number of days."""
        super().__init__(f"A time entry may be at most {max_days} days long.")
        self.field = "started_at"


def create(
    view: BoardView,
    card_id: str,
    context: ActionContext,
    *,
    entries: Sequence[TimeEntry],
    started_at: datetime,
    ended_at: datetime,
    user_id: str | None = None,
    note: str = "",
    hourly_rate_minor: int | None = None,
) -> tuple[TimeEntry, Change]:
    """A stretch of work that is over. `entries` are all that the card has.

    It is the work of `user_id`, or else of whoever adds it, at that hourly rate, or else at the one that is in force
    for the card. Raises EndsBeforeStart, InFuture, TimeEntryTooLong, UnknownReference, TimeEntryOverlaps,
    TooManyTimeEntries.
    """
    card = view.get_card(card_id)
    if len(entries) >= MAX_MANUAL_TIME_ENTRIES:
        raise TooManyTimeEntries(card.title, MAX_MANUAL_TIME_ENTRIES)
    entry = TimeEntry(
        id=context.new_id("time_entry"),
        board_id=view.board.id,
        card_id=card_id,
        user_id=_ensure_member(view, user_id or context.actor_id),
        started_at=started_at,
        ended_at=ended_at,
        rate_minor=card_clock.get_hourly_rate(card, view.board) if hourly_rate_minor is None else hourly_rate_minor,
        note=note,
        version=1,
    )
    _validate_interval(entry, context.at)
    _ensure_no_overlap(entry, entries)
    data: EventData = {**_build_event_data(entry), "hourly_rate_minor": entry.rate_minor}
    change = build_change(
        view,
        context,
        "time_entry.created",
        creates=(entry,),
        updates=(_update_totals(card, None, entry, context.at),),
        list_id=card.list_id,
        card_id=card_id,
        data=data,
    )
    return entry, change


def update(
    view: BoardView,
    card_id: str,
    entry_id: str,
    patch: Mapping[str, Any],
    context: ActionContext,
    *,
    entries: Sequence[TimeEntry],
) -> tuple[TimeEntry, Change | None]:
    """The entry with the fields of the patch; None empties the note. `entries` are all that the card has.

    Raises NotFound, TimeEntryRunning for the end of an open entry, and as `add`.
    """
    card = view.get_card(card_id)
    old = get_entry_among(view, card_id, entries, entry_id)
    if "ended_at" in patch and old.ended_at is None:
        raise TimeEntryRunning(card.title)
    wishes = replace_nulls(patch, {"note": ""})
    changed = sorted(name for name, value in wishes.items() if getattr(old, _ATTRIBUTES[name]) != value)
    if not changed:
        return old, None
    changes: dict[str, Any] = {_ATTRIBUTES[name]: wishes[name] for name in changed}
    new = replace(old, **changes, version=old.version + 1)
    if "user_id" in changed:
        _ensure_member(view, new.user_id)
    if _INTERVAL_FIELDS.intersection(changed):
        if len(entries) > MAX_MANUAL_TIME_ENTRIES:
            raise TooManyTimeEntries(card.title, MAX_MANUAL_TIME_ENTRIES)
        _validate_interval(new, context.at)
        _ensure_no_overlap(new, entries)
    summed = _update_totals(card, old, new, context.at)
    change = build_change(
        view,
        context,
        "time_entry.updated",
        updates=(new, *((summed,) if summed != card else ())),
        list_id=card.list_id,
        card_id=card_id,
        data={"time_entry_id": entry_id, "changed": changed},
    )
    return new, change


def delete(view: BoardView, card_id: str, entry: TimeEntry, context: ActionContext) -> Change:
    """Erase the entry: its time no longer counts. If it was open, the clock of its card stops."""
    card = view.get_card(card_id)
    return build_change(
        view,
        context,
        "time_entry.deleted",
        updates=(_update_totals(card, entry, None, context.at),),
        deletes=(entry,),
        list_id=card.list_id,
        card_id=card_id,
        data=_build_event_data(entry),
    )


def get_entry_among(view: BoardView, card_id: str, entries: Sequence[TimeEntry], entry_id: str) -> TimeEntry:
    """The entry of that id, of all that the card has. Raises NotFound, and TooManyTimeEntries if that can't be told."""
    card = view.get_card(card_id)
    for each in entries:
        if each.id == entry_id:
            return each
    if len(entries) > MAX_MANUAL_TIME_ENTRIES:
        raise TooManyTimeEntries(card.title, MAX_MANUAL_TIME_ENTRIES)
    raise NotFound("time_entry")


def get_entry(view: BoardView, card_id: str, entry_id: str) -> TimeEntry:
    """The entry of that id, which the view was read with. Raises NotFound."""
    card, entry = view.get_card(card_id), view.parts.get(entry_id)
    if not isinstance(entry, TimeEntry) or entry.card_id != card.id:
        raise NotFound("time_entry")
    return entry


def _ensure_member(view: BoardView, user_id: str) -> str:
    try:
        return view.get_member(user_id).user_id
    except NotFound:
        raise UnknownReference("user_id") from None


def _validate_interval(entry: TimeEntry, now: datetime) -> None:
    if entry.started_at > now:
        raise InFuture("started_at")
    if entry.ended_at and entry.ended_at > now:
        raise InFuture("ended_at")
    if entry.ended_at and entry.ended_at < entry.started_at:
        raise EndsBeforeStart("started_at", "ended_at")
    if (entry.ended_at or now) - entry.started_at > MAX_DURATION:
        raise TimeEntryTooLong(MAX_DURATION.days)


def _ensure_no_overlap(entry: TimeEntry, entries: Sequence[TimeEntry]) -> None:
    """Where one ends the other may begin; an open entry reaches as far as time does."""
    for other in entries:
        if other.id == entry.id or other.user_id != entry.user_id:
            continue
        ends_first = entry.ended_at is not None and entry.ended_at <= other.started_at
        begins_last = other.ended_at is not None and other.ended_at <= entry.started_at
        if not ends_first and not begins_last:
            raise TimeEntryOverlaps(other.started_at, other.ended_at)


def _update_totals(card: Card, old_entry: TimeEntry | None, new_entry: TimeEntry | None, at: datetime) -> Card:
    """The card with the new entry in the place of the old one; the very same card where that makes no difference."""
    summed = replace(
        card,
        tracked_seconds=card.tracked_seconds + _count_closed_seconds(new_entry) - _count_closed_seconds(old_entry),
        tracked_cost=card.tracked_cost + _compute_closed_cost(new_entry) - _compute_closed_cost(old_entry),
        running=new_entry if old_entry and old_entry.ended_at is None else card.running,
    )
    return summed if summed == card else replace(summed, version=card.version + 1, updated_at=at)


def _count_closed_seconds(entry: TimeEntry | None) -> int:
    """What the entry adds to the sum of its card: an open one nothing yet."""
    return card_clock.count_entry_seconds(entry, entry.ended_at) if entry and entry.ended_at else 0


def _compute_closed_cost(entry: TimeEntry | None) -> int:
    return _count_closed_seconds(entry) * entry.rate_minor if entry else 0


def _build_event_data(entry: TimeEntry) -> EventData:
    return {
        "time_entry_id": entry.id,
        "user_id": entry.user_id,
        "started_at": timestamps.format_utc(entry.started_at),
        "ended_at": timestamps.format_optional_utc(entry.ended_at),
    }
