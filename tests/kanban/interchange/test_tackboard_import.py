"""Exports of our own that come back: what is refused, what is told about it, and the history that is told anew."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest

from kanban.changes import ActionContext, Change
from kanban.interchange import tackboard_import
from kanban.interchange.export_validation import MAX_TOTAL_COST_MINOR, MAX_TOTAL_SECONDS, BrokenExport
from kanban.interchange.import_report import ImportReport
from kanban.limits import MAX_MEMBERS_PER_BOARD
from kanban.values import Card, Comment, List, Member, TimeEntry
from tests.kanban.fake_store import NOON

Shape = dict[str, Any]

CREATED = "2026-01-01T09:00:00Z"
TIMES = {"created_at": CREATED, "updated_at": CREATED}
TODO, DOING, DONE = "todo", "in_progress", "done"


def a_list(stage: str, **fields: Any) -> Shape:
    """A list, known by its stage, and named like it."""
    limits = {"wip_limit": None, "wip_enforcement": "warn", "external_id": None}
    return {"id": stage, "name": stage, "stage": stage, **limits, "archived_at": None, **TIMES, **fields}


def a_card(list_id: str, number: int = 1, **fields: Any) -> Shape:
    """A card in that list."""
    nothing = dict.fromkeys(
        ("external_id", "start_at", "due_at", "hourly_rate_minor", "started_at", "resolved_at", "archived_at")
    )
    lists: Shape = {"label_ids": [], "assignee_ids": [], "links": []}
    card = {"id": f"card{number}", "list_id": list_id, "place": f"a{number}", "title": "Copy", "description": ""}
    return {**nothing, **lists, **card, "due_complete": False, **TIMES, **fields}


def an_entry(number: int = 1, **fields: Any) -> Shape:
    """Work of Ann's for an hour."""
    times = {"started_at": "2026-02-01T09:00:00Z", "ended_at": "2026-02-01T10:00:00Z"}
    names = {"id": f"entry{number}", "card_id": "card1", "user_id": "usr_ann", "user_name": "Ann", "note": ""}
    return {**names, **times, "hourly_rate_minor": 0, **fields}


def a_comment(number: int = 1, **fields: Any) -> Shape:
    """A word of Zoe's, who is not Ann."""
    names = {"id": f"comment{number}", "card_id": "card1", "author_id": "usr_zoe", "author_name": "Zoe", "text": "No."}
    return {**names, **TIMES, **fields}


def a_member(user_id: str, role: str = "owner") -> Shape:
    """A member, named after their id."""
    return {"user_id": user_id, "name": user_id.removeprefix("usr_").title(), "role": role}


def document(**fields: Any) -> Shape:
    """An export of a board of Ann's with a list of each stage."""
    board = {"id": "brd_1", "name": "Website", "description": "", "currency": "USD", "hourly_rate_minor": 0}
    kinds: Shape = {kind: [] for kind in ("labels", "cards", "checklists", "comments", "time_entries")}
    lists = [a_list(stage) for stage in (TODO, DOING, DONE)]
    ends = {"digest": None, "next_cursor": None}
    board |= {"created_at": CREATED, "archived_at": fields.pop("board_archived_at", None)}
    if "imported_by" in fields:
        board["imported_by"] = fields.pop("imported_by")
    return {"board": board, "members": [a_member("usr_ann")], **kinds, "lists": lists, **ends, **fields}


def brought(*, speakers: Sequence[str] = (), by: str = "usr_ann", **fields: Any) -> tuple[Change, ImportReport]:
    """What becomes of such an export."""
    numbers = count(1)
    _, change, report = tackboard_import.import_board(
        document(**fields), speakers, ActionContext(by, NOON, lambda kind: f"{kind}{next(numbers)}")
    )
    return change, report


def made(change: Change, kind: type[Any]) -> list[Any]:
    """The things of that kind that a change makes."""
    return [each for each in change.creates if isinstance(each, kind)]


def said(report: ImportReport) -> list[str]:
    """The lines of a report."""
    return [line.message for line in report.lines]


def told(change: Change) -> list[tuple[str, str, str | None]]:
    """The history of lists and cards: what happened, on which day, in which list."""
    names = {each.id: each.name for each in made(change, List)}
    return [(each.type, f"{each.at:%m-%d}", names[each.list_id]) for each in change.history if each.list_id]


def refusal(**fields: Any) -> tuple[str | None, str]:
    """Why such an export is refused: where, and a sentence."""
    with pytest.raises(BrokenExport) as refused:
        brought(**fields)
    return refused.value.field, str(refused.value)


def test_a_board_of_as_many_members_as_there_can_be_comes_back_to_one_of_them() -> None:
    speakers = [f"usr_{number}" for number in range(MAX_MEMBERS_PER_BOARD)]
    members = [a_member(each) for each in speakers]

    change, _ = brought(members=members, speakers=speakers, by=speakers[7])

    assert len(made(change, Member)) == MAX_MEMBERS_PER_BOARD


def test_a_card_with_more_text_than_can_be_kept_is_refused() -> None:
    fitting, longer = "𐐀" * 10_749, "𐐀" * 10_750

    change, _ = brought(cards=[a_card(TODO, title="copy", description=fitting)])

    assert [card.description for card in made(change, Card)] == [fitting]
    assert refusal(cards=[a_card(DONE), a_card(TODO, 2, title="copy", description=longer)]) == (
        "cards/1/description",
        "A card has more text than can be kept.",
    )


def test_one_member_more_than_there_can_be_is_refused_and_strangers_do_not_count() -> None:
    speakers = [f"usr_{number}" for number in range(MAX_MEMBERS_PER_BOARD)]
    members = [a_member(each) for each in speakers]

    change, _ = brought(members=members, speakers=speakers[1:])

    assert len(made(change, Member)) == MAX_MEMBERS_PER_BOARD
    assert refusal(members=members, speakers=speakers) == (
        "members",
        "With whoever imports it, the board has more than 100 members.",
    )


def test_a_clock_that_ran_for_years_comes_back() -> None:
    entry = an_entry(started_at="2001-01-01T00:00:00Z", ended_at="2026-01-01T00:00:00Z", hourly_rate_minor=100_000_000)

    change, _ = brought(cards=[a_card(DONE)], time_entries=[entry])

    ((card,),) = [made(change, Card)]
    assert card.tracked_seconds == 9131 * 24 * 3600
    assert card.tracked_cost == card.tracked_seconds * 100_000_000


@pytest.mark.parametrize(
    ("rate", "most"), [(0, MAX_TOTAL_SECONDS), (100_000_000, MAX_TOTAL_COST_MINOR * 3600 // 100_000_000)]
)
def test_work_that_adds_up_to_more_than_can_be_told_is_refused(rate: int, most: int) -> None:
    years: Shape = {"started_at": "2001-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z", "hourly_rate_minor": rate}
    cards = [a_card(DONE), a_card(DONE, 2)]
    fitting = [an_entry(number, **years) for number in range(most // (9131 * 24 * 3600))]

    change, _ = brought(cards=cards, time_entries=fitting)

    assert len(made(change, TimeEntry)) == len(fitting)
    assert refusal(cards=cards, time_entries=[*fitting, an_entry(len(fitting), card_id="card2", **years)]) == (
        "time_entries",
        "The time entries add up to more than a board can tell.",
    )


def test_an_archived_board_on_which_somebody_works_comes_back() -> None:
    open_entry = an_entry(ended_at=None)

    change, _ = brought(board_archived_at=CREATED, cards=[a_card(DOING)], time_entries=[open_entry])

    (card,), (entry,) = made(change, Card), made(change, TimeEntry)
    assert card.running == entry


@pytest.mark.parametrize("where", ["list", "card"])
def test_a_clock_that_runs_on_what_is_archived_is_refused(where: str) -> None:
    lists = [a_list(TODO), a_list(DOING, archived_at=CREATED if where == "list" else None), a_list(DONE)]
    cards = [a_card(DOING, archived_at=CREATED if where == "card" else None)]

    field, _ = refusal(lists=lists, cards=cards, time_entries=[an_entry(ended_at=None)])

    assert field == "time_entries/0/ended_at"


DONE_IN_MARCH: Shape = {"started_at": "2026-02-01T09:00:00Z", "resolved_at": "2026-03-01T09:00:00Z"}


@pytest.mark.parametrize(
    ("lists", "first"),
    [
        ([a_list(TODO, archived_at=CREATED), a_list(DOING), a_list(DONE)], TODO),
        ([a_list(TODO, id="old", name="old", archived_at=CREATED), a_list(TODO), a_list(DOING), a_list(DONE)], TODO),
        ([a_list(DONE), a_list(DOING)], DOING),
        ([a_list(DONE)], DONE),
    ],
)
def test_what_is_done_was_made_where_it_was_not_done_if_there_is_such_a_list(lists: list[Shape], first: str) -> None:
    change, _ = brought(lists=lists, cards=[a_card(DONE, **DONE_IN_MARCH)])

    assert [each for each in told(change) if each[0] == "card.created"] == [("card.created", "01-01", first)]


def test_what_was_begun_in_a_list_that_is_archived_now_was_begun_there() -> None:
    lists = [a_list(TODO), a_list(DOING, archived_at="2026-04-01T09:00:00Z"), a_list(DONE)]

    change, _ = brought(lists=lists, cards=[a_card(DONE, **DONE_IN_MARCH)])

    assert told(change)[3:] == [
        ("card.created", "01-01", TODO),
        ("card.moved", "02-01", DOING),
        ("card.moved", "03-01", DONE),
        ("list.archived", "04-01", DOING),
    ]


def test_a_list_was_archived_after_what_happened_to_its_cards_in_that_second() -> None:
    lists = [a_list(TODO, archived_at=CREATED), a_list(DONE)]

    change, _ = brought(lists=lists, cards=[a_card(TODO), a_card(TODO, 2, archived_at=CREATED)])

    assert [kind for kind, _, name in told(change) if name == TODO] == [
        "list.created",
        "card.created",
        "card.created",
        "card.archived",
        "list.archived",
    ]
    (archived,) = [each for each in change.history if each.type == "list.archived"]
    assert archived.data == {"name": TODO, "stage": "todo", "card_count": 1}


def test_entries_that_overlap_because_they_are_of_one_person_now_are_told() -> None:
    strangers: list[Shape] = [{"user_id": f"usr_{name}", "user_name": name.title()} for name in ("zoe", "lou")]
    entries = [an_entry(number, **who) for number, who in enumerate(strangers)]

    change, report = brought(cards=[a_card(DONE)], time_entries=entries)
    _, of_one_of_them = brought(cards=[a_card(DONE)], time_entries=entries, speakers=["usr_zoe"])
    _, with_own = brought(cards=[a_card(DONE)], time_entries=[an_entry(7), entries[0]])

    assert {each.user_id for each in made(change, TimeEntry)} == {"usr_ann"}
    overlaps = "Time entries of Ann that overlap with others: 1, kept as they were."
    assert [each for each in said(report) if "overlap" in each] == [overlaps]
    assert [each for each in said(of_one_of_them) if "overlap" in each] == []
    assert [each for each in said(with_own) if "overlap" in each] == [overlaps]


def test_entries_that_overlap_and_became_the_work_of_somebody_new_are_told_as_theirs() -> None:
    entries = [an_entry(1), an_entry(2)]

    _, report = brought(cards=[a_card(DONE)], time_entries=entries, by="usr_new")

    assert "Time entries of yours that overlap with others: 1, kept as they were." in said(report)


def test_a_strangers_comment_that_loses_its_end_to_their_name_is_told() -> None:
    comments = [a_comment(1, text="x" * 9_994), a_comment(2, text="y" * 9_995), a_comment(3, text="z" * 10_000)]

    change, report = brought(cards=[a_card(TODO)], comments=comments)

    assert [each.text[:6] + each.text[-1] for each in made(change, Comment)] == ["Zoe:\n\nx", "Zoe:\n\ny", "Zoe:\n\nz"]
    assert [len(each.text) for each in made(change, Comment)] == [10_000, 9_999, 9_999]
    assert [(line.kind, line.name) for line in report.lines] == [("card", "Copy"), ("member", "Zoe")]
    assert said(report)[0] == "2 of its comments lost their end: with the name of who wrote them they were too long."


def test_a_long_comment_of_somebody_who_may_speak_is_whole() -> None:
    change, report = brought(cards=[a_card(TODO)], comments=[a_comment(text="x" * 10_000)], speakers=["usr_zoe"])

    assert [len(each.text) for each in made(change, Comment)] == [10_000]
    assert said(report) == []


@pytest.mark.parametrize("speakers", [["usr_zoe"], []])
def test_an_import_speaks_for_its_speakers_and_signs_what_others_said(speakers: list[str]) -> None:
    cards = [a_card(DONE, assignee_ids=["usr_ann", "usr_zoe"])]
    work = an_entry(user_id="usr_zoe", user_name="Zoe", note="On paper")
    members = [a_member("usr_ann"), a_member("usr_zoe", "editor")]

    change, report = brought(
        cards=cards, members=members, comments=[a_comment()], time_entries=[work], speakers=speakers
    )

    (comment,), (entry,), (card,) = made(change, Comment), made(change, TimeEntry), made(change, Card)
    users = [each.user_id for each in made(change, Member)]
    if speakers:
        assert (comment.author_id, comment.text, entry.user_id, entry.note) == ("usr_zoe", "No.", "usr_zoe", "On paper")
        assert (users, len(card.assignee_ids), said(report)) == (["usr_ann", "usr_zoe"], 2, [])
        return
    assert (comment.author_id, comment.text) == ("usr_ann", "Zoe:\n\nNo.")
    assert (entry.user_id, entry.note) == ("usr_ann", "Zoe:\n\nOn paper")
    assert (users, len(card.assignee_ids)) == (["usr_ann"], 1)
    assert said(report) == [
        (
            "Not imported in their own name: their place as a member, and what was assigned to them, is left out; "
            "their comments (1) are yours now, and begin with their name; "
            "their time entries (1) are yours now, and their name is in the notes."
        ),
    ]


@pytest.mark.parametrize(
    ("text", "imported_by", "becomes"),
    [
        ("Zoe:\n\nNo.", None, "Zoe:\n\nNo."),
        ("Zoe:", None, "Zoe:"),
        ("Zoe: no.", None, "Zoe:\n\nZoe: no."),
        ("Lou:\n\nNo.", None, "Zoe:\n\nLou:\n\nNo."),
        ("Lou:\n\nNo.", "usr_lou", "Zoe:\n\nLou:\n\nNo."),
        ("Lou:\n\nNo.", "usr_zoe", "Lou:\n\nNo."),
        ("Lou: no.\n\nNo.", "usr_zoe", "Zoe:\n\nLou: no.\n\nNo."),
        ("x" * 101 + ":\n\nNo.", "usr_zoe", "Zoe:\n\n" + "x" * 101 + ":\n\nNo."),
    ],
)
def test_only_what_an_import_signed_is_not_signed_again(text: str, imported_by: str | None, becomes: str) -> None:
    """Somebody who begins a text with the name of another must not get away with it."""
    change, _ = brought(cards=[a_card(TODO)], comments=[a_comment(text=text)], imported_by=imported_by)

    assert [each.text for each in made(change, Comment)] == [becomes]


def test_a_note_that_loses_its_end_to_a_name_is_told() -> None:
    entries = [
        an_entry(number, user_id="usr_zoe", user_name="Zoe", note="x" * length)
        for number, length in enumerate((994, 995, 1_000))
    ]

    change, report = brought(cards=[a_card(DONE)], time_entries=entries)

    notes = [each.note for each in made(change, TimeEntry)]
    assert [(each[:7], len(each)) for each in notes] == [("Zoe:\n\nx", 1_000), *[("Zoe:\n\nx", 999)] * 2]
    assert "2 notes of its time entries lost their end: with the name of who worked they were too long." in said(report)
