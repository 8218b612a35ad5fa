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
from kanban.values import Board, Card, Checklist, Comment, List, Member, Role, TimeEntry
from tests.kanban.fake_store import NOON
from tests.kanban.interchange.export_documents import (
    CREATED,
    DOING,
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


def test_a_list_knows_the_ranks_of_all_its_cards_and_counts_those_in_use() -> None:
    cards = [
        a_card(TODO, 1, place="a3"),
        a_card(TODO, 2, place="a1", archived_at=CREATED),
        a_card(TODO, 3, place="a5", archived_at=CREATED),
        a_card(DONE, 4, place="a9"),
    ]

    change, _ = brought(cards=cards)

    assert [(each.card_count, each.first_rank, each.last_rank, each.version) for each in made(change, List)] == [
        (1, "a1", "a5", 1),
        (0, "", "", 1),
        (1, "a9", "a9", 1),
    ]


def test_a_card_counts_its_items_and_comments_and_its_checklists_stand_in_order() -> None:
    item: Shape = {"text": "Ask", "assignee_id": None, "due_at": None, **TIMES}
    checklists: list[Shape] = [
        {"id": f"checklist{number}", "card_id": "card1", "name": "Steps", "items": items, **TIMES}
        for number, items in enumerate([[item | {"done": True}, item | {"done": False}], [item | {"done": True}]])
    ]

    change, _ = brought(cards=[a_card(TODO)], checklists=checklists, comments=[a_comment(1), a_comment(2)])

    (card,) = made(change, Card)
    assert (card.item_count, card.done_count, card.comment_count, card.version) == (3, 2, 2, 1)
    assert [(each.rank, each.version) for each in made(change, Checklist)] == [("a0", 1), ("a1", 1)]


def test_a_checklist_item_keeps_an_assignee_who_is_a_member() -> None:
    item: Shape = {"text": "Ask", "done": False, "due_at": None, **TIMES}
    items = [item | {"assignee_id": user_id} for user_id in ("usr_ann", "usr_zoe", None)]
    checklist: Shape = {"id": "checklist1", "card_id": "card1", "name": "Steps", "items": items, **TIMES}
    members = [a_member("usr_ann"), a_member("usr_zoe")]

    change, _ = brought(members=members, cards=[a_card(TODO)], checklists=[checklist])

    (ann,), (steps,) = made(change, Member), made(change, Checklist)
    assert [each.assignee_id for each in steps.items] == [ann.id, None, None]


@pytest.mark.parametrize(
    ("roles", "line"),
    [
        ({"usr_ann": "owner"}, []),
        ({"usr_ann": "editor"}, ["Whoever imports a board owns it: you were not an owner of this one."]),
        ({"usr_zoe": "owner"}, ["Whoever imports a board owns it: you were not an owner of this one."]),
    ],
)
def test_the_importer_owns_the_board_and_reads_so_where_that_is_new(roles: dict[str, str], line: list[str]) -> None:
    change, report = brought(members=[a_member(*each) for each in roles.items()], speakers=["usr_zoe"])

    by_user = {each.user_id: each.role for each in made(change, Member)}
    assert by_user == {"usr_ann": Role.OWNER, **({"usr_zoe": Role.OWNER} if "usr_zoe" in roles else {})}
    assert said(report) == line


@pytest.mark.parametrize(
    ("started_at", "ended_at", "refused"),
    [
        ("2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z", None),
        ("2026-11-20T12:00:00Z", "2026-11-20T13:00:01Z", "time_entries/0"),
        ("2026-11-20T13:00:00Z", None, None),
        ("2026-11-20T13:00:01Z", None, "time_entries/0"),
        ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z", None),
        ("2026-11-20T12:00:00Z", "2026-11-20T11:59:59Z", "time_entries/0/ended_at"),
    ],
)
def test_a_time_entry_ends_after_it_starts_and_not_in_the_future(
    started_at: str, ended_at: str | None, refused: str | None
) -> None:
    fields: dict[str, Any] = {
        "cards": [a_card(DOING)],
        "time_entries": [an_entry(started_at=started_at, ended_at=ended_at)],
    }

    if refused:
        assert refusal(**fields)[0] == refused
    else:
        assert len(made(brought(**fields)[0], TimeEntry)) == 1


def test_a_card_has_at_most_one_running_clock_and_only_in_progress() -> None:
    two = [an_entry(number, ended_at=None) for number in (1, 2)]

    assert refusal(cards=[a_card(DOING)], time_entries=two)[0] == "time_entries/1/ended_at"
    assert refusal(cards=[a_card(TODO)], time_entries=two[:1])[0] == "time_entries/0/ended_at"


def test_tracked_time_and_cost_are_the_sums_of_the_entries() -> None:
    entries = [an_entry(1, hourly_rate_minor=100), an_entry(2, hourly_rate_minor=200, user_id="usr_zoe")]

    change, report = brought(cards=[a_card(DONE)], time_entries=entries, speakers=["usr_zoe"])

    (card,) = made(change, Card)
    assert (card.tracked_seconds, card.tracked_cost) == (7_200, 3_600 * 300)
    assert [each.version for each in made(change, TimeEntry)] == [1, 1]
    assert report.counts["time_entries"] == 2


def test_entries_that_only_touch_do_not_overlap_and_a_long_one_overlaps_all_that_it_holds() -> None:
    def overlaps(*spans: tuple[int, int | None]) -> list[str]:
        entries = [
            an_entry(
                number,
                started_at=f"2026-02-01T{start:02}:00:00Z",
                ended_at=None if end is None else f"2026-02-01T{end:02}:00:00Z",
            )
            for number, (start, end) in enumerate(spans)
        ]
        return said(brought(cards=[a_card(DOING)], time_entries=entries)[1])

    assert overlaps((9, 10), (10, 11)) == []
    assert overlaps((9, 12), (10, 11), (11, 12)) == [
        "Time entries of Ann that overlap with others: 2, kept as they were."
    ]
    assert overlaps((9, None), (10, 11)) == ["Time entries of Ann that overlap with others: 1, kept as they were."]


def card_history(card: Shape, lists: list[Shape] | None = None) -> list[tuple[str, str, str | None]]:
    """What is told of one card."""
    change, _ = brought(cards=[card], lists=lists or [a_list(stage) for stage in (TODO, DOING, DONE)])
    return [each for each in told(change) if each[0].startswith("card.")]


def test_a_card_that_never_moved_was_made_where_it_is() -> None:
    assert card_history(a_card(DONE, updated_at="2026-03-01T09:00:00Z")) == [("card.created", "01-01", DONE)]


def test_a_card_that_was_started_and_stopped_came_back_with_its_last_change() -> None:
    card = a_card(TODO, started_at="2026-02-01T09:00:00Z", updated_at="2026-03-01T09:00:00Z")

    assert card_history(card) == [
        ("card.created", "01-01", TODO),
        ("card.moved", "02-01", DOING),
        ("card.moved", "03-01", TODO),
    ]


def test_of_several_moves_in_one_second_only_the_last_is_told() -> None:
    at = "2026-02-01T09:00:00Z"

    assert card_history(a_card(DONE, started_at=CREATED, resolved_at=at)) == [
        ("card.created", "01-01", DOING),
        ("card.moved", "02-01", DONE),
    ]
    assert card_history(a_card(DONE, started_at=at, resolved_at=at)) == [
        ("card.created", "01-01", TODO),
        ("card.moved", "02-01", DONE),
    ]


def test_a_card_in_a_second_list_in_progress_was_started_there() -> None:
    lists = [a_list(TODO), a_list(DOING), a_list(DOING, id="review", name="review"), a_list(DONE)]

    assert card_history(a_card("review", started_at="2026-02-01T09:00:00Z"), lists) == [
        ("card.created", "01-01", TODO),
        ("card.moved", "02-01", "review"),
    ]


def test_the_move_that_completed_a_card_tells_how_long_it_took() -> None:
    change, _ = brought(cards=[a_card(DONE, **DONE_IN_MARCH)])

    moves = [each.data for each in change.history if each.type == "card.moved"]
    assert [move.get("created_at") for move in moves] == [None, CREATED]
    assert [(move["from_stage"], move["to_stage"]) for move in moves] == [(TODO, DOING), (DOING, DONE)]


def test_the_history_begins_with_the_board_and_is_numbered_without_gaps() -> None:
    change, _ = brought(cards=[a_card(TODO)])

    assert [each.seq for each in change.history] == list(range(1, len(change.history) + 1))
    assert change.history[0].type == "board.created"
    assert change.event is not None
    assert change.event.seq == len(change.history) + 1
    (board,) = made(change, Board)
    assert (board.seq, board.version) == (change.event.seq, 1)


def test_nothing_in_the_history_lies_in_the_future() -> None:
    later = "2026-11-21T12:00:00Z"

    change, _ = brought(cards=[a_card(TODO, created_at=later, updated_at=later)])

    assert max(each.at for each in change.history) == NOON
