"""Timestamps as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from kanban.timekeeping import timestamps

AT = datetime(2026, 11, 20, 14, 0, 7, 999_999, tzinfo=UTC)


def test_clients_can_send_the_years_2000_to_2999() -> None:
    assert datetime(2000, 1, 1, tzinfo=UTC) == timestamps.EARLIEST
    assert datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC) == timestamps.LATEST


def test_a_timestamp_has_whole_seconds_and_a_z() -> None:
    assert timestamps.format_utc(AT) == "2026-11-20T14:00:07Z"
    assert timestamps.parse_utc("2026-11-20T14:00:07Z") == AT.replace(microsecond=0)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=2)), None])
def test_a_truncated_time_has_no_fraction_and_keeps_its_zone(zone: timezone | None) -> None:
    at = AT.replace(tzinfo=zone)

    assert timestamps.truncate_to_seconds(at) == at.replace(microsecond=0)
    assert timestamps.truncate_to_seconds(at).tzinfo is zone


@pytest.mark.parametrize(("at", "text"), [(None, None), (AT, "2026-11-20T14:00:07Z")])
def test_no_timestamp_stays_none(at: datetime | None, text: str | None) -> None:
    assert timestamps.format_optional_utc(at) == text
