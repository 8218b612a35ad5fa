"""How long a card was worked on and what that cost: being in progress opens an entry, leaving closes it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kanban.changes import ActionContext
from kanban.timekeeping import money
from kanban.values import Board, Card, TimeEntry

_SECONDS_PER_MINUTE = 60
_SECONDS_PER_HOUR = 3600


def get_hourly_rate(card: Card, board: Board) -> int:
    """The hourly rate that is in force for the card: its own, or else the board's."""
    return board.hourly_rate_minor if card.hourly_rate_minor is None else card.hourly_rate_minor


def start_clock(card: Card, rate_minor: int, context: ActionContext) -> tuple[Card, TimeEntry]:
    """The card with its clock running, and the new entry. The rate stays what it is now."""
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
    """The card with its clock stopped and its sums raised, and the closed entry."""
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
    """The card with its clock stopped, and the entry that this closed; as it was where none ran."""
    if card.running is None:
        return card, ()
    card, entry = close_entry(card, card.running, at)
    return card, (entry,)


def stop_clocks(cards: Sequence[Card], at: datetime) -> tuple[Card | TimeEntry, ...]:
    """These cards with their clocks stopped, each as a new version, and the entries that this closed."""
    written: list[Card | TimeEntry] = []
    for each in cards:
        card, entries = stop_clock(each, at)
        written += [replace(card, version=card.version + 1, updated_at=at), *entries]
    return tuple(written)


def count_entry_seconds(entry: TimeEntry, now: datetime) -> int:
    """Whole seconds from the start of the entry to its end, or to now while it is open; never negative."""
    return max(0, int(((entry.ended_at or now) - entry.started_at).total_seconds()))


def count_elapsed_seconds(card: Card, now: datetime) -> int:
    """Seconds worked on the card, the open entry up to now among them."""
    return card.tracked_seconds + (count_entry_seconds(card.running, now) if card.running else 0)


def compute_cost_minor(card: Card, now: datetime) -> int:
    """What the card cost so far, in minor units of its board's currency: summed exactly, rounded once."""
    running = count_entry_seconds(card.running, now) * card.running.rate_minor if card.running else 0
    return money.compute_cost_minor(card.tracked_cost + running)


def format_duration(seconds: int) -> str:
    """'HH:MM:SS'; hours may pass 24."""
    hours, rest = divmod(seconds, _SECONDS_PER_HOUR)
    minutes, seconds = divmod(rest, _SECONDS_PER_MINUTE)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"
