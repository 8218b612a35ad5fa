"""Lists: added, changed, ordered, deleted."""

import itertools
from dataclasses import replace

import pytest

from kanban import cards, lists
from kanban.errors import ExternalIdTaken, LimitReached, NotFound, SelfReference, UnknownReference
from kanban.lists import ListNotEmpty
from kanban.ordering import ranks
from kanban.values import Enforcement, List, Stage
from tests.kanban.fake_store import FakeStore


def names(desk: FakeStore) -> list[str]:
    return [each.name for each in desk.view().lists]


def add(desk: FakeStore, name: str, **wishes: object) -> List:
    new, change = lists.create(desk.view(), desk.context, name=name, stage=Stage.TODO, **wishes)  # type: ignore[arg-type]
    desk.apply(change)
    return new


def test_a_new_list_goes_to_the_bottom_or_to_the_top(desk: FakeStore) -> None:
    add(desk, "Last")
    add(desk, "First", position="top")

    assert names(desk) == ["First", "To do", "Doing", "Done", "Last"]
    assert desk.events[-1].data == {"name": "First", "stage": "todo"}


def test_a_list_can_be_the_first_of_an_empty_board() -> None:
    desk = FakeStore(lists=[{"name": "Only", "stage": "todo"}])
    desk.apply(lists.delete(desk.view(), desk.get_list("Only").id, desk.context))

    add(desk, "New", position="top")

    assert names(desk) == ["New"]


def test_a_board_has_at_most_a_hundred_lists(desk: FakeStore) -> None:
    for number in range(97):
        add(desk, f"List {number}")

    with pytest.raises(LimitReached, match="100 lists"):
        lists.create(desk.view(), desk.context, name="One more", stage=Stage.TODO)


def test_an_external_id_belongs_to_one_list(desk: FakeStore) -> None:
    add(desk, "Imported", external_id="trello-1")

    with pytest.raises(ExternalIdTaken, match="Another list on this board"):
        lists.create(desk.view(), desk.context, name="Again", stage=Stage.TODO, external_id="trello-1")
    with pytest.raises(ExternalIdTaken):
        lists.update(desk.view(), desk.get_list("Done").id, {"external_id": "trello-1"}, desk.context)


def test_the_external_id_of_a_deleted_list_is_free_again(desk: FakeStore) -> None:
    gone = add(desk, "Imported", external_id="trello-1")
    desk.apply(lists.delete(desk.view(), gone.id, desk.context))

    assert add(desk, "Again", external_id="trello-1").external_id == "trello-1"


def test_revising_changes_what_was_sent_and_tells_which(desk: FakeStore) -> None:
    patch = {"name": "At work", "wip_limit": 3, "wip_enforcement": "block", "external_id": "x"}
    desk.advance_clock(minutes=1)

    revised, change = lists.update(desk.view(), desk.get_list("Doing").id, patch, desk.context)

    desk.apply(change)
    assert (revised.name, revised.wip_limit, revised.wip_enforcement) == ("At work", 3, Enforcement.BLOCK)
    assert (revised.version, revised.updated_at) == (2, desk.now)
    assert desk.events[-1].data == {"changed": ["external_id", "name", "wip_enforcement", "wip_limit"]}


def test_none_takes_a_limit_away(desk: FakeStore) -> None:
    desk.change_list("Doing", wip_limit=3, external_id="x")

    revised, _ = lists.update(
        desk.view(), desk.get_list("Doing").id, {"wip_limit": None, "external_id": None}, desk.context
    )

    assert (revised.wip_limit, revised.external_id) == (None, None)


def test_revising_to_what_it_is_changes_nothing(desk: FakeStore) -> None:
    doing = desk.get_list("Doing")
    patch = {"name": "Doing", "stage": "in_progress", "wip_limit": None, "external_id": None}

    assert lists.update(desk.view(), doing.id, patch, desk.context) == (doing, None)


def test_the_stage_changes_only_while_the_list_is_empty(desk: FakeStore) -> None:
    todo = desk.get_list("To do")
    card, change = cards.create(desk.view(), desk.context, title="Copy")
    desk.apply(change)

    with pytest.raises(ListNotEmpty, match="List 'To do' holds 1 card"):
        lists.update(desk.view(), todo.id, {"stage": "done"}, desk.context)

    desk.apply(cards.delete(desk.view(card.id), card.id, desk.context))
    revised, _ = lists.update(desk.view(), todo.id, {"stage": "done"}, desk.context)
    assert revised.stage is Stage.DONE


def test_a_list_with_cards_may_keep_its_stage(desk: FakeStore) -> None:
    desk.apply(cards.create(desk.view(), desk.context, title="Copy")[1])

    revised, _ = lists.update(desk.view(), desk.get_list("To do").id, {"stage": "todo", "name": "Next"}, desk.context)

    assert revised.name == "Next"


@pytest.mark.parametrize(
    ("wish", "order"),
    [
        ({"before": "To do"}, ["Done", "To do", "Doing"]),
        ({"before": "Doing"}, ["To do", "Done", "Doing"]),
        ({"after": "To do"}, ["To do", "Done", "Doing"]),
        ({"position": "top"}, ["Done", "To do", "Doing"]),
    ],
)
def test_a_list_moves_next_to_another(desk: FakeStore, wish: dict[str, str], order: list[str]) -> None:
    named = {side: desk.get_list(name).id if side != "position" else name for side, name in wish.items()}

    moved, change = lists.move(desk.view(), desk.get_list("Done").id, desk.context, **named)  # type: ignore[arg-type]

    desk.apply(change)
    assert names(desk) == order
    assert moved.version == 2
    assert desk.events[-1].type == "list.moved"


@pytest.mark.parametrize("side", ["before", "after"])
def test_any_list_moves_next_to_any_other(desk: FakeStore, side: str) -> None:
    for number in range(3):
        add(desk, f"List {number}")
    start = names(desk)

    for name, neighbour in itertools.permutations(start, 2):
        desk.board, *_ = state = desk.board, dict(desk.lists), list(desk.events)
        expected = [each for each in start if each != name]
        expected.insert(expected.index(neighbour) + (side == "after"), name)
        wish = {side: desk.get_list(neighbour).id}

        _, change = lists.move(desk.view(), desk.get_list(name).id, desk.context, **wish)  # type: ignore[arg-type]

        desk.apply(change)
        assert names(desk) == expected
        desk.board, desk.lists, desk.events = state


@pytest.mark.parametrize("wish", [{"after": "Doing"}, {"position": "bottom"}])
def test_moving_a_list_to_where_it_is_changes_nothing(desk: FakeStore, wish: dict[str, str]) -> None:
    done = desk.get_list("Done")
    named = {side: desk.get_list(name).id if side != "position" else name for side, name in wish.items()}

    assert lists.move(desk.view(), done.id, desk.context, **named) == (done, None)  # type: ignore[arg-type]


def test_a_neighbour_must_be_another_list_of_the_board(desk: FakeStore) -> None:
    done = desk.get_list("Done")

    with pytest.raises(SelfReference) as itself:
        lists.move(desk.view(), done.id, desk.context, after=done.id)
    with pytest.raises(UnknownReference) as unknown:
        lists.move(desk.view(), done.id, desk.context, before="lst_elsewhere")

    assert itself.value.field == "after"
    assert unknown.value.field == "before"


@pytest.mark.parametrize(("length", "written"), [(120, 1), (121, 2)])
def test_a_rank_of_120_characters_is_the_longest_that_a_list_gets(desk: FakeStore, length: int, written: int) -> None:
    add(desk, "Last")
    # The only rank of its length between the two is that of the lower one, with a digit more.
    low, high = "a0" + "0" * (length - 4) + "1", "a0" + "0" * (length - 4) + "2"
    for name, rank in (("To do", low), ("Doing", high), ("Done", "a1"), ("Last", "a2")):
        desk.change_list(name, rank=rank)

    moved, change = lists.move(desk.view(), desk.get_list("Last").id, desk.context, before=desk.get_list("Doing").id)

    assert change is not None
    assert len([each for each in change.updates if isinstance(each, List)]) >= written
    assert (len(moved.rank) == length) == (written == 1)
    desk.apply(change)
    assert names(desk) == ["To do", "Last", "Doing", "Done"]


def test_a_list_that_is_not_there_is_not_found(desk: FakeStore) -> None:
    for attempt in (
        lambda: lists.update(desk.view(), "lst_none", {"name": "x"}, desk.context),
        lambda: lists.move(desk.view(), "lst_none", desk.context, position="top"),
        lambda: lists.delete(desk.view(), "lst_none", desk.context),
    ):
        with pytest.raises(NotFound) as error:
            attempt()
        assert error.value.code == "list_not_found"


def test_deleting_a_list_takes_its_cards_out_of_sight_in_one_write(desk: FakeStore) -> None:
    card, change = cards.create(desk.view(), desk.context, title="Copy")
    desk.apply(change)

    change = lists.delete(desk.view(), card.list_id, desk.context)

    desk.apply(change)
    assert len(change.updates) == 2
    assert desk.view(card.id).cards == {}
    assert desk.events[-1].data == {"name": "To do", "stage": "todo", "card_count": 1, "archived_at": None}


def test_shuffling_a_hundred_lists_at_one_place_keeps_order_ranks_and_size(desk: FakeStore) -> None:
    for number in range(97):
        add(desk, f"List {number}")
    expected = names(desk)
    most = 0

    for number in range(3000):
        moved = desk.view().lists[(number * 7) % 100]
        neighbour = desk.get_list("List 40" if number % 2 else "List 41")
        if moved.id == neighbour.id:
            continue
        _, change = lists.move(desk.view(), moved.id, desk.context, before=neighbour.id)
        desk.apply(change)
        most = max(most, len(change.updates) if change else 0)
        expected.remove(moved.name)
        expected.insert(expected.index(neighbour.name), moved.name)
        assert names(desk) == expected

    assert all(len(each.rank) <= ranks.MAX_RANK_LENGTH for each in desk.view().lists)
    assert most <= 52


@pytest.mark.parametrize("place", [10, 90])
def test_where_ranks_have_grown_long_the_nearer_end_moves_out(desk: FakeStore, place: int) -> None:
    for number in range(97):
        add(desk, f"List {number}")
    order = desk.view().lists
    crowded = ["a0" + "0" * 130 + "V", "a0" + "0" * 130 + "W"]
    low, high = ranks.sequence_before("a0", place), ranks.sequence_after("a1", 98 - place)
    for each, rank in zip(order, [*low, *crowded, *high], strict=True):
        desk.lists[each.id] = replace(each, rank=rank)
    expected = names(desk)

    _, change = lists.move(desk.view(), order[0].id, desk.context, before=order[place + 1].id)

    desk.apply(change)
    expected.insert(place, expected.pop(0))
    assert names(desk) == expected
    assert change is not None
    assert len(change.updates) <= 12
    assert all(value.version == 1 for value in change.updates if isinstance(value, List) and value.id != order[0].id)
