"""Exports of Trello: what becomes of them, and what is told about the rest."""

from itertools import count
from typing import Any

import pytest

from kanban.changes import ActionContext, Change
from kanban.interchange import trello_import
from kanban.interchange.import_report import MAX_LINES, ImportReport
from kanban.interchange.trello_import import NoListsInImport
from kanban.text import fold
from kanban.values import Board, Card, Checklist, Comment, Label, List, Stage, TimeEntry
from tests.kanban.fake_store import NOON

BOARD = "5f3c2a1b9d8e7f6a5b4c3d00"


def trello_id(number: int) -> str:
    """An id of Trello's, made on 2020-08-18 at 19:20:59 UTC and `number` seconds."""
    return f"{0x5F3C2A1B + number:08x}{number:016x}"


def item(number: int, **fields: Any) -> dict[str, Any]:
    """Something of Trello's."""
    return {"id": trello_id(number), **fields}


TODO, DOING, DONE = (item(number, name=name) for number, name in enumerate(("Ideas", "In progress", "Done"), 1))


def board(**fields: Any) -> dict[str, Any]:
    """An export of a board with three lists."""
    return {"id": BOARD, "name": "Website", "lists": [TODO, DOING, DONE], "cards": [], **fields}


def brought(**fields: Any) -> tuple[Change, ImportReport]:
    """What becomes of such an export."""
    numbers = count(1)
    act = ActionContext("usr_ann", NOON, lambda kind: f"{kind}_{next(numbers):05d}")
    _, change, report = trello_import.import_board(board(**fields), act)
    return change, report


def made(change: Change, kind: type[Any]) -> list[Any]:
    """The things of that kind that a change makes."""
    return [each for each in change.creates if isinstance(each, kind)]


def said(report: ImportReport) -> list[str]:
    """The lines of a report."""
    return [line.message for line in report.lines]


def moved(card: int, origin: dict[str, Any], goal: dict[str, Any], date: str) -> dict[str, Any]:
    """An action that moves a card."""
    data = {"card": {"id": trello_id(card)}, "listBefore": {"id": origin["id"]}, "listAfter": {"id": goal["id"]}}
    return {"type": "updateCard", "date": date, "data": data}


def test_a_board_has_trellos_lists_with_stages_by_their_names() -> None:
    change, report = brought()

    assert [(each.name, each.stage) for each in made(change, List)] == [
        ("Ideas", Stage.TODO),
        ("In progress", Stage.IN_PROGRESS),
        ("Done", Stage.DONE),
    ]
    (new,) = made(change, Board)
    assert (new.name, new.external_id, new.created_by) == ("Website", f"trello:{BOARD}", "usr_ann")
    assert report.lines == []


def test_where_no_list_sounds_done_the_last_one_is() -> None:
    change, _ = brought(lists=[item(1, name="A"), item(2, name="B"), item(3, name="C")])

    assert [each.stage for each in made(change, List)] == [Stage.TODO, Stage.TODO, Stage.DONE]


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
def test_names_are_read_word_by_word(names: list[str], stages: list[str]) -> None:
    change, _ = brought(lists=[item(number, name=name) for number, name in enumerate(names)])

    assert [str(each.stage) for each in made(change, List)] == stages


def test_a_stage_that_was_guessed_or_is_missing_is_told() -> None:
    _, guessed = brought(lists=[item(1, name="A"), item(2, name="B")])
    _, missing = brought(lists=[item(1, name="A"), item(2, name="Doing")])

    assert said(guessed) == ["No list's name says that work is done there, so this one is 'done'."]
    assert said(missing) == ["No list's name says that work is done there: add a list of that stage."]


def test_lists_and_cards_are_known_by_their_ids_there_each_once() -> None:
    cards = [item(9, idList=TODO["id"], name="A"), item(9, idList=TODO["id"], name="B")]
    odd: tuple[Any, ...] = (None, [], "x" * 24, 7)
    cards += [{"id": each, "idList": TODO["id"], "name": "C"} for each in odd]
    change, _ = brought(lists=[TODO | {"softLimit": 4}, DOING | {"softLimit": 0}], cards=cards)

    assert [(each.external_id, each.wip_limit) for each in made(change, List)] == [
        (f"trello:{TODO['id']}", 4),
        (f"trello:{DOING['id']}", None),
    ]
    named = [each.external_id for each in made(change, Card) if each.external_id]
    assert named == [f"trello:{trello_id(9)}"]


def test_a_board_has_the_money_that_it_is_given_and_clocks_of_what_is_in_progress_run() -> None:
    act = ActionContext("usr_ann", NOON, lambda kind: f"{kind}_1")
    export = board(cards=[item(9, idList=DOING["id"], name="Copy")])

    _, change, report = trello_import.import_board(export, act, currency="EUR", hourly_rate_minor=1_500)

    (new,), (entry,) = made(change, Board), made(change, TimeEntry)
    assert (new.currency, new.hourly_rate_minor, entry.rate_minor) == ("EUR", 1_500, 1_500)
    assert said(report) == ["Trello keeps no time: on 1 of the cards clocks run from now on."]


def test_cards_stand_by_position_and_in_the_order_of_the_export_where_one_has_none() -> None:
    cards = [item(9, idList=TODO["id"], name="B", pos=2), item(8, idList=TODO["id"], name="A", pos=1)]

    by_position, _ = brought(cards=cards)
    by_place, _ = brought(cards=[*cards, item(7, idList=TODO["id"], name="C")])

    assert _titles(by_position) == ["A", "B"]
    assert _titles(by_place) == ["B", "A", "C"]


def test_things_were_made_when_their_ids_tell_but_never_in_the_future() -> None:
    change, _ = brought(
        cards=[item(60, idList=TODO["id"], name="Old"), {"id": "f" * 24, "idList": TODO["id"], "name": "Odd"}]
    )

    created = {each.title: each.created_at.isoformat() for each in made(change, Card)}
    assert created == {"Old": "2020-08-18T19:21:59+00:00", "Odd": NOON.isoformat()}


@pytest.mark.parametrize("odd", ["1", "000000000000000000000001", "-1234567", "none", None])
def test_what_has_no_id_of_trellos_is_made_now(odd: str | None) -> None:
    lists = [{"id": odd or "x", "name": "Ideas"}]
    change, _ = brought(id=odd, lists=lists, cards=[{"id": odd, "idList": odd or "x", "name": "Copy"}])

    assert {each.created_at for kind in (Board, List, Card) for each in made(change, kind)} == {NOON}


@pytest.mark.parametrize(
    "odd", ["0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2999-12-31T23:30:00-01:00", 7, "soon"]
)
def test_moments_that_no_board_can_tell_are_passed_over(odd: object) -> None:
    times = dict.fromkeys(("start", "due", "dateLastActivity"), odd)
    change, _ = brought(cards=[item(9, idList=TODO["id"], name="Copy", **times)])

    (card,) = made(change, Card)
    assert (card.start_at, card.due_at, card.updated_at) == (None, None, card.created_at)


def test_moves_become_events_with_their_times_and_stamp_the_card() -> None:
    actions = [
        moved(9, DOING, DONE, "2020-09-02T10:00:00.000Z"),
        moved(9, TODO, DOING, "2020-09-01T10:00:00.000Z"),
    ]
    change, _ = brought(cards=[item(9, idList=DONE["id"], name="Copy")], actions=actions)

    (card,) = made(change, Card)
    assert (str(card.started_at), str(card.resolved_at)) == ("2020-09-01 10:00:00+00:00", "2020-09-02 10:00:00+00:00")
    told = [(event.type, event.at.isoformat()[:10]) for event in change.history if event.card_id]
    assert told == [("card.created", "2020-08-18"), ("card.moved", "2020-09-01"), ("card.moved", "2020-09-02")]
    assert [event.seq for event in change.history] == [*range(1, len(change.history) + 1)]
    assert change.event
    assert (change.event.type, change.event.seq) == ("board.imported", len(change.history) + 1)


def test_a_card_in_progress_is_taken_up_when_it_comes() -> None:
    change, _ = brought(cards=[item(9, idList=DOING["id"], name="Copy")])

    (card,), (entry,) = made(change, Card), made(change, TimeEntry)
    assert card.running == entry
    assert entry.started_at == NOON


def test_a_history_that_was_cut_gives_no_times_from_before() -> None:
    actions = [{"type": "commentBoard", "date": "2020-10-01T00:00:00Z", "data": {}}] * trello_import.MAX_ACTIONS
    change, report = brought(cards=[item(9, idList=DONE["id"], name="Copy")], actions=actions)

    (card,) = made(change, Card)
    assert card.resolved_at is None
    assert said(report) == ["Trello gives the last 1000 actions: what happened before 2020-10-01 is not known."]


CUT: tuple[dict[str, Any], ...] = ({"type": "commentBoard", "date": "2020-09-01T00:00:00Z", "data": {}},)
CUT *= trello_import.MAX_ACTIONS


@pytest.mark.parametrize(("origin", "goal"), [(DOING, TODO), (DONE, item(4, name="Shipped"))])
def test_where_a_card_was_made_is_not_known_from_moves_if_the_history_was_cut(
    origin: dict[str, Any], goal: dict[str, Any]
) -> None:
    actions = [moved(9, origin, goal, "2020-10-01T00:00:00Z"), *CUT]
    lists = [TODO, DOING, DONE, item(4, name="Shipped")]
    change, _ = brought(lists=lists, cards=[item(9, idList=goal["id"], name="Copy")], actions=actions)
    whole, _ = brought(lists=lists, cards=[item(9, idList=goal["id"], name="Copy")], actions=actions[:1])

    (card,), (known,) = made(change, Card), made(whole, Card)
    assert (card.started_at, card.resolved_at) == (None, None)
    assert known.created_at in (known.started_at, known.resolved_at)


def test_a_move_within_done_that_is_not_told_leaves_alone_when_a_card_was_done() -> None:
    shipped = item(4, name="Shipped")
    card = item(9, idList=shipped["id"], name="Copy", dateLastActivity="2020-12-01T00:00:00Z")
    change, _ = brought(
        lists=[TODO, DONE, shipped], cards=[card], actions=[moved(9, TODO, DONE, "2020-10-01T00:00:00Z")]
    )

    (done,) = made(change, Card)
    assert f"{done.resolved_at:%Y-%m-%d}" == "2020-10-01"
    assert [(each.type, f"{each.at:%m-%d}") for each in change.history if each.card_id][1:] == [
        ("card.moved", "10-01"),
        ("card.moved", "12-01"),
    ]


def test_a_move_among_what_is_done_that_is_not_told_was_when_the_card_last_changed() -> None:
    card = item(9, idList=DONE["id"], name="Copy", dateLastActivity="2020-12-01T00:00:00Z")
    change, _ = brought(cards=[card], actions=[moved(9, TODO, DOING, "2020-10-01T00:00:00Z")])

    (done,) = made(change, Card)
    assert (f"{done.started_at:%m-%d}", f"{done.resolved_at:%m-%d}") == ("10-01", "12-01")


def test_closed_things_are_archived_and_do_not_count() -> None:
    closed = item(4, name="Old", closed=True)
    cards = [item(8, idList=TODO["id"], name="A", closed=True), item(9, idList=closed["id"], name="B")]
    change, report = brought(lists=[TODO, closed], cards=cards)

    lists = {each.name: each for each in made(change, List)}
    assert lists["Old"].archived_at == NOON
    assert (lists["Ideas"].card_count, lists["Old"].card_count) == (0, 1)
    assert {each.title: each.archived_at for each in made(change, Card)} == {"A": NOON, "B": None}
    assert report.lines == []
    assert [each.type for each in change.history[-2:]] == ["card.archived", "list.archived"]
    last = change.history[-1]
    assert (last.at, last.list_id, last.card_id) == (NOON, lists["Old"].id, None)
    assert last.data == {"name": "Old", "stage": "todo", "card_count": 1}


def test_labels_get_names_and_colours_and_dangling_ones_are_told() -> None:
    labels = [
        item(1, name="", color="red"),
        item(2, name="Red", color="sky_dark"),
        item(3, name="Plain", color=None),
        item(4),
    ]
    ids = [trello_id(1), trello_id(77)]
    change, report = brought(labels=labels, cards=[item(9, idList=TODO["id"], name="Copy", idLabels=ids)])

    found = made(change, Label)
    assert [(each.name, str(each.color)) for each in found] == [
        ("red", "red"),
        ("Red 2", "sky"),
        ("Plain", "black"),
        ("black", "black"),
    ]
    (card,) = made(change, Card)
    assert card.label_ids == (found[0].id,)
    assert "1 of its labels are not in the export, or were left out." in said(report)


def test_labels_whose_names_read_the_same_are_told_apart_however_they_are_written() -> None:
    labels = [item(1, name="\u0390", color="red"), item(2, name="\u03aa\u0301", color="red")]
    change, _ = brought(labels=labels)

    names = [each.name for each in made(change, Label)]
    assert names == ["\u0390", "\u03aa\u0301 2"]
    assert len({fold(each) for each in names}) == 2


def test_checklists_and_comments_come_along() -> None:
    steps = [
        {"name": "Later", "pos": 2, "state": "incomplete", "due": "2026-12-01T00:00:00.000Z"},
        {"name": "First", "pos": 1, "state": "complete"},
    ]
    checklists = [item(5, idCard=trello_id(9), name="Steps", checkItems=steps)]
    comment = {
        "type": "commentCard",
        "date": "2020-09-01T10:00:00.000Z",
        "data": {"card": {"id": trello_id(9)}, "text": "Looks *fine*."},
        "memberCreator": {"fullName": "Lou Lee"},
    }
    change, report = brought(cards=[item(9, idList=TODO["id"], name="Copy")], checklists=checklists, actions=[comment])

    (card,), (checklist,), (said_,) = made(change, Card), made(change, Checklist), made(change, Comment)
    assert [(each.text, each.done) for each in checklist.items] == [("First", True), ("Later", False)]
    assert (card.item_count, card.done_count, card.comment_count) == (2, 1, 1)
    assert said_.text == "Lou Lee:\n\nLooks *fine*."
    assert dict(report.counts) == {"lists": 3, "cards": 1, "labels": 0, "checklists": 1, "comments": 1}


def test_comments_of_ten_thousand_characters_fit_and_longer_ones_lose_their_end_which_is_told() -> None:
    comment: dict[str, Any] = {
        "type": "commentCard",
        "date": "2020-09-01T10:00:00Z",
        "memberCreator": {"username": "lou"},
    }
    texts: list[Any] = ["x" * 9_994, "y" * 9_995, "z" * 16_384, None]
    actions = [comment | {"data": {"card": {"id": trello_id(9)}, "text": text}} for text in texts]
    change, report = brought(cards=[item(9, idList=TODO["id"], name="Copy")], actions=actions)

    assert [len(each.text) for each in made(change, Comment)] == [10_000, 9_999, 9_999, 4]
    assert said(report) == ["2 of its comments lost their end: with the name of who wrote them they were too long."]


def test_uploads_become_links_and_unsafe_addresses_are_left_out() -> None:
    attachments = [
        {"name": "Plan", "url": "https://trello.com/plan.pdf", "isUpload": True},
        {"name": "Bad", "url": "javascript:alert(1)"},
    ]
    change, report = brought(cards=[item(9, idList=TODO["id"], name="Copy", attachments=attachments)])

    (card,) = made(change, Card)
    assert [each.url for each in card.links] == ["https://trello.com/plan.pdf"]
    assert said(report) == [
        "The file itself stays with Trello; 'Copy' links to it.",
        "The card 'Copy' points to an address that is not kept.",
    ]


@pytest.mark.parametrize(
    "url", ["http://", "https://", "https://" + "a" * 2_001, "https://a b", "http://\u00e9", "http://a\n"]
)
def test_an_address_that_no_link_may_have_is_left_out_and_told(url: str) -> None:
    attachments = [{"name": "Odd", "url": url}, {"name": "Long", "url": "https://" + "a" * 2_000}]
    change, report = brought(cards=[item(9, idList=TODO["id"], name="Copy", attachments=attachments)])

    (card,) = made(change, Card)
    assert [each.title for each in card.links] == ["Long"]
    assert said(report) == ["The card 'Copy' points to an address that is not kept."]


def test_a_card_that_takes_more_room_than_it_may_loses_links_and_then_the_end_of_its_description() -> None:
    attachments = [{"name": "Plan", "url": "https://" + "a" * 2_000}] * 20
    long = item(9, idList=TODO["id"], name="Long", desc="Ж" * 16_384, attachments=attachments)
    longer = item(8, idList=TODO["id"], name="Longer", desc="𐐀" * 16_384, attachments=attachments)

    change, report = brought(cards=[long, longer])

    texts = {card.title: (len(card.description), len(card.links)) for card in made(change, Card)}
    assert texts == {"Long": (16_384, 10), "Longer": (10_000, 0)}
    assert sorted(said(report)) == [
        "It has more text than can be kept: 10 of its links were left out.",
        "It has more text than can be kept: 20 of its links were left out.",
        "Its description was shortened: it has more text than can be kept.",
    ]


def test_a_card_without_a_list_is_left_out_and_told() -> None:
    change, report = brought(cards=[item(9, idList="nowhere", name="Lost")])

    assert made(change, Card) == []
    assert [(line.kind, line.name) for line in report.lines] == [("card", "Lost")]


def test_a_list_without_an_id_of_its_own_is_left_out_with_its_cards_and_told() -> None:
    lists = [TODO, {"name": "Nameless"}, DONE, DONE | {"name": "Twin"}, {"id": None, "name": "None"}, {"id": 7}]
    cards = [item(7, idList=DONE["id"], name="Kept"), {"name": "Lost"}, item(8, idList=None, name="None")]
    change, report = brought(lists=lists, cards=cards)

    assert [each.name for each in made(change, List)] == ["Ideas", "Done"]
    assert [each.title for each in made(change, Card)] == ["Kept"]
    assert report.counts["lists"] == 2
    assert [event.type for event in change.history] == ["board.created", "list.created", "list.created", "card.created"]
    assert sorted(line.name for line in report.lines if line.kind == "list") == ["A list", "Nameless", "None", "Twin"]
    assert sorted(line.name for line in report.lines if line.kind == "card") == ["Lost", "None"]


def test_an_export_of_lists_without_ids_has_no_lists() -> None:
    with pytest.raises(NoListsInImport):
        brought(lists=[{"name": "One"}, {"name": "Two"}])


def test_members_and_custom_fields_are_told() -> None:
    cards = [item(9, idList=TODO["id"], name="Copy", idMembers=["x"], customFieldItems=[{}])]
    _, report = brought(cards=cards)

    assert said(report) == [
        "1 of the cards had members: invite people, then assign them here.",
        "1 of the cards had custom fields, which are not kept.",
    ]


def test_a_hundred_thousand_labels_are_one_line_of_the_report() -> None:
    change, report = brought(labels=[item(number, name=f"L{number}") for number in range(100_000)])

    assert len(made(change, Label)) == 200
    assert said(report) == ["A board has at most 200 labels: 99800 were left out."]


def test_a_report_lists_so_many_lines_and_counts_the_others() -> None:
    _, report = brought(cards=[item(number, idList="nowhere", name="Lost") for number in range(MAX_LINES + 7)])

    assert (len(report.lines), report.omitted_lines) == (MAX_LINES, 7)


def test_an_export_without_lists_is_refused() -> None:
    with pytest.raises(NoListsInImport, match="no lists"):
        brought(lists=[])


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, [None], ["x"], [{}], [{"id": None, "name": 7, "pos": "top"}]])
def test_whatever_is_odd_is_passed_over(odd: Any) -> None:
    fields = dict.fromkeys(("cards", "labels", "checklists", "actions"), odd)
    card = dict.fromkeys(("id", "name", "desc", "pos", "idLabels", "attachments", "due", "start", "closed"), odd)

    change, _ = brought(**fields)
    with_odd_card, _ = brought(cards=[{**card, "idList": TODO["id"]}])

    assert len(made(change, List)) == 3
    assert len(made(with_odd_card, Card)) == 1


def _titles(change: Change) -> list[str]:
    return [each.title for each in sorted(made(change, Card), key=lambda card: card.rank)]
