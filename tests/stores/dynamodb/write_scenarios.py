"""Every kind of write, and every fault of the network and of DynamoDB."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from kanban import boards, cards, lists, tokens, users
from kanban.changes import ActionContext, Change, build_change
from kanban.store import CardQuery, StoredResponse
from kanban.values import Color, Comment, Label, NewBoard, NewCard, NewList, Role, Stage
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_wire import Fault
from tests.stores.world import NOON, World, make_card

WRITE = "TransactWriteItems"

THROTTLED = faults.error_response("ProvisionedThroughputExceededException")
CONFLICT = faults.cancellation("None", "TransactionConflict")
IN_PROGRESS = faults.error_response("TransactionInProgressException")
FAILING = faults.error_response("InternalServerError", 500)


def make_stored_response(world: World) -> StoredResponse:
    return StoredResponse(
        "key", world.ann.id, "some_operation", "f", 200, (), b"{}", world.now, world.now + timedelta(hours=24)
    )


# Every kind of write, as the change that a handler would return. Each needs what `prepare` has created.


def prepare(world: World) -> None:
    """Create what the writes below need."""
    world.add_card("Old", external_id="x-1")
    world.add_card("Running", "Doing")
    world.add_token(name="Old")
    world.add_member(world.add_user("Eve", id="eve"), Role.EDITOR)
    world.add_board("Second")
    card = world.list_cards()[0]
    comment = Comment("cmt_1", card.board_id, card.id, "eve", "Well.", 1, world.now, world.now)
    world.write(creates=(comment,), updates=(replace(card, comment_count=1),))


def apply_to_card(rule: Callable[..., Any], title: str = "Old") -> Callable[[World], Change]:
    """Return a write that applies a rule to the card of that title. It returns a change, or a card and a change."""

    def decide(world: World) -> Change:
        card = next(card for card in world.list_cards() if card.title == title)
        result = rule(world.read_board(card.id), card.id, context=world.context())
        change: Change = result if isinstance(result, Change) else result[1]
        return change

    return decide


def move_card(world: World) -> Change:
    target = world.find_list("Done").id
    return apply_to_card(partial(cards.move, list_id=target))(world)


def sign_up(world: World) -> Change:
    user, change = users.create(ActionContext("", NOON, world.context().new_id), name="Bob", id="bob")
    return change.merge(tokens.issue(world.context(), world.random_bytes, user_id=user.id, name="First", scopes=[])[2])


def revoke_token(world: World) -> Change:
    (token,) = world.store.page_tokens(world.ann.id, 10).items
    return tokens.revoke(token, world.context(), caller_token=token)[1] or Change()


def rotate_token(world: World) -> Change:
    (token,) = world.store.page_tokens(world.ann.id, 10).items
    return tokens.rotate(token, world.context(), world.random_bytes, caller_token=token)[2]


def create_child_token(world: World) -> Change:
    (token,) = world.store.page_tokens(world.ann.id, 10).items
    return tokens.issue(
        world.context(), world.random_bytes, user_id=world.ann.id, name="Child", scopes=[], parent=token
    )[2]


def create_assigned_card(world: World) -> Change:
    view = world.read_board()
    member = next(member for member in view.members if member.user_id == world.ann.id)
    card = replace(make_card(world, view.lists[0], "a9"), assignee_ids=(member.id,), due_at=world.now)
    return build_change(view, world.context(), "test.written", creates=(card,))


def create_comment(world: World) -> Change:
    view = world.read_board(world.list_cards()[0].id)
    (card,) = view.cards.values()
    comment = Comment("cmt_2", card.board_id, card.id, world.ann.id, "Hm.", 1, world.now, world.now)
    counted = replace(card, comment_count=card.comment_count + 1)
    return build_change(view, world.context(), "test.written", creates=(comment,), updates=(counted,))


def delete_comment(world: World) -> Change:
    view, page = world.store.page_comments(world.board_id, world.ann.id, world.list_cards()[0].id, 1) or (
        world.read_board(),
        None,
    )
    assert page is not None
    return build_change(view, world.context(), "test.written", deletes=page.items)


def set_ranks(world: World) -> Change:
    result = world.store.read_card_ranks(world.board_id, world.ann.id, world.find_list("To do").id)
    assert result is not None
    view, card_ranks = result
    changed = tuple(replace(card_rank, rank="b00") for card_rank in card_ranks)
    return build_change(view, world.context(), "test.written", card_ranks=changed)


def remove_member_and_create_label(world: World) -> Change:
    view = world.read_board()
    eve = next(member for member in view.members if member.user_id == "eve")
    label = Label("lbl_1", world.board_id, "New", Color.RED, 1, world.now, world.now)
    return build_change(view, world.context(), "test.written", deletes=(eve,), creates=(label,))


def restore_board(world: World) -> Change:
    view = world.read_board()
    deleted_board = replace(view.board, deleted_at=world.now)
    world.store.commit(build_change(view, world.context(), "test.written", board=deleted_board))
    deleted = world.store.read_deleted(world.board_id, world.ann.id)
    assert deleted is not None
    restored = replace(deleted.board, deleted_at=None, external_id="site")
    return build_change(deleted, world.context(), "test.written", board=restored, restores_board=True)


def move_to_another_board(world: World) -> Change:
    (card, *_) = world.list_cards()
    target_id = next(
        board.id for board, _ in world.store.page_boards(world.ann.id, 10).items if board.id != card.board_id
    )
    source, target = world.read_board(card.id), world.store.read_board(target_id, world.ann.id)
    assert target is not None
    arriving = replace(card, board_id=target_id, list_id=target.lists[0].id)
    departure = build_change(source, world.context(), "test.written", card_id=card.id)
    return replace(build_change(target, world.context(), "test.written", updates=(arriving,)), departure=departure)


WRITES: dict[str, Callable[[World], Change]] = {
    "assign card": create_assigned_card,
    "comment on card": create_comment,
    "delete comment": delete_comment,
    "set ranks": set_ranks,
    "remove member, create label": remove_member_and_create_label,
    "restore board": restore_board,
    "move card to another board": move_to_another_board,
    "create board": lambda world: boards.create(world.context(), NewBoard(name="Another"))[1],
    "update board": lambda world: boards.update(world.read_board(), {"name": "New"}, world.context())[1] or Change(),
    "delete board": lambda world: boards.delete(world.read_board(), world.context()),
    "create list": lambda world: lists.create(
        world.read_board(), world.context(), NewList(name="New", stage=Stage.TODO)
    )[1],
    "delete list": lambda world: lists.delete(world.read_board(), world.find_list("To do").id, world.context()),
    "create card": lambda world: cards.create(
        world.read_board(), world.context(), NewCard(title="New", external_id="x-2")
    )[1],
    "update card": apply_to_card(partial(cards.update, patch={"title": "New"})),
    "move card": move_card,
    "start card": apply_to_card(cards.start),
    "resolve card": apply_to_card(cards.resolve, "Running"),
    "delete card": apply_to_card(cards.delete),
    "sign up": sign_up,
    "rename user": lambda world: users.update(world.ann, {"name": "Anna"}, world.context())[1] or Change(),
    "revoke token": revoke_token,
    "rotate token": rotate_token,
    "create token": create_child_token,
}

FAULTS: dict[str, Iterable[Fault]] = {
    "throttled once": [THROTTLED],
    "throttled twice": [THROTTLED, THROTTLED],
    "throttled for ever": itertools.repeat(THROTTLED),
    "in conflict": [CONFLICT],
    "in conflict and throttled": [faults.cancellation("ThrottlingError", "TransactionConflict")],
    "throttled, then in conflict": [THROTTLED, CONFLICT],
    "timed out, then in conflict": [faults.time_out, CONFLICT, CONFLICT],
    "response lost, then in conflict": [faults.lose_response, CONFLICT],
    "timed out, then in conflict for ever": [faults.time_out, *[CONFLICT] * 1_000],
    "in progress": [IN_PROGRESS],
    "response lost": [faults.lose_response],
    "response lost twice": [faults.lose_response, faults.lose_response],
    "response lost for ever": itertools.repeat(faults.lose_response),
    "response lost, token forgotten": [faults.lose_response, faults.forget_request_token],
    "response lost, then throttled, token forgotten": [faults.lose_response, THROTTLED, faults.forget_request_token],
    "response truncated": [faults.truncate_response],
    "connection reset": [faults.drop_connection],
    "connection reset for ever": itertools.repeat(faults.drop_connection),
    "timed out": [faults.time_out, faults.time_out],
    "timed out for ever": itertools.repeat(faults.time_out),
    "failing": [FAILING],
    "failing for ever": itertools.repeat(FAILING),
    "applied but failing, token forgotten": [faults.apply_then_fail, faults.forget_request_token],
}
FOR_EVER = {name for name in FAULTS if name.endswith("for ever")}
STALE = {"in conflict", "throttled, then in conflict"}
"""Faults after which a change has to be decided again: it was surely not written, and others are writing."""


def read_state(world: World) -> dict[str, Any]:
    """Return all that can be read of Ann and her boards."""
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
        "stored response": store.read_stored_response(world.ann.id, "some_operation", "key", world.now),
    }
