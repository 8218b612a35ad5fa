"""Lists: create, update, move, delete."""

import itertools
from dataclasses import replace

import pytest

from kanban import cards, lists
from kanban.errors import ExternalIdTaken, LimitReached, NotFound, SelfReference, UnknownReference
from kanban.lists import ListNotEmpty
from kanban.ordering import positions, ranks
from kanban.values import Enforcement, List, NewCard, NewList, Stage
from tests.kanban.fake_store import FakeStore


def get_names(store: FakeStore) -> list[str]:
    return [list_.name for list_ in store.view().lists]


def add(store: FakeStore, name: str, **fields: object) -> List:
    new, change = lists.create(store.view(), store.context, NewList(name=name, stage=Stage.TODO, **fields))  # type: ignore[arg-type]
    store.apply(change)
    return new


def test_a_new_list_goes_to_the_bottom_or_the_top(store: FakeStore) -> None:
    add(store, "Last")
    add(store, "First", position="top")

    assert get_names(store) == ["First", "To do", "Doing", "Done", "Last"]
    assert store.events[-1].data == {"name": "First", "stage": "todo"}


def test_a_list_can_be_the_first_of_an_empty_board() -> None:
    store = FakeStore(lists=[NewList("Only", Stage.TODO)])
    store.apply(lists.delete(store.view(), store.get_list("Only").id, store.context))

    add(store, "New", position="top")

    assert get_names(store) == ["New"]


def test_a_board_has_at_most_a_hundred_lists(store: FakeStore) -> None:
    for number in range(97):
        add(store, f"List {number}")

    with pytest.raises(LimitReached, match="100 lists"):
        lists.create(store.view(), store.context, NewList(name="One more", stage=Stage.TODO))


def test_an_external_id_belongs_to_one_list(store: FakeStore) -> None:
    add(store, "Imported", external_id="trello-1")

    with pytest.raises(ExternalIdTaken, match="Another list on this board"):
        lists.create(store.view(), store.context, NewList(name="Again", stage=Stage.TODO, external_id="trello-1"))
    with pytest.raises(ExternalIdTaken):
        lists.update(store.view(), store.get_list("Done").id, {"external_id": "trello-1"}, store.context)


def test_the_external_id_of_a_deleted_list_is_free_again(store: FakeStore) -> None:
    deleted = add(store, "Imported", external_id="trello-1")
    store.apply(lists.delete(store.view(), deleted.id, store.context))

    assert add(store, "Again", external_id="trello-1").external_id == "trello-1"


def test_an_update_changes_the_sent_fields_and_names_them(store: FakeStore) -> None:
    patch = {"name": "At work", "wip_limit": 3, "wip_enforcement": "block", "external_id": "x"}
    store.advance_clock(minutes=1)

    updated, change = lists.update(store.view(), store.get_list("Doing").id, patch, store.context)

    store.apply(change)
    assert (updated.name, updated.wip_limit, updated.wip_enforcement) == ("At work", 3, Enforcement.BLOCK)
    assert (updated.version, updated.updated_at) == (2, store.now)
    assert store.events[-1].data == {"changed": ["external_id", "name", "wip_enforcement", "wip_limit"]}


def test_none_clears_the_wip_limit(store: FakeStore) -> None:
    store.change_list("Doing", wip_limit=3, external_id="x")

    updated, _ = lists.update(
        store.view(), store.get_list("Doing").id, {"wip_limit": None, "external_id": None}, store.context
    )

    assert (updated.wip_limit, updated.external_id) == (None, None)


def test_an_update_with_the_present_values_changes_nothing(store: FakeStore) -> None:
    doing = store.get_list("Doing")
    patch = {"name": "Doing", "stage": "in_progress", "wip_limit": None, "external_id": None}

    assert lists.update(store.view(), doing.id, patch, store.context) == (doing, None)


def test_the_stage_changes_only_while_the_list_is_empty(store: FakeStore) -> None:
    todo = store.get_list("To do")
    card, change = cards.create(store.view(), store.context, NewCard(title="Copy"))
    store.apply(change)

    with pytest.raises(ListNotEmpty, match="List 'To do' holds 1 card"):
        lists.update(store.view(), todo.id, {"stage": Stage.DONE}, store.context)

    store.apply(cards.delete(store.view(card.id), card.id, store.context))
    updated, _ = lists.update(store.view(), todo.id, {"stage": Stage.DONE}, store.context)
    assert updated.stage is Stage.DONE


def test_a_list_with_cards_can_keep_its_stage(store: FakeStore) -> None:
    store.apply(cards.create(store.view(), store.context, NewCard(title="Copy"))[1])

    updated, _ = lists.update(
        store.view(), store.get_list("To do").id, {"stage": Stage.TODO, "name": "Next"}, store.context
    )

    assert updated.name == "Next"


@pytest.mark.parametrize(
    ("position", "order"),
    [
        ({"before": "To do"}, ["Done", "To do", "Doing"]),
        ({"before": "Doing"}, ["To do", "Done", "Doing"]),
        ({"after": "To do"}, ["To do", "Done", "Doing"]),
        ({"position": "top"}, ["Done", "To do", "Doing"]),
    ],
)
def test_a_list_moves_next_to_another(store: FakeStore, position: dict[str, str], order: list[str]) -> None:
    named = {side: store.get_list(name).id if side != "position" else name for side, name in position.items()}

    moved, change = lists.move(store.view(), store.get_list("Done").id, store.context, **named)  # type: ignore[arg-type]

    store.apply(change)
    assert get_names(store) == order
    assert moved.version == 2
    assert store.events[-1].type == "list.moved"


@pytest.mark.parametrize("side", ["before", "after"])
def test_any_list_moves_next_to_any_other(store: FakeStore, side: str) -> None:
    for number in range(3):
        add(store, f"List {number}")
    start = get_names(store)

    for name, neighbour in itertools.permutations(start, 2):
        store.board, *_ = state = store.board, dict(store.lists), list(store.events)
        expected = [other for other in start if other != name]
        expected.insert(expected.index(neighbour) + (side == "after"), name)
        position = {side: store.get_list(neighbour).id}

        _, change = lists.move(store.view(), store.get_list(name).id, store.context, **position)  # type: ignore[arg-type]

        store.apply(change)
        assert get_names(store) == expected
        store.board, store.lists, store.events = state


@pytest.mark.parametrize("position", [{"after": "Doing"}, {"position": "bottom"}])
def test_moving_a_list_to_where_it_is_changes_nothing(store: FakeStore, position: dict[str, str]) -> None:
    done = store.get_list("Done")
    named = {side: store.get_list(name).id if side != "position" else name for side, name in position.items()}

    assert lists.move(store.view(), done.id, store.context, **named) == (done, None)  # type: ignore[arg-type]


def test_a_neighbour_must_be_another_list_of_the_board(store: FakeStore) -> None:
    done = store.get_list("Done")

    with pytest.raises(SelfReference) as itself:
        lists.move(store.view(), done.id, store.context, after=done.id)
    with pytest.raises(UnknownReference) as unknown:
        lists.move(store.view(), done.id, store.context, before="lst_elsewhere")

    assert itself.value.field == "after"
    assert unknown.value.field == "before"


@pytest.mark.parametrize(("length", "written"), [(120, 1), (121, 2)])
def test_a_rank_of_120_characters_is_the_longest_that_a_list_gets(store: FakeStore, length: int, written: int) -> None:
    add(store, "Last")
    # The only rank between the two is the lower one with one more digit.
    low, high = "a0" + "0" * (length - 4) + "1", "a0" + "0" * (length - 4) + "2"
    for name, rank in (("To do", low), ("Doing", high), ("Done", "a1"), ("Last", "a2")):
        store.change_list(name, rank=rank)

    moved, change = lists.move(
        store.view(), store.get_list("Last").id, store.context, before=store.get_list("Doing").id
    )

    assert change is not None
    assert len([value for value in change.updates if isinstance(value, List)]) >= written
    assert (len(moved.rank) == length) == (written == 1)
    store.apply(change)
    assert get_names(store) == ["To do", "Last", "Doing", "Done"]


def test_an_unknown_list_is_not_found(store: FakeStore) -> None:
    for attempt in (
        lambda: lists.update(store.view(), "lst_none", {"name": "x"}, store.context),
        lambda: lists.move(store.view(), "lst_none", store.context, position="top"),
        lambda: lists.delete(store.view(), "lst_none", store.context),
    ):
        with pytest.raises(NotFound) as error:
            attempt()
        assert error.value.code == "list_not_found"


def test_deleting_a_list_hides_its_cards_in_one_write(store: FakeStore) -> None:
    card, change = cards.create(store.view(), store.context, NewCard(title="Copy"))
    store.apply(change)

    change = lists.delete(store.view(), card.list_id, store.context)

    store.apply(change)
    assert len(change.updates) == 2
    assert store.view(card.id).cards == {}
    assert store.events[-1].data == {"name": "To do", "stage": "todo", "card_count": 1, "archived_at": None}


def test_moving_a_hundred_lists_to_one_position_keeps_their_order_and_short_ranks(store: FakeStore) -> None:
    for number in range(97):
        add(store, f"List {number}")
    expected = get_names(store)
    max_updates = 0

    for number in range(3000):
        moved = store.view().lists[(number * 7) % 100]
        neighbour = store.get_list("List 40" if number % 2 else "List 41")
        if moved.id == neighbour.id:
            continue
        _, change = lists.move(store.view(), moved.id, store.context, before=neighbour.id)
        store.apply(change)
        max_updates = max(max_updates, len(change.updates) if change else 0)
        expected.remove(moved.name)
        expected.insert(expected.index(neighbour.name), moved.name)
        assert get_names(store) == expected

    assert all(len(list_.rank) <= ranks.MAX_RANK_LENGTH for list_ in store.view().lists)
    assert max_updates <= 52


@pytest.mark.parametrize("index", [10, 90])
def test_long_ranks_give_new_ranks_to_the_lists_at_the_nearer_end(store: FakeStore, index: int) -> None:
    for number in range(97):
        add(store, f"List {number}")
    order = store.view().lists
    crowded = ["a0" + "0" * 130 + "V", "a0" + "0" * 130 + "W"]
    low, high = ranks.sequence_before("a0", index), ranks.sequence_after("a1", 98 - index)
    for list_, rank in zip(order, [*low, *crowded, *high], strict=True):
        store.lists[list_.id] = replace(list_, rank=rank)
    expected = get_names(store)

    _, change = lists.move(store.view(), order[0].id, store.context, before=order[index + 1].id)

    store.apply(change)
    expected.insert(index, expected.pop(0))
    assert get_names(store) == expected
    assert change is not None
    assert len(change.updates) <= 12
    assert all(value.version == 1 for value in change.updates if isinstance(value, List) and value.id != order[0].id)


@pytest.mark.parametrize("index", [10, 90])
def test_lists_that_make_room_get_ranks_that_no_list_had(store: FakeStore, index: int) -> None:
    for number in range(97):
        add(store, f"List {number}")
    crowded = ["a0" + "0" * 130 + "V", "a0" + "0" * 130 + "W"]
    low, high = ranks.sequence_before("a0", index), ranks.sequence_after("a1", 98 - index)
    old = [*low, *crowded, *high]
    order = [replace(list_, rank=rank) for list_, rank in zip(store.view().lists, old, strict=True)]

    moved, displaced = positions.assign_rank(order[-1], order[:-1], index + 1)

    assert not {list_.rank for list_ in (moved, *displaced)} & {*old[:-1]}


def test_of_two_equally_near_ends_the_lists_at_the_bottom_make_room(store: FakeStore) -> None:
    add(store, "Fourth")
    one, two, three, four = store.view().lists
    low, high = "a0" + "0" * 130 + "V", "a0" + "0" * 130 + "W"
    order = [one, replace(two, rank=low), replace(three, rank=high), four]

    moved, displaced = positions.assign_rank(replace(one, id="lst_new"), order, 2)

    assert [list_.id for list_ in displaced] == [three.id, four.id]
    assert low < moved.rank < displaced[0].rank < displaced[1].rank


def test_a_new_list_is_empty(store: FakeStore) -> None:
    new = add(store, "New")

    assert (new.card_count, new.first_rank, new.last_rank, new.version) == (0, "", "", 1)
