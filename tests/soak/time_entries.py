"""The model of time entries that users create, update and delete."""

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
    """The part of the model that has time entries."""

    def _create_time_entry(self, request: Request, board: Board) -> ExpectedResponse:
        card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
        fields = _parse_fields(request)
        entry = TimeEntry(
            user=fields.get("user", request.user),
            started_at=fields["started_at"],
            ended_at=fields["ended_at"],
            rate=fields.get("rate", current_rate(card, board)),
            note=fields.get("note", ""),
            id=self._read_new_id(),
            recorded_by=request.user,
        )
        _ensure_member(entry.user, board)
        self._ensure_times_valid(entry)
        _ensure_no_overlap(entry, card)
        card.time_entries.append(entry)
        if count_seconds(entry, self.now):
            self._touch(card)
        data = {**_event_data(entry), "hourly_rate_minor": entry.rate}
        self._add_event(board, "time_entry.created", board.find_column(card), card, **data)
        return self._expect_time_entry(board, card, entry, 201)

    def _update_time_entry(self, request: Request, board: Board) -> ExpectedResponse:
        card, old = _find_time_entry(request, board)
        ensure_version_matches(request, old.version)
        fields = _parse_fields(request)
        if "ended_at" in fields and old.ended_at is None:
            raise ExpectedError(409, "time_entry_running")
        changed = sorted(
            wire for wire, name in _FIELD_BY_PROPERTY.items() if name in fields and fields[name] != getattr(old, name)
        )
        if not changed:
            return self._expect_time_entry(board, card, old)
        new = TimeEntry(**{**vars(old), **fields, "version": old.version + 1, "recorded_by": request.user})
        if "user_id" in changed:
            _ensure_member(new.user, board)
        if {"user_id", "started_at", "ended_at"} & set(changed):
            self._ensure_times_valid(new)
            _ensure_no_overlap(new, card)
        card.time_entries[card.time_entries.index(old)] = new
        if new.ended_at is None or _totals(new) != _totals(old):
            self._touch(card)
        data = {"time_entry_id": new.id, "changed": changed}
        self._add_event(board, "time_entry.updated", board.find_column(card), card, **data)
        return self._expect_time_entry(board, card, new)

    def _delete_time_entry(self, request: Request, board: Board) -> ExpectedResponse:
        card, entry = _find_time_entry(request, board)
        ensure_version_matches(request, entry.version)
        card.time_entries.remove(entry)
        if entry.ended_at is None or count_seconds(entry, self.now):
            self._touch(card)
        self._add_event(board, "time_entry.deleted", board.find_column(card), card, **_event_data(entry))
        return ExpectedResponse(204)

    def _ensure_times_valid(self, entry: TimeEntry) -> None:
        if entry.started_at > self.now or (entry.ended_at and entry.ended_at > self.now):
            raise ExpectedError(422, "in_future")
        if entry.ended_at and entry.ended_at < entry.started_at:
            raise ExpectedError(422, "ends_before_start")
        if (entry.ended_at or self.now) - entry.started_at > _MAX_DURATION:
            raise ExpectedError(422, "time_entry_too_long")

    def _expect_time_entry(self, board: Board, card: Card, entry: TimeEntry, status: int = 200) -> ExpectedResponse:
        body = serialize_time_entry(board, card, entry, self.now)
        return ExpectedResponse(status, body=body, etag=time_entry_etag(entry, self.now))


def _find_time_entry(request: Request, board: Board) -> tuple[Card, TimeEntry]:
    card = find_by_id(request.card, board.cards, ExpectedError(404, "card_not_found"))
    return card, find_by_id(request.part, card.time_entries, ExpectedError(404, "time_entry_not_found"))


def _parse_fields(request: Request) -> dict[str, Any]:
    """Return the fields of the body under the names of `TimeEntry`."""
    fields = {_FIELD_BY_PROPERTY[wire]: value for wire, value in request.fields.items()}
    for name in ("started_at", "ended_at"):
        if name in fields:
            fields[name] = datetime.fromisoformat(fields[name])
    if "note" in fields:
        fields["note"] = fields["note"] or ""
    return fields


def _ensure_member(user: str, board: Board) -> None:
    if board.find_membership(user) is None:
        raise ExpectedError(422, "unknown_reference")


def _ensure_no_overlap(entry: TimeEntry, card: Card) -> None:
    """Raise ExpectedError if the same user has another time entry on the card that overlaps this one."""
    for other in card.time_entries:
        if other.id == entry.id or other.user != entry.user:
            continue
        is_before = entry.ended_at is not None and entry.ended_at <= other.started_at
        is_after = other.ended_at is not None and other.ended_at <= entry.started_at
        if not is_before and not is_after:
            raise ExpectedError(409, "time_entry_overlaps")


def _totals(entry: TimeEntry) -> tuple[int, int]:
    """Return the seconds of a closed time entry, and its seconds times its rate; zeros for an open one."""
    seconds = count_seconds(entry, entry.ended_at or entry.started_at)
    return seconds, seconds * entry.rate


def _event_data(entry: TimeEntry) -> dict[str, Any]:
    begin, end = format_timestamp(entry.started_at), format_timestamp(entry.ended_at)
    return {"time_entry_id": entry.id, "user_id": entry.user, "started_at": begin, "ended_at": end}
