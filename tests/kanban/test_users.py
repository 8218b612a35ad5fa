"""Users: create, update, and who may create them."""

from itertools import count

import pytest

from kanban import users
from kanban.changes import ActionContext, Change
from kanban.installation import InstallationOwnerOnly
from tests.kanban.fake_store import NOON


@pytest.fixture
def context() -> ActionContext:
    numbers = count(1)
    return ActionContext("usr_ann", NOON, lambda kind: f"{kind}_{next(numbers)}")


def test_a_user_can_choose_an_id(context: ActionContext) -> None:
    user, change = users.create(context, name="Ann", id="ann")

    assert user.id == "ann"
    assert change == Change(creates=(user,))


def test_a_user_without_a_choice_gets_an_id(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann")

    assert user.id == "user_1"
    assert user.version == 1


def test_renaming_raises_the_version(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann")

    renamed, change = users.update(user, {"name": "Anna"}, context)

    assert (renamed.name, renamed.version) == ("Anna", 2)
    assert change == Change(updates=(renamed,))


def test_the_same_name_changes_nothing(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann")

    assert users.update(user, {"name": "Ann"}, context) == (user, None)
    assert users.update(user, {}, context) == (user, None)


def test_nothing_but_the_name_can_be_patched(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann")

    with pytest.raises(ValueError, match="cannot be changed"):
        users.update(user, {"id": "bob"}, context)


@pytest.mark.parametrize("others", [(), ("bob",), ("ANN",)])
def test_only_owners_of_the_installation_create_users(others: tuple[str, ...]) -> None:
    users.ensure_may_create_users("ann", ("bob", "ann"))

    with pytest.raises(InstallationOwnerOnly, match="only the owner of this installation"):
        users.ensure_may_create_users("ann", others)
