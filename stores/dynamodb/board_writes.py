"""The write to a board's head: what it changes, on which conditions, and what stands in its way."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from kanban.changes import Change
from kanban.store import AlreadyExists, StaleRead, StoreError
from kanban.values import Board, CardRank, Event, Label, List, Member, Role
from stores.dynamodb import board_items as heads
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_number, to_string
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.expressions import UpdateBuilder, Write, of_type, put_request
from stores.dynamodb.holds import BoardHeld, remaining_hold, require_no_hold
from stores.dynamodb.keys import Item


def creates_board(change: Change) -> bool:
    """Whether the board of the change was not there before."""
    return any(isinstance(each, Board) for each in change.creates)


def create_head(table: str, change: Change) -> Write:
    """A head that was not there before. Raises AlreadyExists where the change makes a thing twice."""
    lists, members, labels = (
        of_type(List, change.creates),
        of_type(Member, change.creates),
        of_type(Label, change.creates),
    )
    for what, found in (
        ("list", [each.id for each in lists]),
        ("list.external_id", [each.external_id for each in lists if each.external_id is not None]),
        ("label", [each.id for each in labels]),
        ("member", [each.user_id for each in members]),
    ):
        if len(set(found)) < len(found):
            raise AlreadyExists(what)
    (board,) = of_type(Board, change.creates)
    item = heads.new_head_item(board, lists, members, labels)
    return Write(
        "Put", put_request(table, item, "attribute_not_exists(#pk)"), lambda _: AlreadyExists("board"), is_final=True
    )


def update_head(
    table: str,
    change: Change,
    event: Event,
    snapshot_head: BoardHead | None,
    card_ranks: Iterable[CardRank],
    *,
    now_ms: int,
) -> Write:
    """The head after the change. `before` is the head that the change was decided from.

    Without it the change is stale: DynamoDB has the last word, and will say so. `now` is a timestamp, by which the
    head must not be held.
    """
    update = UpdateBuilder()
    (board,) = of_type(Board, change.updates)
    _set_board(update, board)
    update.set("#last", heads.last_ranks_attribute(card_ranks))
    update.require("#seq = :before", before=to_number(event.seq - 1))
    require_no_hold(update, now_ms)
    update.require(f"attribute_{'exists' if change.restores_board else 'not_exists'}(#deleted_at)")
    update.names["#actor"] = event.actor_id
    if any(each.user_id == event.actor_id for each in of_type(Member, change.deletes)):
        update.require("attribute_exists(#members.#actor)")
    else:
        update.require(
            "#members.#actor.#role IN (:editor, :owner)", editor=to_string(Role.EDITOR), owner=to_string(Role.OWNER)
        )
    _set_lists(update, change, snapshot_head)
    _set_members(update, change)
    _set_labels(update, change)
    # All of the head but who writes is guarded by its seq: what is in the way of the change is known beforehand.
    trouble = _find_obstacle(snapshot_head, change) if snapshot_head else None
    if trouble:
        update.require("attribute_not_exists(#pk)")
    request: dict[str, Any] = update.build(table, keys.head_key(board.id))
    return Write("Update", request, partial(_head_error, change, event, trouble, now_ms), is_final=True)


def _set_board(update: UpdateBuilder, board: Board) -> None:
    attributes = heads.board_attributes(board)
    for name, value in attributes.items():
        update.set(f"#{name}", value)
    for name in heads.OPTIONAL_BOARD_ATTRIBUTES:
        if name not in attributes:
            update.remove(f"#{name}")


def _set_lists(update: UpdateBuilder, change: Change, snapshot_head: BoardHead | None) -> None:
    for each in of_type(List, (*change.updates, *change.creates)):
        if each.deleted_at is None:
            update.set(f"#lists.{update.alias(each.id)}", {"M": heads.list_attributes(each)})
        elif snapshot_head is None or snapshot_head.has_list(each.id):
            update.remove(f"#lists.{update.alias(each.id)}")


def _set_members(update: UpdateBuilder, change: Change) -> None:
    for each in of_type(Member, (*change.updates, *change.creates)):
        update.set(f"#members.{update.alias(each.user_id)}", {"M": heads.member_attributes(each)})
    for each in of_type(Member, change.deletes):
        update.remove(f"#members.{update.alias(each.user_id)}")


def _set_labels(update: UpdateBuilder, change: Change) -> None:
    for each in of_type(Label, (*change.updates, *change.creates)):
        update.set(f"#labels.{update.alias(each.id)}", {"M": heads.label_attributes(each)})
    for each in of_type(Label, change.deletes):
        update.remove(f"#labels.{update.alias(each.id)}")


def _head_error(
    change: Change, event: Event, obstacle: StoreError | None, now_ms: int, item: Item | None
) -> StoreError:
    head = heads.head_from_item(item) if item else None
    if head is None or not _accepts(head, change, event):
        return StaleRead()
    wait = remaining_hold(head.hold, now_ms)
    return obstacle or (BoardHeld(wait) if wait else StaleRead())


def _accepts(head: BoardHead, change: Change, event: Event) -> bool:
    """Whether the event may follow what is there."""
    if head.board.seq != event.seq - 1 or (head.board.deleted_at is not None) != change.restores_board:
        return False
    place = head.members.get(event.actor_id)
    leaves = any(each.user_id == event.actor_id for each in of_type(Member, change.deletes))
    return place is not None and (leaves or place.role.covers(Role.EDITOR))


def _find_obstacle(head: BoardHead, change: Change) -> StoreError | None:
    """What is in the way of the change on a board as it is."""
    places = {each.id for each in head.members.values()}
    known = {*places, *(each.id for each in head.lists), *(each.id for each in head.labels)}
    needed = {each.id for each in (*of_type(Member, change.updates), *of_type(Member, change.deletes))}
    needed |= {each.id for each in (*of_type(Label, change.updates), *of_type(Label, change.deletes))}
    needed |= {each.id for each in of_type(List, change.updates)} - restored_list_ids(head, change)
    if needed - known:
        return StaleRead()
    if any(each.user_id in head.members or each.id in places for each in of_type(Member, change.creates)):
        return AlreadyExists("member")
    if any(each.id in known for each in of_type(List, change.creates)):
        return AlreadyExists("list")
    if any(each.id in known for each in of_type(Label, change.creates)):
        return AlreadyExists("label")
    written = of_type(List, (*change.updates, *change.creates))
    after = {each.id: each for each in (*head.lists, *written) if each.deleted_at is None}
    gone = {each.id for each in written if each.deleted_at is not None}
    claims = [each.external_id for each in after.values() if each.external_id is not None and each.id not in gone]
    return AlreadyExists("list.external_id") if len(set(claims)) < len(claims) else None


def restored_list_ids(head: BoardHead, change: Change) -> set[str]:
    """The lists that come back with the change: they stand elsewhere, if they are there at all."""
    written = (each for each in of_type(List, change.updates) if each.deleted_at is None)
    return {each.id for each in written if not head.has_list(each.id)}
