"""How long a card was worked on and what that cost: being in progress opens an entry, leaving closes it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kanban import money
from kanban.values import Act, Board, Card, TimeEntry

_SECONDS_PER_MINUTE = 60
_SECONDS_PER_HOUR = 3600


def rate_of(card: Card, board: Board) -> int:
    """The hourly rate that is in force for the card: its own, or else the board's."""
    return board.hourly_rate_minor if card.hourly_rate_minor is None else card.hourly_rate_minor


def opened(card: Card, rate_minor: int, act: Act) -> tuple[Card, TimeEntry]:
    """The card with its clock running, and the new entry. The rate stays what it is now."""
    entry = TimeEntry(
        id=act.new_id("time_entry"),
        board_id=card.board_id,
        card_id=card.id,
        user_id=act.by,
        started_at=act.at,
        ended_at=None,
        rate_minor=rate_minor,
        note="",
        version=1,
    )
    return replace(card, running=entry), entry


def closed(card: Card, running: TimeEntry, at: datetime) -> tuple[Card, TimeEntry]:
    """The card with its clock stopped and its sums raised, and the closed entry."""
    # A clock that was set back must not make an entry end before it began.
    entry = replace(running, ended_at=max(at, running.started_at), version=running.version + 1)
    seconds = entry_seconds(entry, at)
    card = replace(
        card,
        running=None,
        tracked_seconds=card.tracked_seconds + seconds,
        tracked_cost=card.tracked_cost + seconds * entry.rate_minor,
    )
    return card, entry


def stopped(card: Card, at: datetime) -> tuple[Card, tuple[TimeEntry, ...]]:
    """The card with its clock stopped, and the entry that this closed; as it was where none ran."""
    if card.running is None:
        return card, ()
    card, entry = closed(card, card.running, at)
    return card, (entry,)


def stopped_all(cards: Sequence[Card], at: datetime) -> tuple[Card | TimeEntry, ...]:
    """These cards with their clocks stopped, each as a new version, and the entries that this closed."""
    written: list[Card | TimeEntry] = []
    for each in cards:
        card, entries = stopped(each, at)
        written += [replace(card, version=card.version + 1, updated_at=at), *entries]
    return tuple(written)


def entry_seconds(entry: TimeEntry, now: datetime) -> int:
    """Whole seconds from the start of the entry to its end, or to now while it is open; never negative."""
    return max(0, int(((entry.ended_at or now) - entry.started_at).total_seconds()))


def elapsed_seconds(card: Card, now: datetime) -> int:
    """Seconds worked on the card, the open entry up to now among them."""
    return card.tracked_seconds + (entry_seconds(card.running, now) if card.running else 0)


def cost_minor(card: Card, now: datetime) -> int:
    """What the card cost so far, in minor units of its board's currency: summed exactly, rounded once."""
    running = entry_seconds(card.running, now) * card.running.rate_minor if card.running else 0
    return money.earned(card.tracked_cost + running)


def hours_minutes_seconds(seconds: int) -> str:
    """'HH:MM:SS'; hours may pass 24."""
    hours, rest = divmod(seconds, _SECONDS_PER_HOUR)
    minutes, seconds = divmod(rest, _SECONDS_PER_MINUTE)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"
