"""Archiving, unarchiving and restoring cards, lists and boards."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.api.client import Client, HttpResponse
from tests.api.manual_clock import ManualClock


class Board:
    """Mina's board, with shortcuts to what is on it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.path = f"/boards/{client.post('/boards', {'name': 'Website'}).json['id']}"
        self.todo, self.doing, self.done = (f"{self.path}/lists/{list_['id']}" for list_ in self.lists())

    def lists(self, query: str = "") -> Sequence[dict[str, Any]]:
        """Return the lists of the board."""
        lists: list[dict[str, Any]] = self.client.get(f"{self.path}/lists{query}").json["items"]
        return lists

    def names(self, query: str = "") -> list[str]:
        """Return the names of the lists."""
        return [list_["name"] for list_ in self.lists(query)]

    def titles(self, query: str = "") -> list[str]:
        """Return the titles of the cards."""
        return [card["title"] for card in self.client.get(f"{self.path}/cards{query}").json["items"]]

    def add(self, title: str, list_path: str | None = None, **fields: Any) -> str:
        """Create a card in a list, by default the first one, and return its path."""
        list_field = {"list_id": list_path.rpartition("/")[2]} if list_path else {}
        created = self.client.post(f"{self.path}/cards", {"title": title, **list_field, **fields})
        return f"{self.path}/cards/{created.json['id']}"

    def delete(self, path: str) -> HttpResponse:
        """Delete the resource at a path, whatever its version."""
        return self.client.delete(path, If_Match="*")

    def do(self, path: str, step: str) -> HttpResponse:
        """Send a command: archive, unarchive, restore, start, resolve or reopen."""
        return self.client.post(f"{path}/{step}")

    def count(self, list_path: str) -> int:
        """Return the card count of a list."""
        number: int = self.client.get(list_path).json["card_count"]
        return number

    def last_event(self) -> dict[str, Any]:
        """Return the last event of the board."""
        seq = self.client.get(self.path).json["seq"]
        event: dict[str, Any] = self.client.get(f"{self.path}/events?after={seq - 1}").json["items"][0]
        return event


@pytest.fixture
def board(mina: Client) -> Board:
    return Board(mina)


# Cards


def test_an_archived_card_is_hidden_and_unarchived_at_its_old_position(board: Board, clock: ManualClock) -> None:
    board.add("First")
    card = board.add("Second")
    board.add("Third")

    archived = board.do(card, "archive")
    while_archived = board.titles(), board.titles("?archived=true"), board.count(board.todo)
    event = board.last_event()
    unarchived = board.do(card, "unarchive")

    assert archived.json["archived_at"] == f"{clock.now:%Y-%m-%dT%H:%M:%SZ}"
    assert [tag.partition(".")[0] for tag in (archived.etag, unarchived.etag)] == ['"2', '"3']
    assert while_archived == (["First", "Third"], ["Second"], 2)
    assert (event["type"], event["data"]) == (
        "card.archived",
        {"title": "Second", "stage": "todo", "archived_at": archived.json["archived_at"]},
    )
    assert unarchived.json["archived_at"] is None
    assert (board.titles(), board.titles("?archived=true")) == (["First", "Second", "Third"], [])
    assert board.last_event()["type"] == "card.unarchived"


def test_archiving_twice_changes_nothing(board: Board) -> None:
    card = board.add("Copy")

    first, second = board.do(card, "archive"), board.do(card, "archive")

    assert (second.raw, second.etag) == (first.raw, first.etag)
    assert board.client.get(board.path).json["seq"] == 3


def test_a_repeated_request_with_a_key_gets_the_first_response(board: Board) -> None:
    card = board.add("Copy")

    first = board.client.post(f"{card}/archive", Idempotency_Key="k1")
    board.do(card, "unarchive")
    again = board.client.post(f"{card}/archive", Idempotency_Key="k1")

    assert (again.raw, again.headers["idempotency-replayed"]) == (first.raw, "true")
    assert board.titles() == ["Copy"]


def test_an_archived_card_can_be_read_and_updated_but_not_moved(board: Board) -> None:
    card = board.add("Copy")
    archived = board.do(card, "archive")

    renamed = board.client.patch(card, {"title": "Text"}, If_Match=archived.etag)
    rejected = [board.do(card, step) for step in ("start", "resolve", "reopen")]
    rejected.append(board.client.post(f"{card}/move", {"list_id": board.done.rpartition("/")[2]}))

    assert (renamed.status, board.client.get(card).json["title"]) == (200, "Text")
    assert [(response.status, response.json["code"]) for response in rejected] == [(409, "card_archived")] * 4
    assert rejected[0].json["detail"] == "Card 'Text' is archived: unarchive it first."


def test_an_archived_card_frees_its_wip_slot_and_returns_only_into_a_free_one(board: Board) -> None:
    board.client.patch(board.doing, {"wip_limit": 1, "wip_enforcement": "block"}, If_Match="*")
    first = board.add("First", board.doing)
    board.do(first, "archive")
    board.add("Second", board.doing)

    rejected = board.do(first, "unarchive")

    assert (rejected.status, rejected.json["code"]) == (409, "wip_limit_reached")
    assert board.titles() == ["Second"]


def test_archiving_a_card_stops_its_clock_and_unarchiving_restarts_it(board: Board, clock: ManualClock) -> None:
    card = board.add("Copy", board.doing)

    clock.advance(minutes=10)
    board.do(card, "archive")
    clock.advance(minutes=60)
    board.do(card, "unarchive")
    clock.advance(minutes=5)

    assert board.client.get(card).json["elapsed"] == "00:15:00"
    assert len(board.client.get(f"{card}/time").json["items"]) == 2


def test_a_deleted_card_can_be_restored_at_its_position_within_thirty_days(board: Board, clock: ManualClock) -> None:
    card = board.add("First", external_id="JIRA-1", label_ids=[])
    board.add("Second")
    board.delete(card)

    listed = board.titles("?deleted=true"), board.titles("?deleted=true&archived=true"), board.titles()
    clock.advance(minutes=30 * 24 * 60)
    restored = board.do(card, "restore")

    assert listed == (["First"], ["First"], ["Second"])
    assert (restored.status, restored.json["external_id"]) == (200, "JIRA-1")
    assert board.titles() == ["First", "Second"]
    assert (board.count(board.todo), board.titles("?deleted=true")) == (2, [])
    assert board.last_event()["type"] == "card.restored"
    assert board.do(card, "restore").raw == restored.raw


def test_a_deleted_card_can_not_be_restored_after_thirty_days(board: Board, clock: ManualClock) -> None:
    card = board.add("Copy")
    board.delete(card)

    clock.advance(minutes=30 * 24 * 60 + 1)
    late = board.do(card, "restore")

    assert (late.status, late.json["code"]) == (404, "card_not_found")


def test_a_card_is_not_restored_without_its_list_or_with_a_taken_external_id(board: Board) -> None:
    card = board.add("Copy", external_id="JIRA-1")
    board.delete(card)
    board.add("Text", board.done, external_id="JIRA-1")

    taken = board.do(card, "restore")
    board.do(board.todo, "archive")
    archived = board.do(card, "restore")
    board.delete(board.todo)
    deleted = board.do(card, "restore")

    rejected = [(response.status, response.json["code"]) for response in (taken, archived, deleted)]
    assert rejected == [(409, "external_id_taken"), (409, "list_archived"), (409, "list_deleted")]


def test_restoring_an_unknown_card_is_a_404(board: Board) -> None:
    assert board.do(f"{board.path}/cards/crd_{'0' * 26}", "restore").json["code"] == "card_not_found"
    assert board.do(f"{board.path}/lists/lst_{'0' * 26}", "restore").json["code"] == "list_not_found"
    assert board.do(f"/boards/brd_{'0' * 26}", "restore").json["code"] == "board_not_found"


# Lists


def test_an_archived_list_is_hidden_with_its_cards_and_can_be_unarchived(board: Board) -> None:
    card = board.add("Copy")

    archived = board.do(board.todo, "archive")
    while_archived = board.names(), board.names("?archived=true"), board.titles()
    inside = board.titles(f"?list_id={board.todo.rpartition('/')[2]}")
    unarchived = board.do(board.todo, "unarchive")

    assert (archived.status, archived.json["card_count"]) == (200, 1)
    assert while_archived == (["Doing", "Done"], ["To do"], [])
    assert inside == ["Copy"]
    assert board.client.get(card).status == 200
    assert unarchived.json["archived_at"] is None
    assert (board.names(), board.titles()) == (["To do", "Doing", "Done"], ["Copy"])
    assert board.last_event()["data"] == {"card_count": 1, "name": "To do", "stage": "todo"}


def test_no_card_enters_an_archived_list_but_cards_may_leave_it(board: Board) -> None:
    card, other = board.add("Copy"), board.add("Text")
    todo = board.todo.rpartition("/")[2]
    board.do(board.todo, "archive")

    created = board.client.post(f"{board.path}/cards", {"title": "New", "list_id": todo})
    first = board.client.post(f"{board.path}/cards", {"title": "New"})
    within = board.client.post(f"{card}/move", {"list_id": todo, "position": "bottom"})
    started = board.do(card, "start")
    moved_back = board.client.post(f"{card}/move", {"list_id": todo})

    assert (created.status, created.json["code"]) == (409, "list_archived")
    assert (first.status, first.json["code"]) == (409, "no_list_of_stage")
    assert (within.status, within.json["code"]) == (409, "list_archived")
    assert (started.status, started.json["status"]) == (200, "in_progress")
    assert (moved_back.status, moved_back.json["code"]) == (409, "list_archived")
    assert board.client.get(other).json["status"] == "todo"


def test_archiving_a_list_stops_the_clocks_of_its_cards(board: Board, clock: ManualClock) -> None:
    running, paused = board.add("Copy", board.doing), board.add("Text", board.doing)
    board.do(paused, "archive")

    clock.advance(minutes=10)
    board.do(board.doing, "archive")
    clock.advance(minutes=60)
    board.do(board.doing, "unarchive")
    clock.advance(minutes=5)

    assert board.client.get(running).json["elapsed"] == "00:10:00"
    assert board.client.get(paused).json["elapsed"] == "00:00:00"
    assert board.do(running, "resolve").json["elapsed"] == "00:10:00"


def test_a_list_with_too_many_running_clocks_can_not_be_archived(board: Board) -> None:
    cards = [board.add(f"Card {number}", board.doing) for number in range(31)]

    rejected = board.do(board.doing, "archive")
    rejected_board = board.do(board.path, "archive")
    board.do(cards[0], "archive")
    archived = board.do(board.doing, "archive")

    assert (rejected.status, rejected.json["code"]) == (409, "too_many_running")
    assert (rejected_board.status, rejected_board.json["code"]) == (409, "too_many_running")
    assert archived.status == 200
    assert all(not board.client.get(card).json["resolved_at"] for card in cards)


def test_a_restored_list_is_the_last_one_and_has_its_cards(board: Board, clock: ManualClock) -> None:
    card = board.add("Copy", board.doing)
    clock.advance(minutes=10)
    board.delete(board.doing)

    clock.advance(minutes=30 * 24 * 60)
    restored = board.do(board.doing, "restore")

    assert (restored.status, restored.json["card_count"]) == (200, 1)
    assert board.names() == ["To do", "Done", "Doing"]
    assert board.client.get(card).json["elapsed"] == "00:10:00"
    assert board.last_event()["type"] == "list.restored"
    assert board.do(board.doing, "restore").raw == restored.raw


def test_deleting_a_list_with_too_many_running_clocks_leaves_them_running(board: Board, clock: ManualClock) -> None:
    cards = [board.add(f"Card {number}", board.doing) for number in range(31)]
    board.delete(board.doing)

    clock.advance(minutes=60)
    board.do(board.doing, "restore")

    assert {board.client.get(card).json["elapsed"] for card in cards} == {"01:00:00"}


def test_a_list_is_not_restored_after_thirty_days_or_in_conflict_with_the_board(
    board: Board, clock: ManualClock
) -> None:
    board.client.patch(board.done, {"external_id": "three"}, If_Match="*")
    board.delete(board.done)
    board.client.patch(board.todo, {"external_id": "three"}, If_Match="*")

    taken = board.do(board.done, "restore")
    board.client.patch(board.todo, {"external_id": None}, If_Match="*")
    clock.advance(minutes=30 * 24 * 60 + 1)
    late = board.do(board.done, "restore")

    assert (taken.status, taken.json["code"]) == (409, "external_id_taken")
    assert (late.status, late.json["code"]) == (404, "list_not_found")


def test_a_card_restored_with_its_list_loses_an_external_id_that_is_taken(board: Board) -> None:
    kept, lost = board.add("Copy", external_id="JIRA-1"), board.add("Text", external_id="JIRA-2")
    board.delete(board.todo)
    other = board.add("Other", board.done, external_id="JIRA-2")

    restored = board.do(board.todo, "restore")

    assert restored.status == 200
    external_ids = [board.client.get(card).json["external_id"] for card in (kept, lost, other)]
    assert external_ids == ["JIRA-1", None, "JIRA-2"]


# Boards


def test_an_archived_board_is_listed_separately_and_still_works(mina: Client, board: Board, clock: ManualClock) -> None:
    card = board.add("Copy", board.doing)
    other = mina.post("/boards", {"name": "Garden"}).json["id"]

    clock.advance(minutes=10)
    archived = board.do(board.path, "archive")
    clock.advance(minutes=60)
    listed = mina.get("/boards").json["items"], mina.get("/boards?archived=true").json["items"]

    assert [[board["id"] for board in boards] for boards in listed] == [[other], [archived.json["id"]]]
    assert archived.json["archived_at"]
    assert board.client.get(card).json["elapsed"] == "00:10:00"
    assert board.do(card, "resolve").status == 200
    unarchived = board.do(board.path, "unarchive")
    assert (unarchived.status, unarchived.json["archived_at"]) == (200, None)
    assert len(mina.get("/boards?archived=false").json["items"]) == 2
    assert mina.get("/boards?archived=true").json["items"] == []


def test_a_restored_board_has_everything_that_was_on_it(
    mina: Client, omar: Client, board: Board, clock: ManualClock
) -> None:
    card = board.add("Copy", board.doing)
    mina.put(f"{board.path}/members/omar", {"role": "editor"})
    clock.advance(minutes=10)
    board.delete(board.path)

    clock.advance(minutes=30 * 24 * 60)
    rejected = omar.post(f"{board.path}/restore")
    hidden = board.do(card, "restore")
    restored = board.do(board.path, "restore")

    assert (rejected.status, rejected.json["code"]) == (403, "role_too_low")
    assert (hidden.status, hidden.json["code"]) == (404, "board_not_found")
    assert (restored.status, restored.json["role"]) == (200, "owner")
    assert board.titles() == ["Copy"]
    assert omar.get(card).json["elapsed"] == "00:10:00"
    assert board.last_event()["type"] == "board.restored"
    assert [event["seq"] for event in mina.get(f"{board.path}/events").json["items"]] == [1, 2, 3, 4, 5]
    assert board.do(board.path, "restore").raw == restored.raw


def test_a_deleted_board_is_not_restored_after_thirty_days_or_by_a_stranger(
    omar: Client, board: Board, clock: ManualClock
) -> None:
    board.delete(board.path)

    rejected = omar.post(f"{board.path}/restore")
    clock.advance(minutes=30 * 24 * 60 + 1)
    late = board.do(board.path, "restore")

    assert (rejected.status, rejected.json["code"]) == (404, "board_not_found")
    assert (late.status, late.json["code"]) == (404, "board_not_found")


@pytest.mark.parametrize(
    "query", ["archived=1", "archived=", "archived=True", "archived=true&archived=true", "shelf=a"]
)
def test_contradictory_or_invalid_filters_are_rejected(board: Board, query: str) -> None:
    for path in ("/boards", f"{board.path}/lists", f"{board.path}/cards"):
        assert board.client.get(f"{path}?{query}").status == 400


# Embedding


def test_an_embedded_board_has_only_active_lists_and_cards(board: Board) -> None:
    board.add("Copy")
    board.do(board.add("Text"), "archive")
    board.do(board.done, "archive")
    label = board.client.post(f"{board.path}/labels", {"name": "Bug", "color": "red"}).json

    embedded = board.client.get(f"{board.path}?embed=lists,cards,labels,members")

    assert [list_["name"] for list_ in embedded.json["lists"]] == ["To do", "Doing"]
    assert [card["title"] for card in embedded.json["cards"]["items"]] == ["Copy"]
    assert embedded.json["labels"] == [label]
    assert [(member["user_id"], member["name"]) for member in embedded.json["members"]] == [("mina", "Mina")]


def test_the_tag_of_a_board_with_members_changes_when_one_is_renamed(board: Board, clock: ManualClock) -> None:
    path = f"{board.path}?embed=cards,members"
    board.add("Copy", board.doing)
    first = board.client.get(path)

    repeated = board.client.get(path, If_None_Match=first.etag)
    board.client.patch("/users/me", {"name": "Mina Okafor"}, If_Match="*")
    renamed = board.client.get(path, If_None_Match=first.etag)
    unchanged = board.client.get(path, If_None_Match=renamed.etag)
    clock.advance(seconds=1)
    running = board.client.get(path, If_None_Match=renamed.etag)

    assert [response.status for response in (repeated, renamed, unchanged, running)] == [304, 200, 304, 200]
    assert renamed.json["members"][0]["name"] == "Mina Okafor"


def test_a_clock_stopped_by_archiving_its_list_can_be_restarted(board: Board) -> None:
    card = board.add("Copy", board.doing)
    running = board.client.get(card).json["running_since"]
    board.do(board.doing, "archive")
    rejected = board.client.post(f"{card}/start")
    board.do(board.doing, "unarchive")
    stopped = board.client.get(card).json

    started = board.client.post(f"{card}/start")

    assert (running is None, rejected.status, rejected.json["code"]) == (False, 409, "list_archived")
    assert (stopped["status"], stopped["running_since"]) == ("in_progress", None)
    assert (started.status, started.json["status"]) == (200, "in_progress")
    assert started.json["running_since"]
    assert started.json["version"] == stopped["version"] + 1
    assert board.last_event()["type"] == "card.clock_started"
    assert board.client.post(f"{card}/start").json["code"] == "wrong_stage"


def test_a_list_with_archived_cards_can_not_change_its_stage(board: Board) -> None:
    card = board.add("Copy", board.todo)
    board.do(card, "archive")

    rejected = board.client.patch(board.todo, {"stage": "done"}, If_Match="*")
    renamed = board.client.patch(board.todo, {"name": "Later", "stage": "todo"}, If_Match="*")

    assert (rejected.status, rejected.json["code"]) == (409, "list_not_empty")
    assert rejected.json["detail"] == "List 'To do' holds archived cards: its stage can change only while it is empty."
    assert renamed.status == 200


def test_all_running_clocks_are_counted_over_several_pages_of_cards(board: Board) -> None:
    # More text than fits into one page of cards.
    cards = [board.add(str(number), board.doing, description="漢" * 20_000) for number in range(22)]
    for card in cards[:-1]:
        (entry,) = board.client.get(f"{card}/time").json["items"]
        board.client.delete(f"{card}/time-entries/{entry['id']}", If_Match="*")

    archived = board.do(board.doing, "archive")

    assert archived.status == 200
    assert board.client.get(cards[-1]).json["running_since"] is None
