"""Files that were exported are read piece by piece, and what is not kept of them is never held."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

from cli import export_reader
from kanban.interchange import trello_reader

CARD = {"id": "5f3c2a1b0000000000000002", "idList": "5f3c2a1b0000000000000001", "name": "Copy", "desc": '日本 \n"q"'}


def trello_export(**fields: Any) -> dict[str, Any]:
    lists = [{"id": CARD["idList"], "name": "To do", "pos": 16384.5}]
    return {"id": "5f3c2a1b9d8e7f6a5b4c3d77", "name": "Garden", "lists": lists, "cards": [CARD], **fields}


def write_json(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def ignore_progress(*_: object) -> None:
    """Progress that nobody looks at."""


def test_of_an_export_of_trello_what_is_read_is_there_and_the_rest_is_not(tmp_path: Path) -> None:
    document = trello_export(
        desc=None,
        closed=False,
        labels=[{"id": "5f3c2a1b0000000000000003", "name": "", "color": "green_dark", "uses": 3}, "odd"],
        members=[{"id": "5f3c2a1b0000000000000004", "fullName": "Mina"}],
        prefs={"background": "blue"},
    )
    document["cards"] = [CARD | {"badges": {"votes": 1}, "pos": 7, "idLabels": ["5f3c2a1b0000000000000003"]}]

    found = export_reader.read_export(write_json(tmp_path / "trello.json", document), ignore_progress)

    assert found == {
        **{name: document[name] for name in ("id", "name", "desc", "closed", "lists")},
        "cards": [CARD | {"pos": 7, "idLabels": ["5f3c2a1b0000000000000003"]}],
        "labels": [{"id": "5f3c2a1b0000000000000003", "name": "", "color": "green_dark"}],
        "members": [],
        "prefs": {},
    }


def test_an_export_of_our_own_is_there_as_it_was_written(tmp_path: Path) -> None:
    arrays = ("members", "labels", "lists", "cards", "checklists", "comments", "time_entries")
    document = {"format": "tackboard", "version": 1, "board": {"name": "A.b", "rates": [1, 2.5, None]}, "digest": None}
    document |= {name: [{"id": f"{name}.1", "nested": [{"a": True}]}, {}] for name in arrays}

    assert export_reader.read_export(write_json(tmp_path / "board.json", document), ignore_progress) == document


def test_what_is_not_read_does_not_fill_the_memory(tmp_path: Path) -> None:
    ballast = {"badges": {str(number): [number] * 10 for number in range(200)}}
    cards = [CARD | ballast | {"name": str(number)} for number in range(1_500)]
    path = write_json(tmp_path / "trello.json", trello_export(cards=cards, plugins=[ballast] * 1_000))
    tracemalloc.start()

    found = export_reader.read_export(path, ignore_progress)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [each["name"] for each in found["cards"]] == [str(number) for number in range(1_500)]
    assert path.stat().st_size > 20_000_000
    assert peak < 2_000_000


def test_it_is_told_how_far_the_reading_is(tmp_path: Path) -> None:
    path = write_json(tmp_path / "trello.json", trello_export(labels=[], checklists=[], actions=[]))
    size = path.stat().st_size
    told: list[tuple[str, int, int]] = []

    export_reader.read_export(path, lambda *progress: told.append(progress))

    assert told[-1] == ("reading", size * len(trello_reader.READ_FIELDS), size * len(trello_reader.READ_FIELDS))
    assert ("looking", size, size) in told
    assert [done for what, done, _ in told if what == "reading"] == sorted(
        done for what, done, _ in told if what == "reading"
    )
