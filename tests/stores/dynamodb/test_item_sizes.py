"""The size of a card with its entries in the local indexes: on AWS they share the 400 KB of an item.

No emulator checks that. The documentation of DynamoDB has it under "Item size for tables with Local Secondary Indexes".
"""

from datetime import UTC, datetime

import pytest

from kanban import card_size
from kanban.changes import ActionContext, build_event
from kanban.ordering import ranks
from kanban.values import Card, EventData, FieldChange, Link, TimeEntry
from stores.dynamodb.card_items import card_to_item
from stores.dynamodb.event_items import event_to_item

MAX_ITEM_BYTES = 400 * 1024
INDEX_COUNT = 3
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def count_bytes(value: dict[str, object]) -> int:
    """Return the size of an attribute in bytes, as DynamoDB counts it."""
    ((type_letter, content),) = value.items()
    match type_letter, content:
        case "M", dict():
            return 3 + sum(len(name.encode()) + 1 + count_bytes(attribute) for name, attribute in content.items())
        case "SS", list():
            return sum(len(text) for text in content)
        case "N", str():
            return len(content) // 2 + 2
        case "BOOL", _:
            return 1
    return len(str(content).encode())


def make_full_card(title: str, description: str, links: list[Link]) -> Card:
    """Return a card with those texts, and all else as large as it may be."""
    board_id, card_id, user_id = "brd_" + "x" * 26, "crd_" + "x" * 26, "u" * 64
    entry = TimeEntry(
        "ten_" + "x" * 26, board_id, card_id, user_id, NOW, None, 10**9, "𐐀" * 1000, 10**6, recorded_by=user_id
    )
    return Card(
        id=card_id,
        board_id=board_id,
        list_id="lst_" + "x" * 26,
        title=title,
        description=description,
        external_id="x" * 200,
        rank="a0" + "V" * ranks.MAX_RANK_LENGTH,
        start_at=NOW,
        due_at=NOW,
        due_complete=True,
        hourly_rate_minor=10**9,
        label_ids=tuple(f"lbl_{number:026}" for number in range(200)),
        assignee_ids=tuple(f"mem_{number:026}" for number in range(40)),
        links=tuple(links),
        comment_count=1000,
        item_count=2000,
        done_count=2000,
        started_at=NOW,
        resolved_at=NOW,
        tracked_seconds=10**12,
        tracked_cost=10**18,
        running=entry,
        version=10**6,
        created_at=NOW,
        updated_at=NOW,
        archived_at=NOW,
        deleted_at=NOW,
    )


@pytest.mark.parametrize(
    ("title", "character", "link_count"),
    [
        ("x" * 500, "x", 20),
        ("𐐀" * 500, "𐐀", 0),
        ("Ж" * 500, "Ж", 20),
        ("漢" * 500, "漢", 20),
        ("A" + "漢" * 499, "漢\nA", 20),
        ("ᾂ" * 500, "ᾂ", 0),
        ("և" * 500, "և", 0),
        ('"' * 500, '"', 20),
    ],
)
def test_the_largest_card_fits_with_all_its_index_entries(title: str, character: str, link_count: int) -> None:
    links = [Link("https://x/" + '"' * 1740, '"' * 200)] * link_count
    count = 20_000 // len(character)
    while card_size.compute_stored_bytes(title, character * count, links) > card_size.MAX_STORED_BYTES:
        links, count = (links[:-1], count) if links else (links, count - 10)
    card = make_full_card(title, character * count, links)

    item = card_to_item(card, dict.fromkeys(card.assignee_ids, "u" * 64))

    assert {"place", "recent", "due"} <= item.keys()
    assert (1 + INDEX_COUNT) * (
        sum(len(name) + count_bytes(value) for name, value in item.items()) + 100
    ) <= MAX_ITEM_BYTES


@pytest.mark.parametrize("name", ["ä" * 200, "漢" * 60, "x" * 200, '"' * 150])
def test_an_event_with_values_takes_one_write_unit(name: str) -> None:
    data: EventData = {"checklist_id": "chk_" + "x" * 26, "item_id": "itm_" + "x" * 26, "changed": ["due_at", "text"]}
    context = ActionContext("u" * 64, NOW, lambda kind: kind, "tok_" + "x" * 26, "r" * 64)
    whole: list[FieldChange] = [
        {"field": "text", "from": name, "to": name[1:]},
        {"field": "due_at", "from": None, "to": "2026-11-20T12:00:00Z"},
    ]
    event = build_event(
        context,
        "brd_" + "x" * 26,
        999_999_999_999,
        "checklist_item.converted",
        list_id="lst_" + "x" * 26,
        card_id="crd_" + "x" * 26,
        data=data,
        changes=tuple(whole),
    )

    assert count_bytes({"M": event_to_item(event)}) <= 1_024
    assert [change["field"] for change in event.changes or ()] == ["text", "due_at"]
