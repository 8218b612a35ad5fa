"""Users choose an id or get one, and may be renamed."""

from itertools import count

import pytest

from kanban import users
from kanban.errors import InstallationOwnerOnly
from kanban.values import Act, Change
from tests.kanban.desk import NOON


@pytest.fixture
def act() -> Act:
    numbers = count(1)
    return Act("usr_ann", NOON, lambda kind: f"{kind}_{next(numbers)}")


def test_a_user_may_choose_an_id(act: Act) -> None:
    user, change = users.create(act, name="Ann", id="ann")

    assert user.id == "ann"
    assert change == Change(creates=(user,))


def test_a_user_without_a_choice_gets_an_id(act: Act) -> None:
    user, _ = users.create(act, name="Ann")

    assert user.id == "user_1"
    assert user.version == 1


def test_renaming_raises_the_version(act: Act) -> None:
    user, _ = users.create(act, name="Ann")

    renamed, change = users.revise(user, {"name": "Anna"}, act)

    assert (renamed.name, renamed.version) == ("Anna", 2)
    assert change == Change(updates=(renamed,))


def test_the_same_name_changes_nothing(act: Act) -> None:
    user, _ = users.create(act, name="Ann")

    assert users.revise(user, {"name": "Ann"}, act) == (user, None)
    assert users.revise(user, {}, act) == (user, None)


def test_nothing_but_the_name_can_be_patched(act: Act) -> None:
    user, _ = users.create(act, name="Ann")

    with pytest.raises(ValueError, match="cannot be changed"):
        users.revise(user, {"id": "bob"}, act)


@pytest.mark.parametrize("others", [{}, {"name": "Somebody else", "id": "bob"}, {"name": "Ann", "id": "ANN"}])
def test_only_the_owner_of_the_installation_makes_users(act: Act, others: dict[str, str]) -> None:
    owner, _ = users.create(act, name="Ann", id="ann")
    users.ensure_may_make_users("ann", owner)

    other = users.create(act, **others)[0] if others else None

    with pytest.raises(InstallationOwnerOnly, match="only the owner of this installation"):
        users.ensure_may_make_users("ann", other)
