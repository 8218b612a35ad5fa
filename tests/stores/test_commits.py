"""A commit: its conditions, and that it is written completely or not at all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from kanban import boards, cards, lists, tokens, users
from kanban.changes import ActionContext, Change, build_change
from kanban.store import AlreadyExists, EventQuery, StaleRead, Store, StoredResponse
from kanban.values import Event, NewCard, Role
from tests.stores.conftest import OpenStore
from tests.stores.world import NOON, World, make_card


def make_record(world: World, key: str = "key-1", **fields: object) -> StoredResponse:
    record = StoredResponse(
        key=key,
        user_id=world.ann.id,
        operation_id="create_card",
        fingerprint="f" * 64,
        status=201,
        headers=(("Location", "/v1/x"), ("ETag", '"1"')),
        body=b'{"title": "\xc3\xa9"}\x00\xff',
        created_at=world.now,
        expires_at=world.now + timedelta(hours=24),
    )
    return replace(record, **fields)  # type: ignore[arg-type]  # a test names the fields of a record


# The board's seq


def test_a_commit_raises_seq_and_writes_an_event(world: World) -> None:
    world.add_card("Copy")

    assert world.read_board().board.seq == 2
    assert [(event.seq, event.type) for event in world.list_events()] == [(1, "board.created"), (2, "card.created")]


def test_the_second_of_two_changes_from_one_view_is_stale(world: World) -> None:
    view = world.read_board()
    _, first = cards.create(view, world.context(), NewCard(title="First"))
    _, second = cards.create(view, world.context(), NewCard(title="Second"))

    world.store.commit(first)
    with pytest.raises(StaleRead):
        world.store.commit(second)

    assert world.list_titles("To do") == ["First"]


def test_a_seq_from_the_future_is_stale(world: World) -> None:
    view = world.read_board()
    ahead = replace(view, board=replace(view.board, seq=5))
    _, change = cards.create(ahead, world.context(), NewCard(title="Copy"))

    with pytest.raises(StaleRead):
        world.store.commit(change)


def test_a_deleted_board_takes_no_more_writes(world: World) -> None:
    view = world.read_board()
    change = boards.delete(view, world.context())
    world.store.commit(change)
    after = replace(view, board=replace(view.board, seq=2))

    _, late_change = cards.create(after, world.context(), NewCard(title="Copy"))

    with pytest.raises(StaleRead):
        world.store.commit(late_change)
    assert world.store.read_board(world.board_id, world.ann.id) is None


def test_a_missing_board_takes_no_writes(world: World) -> None:
    view = world.read_board()
    elsewhere = replace(view, board=replace(view.board, id="brd_none"), lists=())

    with pytest.raises(StaleRead):
        world.store.commit(build_change(elsewhere, world.context(), "test.written"))


# Membership


def test_a_commit_by_a_former_member_is_stale(world: World) -> None:
    bob = world.add_user("Bob")
    _, change = cards.create(world.read_board(), world.context(bob), NewCard(title="From outside"))

    with pytest.raises(StaleRead):
        world.store.commit(change)

    assert world.read_board().board.seq == 1


def test_a_viewer_cannot_write_even_past_the_rules(world: World) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.VIEWER)
    _, change = cards.create(world.read_board(user=bob), world.context(bob), NewCard(title="From a viewer"))

    with pytest.raises(StaleRead):
        world.store.commit(change)


def test_an_editor_can_write(world: World) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.EDITOR)

    card = world.apply(cards.create, user=bob, new=NewCard(title="From an editor"))

    assert world.read_card(card).title == "From an editor"
    assert world.read_board(user=bob).role == Role.EDITOR


def test_a_user_who_is_no_member_sees_no_board(world: World) -> None:
    bob = world.add_user("Bob")

    assert world.store.read_board(world.board_id, bob.id) is None
    assert world.store.read_board("brd_none", bob.id) is None
    assert world.store.page_events(world.board_id, bob.id, EventQuery(), 10) is None


# All or nothing


def test_a_commit_that_fails_at_the_end_writes_nothing(world: World) -> None:
    card = world.add_card("Copy")
    before = world.read_board(card.id)
    todo = world.find_list("To do")

    with pytest.raises(AlreadyExists) as error:
        world.write(
            updates=(replace(todo, name="Changed"), replace(card, title="Changed")),
            creates=(make_card(world, todo, "b00"), make_card(world, todo, "b01", id=card.id)),
        )

    assert error.value.constraint == "card"
    assert world.read_board(card.id) == before
    assert len(world.list_events()) == 2


def test_a_card_cannot_be_updated_through_another_board(world: World) -> None:
    card = world.add_card("Copy")
    other = World(world.store, seed=8)

    with pytest.raises(ValueError, match="one board"):
        other.write(updates=(replace(card, title="Taken over"),))
    with pytest.raises(StaleRead):
        other.write(updates=(replace(card, title="Taken over", board_id=other.board_id),))

    assert world.read_card(card).title == "Copy"


def test_a_change_of_a_board_needs_an_event(world: World) -> None:
    card = world.add_card("Copy")

    with pytest.raises(ValueError, match="must have an event"):
        world.store.commit(Change(updates=(replace(card, title="Silent"),)))


def test_an_event_needs_its_board(world: World) -> None:
    card = world.add_card("Copy")
    event = Event(world.board_id, 3, "test.written", world.now, world.ann.id)

    with pytest.raises(ValueError, match="must contain its board"):
        world.store.commit(Change(updates=(card,), event=event))
    with pytest.raises(ValueError, match="must contain its board"):
        world.store.commit(Change(updates=(world.read_board().board,), event=event))


def test_an_empty_change_writes_nothing(world: World) -> None:
    world.store.commit(Change())

    assert world.read_board().board.seq == 1


# Users and tokens


def test_a_user_id_is_unique(world: World) -> None:
    world.add_user("Bob", id="bob")

    with pytest.raises(AlreadyExists) as error:
        world.add_user("Another Bob", id="bob")

    assert error.value.constraint == "user"
    user = world.store.read_user("bob")
    assert user is not None
    assert user.name == "Bob"


def test_a_user_and_a_token_are_created_together_or_not_at_all(world: World) -> None:
    user, change = users.create(ActionContext("", NOON, world.context().new_id), name="Bob", id=world.ann.id)
    token, _, kept = tokens.issue(world.context(), world.random_bytes, user_id=user.id, name="x", scopes=[])

    with pytest.raises(AlreadyExists):
        world.store.commit(kept.merge(change))

    assert world.store.read_token_by_digest(token.digest) is None


def test_the_second_of_two_renamings_from_one_version_is_stale(world: World) -> None:
    _, first = users.update(world.ann, {"name": "Anna"}, world.context())
    _, second = users.update(world.ann, {"name": "Anne"}, world.context())
    assert first is not None
    assert second is not None

    world.store.commit(first)
    with pytest.raises(StaleRead):
        world.store.commit(second)

    user = world.store.read_user(world.ann.id)
    assert user is not None
    assert user.name == "Anna"


def test_the_owner_is_the_first_user(store: Store) -> None:
    assert store.read_installation_owner() is None

    world = World(store)
    world.advance(seconds=1)
    world.add_user("Bob", id="aaa")

    assert store.read_installation_owner() == world.ann


def test_the_owner_is_the_first_user_even_if_others_have_earlier_times_or_ids(store: Store) -> None:
    world = World(store)

    world.add_user("Bob", id="aaa")
    world.advance(hours=-1)
    world.add_user("Cid", id="aab")

    assert store.read_installation_owner() == world.ann


def test_a_revoked_token_can_be_read_but_is_not_listed(world: World) -> None:
    token = world.add_token()
    revoked, change = tokens.revoke(token, world.context(), caller_token=token)
    assert change is not None

    world.store.commit(change)

    assert world.store.read_token_by_digest(token.digest) == (revoked, world.ann)
    assert world.store.read_token(world.ann.id, token.id) == revoked
    assert world.store.page_tokens(world.ann.id, 10).items == ()


def test_a_token_is_read_by_its_user_only(world: World) -> None:
    token = world.add_token()
    bob = world.add_user("Bob")

    assert world.store.read_token(bob.id, token.id) is None
    assert world.store.read_token_by_digest("0" * 64) is None


def test_the_last_use_of_a_token_never_goes_back_and_raises_no_version(world: World) -> None:
    token = world.add_token()

    world.store.record_token_use(token.id, NOON + timedelta(hours=2))
    world.store.record_token_use(token.id, NOON + timedelta(hours=1))
    world.store.record_token_use("tok_none", NOON)

    assert world.store.read_token(world.ann.id, token.id) == replace(token, last_used_at=NOON + timedelta(hours=2))


# External ids


def test_an_external_id_is_unique_per_board_and_kind(world: World) -> None:
    world.add_card("Copy", external_id="x-1")
    world.add_list("Imported", external_id="x-1")
    other = World(world.store, seed=8)
    other.add_card("Copy", external_id="x-1")

    with pytest.raises(AlreadyExists) as error:
        world.add_card("Again", external_id="x-1")

    assert error.value.constraint == "card.external_id"
    assert world.list_titles("To do") == ["Copy"]


def test_an_update_cannot_take_the_external_id_of_another_card(world: World) -> None:
    world.add_card("Copy", external_id="x-1")
    card = world.add_card("Other")

    with pytest.raises(AlreadyExists) as error:
        world.apply(cards.update, card.id, patch={"external_id": "x-1"})

    assert error.value.constraint == "card.external_id"


def test_the_card_with_an_external_id_is_found_while_it_is_live(world: World) -> None:
    first, second = world.add_card("Copy", external_id="x-1"), world.add_card("Text", "Doing", external_id="x-2")
    other = World(world.store, seed=8)
    world.apply(cards.update, first.id, patch={"title": "Copy again"})
    deleted = world.add_card("Draft", external_id="x-3")
    world.store.commit(cards.delete(world.read_board(deleted.id), deleted.id, world.context()))
    world.store.commit(lists.delete(world.read_board(), world.find_list("Doing").id, world.context()))

    def find(external_id: str) -> str | None:
        return world.store.find_card_id(world.board_id, external_id)

    assert [find(external_id) for external_id in ("x-1", "X-1", "x-2", "x-3", "x-4")] == [first.id, *[None] * 4]
    assert world.store.find_card_id(other.board_id, "x-1") is None
    world.apply(cards.update, first.id, patch={"external_id": None})
    assert find("x-1") is None
    assert world.add_card("Again", external_id="x-2").id == find("x-2") != second.id


def test_the_external_id_of_a_list_is_unique_even_past_the_rules(world: World) -> None:
    world.add_list("Imported", external_id="x-1")

    with pytest.raises(AlreadyExists) as error:
        world.write(updates=(replace(world.find_list("Done"), external_id="x-1"),))

    assert error.value.constraint == "list.external_id"


def test_external_ids_are_case_sensitive(world: World) -> None:
    world.add_card("Lower", external_id="x")
    world.add_card("Upper", external_id="X")

    assert world.list_titles("To do") == ["Lower", "Upper"]


@pytest.mark.parametrize("how", ["card", "list"])
def test_the_external_id_of_a_deleted_card_or_list_is_free(world: World, how: str) -> None:
    card = world.add_card("Copy", "Doing", external_id="x-1")
    if how == "card":
        world.delete_card(card)
    else:
        world.delete_list("Doing")

    again = world.add_card("Again", external_id="x-1")

    assert world.read_card(again).external_id == "x-1"


def test_a_card_keeps_its_external_id_through_moves(world: World) -> None:
    card = world.add_card("Copy", external_id="x-1")

    moved = world.move_card(card, world.find_list("Done").id)

    assert world.read_card(moved).external_id == "x-1"


# Idempotency


def test_a_response_is_stored_with_its_change(world: World) -> None:
    record = make_record(world)
    _, change = cards.create(world.read_board(), world.context(), NewCard(title="Copy"))

    world.store.commit(change, record)

    assert world.store.read_stored_response(world.ann.id, "create_card", "key-1", world.now) == record
    assert world.list_titles("To do") == ["Copy"]


def test_a_stored_response_belongs_to_its_user_operation_and_key(world: World) -> None:
    world.store.commit(Change(), make_record(world))

    assert world.store.read_stored_response("usr_none", "create_card", "key-1", world.now) is None
    assert world.store.read_stored_response(world.ann.id, "move_card", "key-1", world.now) is None
    assert world.store.read_stored_response(world.ann.id, "create_card", "KEY-1", world.now) is None


def test_a_second_commit_with_a_key_fails_and_writes_nothing(world: World) -> None:
    _, first = cards.create(world.read_board(), world.context(), NewCard(title="First"))
    world.store.commit(first, make_record(world))
    _, second = cards.create(world.read_board(), world.context(), NewCard(title="Second"))

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(second, make_record(world, fingerprint="other"))

    assert error.value.constraint == "idempotency_key"
    assert world.list_titles("To do") == ["First"]
    stored = world.store.read_stored_response(world.ann.id, "create_card", "key-1", world.now)
    assert stored is not None
    assert stored.fingerprint == "f" * 64


def test_a_used_key_is_reported_before_a_stale_view(world: World) -> None:
    view = world.read_board()
    world.store.commit(cards.create(view, world.context(), NewCard(title="First"))[1], make_record(world))

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(cards.create(view, world.context(), NewCard(title="Second"))[1], make_record(world))

    assert error.value.constraint == "idempotency_key"


def test_a_stale_commit_stores_no_response(world: World) -> None:
    view = world.read_board()
    world.add_card("First")

    with pytest.raises(StaleRead):
        world.store.commit(cards.create(view, world.context(), NewCard(title="Second"))[1], make_record(world))

    assert world.store.read_stored_response(world.ann.id, "create_card", "key-1", world.now) is None


def test_a_stored_response_expires_at_its_exact_second_and_frees_its_key(world: World) -> None:
    world.store.commit(Change(), make_record(world))
    world.advance(hours=24, seconds=-1)
    assert world.store.read_stored_response(world.ann.id, "create_card", "key-1", world.now) is not None

    world.advance(seconds=1)
    assert world.store.read_stored_response(world.ann.id, "create_card", "key-1", world.now) is None

    again = make_record(world, status=200)
    world.store.commit(Change(), again)
    assert world.store.read_stored_response(world.ann.id, "create_card", "key-1", world.now) == again


def test_many_expired_responses_do_not_prevent_a_commit(world: World) -> None:
    for number in range(50):
        world.store.commit(Change(), make_record(world, key=f"key-{number}"))
    world.advance(hours=25)

    for number in reversed(range(50)):
        world.store.commit(Change(), make_record(world, key=f"key-{number}"))

    assert world.store.read_stored_response(world.ann.id, "create_card", "key-49", world.now) is not None


# The store


def test_the_secret_is_stored_with_the_data(store: Store, open_again: OpenStore) -> None:
    secret = store.read_secret()

    assert len(secret) == 32
    assert store.read_secret() == secret
    assert open_again().read_secret() == secret


def test_a_new_store_is_ready(store: Store) -> None:
    store.check_ready()
    store.read_secret()
    store.check_ready()


@pytest.mark.parametrize("rule", [lists.move, lists.update])
def test_a_rule_that_changes_nothing_writes_nothing(world: World, rule: Callable[..., object]) -> None:
    fields = {"position": "top"} if rule is lists.move else {"patch": {"name": "To do"}}

    world.apply(rule, world.find_list("To do").id, **fields)  # type: ignore[arg-type]  # either rule answers a pair

    assert world.read_board().board.seq == 1
