"""Every role and scope against every required one."""

import pytest

from kanban.access import Caller, RoleTooLow, ScopeMissing, ensure_permitted
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


@pytest.mark.parametrize("required", Role)
@pytest.mark.parametrize("role", Role)
def test_a_role_covers_itself_and_lower_roles(role: Role, required: Role) -> None:
    caller = Caller("usr_ann", "tok_1", ALL)

    if (role, required) in ALLOWED:
        ensure_permitted(caller, Scope.READ, role=role, required_role=required)
    else:
        with pytest.raises(RoleTooLow, match=f"needs the role {required} on the board; yours is {role}"):
            ensure_permitted(caller, Scope.READ, role=role, required_role=required)


@pytest.mark.parametrize("required", Scope)
@pytest.mark.parametrize("held", Scope)
def test_a_scope_covers_only_itself(held: Scope, required: Scope) -> None:
    caller = Caller("usr_ann", "tok_1", (held,))

    if held == required:
        ensure_permitted(caller, required)
    else:
        with pytest.raises(ScopeMissing, match=f"the scope {required}"):
            ensure_permitted(caller, required)


def test_a_missing_scope_is_reported_before_a_low_role() -> None:
    with pytest.raises(ScopeMissing):
        ensure_permitted(Caller("usr_ann", "tok_1", ()), Scope.WRITE, role=Role.VIEWER, required_role=Role.OWNER)


def test_a_caller_without_a_role_is_refused() -> None:
    with pytest.raises(RoleTooLow):
        ensure_permitted(Caller("usr_ann", "tok_1", ALL), Scope.READ, role=None, required_role=Role.VIEWER)
