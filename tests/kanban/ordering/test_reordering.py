"""Many things put in order at once: the fewest move, and each to its place."""

import random
from dataclasses import replace
from itertools import pairwise, permutations

import pytest

from kanban import archive, cards, lists
from kanban.ordering import ranks, reordering
from kanban.ordering.reordering import StaleOrder, TooManyMoves
from kanban.values import Card, CardRank
from tests.kanban.fake_store import FakeStore


def add(desk: FakeStore, title: str, **wishes: object) -> Card:
    card, change = cards.create(desk.view(), desk.context, title=title, **wishes)  # type: ignore[arg-type]
    desk.apply(change)
    return card


def placed(desk: FakeStore) -> tuple[CardRank, ...]:
    """The places of all cards of 'To do'."""
    home = desk.get_list("To do").id
    there = [card for card in desk.cards.values() if card.list_id == home]
    return tuple(
        CardRank(card.id, home, card.rank, is_hidden=bool(card.archived_at or card.deleted_at))
        for card in sorted(there, key=lambda card: card.rank)
    )


def order(desk: FakeStore, *card_ids: str) -> None:
    home = desk.get_list("To do").id
    _, change = reordering.reorder_cards(desk.view(), home, placed(desk), card_ids, desk.context)
    desk.apply(change)


def after_moves(there: list[tuple[str, str]], moves: reordering.Moves) -> list[str]:
    ranked = {**dict(there), **moves.ranks}
    assert len(set(ranked.values())) == len(ranked)
    return sorted(ranked, key=lambda each: ranked[each])


@pytest.mark.parametrize("wanted", list(permutations("abcde")))
def test_any_order_of_five_is_reached_without_moving_more_than_needed(wanted: tuple[str, ...]) -> None:
    there = list(zip("abcde", ranks.sequence_after("", 5), strict=True))
    rise = max(
        kept.bit_count()
        for kept in range(32)
        if all(one < other for one, other in pairwise(each for n, each in enumerate(wanted) if kept >> n & 1))
    )

    moves = reordering.plan_fewest_moves(there, wanted, 5)

    assert after_moves(there, moves) == list(wanted)
    assert len(moves.ranks) == 5 - rise
    assert not set(moves.ranks.values()) & {rank for _, rank in there}


def test_steps_of_ninety_bring_a_long_list_into_order() -> None:
    chance = random.Random(11)  # noqa: S311 - a shuffle is no secret.
    ids = [f"card_{number:04d}" for number in range(700)]
    there = list(zip(ids, ranks.sequence_after("", len(ids)), strict=True))
    wanted = chance.sample(ids, len(ids))
    steps = 0

    while (moves := reordering.plan_fewest_moves(there, wanted, 90)).ranks:
        before = len(moves.ranks) + moves.remaining
        ranked = {**dict(there), **moves.ranks}
        there = sorted(ranked.items(), key=lambda each: each[1])
        assert reordering.plan_fewest_moves(there, wanted, 700).remaining <= before - len(moves.ranks)
        steps += 1

    assert [each for each, _ in there] == wanted
    assert steps <= 8


def test_the_cards_of_a_list_are_put_in_order_by_moving_one(desk: FakeStore) -> None:
    one, two, three = (add(desk, title) for title in ("One", "Two", "Three"))

    order(desk, three.id, one.id, two.id)

    assert desk.get_titles(one.list_id) == ["Three", "One", "Two"]
    assert desk.events[-1].type == "list.reordered"
    assert desk.events[-1].data == {"card_ids": [three.id]}
    assert desk.cards[three.id].version == 1


def test_an_order_that_is_there_already_changes_nothing(desk: FakeStore) -> None:
    one, two = add(desk, "One"), add(desk, "Two")

    home, change = reordering.reorder_cards(desk.view(), one.list_id, placed(desk), [one.id, two.id], desk.context)

    assert home == desk.get_list("To do")
    assert change is None


def test_a_hidden_card_keeps_its_place_beside_what_it_stood_beside(desk: FakeStore) -> None:
    one, two, three, four = (add(desk, title) for title in ("One", "Two", "Three", "Four"))
    desk.apply(archive.archive_card(desk.view(two.id), two.id, desk.context)[1])

    order(desk, four.id, one.id, three.id)

    assert desk.get_titles(one.list_id) == ["Four", "One", "Two", "Three"]


@pytest.mark.parametrize("ids", [["One"], ["One", "Two", "Two"], ["One", "Gone"], ["One", "Two", "Gone"], []])
def test_an_order_of_other_cards_is_stale(desk: FakeStore, ids: list[str]) -> None:
    by_title = {title: add(desk, title).id for title in ("One", "Two", "Gone")}
    desk.apply(cards.delete(desk.view(by_title["Gone"]), by_title["Gone"], desk.context))

    with pytest.raises(StaleOrder, match="not exactly the cards of list 'To do'"):
        order(desk, *(by_title[each] for each in ids))


def test_an_order_that_is_too_far_away_is_refused(desk: FakeStore) -> None:
    ids = [add(desk, f"Card {number}").id for number in range(92)]

    with pytest.raises(TooManyMoves, match="move 91 cards"):
        order(desk, *reversed(ids))


def test_places_that_have_grown_long_are_made_short_again(desk: FakeStore) -> None:
    one, two, three = (add(desk, title) for title in ("One", "Two", "Three"))
    desk.cards[two.id] = replace(desk.cards[two.id], rank=one.rank + "0" * 130 + "1")

    home, change = reordering.reorder_cards(
        desk.view(), one.list_id, placed(desk), [one.id, three.id, two.id], desk.context
    )

    assert change is not None
    assert change.rebalance_list_id == home.id


def test_cards_are_sorted_by_date_with_those_that_have_none_at_the_end(desk: FakeStore) -> None:
    due = [desk.now.replace(day=day) for day in (21, 23, 22)]
    made = [add(desk, title, due_at=at) for title, at in zip("abcd", [None, *due], strict=True)]
    keys = {card.id: reordering.get_sort_value(card, "due_at") for card in made}

    for direction, expected in (("asc", "bdca"), ("desc", "cdba")):
        home = made[0].list_id
        moves, change = reordering.sort_cards(
            desk.view(),
            home,
            placed(desk),
            keys,
            desk.context,
            by="due_at",
            direction=direction,  # type: ignore[arg-type]  # one of the two words
        )
        desk.apply(change)

        assert "".join(desk.get_titles(home)) == expected
        assert moves.remaining == 0


def test_titles_are_sorted_without_regard_to_case(desk: FakeStore) -> None:
    made = [add(desk, title) for title in ("b", "C", "A", "a")]
    keys = {card.id: reordering.get_sort_value(card, "title") for card in made}

    _, change = reordering.sort_cards(desk.view(), made[0].list_id, placed(desk), keys, desk.context, by="title")
    desk.apply(change)

    assert desk.get_titles(made[0].list_id) == ["A", "a", "b", "C"]
    assert desk.events[-1].data["by"] == "title"


def test_lists_are_put_in_order_and_the_archived_ones_stay(desk: FakeStore) -> None:
    todo, doing, done = desk.view().lists
    desk.apply(archive.archive_list(desk.view(), doing.id, desk.context, ())[1])

    ordered, change = reordering.reorder_lists(desk.view(), [done.id, todo.id], desk.context)
    desk.apply(change)

    assert [each.name for each in ordered] == ["Done", "To do"]
    assert [each.name for each in desk.view().lists] == ["Done", "To do", "Doing"]
    assert [each.version for each in ordered] == [2, 1]
    assert desk.events[-1].data == {"list_ids": [done.id]}
    assert reordering.reorder_lists(desk.view(), [done.id, todo.id], desk.context)[1] is None


def test_an_order_of_other_lists_is_stale(desk: FakeStore) -> None:
    todo, doing, _ = desk.view().lists

    with pytest.raises(StaleOrder, match="the lists of this board"):
        reordering.reorder_lists(desk.view(), [todo.id, doing.id], desk.context)


def test_lists_get_short_ranks_when_they_have_grown_long(desk: FakeStore) -> None:
    desk.apply(lists.create(desk.view(), desk.context, name="Last", stage=desk.view().lists[0].stage)[1])
    todo = desk.get_list("To do")
    desk.change_list("Doing", rank=todo.rank + "0" * 130 + "1")
    old = {each.rank for each in desk.view().lists}
    wanted = [desk.get_list(name).id for name in ("To do", "Last", "Doing", "Done")]

    _, change = reordering.reorder_lists(desk.view(), wanted, desk.context)
    desk.apply(change)

    assert [each.id for each in desk.view().lists] == wanted
    assert all(len(each.rank) < 5 and each.rank not in old for each in desk.view().lists)


def test_lists_whose_places_have_grown_long_get_short_ones_and_archived_lists_stay_where_they_are(
    desk: FakeStore,
) -> None:
    todo, doing, done = (desk.get_list(name) for name in ("To do", "Doing", "Done"))
    desk.change_list("Doing", archived_at=desk.now)
    desk.change_list("Done", rank=doing.rank + "V" * ranks.MAX_RANK_LENGTH + "V")

    _, change = reordering.reorder_lists(desk.view(), [done.id, todo.id], desk.context)
    desk.apply(change)

    in_order = sorted(desk.view().lists, key=lambda each: each.rank)
    assert [each.name for each in in_order] == ["Done", "To do", "Doing"]
    assert max(len(each.rank) for each in in_order) < ranks.MAX_RANK_LENGTH
