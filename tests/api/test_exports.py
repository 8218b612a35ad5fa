"""Exports and what comes back from them, as a client meets it."""

import copy
import csv
import io
import re
from typing import Any

import pytest

from kanban.interchange import export_document
from tests.api.client import Client
from tests.api.manual_clock import ManualClock


@pytest.fixture
def board(mina: Client, omar: Client, clock: ManualClock) -> str:
    """A board with something of everything; its path."""
    del omar
    return a_board(mina, clock, helper="omar")


@pytest.fixture
def own_board(mina: Client, clock: ManualClock) -> str:
    """The same, but all of it is Mina's."""
    return a_board(mina, clock, helper="mina")


def a_board(mina: Client, clock: ManualClock, helper: str) -> str:
    """A board of Mina's on which that user helps; its path."""
    made = mina.post("/boards", {"name": "Website", "hourly_rate_minor": 1000}).json["id"]
    path = f"/boards/{made}"
    if helper != "mina":
        mina.put(f"{path}/members/{helper}", {"role": "editor"})
    label = mina.post(f"{path}/labels", {"name": "Bug", "color": "red"}).json["id"]
    _, doing, done = (each["id"] for each in mina.get(f"{path}/lists").json["items"])
    mina.patch(f"{path}/lists/{doing}", {"wip_limit": 3, "wip_enforcement": "block"}, If_Match="*")
    wishes = {
        "label_ids": [label],
        "assignee_ids": sorted({"mina", helper}),
        "external_id": "JIRA-1",
        "hourly_rate_minor": 5,
    }
    links = [{"url": "https://example.com/", "title": "A page"}]
    first = _card(mina, path, "First", **wishes, links=links, due_at="2027-01-01T00:00:00Z", description="## a\nb")
    for step in ("start", "resolve", "reopen", "start"):
        clock.advance(seconds=61)
        mina.post(f"{path}/cards/{first}/{step}")
    finished = _card(mina, path, "Finished", list_id=done)
    worked = {"started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T09:00:00Z", "user_id": helper}
    assert mina.post(f"{path}/cards/{finished}/time-entries", worked | {"note": "Zero"}).status == 201
    steps = mina.post(f"{path}/cards/{first}/checklists", {"name": "Steps"}).json["id"]
    mina.post(f"{path}/cards/{first}/checklists", {"name": "Empty"})
    mina.post(f"{path}/cards/{first}/checklists/{steps}/items", {"text": "Try it", "assignee_id": helper})
    comment = mina.post(f"{path}/cards/{first}/comments", {"text": "Looks *good*."}).json["id"]
    clock.advance(seconds=5)
    mina.patch(f"{path}/cards/{first}/comments/{comment}", {"text": "日本 <script>"}, If_Match="*")
    for name in ("Above", "Put away", "Below"):
        card = _card(mina, path, name)
        if name == "Put away":
            mina.post(f"{path}/cards/{card}/archive")
    shelf = mina.post(f"{path}/lists", {"name": "Shelf", "stage": "todo"}).json["id"]
    _card(mina, path, "On the shelf", list_id=shelf)
    mina.post(f"{path}/lists/{shelf}/archive")
    return path


def _card(client: Client, path: str, title: str, **wishes: Any) -> str:
    made = client.post(f"{path}/cards", {"title": title, **wishes})
    assert made.status == 201, made.raw
    card_id: str = made.json["id"]
    return card_id


def whole(client: Client, path: str) -> dict[str, Any]:
    """The export of a board, all pages joined."""
    pages = [client.get(f"{path}/export").json]
    while pages[-1]["next_cursor"]:
        answer = client.get(f"{path}/export?cursor={pages[-1]['next_cursor']}")
        assert answer.status == 200, answer.raw
        pages.append(answer.json)
    return export_document.join_pages(pages)


def test_an_export_holds_everything_and_says_its_digest(mina: Client, board: str) -> None:
    found = whole(mina, board)

    assert {each["title"] for each in found["cards"]} == {
        *("First", "Finished", "Above", "Put away", "Below", "On the shelf"),
    }
    assert [each["name"] for each in found["lists"]] == ["To do", "Doing", "Done", "Shelf"]
    assert [each["name"] for each in found["checklists"]] == ["Steps", "Empty"]
    assert [each["author_name"] for each in found["comments"]] == ["Mina"]
    assert [each["ended_at"] is None for each in found["time_entries"]] == [False, False, True]
    assert [(each["user_id"], each["name"], each["role"]) for each in found["members"]] == [
        ("mina", "Mina", "owner"),
        ("omar", "Omar", "editor"),
    ]
    assert found["digest"] == export_document.compute_digest(found)


def test_an_export_says_by_whom_and_where_it_was_made(mina: Client, omar: Client, board: str) -> None:
    of_mina, of_omar = whole(mina, board), whole(omar, board)

    assert (of_mina["exported_by"], of_mina["exported_by_name"]) == ("mina", "Mina")
    assert (of_omar["exported_by"], of_omar["exported_by_name"]) == ("omar", "Omar")
    assert re.fullmatch("[0-9a-f]{32}", of_mina["exported_from"])
    assert of_omar["exported_from"] == of_mina["exported_from"]
    assert of_omar["digest"] == of_mina["digest"]
    assert of_mina["board"]["imported_by"] is None


def test_an_export_of_before_that_says_nothing_of_the_kind_is_imported(mina: Client, own_board: str) -> None:
    document = whole(mina, own_board)
    for name in ("exported_by", "exported_by_name", "exported_from"):
        del document[name]
    del document["board"]["imported_by"]

    answer = mina.post("/imports/tackboard", document)

    assert answer.status == 201
    back = whole(mina, f"/boards/{answer.json['board']['id']}")
    assert (back["digest"], back["board"]["imported_by"]) == (document["digest"], "mina")


def test_a_board_on_which_nobody_else_works_comes_back_equal(mina: Client, own_board: str, clock: ManualClock) -> None:
    board = own_board
    before = whole(mina, board)
    entries = before["time_entries"]
    clock.advance(seconds=3600)

    answer = mina.post("/imports/tackboard", before)

    assert answer.status == 201, answer.raw
    assert answer.json["report"]["items"] == []
    brought = {"lists": 4, "cards": 6, "labels": 1, "checklists": 2, "comments": 1, "time_entries": len(entries)}
    assert answer.json["report"]["brought"] == brought
    back = f"/boards/{answer.json['board']['id']}"
    assert whole(mina, back)["digest"] == before["digest"]
    for shown in ("cards", "lists", "cards?archived=true", "time-report"):
        assert _without_ids(mina.get(f"{back}/{shown}").json) == _without_ids(mina.get(f"{board}/{shown}").json)
    events = mina.get(f"{back}/events?after=0&limit=100").json["items"]
    assert [each["seq"] for each in events] == [*range(1, len(events) + 1)]
    assert (events[-1]["type"], events[-1]["data"]["source"]) == ("board.imported", "tackboard")
    assert mina.get(f"{back}/flow").status == 200


def test_what_came_back_can_be_worked_with(mina: Client, board: str) -> None:
    back = f"/boards/{mina.post('/imports/tackboard', whole(mina, board)).json['board']['id']}"
    running = next(each for each in mina.get(f"{back}/cards?status=in_progress").json["items"])

    assert mina.post(f"{back}/cards/{running['id']}/resolve").status == 200
    assert mina.post(f"{back}/cards", {"title": "New", "position": "top"}).status == 201
    assert mina.post(f"{back}/cards", {"title": "Taken", "external_id": "JIRA-1"}).json["code"] == "external_id_taken"


def _without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_ids(each) for each in value]
    if isinstance(value, dict):
        left_out = ("id", "board_id", "list_id", "card_id", "label_id", "label_ids", "next_cursor", "version")
        return {name: _without_ids(each) for name, each in value.items() if name not in left_out}
    return value


def test_the_same_export_again_changes_nothing(mina: Client, board: str) -> None:
    document = whole(mina, board)
    first = mina.post("/imports/tackboard", document)

    again = mina.post("/imports/tackboard", document)

    assert (again.status, again.json["board"]) == (200, first.json["board"])
    assert len(mina.get("/boards").json["items"]) == 2


def test_what_others_said_and_did_becomes_the_importers_and_says_whose_it_was(mina: Client, board: str) -> None:
    document = whole(mina, board)
    document["comments"][0].update(author_id="zoe", author_name="Zoe")

    answer = mina.post("/imports/tackboard", document | {"digest": None})

    back = f"/boards/{answer.json['board']['id']}"
    assert [(line["kind"], line["name"], line["message"]) for line in answer.json["report"]["items"]] == [
        (
            "member",
            "Omar",
            (
                "Not imported in their own name: their place as a member, and what was assigned to them, is left out; "
                "their time entries (1) are yours now, and their name is in the notes."
            ),
        ),
        (
            "member",
            "Zoe",
            "Not imported in their own name: their comments (1) are yours now, and begin with their name.",
        ),
    ]
    found = whole(mina, back)
    assert [(each["author_id"], each["text"]) for each in found["comments"]] == [("mina", "Zoe:\n\n日本 <script>")]
    assert [each["user_id"] for each in found["time_entries"]] == ["mina"] * 3
    assert sorted(each["note"] for each in found["time_entries"]) == ["", "", "Omar:\n\nZero"]
    assert [each["user_id"] for each in found["members"]] == ["mina"]
    assert {name for card in found["cards"] for name in card["assignee_ids"]} == {"mina"}
    assert [item["assignee_id"] for each in found["checklists"] for item in each["items"]] == [None]


def test_what_was_signed_is_not_signed_again_on_its_way_from_one_to_the_next(
    mina: Client, omar: Client, board: str
) -> None:
    document, notes = whole(mina, board), []
    for person in (omar, mina, omar, mina):
        path = f"/boards/{person.post('/imports/tackboard', document).json['board']['id']}"
        document = whole(person, path)
        assert [each["text"] for each in document["comments"]] == ["Mina:\n\n日本 <script>"]
        notes.append(sorted(each["note"] for each in document["time_entries"]))

    # The first import is Omar's, whose own note begins with his name from the second one on.
    assert notes == [["Mina:", "Mina:", "Zero"], *[["Mina:", "Mina:", "Omar:\n\nZero"]] * 3]


def test_work_at_the_same_time_is_reported_and_kept(mina: Client, board: str) -> None:
    found = whole(mina, board) | {"digest": None}
    [closed] = [each for each in found["time_entries"] if each["note"] == "Zero"]
    found["time_entries"] += [
        closed
        | {"id": f"{closed['id'][:-1]}{begun}", "started_at": f"2026-01-05T0{begun}:00:00Z"}
        | {"ended_at": f"2026-01-05T0{ended}:00:00Z"}
        for begun, ended in ((2, 5), (3, 4), (5, 6))
    ]

    answer = mina.post("/imports/tackboard", found)

    assert answer.status == 201, answer.raw
    [line] = [each for each in answer.json["report"]["items"] if each["kind"] == "card"]
    assert (line["kind"], line["name"]) == ("card", "Finished")
    assert line["message"] == "Time entries of Mina that overlap with others: 1, kept as they were."
    assert answer.json["report"]["brought"]["time_entries"] == len(found["time_entries"])


def test_who_was_no_owner_owns_what_they_import(mina: Client, omar: Client, board: str) -> None:
    answer = omar.post("/imports/tackboard", whole(omar, board))

    assert answer.json["board"]["role"] == "owner"
    assert answer.json["report"]["items"][0]["kind"] == "members"
    assert mina.get(f"/boards/{answer.json['board']['id']}").status == 404


def test_pages_are_of_one_moment(mina: Client, board: str) -> None:
    for number in range(110):
        _card(mina, board, f"Card {number}")
    cursor = mina.get(f"{board}/export").json["next_cursor"]
    assert len(whole(mina, board)["cards"]) == 116
    _card(mina, board, "Meanwhile")

    refused = mina.get(f"{board}/export?cursor={cursor}")

    assert (refused.status, refused.json["code"]) == (409, "board_changed")


def test_many_long_comments_are_paged_and_lose_nothing(mina: Client, board: str) -> None:
    card = _card(mina, board, "Discussed")
    for number in range(130):
        mina.post(f"{board}/cards/{card}/comments", {"text": f"{number} " + "x" * 9_900})

    answer = mina.get(f"{board}/export")

    assert answer.json["next_cursor"]
    assert len(answer.raw) < 2_000_000
    document = whole(mina, board)
    assert len(document["comments"]) == 131
    assert document["digest"] == export_document.compute_digest(document)


def _changed(document: dict[str, Any], *path: Any, to: Any) -> None:
    at: Any = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to


@pytest.mark.parametrize(
    ("path", "to", "status", "pointer"),
    [
        (("format",), "trello", 400, "/format"),
        (("version",), 2, 400, "/version"),
        (("digest",), "0" * 64, 422, "/digest"),
        (("cards", 0, "title"), "Another", 422, "/digest"),
        (("next_cursor",), "abc", 422, "/next_cursor"),
        (("cards", 0, "list_id"), "lst_" + "0" * 26, 422, "/cards/0/list_id"),
        (("cards", 0, "assignee_ids"), ["nobody"], 422, "/cards/0/assignee_ids"),
        (("cards", 0, "label_ids"), ["lbl_" + "0" * 26], 422, "/cards/0/label_ids"),
        (("cards", 0, "place"), "a00", 422, "/cards/0/place"),
        (("cards", 0, "place"), "z1", 422, "/cards/0/place"),
        (("cards", 0, "place"), "y" + 25 * "z", 422, "/cards/0/place"),
        (("cards", 0, "description"), "a\x00b", 400, "/cards/0/description"),
        (("comments", 0, "card_id"), "crd_" + "0" * 26, 422, "/comments/0/card_id"),
        (("time_entries", 0, "ended_at"), "2025-01-05T09:00:00Z", 422, "/time_entries/0/ended_at"),
        (("time_entries", 0, "ended_at"), None, 422, "/time_entries/0/ended_at"),
        (("time_entries", 0, "started_at"), "2999-01-05T09:00:00Z", 422, None),
        (("checklists", 0, "items", 0, "assignee_id"), "nobody", 422, "/checklists/0/items/0/assignee_id"),
        (("cards",), "none", 400, "/cards"),
    ],
)
def test_what_is_no_sound_export_is_refused_and_leaves_nothing(
    mina: Client, board: str, path: tuple[Any, ...], to: Any, status: int, pointer: str | None
) -> None:
    document = whole(mina, board)
    if status == 422 and path not in (("digest",), ("cards", 0, "title")):
        document["digest"] = None
    _changed(document, *path, to=to)

    answer = mina.post("/imports/tackboard", document)

    assert answer.status == status, answer.raw
    assert answer.json["code"] == ("invalid_body" if status == 400 else "broken_export")
    assert pointer in (None, answer.json["errors"][0]["pointer"])
    assert len(mina.get("/boards").json["items"]) == 1


def test_work_that_no_answer_can_tell_is_refused_and_leaves_nothing(mina: Client, board: str) -> None:
    document = whole(mina, board) | {"digest": None}
    [closed] = [each for each in document["time_entries"] if each["note"] == "Zero"]
    years = {"started_at": "2000-01-01T00:00:00Z", "hourly_rate_minor": 100_000_000}
    document["time_entries"] += [closed | years | {"id": f"{closed['id'][:-3]}{number}"} for number in range(100, 220)]

    answer = mina.post("/imports/tackboard", document)

    assert (answer.status, answer.json["code"]) == (422, "broken_export")
    assert answer.json["errors"][0]["pointer"] == "/time_entries"
    assert len(mina.get("/boards").json["items"]) == 1


@pytest.mark.parametrize("kind", ["lists", "labels", "cards", "checklists", "comments", "time_entries", "members"])
def test_what_stands_twice_is_refused(mina: Client, board: str, kind: str) -> None:
    document = whole(mina, board)
    document[kind].append(copy.deepcopy(document[kind][0]))

    answer = mina.post("/imports/tackboard", document)

    assert (answer.status, answer.json["code"]) == (422, "broken_export")
    assert answer.json["errors"][0]["pointer"].startswith(f"/{kind}/{len(document[kind]) - 1}/")


def test_an_empty_board_comes_back_too(mina: Client) -> None:
    path = f"/boards/{mina.post('/boards', {'name': 'Empty'}).json['id']}"
    for each in mina.get(f"{path}/lists").json["items"]:
        assert mina.delete(f"{path}/lists/{each['id']}", If_Match="*").status == 204

    answer = mina.post("/imports/tackboard", whole(mina, path))

    assert answer.status == 201


def test_cards_come_as_a_table_whose_pages_are_one(mina: Client, board: str) -> None:
    _card(mina, board, '=HYPERLINK("x","y")')
    raw, query = b"", "limit=2"
    while query:
        answer = mina.get(f"{board}/cards?{query}", Accept="text/csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        raw += answer.raw
        query = answer.headers["link"].partition("?")[2].partition(">")[0] if "link" in answer.headers else ""

    rows = list(csv.DictReader(io.StringIO(raw.decode(), newline="")))
    shown = mina.get(f"{board}/cards").json["items"]
    assert [each["id"] for each in rows] == [each["id"] for each in shown]
    first = next(each for each in rows if each["title"] == "First")
    assert (first["list"], first["labels"], first["assignees"], first["due_complete"]) == (
        "Doing",
        "Bug",
        "mina, omar",
        "false",
    )
    assert any(each["title"] == '\'=HYPERLINK("x","y")' for each in rows)
