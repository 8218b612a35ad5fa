"""Time entries written by hand: create, correct and delete them.

The totals of a card always equal the sum of its entries: whoever creates, corrects or deletes an entry updates the
totals in the same commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kanban.changes import ActionContext, Change, build_change
from kanban.errors import Conflict, EndsBeforeStart, NotFound, UnknownReference, Unprocessable, quote_name
from kanban.patches import replace_nulls
from kanban.timekeeping import card_clock, timestamps
from kanban.values import Card, EventData, NewTimeEntry, TimeEntry
from kanban.views import BoardView

MAX_MANUAL_TIME_ENTRIES = 1_000
"""How many time entries a card can have while they are created and corrected by hand; its clock may add more."""

MAX_DURATION = timedelta(days=366)
"""The longest time entry that can be written by hand."""

_ATTRIBUTES = {
    "user_id": "user_id",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "note": "note",
    "hourly_rate_minor": "rate_minor",
}
"""The fields that can be corrected: name in a patch, name in `TimeEntry`."""

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
    """Raised when a card has too many time entries to create or correct one by hand."""

    code = "too_many_time_entries"

    def __init__(self, card_title: str, maximum: int) -> None:
        """Take the card's title and the number allowed."""
        super().__init__(
            f"Card {quote_name(card_title)} has {maximum} time entries or more: no more can be recorded by hand."
        )


class InFuture(Unprocessable):
    """Raised when a time entry lies in the future."""

    code = "in_future"

    def __init__(self, field: str) -> None:
        """Take the member of the body."""
        super().__init__(f"'{field}' lies in the future.")
        self.field = field


class TimeEntryTooLong(Unprocessable):
    """Raised when a time entry is longer than MAX_DURATION, probably because of a typing error."""

    code = "time_entry_too_long"

    def __init__(self, max_days: int) -> None:
        """Take the maximum number of days."""
        super().__init__(f"A time entry may be at most {max_days} days long.")
        self.field = "started_at"


def create(
    view: BoardView,
    card_id: str,
    context: ActionContext,
    new: NewTimeEntry,
    *,
    entries: Sequence[TimeEntry],
) -> tuple[TimeEntry, Change]:
    """Create an entry for work that is over. `entries` are all entries of the card.

    Raises EndsBeforeStart, InFuture, TimeEntryTooLong, UnknownReference, TimeEntryOverlaps, TooManyTimeEntries.
    """
    card = view.get_card(card_id)
    if len(entries) >= MAX_MANUAL_TIME_ENTRIES:
        raise TooManyTimeEntries(card.title, MAX_MANUAL_TIME_ENTRIES)
    card_rate = card_clock.get_hourly_rate(card, view.board)
    entry = TimeEntry(
        id=context.new_id("time_entry"),
        board_id=view.board.id,
        card_id=card_id,
        user_id=_ensure_member(view, new.user_id or context.actor_id),
        started_at=new.started_at,
        ended_at=new.ended_at,
        rate_minor=card_rate if new.hourly_rate_minor is None else new.hourly_rate_minor,
        note=new.note,
        version=1,
        recorded_by=context.actor_id,
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
    """Apply a patch to an entry; None empties the note. `entries` are all entries of the card.

    Raises NotFound, TimeEntryRunning for the end of an open entry, and what `create` raises.
    """
    card = view.get_card(card_id)
    old_entry = get_entry_among(view, card_id, entries, entry_id)
    if "ended_at" in patch and old_entry.ended_at is None:
        raise TimeEntryRunning(card.title)
    fields = replace_nulls(patch, TimeEntry)
    changed_names = sorted(name for name, value in fields.items() if getattr(old_entry, _ATTRIBUTES[name]) != value)
    if not changed_names:
        return old_entry, None
    changes: dict[str, Any] = {_ATTRIBUTES[name]: fields[name] for name in changed_names}
    new_entry = replace(old_entry, **changes, version=old_entry.version + 1, recorded_by=context.actor_id)
    if "user_id" in changed_names:
        _ensure_member(view, new_entry.user_id)
    if _INTERVAL_FIELDS.intersection(changed_names):
        if len(entries) > MAX_MANUAL_TIME_ENTRIES:
            raise TooManyTimeEntries(card.title, MAX_MANUAL_TIME_ENTRIES)
        _validate_interval(new_entry, context.at)
        _ensure_no_overlap(new_entry, entries)
    changed_card = _update_totals(card, old_entry, new_entry, context.at)
    change = build_change(
        view,
        context,
        "time_entry.updated",
        updates=(new_entry, *((changed_card,) if changed_card != card else ())),
        subject=(old_entry, new_entry),
        list_id=card.list_id,
        card_id=card_id,
        data={"time_entry_id": entry_id, "changed": changed_names},
    )
    return new_entry, change


def delete(view: BoardView, card_id: str, entry: TimeEntry, context: ActionContext) -> Change:
    """Delete the entry: its time no longer counts. If it was open, the card's clock stops."""
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
    """Return the entry of that id from all entries of the card.

    Raises NotFound; TooManyTimeEntries if the card has more entries than were read.
    """
    card = view.get_card(card_id)
    for entry in entries:
        if entry.id == entry_id:
            return entry
    if len(entries) > MAX_MANUAL_TIME_ENTRIES:
        raise TooManyTimeEntries(card.title, MAX_MANUAL_TIME_ENTRIES)
    raise NotFound("time_entry")


def get_entry(view: BoardView, card_id: str, entry_id: str) -> TimeEntry:
    """Return the entry of that id, if the view was read with it. Raises NotFound."""
    card, entry = view.get_card(card_id), view.parts.get(entry_id)
    if not isinstance(entry, TimeEntry) or entry.card_id != card.id:
        raise NotFound("time_entry")
    return entry


def _ensure_member(view: BoardView, user_id: str) -> str:
    """Return the user id. Raises UnknownReference if the user is not a member."""
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
    """Raise TimeEntryOverlaps if the user has another entry at the same time.

    An entry may begin at the second at which another one ends; an open entry has no end.
    """
    for other in entries:
        if other.id == entry.id or other.user_id != entry.user_id:
            continue
        ends_before = entry.ended_at is not None and entry.ended_at <= other.started_at
        begins_after = other.ended_at is not None and other.ended_at <= entry.started_at
        if not ends_before and not begins_after:
            raise TimeEntryOverlaps(other.started_at, other.ended_at)


def _update_totals(card: Card, old_entry: TimeEntry | None, new_entry: TimeEntry | None, at: datetime) -> Card:
    """Return the card with its totals as they are once the new entry replaces the old one.

    If that makes no difference, the card is returned unchanged.
    """
    updated = replace(
        card,
        tracked_seconds=card.tracked_seconds + _count_closed_seconds(new_entry) - _count_closed_seconds(old_entry),
        tracked_cost=card.tracked_cost + _compute_closed_cost(new_entry) - _compute_closed_cost(old_entry),
        running=new_entry if old_entry and old_entry.ended_at is None else card.running,
    )
    return updated if updated == card else replace(updated, version=card.version + 1, updated_at=at)


def _count_closed_seconds(entry: TimeEntry | None) -> int:
    """Return the seconds that the entry adds to the card's total: 0 while it is open."""
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
