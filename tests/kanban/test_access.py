"""Every role and scope against every one that may be needed."""

import pytest

from kanban.access import Caller, permit
from kanban.errors import RoleTooLow, ScopeMissing
from kanban.values import Role, Scope

ALL = tuple(Scope)
ALLOWED = {
    (Role.VIEWER, Role.VIEWER),
    (Role.EDITOR, Role.VIEWER),
    (Role.EDITOR, Role.EDITOR),
    (Role.OWNER, Role.VIEWER),
    (Role.OWNER, Role.EDITOR),
    (Role.OWNER, Role.OWNER),
}


@pytest.mark.parametrize("least", Role)
@pytest.mark.parametrize("role", Role)
def test_a_role_is_enough_for_itself_and_what_is_below(role: Role, least: Role) -> None:
    caller = Caller("usr_ann", "tok_1", ALL)

    if (role, least) in ALLOWED:
        permit(caller, Scope.READ, role=role, least=least)
    else:
        with pytest.raises(RoleTooLow, match=f"needs the role {least} on the board; yours is {role}"):
            permit(caller, Scope.READ, role=role, least=least)


@pytest.mark.parametrize("needed", Scope)
@pytest.mark.parametrize("held", Scope)
def test_a_scope_is_enough_for_itself_only(held: Scope, needed: Scope) -> None:
    caller = Caller("usr_ann", "tok_1", (held,))

    if held == needed:
        permit(caller, needed)
    else:
        with pytest.raises(ScopeMissing, match=f"the scope {needed}"):
            permit(caller, needed)


def test_a_missing_scope_is_told_before_a_small_role() -> None:
    with pytest.raises(ScopeMissing):
        permit(Caller("usr_ann", "tok_1", ()), Scope.WRITE, role=Role.VIEWER, least=Role.OWNER)


def test_no_role_is_never_enough() -> None:
    with pytest.raises(RoleTooLow):
        permit(Caller("usr_ann", "tok_1", ALL), Scope.READ, role=None, least=Role.VIEWER)
