"""Users: create, update, deactivate, reactivate, and who may create them."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from kanban import users
from kanban.changes import ActionContext, Change
from kanban.installation import InstallationOwnerOnly, LastInstallationOwner
from kanban.tokens import TokenChanged
from kanban.users import BoardsWithoutOwner, UserActive, UserDeactivated, UserDeleted
from kanban.values import InstallationOwners, User
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


def deactivate(user: User, context: ActionContext) -> User:
    return users.deactivate(user, ("usr_root",), context)[0]


def test_a_user_is_deactivated_and_signed_out(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann")
    later = replace(context, at=NOON + timedelta(hours=1))

    deactivated, change = users.deactivate(user, ("usr_root",), later)

    assert change == Change(updates=(deactivated,))
    assert (deactivated.deactivated_at, deactivated.signed_out_at) == (later.at, later.at)
    assert (deactivated.version, deactivated.updated_at) == (2, later.at)
    assert users.deactivate(deactivated, ("usr_root",), later) == (deactivated, None)


def test_an_owner_of_the_installation_who_is_deactivated_loses_the_role(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann", id="ann")

    deactivated, change = users.deactivate(user, ("usr_root", "ann"), context)

    assert change == Change(updates=(deactivated, InstallationOwners(("usr_root",), ("usr_root", "ann"))))
    assert deactivated.version == 2


def test_the_last_owner_of_the_installation_is_not_deactivated(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann", id="ann")

    with pytest.raises(LastInstallationOwner):
        users.deactivate(user, ("ann",), context)


def test_what_was_valid_before_stays_void_after_a_reactivation(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann")
    assert users.is_valid_since(user, NOON)
    deactivated = deactivate(user, context)
    later = replace(context, at=NOON + timedelta(hours=1))

    reactivated, change = users.reactivate(deactivated, later)

    assert change == Change(updates=(reactivated,))
    assert (reactivated.deactivated_at, reactivated.signed_out_at) == (None, NOON)
    assert (reactivated.version, reactivated.updated_at) == (3, later.at)
    assert users.reactivate(reactivated, later) == (reactivated, None)
    moments = [NOON - timedelta(seconds=1), NOON, NOON + timedelta(seconds=1)]
    assert [users.is_valid_since(reactivated, moment) for moment in moments] == [False, False, True]
    assert [users.is_valid_since(deactivated, moment) for moment in moments] == [False, False, False]


def test_who_is_deactivated_can_be_asked_for_either_way(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann")
    deactivated = deactivate(user, context)

    users.ensure_active(user)
    users.ensure_deactivated(deactivated)
    with pytest.raises(UserDeactivated):
        users.ensure_active(deactivated)
    with pytest.raises(UserActive):
        users.ensure_deactivated(user)


def test_a_user_who_was_deactivated_just_now_is_not_renamed(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann")

    with pytest.raises(TokenChanged):
        users.update(deactivate(user, context), {"name": "Anna"}, context)


def test_nothing_is_left_of_a_deleted_user_but_the_id(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann")
    with pytest.raises(UserActive):
        users.delete(user, context)
    deactivated = replace(user, version=2, deactivated_at=NOON, signed_out_at=NOON)

    deleted, change = users.delete(deactivated, context)

    assert deleted == replace(deactivated, name="Former member", version=3, updated_at=context.at, deleted_at=NOON)
    assert change == Change(updates=(deleted,))
    assert users.delete(deleted, context) == (deleted, None)


def test_a_deleted_user_can_not_come_back(context: ActionContext) -> None:
    user, _ = users.create(context, name="Ann")
    deleted = replace(user, deactivated_at=NOON, deleted_at=NOON)

    with pytest.raises(UserDeleted):
        users.ensure_active(deleted)
    with pytest.raises(UserDeleted):
        users.reactivate(deleted, context)
    with pytest.raises(UserDeactivated):
        users.ensure_active(replace(deleted, deleted_at=None))


def test_an_error_counts_the_boards_without_an_owner() -> None:
    assert BoardsWithoutOwner(["brd_1"]).message.startswith("1 board would")
    assert BoardsWithoutOwner(["brd_1", "brd_2"]).message.startswith("2 boards would")
