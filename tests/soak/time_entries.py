"""Work on the model's cards that people write down, correct and take back."""

from datetime import datetime, timedelta
from typing import Any

from tests.soak.expectations import ExpectedError, ExpectedResponse, Request, ensure_version_matches, find_by_id
from tests.soak.model_core import ModelCore, current_rate
from tests.soak.serialize import count_seconds, format_timestamp, serialize_time_entry, time_entry_etag
from tests.soak.state import Board, Card, TimeEntry

_MAX_DURATION = timedelta(days=366)
_FIELD_BY_PROPERTY = {
    "user_id": "user",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "note": "note",
    "hourly_rate_minor": "rate",
}


class TimeEntriesModel(ModelCore):
    """The part of the model that knows who worked when."""

    def _create_time_entry(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        wishes = _parse_fields(request)
        stretch = TimeEntry(
            user=wishes.get("user", request.user),
            started_at=wishes["started_at"],
            ended_at=wishes["ended_at"],
            rate=wishes.get("rate", current_rate(card, board)),
            note=wishes.get("note", ""),
            id=self._read_new_id(),
        )
        _ensure_member(stretch.user, board)
        self._ensure_times_valid(stretch)
        _ensure_no_overlap(stretch, card)
        card.time_entries.append(stretch)
        if count_seconds(stretch, self.now):
            self._touch(card)
        told = {**_event_data(stretch), "hourly_rate_minor": stretch.rate}
        self._add_event(board, "time_entry.created", board.find_column(card), card, **told)
        return self._expect_time_entry(board, card, stretch, 201)

    def _update_time_entry(self, request: Request, board: Board) -> ExpectedResponse:
        card, old = _find_time_entry(request, board)
        ensure_version_matches(request, old.version)
        wishes = _parse_fields(request)
        if "ended_at" in wishes and old.ended_at is None:
            raise ExpectedError(409, "time_entry_running")
        changed = sorted(
            wire for wire, name in _FIELD_BY_PROPERTY.items() if name in wishes and wishes[name] != getattr(old, name)
        )
        if not changed:
            return self._expect_time_entry(board, card, old)
        new = TimeEntry(**{**vars(old), **wishes, "version": old.version + 1})
        if "user_id" in changed:
            _ensure_member(new.user, board)
        if {"user_id", "started_at", "ended_at"} & set(changed):
            self._ensure_times_valid(new)
            _ensure_no_overlap(new, card)
        card.time_entries[card.time_entries.index(old)] = new
        if new.ended_at is None or _totals(new) != _totals(old):
            self._touch(card)
        told = {"time_entry_id": new.id, "changed": changed}
        self._add_event(board, "time_entry.updated", board.find_column(card), card, **told)
        return self._expect_time_entry(board, card, new)

    def _delete_time_entry(self, request: Request, board: Board) -> ExpectedResponse:
        card, stretch = _find_time_entry(request, board)
        ensure_version_matches(request, stretch.version)
        card.time_entries.remove(stretch)
        if stretch.ended_at is None or count_seconds(stretch, self.now):
            self._touch(card)
        self._add_event(board, "time_entry.deleted", board.find_column(card), card, **_event_data(stretch))
        return ExpectedResponse(204)

    def _ensure_times_valid(self, stretch: TimeEntry) -> None:
        if stretch.started_at > self.now or (stretch.ended_at and stretch.ended_at > self.now):
            raise ExpectedError(422, "in_future")
        if stretch.ended_at and stretch.ended_at < stretch.started_at:
            raise ExpectedError(422, "ends_before_start")
        if (stretch.ended_at or self.now) - stretch.started_at > _MAX_DURATION:
            raise ExpectedError(422, "time_entry_too_long")

    def _expect_time_entry(self, board: Board, card: Card, stretch: TimeEntry, status: int = 200) -> ExpectedResponse:
        shape = serialize_time_entry(board, card, stretch, self.now)
        return ExpectedResponse(status, body=shape, etag=time_entry_etag(stretch, self.now))


def _find_time_entry(request: Request, board: Board) -> tuple[Card, TimeEntry]:
    card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
    return card, find_by_id(request.part, card.time_entries, ExpectedError(404, "time_entry_not_found"))


def _parse_fields(request: Request) -> dict[str, Any]:
    """What the body says, by the names of a stretch."""
    wishes = {_FIELD_BY_PROPERTY[wire]: value for wire, value in request.fields.items()}
    for name in ("started_at", "ended_at"):
        if name in wishes:
            wishes[name] = datetime.fromisoformat(wishes[name])
    if "note" in wishes:
        wishes["note"] = wishes["note"] or ""
    return wishes


def _ensure_member(user: str, board: Board) -> None:
    if board.find_membership(user) is None:
        raise ExpectedError(422, "unknown_reference")


def _ensure_no_overlap(stretch: TimeEntry, card: Card) -> None:
    """Refuse work at a moment at which the same user works on the card already."""
    for other in card.time_entries:
        if other.id == stretch.id or other.user != stretch.user:
            continue
        is_before = stretch.ended_at is not None and stretch.ended_at <= other.started_at
        is_after = other.ended_at is not None and other.ended_at <= stretch.started_at
        if not is_before and not is_after:
            raise ExpectedError(409, "time_entry_overlaps")


def _totals(stretch: TimeEntry) -> tuple[int, int]:
    """The seconds of a stretch that is over, and these times its rate."""
    seconds = count_seconds(stretch, stretch.ended_at or stretch.started_at)
    return seconds, seconds * stretch.rate


def _event_data(stretch: TimeEntry) -> dict[str, Any]:
    begin, end = format_timestamp(stretch.started_at), format_timestamp(stretch.ended_at)
    return {"time_entry_id": stretch.id, "user_id": stretch.user, "started_at": begin, "ended_at": end}
