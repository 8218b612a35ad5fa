"""Boards: create, update, delete."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from kanban import boards, cards, lists
from kanban.boards import OtherHistory
from kanban.errors import NotFound
from kanban.values import Board, Enforcement, List, Member, NewBoard, NewCard, NewList, Role, Stage
from kanban.views import NoListOfStage
from tests.kanban.fake_store import NOON, FakeStore


def test_a_new_board_has_the_default_lists_and_belongs_to_the_actor(store: FakeStore) -> None:
    view, change = boards.create(store.context, NewBoard(name="Website"))

    assert [(list_.name, list_.stage) for list_ in view.lists] == [
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


def test_a_new_board_has_the_given_lists(store: FakeStore) -> None:
    definitions = [
        NewList("Ideas", Stage.TODO),
        NewList("Doing", Stage.IN_PROGRESS, wip_limit=3, wip_enforcement=Enforcement.BLOCK),
    ]

    view, _ = boards.create(store.context, NewBoard(name="Website", lists=definitions))

    assert [list_.name for list_ in view.lists] == ["Ideas", "Doing"]
    assert (view.lists[1].wip_limit, view.lists[1].wip_enforcement) == (3, Enforcement.BLOCK)
    assert view.lists[0].wip_enforcement == Enforcement.WARN
    assert view.lists[0].rank < view.lists[1].rank


def test_an_update_changes_the_sent_fields_and_names_them(store: FakeStore) -> None:
    store.advance_clock(minutes=1)

    board, change = boards.update(
        store.view(), {"name": "Shop", "hourly_rate_minor": 1000, "description": "x"}, store.context
    )

    store.apply(change)
    assert (board.name, board.version, board.seq, board.updated_at) == ("Shop", 2, 2, store.now)
    assert board == store.board
    assert store.events[-1].data == {"changed": ["description", "name"]}


def test_none_empties_the_description(store: FakeStore) -> None:
    store.apply(boards.update(store.view(), {"description": "x"}, store.context)[1])

    board, _ = boards.update(store.view(), {"description": None}, store.context)

    assert board.description == ""


def test_an_update_with_the_present_values_changes_nothing(store: FakeStore) -> None:
    view = store.view()

    assert boards.update(view, {"name": "Website", "description": None}, store.context) == (view.board, None)


def test_the_currency_of_a_board_cannot_be_updated(store: FakeStore) -> None:
    with pytest.raises(ValueError, match="cannot be changed"):
        boards.update(store.view(), {"currency": "EUR"}, store.context)


def test_deleting_a_board_marks_it_as_deleted(store: FakeStore) -> None:
    change = boards.delete(store.view(), store.context)

    store.apply(change)
    assert (store.board.deleted_at, store.board.version) == (NOON, 2)
    assert store.events[-1].type == "board.deleted"


def test_deleting_a_board_stops_its_clocks_unless_they_are_too_many(store: FakeStore) -> None:
    doing = store.get_list("Doing")
    card, change = cards.create(store.view(), store.context, NewCard(title="Copy", list_id=doing.id))
    store.apply(change)
    store.advance_clock(minutes=5)

    with_too_many = boards.delete(store.view(), store.context, None)
    store.apply(boards.delete(store.view(), store.context, [card]))

    assert [type(value) for value in with_too_many.updates] == [Board]
    assert (store.cards[card.id].running, store.cards[card.id].tracked_seconds) == (None, 300)


def test_every_write_raises_seq_by_one_but_the_version_only_if_the_board_is_edited(store: FakeStore) -> None:
    store.apply(lists.create(store.view(), store.context, NewList(name="Later", stage=Stage.TODO))[1])

    assert (store.board.seq, store.board.version) == (2, 1)


def test_a_view_returns_its_lists_and_cards(store: FakeStore) -> None:
    view = store.view()

    assert view.get_list(view.lists[1].id) == view.lists[1]
    assert view.get_first_list(Stage.DONE).name == "Done"
    with pytest.raises(NotFound, match="no such list"):
        view.get_list("list_none")
    with pytest.raises(NotFound, match="no such card"):
        view.get_card("card_none")


def test_a_view_without_a_list_of_the_stage_raises_no_list_of_stage(store: FakeStore) -> None:
    view, _ = boards.create(store.context, NewBoard(name="Website", lists=[NewList("Ideas", Stage.TODO)]))

    with pytest.raises(NoListOfStage, match="no list of the stage in_progress"):
        view.get_first_list(Stage.IN_PROGRESS)


def test_the_change_of_a_new_board_creates_a_board_a_member_and_lists(store: FakeStore) -> None:
    _, change = boards.create(store.context, NewBoard(name="Website"))

    assert {type(value) for value in change.creates} == {Board, Member, List}
    assert change.updates == ()


def test_the_lists_of_a_new_board_are_empty_and_of_version_one(store: FakeStore) -> None:
    view, _ = boards.create(store.context, NewBoard(name="Website"))

    assert [(list_.card_count, list_.first_rank, list_.last_rank, list_.version) for list_ in view.lists] == [
        (0, "", "", 1)
    ] * 3


def test_work_on_a_new_board_costs_nothing_unless_a_rate_is_given(store: FakeStore) -> None:
    view, _ = boards.create(store.context, NewBoard(name="Website"))

    assert (view.board.hourly_rate_minor, view.board.description, view.board.external_id) == (0, "", None)


@pytest.mark.parametrize(
    ("stored", "sent", "after", "is_accepted"),
    [
        (None, None, 99, True),
        (None, "hst_0001", 1, True),
        (None, "hst_0001", 2, False),
        (None, "hst_other", 1, False),
        ("hst_other", "hst_other", 0, True),
        ("hst_other", "hst_0001", 0, False),
    ],
)
def test_a_client_follows_the_history_that_the_board_has(
    store: FakeStore, stored: str | None, sent: str | None, after: int, *, is_accepted: bool
) -> None:
    board = replace(store.board, history=stored)

    with nullcontext() if is_accepted else pytest.raises(OtherHistory, match="read it again"):
        boards.ensure_history(board, sent, after)
