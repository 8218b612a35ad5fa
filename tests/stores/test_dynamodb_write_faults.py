"""Every kind of write, and everything that network and DynamoDB do wrong with it."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from kanban import boards, cards, lists, tokens, users
from kanban.changes import ActionContext, Change, build_change
from kanban.store import AlreadyExists, Busy, CardQuery, Store, StoredResponse
from kanban.values import Color, Comment, Label, Role, Stage
from tests.engines import dynamodb_wire as wire
from tests.engines.dynamodb_wire import Fault, Wire
from tests.stores.world import NOON, World, make_card

WRITE = "TransactWriteItems"

THROTTLED = wire.error_response("ProvisionedThroughputExceededException")
CONFLICT = wire.cancellation("None", "TransactionConflict")
IN_PROGRESS = wire.error_response("TransactionInProgressException")
FAILING = wire.error_response("InternalServerError", 500)


@pytest.fixture
def store(line: Wire) -> Store:
    """The store behind the wire."""
    return line.store


def remembered(world: World) -> StoredResponse:
    return StoredResponse(
        "key", world.ann.id, "some_operation", "f", 200, (), b"{}", world.now, world.now + timedelta(hours=24)
    )


# Every kind of write, as the change that a handler would answer with. Each needs what `prepared` made.


def prepared(world: World) -> None:
    world.add_card("Old", external_id="x-1")
    world.add_card("Running", "Doing")
    world.add_token(name="Old")
    world.add_member(world.add_user("Eve", id="eve"), Role.EDITOR)
    world.add_board("Second")
    card = world.list_cards()[0]
    comment = Comment("cmt_1", card.board_id, card.id, "eve", "Well.", 1, world.now, world.now)
    world.write(creates=(comment,), updates=(replace(card, comment_count=1),))


def on_card(rule: Callable[..., Any], title: str = "Old") -> Callable[[World], Change]:
    """A rule about one card as a write; those that answer a card too answer it first."""

    def decide(world: World) -> Change:
        card = next(each for each in world.list_cards() if each.title == title)
        made = rule(world.read_board(card.id), card.id, context=world.context())
        change: Change = made if isinstance(made, Change) else made[1]
        return change

    return decide


def moved(world: World) -> Change:
    target = world.find_list("Done").id
    return on_card(partial(cards.move, list_id=target))(world)


def signed_up(world: World) -> Change:
    user, change = users.create(ActionContext("", NOON, world.context().new_id), name="Bob", id="bob")
    return change.merge(tokens.issue(world.context(), world.random_bytes, user_id=user.id, name="First", scopes=[])[2])


def revoked(world: World) -> Change:
    (token,) = world.store.page_tokens(world.ann.id, 10).items
    return tokens.revoke(token, world.context(), caller_token=token)[1] or Change()


def rotated(world: World) -> Change:
    (token,) = world.store.page_tokens(world.ann.id, 10).items
    return tokens.rotate(token, world.context(), world.random_bytes, caller_token=token)[2]


def made_with_another(world: World) -> Change:
    (token,) = world.store.page_tokens(world.ann.id, 10).items
    return tokens.issue(
        world.context(), world.random_bytes, user_id=world.ann.id, name="Child", scopes=[], parent=token
    )[2]


def assigned(world: World) -> Change:
    view = world.read_board()
    place = next(each for each in view.members if each.user_id == world.ann.id)
    card = replace(make_card(world, view.lists[0], "a9"), assignee_ids=(place.id,), due_at=world.now)
    return build_change(view, world.context(), "test.written", creates=(card,))


def commented(world: World) -> Change:
    view = world.read_board(world.list_cards()[0].id)
    (card,) = view.cards.values()
    comment = Comment("cmt_2", card.board_id, card.id, world.ann.id, "Hm.", 1, world.now, world.now)
    counted = replace(card, comment_count=card.comment_count + 1)
    return build_change(view, world.context(), "test.written", creates=(comment,), updates=(counted,))


def forgotten(world: World) -> Change:
    view, found = world.store.page_comments(world.board_id, world.ann.id, world.list_cards()[0].id, 1) or (
        world.read_board(),
        None,
    )
    assert found is not None
    return build_change(view, world.context(), "test.written", deletes=found.items)


def placed(world: World) -> Change:
    found = world.store.read_card_ranks(world.board_id, world.ann.id, world.find_list("To do").id)
    assert found is not None
    return build_change(
        found[0], world.context(), "test.written", card_ranks=tuple(replace(each, rank="b00") for each in found[1])
    )


def left_alone(world: World) -> Change:
    view = world.read_board()
    gone = next(each for each in view.members if each.user_id == "eve")
    label = Label("lbl_1", world.board_id, "New", Color.RED, 1, world.now, world.now)
    return build_change(view, world.context(), "test.written", deletes=(gone,), creates=(label,))


def revived(world: World) -> Change:
    view = world.read_board()
    gone = replace(view.board, deleted_at=world.now)
    world.store.commit(build_change(view, world.context(), "test.written", board=gone))
    deleted = world.store.read_deleted(world.board_id, world.ann.id)
    assert deleted is not None
    back = replace(deleted.board, deleted_at=None, external_id="site")
    return build_change(deleted, world.context(), "test.written", board=back, restores_board=True)


def emigrated(world: World) -> Change:
    (card, *_) = world.list_cards()
    there = next(board.id for board, _ in world.store.page_boards(world.ann.id, 10).items if board.id != card.board_id)
    home, target = world.read_board(card.id), world.store.read_board(there, world.ann.id)
    assert target is not None
    arrived = replace(card, board_id=there, list_id=target.lists[0].id)
    origin = build_change(home, world.context(), "test.written", card_id=card.id)
    return replace(build_change(target, world.context(), "test.written", updates=(arrived,)), departure=origin)


WRITES: dict[str, Callable[[World], Change]] = {
    "assign card": assigned,
    "comment on card": commented,
    "delete comment": forgotten,
    "place cards": placed,
    "remove member, create label": left_alone,
    "restore board": revived,
    "move card to another board": emigrated,
    "create board": lambda world: boards.create(world.context(), name="Another")[1],
    "update board": lambda world: boards.update(world.read_board(), {"name": "New"}, world.context())[1] or Change(),
    "delete board": lambda world: boards.delete(world.read_board(), world.context()),
    "create list": lambda world: lists.create(world.read_board(), world.context(), name="New", stage=Stage.TODO)[1],
    "delete list": lambda world: lists.delete(world.read_board(), world.find_list("To do").id, world.context()),
    "create card": lambda world: cards.create(world.read_board(), world.context(), title="New", external_id="x-2")[1],
    "update card": on_card(partial(cards.update, patch={"title": "New"})),
    "move card": moved,
    "start card": on_card(cards.start),
    "resolve card": on_card(cards.resolve, "Running"),
    "delete card": on_card(cards.delete),
    "sign up": signed_up,
    "rename user": lambda world: users.update(world.ann, {"name": "Anna"}, world.context())[1] or Change(),
    "revoke token": revoked,
    "rotate token": rotated,
    "create token": made_with_another,
}

FAULTS: dict[str, Iterable[Fault]] = {
    "throttled once": [THROTTLED],
    "throttled twice": [THROTTLED, THROTTLED],
    "throttled for ever": itertools.repeat(THROTTLED),
    "in conflict": [CONFLICT, CONFLICT],
    "in conflict for ever": itertools.repeat(CONFLICT),
    "in progress": [IN_PROGRESS],
    "answer lost": [wire.lose_response],
    "answer lost twice": [wire.lose_response, wire.lose_response],
    "answer lost for ever": itertools.repeat(wire.lose_response),
    "answer lost, token forgotten": [wire.lose_response, wire.forget_request_token],
    "answer lost, then throttled, token forgotten": [wire.lose_response, THROTTLED, wire.forget_request_token],
    "answer garbled": [wire.truncate_response],
    "reset": [wire.drop_connection],
    "reset for ever": itertools.repeat(wire.drop_connection),
    "timed out": [wire.time_out, wire.time_out],
    "timed out for ever": itertools.repeat(wire.time_out),
    "failing": [FAILING],
    "failing for ever": itertools.repeat(FAILING),
    "done but failing, token forgotten": [wire.apply_then_fail, wire.forget_request_token],
}
FOR_EVER = {name for name in FAULTS if name.endswith("for ever")}


def state(world: World) -> dict[str, Any]:
    """All that can be seen of Ann and her boards."""
    store = world.store
    view = store.read_board(world.board_id, world.ann.id)
    bob = store.read_user("bob")
    return {
        "boards": store.page_boards(world.ann.id, 100),
        "view": view,
        "cards": world.list_cards() if view else [],
        "events": world.list_events() if view else [],
        "assigned": store.page_assigned_cards(world.ann.id, CardQuery(), 100),
        "comments": store.page_comments(world.board_id, world.ann.id, "crd_none", 1),
        "searched": world.list_cards(CardQuery(q="hm.")) if view else [],
        "users": (store.read_user(world.ann.id), bob),
        "tokens": (store.page_tokens(world.ann.id, 100), store.page_tokens("bob", 100)),
        "remembered": store.read_stored_response(world.ann.id, "some_operation", "key", world.now),
    }


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_is_done_once_or_not_at_all(line: Wire, world: World, write: str, fault: str) -> None:
    prepared(world)
    change = WRITES[write](world)
    before = state(world)
    answer = remembered(world)
    line.faults[WRITE] = iter(FAULTS[fault])

    acknowledged = True
    try:
        world.store.commit(change, answer)
    except Busy:
        acknowledged = False

    line.faults.clear()
    after = state(world)
    assert acknowledged == (fault not in FOR_EVER)
    assert (after != before) == (acknowledged or fault == "answer lost for ever")
    if after == before:
        world.store.commit(change, answer)
        after = state(world)
    with pytest.raises(AlreadyExists) as error:
        world.store.commit(change, answer)
    assert error.value.constraint == "idempotency_key"
    assert after == state(world)
    assert after["remembered"] == answer
    if after["view"]:
        assert after["view"].board.seq == len(after["events"])
