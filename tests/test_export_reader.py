"""Exports are read piece by piece: what is not needed is never held in memory."""

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
    """Ignore the progress."""


def test_an_export_of_trello_is_reduced_to_what_the_import_needs(tmp_path: Path) -> None:
    document = trello_export(
        desc=None,
        closed=False,
        labels=[{"id": "5f3c2a1b0000000000000003", "name": "", "color": "green_dark", "uses": 3}, "odd"],
        members=[{"id": "5f3c2a1b0000000000000004", "fullName": "Mina"}],
        prefs={"background": "blue"},
    )
    document["cards"] = [CARD | {"badges": {"votes": 1}, "pos": 7, "idLabels": ["5f3c2a1b0000000000000003"]}]

    document_read = export_reader.read_export(write_json(tmp_path / "trello.json", document), ignore_progress)

    assert document_read == {
        **{name: document[name] for name in ("id", "name", "desc", "closed", "lists")},
        "cards": [CARD | {"pos": 7, "idLabels": ["5f3c2a1b0000000000000003"]}],
        "labels": [{"id": "5f3c2a1b0000000000000003", "name": "", "color": "green_dark"}],
        "members": [],
        "prefs": {},
    }


def test_an_export_of_tackboard_is_read_completely(tmp_path: Path) -> None:
    arrays = ("members", "labels", "lists", "cards", "checklists", "comments", "time_entries")
    document = {"format": "tackboard", "version": 1, "board": {"name": "A.b", "rates": [1, 2.5, None]}, "digest": None}
    document |= {name: [{"id": f"{name}.1", "nested": [{"a": True}]}, {}] for name in arrays}

    assert export_reader.read_export(write_json(tmp_path / "board.json", document), ignore_progress) == document


def test_what_is_not_needed_does_not_fill_the_memory(tmp_path: Path) -> None:
    ballast = {"badges": {str(number): [number] * 10 for number in range(200)}}
    cards = [CARD | ballast | {"name": str(number)} for number in range(1_500)]
    path = write_json(tmp_path / "trello.json", trello_export(cards=cards, plugins=[ballast] * 1_000))
    tracemalloc.start()

    document_read = export_reader.read_export(path, ignore_progress)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [card["name"] for card in document_read["cards"]] == [str(number) for number in range(1_500)]
    assert path.stat().st_size > 20_000_000
    assert peak < 2_000_000


def test_progress_is_reported_while_reading(tmp_path: Path) -> None:
    path = write_json(tmp_path / "trello.json", trello_export(labels=[], checklists=[], actions=[]))
    size = path.stat().st_size
    reports: list[tuple[str, int, int]] = []

    export_reader.read_export(path, lambda *progress: reports.append(progress))

    assert reports[-1] == ("reading", size * len(trello_reader.READ_FIELDS), size * len(trello_reader.READ_FIELDS))
    assert ("inspecting", size, size) in reports
    assert [done for step, done, _ in reports if step == "reading"] == sorted(
        done for step, done, _ in reports if step == "reading"
    )
