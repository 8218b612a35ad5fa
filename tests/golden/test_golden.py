"""What each release wrote is read, continued and changed by this build."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from app.factory import create_app
from cli import main
from stores import open_store
from tests.api.client import Client
from tests.engines.dynamodb_server import create_table_url
from tests.golden.conftest import MOVED, RELEASES, Copy, Release
from tests.golden.maker import Scenario
from tests.golden.table_items import Item, read_items

ROOT = Path(__file__).parents[2]

KINDS = {
    *("B E$", "B E#", "B C#", "B P#K", "B P#M", "B P#T", "B L#", "B X#"),
    *("U U", "U K#", "U B#", "U A#", "U X#", "U I#", "T T", "D #", "S owner", "S secret"),
}
"""Every kind of item that stays in a table of version 1.0.0: partition and sort key, without ids."""

LATER_KINDS = {
    "1.3.0": {
        *("A aud_", "B J#", "B R#", "B W#", "G G", "J J", "J J#", "R brd_"),
        *("U G#", "U J#", "U Y#", "U usr", "Y delete_user#"),
    },
}
"""The kinds of items that each later version added."""


def test_every_released_contract_has_golden_data() -> None:
    assert [file.stem for file in sorted((ROOT / "spec" / "released").glob("*.json"))] == RELEASES


def test_the_items_are_of_every_kind(release: Release) -> None:
    items = json.loads((release.folder / "items.json").read_text())

    assert {_kind(item) for item in items} == _list_kinds(release.version)


def test_the_next_release_makes_every_kind_of_item(dynoxide: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    url = create_table_url(dynoxide)
    with closing(Scenario(url).store):
        items = read_items(dynoxide, url.partition("//")[2].partition("?")[0])

    assert {_kind(item) for item in items} == _list_kinds("99.0.0")


def test_whatever_a_release_answered_is_answered_the_same(shared_copy: Copy) -> None:
    client = shared_copy.client()

    different = [
        f"{read['path']}: {location}"
        for read in shared_copy.release.answers["reads"]
        for location in _find_differences(read["answer"], client.get(read["path"]).json)
    ]

    assert different == []


def test_each_cursor_leads_to_the_page_that_the_release_found_there(shared_copy: Copy) -> None:
    client = shared_copy.client()
    pages = shared_copy.release.pages["dynamodb" if shared_copy.engine in ("table", "table in a file") else "sqlite"]

    different = []
    for page in pages:
        path = f"{page['path']}{'&' if '?' in page['path'] else '?'}cursor={page['cursor']}"
        answer = page["answer"]
        if shared_copy.engine in MOVED:
            # One engine may know that a page is the last where another says so with the next one.
            answer = {name: value for name, value in answer.items() if name != "next_cursor"}
        different += [f"{path}: {location}" for location in _find_differences(answer, client.get(path).json)]

    assert different == []


def test_a_request_of_the_release_is_replayed(shared_copy: Copy) -> None:
    for replay in shared_copy.release.answers["replays"]:
        client = shared_copy.client(replay["as"])
        answer = client.request("POST", replay["path"], replay["body"], headers={"Idempotency-Key": replay["key"]})

        assert answer.headers["idempotency-replayed"] == "true"
        assert answer.json == replay["answer"]


def test_a_board_is_exported_with_the_digest_of_the_release(shared_copy: Copy) -> None:
    exported = _export(shared_copy.client(), shared_copy.release.answers["board_path"])

    assert exported["digest"] == json.loads((shared_copy.release.folder / "export.json").read_text())["digest"]


def test_an_export_becomes_an_equal_board_by_the_command(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = release.folder / "export.json"
    monkeypatch.setenv("STORE_URL", f"sqlite:///{tmp_path}/store.db")
    _add_users(f"sqlite:///{tmp_path}/store.db")

    assert main.main(["import", str(file)]) == 0
    board_id = re.search(r"brd_\w+", capsys.readouterr().out)
    assert board_id
    assert main.main(["export", board_id.group(), str(tmp_path / "again.json")]) == 0

    assert capsys.readouterr().out.strip() == json.loads(file.read_text())["digest"]


def test_an_export_is_imported_by_a_request(own_copy: Copy) -> None:
    export = json.loads((own_copy.release.folder / "export.json").read_text())

    answer = own_copy.client("omar").post("/imports/tackboard", export)

    assert answer.status == 201
    imported_counts = answer.json["report"]["brought"]
    for kind in ("lists", "cards", "labels", "checklists", "comments"):
        assert imported_counts[kind] == len(export[kind]), kind


def test_a_board_of_a_release_can_be_changed(own_copy: Copy) -> None:
    mina, omar = own_copy.client(), own_copy.client("omar")
    board = own_copy.release.answers["board_path"]
    before = mina.get(board).json["seq"]
    lists = {list_["name"]: list_["id"] for list_ in mina.get(f"{board}/lists").json["items"]}
    card, *others = (card["id"] for card in mina.get(f"{board}/cards?list_id={lists['To do']}").json["items"])
    running = mina.get(f"{board}/cards?list_id={lists['Doing']}").json["items"][0]["id"]
    archived = mina.get(f"{board}/cards?archived=true").json["items"][0]["id"]
    deleted = mina.get(f"{board}/cards?deleted=true").json["items"][0]["id"]
    archived_list = mina.get(f"{board}/lists?archived=true").json["items"][0]["id"]
    label = mina.get(f"{board}/labels").json["items"][0]["id"]

    answers = [
        mina.post(f"{board}/cards", {"title": "New", "external_id": "JIRA-2", "label_ids": [label]}),
        mina.patch(f"{board}/cards/{card}", {"title": "Changed", "due_at": None}, if_match="*"),
        omar.post(f"{board}/cards/{card}/move", {"list_id": lists["To do"], "after": others[0]}),
        omar.post(f"{board}/cards/{card}/comments", {"text": "New"}),
        omar.put(f"{board}/cards/{card}/assignees/omar"),
        mina.post(f"{board}/cards/{running}/resolve"),
        mina.post(f"{board}/cards/{others[0]}/start"),
        mina.post(f"{board}/cards/{archived}/unarchive"),
        mina.post(f"{board}/cards/{deleted}/restore"),
        mina.post(f"{board}/lists/{archived_list}/unarchive"),
        mina.post(f"{board}/lists/{lists['To do']}/sort", {"by": "created_at"}),
        mina.delete(f"{board}/cards/{others[1]}", if_match="*"),
        mina.delete(f"{board}/members/omar"),
    ]

    assert [answer.status for answer in answers if answer.status >= 300] == []
    events = mina.get(f"{board}/events?after={before}&limit=100").json["items"]
    assert [event["seq"] for event in events] == list(range(before + 1, mina.get(board).json["seq"] + 1))
    assert len(events) >= len(answers)
    assert omar.get(board).status == 404
    taken = mina.post(f"{board}/cards", {"title": "Again", "external_id": "JIRA-1"})
    assert (taken.status, taken.json["code"]) == (409, "external_id_taken")
    exported = _export(mina, board)
    assert {exported["digest"]} != {json.loads((own_copy.release.folder / "export.json").read_text())["digest"]}
    assert mina.post("/imports/tackboard", exported).status == 201


def _list_kinds(version: str) -> set[str]:
    """Return the kinds of items that a version writes."""
    later = (kinds for since, kinds in LATER_KINDS.items() if _parse_version(since) <= _parse_version(version))
    return KINDS.union(*later)


def _parse_version(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _kind(item: Item) -> str:
    """Return the partition and the sort key of an item without ids; for the entry of a user in the listing `U usr`."""
    partition, sort_key = item["pk"]["S"], item["sk"]["S"]
    if partition == "U":
        return "U usr"
    if partition in ("A", "R"):
        return f"{partition} {sort_key[:4]}"
    return f"{partition[0]} {_kind_of_sort_key(sort_key)}"


def _kind_of_sort_key(sort_key: str) -> str:
    if sort_key.startswith("P#"):
        return f"P#{sort_key.split('#')[2][0]}"
    if "#" not in sort_key:
        return sort_key
    return sort_key[: 1 + sort_key.index("#")] if sort_key[0].isalpha() else "#"


def _find_differences(expected: Any, actual: Any, at: str = "") -> Iterator[str]:
    """Find what a client of that release would miss: new properties are none of it, nor are cursors."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            if name != "next_cursor" or value is None:
                yield from _find_differences(value, actual.get(name, "missing"), f"{at}/{name}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from _find_differences(one, other, f"{at}/{number}")
    elif expected != actual:
        yield f"{at} was {str(expected)[:200]!r} and is {str(actual)[:200]!r}"


def _export(client: Client, board: str) -> dict[str, Any]:
    """Return the whole export of a board."""
    pages = [client.get(f"{board}/export").json]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(client.get(f"{board}/export?cursor={quote(cursor)}").json)
    arrays = {
        name: [thing for page in pages for thing in page[name]]
        for name, value in pages[0].items()
        if isinstance(value, list)
    }
    return {**pages[0], **arrays, "digest": pages[-1]["digest"], "next_cursor": None}


def _add_users(url: str) -> None:
    """Make the users of the release in a new store, so that the operator's import finds them; Mina is the owner."""
    with closing(open_store(url)) as store:
        client = Client(create_app(store, open_signup=True))
        for name in ("mina", "omar"):
            assert client.post("/users", {"id": name, "name": name.title()}).status == 201
