"""Tokens made with other tokens: they are revoked together, even if secrets have been rotated."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import tokens
from kanban.changes import Change
from kanban.store import AlreadyExists, StaleRead
from kanban.values import Role, Scope, Token, TokenLimits
from tests.stores.conftest import OpenStore
from tests.stores.world import World


def issue_child(world: World, parent: Token, **fields: Any) -> Token:
    """Create a token with another token."""
    return world.add_token(**{"name": "Child", "scopes": [Scope.READ], "parent": parent, **fields})


def revoke_token(world: World, token: Token) -> Token:
    revoked, change = tokens.revoke(token, world.context(), caller_token=token)
    assert change is not None
    world.store.commit(change)
    return revoked


def rotate_token(world: World, token: Token) -> Token:
    rotated, _, change = tokens.rotate(token, world.context(), world.random_bytes, caller_token=token)
    world.store.commit(change)
    return rotated


def list_token_ids(world: World, limit: int = 10) -> list[str]:
    """Return the ids of the listed tokens, page by page."""
    page = world.store.page_tokens(world.ann.id, limit)
    token_ids = [item.id for item in page.items]
    while page.next_key is not None:
        page = world.store.page_tokens(world.ann.id, limit, page.next_key)
        assert len(page.items) <= limit
        token_ids += [item.id for item in page.items]
    return token_ids


def test_the_ancestors_of_a_token_are_read_in_order(world: World) -> None:
    token = world.add_token()
    for _ in range(tokens.MAX_ANCESTORS):
        token = issue_child(world, token)

    assert len(token.ancestor_ids) == tokens.MAX_ANCESTORS
    assert world.store.read_token_by_digest(token.digest) == (token, world.ann)
    assert world.store.read_token(world.ann.id, token.id) == token
    assert world.store.page_tokens(world.ann.id, 1).items == (token,)


def test_a_token_is_revoked_with_any_of_its_ancestors(world: World) -> None:
    first = world.add_token()
    second = issue_child(world, first)
    aunt = issue_child(world, first)
    third = issue_child(world, second)
    fourth = issue_child(world, third)
    unrelated = world.add_token()
    world.advance(hours=1)

    at = revoke_token(world, second).revoked_at

    for token in (third, fourth):
        assert world.store.read_token_by_digest(token.digest) == (replace(token, revoked_at=at), world.ann)
        assert world.store.read_token(world.ann.id, token.id) == replace(token, revoked_at=at)
    for token in (first, aunt, unrelated):
        assert world.store.read_token_by_digest(token.digest) == (token, world.ann)
    assert list_token_ids(world) == [unrelated.id, aunt.id, first.id]


def test_a_token_created_while_its_parent_was_revoked_is_revoked(world: World) -> None:
    parent = world.add_token()
    late, _, change = tokens.issue(
        world.context(), world.random_bytes, user_id=world.ann.id, name="Late", scopes=[Scope.READ], parent=parent
    )
    at = revoke_token(world, parent).revoked_at

    world.store.commit(change)

    assert world.store.read_token_by_digest(late.digest) == (replace(late, revoked_at=at), world.ann)
    assert list_token_ids(world) == []


def test_a_token_keeps_its_own_earlier_time_of_revocation(world: World) -> None:
    parent = world.add_token()
    token = issue_child(world, parent)
    at = revoke_token(world, token).revoked_at
    world.advance(hours=1)

    revoke_token(world, parent)

    stored_token = world.store.read_token(world.ann.id, token.id)
    assert stored_token is not None
    assert stored_token.revoked_at == at


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_tokens_revoked_with_an_ancestor_are_not_listed(world: World, limit: int) -> None:
    kept, ended = world.add_token(), world.add_token()
    live = []
    for _ in range(6):
        live.append(issue_child(world, kept).id)
        issue_child(world, issue_child(world, ended))
    revoke_token(world, ended)

    assert list_token_ids(world, limit) == [*reversed(live), kept.id]


def test_a_rotated_token_is_found_by_its_new_secret_only(world: World, open_again: OpenStore) -> None:
    parent = world.add_token()
    token = issue_child(world, parent)
    below = issue_child(world, token)
    other = open_again()
    # The other process has read the old secret.
    assert other.read_token_by_digest(token.digest) == (token, world.ann)

    rotated = rotate_token(world, token)

    for store in (world.store, other):
        assert store.read_token_by_digest(token.digest) is None
        assert store.read_token_by_digest(rotated.digest) == (rotated, world.ann)
        assert store.read_token_by_digest(below.digest) == (below, world.ann)
        assert store.read_token(world.ann.id, token.id) == rotated
    assert list_token_ids(world) == [below.id, token.id, parent.id]


def test_a_rotated_token_is_still_revoked_with_its_parent(world: World) -> None:
    parent = world.add_token()
    token = rotate_token(world, issue_child(world, parent))
    world.store.record_token_use(token.id, world.now)
    stored_token = world.store.read_token(world.ann.id, token.id)
    assert stored_token == replace(token, last_used_at=world.now)

    revoke_token(world, parent)

    holder = world.store.read_token_by_digest(token.digest)
    assert holder is not None
    assert holder[0].revoked_at == world.now


def test_the_second_of_two_rotations_from_one_version_is_stale(world: World) -> None:
    token = world.add_token()
    _, _, first = tokens.rotate(token, world.context(), world.random_bytes, caller_token=token)
    _, _, second = tokens.rotate(token, world.context(), world.random_bytes, caller_token=token)

    world.store.commit(first)
    with pytest.raises(StaleRead):
        world.store.commit(second)

    for digest, is_known in ((token.digest, False), (_new_digest(first), True), (_new_digest(second), False)):
        assert (world.store.read_token_by_digest(digest) is not None) == is_known


def test_a_secret_is_unique(world: World) -> None:
    token, other = world.add_token(), world.add_token()

    with pytest.raises(AlreadyExists) as error:
        world.store.commit(Change(updates=(replace(token, digest=other.digest, version=2),)))

    assert error.value.constraint == "token.digest"
    assert world.store.read_token_by_digest(other.digest) == (other, world.ann)
    assert world.store.read_token_by_digest(token.digest) == (token, world.ann)


def _new_digest(change: Change) -> str:
    (token,) = change.updates
    assert isinstance(token, Token)
    return token.digest


# Limits and origins

ORIGIN = "203.0.113.7 curl/8.5.0 é"


@pytest.mark.parametrize(
    "limits",
    [
        TokenLimits(),
        TokenLimits(board_ids=("brd_1",)),
        TokenLimits(max_role=Role.VIEWER),
        TokenLimits(resources=("cards", "time_entries")),
        TokenLimits(tuple(f"brd_{number:02}" for number in range(20)), Role.OWNER, ("boards",)),
    ],
)
def test_the_limits_of_a_token_are_read_as_they_were_written(world: World, limits: TokenLimits) -> None:
    token = world.add_token(limits=limits)

    assert token.limits == limits
    rotated = rotate_token(world, token)
    holder = world.store.read_token_by_digest(rotated.digest)
    assert holder == (rotated, world.ann)
    assert world.store.read_token(world.ann.id, token.id) == rotated
    assert world.store.page_tokens(world.ann.id, 1).items == (rotated,)


def read_origin(world: World, token: Token) -> str | None:
    """Return what is stored of where a token was last used."""
    stored_token = world.store.read_token(world.ann.id, token.id)
    assert stored_token is not None
    return stored_token.last_used_from


@pytest.mark.parametrize("origin", [ORIGIN, "2001:db8::1 ", " curl", ":: " + "é" * 100, None])
def test_the_last_use_replaces_the_origin_of_the_one_before(world: World, origin: str | None) -> None:
    token = world.add_token()

    world.store.record_token_use(token.id, world.now, ORIGIN)
    assert read_origin(world, token) == ORIGIN
    world.store.record_token_use(token.id, world.now + timedelta(hours=1), origin)

    assert read_origin(world, token) == origin
    world.store.record_token_use(token.id, world.now, "192.0.2.1 late")
    assert read_origin(world, token) == origin


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_a_purge_erases_old_origins_and_nothing_else(world: World, limit: int) -> None:
    old = [world.add_token() for _ in range(3)]
    kept, unused, used_again = (world.add_token() for _ in range(3))
    for token in (*old, used_again):
        world.store.record_token_use(token.id, world.now, ORIGIN)
        world.store.record_token_use(token.id, world.now + timedelta(hours=1), ORIGIN)
    world.advance(days=2)
    cutoff = world.now
    for token in (kept, used_again):
        world.store.record_token_use(token.id, world.now, ORIGIN)
    before = {token.id: world.store.read_token(world.ann.id, token.id) for token in (*old, kept, unused, used_again)}

    steps = 0
    while world.store.purge_token_origins(cutoff, limit):
        steps += 1

    assert steps >= 3 / limit
    for token in (*old, kept, unused, used_again):
        stored_token, expected = world.store.read_token(world.ann.id, token.id), before[token.id]
        if token in old:
            assert expected is not None
            expected = replace(expected, last_used_from=None)
        assert stored_token == expected
    assert world.store.purge(world.now, 1000) == 0


def test_an_origin_is_recorded_again_after_a_purge(world: World) -> None:
    token = world.add_token()
    world.store.record_token_use(token.id, world.now, ORIGIN)
    world.advance(days=2)
    assert world.store.purge_token_origins(world.now, 10)
    assert read_origin(world, token) is None

    world.store.record_token_use(token.id, world.now, ORIGIN)
    assert read_origin(world, token) == ORIGIN
    world.advance(days=2)
    assert world.store.purge_token_origins(world.now, 10)

    assert read_origin(world, token) is None
    assert world.store.purge_token_origins(world.now, 10) == 0


def test_a_purge_passes_over_origins_of_revoked_tokens(world: World) -> None:
    token = world.add_token()
    world.store.record_token_use(token.id, world.now, ORIGIN)
    stored_token = world.store.read_token(world.ann.id, token.id)
    assert stored_token is not None
    revoke_token(world, stored_token)
    world.advance(days=2)

    while world.store.purge_token_origins(world.now, 10):
        pass

    assert read_origin(world, token) is None


def test_the_holder_of_a_token_is_found_by_its_id(world: World) -> None:
    bob = world.add_user("Bob")
    token = world.add_token(bob)
    child = issue_child(world, world.add_token())

    revoke_token(world, token)

    assert world.store.find_token_holder(token.id) == bob.id
    assert world.store.find_token_holder(child.id) == world.ann.id
    assert world.store.find_token_holder(token.digest) is None
    assert world.store.find_token_holder("tok_none") is None
