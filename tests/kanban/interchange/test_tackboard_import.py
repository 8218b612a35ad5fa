"""Imports of Tackboard exports: what is refused, what is reported, and how the history is rebuilt."""

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
    JsonObject,
    build_card,
    build_comment,
    build_document,
    build_entry,
    build_list,
    build_member,
)


def import_fields(
    *, trusted_user_ids: Sequence[str] = (), importer_id: str = "usr_ann", **fields: Any
) -> tuple[Change, ImportReport]:
    """Import an export with these fields; return the change and the report."""
    numbers = count(1)
    _, change, report = tackboard_import.import_board(
        build_document(**fields),
        trusted_user_ids,
        ActionContext(importer_id, NOON, lambda kind: f"{kind}{next(numbers)}"),
    )
    return change, report


def get_created(change: Change, kind: type[Any]) -> list[Any]:
    """Return the values of that kind that a change creates."""
    return [value for value in change.creates if isinstance(value, kind)]


def get_messages(report: ImportReport) -> list[str]:
    """Return the messages of a report."""
    return [line.message for line in report.lines]


def list_history(change: Change) -> list[tuple[str, str, str | None]]:
    """Return the type, the day and the list's name of each event of a list or card."""
    names = {list_.id: list_.name for list_ in get_created(change, List)}
    return [(event.type, f"{event.at:%m-%d}", names[event.list_id]) for event in change.history if event.list_id]


def get_error(**fields: Any) -> tuple[str | None, str]:
    """Return the field and the message of the error that an export with these fields raises."""
    with pytest.raises(BrokenExport) as raised:
        import_fields(**fields)
    return raised.value.field, str(raised.value)


def test_a_board_with_the_maximum_of_members_can_be_imported_by_one_of_them() -> None:
    trusted_user_ids = [f"usr_{number}" for number in range(MAX_MEMBERS_PER_BOARD)]
    members = [build_member(user_id) for user_id in trusted_user_ids]

    change, _ = import_fields(members=members, trusted_user_ids=trusted_user_ids, importer_id=trusted_user_ids[7])

    assert len(get_created(change, Member)) == MAX_MEMBERS_PER_BOARD


def test_a_card_that_is_too_large_is_refused() -> None:
    fitting, longer = "𐐀" * 10_749, "𐐀" * 10_750

    change, _ = import_fields(cards=[build_card(TODO, title="copy", description=fitting)])

    assert [card.description for card in get_created(change, Card)] == [fitting]
    assert get_error(cards=[build_card(DONE), build_card(TODO, 2, title="copy", description=longer)]) == (
        "cards/1/description",
        "A card has more text than can be kept.",
    )


def test_too_many_trusted_members_are_refused_but_untrusted_ones_do_not_count() -> None:
    trusted_user_ids = [f"usr_{number}" for number in range(MAX_MEMBERS_PER_BOARD)]
    members = [build_member(user_id) for user_id in trusted_user_ids]

    change, _ = import_fields(members=members, trusted_user_ids=trusted_user_ids[1:])

    assert len(get_created(change, Member)) == MAX_MEMBERS_PER_BOARD
    assert get_error(members=members, trusted_user_ids=trusted_user_ids) == (
        "members",
        "With the importer, the board has more than 100 members.",
    )


def test_a_clock_that_ran_for_years_is_imported() -> None:
    entry = build_entry(
        started_at="2001-01-01T00:00:00Z", ended_at="2026-01-01T00:00:00Z", hourly_rate_minor=100_000_000
    )

    change, _ = import_fields(cards=[build_card(DONE)], time_entries=[entry])

    ((card,),) = [get_created(change, Card)]
    assert card.tracked_seconds == 9131 * 24 * 3600
    assert card.tracked_cost == card.tracked_seconds * 100_000_000


@pytest.mark.parametrize(
    ("rate", "maximum"), [(0, MAX_TOTAL_SECONDS), (100_000_000, MAX_TOTAL_COST_MINOR * 3600 // 100_000_000)]
)
def test_time_that_adds_up_to_more_than_can_be_stored_is_refused(rate: int, maximum: int) -> None:
    years: JsonObject = {
        "started_at": "2001-01-01T00:00:00Z",
        "ended_at": "2026-01-01T00:00:00Z",
        "hourly_rate_minor": rate,
    }
    cards = [build_card(DONE), build_card(DONE, 2)]
    fitting = [build_entry(number, **years) for number in range(maximum // (9131 * 24 * 3600))]

    change, _ = import_fields(cards=cards, time_entries=fitting)

    assert len(get_created(change, TimeEntry)) == len(fitting)
    assert get_error(cards=cards, time_entries=[*fitting, build_entry(len(fitting), card_id="card2", **years)]) == (
        "time_entries",
        "The time entries add up to more than a board can hold.",
    )


def test_an_archived_board_with_a_running_clock_is_imported() -> None:
    open_entry = build_entry(ended_at=None)

    change, _ = import_fields(board_archived_at=CREATED, cards=[build_card(DOING)], time_entries=[open_entry])

    (card,), (entry,) = get_created(change, Card), get_created(change, TimeEntry)
    assert card.running == entry


@pytest.mark.parametrize("where", ["list", "card"])
def test_a_running_clock_on_an_archived_card_or_list_is_refused(where: str) -> None:
    lists = [build_list(TODO), build_list(DOING, archived_at=CREATED if where == "list" else None), build_list(DONE)]
    cards = [build_card(DOING, archived_at=CREATED if where == "card" else None)]

    field, _ = get_error(lists=lists, cards=cards, time_entries=[build_entry(ended_at=None)])

    assert field == "time_entries/0/ended_at"


DONE_IN_MARCH: JsonObject = {"started_at": "2026-02-01T09:00:00Z", "resolved_at": "2026-03-01T09:00:00Z"}


@pytest.mark.parametrize(
    ("lists", "first"),
    [
        ([build_list(TODO, archived_at=CREATED), build_list(DOING), build_list(DONE)], TODO),
        (
            [
                build_list(TODO, id="old", name="old", archived_at=CREATED),
                build_list(TODO),
                build_list(DOING),
                build_list(DONE),
            ],
            TODO,
        ),
        ([build_list(DONE), build_list(DOING)], DOING),
        ([build_list(DONE)], DONE),
    ],
)
def test_a_completed_card_is_created_in_a_list_that_is_not_done_if_there_is_one(
    lists: list[JsonObject], first: str
) -> None:
    change, _ = import_fields(lists=lists, cards=[build_card(DONE, **DONE_IN_MARCH)])

    assert [entry for entry in list_history(change) if entry[0] == "card.created"] == [("card.created", "01-01", first)]


def test_a_card_in_an_archived_list_in_progress_was_started_there() -> None:
    lists = [build_list(TODO), build_list(DOING, archived_at="2026-04-01T09:00:00Z"), build_list(DONE)]

    change, _ = import_fields(lists=lists, cards=[build_card(DONE, **DONE_IN_MARCH)])

    assert list_history(change)[3:] == [
        ("card.created", "01-01", TODO),
        ("card.moved", "02-01", DOING),
        ("card.moved", "03-01", DONE),
        ("list.archived", "04-01", DOING),
    ]


def test_the_event_of_an_archived_list_follows_those_of_its_cards() -> None:
    lists = [build_list(TODO, archived_at=CREATED), build_list(DONE)]

    change, _ = import_fields(lists=lists, cards=[build_card(TODO), build_card(TODO, 2, archived_at=CREATED)])

    assert [kind for kind, _, name in list_history(change) if name == TODO] == [
        "list.created",
        "card.created",
        "card.created",
        "card.archived",
        "list.archived",
    ]
    (archived,) = [event for event in change.history if event.type == "list.archived"]
    assert archived.data == {"name": TODO, "stage": "todo", "card_count": 1}


def test_entries_that_overlap_after_reassignment_to_the_importer_are_reported() -> None:
    untrusted: list[JsonObject] = [{"user_id": f"usr_{name}", "user_name": name.title()} for name in ("zoe", "lou")]
    entries = [build_entry(number, **user) for number, user in enumerate(untrusted)]

    change, report = import_fields(cards=[build_card(DONE)], time_entries=entries)
    _, trusting_one = import_fields(cards=[build_card(DONE)], time_entries=entries, trusted_user_ids=["usr_zoe"])
    _, with_own = import_fields(cards=[build_card(DONE)], time_entries=[build_entry(7), entries[0]])

    assert {entry.user_id for entry in get_created(change, TimeEntry)} == {"usr_ann"}
    overlaps = "Time entries of Ann that overlap with others: 1, kept as they were."
    assert [message for message in get_messages(report) if "overlap" in message] == [overlaps]
    assert [message for message in get_messages(trusting_one) if "overlap" in message] == []
    assert [message for message in get_messages(with_own) if "overlap" in message] == [overlaps]


def test_overlapping_entries_of_an_importer_who_is_not_in_the_export_are_reported_as_theirs() -> None:
    entries = [build_entry(1), build_entry(2)]

    _, report = import_fields(cards=[build_card(DONE)], time_entries=entries, importer_id="usr_new")

    assert "Time entries of yours that overlap with others: 1, kept as they were." in get_messages(report)


def test_a_comment_that_is_cut_to_make_room_for_a_name_is_reported() -> None:
    comments = [
        build_comment(1, text="x" * 9_994),
        build_comment(2, text="y" * 9_995),
        build_comment(3, text="z" * 10_000),
    ]

    change, report = import_fields(cards=[build_card(TODO)], comments=comments)

    assert [comment.text[:6] + comment.text[-1] for comment in get_created(change, Comment)] == [
        "Zoe:\n\nx",
        "Zoe:\n\ny",
        "Zoe:\n\nz",
    ]
    assert [len(comment.text) for comment in get_created(change, Comment)] == [10_000, 9_999, 9_999]
    assert [(line.kind, line.name) for line in report.lines] == [("card", "Copy"), ("member", "Zoe")]
    assert (
        get_messages(report)[0]
        == "2 of its comments had to be cut: with the names of their authors they were too long."
    )


def test_a_long_comment_of_a_trusted_user_is_not_cut() -> None:
    change, report = import_fields(
        cards=[build_card(TODO)], comments=[build_comment(text="x" * 10_000)], trusted_user_ids=["usr_zoe"]
    )

    assert [len(comment.text) for comment in get_created(change, Comment)] == [10_000]
    assert get_messages(report) == []


@pytest.mark.parametrize("trusted_user_ids", [["usr_zoe"], []])
def test_comments_of_untrusted_users_are_attributed_and_those_of_trusted_ones_kept(trusted_user_ids: list[str]) -> None:
    cards = [build_card(DONE, assignee_ids=["usr_ann", "usr_zoe"])]
    work = build_entry(user_id="usr_zoe", user_name="Zoe", note="On paper")
    members = [build_member("usr_ann"), build_member("usr_zoe", "editor")]

    change, report = import_fields(
        cards=cards, members=members, comments=[build_comment()], time_entries=[work], trusted_user_ids=trusted_user_ids
    )

    (comment,), (entry,), (card,) = (
        get_created(change, Comment),
        get_created(change, TimeEntry),
        get_created(change, Card),
    )
    users = [member.user_id for member in get_created(change, Member)]
    if trusted_user_ids:
        assert (comment.author_id, comment.text, entry.user_id, entry.note) == ("usr_zoe", "No.", "usr_zoe", "On paper")
        assert (users, len(card.assignee_ids), get_messages(report)) == (["usr_ann", "usr_zoe"], 2, [])
        return
    assert (comment.author_id, comment.text) == ("usr_ann", "Zoe:\n\nNo.")
    assert (entry.user_id, entry.note) == ("usr_ann", "Zoe:\n\nOn paper")
    assert (users, len(card.assignee_ids)) == (["usr_ann"], 1)
    assert get_messages(report) == [
        (
            "Not imported in their own name: their membership and their assignments are left out; "
            "their comments (1) are yours now, and begin with their name; "
            "their time entries (1) are yours now, and their name is in the notes."
        ),
    ]


@pytest.mark.parametrize(
    ("user_id", "recorded_by", "trusted_user_ids", "becomes"),
    [
        ("usr_ann", None, [], None),
        ("usr_ann", "usr_ann", [], "usr_ann"),
        ("usr_ann", "usr_zoe", [], "usr_ann"),
        ("usr_ann", "usr_zoe", ["usr_zoe"], "usr_zoe"),
        ("usr_zoe", None, [], "usr_ann"),
        ("usr_zoe", None, ["usr_zoe"], None),
        ("usr_zoe", "usr_ann", [], "usr_ann"),
        ("usr_zoe", "usr_lou", ["usr_zoe"], "usr_ann"),
    ],
)
def test_an_import_records_time_in_the_name_of_trusted_users_only(
    user_id: str, recorded_by: str | None, trusted_user_ids: list[str], becomes: str | None
) -> None:
    """What was a clock's record of an untrusted user is the importer's statement."""
    entry = build_entry(user_id=user_id, recorded_by=recorded_by)

    change, _ = import_fields(cards=[build_card(DONE)], time_entries=[entry], trusted_user_ids=trusted_user_ids)

    assert [entry.recorded_by for entry in get_created(change, TimeEntry)] == [becomes]


def test_the_entries_that_an_untrusted_user_recorded_for_others_are_reported() -> None:
    entries = [build_entry(number, recorded_by=recorder) for number, recorder in enumerate(("usr_zoe", "usr_lou"))]
    entries += [build_entry(7, recorded_by="usr_ann"), build_entry(8)]
    of_zoe = build_entry(9, user_id="usr_zoe", user_name="Zoe", recorded_by="usr_zoe")

    _, report = import_fields(cards=[build_card(DONE)], time_entries=[*entries, of_zoe])

    recorded = "time entries of others that they recorded (1) are recorded by you now"
    own = "their time entries (1) are yours now, and their name is in the notes"
    assert [(line.name, line.message) for line in report.lines if line.kind == "member"] == [
        ("usr_lou", f"Not imported in their own name: {recorded}."),
        ("Zoe", f"Not imported in their own name: {own}; {recorded}."),
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
def test_only_text_that_an_import_attributed_is_not_attributed_again(
    text: str, imported_by: str | None, becomes: str
) -> None:
    """Nobody can make a text look like another person's by beginning it with their name."""
    change, _ = import_fields(cards=[build_card(TODO)], comments=[build_comment(text=text)], imported_by=imported_by)

    assert [comment.text for comment in get_created(change, Comment)] == [becomes]


def test_a_note_that_is_cut_to_make_room_for_a_name_is_reported() -> None:
    entries = [
        build_entry(number, user_id="usr_zoe", user_name="Zoe", note="x" * length)
        for number, length in enumerate((994, 995, 1_000))
    ]

    change, report = import_fields(cards=[build_card(DONE)], time_entries=entries)

    notes = [entry.note for entry in get_created(change, TimeEntry)]
    assert [(note[:7], len(note)) for note in notes] == [("Zoe:\n\nx", 1_000), *[("Zoe:\n\nx", 999)] * 2]
    assert (
        "2 of the notes of its time entries had to be cut: with the names of their users they were too long."
        in get_messages(report)
    )


def test_a_list_knows_the_ranks_of_all_its_cards_and_counts_those_in_use() -> None:
    cards = [
        build_card(TODO, 1, place="a3"),
        build_card(TODO, 2, place="a1", archived_at=CREATED),
        build_card(TODO, 3, place="a5", archived_at=CREATED),
        build_card(DONE, 4, place="a9"),
    ]

    change, _ = import_fields(cards=cards)

    assert [
        (list_.card_count, list_.first_rank, list_.last_rank, list_.version) for list_ in get_created(change, List)
    ] == [
        (1, "a1", "a5", 1),
        (0, "", "", 1),
        (1, "a9", "a9", 1),
    ]


def test_a_card_counts_its_items_and_comments_and_its_checklists_stand_in_order() -> None:
    item: JsonObject = {"text": "Ask", "assignee_id": None, "due_at": None, **TIMES}
    checklists: list[JsonObject] = [
        {"id": f"checklist{number}", "card_id": "card1", "name": "Steps", "items": items, **TIMES}
        for number, items in enumerate([[item | {"done": True}, item | {"done": False}], [item | {"done": True}]])
    ]

    change, _ = import_fields(
        cards=[build_card(TODO)], checklists=checklists, comments=[build_comment(1), build_comment(2)]
    )

    (card,) = get_created(change, Card)
    assert (card.item_count, card.done_count, card.comment_count, card.version) == (3, 2, 2, 1)
    assert [(checklist.rank, checklist.version) for checklist in get_created(change, Checklist)] == [
        ("a0", 1),
        ("a1", 1),
    ]


def test_a_checklist_item_keeps_an_assignee_who_is_a_member() -> None:
    item: JsonObject = {"text": "Ask", "done": False, "due_at": None, **TIMES}
    items = [item | {"assignee_id": user_id} for user_id in ("usr_ann", "usr_zoe", None)]
    checklist: JsonObject = {"id": "checklist1", "card_id": "card1", "name": "Steps", "items": items, **TIMES}
    members = [build_member("usr_ann"), build_member("usr_zoe")]

    change, _ = import_fields(members=members, cards=[build_card(TODO)], checklists=[checklist])

    (ann,), (steps,) = get_created(change, Member), get_created(change, Checklist)
    assert [item.assignee_id for item in steps.items] == [ann.id, None, None]
    assert [item.version for item in steps.items] == [1, 1, 1]


@pytest.mark.parametrize(
    ("roles", "line"),
    [
        ({"usr_ann": "owner"}, []),
        ({"usr_ann": "editor"}, ["Whoever imports a board owns it: you were not an owner of this one."]),
        ({"usr_zoe": "owner"}, ["Whoever imports a board owns it: you were not an owner of this one."]),
    ],
)
def test_the_importer_owns_the_board_and_reads_so_where_that_is_new(roles: dict[str, str], line: list[str]) -> None:
    change, report = import_fields(
        members=[build_member(*user_and_role) for user_and_role in roles.items()], trusted_user_ids=["usr_zoe"]
    )

    by_user = {member.user_id: member.role for member in get_created(change, Member)}
    assert by_user == {"usr_ann": Role.OWNER, **({"usr_zoe": Role.OWNER} if "usr_zoe" in roles else {})}
    assert get_messages(report) == line


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
        "cards": [build_card(DOING)],
        "time_entries": [build_entry(started_at=started_at, ended_at=ended_at)],
    }

    if refused:
        assert get_error(**fields)[0] == refused
    else:
        assert len(get_created(import_fields(**fields)[0], TimeEntry)) == 1


def test_a_card_has_at_most_one_running_clock_and_only_in_progress() -> None:
    two = [build_entry(number, ended_at=None) for number in (1, 2)]

    assert get_error(cards=[build_card(DOING)], time_entries=two)[0] == "time_entries/1/ended_at"
    assert get_error(cards=[build_card(TODO)], time_entries=two[:1])[0] == "time_entries/0/ended_at"


def test_tracked_time_and_cost_are_the_sums_of_the_entries() -> None:
    entries = [build_entry(1, hourly_rate_minor=100), build_entry(2, hourly_rate_minor=200, user_id="usr_zoe")]

    change, report = import_fields(cards=[build_card(DONE)], time_entries=entries, trusted_user_ids=["usr_zoe"])

    (card,) = get_created(change, Card)
    assert (card.tracked_seconds, card.tracked_cost) == (7_200, 3_600 * 300)
    assert [entry.version for entry in get_created(change, TimeEntry)] == [1, 1]
    assert report.counts["time_entries"] == 2


def test_entries_that_only_touch_do_not_overlap_and_a_long_one_overlaps_all_that_it_holds() -> None:
    def overlaps(*spans: tuple[int, int | None]) -> list[str]:
        entries = [
            build_entry(
                number,
                started_at=f"2026-02-01T{start:02}:00:00Z",
                ended_at=None if end is None else f"2026-02-01T{end:02}:00:00Z",
            )
            for number, (start, end) in enumerate(spans)
        ]
        return get_messages(import_fields(cards=[build_card(DOING)], time_entries=entries)[1])

    assert overlaps((9, 10), (10, 11)) == []
    assert overlaps((9, 12), (10, 11), (11, 12)) == [
        "Time entries of Ann that overlap with others: 2, kept as they were."
    ]
    assert overlaps((9, None), (10, 11)) == ["Time entries of Ann that overlap with others: 1, kept as they were."]


def card_history(card: JsonObject, lists: list[JsonObject] | None = None) -> list[tuple[str, str, str | None]]:
    """Return the events of one card."""
    change, _ = import_fields(cards=[card], lists=lists or [build_list(stage) for stage in (TODO, DOING, DONE)])
    return [entry for entry in list_history(change) if entry[0].startswith("card.")]


def test_a_card_that_never_moved_was_made_where_it_is() -> None:
    assert card_history(build_card(DONE, updated_at="2026-03-01T09:00:00Z")) == [("card.created", "01-01", DONE)]


def test_a_card_that_was_started_and_stopped_came_back_with_its_last_change() -> None:
    card = build_card(TODO, started_at="2026-02-01T09:00:00Z", updated_at="2026-03-01T09:00:00Z")

    assert card_history(card) == [
        ("card.created", "01-01", TODO),
        ("card.moved", "02-01", DOING),
        ("card.moved", "03-01", TODO),
    ]


def test_of_several_moves_in_one_second_only_the_last_is_told() -> None:
    at = "2026-02-01T09:00:00Z"

    assert card_history(build_card(DONE, started_at=CREATED, resolved_at=at)) == [
        ("card.created", "01-01", DOING),
        ("card.moved", "02-01", DONE),
    ]
    assert card_history(build_card(DONE, started_at=at, resolved_at=at)) == [
        ("card.created", "01-01", TODO),
        ("card.moved", "02-01", DONE),
    ]


def test_a_card_in_a_second_list_in_progress_was_started_there() -> None:
    lists = [build_list(TODO), build_list(DOING), build_list(DOING, id="review", name="review"), build_list(DONE)]

    assert card_history(build_card("review", started_at="2026-02-01T09:00:00Z"), lists) == [
        ("card.created", "01-01", TODO),
        ("card.moved", "02-01", "review"),
    ]


def test_the_move_that_completed_a_card_tells_how_long_it_took() -> None:
    change, _ = import_fields(cards=[build_card(DONE, **DONE_IN_MARCH)])

    moves = [event.data for event in change.history if event.type == "card.moved"]
    assert [move.get("created_at") for move in moves] == [None, CREATED]
    assert [(move["from_stage"], move["to_stage"]) for move in moves] == [(TODO, DOING), (DOING, DONE)]


def test_the_history_begins_with_the_board_and_is_numbered_without_gaps() -> None:
    change, _ = import_fields(cards=[build_card(TODO)])

    assert [event.seq for event in change.history] == list(range(1, len(change.history) + 1))
    (board,) = get_created(change, Board)
    assert (change.history[0].type, change.history[0].at) == ("board.created", board.created_at)
    assert board.created_at < NOON
    assert change.event is not None
    assert change.event.seq == len(change.history) + 1
    assert (board.seq, board.version) == (change.event.seq, 1)


def test_nothing_in_the_history_lies_in_the_future() -> None:
    later = "2026-11-21T12:00:00Z"

    change, _ = import_fields(cards=[build_card(TODO, created_at=later, updated_at=later)])

    assert max(event.at for event in change.history) == NOON


def test_a_report_counts_what_was_imported() -> None:
    label = {"id": "label1", "name": "Bug", "color": "red", **TIMES}
    checklist = {"id": "checklist1", "card_id": "card1", "name": "Steps", "items": [], **TIMES}
    comments = [build_comment(1), build_comment(2)]

    change, report = import_fields(
        cards=[build_card(TODO)],
        labels=[label],
        checklists=[checklist],
        comments=comments,
        time_entries=[build_entry()],
    )

    counts = {"lists": 3, "cards": 1, "labels": 1, "checklists": 1, "comments": 2, "time_entries": 1}
    assert dict(report.counts) == counts
    assert change.event is not None
    assert {name: change.event.data[name] for name in counts} == counts
    assert {getattr(value, "version", None) for value in change.creates} == {1}
