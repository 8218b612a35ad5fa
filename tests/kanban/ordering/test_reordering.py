"""Reordering moves the fewest things, and each to its position."""

import random
from dataclasses import replace
from itertools import pairwise, permutations

import pytest

from kanban import archive, cards, lists
from kanban.ordering import ranks, reordering
from kanban.ordering.reordering import StaleOrder, TooManyMoves
from kanban.values import Card, CardRank, NewCard, NewList, Stage
from tests.kanban.fake_store import FakeStore


def add(store: FakeStore, title: str, **fields: object) -> Card:
    card, change = cards.create(store.view(), store.context, NewCard(title=title, **fields))  # type: ignore[arg-type]
    store.apply(change)
    return card


def get_card_ranks(store: FakeStore) -> tuple[CardRank, ...]:
    """Return the ranks of all cards of 'To do'."""
    list_id = store.get_list("To do").id
    current = [card for card in store.cards.values() if card.list_id == list_id]
    return tuple(
        CardRank(card.id, list_id, card.rank, is_hidden=bool(card.archived_at or card.deleted_at))
        for card in sorted(current, key=lambda card: card.rank)
    )


def reorder(store: FakeStore, *card_ids: str) -> None:
    list_id = store.get_list("To do").id
    _, change = reordering.reorder_cards(store.view(), list_id, get_card_ranks(store), card_ids, store.context)
    store.apply(change)


def apply_moves(current: list[tuple[str, str]], moves: reordering.Moves) -> list[str]:
    rank_by_id = {**dict(current), **moves.ranks}
    assert len(set(rank_by_id.values())) == len(rank_by_id)
    return sorted(rank_by_id, key=lambda item_id: rank_by_id[item_id])


@pytest.mark.parametrize("new_order", list(permutations("abcde")))
def test_any_order_of_five_is_reached_without_moving_more_than_needed(new_order: tuple[str, ...]) -> None:
    current = list(zip("abcde", ranks.sequence_after("", 5), strict=True))
    longest = max(
        subset.bit_count()
        for subset in range(32)
        if all(
            one < other for one, other in pairwise(item_id for n, item_id in enumerate(new_order) if subset >> n & 1)
        )
    )

    moves = reordering.plan_fewest_moves(current, new_order, 5)

    assert apply_moves(current, moves) == list(new_order)
    assert len(moves.ranks) == 5 - longest
    assert not set(moves.ranks.values()) & {rank for _, rank in current}


def test_steps_of_ninety_bring_a_long_list_into_order() -> None:
    rng = random.Random(11)  # noqa: S311 - a shuffle needs no secure random numbers.
    ids = [f"card_{number:04d}" for number in range(700)]
    current = list(zip(ids, ranks.sequence_after("", len(ids)), strict=True))
    new_order = rng.sample(ids, len(ids))
    steps = 0

    while (moves := reordering.plan_fewest_moves(current, new_order, 90)).ranks:
        before = len(moves.ranks) + moves.remaining
        rank_by_id = {**dict(current), **moves.ranks}
        current = sorted(rank_by_id.items(), key=lambda pair: pair[1])
        assert reordering.plan_fewest_moves(current, new_order, 700).remaining <= before - len(moves.ranks)
        steps += 1

    assert [item_id for item_id, _ in current] == new_order
    assert steps <= 8


def test_the_cards_of_a_list_are_reordered_by_moving_one(store: FakeStore) -> None:
    one, two, three = (add(store, title) for title in ("One", "Two", "Three"))

    reorder(store, three.id, one.id, two.id)

    assert store.get_titles(one.list_id) == ["Three", "One", "Two"]
    assert store.events[-1].type == "list.reordered"
    assert store.events[-1].data == {"card_ids": [three.id]}
    assert store.cards[three.id].version == 1


def test_the_present_order_changes_nothing(store: FakeStore) -> None:
    one, two = add(store, "One"), add(store, "Two")

    list_id, change = reordering.reorder_cards(
        store.view(), one.list_id, get_card_ranks(store), [one.id, two.id], store.context
    )

    assert list_id == store.get_list("To do")
    assert change is None


def test_a_hidden_card_keeps_its_rank_beside_its_neighbour(store: FakeStore) -> None:
    one, two, three, four = (add(store, title) for title in ("One", "Two", "Three", "Four"))
    store.apply(archive.archive_card(store.view(two.id), two.id, store.context)[1])

    reorder(store, four.id, one.id, three.id)

    assert store.get_titles(one.list_id) == ["Four", "One", "Two", "Three"]


@pytest.mark.parametrize("ids", [["One"], ["One", "Two", "Two"], ["One", "Gone"], ["One", "Two", "Gone"], []])
def test_an_order_of_other_cards_is_stale(store: FakeStore, ids: list[str]) -> None:
    by_title = {title: add(store, title).id for title in ("One", "Two", "Gone")}
    store.apply(cards.delete(store.view(by_title["Gone"]), by_title["Gone"], store.context))

    with pytest.raises(StaleOrder, match="not exactly the cards of list 'To do'"):
        reorder(store, *(by_title[title] for title in ids))


def test_an_order_that_takes_too_many_moves_is_refused(store: FakeStore) -> None:
    ids = [add(store, f"Card {number}").id for number in range(92)]

    with pytest.raises(TooManyMoves, match="move 91 cards"):
        reorder(store, *reversed(ids))

    reorder(store, *reversed(ids[:91]), ids[91])
    assert store.get_titles(store.get_list("To do").id) == [
        *(f"Card {number}" for number in reversed(range(91))),
        "Card 91",
    ]


def test_long_ranks_ask_for_a_rebalance(store: FakeStore) -> None:
    one, two, three = (add(store, title) for title in ("One", "Two", "Three"))
    store.cards[two.id] = replace(store.cards[two.id], rank=one.rank + "0" * 130 + "1")

    list_id, change = reordering.reorder_cards(
        store.view(), one.list_id, get_card_ranks(store), [one.id, three.id, two.id], store.context
    )

    assert change is not None
    assert change.rebalance_list_id == list_id.id


def test_cards_without_a_date_are_sorted_last(store: FakeStore) -> None:
    due = [store.now.replace(day=day) for day in (21, 23, 22)]
    created = [add(store, title, due_at=at) for title, at in zip("abcd", [None, *due], strict=True)]
    sort_values = {card.id: reordering.get_sort_value(card, "due_at") for card in created}

    for direction, expected in (("asc", "bdca"), ("desc", "cdba")):
        list_id = created[0].list_id
        moves, change = reordering.sort_cards(
            store.view(),
            list_id,
            get_card_ranks(store),
            sort_values,
            store.context,
            by="due_at",
            direction=direction,  # type: ignore[arg-type]  # one of the two words
        )
        store.apply(change)

        assert "".join(store.get_titles(list_id)) == expected
        assert moves.remaining == 0


def test_titles_are_sorted_ignoring_case(store: FakeStore) -> None:
    created = [add(store, title) for title in ("b", "C", "A", "a")]
    sort_values = {card.id: reordering.get_sort_value(card, "title") for card in created}

    _, change = reordering.sort_cards(
        store.view(), created[0].list_id, get_card_ranks(store), sort_values, store.context, by="title"
    )
    store.apply(change)

    assert store.get_titles(created[0].list_id) == ["A", "a", "b", "C"]
    assert store.events[-1].data["by"] == "title"


def test_lists_are_reordered_and_archived_ones_stay(store: FakeStore) -> None:
    todo, doing, done = store.view().lists
    store.apply(archive.archive_list(store.view(), doing.id, store.context, ())[1])

    ordered, change = reordering.reorder_lists(store.view(), [done.id, todo.id], store.context)
    store.apply(change)

    assert [list_.name for list_ in ordered] == ["Done", "To do"]
    assert [list_.name for list_ in store.view().lists] == ["Done", "To do", "Doing"]
    assert [list_.version for list_ in ordered] == [2, 1]
    assert store.events[-1].data == {"list_ids": [done.id]}
    assert reordering.reorder_lists(store.view(), [done.id, todo.id], store.context)[1] is None


def test_an_order_of_other_lists_is_stale(store: FakeStore) -> None:
    todo, doing, _ = store.view().lists

    with pytest.raises(StaleOrder, match="the lists of this board"):
        reordering.reorder_lists(store.view(), [todo.id, doing.id], store.context)


def test_lists_with_long_ranks_get_short_ones(store: FakeStore) -> None:
    store.apply(lists.create(store.view(), store.context, NewList(name="Last", stage=store.view().lists[0].stage))[1])
    todo = store.get_list("To do")
    store.change_list("Doing", rank=todo.rank + "0" * 130 + "1")
    old = {list_.rank for list_ in store.view().lists}
    new_order = [store.get_list(name).id for name in ("To do", "Last", "Doing", "Done")]

    _, change = reordering.reorder_lists(store.view(), new_order, store.context)
    store.apply(change)

    assert [list_.id for list_ in store.view().lists] == new_order
    assert all(len(list_.rank) < 5 and list_.rank not in old for list_ in store.view().lists)


def test_archived_lists_keep_their_position_when_lists_get_short_ranks(store: FakeStore) -> None:
    todo, doing, done = (store.get_list(name) for name in ("To do", "Doing", "Done"))
    store.change_list("Doing", archived_at=store.now)
    store.change_list("Done", rank=doing.rank + "V" * ranks.MAX_RANK_LENGTH + "V")

    _, change = reordering.reorder_lists(store.view(), [done.id, todo.id], store.context)
    store.apply(change)

    in_order = sorted(store.view().lists, key=lambda list_: list_.rank)
    assert [list_.name for list_ in in_order] == ["Done", "To do", "Doing"]
    assert max(len(list_.rank) for list_ in in_order) < ranks.MAX_RANK_LENGTH


def test_archived_lists_stay_behind_their_neighbours_when_all_lists_get_short_ranks(store: FakeStore) -> None:
    store.apply(lists.create(store.view(), store.context, NewList(name="Last", stage=Stage.DONE))[1])
    todo, doing, done, last = store.view().lists
    store.change_list("Doing", archived_at=store.now, rank="a0" + "0" * 130 + "V")
    store.change_list("Done", rank="a0" + "0" * 130 + "W")

    _, change = reordering.reorder_lists(store.view(), [todo.id, last.id, done.id], store.context)
    store.apply(change)

    assert [list_.id for list_ in store.view().lists] == [todo.id, doing.id, last.id, done.id]
    assert max(len(list_.rank) for list_ in store.view().lists) < 5
