"""Filters and search of cards, and the cards that the caller is assigned to."""

import pytest

from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock


@pytest.fixture
def board(mina: Client, omar: Client) -> str:
    """Create a board of Mina with Omar as an editor and return its path."""
    assert omar.token
    return make_board(mina, "Website")


def make_board(mina: Client, name: str) -> str:
    path = f"/boards/{mina.post('/boards', {'name': name}).json['id']}"
    mina.request("PUT", f"{path}/members/omar", {"role": "editor"})
    return path


def add(mina: Client, board: str, title: str, **fields: object) -> str:
    created = mina.post(f"{board}/cards", {"title": title, **fields})
    assert created.status == 201, created.raw
    return f"{board}/cards/{created.json['id']}"


def titles(response: HttpResponse) -> list[str]:
    assert response.status == 200, response.raw
    return [card["title"] for card in response.json["items"]]


def all_titles(client: Client, path: str) -> list[str]:
    """Return the titles on all pages. A page may be empty although more follow."""
    all_titles_so_far, following = [], ""
    while True:
        page = client.get(path + following)
        all_titles_so_far += titles(page)
        cursor = page.json["next_cursor"]
        if cursor is None:
            return all_titles_so_far
        following = f"{'&' if '?' in path else '?'}cursor={cursor}"


def day(number: int) -> str:
    return f"2026-11-{number}T12:00:00Z"


def test_cards_can_be_filtered_by_label_and_by_assignee(mina: Client, omar: Client, board: str) -> None:
    label = mina.post(f"{board}/labels", {"name": "Bug", "color": "red"}).json["id"]
    add(mina, board, "Bare")
    add(mina, board, "Labelled", label_ids=[label])
    add(mina, board, "Both", label_ids=[label], assignee_ids=["mina", "omar"])

    assert titles(mina.get(f"{board}/cards?label_id={label}")) == ["Labelled", "Both"]
    assert titles(mina.get(f"{board}/cards?assignee_id=omar")) == ["Both"]
    assert titles(omar.get(f"{board}/cards?assignee_id=me&label_id={label}")) == ["Both"]
    assert titles(mina.get(f"{board}/cards?label_id=lbl_{'0' * 26}")) == []
    assert titles(mina.get(f"{board}/cards?assignee_id=nobody")) == []


def test_cards_can_be_filtered_by_due_date(mina: Client, board: str) -> None:
    add(mina, board, "Some day")
    for number in (21, 23, 25):
        add(mina, board, f"On {number}", due_at=day(number))

    assert titles(mina.get(f"{board}/cards?due_from={day(23)}")) == ["On 23", "On 25"]
    assert titles(mina.get(f"{board}/cards?due_until={day(23)}")) == ["On 21"]
    assert titles(mina.get(f"{board}/cards?due_from={day(21)}&due_until={day(25)}")) == ["On 21", "On 23"]
    assert titles(mina.get(f"{board}/cards?due_from=2026-11-23T13:00:00%2B01:00")) == ["On 23", "On 25"]
    assert titles(mina.get(f"{board}/cards?due_from={day(23)}&due_until={day(23)}")) == []


def test_a_range_that_ends_before_its_start_is_rejected(mina: Client, board: str) -> None:
    query = f"due_from={day(23)}&due_until={day(22)}"

    for rejected in (mina.get(f"{board}/cards?{query}"), mina.get(f"/cards?{query}")):
        assert (rejected.status, rejected.json["code"]) == (422, "ends_before_start")
        assert rejected.json["errors"][0]["pointer"] == "/query/due_until"


def test_a_card_is_overdue_after_its_due_date_until_it_is_done(mina: Client, board: str, clock: ManualClock) -> None:
    lists = [list_["id"] for list_ in mina.get(f"{board}/lists").json["items"]]
    add(mina, board, "Late", due_at=day(20))
    add(mina, board, "Delivered", due_at=day(20), due_complete=True)
    add(mina, board, "Done", due_at=day(20), list_id=lists[2])
    add(mina, board, "Next", due_at=day(21))
    add(mina, board, "Some day")

    assert titles(mina.get(f"{board}/cards?overdue=true")) == ["Late"]
    assert len(titles(mina.get(f"{board}/cards?overdue=false"))) == 5
    clock.advance(days=1)
    assert titles(mina.get(f"{board}/cards?overdue=true")) == ["Late", "Next"]


def test_cards_can_be_filtered_by_update_time(mina: Client, board: str, clock: ManualClock) -> None:
    old = add(mina, board, "Old")
    add(mina, board, "Older")
    clock.advance(minutes=1)
    add(mina, board, "New")
    mina.patch(old, {"title": "Old, changed"}, If_Match="*")

    listed = titles(mina.get(f"{board}/cards?updated_since=2026-11-20T14:01:00Z&sort=position"))

    assert listed == ["Old, changed", "New"]


def test_cards_can_be_sorted_by_due_date(mina: Client, board: str) -> None:
    add(mina, board, "Some day")
    for number in (23, 21, 25):
        add(mina, board, f"On {number}", due_at=day(number))

    assert all_titles(mina, f"{board}/cards?sort=due_at&limit=2") == ["On 21", "On 23", "On 25"]
    assert all_titles(mina, f"{board}/cards?sort=-due_at&limit=2") == ["On 25", "On 23", "On 21"]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("strasse", ["Straße", "Said"]),
        ("STRASSE%201", ["Straße"]),
        ("cafe", []),
        ("CAFE%CC%81", ["Said"]),
        ("%25", ["Sign"]),
        ("_", ["Sign"]),
        ("edited", []),
        ("gone", []),
    ],
)
def test_the_search_covers_title_description_and_comments(
    mina: Client, board: str, q: str, expected: list[str]
) -> None:
    add(mina, board, "Straße", description="Musterstraße 1")
    comments = f"{add(mina, board, 'Said')}/comments"
    add(mina, board, "Sign", description="100 % sure_ly")
    mina.post(comments, {"text": "We meet in the Café,\nSTRASSE 7"})
    edited = mina.post(comments, {"text": "edited"})
    mina.patch(f"{comments}/{edited.json['id']}", {"text": "other words"}, If_Match="*")
    deleted_comment = mina.post(comments, {"text": "gone"})
    mina.delete(f"{comments}/{deleted_comment.json['id']}", If_Match="*")

    assert titles(mina.get(f"{board}/cards?q={q}")) == expected


@pytest.mark.parametrize(
    "query",
    [
        "label_id=lbl_1",
        "label_id=",
        "assignee_id=ME",
        "assignee_id=x",
        "due_from=2026-11-20",
        "due_from=2026-02-30T00:00:00Z",
        "due_from=2026-11-20T12:00:00+01:00",
        "due_until=99999-01-01T00:00:00Z",
        "updated_since=yesterday",
        "overdue=1",
        "overdue=True",
        "overdue=true&overdue=true",
        "sort=due",
    ],
)
def test_invalid_filters_are_rejected(mina: Client, board: str, query: str) -> None:
    rejected = mina.get(f"{board}/cards?{query}")

    assert (rejected.status, rejected.json["code"]) == (400, "invalid_parameter")


# Assigned cards


def test_assigned_cards_come_from_all_boards(mina: Client, omar: Client) -> None:
    first, second = make_board(mina, "First"), make_board(mina, "Second")
    add(mina, first, "Old", assignee_ids=["omar"])
    add(mina, first, "Not his", assignee_ids=["mina"])
    add(mina, first, "New", assignee_ids=["omar", "mina"])
    add(mina, second, "Newer board", assignee_ids=["omar"])

    assert all_titles(omar, "/cards?limit=1") == ["Newer board", "Old", "New"]
    names = {card["title"]: card["board_name"] for card in omar.get("/cards").json["items"]}
    assert names == {"Newer board": "Second", "Old": "First", "New": "First"}


def test_assigned_cards_can_be_filtered_by_status_and_date(mina: Client, board: str) -> None:
    add(mina, board, "Late", due_at=day(19), assignee_ids=["mina"])
    add(mina, board, "Next", due_at=day(21), assignee_ids=["mina"])
    started = add(mina, board, "Started", assignee_ids=["mina"])
    mina.post(f"{started}/start")

    assert all_titles(mina, "/cards?status=in_progress") == ["Started"]
    assert all_titles(mina, "/cards?overdue=true") == ["Late"]
    assert all_titles(mina, f"/cards?due_from={day(20)}&due_until={day(22)}") == ["Next"]


def test_assigned_cards_leave_out_archived_ones_and_boards_that_the_user_left(
    mina: Client, omar: Client, board: str
) -> None:
    put_away = add(mina, board, "Put away", assignee_ids=["omar"])
    deleted = add(mina, board, "Deleted", assignee_ids=["omar"])
    add(mina, board, "There", assignee_ids=["omar"])
    mina.post(f"{put_away}/archive")
    mina.delete(deleted, If_Match="*")

    assert all_titles(omar, "/cards") == ["There"]
    mina.post(f"{board}/archive")
    assert all_titles(omar, "/cards") == []
    mina.post(f"{board}/unarchive")
    assert all_titles(omar, "/cards") == ["There"]
    omar.delete(f"{board}/members/omar")
    assert all_titles(omar, "/cards") == []


def test_assigned_cards_need_the_read_scope(mina: Client, anonymous: Client) -> None:
    writer = mina.post("/users/me/tokens", {"name": "W", "scopes": ["write"]}).json["secret"]

    assert anonymous.get("/cards").status == 401
    assert mina.with_token(writer).get("/cards").json["code"] == "scope_missing"
