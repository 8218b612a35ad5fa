"""Bots: create them, rename them, hand them over; how they end with their person."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from kanban import bots, users
from kanban.bots import UserIsBot
from kanban.changes import ActionContext, Change
from kanban.errors import LimitReached
from kanban.limits import MAX_BOTS_PER_USER
from kanban.tokens import TokenChanged
from kanban.users import UserActive, UserDeactivated, UserDeleted
from kanban.values import User
from tests.kanban.fake_store import NOON

ANN = User("ann", "Ann", 3, NOON, NOON, bot_ids=("first", "robot"))
BOB = User("bob", "Bob", 5, NOON, NOON)
ROBOT = User("robot", "Robot", 1, NOON, NOON, owner_id="ann")
FULL = replace(BOB, bot_ids=tuple(map(str, range(MAX_BOTS_PER_USER))))
OUT: dict[str, Any] = {"deactivated_at": NOON, "signed_out_at": NOON}


@pytest.fixture
def context() -> ActionContext:
    numbers = count(1)
    return ActionContext("ann", NOON, lambda kind: f"{kind}_{next(numbers)}")


def test_a_bot_is_created_with_the_next_version_of_its_person(context: ActionContext) -> None:
    bot, change = bots.create(BOB, context, name="Triage", id="triage")

    assert (bot.id, bot.name, bot.version, bot.owner_id) == ("triage", "Triage", 1, "bob")
    assert change == Change(creates=(bot,), updates=(replace(BOB, version=6, bot_ids=("triage",)),))
    assert bots.create(BOB, context, name="Triage")[0].id == "user_1"


def test_a_person_has_no_more_bots_than_they_may(context: ActionContext) -> None:
    bots.create(replace(FULL, bot_ids=FULL.bot_ids[1:]), context, name="Last")

    with pytest.raises(LimitReached, match="This person has 20 bots, the most a person may have"):
        bots.create(FULL, context, name="One more")
    with pytest.raises(LimitReached):
        bots.update(ROBOT, context, owner=ANN, new_owner=FULL)


def test_who_was_deactivated_just_now_creates_none(context: ActionContext) -> None:
    with pytest.raises(TokenChanged):
        bots.create(replace(BOB, deactivated_at=NOON), context, name="Triage")


def test_a_bot_gets_another_name(context: ActionContext) -> None:
    renamed, change = bots.update(ROBOT, context, owner=ANN, name="Triage")

    assert (renamed.name, renamed.version) == ("Triage", 2)
    assert change == Change(updates=(renamed,))


def test_a_bot_is_handed_over_with_the_next_versions_of_both_people(context: ActionContext) -> None:
    bot, change = bots.update(ROBOT, context, owner=ANN, name="Triage", new_owner=BOB)

    assert (bot.name, bot.version, bot.owner_id) == ("Triage", 2, "bob")
    people = replace(ANN, version=4, bot_ids=("first",)), replace(BOB, version=6, bot_ids=("robot",))
    assert change == Change(updates=(bot, *people))


def test_what_a_bot_has_already_changes_nothing(context: ActionContext) -> None:
    assert bots.update(ROBOT, context, owner=ANN) == (ROBOT, None)
    assert bots.update(ROBOT, context, owner=ANN, name="Robot", new_owner=ANN) == (ROBOT, None)


def test_a_bot_owns_nothing_and_signs_in_nowhere() -> None:
    for ensure in (bots.ensure_may_own, bots.ensure_may_own_installation, bots.ensure_may_sign_in):
        ensure(ANN)
        with pytest.raises(UserIsBot, match="This user is a bot"):
            ensure(ROBOT)


def test_bots_are_deactivated_in_the_commit_of_their_person(context: ActionContext) -> None:
    ended = replace(ROBOT, id="first", **OUT)

    ann, change = users.deactivate(ANN, ("root",), context, [ended, ROBOT])

    assert change == Change(updates=(ann, replace(ROBOT, version=2, **OUT)))
    assert ann == replace(ANN, version=4, **OUT)
    assert users.deactivate(ann, ("root",), context, [ended]) == (ann, None)


def test_a_bot_is_reactivated_with_the_next_version_of_its_person(context: ActionContext) -> None:
    ended = replace(ROBOT, **OUT)

    active, change = users.reactivate(ended, context, ANN)

    assert active == replace(ROBOT, version=2, signed_out_at=NOON)
    assert change == Change(updates=(active, replace(ANN, version=4)))
    assert users.reactivate(ROBOT, context, ANN) == (ROBOT, None)
    with pytest.raises(UserDeactivated, match="The person of this bot is deactivated"):
        users.reactivate(ended, context, replace(ANN, **OUT))
    with pytest.raises(UserDeleted):
        users.reactivate(replace(ended, deleted_at=NOON), context, ANN)


def test_a_deleted_bot_is_none_of_its_person_any_more(context: ActionContext) -> None:
    deleted, change = users.delete(replace(ROBOT, **OUT), context, ANN)

    assert (deleted.name, deleted.owner_id, deleted.deleted_at) == (users.FORMER_MEMBER, "ann", NOON)
    assert change == Change(updates=(deleted, replace(ANN, version=4, bot_ids=("first",))))
    assert users.delete(deleted, context, ANN) == (deleted, None)
    with pytest.raises(UserActive):
        users.delete(ROBOT, context, ANN)


def test_a_deactivated_bot_says_who_can_reactivate_it() -> None:
    with pytest.raises(UserDeactivated, match="This bot is deactivated: its person can reactivate it"):
        users.ensure_active(replace(ROBOT, **OUT))
