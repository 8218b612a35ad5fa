"""What an export must keep so that it can become a board."""

from collections.abc import Callable
from typing import Any

import pytest

from kanban.interchange import export_validation
from kanban.interchange.export_document import compute_digest
from kanban.interchange.export_validation import MAX_TOTAL_COST_MINOR, MAX_TOTAL_SECONDS, BrokenExport
from kanban.limits import MAX_CARDS_PER_LIST, MAX_CHECKLISTS_PER_CARD, MAX_COMMENTS_PER_CARD
from tests.kanban.interchange.export_documents import (
    DONE,
    TIMES,
    TODO,
    Shape,
    a_card,
    a_comment,
    a_list,
    a_member,
    an_entry,
    document,
)


def a_label(number: int = 1, **fields: Any) -> Shape:
    """A label."""
    return {"id": f"label{number}", "name": f"Label {number}", "color": "red", **TIMES, **fields}


def an_item(**fields: Any) -> Shape:
    """An item of a checklist that is assigned to nobody."""
    return {"text": "Ask", "done": False, "assignee_id": None, "due_at": None, **TIMES, **fields}


def a_checklist(number: int = 1, *items: Shape, **fields: Any) -> Shape:
    """A checklist on the first card."""
    return {"id": f"checklist{number}", "card_id": "card1", "name": "Steps", "items": list(items), **TIMES, **fields}


def find_fault(**fields: Any) -> tuple[str | None, str] | None:
    """Return where such an export is broken, and why; None if it is whole."""
    try:
        export_validation.validate_export(document(**fields))
    except BrokenExport as error:
        return error.field, error.message
    return None


def test_an_export_with_one_of_each_thing_is_whole() -> None:
    card = a_card(TODO, label_ids=["label1"], assignee_ids=["usr_ann"])
    checklist = a_checklist(1, an_item(assignee_id="usr_ann"), an_item())
    things: dict[str, Any] = {"labels": [a_label()], "checklists": [checklist], "comments": [a_comment()]}

    assert find_fault(cards=[card], time_entries=[an_entry()], **things) is None


def test_a_page_of_an_export_is_not_a_whole_one() -> None:
    assert find_fault(next_cursor="more") == (
        "next_cursor",
        "This is not the whole export: more pages follow. Join all of them first.",
    )


def test_a_digest_fits_what_the_export_holds() -> None:
    digest = compute_digest(document(cards=[a_card(TODO)]))

    assert find_fault(cards=[a_card(TODO)], digest=digest) is None
    assert find_fault(cards=[a_card(TODO, title="Changed")], digest=digest) == (
        "digest",
        "The export was changed or cut: its digest does not fit what it holds.",
    )


CARD_1_AND_2 = [a_card(TODO), a_card(TODO, 2)]


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"lists": [a_list(TODO), a_list(TODO)]}, "lists/1/id", "Two lists have the same id."),
        ({"labels": [a_label(), a_label(id="label1", name="x")]}, "labels/1/id", "Two labels have the same id."),
        ({"labels": [a_label(), a_label(2, name="LABEL 1")]}, "labels/1/name", "Two labels have the same name."),
        ({"cards": [a_card(TODO), a_card(TODO, place="a2")]}, "cards/1/id", "Two cards have the same id."),
        ({"cards": [a_card(TODO), a_card(TODO, 2, place="a1")]}, "cards/1/place", "Two cards have the same place."),
        (
            {"lists": [a_list(TODO, external_id="x"), a_list(DONE, external_id="x")]},
            "lists/1/external_id",
            "Two lists have the same external id.",
        ),
        (
            {"cards": [a_card(TODO, external_id="x"), a_card(TODO, 2, external_id="x")]},
            "cards/1/external_id",
            "Two cards have the same external id.",
        ),
        (
            {"members": [a_member("usr_ann"), a_member("usr_ann")]},
            "members/1/user_id",
            "Two members have the same user id.",
        ),
        (
            {"cards": [a_card(TODO)], "checklists": [a_checklist(), a_checklist()]},
            "checklists/1/id",
            "Two checklists have the same id.",
        ),
        (
            {"cards": [a_card(TODO)], "comments": [a_comment(), a_comment()]},
            "comments/1/id",
            "Two comments have the same id.",
        ),
        (
            {"cards": [a_card(TODO)], "time_entries": [an_entry(), an_entry()]},
            "time_entries/1/id",
            "Two time entries have the same id.",
        ),
    ],
)
def test_what_must_be_unique_is_not_there_twice(fields: dict[str, Any], field: str, message: str) -> None:
    assert find_fault(**fields) == (field, message)


def test_cards_of_two_lists_may_stand_at_the_same_place() -> None:
    assert find_fault(cards=[a_card(TODO), a_card(DONE, 2, place="a1")]) is None


@pytest.mark.parametrize(
    ("fields", "field", "kind"),
    [
        ({"cards": [a_card(TODO), a_card("gone", 2)]}, "cards/1/list_id", "list"),
        ({"labels": [a_label()], "cards": [a_card(TODO, label_ids=["label1", "x"])]}, "cards/0/label_ids", "label"),
        ({"cards": [a_card(TODO, assignee_ids=["usr_ann", "x"])]}, "cards/0/assignee_ids", "member"),
        ({"cards": [a_card(TODO)], "comments": [a_comment(card_id="x")]}, "comments/0/card_id", "card"),
        ({"cards": [a_card(TODO)], "time_entries": [an_entry(card_id="x")]}, "time_entries/0/card_id", "card"),
        ({"cards": [a_card(TODO)], "checklists": [a_checklist(card_id="x")]}, "checklists/0/card_id", "card"),
        (
            {"cards": [a_card(TODO)], "checklists": [a_checklist(1, an_item(), an_item(assignee_id="x"))]},
            "checklists/0/items/1/assignee_id",
            "member",
        ),
    ],
)
def test_whatever_is_named_is_in_the_export(fields: dict[str, Any], field: str, kind: str) -> None:
    assert find_fault(**fields) == (field, f"Something names a {kind} that is not in the export.")


@pytest.mark.parametrize("place", ["", "a", "a1V0", "zz", "A1"])
def test_a_place_is_a_rank(place: str) -> None:
    assert find_fault(cards=[a_card(TODO, place=place)]) == (
        "cards/0/place",
        "A card stands at a place that cannot be.",
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
    fault = find_fault(cards=[a_card(TODO, start_at=start_at, due_at=due_at)])

    assert fault == (None if is_whole else ("cards/0/due_at", "A card is due before it starts."))


def _cards(count: int) -> dict[str, Any]:
    cards = [a_card(TODO, number, place=f"c{number:03d}") for number in range(count)]
    return {"cards": [*cards, a_card(TODO, 9_999, archived_at="2026-02-01T09:00:00Z"), a_card(DONE, 9_998)]}


def _checklists(count: int) -> dict[str, Any]:
    checklists = [a_checklist(number) for number in range(count)]
    return {"cards": CARD_1_AND_2, "checklists": [*checklists, a_checklist(9_999, card_id="card2")]}


def _comments(count: int) -> dict[str, Any]:
    comments = [a_comment(number) for number in range(count)]
    return {"cards": CARD_1_AND_2, "comments": [*comments, a_comment(9_999, card_id="card2")]}


@pytest.mark.parametrize(
    ("build", "maximum", "field", "message"),
    [
        (_checklists, MAX_CHECKLISTS_PER_CARD, "checklists", "A card holds at most 20 checklists."),
        (_comments, MAX_COMMENTS_PER_CARD, "comments", "A card holds at most 1000 comments."),
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

    assert find_fault(**_cards(50)) is None
    assert find_fault(**_cards(51)) == ("cards", "A list holds at most 50 cards in use.")


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
    entries = [an_entry(number, **HOUR, hourly_rate_minor=rate) for number in (1, 2)]
    backwards = {"started_at": HOUR["ended_at"], "ended_at": HOUR["started_at"], "hourly_rate_minor": rate}
    entries += [an_entry(3, ended_at=None), an_entry(4, **backwards)]

    fault = find_fault(cards=[a_card(DONE)], time_entries=entries)

    assert fault == (None if is_whole else ("time_entries", "The time entries add up to more than a board can tell."))
