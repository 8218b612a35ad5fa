"""Work on the model's cards that people write down, correct and take back."""

from datetime import datetime, timedelta
from typing import Any

from tests.soak.ledger import Ledger, rate_of
from tests.soak.rulings import Expected, Refusal, Request, insist_on_version, named
from tests.soak.shapes import moment, seconds_of, stretch_shape, stretch_tag
from tests.soak.state import Board, Card, Stretch

_LONGEST = timedelta(days=366)
_NAMES = {
    "user_id": "user",
    "started_at": "begin",
    "ended_at": "end",
    "note": "note",
    "hourly_rate_minor": "rate",
}


class Timesheets(Ledger):
    """The part of the model that knows who worked when."""

    def _create_time_entry(self, request: Request, board: Board) -> Expected:
        card = named(request.card, board.cards, Refusal(404, "card_not_found"))
        wishes = _read(request)
        stretch = Stretch(
            user=wishes.get("user", request.user),
            begin=wishes["begin"],
            end=wishes["end"],
            rate=wishes.get("rate", rate_of(card, board)),
            note=wishes.get("note", ""),
            id=self._new_id(),
        )
        _refuse_stranger(stretch.user, board)
        self._refuse_times(stretch)
        _refuse_overlap(stretch, card)
        card.stretches.append(stretch)
        if seconds_of(stretch, self.now):
            self._touch(card)
        told = {**_told(stretch), "hourly_rate_minor": stretch.rate}
        self._record(board, "time_entry.created", board.home(card), card, **told)
        return self._stretch_shown(board, card, stretch, 201)

    def _update_time_entry(self, request: Request, board: Board) -> Expected:
        card, old = _stretch(request, board)
        insist_on_version(request, old.version)
        wishes = _read(request)
        if "end" in wishes and old.end is None:
            raise Refusal(409, "time_entry_running")
        changed = sorted(wire for wire, name in _NAMES.items() if name in wishes and wishes[name] != getattr(old, name))
        if not changed:
            return self._stretch_shown(board, card, old)
        new = Stretch(**{**vars(old), **wishes, "version": old.version + 1})
        if "user_id" in changed:
            _refuse_stranger(new.user, board)
        if {"user_id", "started_at", "ended_at"} & set(changed):
            self._refuse_times(new)
            _refuse_overlap(new, card)
        card.stretches[card.stretches.index(old)] = new
        if new.end is None or _sums(new) != _sums(old):
            self._touch(card)
        told = {"time_entry_id": new.id, "changed": changed}
        self._record(board, "time_entry.updated", board.home(card), card, **told)
        return self._stretch_shown(board, card, new)

    def _delete_time_entry(self, request: Request, board: Board) -> Expected:
        card, stretch = _stretch(request, board)
        insist_on_version(request, stretch.version)
        card.stretches.remove(stretch)
        if stretch.end is None or seconds_of(stretch, self.now):
            self._touch(card)
        self._record(board, "time_entry.deleted", board.home(card), card, **_told(stretch))
        return Expected(204)

    def _refuse_times(self, stretch: Stretch) -> None:
        if stretch.begin > self.now or (stretch.end and stretch.end > self.now):
            raise Refusal(422, "in_future")
        if stretch.end and stretch.end < stretch.begin:
            raise Refusal(422, "ends_before_start")
        if (stretch.end or self.now) - stretch.begin > _LONGEST:
            raise Refusal(422, "time_entry_too_long")

    def _stretch_shown(self, board: Board, card: Card, stretch: Stretch, status: int = 200) -> Expected:
        shape = stretch_shape(board, card, stretch, self.now)
        return Expected(status, body=shape, tag=stretch_tag(stretch, self.now))


def _stretch(request: Request, board: Board) -> tuple[Card, Stretch]:
    card = named(request.card, board.cards, Refusal(404, "card_not_found"))
    return card, named(request.part, card.stretches, Refusal(404, "time_entry_not_found"))


def _read(request: Request) -> dict[str, Any]:
    """What the body says, by the names of a stretch."""
    wishes = {_NAMES[wire]: value for wire, value in request.wishes.items()}
    for name in ("begin", "end"):
        if name in wishes:
            wishes[name] = datetime.fromisoformat(wishes[name])
    if "note" in wishes:
        wishes["note"] = wishes["note"] or ""
    return wishes


def _refuse_stranger(user: str, board: Board) -> None:
    if board.place_of(user) is None:
        raise Refusal(422, "unknown_reference")


def _refuse_overlap(stretch: Stretch, card: Card) -> None:
    """Refuse work at a moment at which the same user works on the card already."""
    for other in card.stretches:
        if other.id == stretch.id or other.user != stretch.user:
            continue
        is_before = stretch.end is not None and stretch.end <= other.begin
        is_after = other.end is not None and other.end <= stretch.begin
        if not is_before and not is_after:
            raise Refusal(409, "time_entry_overlaps")


def _sums(stretch: Stretch) -> tuple[int, int]:
    """The seconds of a stretch that is over, and these times its rate."""
    seconds = seconds_of(stretch, stretch.end or stretch.begin)
    return seconds, seconds * stretch.rate


def _told(stretch: Stretch) -> dict[str, Any]:
    begin, end = moment(stretch.begin), moment(stretch.end)
    return {"time_entry_id": stretch.id, "user_id": stretch.user, "started_at": begin, "ended_at": end}
