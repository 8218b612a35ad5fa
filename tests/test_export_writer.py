"""An export that is written piece by piece is the same JSON as one that is written at once."""

import io
import json
from pathlib import Path

import pytest

from cli.export_writer import ExportWriter


@pytest.mark.parametrize("card_count", [0, 1, 3])
def test_an_export_has_the_bytes_of_json_with_an_indent_of_one(tmp_path: Path, card_count: int) -> None:
    cards = [
        {"id": str(number), "title": 'Grüße\n "日本"', "links": [{"url": "x"}], "label_ids": []}
        for number in range(card_count)
    ]
    head = {"format": "tackboard", "board": {"name": "Line\nbreak"}, "lists": []}
    tail = {"digest": "0", "next_cursor": None}
    file = io.StringIO()

    with ExportWriter(tmp_path) as writer:
        for card in cards:
            writer.add({"cards": [card], "comments": [{"text": card["id"]}]})
        writer.write(file, head, tail)

    comments = [{"text": card["id"]} for card in cards]
    arrays = {"cards": cards, "checklists": [], "comments": comments, "time_entries": []}
    assert file.getvalue() == json.dumps({**head, **arrays, **tail}, ensure_ascii=False, indent=1)
    assert not [*tmp_path.iterdir()]
