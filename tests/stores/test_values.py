"""Text, numbers, timestamps and every field are read exactly as they were written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kanban import boards, cards, lists, users
from kanban.changes import Change
from kanban.store import Store
from kanban.values import Enforcement, Event, FieldChange, Scope, Stage, TimeEntry
from tests.stores.conftest import OpenStore
from tests.stores.part_builders import list_empty_fields
from tests.stores.world import NOON, World, make_card

TEXTS = [
    "plain",
    "Grüße aus Köln, naïve café",
    "Ελληνικά και Русский",
    "العربية עברית \u200fفارسی",  # noqa: RUF001  (letters of other scripts are the point)
    "हिन्दी தமிழ் ไทย မြန်မာ",
    "日本語 中文 한국어",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇭 e\u0301 \U0001f9d1\U0001f3fd\u200d\U0001f680",
    "𐍈𝄞𠜎",
    "'; DROP TABLE cards; --",
    '"quoted" \\back\\slash %percent_ under/slash',
    "line\nline\ttab\u2028separator",
    "\ufeffmark \u200bzero",
    "x" * 500,
    "null",
    "0",
]


def test_text_is_read_as_it_was_written(world: World) -> None:
    for number, text in enumerate(TEXTS):
        user = world.add_user(text)
        card = world.add_card(text, description=text)
        board = world.apply(boards.update, patch={"name": text, "description": text})
        list_ = world.add_list(text, external_id=str(number))

        view = world.read_board(card.id)

        assert world.store.read_user(user.id) == user
        assert view.cards == {card.id: card}
        assert view.get_list(list_.id) == list_
        assert (view.board.name, view.board.description) == (board.name, board.description) == (text, text)
        assert world.list_events()[-1].data == {"name": text, "stage": "todo"}


def test_a_very_long_description_is_read_as_it_was_written(world: World) -> None:
    card = world.add_card("Long", description="牛" * 20_000)

    assert world.read_card(card).description == "牛" * 20_000


def test_the_largest_numbers_are_read_as_they_were_written(world: World) -> None:
    todo = world.find_list("To do")
    card = make_card(world, todo, "a0", tracked_seconds=2**53 + 1, tracked_cost=2**62 + 1, version=2**31 + 1)

    world.write(creates=(card,))

    assert world.read_card(card) == card


def test_every_field_of_a_card_is_read_as_it_was_written(world: World) -> None:
    doing = world.find_list("Doing")
    card = make_card(
        world,
        doing,
        "zzzzzzz",
        description="On paper",
        external_id="ext-1",
        start_at=NOON + timedelta(days=1),
        due_at=NOON + timedelta(days=2),
        due_complete=True,
        hourly_rate_minor=2,
        started_at=NOON + timedelta(seconds=1),
        resolved_at=NOON + timedelta(seconds=2),
        tracked_seconds=3,
        tracked_cost=4,
        version=5,
        created_at=NOON + timedelta(seconds=6),
        updated_at=NOON + timedelta(seconds=7),
        archived_at=NOON + timedelta(seconds=9),
    )
    start = NOON + timedelta(seconds=8)
    entry = TimeEntry(
        "ten_1", card.board_id, card.id, world.ann.id, start, None, 100_000_000, "Running", 9, recorded_by="bob"
    )

    world.write(creates=(card, entry))

    assert world.read_card(card) == replace(card, running=entry)
    # Parts of a card are in test_parts.py, and a deleted card can't be read.
    assert list_empty_fields(card) == {"label_ids", "assignee_ids", "links", "running", "deleted_at"}
    assert list_empty_fields(entry) == {"ended_at"}


def test_every_field_of_a_list_is_read_as_it_was_written(world: World) -> None:
    done = world.find_list("Done")
    changed = replace(
        done,
        name="Shipped",
        rank="b01V",
        wip_limit=5000,
        wip_enforcement=Enforcement.BLOCK,
        external_id="ext-1",
        card_count=7,
        first_rank="Zz",
        last_rank="a7",
        version=8,
        updated_at=NOON + timedelta(seconds=9),
    )

    world.write(updates=(changed,))

    assert world.read_board().get_list(done.id) == changed
    assert list_empty_fields(changed) == {"archived_at", "deleted_at"}


def test_every_field_of_a_token_and_a_user_is_read_as_it_was_written(world: World) -> None:
    token = world.add_token(scopes=[Scope.ADMIN, Scope.READ], expires_at=NOON + timedelta(days=1))

    assert world.store.read_token_by_digest(token.digest) == (token, world.ann)
    assert world.store.read_token(world.ann.id, token.id) == token
    assert token.scopes == (Scope.READ, Scope.ADMIN)


@pytest.mark.parametrize("year", [1970, 2026, 9999])
def test_timestamps_are_read_in_utc(world: World, year: int) -> None:
    world.now = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)

    user = world.add_user("Zoe")

    stored_user = world.store.read_user(user.id)
    assert stored_user is not None
    assert stored_user.created_at == world.now
    assert stored_user.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"changed": ["name", "stage"]},
        {"card_count": 2**53, "title": "👩‍👩‍👧 \u2028 \"'\\", "nothing": None, "empty": ""},
        {"changed": []},
    ],
)
def test_the_data_of_an_event_is_read_as_it_was_written(
    world: World, data: dict[str, str | int | list[str] | None]
) -> None:
    world.write(data=data, list_id="lst_1", card_id="crd_1")

    event = world.list_events()[-1]

    assert event == Event(world.board_id, 2, "test.written", world.now, world.ann.id, "lst_1", "crd_1", data, ())


@pytest.mark.parametrize(
    "changes",
    [
        None,
        (),
        ({"field": "title", "from": "👩‍👩‍👧 \u2028 \"'\\", "to": ""}, {"field": "due_at", "from": None, "to": "x"}),
        (
            {"field": "label_ids", "added": ["lbl_1", "lbl_2"], "removed": []},
            {"field": "done", "from": False, "to": True},
        ),
        ({"field": "hourly_rate_minor", "from": 0, "to": 10**9}, {"field": "description"}),
    ],
)
@pytest.mark.parametrize("origin", [(None, None), ("tok_1", "request-1")])
def test_the_changes_and_the_origin_of_an_event_are_read_as_they_were_written(
    world: World, changes: tuple[FieldChange, ...] | None, origin: tuple[str | None, str | None]
) -> None:
    view = world.read_board()
    token_id, request_id = origin
    event = Event(
        world.board_id,
        2,
        "test.written",
        world.now,
        world.ann.id,
        changes=changes,
        token_id=token_id,
        request_id=request_id,
    )

    world.store.commit(Change(updates=(replace(view.board, seq=2),), event=event))

    assert world.list_events()[-1] == event


def test_ids_differ_by_case_and_accent(world: World) -> None:
    chosen = ["bob", "Bob", "BOB", "b\u00f6b", "bo\u0308b"]

    for user_id in chosen:
        world.add_user("Bob", id=user_id)

    stored_users = [world.store.read_user(user_id) for user_id in chosen]
    assert [user and user.id for user in stored_users] == chosen


def test_the_next_process_reads_what_was_written(store: Store, open_again: OpenStore) -> None:
    world = World(store)
    card = world.add_card("Copy", "Doing")
    view = world.read_board(card.id)
    store.close()

    again = open_again()

    assert again.read_board(world.board_id, world.ann.id, card_ids=[card.id]) == view
    assert again.read_installation_owner() == world.ann


def test_a_resolved_card_is_read_with_its_time_entries(world: World) -> None:
    card = world.apply(cards.start, world.add_card("Copy").id)
    world.advance(seconds=945)
    card = world.apply(cards.resolve, card.id)

    result = world.store.page_time_entries(world.board_id, world.ann.id, card.id, 10)

    assert result is not None
    view, page = result
    assert view.get_card(card.id) == card
    assert [(entry.started_at, entry.ended_at) for entry in page.items] == [(NOON, world.now)]


def test_an_updated_user_and_an_updated_list_are_read_as_they_were_written(world: World) -> None:
    renamed, change = users.update(world.ann, {"name": "Anna"}, world.context())
    assert change is not None
    world.store.commit(change)
    revised = world.apply(lists.update, world.find_list("Doing").id, patch={"stage": Stage.DONE, "wip_limit": 3})

    assert world.store.read_user(world.ann.id) == renamed
    assert world.read_board().get_list(revised.id) == revised
