"""Dates, links and hourly rates of cards."""

import pytest

from tests.api.client import Client
from tests.api.manual_clock import ManualClock

LINK = {"url": "https://example.com/reports/481", "title": "The report"}


@pytest.fixture
def board(mina: Client) -> str:
    """Create a board of Mina with an hourly rate of 10.00 and return its path."""
    return f"/boards/{mina.post('/boards', {'name': 'Website', 'hourly_rate_minor': 1000}).json['id']}"


def test_a_card_can_be_created_with_dates_links_and_a_rate(mina: Client, board: str) -> None:
    created = mina.post(
        f"{board}/cards",
        {
            "title": "Copy",
            "start_at": "2026-11-20T09:00:00.75Z",
            "due_at": "2026-11-24T18:00:00+01:00",
            "due_complete": True,
            "hourly_rate_minor": 1500,
            "links": [LINK],
        },
    )

    assert created.status == 201
    assert (created.json["start_at"], created.json["due_at"]) == ("2026-11-20T09:00:00Z", "2026-11-24T17:00:00Z")
    assert (created.json["due_complete"], created.json["hourly_rate_minor"], created.json["links"]) == (
        True,
        1500,
        [LINK],
    )
    assert mina.get(created.headers["location"].removeprefix("/v1")).json == created.json


def test_a_card_with_too_much_text_is_rejected(mina: Client, board: str) -> None:
    rejected = mina.post(f"{board}/cards", {"title": "copy", "description": "𐐀" * 12_000})

    message = "Title, description and links would take 96004 bytes, and at most 86000 can be kept."
    assert (rejected.status, rejected.json["code"], rejected.json["detail"]) == (422, "card_too_long", message)
    assert rejected.json["errors"] == [{"pointer": "/description", "code": "card_too_long", "message": message}]


def test_updated_and_removed_fields_are_named_in_the_event(mina: Client, board: str) -> None:
    created = mina.post(f"{board}/cards", {"title": "Copy", "due_at": "2026-11-24T17:00:00Z", "hourly_rate_minor": 5})
    path = f"{board}/cards/{created.json['id']}"

    changed = mina.patch(
        path, {"due_at": None, "hourly_rate_minor": None, "links": [LINK, LINK]}, If_Match=created.etag
    )
    emptied = mina.patch(path, {"links": []}, If_Match=changed.etag)

    assert (changed.json["due_at"], changed.json["hourly_rate_minor"]) == (None, None)
    assert changed.json["links"] == [LINK, LINK]
    assert emptied.json["links"] == []
    *_, first, second = mina.get(f"{board}/events").json["items"]
    assert first["data"] == {"changed": ["due_at", "hourly_rate_minor", "links"]}
    assert second["data"] == {"changed": ["links"]}


def test_a_card_can_not_be_due_before_its_start(mina: Client, board: str) -> None:
    card = mina.post(f"{board}/cards", {"title": "Copy", "due_at": "2026-11-24T17:00:00Z"})

    created = mina.post(
        f"{board}/cards", {"title": "No", "start_at": "2026-11-24T17:00:01Z", "due_at": "2026-11-24T17:00:00Z"}
    )
    changed = mina.patch(f"{board}/cards/{card.json['id']}", {"start_at": "2026-11-25T00:00:00Z"}, If_Match=card.etag)

    for rejected in (created, changed):
        assert (rejected.status, rejected.json["code"]) == (422, "ends_before_start")
        assert rejected.json["errors"][0]["pointer"] == "/due_at"
    assert len(mina.get(f"{board}/cards").json["items"]) == 1


def test_a_card_rate_applies_from_the_next_time_entry_on(mina: Client, board: str, clock: ManualClock) -> None:
    card = mina.post(f"{board}/cards", {"title": "Copy"}).json["id"]
    mina.post(f"{board}/cards/{card}/start")
    clock.advance(hours=1)
    mina.patch(f"{board}/cards/{card}", {"hourly_rate_minor": 6000}, If_Match="*")
    clock.advance(hours=1)
    for step in ("resolve", "reopen", "start"):
        mina.post(f"{board}/cards/{card}/{step}")
    clock.advance(hours=1)

    assert mina.get(f"{board}/cards/{card}").json["cost"]["formatted"] == "USD 80.00"


@pytest.mark.parametrize(
    "fields",
    [
        {"links": [{"url": "javascript:alert(1)", "title": "x"}]},
        {"links": [{"url": "HTTPS://example.com", "title": "x"}]},
        {"links": [{"url": " https://example.com", "title": "x"}]},
        {"links": [{"url": "https://exa mple.com", "title": "x"}]},
        {"links": [{"url": "https://example.com/\u202e", "title": "x"}]},
        {"links": [{"url": "data:text/html,hi", "title": "x"}]},
        {"links": [{"url": "https://", "title": "x"}]},
        {"links": [{"url": "https://[", "title": "x"}]},
        {"links": [{"url": "https://example.com@elsewhere.example/", "title": "x"}]},
        {"links": [{"url": "https://example.com:secret@elsewhere.example/", "title": "x"}]},
        {"links": [{"url": "https://example.com\\elsewhere.example", "title": "x"}]},
        {"links": [{"url": "https://example.com\n", "title": "x"}]},
        {"links": [{"url": "https://example.com", "title": "\u200b"}]},
        {"links": [{"url": "https://example.com"}]},
        {"links": [{"url": "https://example.com", "title": "x", "rel": "me"}]},
        {"links": [LINK] * 21},
        {"due_at": "2026-02-30T00:00:00Z"},
        {"due_at": "2026-11-24T17:00:00"},
        {"due_at": "2026-11-24"},
        {"due_at": "99999-01-01T00:00:00Z"},
        {"due_at": 1763740800},
        {"start_at": "1999-12-31T23:59:59Z"},
        {"due_complete": "true"},
        {"hourly_rate_minor": -1},
        {"hourly_rate_minor": 2**63},
        {"hourly_rate_minor": True},
    ],
    ids=lambda fields: repr(fields)[:60],
)
def test_invalid_fields_are_rejected(mina: Client, board: str, fields: dict[str, object]) -> None:
    card = mina.post(f"{board}/cards", {"title": "Copy"})

    created = mina.post(f"{board}/cards", {"title": "No", **fields})
    changed = mina.patch(f"{board}/cards/{card.json['id']}", fields, If_Match=card.etag)

    assert (created.status, changed.status) == (400, 400)
    assert changed.json["errors"]
    assert [card["title"] for card in mina.get(f"{board}/cards").json["items"]] == ["Copy"]


@pytest.mark.parametrize(
    "url",
    ["http://a", "https://127.0.0.1:8080?q=[1]", "https://example.com/a|b{c}?d=%C3%A4#!/e", "https://a/" + "x" * 1739],
)
def test_urls_of_all_usual_forms_are_accepted(mina: Client, board: str, url: str) -> None:
    created = mina.post(f"{board}/cards", {"title": "Copy", "links": [{"url": url, "title": " To it "}]})

    assert (created.status, created.json["links"]) == (201, [{"url": url, "title": "To it"}])


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("2999-12-31T23:59:59-23:59", 422),
        ("2000-01-01T00:00:00+23:59", 422),
        ("2000-01-01T00:00:00Z", 201),
        ("2027-06-30T23:59:60Z", 400),
    ],
)
def test_dates_at_the_limits_are_no_server_error(mina: Client, board: str, text: str, status: int) -> None:
    created = mina.post(f"{board}/cards", {"title": "Copy", "due_at": text})

    assert created.status == status
    assert mina.get(f"{board}/cards?sort=due_at").status == 200
