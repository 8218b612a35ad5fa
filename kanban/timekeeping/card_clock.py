"""The clock of a card: entering a list in progress opens a time entry, leaving it closes the entry."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kanban.changes import ActionContext
from kanban.timekeeping import money
from kanban.timekeeping.timestamps import TWO_DIGITS
from kanban.values import Board, Card, CardView, TimeEntry

_SECONDS_PER_MINUTE = 60
_MINUTES_PER_HOUR = 60


def get_hourly_rate(card: Card, board: Board) -> int:
    """Return the hourly rate in force for the card: its own, or the board's."""
    return board.hourly_rate_minor if card.hourly_rate_minor is None else card.hourly_rate_minor


def start_clock(card: Card, rate_minor: int, context: ActionContext) -> tuple[Card, TimeEntry]:
    """Return the card with its clock running, and the new entry. The entry keeps today's rate."""
    entry = TimeEntry(
        id=context.new_id("time_entry"),
        board_id=card.board_id,
        card_id=card.id,
        user_id=context.actor_id,
        started_at=context.at,
        ended_at=None,
        rate_minor=rate_minor,
        note="",
        version=1,
    )
    return replace(card, running=entry), entry


def close_entry(card: Card, open_entry: TimeEntry, at: datetime) -> tuple[Card, TimeEntry]:
    """Return the card with its clock stopped and its totals raised, and the closed entry."""
    # A clock that was set back must not make an entry end before it began.
    entry = replace(open_entry, ended_at=max(at, open_entry.started_at), version=open_entry.version + 1)
    seconds = count_entry_seconds(entry, at)
    card = replace(
        card,
        running=None,
        tracked_seconds=card.tracked_seconds + seconds,
        tracked_cost=card.tracked_cost + seconds * entry.rate_minor,
    )
    return card, entry


def stop_clock(card: Card, at: datetime) -> tuple[Card, tuple[TimeEntry, ...]]:
    """Return the card with its clock stopped, and the closed entries: none if no clock ran."""
    if card.running is None:
        return card, ()
    card, entry = close_entry(card, card.running, at)
    return card, (entry,)


def stop_clocks(cards: Sequence[Card], at: datetime) -> tuple[Card | TimeEntry, ...]:
    """Return the cards with their clocks stopped, each as a new version, and the closed entries."""
    values: list[Card | TimeEntry] = []
    for card in cards:
        stopped_card, entries = stop_clock(card, at)
        values += [replace(stopped_card, version=stopped_card.version + 1, updated_at=at), *entries]
    return tuple(values)


def count_entry_seconds(entry: TimeEntry, now: datetime) -> int:
    """Return the whole seconds from the start of the entry to its end, or to now while it is open; never negative."""
    return max(0, int(((entry.ended_at or now) - entry.started_at).total_seconds()))


def count_worked_seconds(card: Card | CardView, now: datetime) -> int:
    """Return the seconds worked on the card, its open entry included."""
    return card.tracked_seconds + (count_entry_seconds(card.running, now) if card.running else 0)


def compute_cost_minor(card: Card | CardView, now: datetime) -> int:
    """Return the card's cost so far in minor units of the board's currency: summed exactly, rounded once."""
    open_cost = count_entry_seconds(card.running, now) * card.running.rate_minor if card.running else 0
    return money.compute_cost_minor(card.tracked_cost + open_cost)


def format_duration(seconds: int) -> str:
    """Format seconds as 'HH:MM:SS'; hours may exceed 24."""
    minutes, seconds = divmod(seconds, _SECONDS_PER_MINUTE)
    hours, minutes = divmod(minutes, _MINUTES_PER_HOUR)
    hours_text = TWO_DIGITS[hours] if hours < len(TWO_DIGITS) else str(hours)
    return f"{hours_text}:{TWO_DIGITS[minutes]}:{TWO_DIGITS[seconds]}"
