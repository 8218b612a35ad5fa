"""Importing Trello boards: all or nothing, once, with a report."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.api.client import Client
from tests.api.manual_clock import ManualClock

BOARD = "5f3c2a1b9d8e7f6a5b4c3d2e"
NASTY = "<script>alert(1)</script>\x00\x1b[31m \u202e" + "x" * 30_000


def export(**fields: Any) -> dict[str, Any]:
    """Return a Trello export with a list and a card."""
    return {
        "id": BOARD,
        "name": "Website",
        "lists": [{"id": "5f3c2a1b0000000000000001", "name": "To do", "pos": 1}],
        "cards": [{"id": "5f3c2a1b0000000000000002", "idList": "5f3c2a1b0000000000000001", "name": "Copy"}],
        **fields,
    }


def test_an_import_report_with_the_longest_names_can_be_stored(mina: Client) -> None:
    (card,) = export()["cards"]
    cards = [{**card, "id": f"5f3c2a1b{number:016}", "name": " " + "👩" * 600} for number in range(210)]

    response = mina.post("/imports/trello", export(cards=cards), Idempotency_Key="k1")

    report = response.json["report"]
    assert (response.status, len(report["items"]), report["unlisted"]) == (201, 200, 10)
    assert report["items"][0]["name"] == "👩" * 199 + "…"
    assert len(response.raw) < 350_000


def test_an_imported_board_has_the_requested_currency_and_rate(mina: Client) -> None:
    response = mina.post("/imports/trello?currency=EUR&hourly_rate_minor=1500", export())

    board = mina.get(response.headers["location"].removeprefix("/v1")).json
    assert (board["currency"], board["hourly_rate_minor"]) == ("EUR", 1500)


def test_an_import_creates_a_board_and_a_report(mina: Client) -> None:
    response = mina.post("/imports/trello", export())

    assert response.status == 201
    board = response.json["board"]
    assert response.headers["location"] == f"/v1/boards/{board['id']}"
    nothing_of = dict.fromkeys(("labels", "checklists", "comments", "time_entries"), 0)
    assert response.json["report"]["brought"] == {"lists": 1, "cards": 1, **nothing_of}
    embedded = mina.get(f"/boards/{board['id']}?embed=lists,cards").json
    assert [list_["name"] for list_ in embedded["lists"]] == ["To do"]
    assert [card["title"] for card in embedded["cards"]["items"]] == ["Copy"]
    events = mina.get(f"/boards/{board['id']}/events?after=0").json
    assert [event["seq"] for event in events["items"]] == [*range(1, board["seq"] + 1)]
    assert [event["type"] for event in events["items"]] == [
        "board.created",
        "list.created",
        "card.created",
        "board.imported",
    ]


def test_importing_the_same_export_again_changes_nothing(mina: Client, omar: Client) -> None:
    first = mina.post("/imports/trello", export()).json["board"]

    again = mina.post("/imports/trello", export(name="Other"))
    of_omar = omar.post("/imports/trello", export())

    assert again.status == 200
    assert again.json["board"] == first
    assert len(mina.get("/boards").json["items"]) == 1
    assert of_omar.status == 201


def test_an_imported_board_can_be_imported_again_after_its_deletion(mina: Client) -> None:
    board = mina.post("/imports/trello", export()).json["board"]
    mina.delete(f"/boards/{board['id']}", If_Match="*")

    assert mina.post("/imports/trello", export()).status == 201


def test_a_repeated_request_with_a_key_gets_the_first_response(mina: Client) -> None:
    first = mina.post("/imports/trello", export(), Idempotency_Key="one")
    again = mina.post("/imports/trello", export(), Idempotency_Key="one")

    assert (again.status, again.raw) == (201, first.raw)
    assert again.headers["idempotency-replayed"] == "true"


def test_a_large_board_is_imported_completely(mina: Client) -> None:
    cards = [
        {
            "id": f"5f3c2a1b{number:016x}",
            "idList": "5f3c2a1b0000000000000001",
            "name": f"Card {number}",
            "desc": "x" * 400,
        }
        for number in range(1_500)
    ]
    body = export(cards=cards)
    assert len(json.dumps(body)) > 512 * 1024

    board = mina.post("/imports/trello", body).json["board"]

    (list_,) = mina.get(f"/boards/{board['id']}/lists").json["items"]
    assert list_["card_count"] == 1_500


def test_the_flow_report_counts_cards_of_an_archived_list_until_it_was_archived(
    mina: Client, clock: ManualClock
) -> None:
    lists = [{"id": "5f3c2a1b0000000000000001", "name": "To do", "closed": True}]
    board = mina.post("/imports/trello", export(lists=lists)).json["board"]

    events = mina.get(f"/boards/{board['id']}/events?after=0").json["items"]
    day_before = (clock.now - timedelta(days=1)).date()
    flow = mina.get(f"/boards/{board['id']}/flow?from={day_before}").json["cumulative_flow"]

    assert [event["type"] for event in events][-2:] == ["list.archived", "board.imported"]
    assert flow["todo"] == [1, 0]


def test_unusable_text_is_cleaned_and_reported(mina: Client) -> None:
    nasty = export(
        name=NASTY,
        desc=NASTY,
        lists=[{"id": "5f3c2a1b0000000000000001", "name": NASTY}],
        labels=[{"id": "5f3c2a1b0000000000000003", "name": NASTY, "color": NASTY}],
        cards=[{"id": NASTY, "idList": "5f3c2a1b0000000000000001", "name": NASTY, "desc": NASTY, "due": NASTY}],
    )

    response = mina.post("/imports/trello", nasty | {"name": "Fine"})

    assert response.status == 201
    assert response.json["report"]["items"]
    assert mina.get(f"/boards/{response.json['board']['id']}/cards").status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "000000000000000000000001"},
        {"due": "0001-01-01T00:00:00Z"},
        {"start": "2999-12-31T23:59:59-05:00"},
        {"dateLastActivity": "1970-01-01T00:00:00Z"},
        {"attachments": [{"url": "http://"}, {"url": "https://" + "a" * 2_001}]},
    ],
    ids=["a board of 1970", "due in year 1", "a start in year 3000", "last active in 1970", "addresses"],
)
def test_an_odd_import_can_be_read_and_exported(mina: Client, fields: dict[str, Any]) -> None:
    odd = export(cards=[export()["cards"][0] | fields], id=fields.get("id", BOARD))

    response = mina.post("/imports/trello", odd)

    assert response.status == 201, response.raw
    board = f"/boards/{response.json['board']['id']}"
    for path in ("", "/cards", "/events?after=0", "/flow", "/export"):
        assert mina.get(f"{board}{path}").status == 200, path


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (export(lists=[]), 422, "no_lists_in_import"),
        (export(id="none"), 400, "invalid_body"),
        (export(cards="none"), 400, "invalid_body"),
        (export(cards=["none"]), 400, "invalid_body"),
        ({"name": "Not from Trello"}, 400, "invalid_body"),
        ([], 400, "invalid_body"),
    ],
)
def test_a_body_that_is_no_export_is_rejected_and_changes_nothing(
    mina: Client, body: Any, status: int, code: str
) -> None:
    response = mina.post("/imports/trello", body)

    assert (response.status, response.json["code"]) == (status, code)
    assert mina.get("/boards").json["items"] == []


def test_a_truncated_export_is_rejected(mina: Client) -> None:
    raw = json.dumps(export()).encode()[:-20]

    response = mina.request("POST", "/imports/trello", raw=raw)

    assert (response.status, response.json["code"]) == (400, "malformed_json")


def test_an_import_has_a_higher_size_limit_than_other_bodies(mina: Client) -> None:
    padded = json.dumps(export(desc="x" * (5 * 1024 * 1024))).encode()

    response = mina.request("POST", "/imports/trello", raw=padded)

    assert (response.status, response.json["detail"]) == (413, "A body has at most 5242880 bytes.")
