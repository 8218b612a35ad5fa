"""Identities on every engine: an account is one of one user, compared byte by byte."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kanban import identities, tokens, users
from kanban.changes import Change
from kanban.identities import Account
from kanban.store import AlreadyExists, StaleRead
from kanban.values import Identity, User
from tests.stores.conftest import OpenStore
from tests.stores.world import World

ISSUER = "https://id.example.test/realms/staff"


def prepare(
    world: World, subject: str = "mina", issuer: str = ISSUER, user: User | None = None
) -> tuple[Identity, Change]:
    return identities.link(Account(issuer, subject), world.context(), user_id=(user or world.ann).id, identities=())


def add(world: World, subject: str = "mina", issuer: str = ISSUER, user: User | None = None) -> Identity:
    identity, change = prepare(world, subject, issuer, user)
    world.store.commit(change)
    return identity


def add_user(world: World, name: str) -> User:
    user, change = users.create(world.context(), name=name)
    world.store.commit(change)
    return user


def test_an_identity_is_read_by_its_account(world: World) -> None:
    identity = add(world)

    assert world.store.sign_in.read_identity(ISSUER, "mina") == identity
    assert world.store.sign_in.read_identity(f"{ISSUER}/", "mina") is None
    assert world.store.sign_in.read_identity(ISSUER, "Mina") is None
    assert world.store.sign_in.read_identity("", "") is None


def test_identities_of_a_user_are_listed_oldest_first(world: World) -> None:
    other = add_user(world, "Other")
    listed = [add(world, subject) for subject in ("b", "a", "c")]
    add(world, "d", user=other)

    assert [*world.store.sign_in.list_identities(world.ann.id)] == listed
    assert [*world.store.sign_in.list_identities("unknown")] == []


@pytest.mark.parametrize(
    "subject", ["мина", "ミナ", "a" * 255, "👩" * 255, "x'; --", "a#b", "a|b", "{}", " a ", "é", "e\u0301", "%", "_"]
)
def test_a_subject_is_kept_as_it_is(world: World, subject: str) -> None:
    identity = add(world, subject)

    assert world.store.sign_in.read_identity(ISSUER, subject) == identity
    assert [*world.store.sign_in.list_identities(world.ann.id)] == [identity]


def test_accounts_that_look_alike_are_different(world: World) -> None:
    subjects = ["mina", "mіna", "ｍｉｎａ", "MINA", "mina ", "é", "e\u0301", "ß", "ss"]  # noqa: RUF001 - that is the point.
    added = {subject: add(world, subject) for subject in subjects}

    assert {subject: world.store.sign_in.read_identity(ISSUER, subject) for subject in subjects} == added


def test_issuer_and_subject_are_not_run_together(world: World) -> None:
    first, second = add(world, "bc", "https://a.example.test/"), add(world, "c", "https://a.example.test/b")

    assert world.store.sign_in.read_identity("https://a.example.test/", "bc") == first
    assert world.store.sign_in.read_identity("https://a.example.test/b", "c") == second


def test_an_account_is_an_identity_of_one_user(world: World) -> None:
    identity = add(world)
    other = add_user(world, "Other")

    for user in (world.ann, other):
        with pytest.raises(AlreadyExists) as error:
            add(world, user=user)
        assert error.value.constraint == "identity.subject"
    assert world.store.sign_in.read_identity(ISSUER, "mina") == identity
    assert [*world.store.sign_in.list_identities(other.id)] == []


def test_an_account_that_is_removed_can_be_linked_again(world: World) -> None:
    identity = add(world)
    other = add_user(world, "Other")
    world.store.commit(Change(deletes=(identity,)))

    assert world.store.sign_in.read_identity(ISSUER, "mina") is None
    assert [*world.store.sign_in.list_identities(world.ann.id)] == []
    again = add(world, user=other)
    with pytest.raises(StaleRead):
        world.store.commit(Change(deletes=(identity,)))
    assert world.store.sign_in.read_identity(ISSUER, "mina") == again
    assert [*world.store.sign_in.list_identities(other.id)] == [again]


def test_a_user_an_identity_and_a_session_are_created_together_or_not_at_all(world: World) -> None:
    def prepare_sign_up() -> tuple[User, Change]:
        context = world.context()
        user, change = users.create(context, name="Mina")
        _, linked = identities.link(Account(ISSUER, "mina"), context, user_id=user.id, identities=())
        _, _, opened = tokens.open_session(context, world.random_bytes, user_id=user.id, name="Phone")
        return user, change.merge(linked).merge(opened)

    user, change = prepare_sign_up()
    late_user, late_change = prepare_sign_up()
    world.store.commit(change)

    assert world.store.read_user(user.id) == user
    with pytest.raises(AlreadyExists):
        world.store.commit(late_change)
    assert world.store.read_user(late_user.id) is None


def test_one_of_many_who_link_an_account_at_once_gets_it(world: World, open_again: OpenStore) -> None:
    others = [add_user(world, f"User {number}") for number in range(6)]
    attempts = [(open_again(), prepare(world, user=user)[1]) for user in others]

    def commit(attempt: tuple[Any, Change]) -> bool:
        try:
            attempt[0].commit(attempt[1])
        except (AlreadyExists, StaleRead):
            return False
        return True

    with ThreadPoolExecutor(len(attempts)) as threads:
        successes = [*threads.map(commit, attempts)]

    assert successes.count(True) == 1
    assert sum(len(world.store.sign_in.list_identities(user.id)) for user in others) == 1
