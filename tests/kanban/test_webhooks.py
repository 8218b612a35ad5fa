"""Webhooks: what may be changed, what becomes of their cursors, and when an attempt is made again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kanban import webhooks
from kanban.changes import Change
from kanban.errors import LimitReached, NotFound
from kanban.limits import MAX_WEBHOOKS_PER_BOARD
from kanban.values import Event, FeedReader, ReaderRemoval, ReaderReset, Webhook, WebhookState
from kanban.webhooks import RETRY_DELAYS, NewWebhook, SeqAhead, WebhookNotActive
from tests.kanban.fake_store import NOON, FakeStore

INSTALLATION_SECRET = bytes(range(32))
HISTORY = "hst_01m7wjyxw0g21k7me9wgs7f9wj"


def create(store: FakeStore, **fields: Any) -> Webhook:
    return webhooks.create(store.view(), [], store.context, NewWebhook("https://example.com/in", **fields))[0]


def update(store: FakeStore, webhook: Webhook, **patch: Any) -> tuple[Webhook, Change | None]:
    return webhooks.update(store.view(), webhook, patch, store.context)


def make_event(event_type: str, **data: str) -> Event:
    return Event("board", 1, event_type, NOON, "usr_ann", data=data)


def test_a_webhook_is_created_with_a_reader_that_begins_with_its_own_event(store: FakeStore) -> None:
    new = NewWebhook("https://example.com/in", ["card.moved", "card.created", "card.moved"], "Chat")

    webhook, change = webhooks.create(store.view(), [], store.context, new)

    assert change.creates == (webhook,)
    assert (webhook.types, webhook.state) == (("card.created", "card.moved"), WebhookState.ACTIVE)
    assert (webhook.owner_id, webhook.created_by, webhook.secret_number) == ("usr_ann", "usr_ann", 1)
    name = f"webhook:{webhook.id}"
    assert change.readers == (FeedReader(store.board.id, name, store.view().board.seq, due_at=store.now),)
    assert change.event is not None
    assert (change.event.type, change.event.data) == ("webhook.created", {"webhook_id": webhook.id})


def test_a_board_has_ten_webhooks_at_most(store: FakeStore) -> None:
    existing = [create(store)] * MAX_WEBHOOKS_PER_BOARD

    with pytest.raises(LimitReached, match="10 webhooks") as error:
        webhooks.create(store.view(), existing, store.context, NewWebhook("https://example.com/"))
    assert error.value.code == "too_many_webhooks"


def test_an_event_of_an_edit_does_not_tell_the_url(store: FakeStore) -> None:
    new, change = update(store, create(store), url="https://example.com/secret-path", description="Chat")

    assert (new.url, new.version) == ("https://example.com/secret-path", 2)
    assert change is not None
    assert change.readers == ()
    assert change.event is not None
    assert change.event.data["changed"] == ["description", "url"]
    assert change.event.changes == (
        {"field": "url", "from_length": 22, "to_length": 31},
        {"field": "description", "from": "", "to": "Chat"},
    )


def test_an_edit_that_changes_nothing_writes_nothing(store: FakeStore) -> None:
    webhook = create(store, types=["card.moved", "card.created"])

    assert update(store, webhook, types=["card.moved", "card.created"], description=None) == (webhook, None)
    paused = replace(webhook, state=WebhookState.PAUSED)
    assert update(store, paused, state="paused") == (paused, None)


def test_a_webhook_that_is_paused_sleeps(store: FakeStore) -> None:
    webhook = create(store)
    paused, change = update(store, webhook, state="paused")

    assert paused.state == WebhookState.PAUSED
    assert change is not None
    assert change.readers == (ReaderReset(webhook.board_id, f"webhook:{webhook.id}", None),)


@pytest.mark.parametrize("state", WebhookState)
def test_a_webhook_that_is_set_active_goes_on_at_once_for_the_actor(store: FakeStore, state: WebhookState) -> None:
    webhook = replace(create(store), state=state, owner_id="usr_former")
    active, change = update(store, webhook, state="active")

    assert (active.state, active.owner_id) == (WebhookState.ACTIVE, "usr_ann")
    assert change is not None
    assert change.readers == (ReaderReset(webhook.board_id, f"webhook:{webhook.id}", store.now),)
    assert change.event is not None
    assert change.event.data["changed"] == ["state"]


def test_a_webhook_is_deleted_with_its_reader(store: FakeStore) -> None:
    webhook = create(store)
    change = webhooks.delete(store.view(), webhook, store.context)

    assert change.deletes == (webhook,)
    assert change.readers == (ReaderRemoval(webhook.board_id, f"webhook:{webhook.id}"),)


def test_a_replay_begins_before_the_seq(store: FakeStore) -> None:
    webhook, seq = create(store), store.view().board.seq
    name = f"webhook:{webhook.id}"

    change = webhooks.replay(store.view(), webhook, seq, store.context)
    assert change.readers == (ReaderReset(webhook.board_id, name, store.now, seq - 1),)
    paused = replace(webhook, state=WebhookState.PAUSED)
    change = webhooks.replay(store.view(), paused, 1, store.context)
    assert change.readers == (ReaderReset(webhook.board_id, name, None, 0),)
    with pytest.raises(SeqAhead, match=f"the seq {seq}"):
        webhooks.replay(store.view(), webhook, seq + 1, store.context)


def test_only_an_active_webhook_is_tested(store: FakeStore) -> None:
    webhook = create(store)

    change = webhooks.send_test(store.view(), webhook, store.context)
    assert change.event is not None
    assert (change.event.type, change.event.data) == ("webhook.tested", {"webhook_id": webhook.id})
    with pytest.raises(WebhookNotActive, match="stopped"):
        webhooks.send_test(store.view(), replace(webhook, state=WebhookState.STOPPED), store.context)


def test_a_webhook_that_stops_leaves_a_notice(store: FakeStore) -> None:
    webhook = create(store)
    change = webhooks.stop(store.view(), webhook, "no_success", store.context)

    assert change.event is not None
    assert change.event.data == {"webhook_id": webhook.id, "reason": "no_success"}
    assert change.event.changes == ({"field": "state", "from": "active", "to": "stopped"},)
    assert change.readers == ()


def test_a_webhook_gets_events_of_its_types_and_its_own_test(store: FakeStore) -> None:
    everything, moves = create(store), create(store, types=["card.moved"])

    assert webhooks.matches(everything, make_event("card.created"))
    assert webhooks.matches(moves, make_event("card.moved"))
    assert not webhooks.matches(moves, make_event("card.created"))
    assert webhooks.matches(moves, make_event("webhook.tested", webhook_id=moves.id))
    assert not webhooks.matches(everything, make_event("webhook.tested", webhook_id=moves.id))


def test_a_message_id_names_fixed_contents(store: FakeStore) -> None:
    webhook = create(store)
    ids = {
        webhooks.build_message_id(webhook, HISTORY, 1, 2),
        webhooks.build_message_id(webhook, HISTORY, 1, 3),
        webhooks.build_message_id(webhook, "hst_restored", 1, 2),
        webhooks.build_message_id(replace(webhook, types=("card.moved",)), HISTORY, 1, 2),
        webhooks.build_message_id(create(store), HISTORY, 1, 2),
    }

    assert len(ids) == 5
    edited = replace(webhook, url="https://example.com/", version=9, state=WebhookState.PAUSED)
    assert webhooks.build_message_id(edited, HISTORY, 1, 2) in ids


def test_attempts_are_made_for_over_three_days(store: FakeStore) -> None:
    webhook_waits = []
    now = store.now
    attempts = 1
    while (at := webhooks.next_attempt_at(attempts, now)) is not None:
        webhook_waits.append(at - now)
        now, attempts = at, attempts + 1

    assert tuple(webhook_waits) == RETRY_DELAYS
    assert webhook_waits[:5] == [timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600)]
    assert set(webhook_waits[5:]) == {timedelta(hours=6)}
    assert sum(webhook_waits[5:], timedelta()) == timedelta(hours=72)


def test_two_secrets_are_valid_for_a_day_after_a_rotation(store: FakeStore) -> None:
    webhook = create(store)
    (first,) = webhooks.derive_secrets(INSTALLATION_SECRET, webhook, store.now)
    rotated, change = webhooks.rotate_secret(store.view(), webhook, store.context)

    second, before = webhooks.derive_secrets(INSTALLATION_SECRET, rotated, store.now)
    assert before == first != second
    assert webhooks.derive_secrets(INSTALLATION_SECRET, rotated, store.now + timedelta(hours=24)) == [second]
    assert len(webhooks.derive_secrets(INSTALLATION_SECRET, rotated, store.now + timedelta(hours=23))) == 2
    assert first not in str(change)
    assert second not in str(change)
    others = [
        webhooks.derive_secrets(INSTALLATION_SECRET, create(store), store.now),
        webhooks.derive_secrets(bytes(32), webhook, store.now),
    ]
    assert [first] not in others


def test_a_webhook_that_is_not_there_is_not_found(store: FakeStore) -> None:
    webhook = create(store)

    assert webhooks.require_webhook([webhook], webhook.id) == webhook
    with pytest.raises(NotFound, match="webhook"):
        webhooks.require_webhook([webhook], "whk_other")
