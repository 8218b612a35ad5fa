"""The owners of the installation: who may become one, and who may do what only they can."""

from itertools import count

import pytest

from kanban import installation
from kanban.changes import ActionContext
from kanban.installation import (
    MAX_INSTALLATION_OWNERS,
    InstallationOwnerOnly,
    LastInstallationOwner,
    TooManyInstallationOwners,
)
from kanban.values import InstallationOwners, InstallationRole, User
from tests.kanban.fake_store import NOON

BOB = User("usr_bob", "Bob", 3, NOON, NOON)
OWNER, MEMBER = InstallationRole.OWNER, InstallationRole.MEMBER


@pytest.fixture
def context() -> ActionContext:
    numbers = count(1)
    return ActionContext("usr_ann", NOON, lambda kind: f"{kind}_{next(numbers)}")


def test_only_owners_may_do_what_they_alone_can() -> None:
    installation.ensure_owner("usr_ann", ("usr_bob", "usr_ann"), "let users in")

    for owner_ids in (("usr_bob",), ()):
        with pytest.raises(InstallationOwnerOnly, match=r"^Only an owner of this installation can let users in\.$"):
            installation.ensure_owner("usr_ann", owner_ids, "let users in")


def test_another_user_becomes_an_owner(context: ActionContext) -> None:
    user, change = installation.set_role(BOB, OWNER, ("usr_ann",), context)

    assert user.version == 4
    assert change
    assert change.updates == (user, InstallationOwners(("usr_ann", "usr_bob"), ("usr_ann",)))


def test_an_owner_loses_the_role(context: ActionContext) -> None:
    _, change = installation.set_role(BOB, MEMBER, ("usr_bob", "usr_ann"), context)

    assert change
    assert change.updates[1] == InstallationOwners(("usr_ann",), ("usr_bob", "usr_ann"))


@pytest.mark.parametrize(("role", "owner_ids"), [(OWNER, ("usr_bob",)), (MEMBER, ("usr_ann",))])
def test_the_role_that_a_user_has_changes_nothing(
    context: ActionContext, role: InstallationRole, owner_ids: tuple[str, ...]
) -> None:
    assert installation.set_role(BOB, role, owner_ids, context) == (BOB, None)


def test_the_last_owner_keeps_the_role(context: ActionContext) -> None:
    with pytest.raises(LastInstallationOwner):
        installation.set_role(BOB, MEMBER, ("usr_bob",), context)


def test_there_are_not_more_owners_than_can_be_stored(context: ActionContext) -> None:
    owner_ids = tuple(f"usr_{number}" for number in range(MAX_INSTALLATION_OWNERS))

    installation.set_role(BOB, OWNER, owner_ids[1:], context)
    with pytest.raises(TooManyInstallationOwners, match="100 owners"):
        installation.set_role(BOB, OWNER, owner_ids, context)
