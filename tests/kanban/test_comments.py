"""Comments: who may create, update and delete them."""

from dataclasses import replace

import pytest

from kanban import cards, comments
from kanban.changes import ActionContext
from kanban.comments import NotTheAuthor
from kanban.errors import LimitReached, NotFound
from kanban.values import Card, Comment, NewCard, NewComment, Role
from tests.kanban.fake_store import FakeStore


@pytest.fixture
def card(store: FakeStore) -> Card:
    """Return a card to comment on."""
    commented, change = cards.create(store.view(), store.context, NewCard(title="Copy"))
    store.apply(change)
    return commented


def build_context_of_bob(store: FakeStore) -> ActionContext:
    """Return the context of an action of Bob's at the present time."""
    return replace(store.context, actor_id="usr_bob")


def add(store: FakeStore, card: Card, text: str) -> Comment:
    comment, change = comments.create(store.view(card.id), card.id, store.context, NewComment(text))
    store.apply(change)
    return comment


def test_a_comment_is_counted_on_its_card_without_a_new_version(store: FakeStore, card: Card) -> None:
    comment = add(store, card, "Looks *good*.")

    assert (comment.author_id, comment.text, comment.version) == ("usr_ann", "Looks *good*.", 1)
    assert (store.cards[card.id].comment_count, store.cards[card.id].version) == (1, card.version)


def test_events_of_comments_do_not_contain_their_text(store: FakeStore, card: Card) -> None:
    comment = add(store, card, "Secret")
    store.apply(comments.update(store.view(card.id), card.id, comment.id, {"text": "Also secret"}, store.context)[1])
    store.apply(comments.delete(store.view(card.id), card.id, comment.id, store.context))

    events = store.events[-3:]
    assert [event.type for event in events] == ["comment.created", "comment.updated", "comment.deleted"]
    assert [event.data for event in events] == [{"comment_id": comment.id}] * 3
    assert {(event.list_id, event.card_id) for event in events} == {(card.list_id, card.id)}


def test_a_card_has_at_most_a_thousand_comments(store: FakeStore, card: Card) -> None:
    store.cards[card.id] = replace(card, comment_count=1000)

    with pytest.raises(LimitReached, match="Card 'Copy' has 1000 comments"):
        add(store, card, "One more")


def test_the_author_updates_a_comment(store: FakeStore, card: Card) -> None:
    comment = add(store, card, "Looks god.")
    store.advance_clock(minutes=1)

    updated, change = comments.update(store.view(card.id), card.id, comment.id, {"text": "Looks good."}, store.context)
    store.apply(change)

    assert (updated.text, updated.version, updated.updated_at) == ("Looks good.", 2, store.now)
    assert comments.update(store.view(card.id), card.id, comment.id, {"text": "Looks good."}, store.context) == (
        updated,
        None,
    )


def test_nobody_but_the_author_updates_a_comment(store: FakeStore, card: Card) -> None:
    comment = add(store, card, "Looks good.")

    with pytest.raises(NotTheAuthor, match="only its author can edit it"):
        comments.update(
            store.view(card.id, role=Role.OWNER), card.id, comment.id, {"text": "Bad"}, build_context_of_bob(store)
        )


def test_an_owner_deletes_another_members_comment(store: FakeStore, card: Card) -> None:
    comment = add(store, card, "Buy now!")

    with pytest.raises(NotTheAuthor, match="its author or an owner of the board"):
        comments.delete(store.view(card.id, role=Role.EDITOR), card.id, comment.id, build_context_of_bob(store))
    store.apply(comments.delete(store.view(card.id, role=Role.OWNER), card.id, comment.id, build_context_of_bob(store)))

    assert store.cards[card.id].comment_count == 0
    assert comment.id not in store.parts


def test_a_comment_on_another_card_is_not_found(store: FakeStore, card: Card) -> None:
    comment = add(store, card, "Looks good.")
    other, change = cards.create(store.view(), store.context, NewCard(title="Other"))
    store.apply(change)

    with pytest.raises(NotFound, match="no such comment"):
        comments.get_comment(store.view(card.id, other.id), other.id, comment.id)
