"""Comments: who may write, change and delete them."""

from dataclasses import replace

import pytest

from kanban import cards, comments
from kanban.changes import ActionContext
from kanban.comments import NotTheAuthor
from kanban.errors import LimitReached, NotFound
from kanban.values import Card, Comment, Role
from tests.kanban.fake_store import FakeStore


@pytest.fixture
def card(desk: FakeStore) -> Card:
    """A card to talk about."""
    made, change = cards.create(desk.view(), desk.context, title="Copy")
    desk.apply(change)
    return made


def bob(desk: FakeStore) -> ActionContext:
    """Bob does something now."""
    return replace(desk.context, actor_id="usr_bob")


def add(desk: FakeStore, card: Card, text: str) -> Comment:
    made, change = comments.create(desk.view(card.id), card.id, desk.context, text=text)
    desk.apply(change)
    return made


def test_a_comment_is_counted_on_its_card_whose_version_stays(desk: FakeStore, card: Card) -> None:
    made = add(desk, card, "Looks *good*.")

    assert (made.author_id, made.text, made.version) == ("usr_ann", "Looks *good*.", 1)
    assert (desk.cards[card.id].comment_count, desk.cards[card.id].version) == (1, card.version)


def test_events_of_comments_never_hold_their_text(desk: FakeStore, card: Card) -> None:
    made = add(desk, card, "Secret")
    desk.apply(comments.update(desk.view(card.id), card.id, made.id, {"text": "Also secret"}, desk.context)[1])
    desk.apply(comments.delete(desk.view(card.id), card.id, made.id, desk.context))

    told = desk.events[-3:]
    assert [each.type for each in told] == ["comment.created", "comment.updated", "comment.deleted"]
    assert [each.data for each in told] == [{"comment_id": made.id}] * 3
    assert {(each.list_id, each.card_id) for each in told} == {(card.list_id, card.id)}


def test_a_card_has_a_thousand_comments_and_no_more(desk: FakeStore, card: Card) -> None:
    desk.cards[card.id] = replace(card, comment_count=1000)

    with pytest.raises(LimitReached, match="Card 'Copy' has 1000 comments"):
        add(desk, card, "One more")


def test_its_author_changes_a_comment(desk: FakeStore, card: Card) -> None:
    made = add(desk, card, "Looks god.")
    desk.advance_clock(minutes=1)

    revised, change = comments.update(desk.view(card.id), card.id, made.id, {"text": "Looks good."}, desk.context)
    desk.apply(change)

    assert (revised.text, revised.version, revised.updated_at) == ("Looks good.", 2, desk.now)
    assert comments.update(desk.view(card.id), card.id, made.id, {"text": "Looks good."}, desk.context) == (
        revised,
        None,
    )


def test_nobody_else_changes_a_comment_not_even_an_owner(desk: FakeStore, card: Card) -> None:
    made = add(desk, card, "Looks good.")

    with pytest.raises(NotTheAuthor, match="only its author can edit it"):
        comments.update(desk.view(card.id, role=Role.OWNER), card.id, made.id, {"text": "Bad"}, bob(desk))


def test_an_owner_deletes_the_comment_of_another(desk: FakeStore, card: Card) -> None:
    made = add(desk, card, "Buy now!")

    with pytest.raises(NotTheAuthor, match="its author or an owner of the board"):
        comments.delete(desk.view(card.id, role=Role.EDITOR), card.id, made.id, bob(desk))
    desk.apply(comments.delete(desk.view(card.id, role=Role.OWNER), card.id, made.id, bob(desk)))

    assert desk.cards[card.id].comment_count == 0
    assert made.id not in desk.parts


def test_a_comment_on_another_card_is_not_found(desk: FakeStore, card: Card) -> None:
    made = add(desk, card, "Looks good.")
    other, change = cards.create(desk.view(), desk.context, title="Other")
    desk.apply(change)

    with pytest.raises(NotFound, match="no such comment"):
        comments.get_comment(desk.view(card.id, other.id), other.id, made.id)
