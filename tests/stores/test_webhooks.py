"""Webhooks are written by commits, their deliveries by whoever delivers, on every engine."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kanban import boards, webhooks
from kanban.changes import Change
from kanban.store import StaleRead
from kanban.values import FeedReader, Role, Webhook, WebhookDelivery, WebhookState
from kanban.webhook_store import MAX_KEPT_DELIVERIES
from kanban.webhooks import NewWebhook
from tests.stores.conftest import OpenStore
from tests.stores.test_purge import purge_all, read_raw
from tests.stores.world import World

URL = "https://example.com/hooks?key=1"


def add_webhook(world: World, *types: str) -> Webhook:
    existing = world.store.webhooks.list_webhooks(world.board_id)
    webhook, change = webhooks.create(world.read_board(), existing, world.context(), NewWebhook(URL, types, "Chat"))
    world.store.commit(change)
    return webhook


def update(world: World, webhook: Webhook, **patch: object) -> Webhook:
    webhook, change = webhooks.update(world.read_board(), webhook, patch, world.context())
    world.store.commit(change or Change())
    return webhook


def list_webhooks(world: World) -> list[Webhook]:
    return [*world.store.webhooks.list_webhooks(world.board_id)]


def list_readers(world: World) -> list[FeedReader]:
    return [*world.store.feed_readers.list_readers(world.board_id)]


def make_delivery(webhook: Webhook, number: int = 1, **fields: object) -> WebhookDelivery:
    delivery = WebhookDelivery(
        webhook.board_id, webhook.id, number, f"msg_{number}", 1, 9, 3, 1, webhook.created_at, 12, 200, "ok"
    )
    return replace(delivery, **fields)  # type: ignore[arg-type]  # the test gives what the value has


def test_a_webhook_is_written_with_its_event_and_its_reader(world: World) -> None:
    first, second = add_webhook(world, "card.moved", "card.created"), add_webhook(world)

    assert list_webhooks(world) == [first, second]
    assert [event.type for event in world.list_events()[-2:]] == ["webhook.created"] * 2
    assert [(reader.name, reader.after_seq) for reader in list_readers(world)] == [
        (f"webhook:{first.id}", 1),
        (f"webhook:{second.id}", 2),
    ]
    assert {reader.name for reader in world.store.feed_readers.page_due_readers(world.now, 9).items} == {
        f"webhook:{first.id}",
        f"webhook:{second.id}",
    }


def test_a_webhook_is_edited_with_its_reader(world: World) -> None:
    webhook = add_webhook(world, "card.moved")
    world.advance(seconds=1)

    paused = update(world, webhook, state="paused", types=[], url=f"{URL}&b=2", description=None)
    assert list_webhooks(world) == [paused]
    assert [reader.due_at for reader in list_readers(world)] == [None]
    active = update(world, paused, state="active")
    assert list_webhooks(world) == [active]
    assert [reader.due_at for reader in list_readers(world)] == [world.now]


def test_all_of_a_webhook_is_stored(world: World) -> None:
    webhook = add_webhook(world)
    full = replace(
        webhook,
        types=tuple(f"card.type_{number}" for number in range(100)),
        description="Grüße 👩\u200d🚀",
        state=WebhookState.STOPPED,
        owner_id="other",
        secret_number=3,
        rotated_at=world.now,
        version=4,
        updated_at=world.now + timedelta(seconds=1),
    )
    world.write(updates=(full,))

    assert list_webhooks(world) == [full]


def test_one_of_two_who_create_a_webhook_at_once_has_to_decide_anew(world: World) -> None:
    view = world.read_board()
    changes = [webhooks.create(view, [], world.context(), NewWebhook(URL))[1] for _ in range(2)]
    world.store.commit(changes[0])

    with pytest.raises(StaleRead):
        world.store.commit(changes[1])
    assert len(list_webhooks(world)) == len(list_readers(world)) == 1


def test_a_replay_moves_the_cursor(world: World) -> None:
    webhook = add_webhook(world)
    world.store.commit(webhooks.replay(world.read_board(), webhook, 1, world.context()))

    assert [(reader.after_seq, reader.due_at) for reader in list_readers(world)] == [(0, world.now)]


def test_a_webhook_is_deleted_with_all_that_belongs_to_it(world: World) -> None:
    kept, webhook = add_webhook(world), add_webhook(world)
    for owner in (kept, webhook):
        world.store.webhooks.put_delivery(make_delivery(owner))
    world.store.commit(webhooks.delete(world.read_board(), webhook, world.context()))
    world.store.webhooks.put_delivery(make_delivery(webhook, 2))

    assert list_webhooks(world) == [kept]
    assert [reader.name for reader in list_readers(world)] == [f"webhook:{kept.id}"]
    assert list(world.store.webhooks.list_deliveries(world.board_id, kept.id)) == [make_delivery(kept)]
    assert make_delivery(webhook, 2) not in world.store.webhooks.list_deliveries(world.board_id, webhook.id)


def test_the_last_deliveries_are_kept_newest_first(world: World) -> None:
    webhook, other = add_webhook(world), add_webhook(world)
    deliveries = [make_delivery(webhook, number) for number in range(1, MAX_KEPT_DELIVERIES + 6)]
    for delivery in deliveries:
        world.store.webhooks.put_delivery(delivery)

    kept = world.store.webhooks.list_deliveries(world.board_id, webhook.id)
    assert list(kept) == deliveries[:4:-1]
    assert len(kept) == MAX_KEPT_DELIVERIES
    assert list(world.store.webhooks.list_deliveries(world.board_id, other.id)) == []


def test_all_of_a_delivery_is_stored(world: World) -> None:
    webhook = add_webhook(world)
    full = make_delivery(webhook, 7, status=None, response="Grüße\n", error="No.", to_seq=2**53, attempt=18)
    world.store.webhooks.put_delivery(full)

    assert list(world.store.webhooks.list_deliveries(world.board_id, webhook.id)) == [full]


def test_the_owners_of_a_board_are_known_also_when_it_is_deleted(world: World) -> None:
    for name, role in (("bob", Role.OWNER), ("eve", Role.EDITOR)):
        world.add_member(world.add_user(name, id=name), role)
    world.store.commit(boards.delete(world.read_board(), world.context(), []))

    assert list(world.store.webhooks.list_owner_ids(world.board_id)) == sorted(["bob", world.ann.id])
    assert list(world.store.webhooks.list_owner_ids("brd_none")) == []


@pytest.mark.parametrize("limit", [1, 100])
def test_a_purge_of_the_board_erases_its_webhooks(world: World, limit: int) -> None:
    home, world.board_id = world.board_id, world.add_board("Old")
    webhook = add_webhook(world)
    world.store.webhooks.put_delivery(make_delivery(webhook))
    world.store.commit(boards.delete(world.read_board(), world.context(), []))
    world.advance(days=31)

    purge_all(world, limit)

    assert list_webhooks(world) == []
    assert list_readers(world) == []
    assert webhook.id not in read_raw(world)
    world.board_id = home
    assert world.read_board().board.id == home


def test_other_processes_see_the_same_webhooks(world: World, open_again: OpenStore) -> None:
    webhook = add_webhook(world)

    assert list(open_again().webhooks.list_webhooks(world.board_id)) == [webhook]
