"""Parts of cards (time entries, checklists, comments) are read as they were written, in order, on their board only."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kanban.store import CardQuery, PartKey, StaleRead
from kanban.values import Card, Checklist, Comment, Part, Role, TimeEntry
from tests.stores.part_builders import (
    add_full_card,
    list_empty_fields,
    make_checklist,
    make_comment,
    make_item,
    make_time_entry,
)
from tests.stores.world import World, collect_pages

LIMITS = [1, 2, 7, 100]


def part_key(part: Part) -> PartKey:
    return PartKey(type(part), part.card_id, part.id)


def read_parts(world: World, *parts: Part, card: Card) -> dict[str, Part]:
    view = world.store.read_board(
        world.board_id, world.ann.id, card_ids=[card.id], parts=[part_key(part) for part in parts]
    )
    assert view is not None
    return dict(view.parts)


def read_comments(world: World, card: Card, limit: int = 100) -> list[Comment]:
    def page(after: object) -> object:
        result = world.store.page_comments(world.board_id, world.ann.id, card.id, limit, after)  # type: ignore[arg-type]  # a position
        return result and result[1]

    return collect_pages(page, limit)  # type: ignore[arg-type]  # a page of comments


def read_checklists(world: World, card: Card) -> tuple[Checklist, ...]:
    result = world.store.read_checklists(world.board_id, world.ann.id, card.id)
    assert result is not None
    return result[1]


def test_every_field_of_a_full_card_is_read_as_it_was_written(world: World) -> None:
    card = add_full_card(world)

    assert world.read_card(card) == card
    assert world.list_cards() == [card]


def test_a_card_can_lose_its_labels_assignees_and_links(world: World) -> None:
    card = replace(add_full_card(world), label_ids=(), assignee_ids=(), links=())

    world.write(updates=(card,))

    assert world.read_card(card) == card


def test_every_kind_of_part_is_read_with_its_card(world: World) -> None:
    card = world.add_card("Copy")
    written = make_comment(
        world, card, "# Grüße 👩‍🚀\n\n* 'quoted'", version=3, updated_at=world.now + timedelta(seconds=1)
    )
    member = world.read_board().members[0]
    due_at = world.now + timedelta(days=1)
    steps = make_checklist(
        world, card, "a0", make_item(world, "B", done=True), make_item(world, "A", assignee_id=member.id, due_at=due_at)
    )
    entry = make_time_entry(world, card, 0, 60, note="By hand", rate_minor=0, version=2)
    world.write(creates=(written, steps, entry))

    parts_by_id = read_parts(world, written, steps, entry, card=card)

    assert parts_by_id == {part.id: part for part in (written, steps, entry)}


def test_an_updated_part_is_read_as_it_was_written_last(world: World) -> None:
    card = world.add_card("Copy")
    written, entry = make_comment(world, card, "Old"), make_time_entry(world, card, 0, 60)
    steps = make_checklist(world, card, "a0", *(make_item(world, name) for name in "ABC"))
    card = replace(card, comment_count=1)
    world.write(creates=(written, steps, entry), updates=(card,))
    written = replace(written, text="New", version=2)
    entry = replace(entry, ended_at=entry.started_at, note="Corrected", version=2)
    steps = replace(
        steps, name="Fewer", rank="b00", items=(steps.items[2], replace(steps.items[0], text="A2")), version=2
    )

    world.write(updates=(written, steps, entry))

    assert read_parts(world, written, steps, entry, card=card) == {part.id: part for part in (written, steps, entry)}
    assert world.list_cards(CardQuery(q="old")) == []
    assert world.list_cards(CardQuery(q="new")) == [card]


def test_every_field_of_a_time_entry_can_be_updated(world: World) -> None:
    world.add_member(world.add_user("Bob", id="bob"), Role.EDITOR)
    card = world.add_card("Copy")
    entry = make_time_entry(world, card, 0, 60)
    world.write(creates=(entry,))
    right = make_time_entry(
        world, card, 30, 90, id=entry.id, user_id="bob", rate_minor=7, note="Bob's", version=2, recorded_by="bob"
    )

    world.write(updates=(right,))

    assert read_parts(world, right, card=card) == {right.id: right}
    assert list_empty_fields(right) == set()


@pytest.mark.parametrize("kind", [Comment, Checklist, TimeEntry])
def test_a_part_cannot_be_deleted_twice(world: World, kind: type[Part]) -> None:
    card = world.add_card("Copy")
    new_comments: dict[type[Part], Part] = {
        Comment: make_comment(world, card, "Hm."),
        Checklist: make_checklist(world, card, "a0", make_item(world, "A")),
        TimeEntry: make_time_entry(world, card, 0, 60),
    }
    part = new_comments[kind]
    world.write(creates=(part,))

    world.write(deletes=(part,))

    assert read_parts(world, part, card=card) == {}
    with pytest.raises(StaleRead):
        world.write(deletes=(part,))
    with pytest.raises(StaleRead):
        world.write(updates=(part,))


def test_parts_are_read_with_live_cards_of_the_same_board_only(world: World) -> None:
    card, other = world.add_card("Copy"), world.add_card("Other")
    written = make_comment(world, card, "Hm.")
    world.write(creates=(written,))
    elsewhere = World(world.store, seed=8)

    of_another_card = world.store.read_board(
        world.board_id, world.ann.id, card_ids=[card.id, other.id], parts=[PartKey(Comment, other.id, written.id)]
    )
    of_another_board = elsewhere.store.read_board(
        elsewhere.board_id, elsewhere.ann.id, card_ids=[card.id], parts=[part_key(written)]
    )
    world.delete_card(card)

    assert of_another_card is not None
    assert of_another_board is not None
    assert of_another_card.parts == of_another_board.parts == read_parts(world, written, card=card) == {}
    assert read_comments(world, card) == []


@pytest.mark.parametrize("limit", LIMITS)
def test_comments_are_listed_newest_first(world: World, limit: int) -> None:
    card, other = world.add_card("Copy"), world.add_card("Other")
    new_comments = [make_comment(world, card, f"{number}") for number in range(8)]
    world.write(creates=(*new_comments, make_comment(world, other, "Elsewhere")))

    assert read_comments(world, card, limit) == new_comments[::-1]


def test_checklists_are_read_in_the_order_of_their_ranks(world: World) -> None:
    card = world.add_card("Copy")
    new_checklists = [make_checklist(world, card, rank, make_item(world, rank)) for rank in ("b00", "a0", "a1", "Zz")]
    world.write(creates=tuple(new_checklists))

    assert [checklist.rank for checklist in read_checklists(world, card)] == ["Zz", "a0", "a1", "b00"]
    assert read_checklists(world, card)[1] == new_checklists[1]
    assert read_checklists(world, world.add_card("Other")) == ()


def test_comments_and_checklists_are_read_by_members_only(world: World) -> None:
    card = add_full_card(world)
    bob = world.add_user("Bob")

    assert world.store.page_comments(world.board_id, bob.id, card.id, 10) is None
    assert world.store.read_checklists(world.board_id, bob.id, card.id) is None
    world.add_member(bob, Role.VIEWER)
    assert world.store.page_comments(world.board_id, bob.id, card.id, 10) is not None
