"""The writes of a board's own items: its tip with every change, its head if the change is one of the head.

Nearly all conditions of a change are one: that the tip has the seq that the change was decided from. Every write of the
head raises it, so the head is the one that was read, and what is in the way of the change is known before. A board that
has no tip yet gets one, and then that condition is one on the head.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from kanban.changes import Change
from kanban.values import Board, CardRank, Event, Label, List, Member, Role
from stores.changes import uses_invitation
from stores.dynamodb import board_items, keys
from stores.dynamodb.attributes import get_number, to_number
from stores.dynamodb.board_items import BoardHead
from stores.dynamodb.changes import of_type
from stores.dynamodb.conflicts import STALE, Conflict, ConflictKind, uniqueness_conflict
from stores.dynamodb.holds import remaining_hold, require_no_hold
from stores.dynamodb.keys import Item
from stores.dynamodb.writes import IS_NEW, Delete, Put, UpdateBuilder, Write

_MOVED_TO_TIP = ("seq", "last", "held_until", "rests_until")
"""What a head without a tip has, and the tip from then on."""


def create_board(change: Change, board: Board) -> Iterator[Write]:
    """Put the head and the tip of a new board."""
    created = change.creates
    head = board_items.new_head_item(board, of_type(List, created), of_type(Member, created), of_type(Label, created))
    tip = board_items.new_tip_item(board.id, board.seq, ())
    for item in (head, tip):
        yield Put(item, condition=IS_NEW, on_failure=uniqueness_conflict("board"), is_final=True)


def update_board(
    change: Change, event: Event, head: BoardHead, card_ranks: Iterable[CardRank], now_ms: int
) -> Iterator[Write]:
    """Write the tip, and the head if need be, on condition that the board is as it was and that it is not held."""
    (board,) = of_type(Board, change.updates)
    update = UpdateBuilder()
    update.require("#seq = :before", before=to_number(event.seq - 1))
    require_no_hold(update, now_ms)
    obstacle = _find_obstacle(change, event, head)
    if obstacle:
        update.require(IS_NEW)
    on_failure = partial(_conflict_of_seq, event.seq - 1, obstacle, now_ms)
    if head.head_seq is None:
        _write_head(update, change, board, head)
        for name in _MOVED_TO_TIP:
            update.remove(f"#{name}")
        yield update.build(keys.head_key(board.id), on_failure=on_failure)
        yield Put(board_items.new_tip_item(board.id, board.seq, card_ranks), condition=IS_NEW)
        return
    is_of_head = _is_of_head(change, board, head)
    _write_tip(update, change, board, head, card_ranks)
    if is_of_head:
        update.set("#head_seq", to_number(board.seq))
    yield update.build(keys.tip_key(board.id), on_failure=on_failure)
    if is_of_head:
        update = UpdateBuilder()
        _write_head(update, change, board, head)
        update.require("#head_seq = :before", before=to_number(head.head_seq))
        yield update.build(keys.head_key(board.id))


def delete_board(head: BoardHead) -> Sequence[Delete]:
    """Return the deletions of a board's own items, on condition that it is still as it was."""
    values = {":seq": to_number(head.board.seq)}
    if head.head_seq is None:
        return [Delete(keys.head_key(head.board.id), condition="#seq = :seq", values=values)]
    return [
        Delete(keys.tip_key(head.board.id), condition="#seq = :seq", values=values),
        Delete(keys.head_key(head.board.id)),
    ]


def restored_list_ids(head: BoardHead, change: Change) -> set[str]:
    """Return the lists that the change restores: their items are beside the head, if they exist."""
    live = (list_ for list_ in of_type(List, change.updates) if list_.deleted_at is None)
    return {list_.id for list_ in live if not head.has_list(list_.id)}


# The updates


def _is_of_head(change: Change, board: Board, head: BoardHead) -> bool:
    """Tell whether the change is one of anything that is in the head alone."""
    if replace(board, seq=head.board.seq) != head.board:
        return True
    written = (*change.updates, *change.creates)
    if any(isinstance(value, Member | Label) for value in (*written, *change.deletes)):
        return True
    before = {list_.id: list_ for list_ in head.lists}
    return any(_without_counters(list_) != _without_counters(before.get(list_.id)) for list_ in of_type(List, written))


def _without_counters(list_: List | None) -> List | None:
    return list_ and replace(list_, card_count=0, first_rank="", last_rank="")


def _write_tip(
    update: UpdateBuilder, change: Change, board: Board, head: BoardHead, card_ranks: Iterable[CardRank]
) -> None:
    update.set("#seq", to_number(board.seq))
    update.set("#last", board_items.last_ranks_attribute(card_ranks))
    before = {list_.id: board_items.counters_attribute(list_) for list_ in head.lists}
    for list_ in of_type(List, (*change.updates, *change.creates)):
        counters = board_items.counters_attribute(list_)
        if list_.deleted_at is not None:
            update.remove(f"#counters.{update.alias(list_.id)}")
        elif before.get(list_.id, counters) != counters:
            update.set(f"#counters.{update.alias(list_.id)}", counters)


def _write_head(update: UpdateBuilder, change: Change, board: Board, head: BoardHead) -> None:
    update.set("#head_seq", to_number(board.seq))
    attributes = board_items.board_attributes(board)
    for name, value in attributes.items():
        update.set(f"#{name}", value)
    for name in board_items.OPTIONAL_BOARD_ATTRIBUTES:
        if name not in attributes:
            update.remove(f"#{name}")
    _write_lists_members_and_labels(update, change, head)


def _write_lists_members_and_labels(update: UpdateBuilder, change: Change, head: BoardHead) -> None:
    written = (*change.updates, *change.creates)
    for list_ in of_type(List, written):
        if list_.deleted_at is None:
            update.set(f"#lists.{update.alias(list_.id)}", {"M": board_items.list_attributes(list_)})
        elif head.has_list(list_.id):
            update.remove(f"#lists.{update.alias(list_.id)}")
    for member in of_type(Member, written):
        update.set(f"#members.{update.alias(member.user_id)}", {"M": board_items.member_attributes(member)})
    for member in of_type(Member, change.deletes):
        update.remove(f"#members.{update.alias(member.user_id)}")
    for label in of_type(Label, written):
        update.set(f"#labels.{update.alias(label.id)}", {"M": board_items.label_attributes(label)})
    for label in of_type(Label, change.deletes):
        update.remove(f"#labels.{update.alias(label.id)}")


# What is in the way


def _conflict_of_seq(seq: int, obstacle: Conflict | None, now_ms: int, item: Item | None) -> Conflict:
    """Return why the tip in that item, or the head without one, could not be written."""
    if item is None or get_number(item, "seq") != seq:
        return STALE
    milliseconds = remaining_hold(board_items.hold_of(item), now_ms)
    return obstacle or (Conflict(ConflictKind.HELD, amount=milliseconds) if milliseconds else STALE)


def _find_obstacle(change: Change, event: Event, head: BoardHead) -> Conflict | None:
    """Return what on the board, as it was, is in the way of the change."""
    if not _may_write(change, event, head):
        return STALE
    member_ids = {member.id for member in head.members.values()}
    known_ids = {*member_ids, *(list_.id for list_ in head.lists), *(label.id for label in head.labels)}
    needed_ids = {member.id for member in of_type(Member, (*change.updates, *change.deletes))}
    needed_ids |= {label.id for label in of_type(Label, (*change.updates, *change.deletes))}
    needed_ids |= {list_.id for list_ in of_type(List, change.updates)} - restored_list_ids(head, change)
    if needed_ids - known_ids:
        return STALE
    new_members = of_type(Member, change.creates)
    if any(member.user_id in head.members or member.id in member_ids for member in new_members):
        return uniqueness_conflict("member")
    if any(list_.id in known_ids for list_ in of_type(List, change.creates)):
        return uniqueness_conflict("list")
    if any(label.id in known_ids for label in of_type(Label, change.creates)):
        return uniqueness_conflict("label")
    written = of_type(List, (*change.updates, *change.creates))
    deleted_ids = {list_.id for list_ in written if list_.deleted_at is not None}
    after = {list_.id: list_ for list_ in (*head.lists, *written) if list_.id not in deleted_ids}
    external_ids = [list_.external_id for list_ in after.values() if list_.external_id is not None]
    return uniqueness_conflict("list.external_id") if len(set(external_ids)) < len(external_ids) else None


def _may_write(change: Change, event: Event, head: BoardHead) -> bool:
    """Tell whether the board is live, or comes back, and the actor may write to it.

    The actor is an editor of it, or leaves it, or joins it or declines to do so. An owner of the installation may write
    to a deleted board, too.
    """
    if change.is_by_installation:
        return True
    if (head.board.deleted_at is not None) != change.restores_board:
        return False
    if uses_invitation(change, event):
        return True
    member = head.members.get(event.actor_id)
    if member is None or member.deactivated_at is not None:
        return False
    actor_leaves = any(other.user_id == event.actor_id for other in of_type(Member, change.deletes))
    return actor_leaves or member.role.covers(Role.EDITOR)
