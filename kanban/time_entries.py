"""Time entries by hand: work that no clock saw, corrections of what it saw, and what is taken back.

A card's sums of time and cost are always those of its entries: whoever adds, corrects or deletes an entry changes
the sums in the same commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kanban import moments, timeclock
from kanban.errors import EndsBeforeStart, NotFound, UnknownReference
from kanban.patches import cleared
from kanban.record import record
from kanban.time_errors import InFuture, TimeEntryOverlaps, TimeEntryRunning, TimeEntryTooLong, TooManyTimeEntries
from kanban.values import Act, BoardView, Card, Change, EventData, TimeEntry

MOST_TIME_ENTRIES = 1_000
"""Time entries of a card, as far as people add and correct them; its clock may make more."""

LONGEST = timedelta(days=366)
"""The longest stretch of work that can be written down by hand."""

_NAMES = {
    "user_id": "user_id",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "note": "note",
    "hourly_rate_minor": "rate_minor",
}
"""What can be corrected: its name in a patch, and in the value."""

_PLACED_BY = frozenset(("user_id", "started_at", "ended_at"))


def add(
    view: BoardView,
    card_id: str,
    act: Act,
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
    card = view.card(card_id)
    if len(entries) >= MOST_TIME_ENTRIES:
        raise TooManyTimeEntries(card.title, MOST_TIME_ENTRIES)
    entry = TimeEntry(
        id=act.new_id("time_entry"),
        board_id=view.board.id,
        card_id=card_id,
        user_id=_worker(view, user_id or act.by),
        started_at=started_at,
        ended_at=ended_at,
        rate_minor=timeclock.rate_of(card, view.board) if hourly_rate_minor is None else hourly_rate_minor,
        note=note,
        version=1,
    )
    _refuse_times(entry, act.at)
    _refuse_overlap(entry, entries)
    data: EventData = {**_told(entry), "hourly_rate_minor": entry.rate_minor}
    change = record(
        view,
        act,
        "time_entry.created",
        creates=(entry,),
        updates=(_summed(card, None, entry, act.at),),
        list_id=card.list_id,
        card_id=card_id,
        data=data,
    )
    return entry, change


def revise(
    view: BoardView, card_id: str, entry_id: str, patch: Mapping[str, Any], act: Act, *, entries: Sequence[TimeEntry]
) -> tuple[TimeEntry, Change | None]:
    """The entry with the fields of the patch; None empties the note. `entries` are all that the card has.

    Raises NotFound, TimeEntryRunning for the end of an open entry, and as `add`.
    """
    card = view.card(card_id)
    old = named(view, card_id, entries, entry_id)
    if "ended_at" in patch and old.ended_at is None:
        raise TimeEntryRunning(card.title)
    wishes = cleared(patch, {"note": ""})
    changed = sorted(name for name, value in wishes.items() if getattr(old, _NAMES[name]) != value)
    if not changed:
        return old, None
    changes: dict[str, Any] = {_NAMES[name]: wishes[name] for name in changed}
    new = replace(old, **changes, version=old.version + 1)
    if "user_id" in changed:
        _worker(view, new.user_id)
    if _PLACED_BY.intersection(changed):
        if len(entries) > MOST_TIME_ENTRIES:
            raise TooManyTimeEntries(card.title, MOST_TIME_ENTRIES)
        _refuse_times(new, act.at)
        _refuse_overlap(new, entries)
    summed = _summed(card, old, new, act.at)
    change = record(
        view,
        act,
        "time_entry.updated",
        updates=(new, *((summed,) if summed != card else ())),
        list_id=card.list_id,
        card_id=card_id,
        data={"time_entry_id": entry_id, "changed": changed},
    )
    return new, change


def delete(view: BoardView, card_id: str, entry: TimeEntry, act: Act) -> Change:
    """Erase the entry: its time no longer counts. If it was open, the clock of its card stops."""
    card = view.card(card_id)
    return record(
        view,
        act,
        "time_entry.deleted",
        updates=(_summed(card, entry, None, act.at),),
        deletes=(entry,),
        list_id=card.list_id,
        card_id=card_id,
        data=_told(entry),
    )


def named(view: BoardView, card_id: str, entries: Sequence[TimeEntry], entry_id: str) -> TimeEntry:
    """The entry of that id, of all that the card has. Raises NotFound, and TooManyTimeEntries if that can't be told."""
    card = view.card(card_id)
    for each in entries:
        if each.id == entry_id:
            return each
    if len(entries) > MOST_TIME_ENTRIES:
        raise TooManyTimeEntries(card.title, MOST_TIME_ENTRIES)
    raise NotFound("time_entry")


def kept(view: BoardView, card_id: str, entry_id: str) -> TimeEntry:
    """The entry of that id, which the view was read with. Raises NotFound."""
    card, entry = view.card(card_id), view.parts.get(entry_id)
    if not isinstance(entry, TimeEntry) or entry.card_id != card.id:
        raise NotFound("time_entry")
    return entry


def _worker(view: BoardView, user_id: str) -> str:
    try:
        return view.member(user_id).user_id
    except NotFound:
        raise UnknownReference("user_id") from None


def _refuse_times(entry: TimeEntry, now: datetime) -> None:
    if entry.started_at > now:
        raise InFuture("started_at")
    if entry.ended_at and entry.ended_at > now:
        raise InFuture("ended_at")
    if entry.ended_at and entry.ended_at < entry.started_at:
        raise EndsBeforeStart("started_at", "ended_at")
    if (entry.ended_at or now) - entry.started_at > LONGEST:
        raise TimeEntryTooLong(LONGEST.days)


def _refuse_overlap(entry: TimeEntry, entries: Sequence[TimeEntry]) -> None:
    """Where one ends the other may begin; an open entry reaches as far as time does."""
    for other in entries:
        if other.id == entry.id or other.user_id != entry.user_id:
            continue
        ends_first = entry.ended_at is not None and entry.ended_at <= other.started_at
        begins_last = other.ended_at is not None and other.ended_at <= entry.started_at
        if not ends_first and not begins_last:
            raise TimeEntryOverlaps(other.started_at, other.ended_at)


def _summed(card: Card, old: TimeEntry | None, new: TimeEntry | None, at: datetime) -> Card:
    """The card with the new entry in the place of the old one; the very same card where that makes no difference."""
    summed = replace(
        card,
        tracked_seconds=card.tracked_seconds + _seconds(new) - _seconds(old),
        tracked_cost=card.tracked_cost + _cost(new) - _cost(old),
        running=new if old and old.ended_at is None else card.running,
    )
    return summed if summed == card else replace(summed, version=card.version + 1, updated_at=at)


def _seconds(entry: TimeEntry | None) -> int:
    """What the entry adds to the sum of its card: an open one nothing yet."""
    return timeclock.entry_seconds(entry, entry.ended_at) if entry and entry.ended_at else 0


def _cost(entry: TimeEntry | None) -> int:
    return _seconds(entry) * entry.rate_minor if entry else 0


def _told(entry: TimeEntry) -> EventData:
    return {
        "time_entry_id": entry.id,
        "user_id": entry.user_id,
        "started_at": moments.written(entry.started_at),
        "ended_at": moments.written_or_none(entry.ended_at),
    }
