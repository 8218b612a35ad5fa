"""Imports of Trello exports: what they become, and what is reported."""

from itertools import count
from typing import Any

import pytest

from kanban import card_size
from kanban.changes import ActionContext, Change
from kanban.interchange import trello_import
from kanban.interchange.import_report import MAX_LINES, ImportReport
from kanban.interchange.trello_import import NoListsInImport
from kanban.interchange.trello_reader import parse_timestamp
from kanban.text import fold
from kanban.timekeeping.timestamps import format_optional_utc
from kanban.values import Board, Card, Checklist, Comment, Label, List, Stage, TimeEntry
from tests.kanban.fake_store import NOON

BOARD = "5f3c2a1b9d8e7f6a5b4c3d00"


def trello_id(number: int) -> str:
    """Return a Trello id of a thing that was created `number` seconds after 2020-08-18 19:20:59 UTC."""
    return f"{0x5F3C2A1B + number:08x}{number:016x}"


def build_object(number: int, **fields: Any) -> dict[str, Any]:
    """Build an object of a Trello export."""
    return {"id": trello_id(number), **fields}


TODO, DOING, DONE = (build_object(number, name=name) for number, name in enumerate(("Ideas", "In progress", "Done"), 1))


def build_export(**fields: Any) -> dict[str, Any]:
    """Build an export of a board with three lists."""
    return {"id": BOARD, "name": "Website", "lists": [TODO, DOING, DONE], "cards": [], **fields}


def import_fields(**fields: Any) -> tuple[Change, ImportReport]:
    """Import an export with these fields; return the change and the report."""
    numbers = count(1)
    context = ActionContext("usr_ann", NOON, lambda kind: f"{kind}_{next(numbers):05d}")
    _, change, report = trello_import.import_board(build_export(**fields), context)
    return change, report


def get_created(change: Change, kind: type[Any]) -> list[Any]:
    """Return the values of that kind that a change creates."""
    return [value for value in change.creates if isinstance(value, kind)]


def get_messages(report: ImportReport) -> list[str]:
    """Return the messages of a report."""
    return [line.message for line in report.lines]


def build_move(card: int, source: dict[str, Any], target: dict[str, Any], date: str) -> dict[str, Any]:
    """Build an action that moves a card."""
    data = {"card": {"id": trello_id(card)}, "listBefore": {"id": source["id"]}, "listAfter": {"id": target["id"]}}
    return {"type": "updateCard", "date": date, "data": data}


def test_lists_get_stages_by_their_names() -> None:
    change, report = import_fields()

    assert [(list_.name, list_.stage) for list_ in get_created(change, List)] == [
        ("Ideas", Stage.TODO),
        ("In progress", Stage.IN_PROGRESS),
        ("Done", Stage.DONE),
    ]
    (new,) = get_created(change, Board)
    assert (new.name, new.external_id, new.created_by) == ("Website", f"trello:{BOARD}", "usr_ann")
    assert report.lines == []


def test_the_last_list_becomes_done_if_no_name_means_done() -> None:
    change, _ = import_fields(lists=[build_object(1, name="A"), build_object(2, name="B"), build_object(3, name="C")])

    assert [list_.stage for list_ in get_created(change, List)] == [Stage.TODO, Stage.TODO, Stage.DONE]


@pytest.mark.parametrize(
    ("names", "stages"),
    [
        (["To do", "Deliverables", "Incomplete", "Abandoned", "Inactive", "DONE ✅"], ["todo"] * 5 + ["done"]),
        (["Backlog", "Code review", "Shipped (v2)"], ["todo", "in_progress", "done"]),
        (["Not done", "In-progress", "Completed"], ["todo", "in_progress", "done"]),
        (["Doing", "Review"], ["in_progress", "in_progress"]),
        (["Ideas"], ["todo"]),
    ],
)
def test_list_names_are_matched_by_whole_words(names: list[str], stages: list[str]) -> None:
    change, _ = import_fields(lists=[build_object(number, name=name) for number, name in enumerate(names)])

    assert [str(list_.stage) for list_ in get_created(change, List)] == stages


def test_a_guessed_or_missing_stage_is_reported() -> None:
    _, guessed = import_fields(lists=[build_object(1, name="A"), build_object(2, name="B")])
    _, missing = import_fields(lists=[build_object(1, name="A"), build_object(2, name="Doing")])

    assert get_messages(guessed) == ["No list's name says that work is done there, so this one is 'done'."]
    assert get_messages(missing) == ["No list's name says that work is done there: add a list of that stage."]


def test_lists_and_cards_get_their_trello_ids_as_unique_external_ids() -> None:
    cards = [build_object(9, idList=TODO["id"], name="A"), build_object(9, idList=TODO["id"], name="B")]
    malformed: tuple[Any, ...] = (None, [], "x" * 24, 7)
    cards += [{"id": value, "idList": TODO["id"], "name": "C"} for value in malformed]
    change, _ = import_fields(lists=[TODO | {"softLimit": 4}, DOING | {"softLimit": 0}], cards=cards)

    assert [(list_.external_id, list_.wip_limit) for list_ in get_created(change, List)] == [
        (f"trello:{TODO['id']}", 4),
        (f"trello:{DOING['id']}", None),
    ]
    external_ids = [card.external_id for card in get_created(change, Card) if card.external_id]
    assert external_ids == [f"trello:{trello_id(9)}"]


def test_a_board_has_the_given_currency_and_rate_and_cards_in_progress_have_running_clocks() -> None:
    context = ActionContext("usr_ann", NOON, lambda kind: f"{kind}_1")
    export = build_export(cards=[build_object(9, idList=DOING["id"], name="Copy")])

    _, change, report = trello_import.import_board(export, context, currency="EUR", hourly_rate_minor=1_500)

    (new,), (entry,) = get_created(change, Board), get_created(change, TimeEntry)
    assert (new.currency, new.hourly_rate_minor, entry.rate_minor) == ("EUR", 1_500, 1_500)
    assert get_messages(report) == ["Trello tracks no time: clocks start now on 1 of the cards."]


def test_cards_are_sorted_by_pos_or_keep_the_order_of_the_export_if_one_has_none() -> None:
    cards = [build_object(9, idList=TODO["id"], name="B", pos=2), build_object(8, idList=TODO["id"], name="A", pos=1)]

    by_position, _ = import_fields(cards=cards)
    unsorted, _ = import_fields(cards=[*cards, build_object(7, idList=TODO["id"], name="C")])

    assert get_titles(by_position) == ["A", "B"]
    assert get_titles(unsorted) == ["B", "A", "C"]


def test_creation_times_come_from_ids_and_are_never_in_the_future() -> None:
    change, _ = import_fields(
        cards=[build_object(60, idList=TODO["id"], name="Old"), {"id": "f" * 24, "idList": TODO["id"], "name": "Odd"}]
    )

    created = {card.title: card.created_at.isoformat() for card in get_created(change, Card)}
    assert created == {"Old": "2020-08-18T19:21:59+00:00", "Odd": NOON.isoformat()}


@pytest.mark.parametrize("value", ["1", "000000000000000000000001", "-1234567", "none", None])
def test_things_without_a_trello_id_are_created_now(value: str | None) -> None:
    lists = [{"id": value or "x", "name": "Ideas"}]
    change, _ = import_fields(id=value, lists=lists, cards=[{"id": value, "idList": value or "x", "name": "Copy"}])

    assert {created.created_at for kind in (Board, List, Card) for created in get_created(change, kind)} == {NOON}


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2999-12-31T23:30:00-01:00", 7, "soon"]
)
def test_timestamps_out_of_range_are_ignored(value: object) -> None:
    times = dict.fromkeys(("start", "due", "dateLastActivity"), value)
    change, _ = import_fields(cards=[build_object(9, idList=TODO["id"], name="Copy", **times)])

    (card,) = get_created(change, Card)
    assert (card.start_at, card.due_at, card.updated_at) == (None, None, card.created_at)


def test_moves_become_events_and_set_the_timestamps_of_the_card() -> None:
    actions = [
        build_move(9, DOING, DONE, "2020-09-02T10:00:00.000Z"),
        build_move(9, TODO, DOING, "2020-09-01T10:00:00.000Z"),
    ]
    change, _ = import_fields(cards=[build_object(9, idList=DONE["id"], name="Copy")], actions=actions)

    (card,) = get_created(change, Card)
    assert (str(card.started_at), str(card.resolved_at)) == ("2020-09-01 10:00:00+00:00", "2020-09-02 10:00:00+00:00")
    history = [(event.type, event.at.isoformat()[:10]) for event in change.history if event.card_id]
    assert history == [("card.created", "2020-08-18"), ("card.moved", "2020-09-01"), ("card.moved", "2020-09-02")]
    assert [event.seq for event in change.history] == [*range(1, len(change.history) + 1)]
    assert change.event
    assert (change.event.type, change.event.seq) == ("board.imported", len(change.history) + 1)


def test_the_clock_of_a_card_in_progress_starts_at_the_import() -> None:
    change, _ = import_fields(cards=[build_object(9, idList=DOING["id"], name="Copy")])

    (card,), (entry,) = get_created(change, Card), get_created(change, TimeEntry)
    assert card.running == entry
    assert entry.started_at == NOON


def test_a_truncated_history_gives_no_timestamps_before_its_start() -> None:
    actions = [{"type": "commentBoard", "date": "2020-10-01T00:00:00Z", "data": {}}] * trello_import.MAX_ACTIONS
    change, report = import_fields(cards=[build_object(9, idList=DONE["id"], name="Copy")], actions=actions)

    (card,) = get_created(change, Card)
    assert card.resolved_at is None
    assert get_messages(report) == ["Trello gives the last 1000 actions: what happened before 2020-10-01 is not known."]


TRUNCATED: tuple[dict[str, Any], ...] = ({"type": "commentBoard", "date": "2020-09-01T00:00:00Z", "data": {}},)
TRUNCATED *= trello_import.MAX_ACTIONS


@pytest.mark.parametrize(("source", "target"), [(DOING, TODO), (DONE, build_object(4, name="Shipped"))])
def test_a_truncated_history_does_not_say_on_which_stage_a_card_was_created(
    source: dict[str, Any], target: dict[str, Any]
) -> None:
    actions = [build_move(9, source, target, "2020-10-01T00:00:00Z"), *TRUNCATED]
    lists = [TODO, DOING, DONE, build_object(4, name="Shipped")]
    change, _ = import_fields(lists=lists, cards=[build_object(9, idList=target["id"], name="Copy")], actions=actions)
    whole, _ = import_fields(
        lists=lists, cards=[build_object(9, idList=target["id"], name="Copy")], actions=actions[:1]
    )

    (card,), (known,) = get_created(change, Card), get_created(whole, Card)
    assert (card.started_at, card.resolved_at) == (None, None)
    assert known.created_at in (known.started_at, known.resolved_at)


def test_an_unrecorded_move_within_done_keeps_resolved_at() -> None:
    shipped = build_object(4, name="Shipped")
    card = build_object(9, idList=shipped["id"], name="Copy", dateLastActivity="2020-12-01T00:00:00Z")
    change, _ = import_fields(
        lists=[TODO, DONE, shipped], cards=[card], actions=[build_move(9, TODO, DONE, "2020-10-01T00:00:00Z")]
    )

    (done,) = get_created(change, Card)
    assert f"{done.resolved_at:%Y-%m-%d}" == "2020-10-01"
    assert [(event.type, f"{event.at:%m-%d}") for event in change.history if event.card_id][1:] == [
        ("card.moved", "10-01"),
        ("card.moved", "12-01"),
    ]


def test_an_unrecorded_move_to_done_happened_at_the_last_activity() -> None:
    card = build_object(9, idList=DONE["id"], name="Copy", dateLastActivity="2020-12-01T00:00:00Z")
    change, _ = import_fields(cards=[card], actions=[build_move(9, TODO, DOING, "2020-10-01T00:00:00Z")])

    (done,) = get_created(change, Card)
    assert (f"{done.started_at:%m-%d}", f"{done.resolved_at:%m-%d}") == ("10-01", "12-01")


def test_closed_lists_and_cards_are_archived_and_not_counted() -> None:
    closed = build_object(4, name="Old", closed=True)
    cards = [build_object(8, idList=TODO["id"], name="A", closed=True), build_object(9, idList=closed["id"], name="B")]
    change, report = import_fields(lists=[TODO, closed], cards=cards)

    lists = {list_.name: list_ for list_ in get_created(change, List)}
    assert lists["Old"].archived_at == NOON
    assert (lists["Ideas"].card_count, lists["Old"].card_count) == (0, 1)
    assert {card.title: card.archived_at for card in get_created(change, Card)} == {"A": NOON, "B": None}
    assert report.lines == []
    assert [event.type for event in change.history[-2:]] == ["card.archived", "list.archived"]
    last = change.history[-1]
    assert (last.at, last.list_id, last.card_id) == (NOON, lists["Old"].id, None)
    assert last.data == {"name": "Old", "stage": "todo", "card_count": 1}


def test_labels_get_names_and_colors_and_dangling_ones_are_reported() -> None:
    labels = [
        build_object(1, name="", color="red"),
        build_object(2, name="Red", color="sky_dark"),
        build_object(3, name="Plain", color=None),
        build_object(4),
    ]
    ids = [trello_id(1), trello_id(77)]
    change, report = import_fields(labels=labels, cards=[build_object(9, idList=TODO["id"], name="Copy", idLabels=ids)])

    mapped = get_created(change, Label)
    assert [(label.name, str(label.color)) for label in mapped] == [
        ("red", "red"),
        ("Red 2", "sky"),
        ("Plain", "black"),
        ("black", "black"),
    ]
    (card,) = get_created(change, Card)
    assert card.label_ids == (mapped[0].id,)
    assert "1 of its labels are not in the export, or were left out." in get_messages(report)


def test_labels_with_equal_folded_names_are_numbered() -> None:
    labels = [build_object(1, name="\u0390", color="red"), build_object(2, name="\u03aa\u0301", color="red")]
    change, _ = import_fields(labels=labels)

    names = [label.name for label in get_created(change, Label)]
    assert names == ["\u0390", "\u03aa\u0301 2"]
    assert len({fold(name) for name in names}) == 2


def test_checklists_and_comments_are_imported() -> None:
    steps = [
        {"name": "Later", "pos": 2, "state": "incomplete", "due": "2026-12-01T00:00:00.000Z"},
        {"name": "First", "pos": 1, "state": "complete"},
    ]
    checklists = [build_object(5, idCard=trello_id(9), name="Steps", checkItems=steps)]
    comment = {
        "type": "commentCard",
        "date": "2020-09-01T10:00:00.000Z",
        "data": {"card": {"id": trello_id(9)}, "text": "Looks *fine*."},
        "memberCreator": {"fullName": "Lou Lee"},
    }
    change, report = import_fields(
        cards=[build_object(9, idList=TODO["id"], name="Copy")], checklists=checklists, actions=[comment]
    )

    (card,), (checklist,), (imported,) = (
        get_created(change, Card),
        get_created(change, Checklist),
        get_created(change, Comment),
    )
    assert [(item.text, item.done) for item in checklist.items] == [("First", True), ("Later", False)]
    assert (card.item_count, card.done_count, card.comment_count) == (2, 1, 1)
    assert imported.text == "Lou Lee:\n\nLooks *fine*."
    assert dict(report.counts) == {"lists": 3, "cards": 1, "labels": 0, "checklists": 1, "comments": 1}


def test_comments_over_ten_thousand_characters_are_cut_and_reported() -> None:
    comment: dict[str, Any] = {
        "type": "commentCard",
        "date": "2020-09-01T10:00:00Z",
        "memberCreator": {"username": "lou"},
    }
    texts: list[Any] = ["x" * 9_994, "y" * 9_995, "z" * 16_384, None]
    actions = [comment | {"data": {"card": {"id": trello_id(9)}, "text": text}} for text in texts]
    change, report = import_fields(cards=[build_object(9, idList=TODO["id"], name="Copy")], actions=actions)

    assert [len(comment.text) for comment in get_created(change, Comment)] == [10_000, 9_999, 9_999, 4]
    assert get_messages(report) == [
        "2 of its comments had to be cut: with the names of their authors they were too long."
    ]


def test_attachments_become_links_and_unsafe_addresses_are_omitted() -> None:
    attachments = [
        {"name": "Plan", "url": "https://trello.com/plan.pdf", "isUpload": True},
        {"name": "Bad", "url": "javascript:alert(1)"},
    ]
    change, report = import_fields(cards=[build_object(9, idList=TODO["id"], name="Copy", attachments=attachments)])

    (card,) = get_created(change, Card)
    assert [link.url for link in card.links] == ["https://trello.com/plan.pdf"]
    assert get_messages(report) == [
        "The file itself stays with Trello; 'Copy' links to it.",
        "The card 'Copy' points to an address that is not kept.",
    ]


@pytest.mark.parametrize(
    "url", ["http://", "https://", "https://" + "a" * 2_001, "https://a b", "http://\u00e9", "http://a\n"]
)
def test_an_invalid_address_is_omitted_and_reported(url: str) -> None:
    attachments = [{"name": "Odd", "url": url}, {"name": "Long", "url": "https://" + "a" * 2_000}]
    change, report = import_fields(cards=[build_object(9, idList=TODO["id"], name="Copy", attachments=attachments)])

    (card,) = get_created(change, Card)
    assert [link.title for link in card.links] == ["Long"]
    assert get_messages(report) == ["The card 'Copy' points to an address that is not kept."]


def test_a_card_that_is_too_large_loses_links_and_then_the_end_of_its_description() -> None:
    attachments = [{"name": "Plan", "url": "https://" + "a" * 2_000}] * 20
    long = build_object(9, idList=TODO["id"], name="Long", desc="Ж" * 16_384, attachments=attachments[:19])
    longer = build_object(8, idList=TODO["id"], name="Longer", desc="𐐀" * 16_384, attachments=attachments)

    change, report = import_fields(cards=[long, longer])

    texts = {card.title: (len(card.description), len(card.links)) for card in get_created(change, Card)}
    assert texts == {"Long": (16_384, 10), "Longer": (10_000, 0)}
    assert sorted(get_messages(report)) == [
        "It has more text than can be kept: 20 of its links were left out.",
        "It has more text than can be kept: 9 of its links were left out.",
        "Its description was shortened: it has more text than can be kept.",
    ]


def test_a_card_of_exactly_the_maximum_size_is_kept_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    full = build_object(9, idList=TODO["id"], name="Full", desc="x" * 10_001)
    size = card_size.compute_stored_bytes("Full", "x" * 10_001, ())

    for maximum, kept in ((size, 10_001), (size - 1, 10_000)):
        monkeypatch.setattr(card_size, "MAX_STORED_BYTES", maximum)
        change, _ = import_fields(cards=[full])
        assert [len(card.description) for card in get_created(change, Card)] == [kept]


def test_a_card_without_a_list_is_omitted_and_reported() -> None:
    change, report = import_fields(cards=[build_object(9, idList="nowhere", name="Lost")])

    assert get_created(change, Card) == []
    assert [(line.kind, line.name) for line in report.lines] == [("card", "Lost")]


def test_a_list_without_a_unique_id_is_omitted_with_its_cards_and_reported() -> None:
    lists = [TODO, {"name": "Nameless"}, DONE, DONE | {"name": "Twin"}, {"id": None, "name": "None"}, {"id": 7}]
    cards = [
        build_object(7, idList=DONE["id"], name="Kept"),
        {"name": "Lost"},
        build_object(8, idList=None, name="None"),
    ]
    change, report = import_fields(lists=lists, cards=cards)

    assert [list_.name for list_ in get_created(change, List)] == ["Ideas", "Done"]
    assert [card.title for card in get_created(change, Card)] == ["Kept"]
    assert report.counts["lists"] == 2
    assert [event.type for event in change.history] == ["board.created", "list.created", "list.created", "card.created"]
    assert sorted(line.name for line in report.lines if line.kind == "list") == ["A list", "Nameless", "None", "Twin"]
    assert sorted(line.name for line in report.lines if line.kind == "card") == ["Lost", "None"]


def test_an_export_of_lists_without_ids_has_no_lists() -> None:
    with pytest.raises(NoListsInImport):
        import_fields(lists=[{"name": "One"}, {"name": "Two"}])


def test_members_and_custom_fields_are_reported() -> None:
    cards = [build_object(9, idList=TODO["id"], name="Copy", idMembers=["x"], customFieldItems=[{}])]
    _, report = import_fields(cards=cards)

    assert get_messages(report) == [
        "1 of the cards had members: invite people, then assign them here.",
        "1 of the cards had custom fields, which are not kept.",
    ]


def test_a_hundred_thousand_labels_are_one_line_of_the_report() -> None:
    change, report = import_fields(labels=[build_object(number, name=f"L{number}") for number in range(100_000)])

    assert len(get_created(change, Label)) == 200
    assert get_messages(report) == ["A board has at most 200 labels: 99800 were left out."]


def test_a_report_lists_two_hundred_lines_and_counts_the_others() -> None:
    _, report = import_fields(
        cards=[build_object(number, idList="nowhere", name="Lost") for number in range(MAX_LINES + 7)]
    )

    assert (len(report.lines), report.omitted_lines) == (MAX_LINES, 7)


def test_an_export_without_lists_is_refused() -> None:
    with pytest.raises(NoListsInImport, match="no lists"):
        import_fields(lists=[])


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [None], ["x"], [{}], [{"id": None, "name": 7, "pos": "top"}]])
def test_malformed_values_are_ignored(value: Any) -> None:
    fields = dict.fromkeys(("cards", "labels", "checklists", "actions"), value)
    card = dict.fromkeys(("id", "name", "desc", "pos", "idLabels", "attachments", "due", "start", "closed"), value)

    change, _ = import_fields(**fields)
    with_odd_card, _ = import_fields(cards=[{**card, "idList": TODO["id"]}])

    assert len(get_created(change, List)) == 3
    assert len(get_created(with_odd_card, Card)) == 1


def get_titles(change: Change) -> list[str]:
    return [card.title for card in sorted(get_created(change, Card), key=lambda card: card.rank)]


@pytest.mark.parametrize(
    ("limit", "kept"), [(0, None), (1, 1), (5_000, 5_000), (5_001, None), (True, None), (2.0, None), ("3", None)]
)
def test_a_wip_limit_is_kept_if_a_list_can_have_it(limit: object, kept: int | None) -> None:
    change, _ = import_fields(lists=[TODO | {"softLimit": limit}])

    assert [list_.wip_limit for list_ in get_created(change, List)] == [kept]


def test_of_more_lists_than_fit_those_in_use_come_first() -> None:
    lists = [build_object(number, name=f"List {number}", closed=number < 2) for number in range(101)]
    cards = [build_object(500, idList=trello_id(1), name="Lost"), build_object(501, idList=trello_id(0), name="Kept")]

    change, report = import_fields(lists=lists, cards=cards)

    assert [list_.name for list_ in get_created(change, List)] == [
        "List 0",
        *(f"List {number}" for number in range(2, 101)),
    ]
    assert [card.title for card in get_created(change, Card)] == ["Kept"]
    assert [(line.kind, line.name, line.message) for line in report.lines][:1] == [
        ("list", "List 1", "A board has at most 100 lists: left out, with its cards.")
    ]


def test_a_list_gets_as_many_cards_in_use_as_it_can_hold_and_archived_ones_besides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trello_import, "MAX_CARDS_PER_LIST", 2)
    cards = [
        build_object(number, idList=TODO["id"], name=f"{number}", pos=number, closed=number == 12)
        for number in (*range(10, 15),)
    ]

    change, report = import_fields(cards=cards)

    (home, *_), kept = get_created(change, List), {card.title: card for card in get_created(change, Card)}
    assert [*kept] == ["10", "11", "12"]
    assert (home.card_count, home.first_rank, home.last_rank) == (2, kept["10"].rank, kept["12"].rank)
    assert [(line.kind, line.name, line.message) for line in report.lines] == [
        ("card", name, "A list holds at most 2 cards. It was left out.") for name in ("13", "14")
    ]


@pytest.mark.parametrize(
    ("name", "title", "is_changed"),
    [("x" * 500, "x" * 500, False), ("x" * 501, "x" * 500, True), ("", "Untitled", True), ("A\nB", "A B", True)],
)
def test_a_title_is_made_to_fit(name: str, title: str, *, is_changed: bool) -> None:
    change, report = import_fields(cards=[build_object(9, idList=TODO["id"], name=name)])

    assert [card.title for card in get_created(change, Card)] == [title]
    assert (
        get_messages(report)
        == ["Its title was changed: it was blank, too long, or had characters that can't be shown."] * is_changed
    )


@pytest.mark.parametrize(
    ("text", "length", "is_changed"),
    [
        ("a\r\nb", 3, False),
        ("x" * 20_000, 20_000, False),
        ("x" * 20_001, 19_999, True),
        ("a\x00b", 2, True),
        (None, 0, False),
    ],
)
def test_a_description_that_lost_something_is_told(text: str | None, length: int, *, is_changed: bool) -> None:
    change, report = import_fields(cards=[build_object(9, idList=TODO["id"], name="Copy", desc=text)])

    assert [len(card.description) for card in get_created(change, Card)] == [length]
    assert (
        get_messages(report) == ["Its description was shortened, or lost characters that can't be shown."] * is_changed
    )


@pytest.mark.parametrize(("start", "is_kept"), [("2020-10-01T00:00:00Z", True), ("2020-10-01T00:00:01Z", False)])
def test_a_start_after_the_due_date_is_left_out(start: str, *, is_kept: bool) -> None:
    card = build_object(9, idList=TODO["id"], name="Copy", start=start, due="2020-10-01T00:00:00Z", dueComplete=True)

    change, report = import_fields(cards=[card])

    (new,) = get_created(change, Card)
    assert (new.start_at is not None, new.due_at is not None, new.due_complete) == (is_kept, True, True)
    assert get_messages(report) == ["Its start date lay after its due date: the start date was left out."] * (
        not is_kept
    )


@pytest.mark.parametrize(
    ("last", "updated_at"),
    [
        ("2020-01-01T00:00:00Z", "2020-08-18T19:21:08"),
        ("2020-12-01T00:00:00Z", "2020-12-01T00:00:00"),
        ("2027-01-01T00:00:00Z", "2026-11-20T12:00:00"),
    ],
)
def test_a_card_was_changed_between_its_creation_and_now(last: str, updated_at: str) -> None:
    change, _ = import_fields(cards=[build_object(9, idList=TODO["id"], name="Copy", dateLastActivity=last)])

    assert [f"{card.updated_at:%Y-%m-%dT%H:%M:%S}" for card in get_created(change, Card)] == [updated_at]


def test_moves_from_before_a_card_was_made_or_among_other_lists_are_passed_over() -> None:
    other = build_object(77, name="Gone")
    actions = [
        build_move(9, TODO, DOING, "2020-08-01T00:00:00Z"),
        build_move(9, other, DOING, "2020-09-01T00:00:00Z"),
        build_move(9, DOING, other, "2020-09-02T00:00:00Z"),
        build_move(9, TODO, TODO, "2020-09-03T00:00:00Z"),
        build_move(9, TODO, DOING, "2020-09-04T00:00:00Z"),
        {"type": "updateCard", "date": None, "data": actions_data(9)},
        {"type": "moveCard", "date": "2020-09-05T00:00:00Z", "data": actions_data(9)},
    ]
    change, _ = import_fields(cards=[build_object(9, idList=DOING["id"], name="Copy")], actions=actions)

    events = [(event.type, f"{event.at:%m-%d}") for event in change.history if event.card_id]
    assert events == [("card.created", "08-18"), ("card.moved", "09-04")]
    (card,) = get_created(change, Card)
    assert f"{card.started_at:%m-%d}" == "09-04"


def actions_data(card: int) -> dict[str, Any]:
    """Return the data of an action that moves a card from 'Ideas' to 'Done'."""
    return {"card": {"id": trello_id(card)}, "listBefore": {"id": TODO["id"]}, "listAfter": {"id": DONE["id"]}}


def test_a_move_at_the_second_of_creation_counts_and_one_from_the_future_was_now() -> None:
    actions = [
        build_move(9, TODO, DOING, "2020-08-18T19:21:08Z"),
        build_move(9, DOING, DONE, "2027-01-01T00:00:00Z"),
    ]
    change, _ = import_fields(cards=[build_object(9, idList=DONE["id"], name="Copy")], actions=actions)

    (card,) = get_created(change, Card)
    assert (card.started_at, card.resolved_at) == (card.created_at, NOON)


def test_a_card_that_came_back_from_done_is_not_resolved() -> None:
    actions = [build_move(9, TODO, DONE, "2020-09-01T00:00:00Z"), build_move(9, DONE, TODO, "2020-09-02T00:00:00Z")]
    change, _ = import_fields(cards=[build_object(9, idList=TODO["id"], name="Copy")], actions=actions)

    (card,) = get_created(change, Card)
    assert (card.started_at, card.resolved_at) == (None, None)
    tos = [event.data["to_stage"] for event in change.history if event.type == "card.moved"]
    assert tos == ["done", "todo"]


def test_a_card_that_was_started_twice_was_started_first() -> None:
    actions = [
        build_move(9, TODO, DOING, "2020-09-01T00:00:00Z"),
        build_move(9, DOING, TODO, "2020-09-02T00:00:00Z"),
        build_move(9, TODO, DOING, "2020-09-03T00:00:00Z"),
        build_move(9, DOING, DONE, "2020-09-04T00:00:00Z"),
    ]
    change, _ = import_fields(cards=[build_object(9, idList=DONE["id"], name="Copy")], actions=actions)

    (card,) = get_created(change, Card)
    assert (f"{card.started_at:%m-%d}", f"{card.resolved_at:%m-%d}") == ("09-01", "09-04")
    (last,) = [event.data for event in change.history if "created_at" in event.data]
    assert last["started_at"] == "2020-09-01T00:00:00Z"


@pytest.mark.parametrize(("closed_list", "closed_card"), [(True, False), (False, True)])
def test_no_clock_runs_on_what_is_archived(*, closed_list: bool, closed_card: bool) -> None:
    change, report = import_fields(
        lists=[TODO, DOING | {"closed": closed_list}],
        cards=[build_object(9, idList=DOING["id"], name="Copy", closed=closed_card)],
    )

    assert get_created(change, TimeEntry) == []
    assert not any("clocks" in line.kind for line in report.lines)


def test_an_export_of_one_action_less_than_the_most_is_whole() -> None:
    change, report = import_fields(cards=[build_object(9, idList=DONE["id"], name="Copy")], actions=TRUNCATED[1:])

    (card,) = get_created(change, Card)
    assert card.resolved_at == card.created_at
    assert get_messages(report) == []


def test_a_board_of_one_list_in_use_keeps_it_to_do() -> None:
    change, report = import_fields(lists=[build_object(1, name="A"), build_object(2, name="B", closed=True)])

    assert [str(list_.stage) for list_ in get_created(change, List)] == ["todo", "todo"]
    assert get_messages(report) == []


def test_everything_that_is_made_is_new() -> None:
    change, _ = import_fields(
        cards=[build_object(9, idList=DOING["id"], name="Copy")], labels=[build_object(3, name="Bug", color="red")]
    )

    assert {getattr(value, "version", None) for value in change.creates} == {1}
    (card,) = get_created(change, Card)
    assert (card.tracked_seconds, card.tracked_cost, card.comment_count, card.item_count) == (0, 0, 0, 0)
    assert change.event is not None
    assert [board.seq for board in get_created(change, Board)] == [change.event.seq]


@pytest.mark.parametrize(("first_action", "is_known"), [("19:21:08", True), ("19:21:09", False)])
def test_a_card_that_was_made_with_the_first_known_action_is_known(first_action: str, *, is_known: bool) -> None:
    actions = [{"type": "commentBoard", "date": f"2020-08-18T{first_action}Z", "data": {}}] * trello_import.MAX_ACTIONS

    change, _ = import_fields(cards=[build_object(9, idList=DONE["id"], name="Copy")], actions=actions)

    (card,) = get_created(change, Card)
    assert card.resolved_at == (card.created_at if is_known else None)


@pytest.mark.parametrize(("name", "kept"), [("x" * 101, "x" * 100), ("", "Unnamed"), ("A\nB", "A B")])
def test_the_name_of_a_list_is_made_to_fit(name: str, kept: str) -> None:
    change, _ = import_fields(lists=[TODO | {"name": name}])

    assert [list_.name for list_ in get_created(change, List)] == [kept]


@pytest.mark.parametrize(("name", "kept"), [("x" * 101, "x" * 100), ("", "From Trello")])
def test_the_name_and_the_description_of_a_board_are_made_to_fit(name: str, kept: str) -> None:
    change, _ = import_fields(name=name, desc="y" * 20_001)

    assert [(board.name, len(board.description)) for board in get_created(change, Board)] == [(kept, 19_999)]


def test_what_is_left_out_is_named_by_a_hundred_characters() -> None:
    lists = [TODO, {"name": "x" * 101}, *(build_object(number, name="y" * 101) for number in range(10, 110))]
    cards = [build_object(500, idList="nowhere", name="z" * 101)]

    _, report = import_fields(lists=lists, cards=cards)

    assert {line.name for line in report.lines} == {"x" * 100, "y" * 100, "z" * 100}


def test_the_first_and_the_last_moment_that_can_be_stored_are_kept() -> None:
    for text in ("2000-01-01T00:00:00Z", "2999-12-31T23:59:59Z"):
        assert format_optional_utc(parse_timestamp(text)) == text
    for unusable in ("1999-12-31T23:59:59Z", "3000-01-01T00:00:00Z", "yesterday", "", None):
        assert parse_timestamp(unusable) is None


@pytest.mark.parametrize("missing", ["card", "listBefore", "listAfter"])
def test_a_move_that_does_not_say_from_where_to_where_is_passed_over(missing: str) -> None:
    data = {name: value for name, value in actions_data(9).items() if name != missing}
    actions = [{"type": "updateCard", "date": "2020-09-01T00:00:00Z", "data": data}]

    change, _ = import_fields(cards=[build_object(9, idList=DONE["id"], name="Copy")], actions=actions)

    assert not any(event.type == "card.moved" for event in change.history)


def test_a_board_has_no_hourly_rate_if_none_is_given() -> None:
    change, _ = import_fields()

    assert [board.hourly_rate_minor for board in get_created(change, Board)] == [0]
