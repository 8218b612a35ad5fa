"""The audit log on every engine: written with what it tells of, read newest first, erased after its time."""

from dataclasses import replace

import pytest

from kanban import audit_log, users
from kanban.audit_log import ENTRY_LIFETIME
from kanban.store import AlreadyExists
from kanban.values import AuditEntry, User
from tests.stores.conftest import OpenStore
from tests.stores.world import World


def sign_up(world: World, id: str) -> User:  # noqa: A002 - it is the id.
    user, change = users.create(world.context(), name="Somebody", id=id)
    world.store.commit(audit_log.record(change, world.context()))
    return user


def read_all(world: World, limit: int = 100) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    page = world.store.audit_log.page_entries(limit)
    while True:
        assert len(page.items) <= limit
        entries += page.items
        if page.next_key is None:
            return entries
        page = world.store.audit_log.page_entries(limit, page.next_key)


def test_an_entry_is_written_and_read_as_it_is(world: World, open_again: OpenStore) -> None:
    user, change = users.create(world.context(), name="Somebody")
    context = replace(world.context(), token_id="tok_1", request_id="req_1")
    change = audit_log.record(change, context)
    (entry,) = [value for value in change.creates if isinstance(value, AuditEntry)]
    full = replace(entry, type="user.role_changed", data={"role": "owner", "board_id": "brd_ü"})

    world.store.commit(replace(change, creates=(user, full)))

    assert open_again().audit_log.page_entries(10).items == (full,)


def test_nothing_is_known_of_what_was_done_without_a_token(world: World) -> None:
    user, change = users.create(world.context(), name="Somebody")
    change = audit_log.record(change, replace(world.context(), actor_id=""))

    world.store.commit(change)

    (entry,) = world.store.audit_log.page_entries(10).items
    assert (entry.actor_id, entry.token_id, entry.request_id) == (None, None, None)
    assert (entry.user_id, entry.data) == (user.id, {})


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_pages_have_every_entry_once_newest_first(world: World, limit: int) -> None:
    for number in range(5):
        sign_up(world, f"user_{number}")
        world.advance(seconds=number % 2)

    assert [entry.user_id for entry in read_all(world, limit)] == [f"user_{number}" for number in (4, 3, 2, 1, 0)]


def test_an_empty_log_has_an_empty_page(world: World) -> None:
    assert read_all(world) == []


def test_what_is_not_written_leaves_no_entry(world: World) -> None:
    sign_up(world, "taken")

    with pytest.raises(AlreadyExists):
        sign_up(world, "taken")

    assert len(read_all(world)) == 1


def test_entries_are_erased_after_their_time(world: World) -> None:
    sign_up(world, "first")
    world.advance(days=1)
    sign_up(world, "second")
    world.advance(days=ENTRY_LIFETIME.days - 1)

    while world.store.purge_expired(world.now, 1):
        pass

    # DynamoDB erases them by itself, when it gets to them.
    assert [entry.user_id for entry in read_all(world)] in (["second"], ["second", "first"])
