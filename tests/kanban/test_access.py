"""Every role and scope against every one that may be needed."""

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


@pytest.mark.parametrize("least", Role)
@pytest.mark.parametrize("role", Role)
def test_a_role_is_enough_for_itself_and_what_is_below(role: Role, least: Role) -> None:
    caller = Caller("usr_ann", "tok_1", ALL)

    if (role, least) in ALLOWED:
        ensure_permitted(caller, Scope.READ, role=role, required_role=least)
    else:
        with pytest.raises(RoleTooLow, match=f"needs the role {least} on the board; yours is {role}"):
            ensure_permitted(caller, Scope.READ, role=role, required_role=least)


@pytest.mark.parametrize("needed", Scope)
@pytest.mark.parametrize("held", Scope)
def test_a_scope_is_enough_for_itself_only(held: Scope, needed: Scope) -> None:
    caller = Caller("usr_ann", "tok_1", (held,))

    if held == needed:
        ensure_permitted(caller, needed)
    else:
        with pytest.raises(ScopeMissing, match=f"the scope {needed}"):
            ensure_permitted(caller, needed)


def test_a_missing_scope_is_told_before_a_small_role() -> None:
    with pytest.raises(ScopeMissing):
        ensure_permitted(Caller("usr_ann", "tok_1", ()), Scope.WRITE, role=Role.VIEWER, required_role=Role.OWNER)


def test_no_role_is_never_enough() -> None:
    with pytest.raises(RoleTooLow):
        ensure_permitted(Caller("usr_ann", "tok_1", ALL), Scope.READ, role=None, required_role=Role.VIEWER)
