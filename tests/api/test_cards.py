"""Creating, moving, starting, resolving and listing cards."""

import pytest

from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock


@pytest.fixture
def board(mina: Client) -> str:
    """Create a board of Mina and return its path."""
    return f"/boards/{mina.post('/boards', {'name': 'Website', 'hourly_rate_minor': 1000}).json['id']}"


def lists(mina: Client, board: str) -> list[str]:
    return [list_["id"] for list_ in mina.get(f"{board}/lists").json["items"]]


def add(mina: Client, board: str, title: str, **fields: object) -> str:
    card_id: str = mina.post(f"{board}/cards", {"title": title, **fields}).json["id"]
    return card_id


def titles(response: HttpResponse) -> list[str]:
    return [card["title"] for card in response.json["items"]]


def test_a_new_card_goes_to_the_bottom_of_the_first_todo_list(mina: Client, board: str) -> None:
    todo, *_ = lists(mina, board)

    add(mina, board, "First")
    add(mina, board, "Second")
    add(mina, board, "Urgent", position="top")

    assert titles(mina.get(f"{board}/cards?list_id={todo}")) == ["Urgent", "First", "Second"]


def test_a_card_can_be_moved_before_and_after_others(mina: Client, board: str) -> None:
    todo, doing, _ = lists(mina, board)
    one, two, three = (add(mina, board, title) for title in ("One", "Two", "Three"))

    mina.post(f"{board}/cards/{three}/move", {"list_id": todo, "before": one})
    mina.post(f"{board}/cards/{one}/move", {"list_id": todo, "after": two})
    moved = mina.post(f"{board}/cards/{two}/move", {"list_id": doing})

    assert titles(mina.get(f"{board}/cards?list_id={todo}")) == ["Three", "One"]
    assert (moved.json["list_id"], moved.json["status"]) == (doing, "in_progress")


def test_a_card_can_not_be_started_twice(mina: Client, board: str) -> None:
    card = add(mina, board, "Write the copy")
    mina.post(f"{board}/cards/{card}/start")

    again = mina.post(f"{board}/cards/{card}/start")

    assert (again.status, again.json["code"]) == (409, "wrong_stage")
    assert again.json["detail"] == "Card 'Write the copy' is not on the todo stage: it is on in_progress."


def test_a_reopened_card_keeps_its_start_and_its_time(mina: Client, board: str, clock: ManualClock) -> None:
    card = add(mina, board, "Write the copy")
    for step in ("start", "resolve", "reopen", "start"):
        mina.post(f"{board}/cards/{card}/{step}")
        clock.advance(minutes=10)

    read = mina.get(f"{board}/cards/{card}").json

    assert read["started_at"] == "2026-11-20T14:00:00Z"
    assert read["resolved_at"] is None
    assert read["elapsed"] == "00:20:00"


def test_a_blocking_list_is_full_at_its_wip_limit(mina: Client, board: str) -> None:
    _, doing, _ = lists(mina, board)
    mina.patch(f"{board}/lists/{doing}", {"wip_limit": 1, "wip_enforcement": "block"}, If_Match='"1"')
    one, two = add(mina, board, "One"), add(mina, board, "Two")
    mina.post(f"{board}/cards/{one}/start")

    rejected = mina.post(f"{board}/cards/{two}/start")
    within = mina.post(f"{board}/cards/{one}/move", {"list_id": doing, "position": "top"})

    assert (rejected.status, rejected.json["code"]) == (409, "wip_limit_reached")
    assert rejected.json["detail"] == "List 'Doing' is full: its WIP limit is 1."
    assert within.status == 200


def test_lists_and_cards_of_another_board_are_unknown(mina: Client, board: str) -> None:
    other_board = f"/boards/{mina.post('/boards', {'name': 'Garden'}).json['id']}"
    foreign, *_ = lists(mina, other_board)
    card = add(mina, board, "Write the copy")

    created = mina.post(f"{board}/cards", {"title": "Lost", "list_id": foreign})
    moved = mina.post(f"{board}/cards/{card}/move", {"list_id": foreign})

    assert [(response.status, response.json["code"]) for response in (created, moved)] == [
        (422, "unknown_reference")
    ] * 2
    assert created.json["errors"][0]["pointer"] == "/list_id"
    assert mina.get(f"{other_board}/cards/{card}").status == 404


def test_a_card_can_not_be_its_own_neighbour(mina: Client, board: str) -> None:
    todo, *_ = lists(mina, board)
    card = add(mina, board, "Write the copy")

    rejected = mina.post(f"{board}/cards/{card}/move", {"list_id": todo, "before": card})

    assert (rejected.status, rejected.json["code"]) == (422, "self_reference")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Alpha", "Beta", "Gamma"]),
        ("?status=in_progress", ["Beta"]),
        ("?q=ALPH", ["Alpha"]),
        ("?q=needle", ["Gamma"]),
        ("?q=nothing", []),
        ("?sort=-created_at", ["Gamma", "Beta", "Alpha"]),
        ("?sort=updated_at", ["Alpha", "Gamma", "Beta"]),
        ("?limit=2", ["Alpha", "Gamma"]),
    ],
)
def test_cards_can_be_filtered_and_sorted(
    mina: Client, board: str, clock: ManualClock, query: str, expected: list[str]
) -> None:
    cards = {}
    for title in ("Alpha", "Beta", "Gamma"):
        cards[title] = add(mina, board, title, description="A Needle in a haystack" if title == "Gamma" else "")
        clock.advance(seconds=1)
    mina.post(f"{board}/cards/{cards['Beta']}/start")

    response = mina.get(f"{board}/cards{query}")

    assert titles(response) == (expected if query else ["Alpha", "Gamma", "Beta"])


def test_the_next_page_has_a_cursor_and_a_link(mina: Client, board: str) -> None:
    expected = [f"Card {number}" for number in range(7)]
    for title in expected:
        add(mina, board, title)

    path: str | None = f"{board}/cards?limit=3&sort=created_at"
    listed, links = [], []
    while path:
        page = mina.get(path)
        listed += titles(page)
        link = page.headers.get("link", "")
        links.append(link)
        assert bool(link) == (page.json["next_cursor"] is not None)
        path = link.partition(">")[0].removeprefix("</v1") or None

    assert listed == expected
    assert links[0].endswith('>; rel="next"')
    assert len(links) == 3


def test_a_cursor_is_valid_for_its_own_listing_only(mina: Client, omar: Client, board: str) -> None:
    for number in range(3):
        add(mina, board, f"Card {number}")
    cursor = mina.get(f"{board}/cards?limit=1&sort=created_at").json["next_cursor"]

    rejected = [
        mina.get(f"{board}/cards?limit=1&cursor={cursor}"),
        mina.get(f"{board}/cards?limit=1&sort=created_at&q=x&cursor={cursor}"),
        mina.get(f"{board}/cards?limit=1&sort=created_at&cursor={cursor[:-2]}AA"),
        mina.get(f"/boards?cursor={cursor}"),
        omar.get(f"/boards?cursor={cursor}"),
    ]
    next_page = mina.get(f"{board}/cards?limit=2&sort=created_at&cursor={cursor}")

    assert {(response.status, response.json["code"]) for response in rejected} == {(400, "invalid_cursor")}
    assert titles(next_page) == ["Card 1", "Card 2"]


def test_an_external_id_is_unique_on_its_board_and_free_again_after_deletion(mina: Client, board: str) -> None:
    first = mina.post(f"{board}/cards", {"title": "One", "external_id": "JIRA-1"})

    taken = mina.post(f"{board}/cards", {"title": "Two", "external_id": "JIRA-1"})
    mina.delete(f"{board}/cards/{first.json['id']}", If_Match=first.etag)
    again = mina.post(f"{board}/cards", {"title": "Two", "external_id": "JIRA-1"})

    assert (taken.status, taken.json["code"]) == (409, "external_id_taken")
    assert again.status == 201


def test_text_is_normalized(mina: Client, board: str) -> None:
    created = mina.post(f"{board}/cards", {"title": "  Cafe\u0301 👩\u200d🚀 ", "description": "  kept\n\tas sent  "})

    assert created.json["title"] == "Café 👩\u200d🚀"
    assert created.json["description"] == "  kept\n\tas sent  "
