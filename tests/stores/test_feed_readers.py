"""Readers of the feed: whoever holds the lease may move the cursor, and nobody else, on every engine."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kanban import boards
from kanban.feed_readers import LEASE_DURATION, MAX_CLOCK_SKEW, MAX_WAIT, Backlog, FeedReaderStore, LeaseLost
from kanban.values import FeedReader
from tests.stores.conftest import OpenStore
from tests.stores.test_purge import purge_all, read_raw
from tests.stores.test_races import run_concurrently
from tests.stores.world import World


@pytest.fixture
def readers(world: World) -> FeedReaderStore:
    return world.store.feed_readers


def add_reader(world: World, name: str = "test:1", after_seq: int = 0) -> FeedReader:
    """Add a reader that is due."""
    reader = FeedReader(world.board_id, name, after_seq, due_at=world.now)
    world.store.feed_readers.add_reader(reader)
    return reader


def read_reader(world: World, name: str = "test:1") -> FeedReader:
    return next(reader for reader in world.store.feed_readers.list_readers(world.board_id) if reader.name == name)


def lease(world: World, reader: FeedReader, owner: str = "me") -> FeedReader:
    leased = world.store.feed_readers.lease_reader(reader, owner, reader.after_seq + 1, world.now)
    assert leased is not None
    return leased


def list_due(world: World) -> list[str]:
    page = world.store.feed_readers.page_due_readers(world.now, 100)
    assert page.next_key is None
    return [reader.name for reader in page.items]


def test_readers_are_added_once_and_removed(world: World, readers: FeedReaderStore) -> None:
    second, first = add_reader(world, "test:2"), add_reader(world, "test:1", after_seq=1)
    readers.add_reader(replace(first, after_seq=7))

    assert readers.list_readers(world.board_id) == [first, second]
    readers.remove_reader(world.board_id, "test:1")
    readers.remove_reader(world.board_id, "test:1")
    assert readers.list_readers(world.board_id) == [second]
    assert readers.list_readers("brd_none") == []


def test_all_of_a_reader_is_stored(world: World, readers: FeedReaderStore) -> None:
    leased = lease(world, add_reader(world))
    full = replace(
        leased,
        after_seq=2**53,
        batch_to=2**53 + 100,
        attempts=9,
        calls=10**6,
        failing_since=world.now,
        due_at=world.now + MAX_WAIT,
    )

    readers.update_reader(full, "me")
    assert read_reader(world) == full
    readers.update_reader(empty := FeedReader(world.board_id, "test:1", 3), "me")
    assert read_reader(world) == empty


def test_readers_are_due_that_are_awake_and_have_events(world: World, readers: FeedReaderStore) -> None:
    add_reader(world, "a:behind")
    add_reader(world, "b:done", after_seq=1)
    readers.add_reader(FeedReader(world.board_id, "c:asleep", 0))
    readers.add_reader(FeedReader(world.board_id, "d:later", 0, due_at=world.now + timedelta(seconds=5)))
    readers.add_reader(FeedReader(world.board_id, "e:wrong", 0, due_at=world.now + MAX_WAIT + timedelta(seconds=1)))

    assert list_due(world) == ["a:behind", "e:wrong"]
    world.advance(seconds=5)
    assert list_due(world) == ["a:behind", "d:later"]
    world.add_card("News")
    assert list_due(world) == ["a:behind", "b:done", "d:later"]


def test_a_backlog_is_what_awake_readers_have_not_read(world: World, readers: FeedReaderStore) -> None:
    if readers.measure_backlog() is None:
        return
    assert readers.measure_backlog() == Backlog()
    world.advance(seconds=30)
    for _ in range(2):
        world.add_card("News")
    happened_at = world.now
    world.advance(seconds=30)

    add_reader(world, "a:behind", after_seq=1)
    add_reader(world, "b:done", after_seq=3)
    readers.add_reader(FeedReader(world.board_id, "c:asleep", 0))
    failing = lease(world, add_reader(world, "d:failing", after_seq=2))
    readers.update_reader(replace(failing, failing_since=world.now), "me")

    assert readers.measure_backlog() == Backlog(2, 3, 1, happened_at)
    world.apply(lambda view, context: (None, boards.delete(view, context)))
    assert readers.measure_backlog() == Backlog()


def test_a_page_looks_at_some_readers_of_all_boards(world: World, readers: FeedReaderStore) -> None:
    names = []
    for number in range(3):
        world.board_id = world.add_board(f"Board {number}")
        for name in ("a:1", "b:2"):
            add_reader(world, name, after_seq=number % 2)
            names += [(world.board_id, name)] if number % 2 == 0 else []

    pages = [readers.page_due_readers(world.now, 2)]
    while pages[-1].next_key:
        pages.append(readers.page_due_readers(world.now, 2, pages[-1].next_key))

    assert [(reader.board_id, reader.name) for page in pages for reader in page.items] == names
    assert all(len(page.items) <= 2 for page in pages)


def test_one_of_many_gets_the_lease(world: World, readers: FeedReaderStore) -> None:
    reader = add_reader(world)

    leases = run_concurrently(8, lambda number: readers.lease_reader(reader, f"owner {number}", 1, world.now))

    (leased,) = [result for result in leases if result]
    assert leased == read_reader(world)
    assert leased == replace(reader, batch_to=1, lease_owner=leased.lease_owner, lease_until=world.now + LEASE_DURATION)
    assert list_due(world) == []


def test_a_lease_ends_by_time(world: World, readers: FeedReaderStore) -> None:
    leased = lease(world, add_reader(world))

    world.now += LEASE_DURATION - timedelta(seconds=1)
    assert readers.lease_reader(leased, "other", 1, world.now) is None
    world.advance(seconds=1)
    assert list_due(world) == ["test:1"]
    assert lease(world, leased, "other").lease_owner == "other"


def test_a_lease_of_a_clock_that_was_set_back_is_not_in_force(world: World) -> None:
    leased = lease(world, add_reader(world))

    world.now -= MAX_CLOCK_SKEW
    assert world.store.feed_readers.lease_reader(leased, "other", 1, world.now) is None
    world.advance(seconds=-1)
    world.store.feed_readers.update_reader(replace(leased, due_at=world.now), "me")
    assert list_due(world) == ["test:1"]
    assert lease(world, read_reader(world), "other").lease_owner == "other"


def test_only_a_reader_as_it_was_read_can_be_leased(world: World, readers: FeedReaderStore) -> None:
    reader = add_reader(world)
    readers.update_reader(replace(lease(world, reader), after_seq=1, batch_to=None, lease_until=None), "me")

    assert readers.lease_reader(reader, "other", 1, world.now) is None
    current = read_reader(world)
    assert readers.lease_reader(replace(current, batch_to=3), "other", 3, world.now) is None
    assert readers.lease_reader(replace(current, due_at=world.now + timedelta(1)), "other", 2, world.now) is None
    assert readers.lease_reader(replace(current, due_at=None), "other", 2, world.now) is None
    assert readers.lease_reader(replace(current, name="test:none"), "other", 2, world.now) is None
    assert read_reader(world) == current


def test_the_batch_that_was_begun_is_stored_with_the_lease(world: World, readers: FeedReaderStore) -> None:
    world.add_card("One")
    leased = readers.lease_reader(add_reader(world), "me", 2, world.now)
    assert leased is not None
    failed = replace(leased, attempts=1, failing_since=world.now, lease_owner=None, lease_until=None)
    readers.update_reader(failed, "me")

    again = readers.lease_reader(read_reader(world), "other", 2, world.now)

    assert again == replace(failed, lease_owner="other", lease_until=world.now + LEASE_DURATION)


def test_whoever_is_late_can_not_set_the_cursor_back(world: World, readers: FeedReaderStore) -> None:
    late = lease(world, add_reader(world), "late")
    world.now += LEASE_DURATION
    current = replace(lease(world, late, "next"), after_seq=1, batch_to=None)
    readers.update_reader(current, "next")

    with pytest.raises(LeaseLost):
        readers.update_reader(replace(late, after_seq=0), "late")
    assert read_reader(world) == current


def test_a_lease_that_has_ended_is_still_its_owners_while_nobody_takes_it(
    world: World, readers: FeedReaderStore
) -> None:
    leased = lease(world, add_reader(world))
    world.advance(days=1)

    readers.update_reader(replace(leased, after_seq=1, batch_to=None), "me")
    assert read_reader(world).after_seq == 1


def test_nothing_is_written_of_a_reader_that_was_removed(world: World, readers: FeedReaderStore) -> None:
    leased = lease(world, add_reader(world))
    readers.remove_reader(world.board_id, "test:1")

    with pytest.raises(LeaseLost):
        readers.update_reader(leased, "me")
    assert readers.list_readers(world.board_id) == []
    assert readers.reset_reader(world.board_id, "test:1", due_at=world.now) is None


def test_a_reset_takes_the_lease_away_and_gives_it_to_nobody_before_its_end(
    world: World, readers: FeedReaderStore
) -> None:
    leased = lease(world, add_reader(world))
    readers.update_reader(replace(leased, attempts=3, failing_since=world.now), "me")

    reset = readers.reset_reader(world.board_id, "test:1", due_at=world.now)

    assert reset == replace(leased, attempts=0, failing_since=None, lease_owner=None) == read_reader(world)
    with pytest.raises(LeaseLost):
        readers.update_reader(leased, "me")
    assert readers.lease_reader(reset, "other", 1, world.now) is None
    world.now += LEASE_DURATION
    assert readers.lease_reader(reset, "other", 1, world.now)


def test_a_reset_lets_a_reader_sleep_or_go_on_elsewhere(world: World, readers: FeedReaderStore) -> None:
    leased = lease(world, add_reader(world, after_seq=5))

    asleep = readers.reset_reader(world.board_id, "test:1", due_at=None)
    assert asleep == replace(leased, due_at=None, lease_owner=None)
    assert list_due(world) == []
    moved = readers.reset_reader(world.board_id, "test:1", due_at=world.now, after_seq=0)
    assert moved == replace(leased, lease_owner=None, after_seq=0, batch_to=None)
    world.now += LEASE_DURATION
    assert list_due(world) == ["test:1"]


def test_the_feed_is_read_in_order_also_of_a_deleted_board(world: World, readers: FeedReaderStore) -> None:
    for title in ("One", "Two", "Three"):
        world.add_card(title)
    world.store.commit(boards.delete(world.read_board(), world.context(), []))

    events = readers.read_feed(world.board_id, 1, 100)
    assert [(event.seq, event.type) for event in events] == [
        *((seq, "card.created") for seq in (2, 3, 4)),
        (5, "board.deleted"),
    ]
    assert list(readers.read_feed(world.board_id, 1, 2)) == list(events[:2])
    assert list(readers.read_feed(world.board_id, 5, 100)) == list(readers.read_feed("brd_none", 0, 100)) == []


@pytest.mark.parametrize("limit", [1, 100])
def test_a_purge_of_the_board_removes_its_readers(world: World, readers: FeedReaderStore, limit: int) -> None:
    kept = add_reader(world, "test:kept")
    home, world.board_id = world.board_id, world.add_board("Old")
    add_reader(world, "test:erased")
    world.store.commit(boards.delete(world.read_board(), world.context(), []))
    world.advance(days=31)

    purge_all(world, limit)

    assert readers.list_readers(world.board_id) == []
    assert readers.list_readers(home) == [kept]
    assert "test:erased" not in read_raw(world)
    assert list_due(world) == ["test:kept"]


def test_other_processes_see_the_same_readers(world: World, open_again: OpenStore) -> None:
    leased = lease(world, add_reader(world))
    other = open_again().feed_readers

    assert other.list_readers(world.board_id) == [leased]
    assert other.lease_reader(leased, "other", 1, world.now) is None
