"""Reordering, sorting and moving many cards or lists in one request."""

from typing import Any

import pytest

from tests.api.client import Client
from tests.api.manual_clock import ManualClock


@pytest.fixture
def board(mina: Client) -> str:
    """Create a board of Mina and return its path."""
    return f"/boards/{mina.post('/boards', {'name': 'Website'}).json['id']}"


@pytest.fixture
def lists(mina: Client, board: str) -> list[str]:
    """Return the ids of its lists: to do, doing, done."""
    return [list_["id"] for list_ in mina.get(f"{board}/lists").json["items"]]


def add(client: Client, board: str, title: str, **fields: Any) -> str:
    card_id: str = client.post(f"{board}/cards", {"title": title, **fields}).json["id"]
    return card_id


def titles(client: Client, board: str, list_id: str) -> list[str]:
    cards = client.get(f"{board}/cards?list_id={list_id}&limit=100").json["items"]
    return [card["title"] for card in cards]


def last_event(client: Client, board: str) -> Any:
    return client.get(f"{board}/events").json["items"][-1]


def test_cards_are_reordered(mina: Client, board: str, lists: list[str]) -> None:
    one, two, three = (add(mina, board, title) for title in ("One", "Two", "Three"))
    path = f"{board}/lists/{lists[0]}/card-order"

    ordered = mina.put(path, {"card_ids": [three, one, two]})
    again = mina.put(path, {"card_ids": [three, one, two]})

    assert (ordered.status, again.status) == (200, 200)
    assert ordered.json["id"] == lists[0]
    assert titles(mina, board, lists[0]) == ["Three", "One", "Two"]
    event = last_event(mina, board)
    assert (event["seq"], event["type"], event["data"]) == (5, "list.reordered", {"card_ids": [three]})
    assert mina.post(f"{board}/cards/{two}/move", {"list_id": lists[0], "position": "top"}).status == 200
    assert titles(mina, board, lists[0]) == ["Two", "Three", "One"]


def test_a_stale_order_or_one_with_too_many_moves_is_rejected_and_changes_nothing(
    mina: Client, board: str, lists: list[str]
) -> None:
    ids = [add(mina, board, f"{number}") for number in range(92)]
    path = f"{board}/lists/{lists[0]}/card-order"
    before = mina.get(f"{board}/events?after=80").json

    stale = mina.put(path, {"card_ids": ids[1:]})
    far = mina.put(path, {"card_ids": ids[::-1]})
    twice = mina.put(path, {"card_ids": [*ids, ids[0]]})

    assert (stale.status, stale.json["code"]) == (409, "stale_order")
    assert (far.status, far.json["code"]) == (409, "too_many_moves")
    assert (twice.status, twice.json["code"]) == (400, "invalid_body")
    assert mina.put(f"{board}/lists/lst_{'0' * 26}/card-order", {"card_ids": []}).json["code"] == "list_not_found"
    assert mina.get(f"{board}/events?after=80").json == before


def test_ninety_cards_can_be_reordered_at_once(mina: Client, board: str, lists: list[str]) -> None:
    ids = [add(mina, board, f"{number}") for number in range(91)]

    ordered = mina.put(f"{board}/lists/{lists[0]}/card-order", {"card_ids": ids[::-1]})

    assert ordered.status == 200
    assert titles(mina, board, lists[0]) == [f"{number}" for number in range(90, -1, -1)]


def test_an_unarchived_card_keeps_its_position_after_a_reorder(mina: Client, board: str, lists: list[str]) -> None:
    one, two, three = (add(mina, board, title) for title in ("One", "Two", "Three"))
    mina.post(f"{board}/cards/{two}/archive")

    mina.put(f"{board}/lists/{lists[0]}/card-order", {"card_ids": [three, one]})
    mina.post(f"{board}/cards/{two}/unarchive")

    assert titles(mina, board, lists[0]) == ["Three", "One", "Two"]


def test_lists_are_reordered(mina: Client, board: str, lists: list[str]) -> None:
    todo, doing, done = lists

    ordered = mina.put(f"{board}/list-order", {"list_ids": [done, todo, doing]})
    stale = mina.put(f"{board}/list-order", {"list_ids": [done, todo]})

    assert [list_["id"] for list_ in ordered.json["items"]] == [done, todo, doing]
    assert mina.get(f"{board}/lists").json == ordered.json
    assert last_event(mina, board)["data"] == {"list_ids": [done]}
    assert (stale.status, stale.json["code"]) == (409, "stale_order")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"by": "title"}, "bdca"),
        ({"by": "title", "direction": "desc"}, "acdb"),
        ({"by": "created_at", "direction": "desc"}, "abcd"),
        ({"by": "due_at"}, "cbad"),
        ({"by": "due_at", "direction": "desc"}, "bcad"),
    ],
)
def test_sorting_happens_once(
    mina: Client, board: str, lists: list[str], clock: ManualClock, body: Any, expected: str
) -> None:
    names = {"b": "Apple", "d": "banana", "c": "Cherry", "a": "damson"}
    due = {"c": "2026-12-01T00:00:00Z", "b": "2026-12-02T00:00:00Z"}
    title_by_id = {}
    for title in "dcba":
        title_by_id[add(mina, board, names[title], **({"due_at": due[title]} if title in due else {}))] = title
        clock.advance(seconds=1)
    if body["by"] == "due_at":
        mina.put(
            f"{board}/lists/{lists[0]}/card-order",
            {"card_ids": sorted(title_by_id, key=lambda card_id: title_by_id[card_id])},
        )

    response = mina.post(f"{board}/lists/{lists[0]}/sort", body)
    again = mina.post(f"{board}/lists/{lists[0]}/sort", body)

    cards = mina.get(f"{board}/cards?list_id={lists[0]}").json["items"]
    assert "".join(title_by_id[card["id"]] for card in cards) == expected
    assert (response.status, response.json["remaining"], again.json) == (200, 0, {"moved": 0, "remaining": 0})


def test_a_long_list_is_sorted_in_several_requests(mina: Client, board: str, lists: list[str]) -> None:
    for number in range(100, 200):
        add(mina, board, f"{number}")
    path = f"{board}/lists/{lists[0]}/sort"

    steps = [mina.post(path, {"by": "title", "direction": "desc"}).json for _ in range(3)]

    assert steps == [{"moved": 90, "remaining": 9}, {"moved": 9, "remaining": 0}, {"moved": 0, "remaining": 0}]
    assert titles(mina, board, lists[0]) == [f"{number}" for number in range(199, 99, -1)]


def test_all_cards_of_a_list_are_moved_in_several_requests(
    mina: Client, board: str, lists: list[str], clock: ManualClock
) -> None:
    todo, doing, done = lists
    ids = [add(mina, board, f"{number:02}", external_id=f"x{number}") for number in range(35)]
    path = f"{board}/lists/{todo}/move-cards"

    first = mina.post(path, {"list_id": doing}, Idempotency_Key="k1")
    replayed = mina.post(path, {"list_id": doing}, Idempotency_Key="k1")
    second = mina.post(path, {"list_id": doing}, Idempotency_Key="k2")
    clock.advance(minutes=1)
    third = mina.post(f"{board}/lists/{doing}/move-cards", {"list_id": done})

    assert (first.json, replayed.raw) == ({"moved": 30, "remaining": 5}, first.raw)
    assert second.json == {"moved": 5, "remaining": 0}
    assert third.json == {"moved": 30, "remaining": 5}
    card = mina.get(f"{board}/cards/{ids[0]}").json
    assert (card["status"], card["elapsed"], card["list_id"]) == ("done", "00:01:00", done)
    assert titles(mina, board, done) == [f"{number:02}" for number in range(30)]
    event = last_event(mina, board)
    assert (event["type"], event["list_id"], len(event["data"]["card_ids"])) == ("list.cards_moved", done, 30)
    assert mina.get(f"{board}/lists/{done}").json["card_count"] == 30


@pytest.mark.parametrize(("to", "status", "code"), [(0, 422, "self_reference"), (None, 422, "unknown_reference")])
def test_cards_can_only_move_to_another_list_of_the_board(
    mina: Client, board: str, lists: list[str], to: int | None, status: int, code: str
) -> None:
    goal = "lst_" + "0" * 26 if to is None else lists[to]

    response = mina.post(f"{board}/lists/{lists[0]}/move-cards", {"list_id": goal})

    assert (response.status, response.json["code"], response.json["errors"][0]["pointer"]) == (status, code, "/list_id")


def test_no_card_moves_unless_all_fit(mina: Client, board: str, lists: list[str]) -> None:
    limited = {"name": "Review", "stage": "todo", "wip_limit": 1, "wip_enforcement": "block"}
    review = mina.post(f"{board}/lists", limited).json["id"]
    for title in ("One", "Two"):
        add(mina, board, title)

    response = mina.post(f"{board}/lists/{lists[0]}/move-cards", {"list_id": review})

    assert (response.status, response.json["code"]) == (409, "no_room")
    assert titles(mina, board, review) == []


def test_everything_that_has_an_order_is_in_it_when_sorted_by_rank(mina: Client, board: str, lists: list[str]) -> None:
    one, two, three = (add(mina, board, title) for title in ("One", "Two", "Three"))
    mina.post(f"{board}/cards/{three}/move", {"list_id": lists[0], "before": two})
    mina.post(f"{board}/lists/{lists[2]}/move", {"before": lists[1]})
    for name in ("First", "Second"):
        mina.post(f"{board}/cards/{one}/checklists", {"name": name})
    checklists = mina.get(f"{board}/cards/{one}/checklists").json["items"]
    mina.post(f"{board}/cards/{one}/checklists/{checklists[1]['id']}/move", {"position": "top"})

    for path, names in {
        f"{board}/lists": ["To do", "Done", "Doing"],
        f"{board}/cards?list_id={lists[0]}": ["One", "Three", "Two"],
        f"{board}/cards/{one}/checklists": ["Second", "First"],
    }.items():
        items = mina.get(path).json["items"]
        by_rank = sorted(items, key=lambda item: item["rank"].encode())
        assert [item.get("name") or item["title"] for item in by_rank] == names
        assert items == by_rank


def test_an_entity_tag_changes_with_the_rank_and_a_change_may_rely_on_the_version(
    mina: Client, board: str, lists: list[str]
) -> None:
    one, two = (add(mina, board, title) for title in ("One", "Two"))
    path = f"{board}/cards/{two}"
    before = mina.get(path)

    mina.put(f"{board}/lists/{lists[0]}/card-order", {"card_ids": [two, one]})
    ranks = {card: mina.get(f"{board}/cards/{card}").json["rank"] for card in (one, two)}
    after = mina.get(path, If_None_Match=str(before.etag))

    assert ranks[two] < ranks[one]
    assert (after.status == 304) == (before.json["rank"] == ranks[two])
    assert mina.patch(path, {"title": "2"}, If_Match=str(before.etag)).status == 200
