"""A store with something of every kind: what people do through the API, and what only the rules can leave behind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kanban import archive, boards, cards, labels, members, tokens, transfers, webhooks
from kanban.changes import Change
from kanban.flow.flow_segments import FlowSegment
from kanban.store import Store, StoredResponse
from kanban.values import NewBoard, NewCard, Role, WebhookDelivery
from kanban.webhooks import NewWebhook
from tests.api.authorization_world import World as PeopleWorld
from tests.oidc.scripted_provider import ScriptedProvider
from tests.stores.part_builders import add_full_card, add_label, find_member
from tests.stores.test_invitations import ask, invite_to_installation
from tests.stores.world import World


def fill_store(store: Store, provider: ScriptedProvider) -> World:
    """Write something of every kind to an empty store; return the world of its last user and board."""
    PeopleWorld(store, provider)
    world = World(store, seed=9)
    _add_people(world)
    _add_cards(world)
    _delete_and_archive(world)
    add_webhook(world)
    store.flow_segments.add_segment(FlowSegment(world.board_id, 500, world.now, b"\x00\xff{}"))
    store.read_secret()
    return world


def _commit(world: World, change: Change | None, response: StoredResponse | None = None) -> None:
    assert change is not None
    world.store.commit(change, response)


def _add_people(world: World) -> None:
    child = world.add_token(parent=world.add_token())
    _commit(world, tokens.revoke(world.add_token(parent=child), world.context(), caller_token=child)[1])
    world.store.record_token_use(child.id, world.now + timedelta(hours=2), "192.0.2.0/24 Firefox")
    world.add_member(world.add_user("Bob", id="bob"), Role.EDITOR)
    ask(world, world.add_user("Eve"))
    invite_to_installation(world, note="Grüße", max_uses=3)


def _add_cards(world: World) -> None:
    bob = find_member(world, "bob")
    world.add_card("Due some day", due_at=datetime(9999, 12, 31, 23, 30, tzinfo=UTC))
    for number in range(3):
        world.add_card(f"Grüße {number} 👩\u200d🚀", description="viel\nzu TUN")
    running = world.add_card("Taken up")
    _commit(world, cards.start(world.read_board(running.id), running.id, world.context())[1])
    full, old = add_full_card(world), add_label(world, "Old")
    both = replace(
        world.read_card(full),
        label_ids=tuple(sorted((*full.label_ids, old.id))),
        assignee_ids=tuple(sorted((*full.assignee_ids, bob.id))),
    )
    world.write(updates=(both,))
    # On DynamoDB, the card keeps both ids.
    _commit(world, labels.delete(world.read_board(), old.id, world.context()))
    _commit(world, members.remove(world.read_board(), "bob", world.context(), ()))
    body = StoredResponse(
        "key-1",
        world.ann.id,
        "create_card",
        "f" * 64,
        201,
        (("ETag", '"1"'),),
        b"\x00\xff{}",
        world.now,
        world.now + timedelta(days=1),
    )
    card, change = cards.create(world.read_board(), world.context(), _new_card(world))
    _commit(world, change, body)
    other = world.add_board("Elsewhere")
    target = world.store.read_board(other, world.ann.id)
    assert target is not None
    _commit(world, transfers.transfer(world.read_board(card.id), target, card.id, world.context())[1])


def _new_card(world: World) -> NewCard:
    return NewCard("Moves away", world.find_list("To do").id, external_id="JIRA-2")


def _delete_and_archive(world: World) -> None:
    world.delete_card(world.add_card("Deleted", external_id="JIRA-1"))
    world.add_list("Old")
    world.add_card("In a deleted list", "Old", external_id="JIRA-3")
    world.delete_card(world.add_card("Deleted in a deleted list", "Old"))
    world.delete_list("Old")
    archived = world.add_card("Archived", external_id="JIRA-1")
    _commit(world, archive.archive_card(world.read_board(archived.id), archived.id, world.context())[1])
    for name in ("Deleted", "Archived"):
        new, change = boards.create(world.context(), NewBoard(name))
        board = replace(new.board, external_id=f"B-{name}")
        others = tuple(value for value in change.creates if value != new.board)
        _commit(world, replace(change, creates=(board, *others)))
        view = world.store.read_board(board.id, world.ann.id)
        assert view is not None
        if name == "Deleted":
            _commit(world, boards.delete(view, world.context()))
        else:
            _commit(world, archive.archive_board(view, world.context(), ())[1])


def add_webhook(world: World) -> None:
    """Add a webhook that has delivered something."""
    webhook, change = webhooks.create(world.read_board(), [], world.context(), NewWebhook("https://example.com/in"))
    world.store.commit(change)
    world.store.webhooks.put_delivery(
        WebhookDelivery(world.board_id, webhook.id, 1, "msg_1", 1, 2, 1, 1, world.now, 5, 200, "ok")
    )
