"""The write to a board's head: what it changes, on which conditions, and what stands in its way."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from kanban.store import AlreadyExists, StaleRead, StoreError
from kanban.values import Board, CardRank, Change, Event, Label, List, Member, Role
from stores import dynamodb_heads as heads
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import number, text
from stores.dynamodb_expressions import Update, Write, of, put
from stores.dynamodb_heads import Head
from stores.dynamodb_holds import Held, require_no_hold, wait_left
from stores.dynamodb_keys import Item


def makes_a_board(change: Change) -> bool:
    """Whether the board of the change was not there before."""
    return any(isinstance(each, Board) for each in change.creates)


def made(table: str, change: Change) -> Write:
    """A head that was not there before. Raises AlreadyExists where the change makes a thing twice."""
    lists, members, labels = of(List, change.creates), of(Member, change.creates), of(Label, change.creates)
    for what, found in (
        ("list", [each.id for each in lists]),
        ("list.external_id", [each.external_id for each in lists if each.external_id is not None]),
        ("label", [each.id for each in labels]),
        ("member", [each.user_id for each in members]),
    ):
        if len(set(found)) < len(found):
            raise AlreadyExists(what)
    (board,) = of(Board, change.creates)
    item = heads.new_head(board, lists, members, labels)
    return Write("Put", put(table, item, "attribute_not_exists(#pk)"), lambda _: AlreadyExists("board"), decides=True)


def updated(
    table: str, change: Change, event: Event, before: Head | None, placed: Iterable[CardRank], *, now: int
) -> Write:
    """The head after the change. `before` is the head that the change was decided from.

    Without it the change is stale: DynamoDB has the last word, and will say so. `now` is a timestamp, by which the
    head must not be held.
    """
    update = Update()
    (board,) = of(Board, change.updates)
    _write_board(update, board)
    update.set("#last", heads.last_attribute(placed))
    update.require("#seq = :before", before=number(event.seq - 1))
    require_no_hold(update, now)
    update.require(f"attribute_{'exists' if change.restores_board else 'not_exists'}(#deleted_at)")
    update.names["#actor"] = event.actor_id
    if any(each.user_id == event.actor_id for each in of(Member, change.deletes)):
        update.require("attribute_exists(#members.#actor)")
    else:
        update.require("#members.#actor.#role IN (:editor, :owner)", editor=text(Role.EDITOR), owner=text(Role.OWNER))
    _write_lists(update, change, before)
    _write_members(update, change)
    _write_labels(update, change)
    # All of the head but who writes is guarded by its seq: what is in the way of the change is known beforehand.
    trouble = _trouble(before, change) if before else None
    if trouble:
        update.require("attribute_not_exists(#pk)")
    request: dict[str, Any] = update.request(table, keys.head_key(board.id))
    return Write("Update", request, partial(_refused, change, event, trouble, now), decides=True)


def _write_board(update: Update, board: Board) -> None:
    attributes = heads.board_attributes(board)
    for name, value in attributes.items():
        update.set(f"#{name}", value)
    for name in heads.BOARD_OPTIONS:
        if name not in attributes:
            update.remove(f"#{name}")


def _write_lists(update: Update, change: Change, before: Head | None) -> None:
    for each in of(List, (*change.updates, *change.creates)):
        if each.deleted_at is None:
            update.set(f"#lists.{update.name(each.id)}", {"M": heads.list_attributes(each)})
        elif before is None or before.has_list(each.id):
            update.remove(f"#lists.{update.name(each.id)}")


def _write_members(update: Update, change: Change) -> None:
    for each in of(Member, (*change.updates, *change.creates)):
        update.set(f"#members.{update.name(each.user_id)}", {"M": heads.member_attributes(each)})
    for each in of(Member, change.deletes):
        update.remove(f"#members.{update.name(each.user_id)}")


def _write_labels(update: Update, change: Change) -> None:
    for each in of(Label, (*change.updates, *change.creates)):
        update.set(f"#labels.{update.name(each.id)}", {"M": heads.label_attributes(each)})
    for each in of(Label, change.deletes):
        update.remove(f"#labels.{update.name(each.id)}")


def _refused(change: Change, event: Event, trouble: StoreError | None, now: int, found: Item | None) -> StoreError:
    head = heads.head_of(found) if found else None
    if head is None or not _admits(head, change, event):
        return StaleRead()
    wait = wait_left(head.hold, now)
    return trouble or (Held(wait) if wait else StaleRead())


def _admits(head: Head, change: Change, event: Event) -> bool:
    """Whether the event may follow what is there."""
    if head.board.seq != event.seq - 1 or (head.board.deleted_at is not None) != change.restores_board:
        return False
    place = head.members.get(event.actor_id)
    leaves = any(each.user_id == event.actor_id for each in of(Member, change.deletes))
    return place is not None and (leaves or place.role.covers(Role.EDITOR))


def _trouble(head: Head, change: Change) -> StoreError | None:
    """What is in the way of the change on a board as it is."""
    places = {each.id for each in head.members.values()}
    known = {*places, *(each.id for each in head.lists), *(each.id for each in head.labels)}
    needed = {each.id for each in (*of(Member, change.updates), *of(Member, change.deletes))}
    needed |= {each.id for each in (*of(Label, change.updates), *of(Label, change.deletes))}
    needed |= {each.id for each in of(List, change.updates)} - returning(head, change)
    if needed - known:
        return StaleRead()
    if any(each.user_id in head.members or each.id in places for each in of(Member, change.creates)):
        return AlreadyExists("member")
    if any(each.id in known for each in of(List, change.creates)):
        return AlreadyExists("list")
    if any(each.id in known for each in of(Label, change.creates)):
        return AlreadyExists("label")
    written = of(List, (*change.updates, *change.creates))
    after = {each.id: each for each in (*head.lists, *written) if each.deleted_at is None}
    gone = {each.id for each in written if each.deleted_at is not None}
    claims = [each.external_id for each in after.values() if each.external_id is not None and each.id not in gone]
    return AlreadyExists("list.external_id") if len(set(claims)) < len(claims) else None


def returning(head: Head, change: Change) -> set[str]:
    """The lists that come back with the change: they stand elsewhere, if they are there at all."""
    written = (each for each in of(List, change.updates) if each.deleted_at is None)
    return {each.id for each in written if not head.has_list(each.id)}
