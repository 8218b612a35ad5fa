"""Boards: what a new one is, and what may change."""

from dataclasses import replace

import pytest

from kanban import boards, lists
from kanban.errors import NotFound
from kanban.values import Board, Enforcement, List, Member, Role, Stage
from kanban.views import NoListOfStage
from tests.kanban.fake_store import NOON, FakeStore


def test_a_new_board_has_the_usual_lists_and_belongs_to_its_maker(desk: FakeStore) -> None:
    view, change = boards.create(desk.context, name="Website")

    assert [(each.name, each.stage) for each in view.lists] == [
        ("To do", Stage.TODO),
        ("Doing", Stage.IN_PROGRESS),
        ("Done", Stage.DONE),
    ]
    assert view.role == Role.OWNER
    (owner,) = view.members
    assert replace(owner, id="") == Member("", view.board.id, "usr_ann", Role.OWNER, 1, NOON, NOON)
    assert change.creates == (view.board, owner, *view.lists)
    assert change.event is not None
    assert (change.event.seq, change.event.type, change.event.data) == (1, "board.created", {"name": "Website"})
    assert (view.board.seq, view.board.version, view.board.currency) == (1, 1, "USD")


def test_a_new_board_has_the_lists_that_were_asked_for(desk: FakeStore) -> None:
    wishes: list[dict[str, object]] = [
        {"name": "Ideas", "stage": "todo"},
        {"name": "Doing", "stage": "in_progress", "wip_limit": 3, "wip_enforcement": "block"},
    ]

    view, _ = boards.create(desk.context, name="Website", lists=wishes)

    assert [each.name for each in view.lists] == ["Ideas", "Doing"]
    assert (view.lists[1].wip_limit, view.lists[1].wip_enforcement) == (3, Enforcement.BLOCK)
    assert view.lists[0].wip_enforcement == Enforcement.WARN
    assert view.lists[0].rank < view.lists[1].rank


def test_revising_changes_what_was_sent_and_tells_which(desk: FakeStore) -> None:
    desk.advance_clock(minutes=1)

    board, change = boards.update(
        desk.view(), {"name": "Shop", "hourly_rate_minor": 1000, "description": "x"}, desk.context
    )

    desk.apply(change)
    assert (board.name, board.version, board.seq, board.updated_at) == ("Shop", 2, 2, desk.now)
    assert board == desk.board
    assert desk.events[-1].data == {"changed": ["description", "name"]}


def test_a_cleared_description_is_empty(desk: FakeStore) -> None:
    desk.apply(boards.update(desk.view(), {"description": "x"}, desk.context)[1])

    board, _ = boards.update(desk.view(), {"description": None}, desk.context)

    assert board.description == ""


def test_revising_to_what_it_is_changes_nothing(desk: FakeStore) -> None:
    view = desk.view()

    assert boards.update(view, {"name": "Website", "description": None}, desk.context) == (view.board, None)


def test_a_boards_currency_cannot_be_revised(desk: FakeStore) -> None:
    with pytest.raises(ValueError, match="cannot be changed"):
        boards.update(desk.view(), {"currency": "EUR"}, desk.context)


def test_deleting_marks_the_board(desk: FakeStore) -> None:
    change = boards.delete(desk.view(), desk.context)

    desk.apply(change)
    assert (desk.board.deleted_at, desk.board.version) == (NOON, 2)
    assert desk.events[-1].type == "board.deleted"


def test_every_write_raises_seq_by_one_and_the_version_only_when_the_board_is_meant(desk: FakeStore) -> None:
    desk.apply(lists.create(desk.view(), desk.context, name="Later", stage=Stage.TODO)[1])

    assert (desk.board.seq, desk.board.version) == (2, 1)


def test_a_view_finds_its_lists_and_cards(desk: FakeStore) -> None:
    view = desk.view()

    assert view.get_list(view.lists[1].id) == view.lists[1]
    assert view.get_first_list(Stage.DONE).name == "Done"
    with pytest.raises(NotFound, match="no such list"):
        view.get_list("list_none")
    with pytest.raises(NotFound, match="no such card"):
        view.get_card("card_none")


def test_a_view_without_a_list_of_the_stage_says_so(desk: FakeStore) -> None:
    view, _ = boards.create(desk.context, name="Website", lists=[{"name": "Ideas", "stage": "todo"}])

    with pytest.raises(NoListOfStage, match="no list of the stage in_progress"):
        view.get_first_list(Stage.IN_PROGRESS)


def test_nothing_in_a_new_boards_change_is_of_another_kind(desk: FakeStore) -> None:
    _, change = boards.create(desk.context, name="Website")

    assert {type(value) for value in change.creates} == {Board, Member, List}
    assert change.updates == ()
