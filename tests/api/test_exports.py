"""Exporting a board and importing it again."""

import copy
import csv
import io
import re
from typing import Any

import pytest

from kanban.interchange import export_document
from tests.api.client import Client
from tests.api.manual_clock import ManualClock
from tests.export_pages import join_pages


@pytest.fixture
def board(mina: Client, omar: Client, clock: ManualClock) -> str:
    """Create a board with a value of each kind, on which Omar works too, and return its path."""
    del omar
    return a_board(mina, clock, user_id="omar")


@pytest.fixture
def own_board(mina: Client, clock: ManualClock) -> str:
    """Create the same board, but with Mina as its only user."""
    return a_board(mina, clock, user_id="mina")


def a_board(mina: Client, clock: ManualClock, user_id: str) -> str:
    """Create a board of Mina on which the helper works too, and return its path."""
    created = mina.post("/boards", {"name": "Website", "hourly_rate_minor": 1000}).json["id"]
    path = f"/boards/{created}"
    if user_id != "mina":
        mina.put(f"{path}/members/{user_id}", {"role": "editor"})
    label = mina.post(f"{path}/labels", {"name": "Bug", "color": "red"}).json["id"]
    _, doing, done = (list_["id"] for list_ in mina.get(f"{path}/lists").json["items"])
    mina.patch(f"{path}/lists/{doing}", {"wip_limit": 3, "wip_enforcement": "block"}, If_Match="*")
    fields = {
        "label_ids": [label],
        "assignee_ids": sorted({"mina", user_id}),
        "external_id": "JIRA-1",
        "hourly_rate_minor": 5,
    }
    links = [{"url": "https://example.com/", "title": "A page"}]
    first = _card(mina, path, "First", **fields, links=links, due_at="2027-01-01T00:00:00Z", description="## a\nb")
    for step in ("start", "resolve", "reopen", "start"):
        clock.advance(seconds=61)
        mina.post(f"{path}/cards/{first}/{step}")
    finished = _card(mina, path, "Finished", list_id=done)
    worked = {"started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T09:00:00Z", "user_id": user_id}
    assert mina.post(f"{path}/cards/{finished}/time-entries", worked | {"note": "Zero"}).status == 201
    steps = mina.post(f"{path}/cards/{first}/checklists", {"name": "Steps"}).json["id"]
    mina.post(f"{path}/cards/{first}/checklists", {"name": "Empty"})
    mina.post(f"{path}/cards/{first}/checklists/{steps}/items", {"text": "Try it", "assignee_id": user_id})
    comment = mina.post(f"{path}/cards/{first}/comments", {"text": "Looks *good*."}).json["id"]
    clock.advance(seconds=5)
    mina.patch(f"{path}/cards/{first}/comments/{comment}", {"text": "日本 <script>"}, If_Match="*")
    for name in ("Above", "Put away", "Below"):
        card = _card(mina, path, name)
        if name == "Put away":
            mina.post(f"{path}/cards/{card}/archive")
    archived_list = mina.post(f"{path}/lists", {"name": "Shelf", "stage": "todo"}).json["id"]
    _card(mina, path, "On the shelf", list_id=archived_list)
    mina.post(f"{path}/lists/{archived_list}/archive")
    return path


def _card(client: Client, path: str, title: str, **fields: Any) -> str:
    created = client.post(f"{path}/cards", {"title": title, **fields})
    assert created.status == 201, created.raw
    card_id: str = created.json["id"]
    return card_id


def export_board(client: Client, path: str) -> dict[str, Any]:
    """Return the export of a board, with all pages joined."""
    pages = [client.get(f"{path}/export").json]
    while pages[-1]["next_cursor"]:
        response = client.get(f"{path}/export?cursor={pages[-1]['next_cursor']}")
        assert response.status == 200, response.raw
        pages.append(response.json)
    return join_pages(pages)


def test_an_export_has_everything_and_its_digest(mina: Client, board: str) -> None:
    document = export_board(mina, board)

    assert {card["title"] for card in document["cards"]} == {
        *("First", "Finished", "Above", "Put away", "Below", "On the shelf"),
    }
    assert [list_["name"] for list_ in document["lists"]] == ["To do", "Doing", "Done", "Shelf"]
    assert [checklist["name"] for checklist in document["checklists"]] == ["Steps", "Empty"]
    assert [comment["author_name"] for comment in document["comments"]] == ["Mina"]
    assert [entry["ended_at"] is None for entry in document["time_entries"]] == [False, False, True]
    assert [(member["user_id"], member["name"], member["role"]) for member in document["members"]] == [
        ("mina", "Mina", "owner"),
        ("omar", "Omar", "editor"),
    ]
    assert document["digest"] == export_document.compute_digest(document)


def test_an_export_names_its_user_and_its_installation(mina: Client, omar: Client, board: str) -> None:
    of_mina, of_omar = export_board(mina, board), export_board(omar, board)

    assert (of_mina["exported_by"], of_mina["exported_by_name"]) == ("mina", "Mina")
    assert (of_omar["exported_by"], of_omar["exported_by_name"]) == ("omar", "Omar")
    assert re.fullmatch("[0-9a-f]{32}", of_mina["exported_from"])
    assert of_omar["exported_from"] == of_mina["exported_from"]
    assert of_omar["digest"] == of_mina["digest"]
    assert of_mina["board"]["imported_by"] is None


def test_an_older_export_without_user_and_installation_can_be_imported(mina: Client, own_board: str) -> None:
    document = export_board(mina, own_board)
    for name in ("exported_by", "exported_by_name", "exported_from"):
        del document[name]
    del document["board"]["imported_by"]

    response = mina.post("/imports/tackboard", document)

    assert response.status == 201
    imported = export_board(mina, f"/boards/{response.json['board']['id']}")
    assert (imported["digest"], imported["board"]["imported_by"]) == (document["digest"], "mina")


def test_the_export_of_a_single_user_board_is_imported_unchanged(
    mina: Client, own_board: str, clock: ManualClock
) -> None:
    board = own_board
    before = export_board(mina, board)
    entries = before["time_entries"]
    clock.advance(seconds=3600)

    response = mina.post("/imports/tackboard", before)

    assert response.status == 201, response.raw
    assert response.json["report"]["items"] == []
    counts = {"lists": 4, "cards": 6, "labels": 1, "checklists": 2, "comments": 1, "time_entries": len(entries)}
    assert response.json["report"]["brought"] == counts
    imported = f"/boards/{response.json['board']['id']}"
    assert export_board(mina, imported)["digest"] == before["digest"]
    for path in ("cards", "lists", "cards?archived=true", "time-report"):
        assert _without_ids(mina.get(f"{imported}/{path}").json) == _without_ids(mina.get(f"{board}/{path}").json)
    events = mina.get(f"{imported}/events?after=0&limit=100").json["items"]
    assert [event["seq"] for event in events] == [*range(1, len(events) + 1)]
    assert (events[-1]["type"], events[-1]["data"]["source"]) == ("board.imported", "tackboard")
    assert mina.get(f"{imported}/flow").status == 200


def test_an_imported_board_can_be_changed(mina: Client, board: str) -> None:
    imported = f"/boards/{mina.post('/imports/tackboard', export_board(mina, board)).json['board']['id']}"
    running = next(card for card in mina.get(f"{imported}/cards?status=in_progress").json["items"])

    assert mina.post(f"{imported}/cards/{running['id']}/resolve").status == 200
    assert mina.post(f"{imported}/cards", {"title": "New", "position": "top"}).status == 201
    assert (
        mina.post(f"{imported}/cards", {"title": "Taken", "external_id": "JIRA-1"}).json["code"] == "external_id_taken"
    )


def _without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_ids(item) for item in value]
    if isinstance(value, dict):
        left_out = ("id", "board_id", "list_id", "card_id", "label_id", "label_ids", "next_cursor", "version")
        return {name: _without_ids(member) for name, member in value.items() if name not in left_out}
    return value


def test_importing_the_same_export_again_changes_nothing(mina: Client, board: str) -> None:
    document = export_board(mina, board)
    first = mina.post("/imports/tackboard", document)

    again = mina.post("/imports/tackboard", document)

    assert (again.status, again.json["board"]) == (200, first.json["board"])
    assert len(mina.get("/boards").json["items"]) == 2


def test_comments_and_work_of_others_are_imported_as_the_importers_with_an_attribution(
    mina: Client, board: str
) -> None:
    document = export_board(mina, board)
    document["comments"][0].update(author_id="zoe", author_name="Zoe")

    response = mina.post("/imports/tackboard", document | {"digest": None})

    imported = f"/boards/{response.json['board']['id']}"
    assert [(line["kind"], line["name"], line["message"]) for line in response.json["report"]["items"]] == [
        (
            "member",
            "Omar",
            (
                "Not imported in their own name: their membership and their assignments are left out; "
                "their time entries (1) are yours now, and their name is in the notes."
            ),
        ),
        (
            "member",
            "Zoe",
            "Not imported in their own name: their comments (1) are yours now, and begin with their name.",
        ),
    ]
    exported = export_board(mina, imported)
    assert [(comment["author_id"], comment["text"]) for comment in exported["comments"]] == [
        ("mina", "Zoe:\n\n日本 <script>")
    ]
    assert [entry["user_id"] for entry in exported["time_entries"]] == ["mina"] * 3
    assert sorted(entry["note"] for entry in exported["time_entries"]) == ["", "", "Omar:\n\nZero"]
    assert [member["user_id"] for member in exported["members"]] == ["mina"]
    assert {name for card in exported["cards"] for name in card["assignee_ids"]} == {"mina"}
    assert [item["assignee_id"] for checklist in exported["checklists"] for item in checklist["items"]] == [None]


def test_an_attribution_is_not_repeated_by_further_imports(mina: Client, omar: Client, board: str) -> None:
    document, notes = export_board(mina, board), []
    for person in (omar, mina, omar, mina):
        path = f"/boards/{person.post('/imports/tackboard', document).json['board']['id']}"
        document = export_board(person, path)
        assert [comment["text"] for comment in document["comments"]] == ["Mina:\n\n日本 <script>"]
        notes.append(sorted(entry["note"] for entry in document["time_entries"]))

    # Omar imports first. His own note is attributed to him from the second import on.
    assert notes == [["Mina:", "Mina:", "Zero"], *[["Mina:", "Mina:", "Omar:\n\nZero"]] * 3]


def test_overlapping_time_entries_are_reported_and_kept(mina: Client, board: str) -> None:
    document = export_board(mina, board) | {"digest": None}
    [closed] = [entry for entry in document["time_entries"] if entry["note"] == "Zero"]
    document["time_entries"] += [
        closed
        | {"id": f"ten_{begun:026}", "started_at": f"2026-01-05T0{begun}:00:00Z"}
        | {"ended_at": f"2026-01-05T0{ended}:00:00Z"}
        for begun, ended in ((2, 5), (3, 4), (5, 6))
    ]

    response = mina.post("/imports/tackboard", document)

    assert response.status == 201, response.raw
    [line] = [line for line in response.json["report"]["items"] if line["kind"] == "card"]
    assert (line["kind"], line["name"]) == ("card", "Finished")
    assert line["message"] == "Time entries of Mina that overlap with others: 1, kept as they were."
    assert response.json["report"]["brought"]["time_entries"] == len(document["time_entries"])


def test_the_importer_owns_the_imported_board(mina: Client, omar: Client, board: str) -> None:
    response = omar.post("/imports/tackboard", export_board(omar, board))

    assert response.json["board"]["role"] == "owner"
    assert response.json["report"]["items"][0]["kind"] == "members"
    assert mina.get(f"/boards/{response.json['board']['id']}").status == 404


def test_all_pages_of_an_export_have_the_same_state_of_the_board(mina: Client, board: str) -> None:
    for number in range(110):
        _card(mina, board, f"Card {number}")
    cursor = mina.get(f"{board}/export").json["next_cursor"]
    assert len(export_board(mina, board)["cards"]) == 116
    _card(mina, board, "Meanwhile")

    rejected = mina.get(f"{board}/export?cursor={cursor}")

    assert (rejected.status, rejected.json["code"]) == (409, "board_changed")


def test_an_export_with_many_long_comments_is_paged_without_loss(mina: Client, board: str) -> None:
    card = _card(mina, board, "Discussed")
    for number in range(130):
        mina.post(f"{board}/cards/{card}/comments", {"text": f"{number} " + "x" * 9_900})

    response = mina.get(f"{board}/export")

    assert response.json["next_cursor"]
    assert len(response.raw) < 2_000_000
    document = export_board(mina, board)
    assert len(document["comments"]) == 131
    assert document["digest"] == export_document.compute_digest(document)


def _set_value(document: dict[str, Any], *path: Any, to: Any) -> None:
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
def test_an_invalid_export_is_rejected_and_changes_nothing(
    mina: Client, board: str, path: tuple[Any, ...], to: Any, status: int, pointer: str | None
) -> None:
    document = export_board(mina, board)
    if status == 422 and path not in (("digest",), ("cards", 0, "title")):
        document["digest"] = None
    _set_value(document, *path, to=to)

    response = mina.post("/imports/tackboard", document)

    assert response.status == status, response.raw
    assert response.json["code"] == ("invalid_body" if status == 400 else "broken_export")
    assert pointer in (None, response.json["errors"][0]["pointer"])
    assert len(mina.get("/boards").json["items"]) == 1


def test_an_export_with_too_much_time_or_cost_is_rejected_and_changes_nothing(mina: Client, board: str) -> None:
    document = export_board(mina, board) | {"digest": None}
    [closed] = [entry for entry in document["time_entries"] if entry["note"] == "Zero"]
    years = {"started_at": "2000-01-01T00:00:00Z", "hourly_rate_minor": 100_000_000}
    document["time_entries"] += [closed | years | {"id": f"{closed['id'][:-3]}{number}"} for number in range(100, 220)]

    response = mina.post("/imports/tackboard", document)

    assert (response.status, response.json["code"]) == (422, "broken_export")
    assert response.json["errors"][0]["pointer"] == "/time_entries"
    assert len(mina.get("/boards").json["items"]) == 1


@pytest.mark.parametrize("kind", ["lists", "labels", "cards", "checklists", "comments", "time_entries", "members"])
def test_duplicates_in_an_export_are_rejected(mina: Client, board: str, kind: str) -> None:
    document = export_board(mina, board)
    document[kind].append(copy.deepcopy(document[kind][0]))

    response = mina.post("/imports/tackboard", document)

    assert (response.status, response.json["code"]) == (422, "broken_export")
    assert response.json["errors"][0]["pointer"].startswith(f"/{kind}/{len(document[kind]) - 1}/")


def test_an_empty_board_can_be_exported_and_imported(mina: Client) -> None:
    path = f"/boards/{mina.post('/boards', {'name': 'Empty'}).json['id']}"
    for list_ in mina.get(f"{path}/lists").json["items"]:
        assert mina.delete(f"{path}/lists/{list_['id']}", If_Match="*").status == 204

    response = mina.post("/imports/tackboard", export_board(mina, path))

    assert response.status == 201


def test_the_pages_of_cards_as_csv_form_one_table(mina: Client, board: str) -> None:
    _card(mina, board, '=HYPERLINK("x","y")')
    raw, query = b"", "limit=2"
    while query:
        response = mina.get(f"{board}/cards?{query}", Accept="text/csv")
        assert response.headers["content-type"] == "text/csv; charset=utf-8"
        raw += response.raw
        query = response.headers["link"].partition("?")[2].partition(">")[0] if "link" in response.headers else ""

    rows = list(csv.DictReader(io.StringIO(raw.decode(), newline="")))
    cards = mina.get(f"{board}/cards").json["items"]
    assert [row["id"] for row in rows] == [card["id"] for card in cards]
    first = next(row for row in rows if row["title"] == "First")
    assert (first["list"], first["labels"], first["assignees"], first["due_complete"]) == (
        "Doing",
        "Bug",
        "mina, omar",
        "false",
    )
    assert any(row["title"] == '\'=HYPERLINK("x","y")' for row in rows)
