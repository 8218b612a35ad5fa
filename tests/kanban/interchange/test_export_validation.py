"""What an export must keep so that it can become a board."""

from collections.abc import Callable
from typing import Any

import pytest

from kanban import card_size
from kanban.interchange import export_validation
from kanban.interchange.export_document import compute_digest
from kanban.interchange.export_validation import MAX_TOTAL_COST_MINOR, MAX_TOTAL_SECONDS, BrokenExport
from kanban.limits import MAX_CARDS_PER_LIST, MAX_CHECKLISTS_PER_CARD, MAX_COMMENTS_PER_CARD
from kanban.values import Link
from tests.kanban.interchange.export_documents import (
    DONE,
    TIMES,
    TODO,
    JsonObject,
    build_card,
    build_comment,
    build_document,
    build_entry,
    build_list,
    build_member,
)


def build_label(number: int = 1, **fields: Any) -> JsonObject:
    """Build a label."""
    return {"id": f"label{number}", "name": f"Label {number}", "color": "red", **TIMES, **fields}


def build_item(**fields: Any) -> JsonObject:
    """Build an unassigned item of a checklist."""
    return {"text": "Ask", "done": False, "assignee_id": None, "due_at": None, **TIMES, **fields}


def build_checklist(number: int = 1, *items: JsonObject, **fields: Any) -> JsonObject:
    """Build a checklist on the first card."""
    return {"id": f"checklist{number}", "card_id": "card1", "name": "Steps", "items": list(items), **TIMES, **fields}


def find_fault(**fields: Any) -> tuple[str | None, str] | None:
    """Return where such an export is broken, and why; None if it is whole."""
    try:
        export_validation.validate_export(build_document(**fields))
    except BrokenExport as error:
        return error.field, error.message
    return None


def test_an_export_with_one_of_each_thing_is_whole() -> None:
    card = build_card(TODO, label_ids=["label1"], assignee_ids=["usr_ann"])
    checklist = build_checklist(1, build_item(assignee_id="usr_ann"), build_item())
    things: dict[str, Any] = {"labels": [build_label()], "checklists": [checklist], "comments": [build_comment()]}

    assert find_fault(cards=[card], time_entries=[build_entry()], **things) is None


def test_a_page_of_an_export_is_not_a_whole_one() -> None:
    assert find_fault(next_cursor="more") == (
        "next_cursor",
        "This is not the whole export: more pages follow. Join all of them first.",
    )


def test_a_digest_fits_what_the_export_holds() -> None:
    digest = compute_digest(build_document(cards=[build_card(TODO)]))

    assert find_fault(cards=[build_card(TODO)], digest=digest) is None
    assert find_fault(cards=[build_card(TODO, title="Changed")], digest=digest) == (
        "digest",
        "The export was changed or cut off: its digest does not match its contents.",
    )


CARD_1_AND_2 = [build_card(TODO), build_card(TODO, 2)]


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"lists": [build_list(TODO), build_list(TODO)]}, "lists/1/id", "Two lists have the same id."),
        (
            {"labels": [build_label(), build_label(id="label1", name="x")]},
            "labels/1/id",
            "Two labels have the same id.",
        ),
        (
            {"labels": [build_label(), build_label(2, name="LABEL 1")]},
            "labels/1/name",
            "Two labels have the same name.",
        ),
        ({"cards": [build_card(TODO), build_card(TODO, place="a2")]}, "cards/1/id", "Two cards have the same id."),
        (
            {"cards": [build_card(TODO), build_card(TODO, 2, place="a1")]},
            "cards/1/place",
            "Two cards have the same place.",
        ),
        (
            {"lists": [build_list(TODO, external_id="x"), build_list(DONE, external_id="x")]},
            "lists/1/external_id",
            "Two lists have the same external id.",
        ),
        (
            {"cards": [build_card(TODO, external_id="x"), build_card(TODO, 2, external_id="x")]},
            "cards/1/external_id",
            "Two cards have the same external id.",
        ),
        (
            {"members": [build_member("usr_ann"), build_member("usr_ann")]},
            "members/1/user_id",
            "Two members have the same user id.",
        ),
        (
            {"cards": [build_card(TODO)], "checklists": [build_checklist(), build_checklist()]},
            "checklists/1/id",
            "Two checklists have the same id.",
        ),
        (
            {"cards": [build_card(TODO)], "comments": [build_comment(), build_comment()]},
            "comments/1/id",
            "Two comments have the same id.",
        ),
        (
            {"cards": [build_card(TODO)], "time_entries": [build_entry(), build_entry()]},
            "time_entries/1/id",
            "Two time entries have the same id.",
        ),
    ],
)
def test_what_must_be_unique_is_not_there_twice(fields: dict[str, Any], field: str, message: str) -> None:
    assert find_fault(**fields) == (field, message)


def test_cards_of_two_lists_may_stand_at_the_same_place() -> None:
    assert find_fault(cards=[build_card(TODO), build_card(DONE, 2, place="a1")]) is None


@pytest.mark.parametrize(
    ("fields", "field", "kind"),
    [
        ({"cards": [build_card(TODO), build_card("gone", 2)]}, "cards/1/list_id", "list"),
        (
            {"labels": [build_label()], "cards": [build_card(TODO, label_ids=["label1", "x"])]},
            "cards/0/label_ids",
            "label",
        ),
        ({"cards": [build_card(TODO, assignee_ids=["usr_ann", "x"])]}, "cards/0/assignee_ids", "member"),
        ({"cards": [build_card(TODO)], "comments": [build_comment(card_id="x")]}, "comments/0/card_id", "card"),
        ({"cards": [build_card(TODO)], "time_entries": [build_entry(card_id="x")]}, "time_entries/0/card_id", "card"),
        ({"cards": [build_card(TODO)], "checklists": [build_checklist(card_id="x")]}, "checklists/0/card_id", "card"),
        (
            {
                "cards": [build_card(TODO)],
                "checklists": [build_checklist(1, build_item(), build_item(assignee_id="x"))],
            },
            "checklists/0/items/1/assignee_id",
            "member",
        ),
    ],
)
def test_whatever_is_named_is_in_the_export(fields: dict[str, Any], field: str, kind: str) -> None:
    assert find_fault(**fields) == (field, f"Something names a {kind} that is not in the export.")


@pytest.mark.parametrize("rank", ["", "a", "a1V0", "zz", "A1"])
def test_a_place_is_a_rank(rank: str) -> None:
    assert find_fault(cards=[build_card(TODO, place=rank)]) == (
        "cards/0/place",
        "The place of a card is not a valid rank.",
    )


@pytest.mark.parametrize(
    ("start_at", "due_at", "is_whole"),
    [
        ("2026-02-01T09:00:00Z", "2026-02-01T08:59:59Z", False),
        ("2026-02-01T09:00:00Z", "2026-02-01T09:00:00Z", True),
        (None, "2026-02-01T08:59:59Z", True),
        ("2026-02-01T09:00:00Z", None, True),
    ],
)
def test_no_card_is_due_before_it_starts(start_at: str | None, due_at: str | None, *, is_whole: bool) -> None:
    fault = find_fault(cards=[build_card(TODO, start_at=start_at, due_at=due_at)])

    assert fault == (None if is_whole else ("cards/0/due_at", "A card is due before it starts."))


def build_cards(count: int) -> dict[str, Any]:
    cards = [build_card(TODO, number, place=f"c{number:03d}") for number in range(count)]
    return {"cards": [*cards, build_card(TODO, 9_999, archived_at="2026-02-01T09:00:00Z"), build_card(DONE, 9_998)]}


def build_checklists(count: int) -> dict[str, Any]:
    checklists = [build_checklist(number) for number in range(count)]
    return {"cards": CARD_1_AND_2, "checklists": [*checklists, build_checklist(9_999, card_id="card2")]}


def build_comments(count: int) -> dict[str, Any]:
    comments = [build_comment(number) for number in range(count)]
    return {"cards": CARD_1_AND_2, "comments": [*comments, build_comment(9_999, card_id="card2")]}


@pytest.mark.parametrize(
    ("build", "maximum", "field", "message"),
    [
        (build_checklists, MAX_CHECKLISTS_PER_CARD, "checklists", "A card holds at most 20 checklists."),
        (build_comments, MAX_COMMENTS_PER_CARD, "comments", "A card holds at most 1000 comments."),
    ],
)
def test_a_card_holds_no_more_than_it_may(
    build: Callable[[int], dict[str, Any]], maximum: int, field: str, message: str
) -> None:
    assert find_fault(**build(maximum)) is None
    assert find_fault(**build(maximum + 1)) == (field, message)


def test_a_list_holds_no_more_cards_in_use_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_CARDS_PER_LIST == 5_000
    monkeypatch.setattr(export_validation, "MAX_CARDS_PER_LIST", 50)

    assert find_fault(**build_cards(50)) is None
    assert find_fault(**build_cards(51)) == ("cards", "A list holds at most 50 cards in use.")


HOUR = {"started_at": "2026-02-01T09:00:00Z", "ended_at": "2026-02-01T10:00:00Z"}


@pytest.mark.parametrize(
    ("seconds", "cost", "rate", "is_whole"),
    [
        (7_200, MAX_TOTAL_COST_MINOR, 0, True),
        (7_199, MAX_TOTAL_COST_MINOR, 0, False),
        (MAX_TOTAL_SECONDS, 200, 100, True),
        (MAX_TOTAL_SECONDS, 199, 100, False),
    ],
)
def test_time_entries_add_up_to_no_more_than_a_board_can_tell(
    monkeypatch: pytest.MonkeyPatch, seconds: int, cost: int, rate: int, *, is_whole: bool
) -> None:
    monkeypatch.setattr(export_validation, "MAX_TOTAL_SECONDS", seconds)
    monkeypatch.setattr(export_validation, "MAX_TOTAL_COST_MINOR", cost)
    entries = [build_entry(number, **HOUR, hourly_rate_minor=rate) for number in (1, 2)]
    backwards = {"started_at": HOUR["ended_at"], "ended_at": HOUR["started_at"], "hourly_rate_minor": rate}
    entries += [build_entry(3, ended_at=None), build_entry(4, **backwards)]

    fault = find_fault(cards=[build_card(DONE)], time_entries=entries)

    assert fault == (None if is_whole else ("time_entries", "The time entries add up to more than a board can hold."))


def test_cost_is_counted_by_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_validation, "MAX_TOTAL_COST_MINOR", 100)
    entry = build_entry(1, **HOUR, hourly_rate_minor=100)
    second = build_entry(2, started_at=HOUR["started_at"], ended_at="2026-02-01T09:00:01Z", hourly_rate_minor=1)

    assert find_fault(cards=[build_card(DONE)], time_entries=[entry]) is None
    assert find_fault(cards=[build_card(DONE)], time_entries=[entry, second]) is not None


def test_a_card_has_at_most_the_text_that_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    links = [{"url": "https://example.com", "title": "x"}]
    card = build_card(TODO, description="x" * 100, links=links)
    size = card_size.compute_stored_bytes("Copy", "x" * 100, [Link("https://example.com", "x")])

    monkeypatch.setattr(card_size, "MAX_STORED_BYTES", size)
    assert find_fault(cards=[card]) is None
    monkeypatch.setattr(card_size, "MAX_STORED_BYTES", size - 1)
    assert find_fault(cards=[card]) == ("cards/0/description", "A card has more text than can be kept.")
