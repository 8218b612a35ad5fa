"""Every role and scope against every required one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kanban.access import (
    Caller,
    ResourceMissing,
    RoleTooLow,
    ScopeMissing,
    TokenTooNarrow,
    ensure_may_create_boards,
    ensure_not_narrowed,
    ensure_permitted,
    ensure_resources,
    limits_cover,
)
from kanban.values import UNLIMITED, Role, Scope, Token, TokenLimits

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


# Narrowed tokens


def make_caller(**limits: Any) -> Caller:
    """Return a caller whose token has all scopes and these limits."""
    return Caller("usr_ann", "tok_1", ALL, limits=TokenLimits(**limits))


def test_a_token_without_limits_is_not_narrowed() -> None:
    caller = make_caller()

    assert not caller.is_narrowed
    assert caller.audience == "usr_ann"
    assert caller.reaches("brd_1")
    assert [caller.limit_role(role) for role in Role] == list(Role)
    ensure_may_create_boards(caller)
    ensure_not_narrowed(caller)
    ensure_resources(caller, ["cards"])


def test_a_token_reaches_the_boards_that_it_names_and_no_other() -> None:
    caller = make_caller(board_ids=("brd_1", "brd_2"))

    assert [caller.reaches(board_id) for board_id in ("brd_1", "brd_2", "brd_3")] == [True, True, False]
    with pytest.raises(TokenTooNarrow, match="certain boards only"):
        ensure_may_create_boards(caller)


@pytest.mark.parametrize("max_role", Role)
@pytest.mark.parametrize("role", Role)
def test_a_role_is_limited_to_the_lower_one(role: Role, max_role: Role) -> None:
    expected = role if (max_role, role) in ALLOWED else max_role

    assert make_caller(max_role=max_role).limit_role(role) is expected


def test_the_resources_that_are_missing_are_named() -> None:
    caller = make_caller(resources=("cards", "comments"))

    ensure_resources(caller, ["comments", "cards"])
    ensure_may_create_boards(caller)
    with pytest.raises(ResourceMissing, match=r"with the resource lists\.$"):
        ensure_resources(caller, ["lists", "cards"])
    with pytest.raises(ResourceMissing, match=r"with the resources labels, lists\.$"):
        ensure_resources(caller, {"lists", "cards", "labels"})


NARROWED: list[dict[str, Any]] = [
    {"board_ids": ("brd_1",)},
    {"board_ids": ("brd_1", "brd_2")},
    {"max_role": Role.VIEWER},
    {"max_role": Role.OWNER},
    {"resources": ("cards",)},
    {"resources": ("cards", "users")},
]


@pytest.mark.parametrize("limits", NARROWED)
def test_any_limit_narrows_a_token(limits: dict[str, Any]) -> None:
    caller = make_caller(**limits)

    assert caller.is_narrowed
    with pytest.raises(TokenTooNarrow, match="cannot create a user"):
        ensure_not_narrowed(caller)


def test_responses_to_tokens_that_are_narrowed_differently_have_different_audiences() -> None:
    callers = [Caller("usr_ann", "tok_1", ALL), *(make_caller(**limits) for limits in NARROWED)]

    assert len({caller.audience for caller in callers}) == len(callers)
    assert (
        make_caller(board_ids=("brd_1",)).audience == make_caller(board_ids=("brd_1",))._replace(token_id="x").audience
    )


@pytest.mark.parametrize(
    ("limits", "others", "expected"),
    [
        ({}, {}, True),
        *((own, own, True) for own in NARROWED),
        *(({}, others, True) for others in NARROWED),
        *((own, {}, own == {"max_role": Role.OWNER}) for own in NARROWED),
        ({"board_ids": ("brd_1", "brd_2")}, {"board_ids": ("brd_2",)}, True),
        ({"board_ids": ("brd_2",)}, {"board_ids": ("brd_1", "brd_2")}, False),
        ({"max_role": Role.EDITOR}, {"max_role": Role.VIEWER}, True),
        ({"max_role": Role.EDITOR}, {"max_role": Role.OWNER}, False),
        ({"resources": ("cards", "lists")}, {"resources": ("lists",)}, True),
        ({"resources": ("cards",)}, {"resources": ("lists",)}, False),
        ({"board_ids": ("brd_1",)}, {"board_ids": ("brd_1",), "max_role": Role.VIEWER}, True),
        ({"board_ids": ("brd_1",), "max_role": Role.VIEWER}, {"board_ids": ("brd_1",)}, False),
    ],
)
def test_limits_cover_what_is_as_narrow_or_narrower(
    limits: dict[str, Any], others: dict[str, Any], expected: bool
) -> None:
    assert limits_cover(TokenLimits(**limits), TokenLimits(**others)) == expected


def test_no_limits_are_one_value() -> None:
    assert TokenLimits() == UNLIMITED


def test_a_caller_who_was_signed_out_may_use_newer_tokens_only() -> None:
    signed_out_at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    moments = [signed_out_at + timedelta(seconds=seconds) for seconds in (-1, 0, 1)]
    callers = [make_caller()._replace(signed_out_at=at) for at in (signed_out_at, None)]

    usable = [[caller.may_use(build_token(at)) for at in moments] for caller in callers]

    assert usable == [[False, False, True], [True, True, True]]


def build_token(created_at: datetime) -> Token:
    return Token("tok_1", "usr_ann", "Old", "digest", tuple(Scope), 1, created_at)
