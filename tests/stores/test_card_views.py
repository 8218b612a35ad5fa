"""A card view is what the card and its board say together, whichever way an engine reads it."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from kanban import archive
from kanban.card_views import view_card
from kanban.store import CardQuery, CardSort
from kanban.values import Card, CardView, Link, Role, Stage
from kanban.views import Page, PageKey
from tests.stores.part_builders import add_label, find_member
from tests.stores.world import World

DERIVED_FIELDS = {"status", "currency"}


def test_a_card_view_has_the_fields_of_a_card() -> None:
    names = {field.name for field in fields(Card)}

    assert {field.name for field in fields(CardView)} == names | DERIVED_FIELDS


def test_a_card_is_read_with_its_status_and_with_what_means_something_on_its_board(world: World) -> None:
    bob, cyd = world.add_user("Bob", id="bob"), world.add_user("Cyd", id="cyd")
    for user in (cyd, bob):
        world.add_member(user, Role.EDITOR)
    labels = [add_label(world, name) for name in ("Copy", "Web", "Late")]
    card = world.add_card(
        "Write ä",
        "Doing",
        description="Two\nlines",
        external_id="T-1",
        label_ids=tuple(label.id for label in labels),
        assignee_ids=("cyd", "bob", world.ann.id),
        due_at=world.now + timedelta(days=1),
        due_complete=True,
        hourly_rate_minor=700,
        links=(Link("https://example.com/a", "A title"), Link("https://example.com/b", "")),
    )
    world.write(deletes=(labels[1], find_member(world, cyd.id)))

    card_view = read_card_view(world, card)

    assert card_view is not None
    assert (card_view.status, card_view.currency) == (Stage.IN_PROGRESS, "USD")
    assert [*card_view.label_ids] == sorted((labels[0].id, labels[2].id))
    assert [*card_view.assignee_ids] == sorted(("bob", world.ann.id))
    assert (card_view.due_at, card_view.start_at) == ("2026-11-21T12:00:00Z", None)
    assert card_view.running is not None
    assert card_view == view_card(world.read_card(card), world.read_board())


def test_a_card_without_anything_is_read_as_it_is(world: World) -> None:
    card = world.add_card("Plain")

    assert read_card_view(world, card) == view_card(card, world.read_board())


def test_the_status_of_a_card_follows_the_stage_of_its_list(world: World) -> None:
    card = world.add_card("Plain")
    todo = world.find_list("To do")

    world.write(updates=(replace(todo, stage=Stage.DONE, version=todo.version + 1),))

    card_view = read_card_view(world, card)
    assert card_view is not None
    assert card_view.status == Stage.DONE


def test_an_archived_card_is_read_but_not_one_that_is_deleted_or_in_a_deleted_list(world: World) -> None:
    archived, deleted, lost = world.add_card("Archived"), world.add_card("Deleted"), world.add_card("Lost", "Doing")
    world.apply(archive.archive_card, archived.id)
    world.delete_card(deleted)
    world.delete_list("Doing")

    archived_view = read_card_view(world, archived)

    assert archived_view is not None
    assert archived_view.archived_at == "2026-11-20T12:00:00Z"
    assert world.store.read_card(world.board_id, world.ann.id, deleted.id) == (Role.OWNER, None)
    assert world.store.read_card(world.board_id, world.ann.id, lost.id) == (Role.OWNER, None)


@pytest.mark.parametrize("sort", CardSort)
def test_pages_of_card_views_are_those_of_cards(world: World, sort: CardSort) -> None:
    bob = world.add_user("Bob", id="bob")
    world.add_member(bob, Role.EDITOR)
    labels = [add_label(world, name) for name in ("Copy", "Web")]
    for number, list_name in enumerate(("Doing", "To do", "To do", "Done", "To do")):
        world.advance(seconds=1)
        world.add_card(
            f"Card {number}",
            list_name,
            label_ids=tuple(label.id for label in labels[number % 2 :]),
            assignee_ids=("bob", world.ann.id)[number % 3 :],
            due_at=world.now + timedelta(days=number) if number != 1 else None,
            links=(Link("https://example.com/a", "A title"),) * (number % 2),
        )
    world.write(deletes=(labels[1], find_member(world, "bob")))
    query = CardQuery(sort=sort)

    after: PageKey | None = None
    count = 0
    while after or not count:
        cards_page = world.store.page_cards(world.board_id, world.ann.id, query, 2, after)
        views_page = world.store.page_card_views(world.board_id, world.ann.id, query, 2, after)
        assert cards_page is not None
        view, page = cards_page
        assert views_page == (view, Page(tuple(view_card(card, view) for card in page.items), page.next_key))
        after = page.next_key
        count += len(page.items)

    assert count == (4 if sort in {CardSort.DUE_FIRST, CardSort.DUE_LAST} else 5)


def test_a_list_that_is_not_live_has_no_card_views(world: World) -> None:
    world.add_card("Plain")

    result = world.store.page_card_views(world.board_id, world.ann.id, CardQuery("lst_none"), 2)

    assert result is not None
    assert result[1] == Page(())


def test_a_card_is_read_only_by_members_and_only_on_its_board(world: World) -> None:
    card = world.add_card("Mine")
    bob = world.add_user("Bob")
    other_board_id = world.add_board("Other", bob)

    assert world.store.read_card(world.board_id, bob.id, card.id) is None
    assert world.store.read_card(other_board_id, bob.id, card.id) == (Role.OWNER, None)
    world.add_member(bob, Role.VIEWER)
    assert world.store.read_card(world.board_id, bob.id, card.id) == (
        Role.VIEWER,
        view_card(card, world.read_board()),
    )


def read_card_view(world: World, card: Card) -> CardView | None:
    result = world.store.read_card(world.board_id, world.ann.id, card.id)
    assert result is not None
    role, card_view = result
    assert role == Role.OWNER
    return card_view
