"""A board's head and its tip.

The head is one item with the board, its live lists, its members and its labels. It grows with them, and is written only
when one of them changes. What every write changes is in another item, the tip: the seq, the ranks that the last write
gave, the counters of lists, and the hold of readers. It is small, and so is what a write costs.

Both have `head_seq`, the seq at which the head was written last. If it is the same in both, they belong together, in
whatever way they were read; and no commit needs a condition on the head, because the tip's seq guards that as well.

Until version 1.3 there was no tip, and the head had all of it. Such a head is read as it is, and the next write of its
board takes it over: it writes the tip, and removes from the head what is there then. So a process of an earlier version
finds no `seq` in it: it can neither fulfil its condition on it, nor read the board.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from kanban.fields import describe
from kanban.values import Board, CardRank, Label, List, Member, Role
from kanban.views import BoardView
from stores.dynamodb import keys
from stores.dynamodb.attributes import (
    compile_reader,
    compile_writer,
    get_number,
    to_number,
    to_string,
    to_timestamp,
)
from stores.dynamodb.keys import Item


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when readers ask the writers of a board to wait, and from when on they may ask again.

    Both in milliseconds since 1970.
    """

    until: int = 0
    next_hold_from: int = 0


@dataclass(frozen=True, slots=True)
class BoardHead:
    """A board with all that every read and write of it needs, from its head and its tip, of one moment.

    `members` are by user id. `last_ranks` are the ranks that the last write gave to cards. `head_seq` is None if the
    board has no tip yet.
    """

    board: Board
    members: Mapping[str, Member]
    labels: tuple[Label, ...]
    lists: tuple[List, ...]
    last_ranks: tuple[CardRank, ...]
    hold: Hold
    head_seq: int | None

    def with_tip(self, tip: Item) -> "BoardHead | None":
        """Return this board as the tip in that item says; None if its head has been written since, or before."""
        if self.head_seq is None or self.head_seq != get_number(tip, "head_seq"):
            return None
        counters = tip["counters"]["M"]
        lists = tuple(
            _with_counters(list_, counters[list_.id]["S"]) if list_.id in counters else list_ for list_ in self.lists
        )
        return BoardHead(
            replace(self.board, seq=int(tip["seq"]["N"])),
            self.members,
            self.labels,
            lists,
            _last_ranks_of(tip),
            hold_of(tip),
            self.head_seq,
        )

    def is_visible_to(self, user_id: str) -> bool:
        """Tell whether the board is live and that user is a member."""
        return self.board.deleted_at is None and user_id in self.members

    def live_view_for(self, user_id: str) -> BoardView | None:
        """Return the live board as that member sees it; None for everybody else."""
        return None if self.board.deleted_at is not None else self.view_for(user_id)

    def view_for(self, user_id: str) -> BoardView | None:
        """Return the board as that member sees it, even if it is deleted; None for everybody else."""
        membership = self.members.get(user_id)
        if membership is None:
            return None
        members = tuple(sorted(self.members.values(), key=lambda member: member.id))
        return BoardView(self.board, membership.role, self.lists, members=members, labels=self.labels)

    def has_list(self, list_id: str) -> bool:
        """Tell whether the board has that live list."""
        return any(list_.id == list_id for list_ in self.lists)


def head_from_items(item: Item, tip: Item | None) -> BoardHead | None:
    """Return the board in the items of its head and its tip; None if these do not belong together."""
    head = _head_from_item(item)
    if tip is None:
        return head if head.head_seq is None else None
    return head.with_tip(tip)


def board_from_items(item: Item, tip: Item | None) -> Board:
    """Return the board itself in the items of its head and its tip, or in parts of them.

    If these do not belong together, it is the board as it was when that head was written.
    """
    seq = item.get("head_seq") or item["seq"]
    if tip is not None and tip["head_seq"] == seq:
        seq = tip["seq"]
    return _board_from_item(item, int(seq["N"]))


def _head_from_item(item: Item) -> BoardHead:
    """Return the board as it was when its head was written."""
    board = board_from_items(item, None)
    lists = [
        list_from_attributes(list_id, board.id, attribute["M"]) for list_id, attribute in item["lists"]["M"].items()
    ]
    labels = [
        _label_from_attributes(label_id, board.id, attribute["M"])
        for label_id, attribute in item["labels"]["M"].items()
    ]
    members = {
        user_id: _member_from_attributes(user_id, board.id, attribute["M"])
        for user_id, attribute in item["members"]["M"].items()
    }
    return BoardHead(
        board,
        members,
        tuple(sorted(labels, key=lambda label: label.id)),
        tuple(sorted(lists, key=lambda list_: list_.rank)),
        _last_ranks_of(item),
        hold_of(item),
        get_number(item, "head_seq"),
    )


def new_head_item(board: Board, lists: Iterable[List], members: Iterable[Member], labels: Iterable[Label]) -> Item:
    """Return the item of the head of a new board."""
    return (
        keys.head_key(board.id)
        | board_attributes(board)
        | {
            "head_seq": to_number(board.seq),
            "lists": {"M": {list_.id: {"M": list_attributes(list_)} for list_ in lists}},
            "members": {"M": {member.user_id: {"M": member_attributes(member)} for member in members}},
            "labels": {"M": {label.id: {"M": label_attributes(label)} for label in labels}},
        }
    )


def new_tip_item(board_id: str, seq: int, card_ranks: Iterable[CardRank]) -> Item:
    """Return the item of the first tip of a board, whose head is written at the same seq."""
    return keys.tip_key(board_id) | {
        "seq": to_number(seq),
        "head_seq": to_number(seq),
        "last": last_ranks_attribute(card_ranks),
        "counters": {"M": {}},
    }


def seq_of(item: Item | None, tip: Item | None) -> str | None:
    """Return the seq in the items of a head and its tip, as text; None if there is no board."""
    attribute = (tip or item or {}).get("seq")
    return attribute["N"] if attribute else None


def hold_of(item: Item) -> Hold:
    """Return the hold in a tip, or in a head without one."""
    return Hold(get_number(item, "held_until") or 0, get_number(item, "rests_until") or 0)


def _last_ranks_of(item: Item) -> tuple[CardRank, ...]:
    return tuple(CardRank(*text.split("#")) for text in item["last"]["S"].split()) if "last" in item else ()


def last_ranks_attribute(card_ranks: Iterable[CardRank]) -> Item:
    """Return the attribute of `BoardHead.last_ranks`."""
    return to_string(" ".join(f"{rank.card_id}#{rank.list_id}#{rank.rank}" for rank in card_ranks))


# The board itself


_board_from_item: Callable[[Item, int], Board] = compile_reader(
    Board, ("item", "seq"), {"id": "item['pk']['S'][2:]", "seq": "seq"}
)
"""Return the board in the item of a head, with that seq."""

board_attributes: Callable[[Board], Item] = compile_writer(Board, ("id", "seq"))
"""Return the attributes of the board itself in its head."""

OPTIONAL_BOARD_ATTRIBUTES = tuple(field.name for field in describe(Board) if field.is_optional)
"""The attributes that a head lacks if the field of the board is None."""


# Members


def role_from_item(item: Item, user_id: str) -> Role | None:
    """Return the role that a head, or a part of one, gives to a user; None if it has no such member."""
    members = item.get("members")
    attribute = members["M"].get(user_id) if members else None
    return Role(attribute["M"]["role"]["S"]) if attribute else None


_member_from_attributes: Callable[[str, str, Item], Member] = compile_reader(
    Member, ("user_id", "board_id", "item"), {"user_id": "user_id", "board_id": "board_id"}
)

member_attributes: Callable[[Member], Item] = compile_writer(Member, ("board_id", "user_id"))
"""Return the attributes of a member in the head."""


def membership_to_item(member: Member) -> Item:
    """Return the item that puts a board into the list of its member's boards."""
    return keys.membership_key(member.user_id, member.board_id) | {"created_at": to_timestamp(member.created_at)}


# Labels


_label_from_attributes: Callable[[str, str, Item], Label] = compile_reader(
    Label, ("label_id", "board_id", "item"), {"id": "label_id", "board_id": "board_id"}
)

label_attributes: Callable[[Label], Item] = compile_writer(Label, ("id", "board_id"))
"""Return the attributes of a label in the head."""


# Lists


list_from_attributes: Callable[[str, str, Item], List] = compile_reader(
    List, ("list_id", "board_id", "item"), {"id": "list_id", "board_id": "board_id"}
)
"""Return the list of attributes in the head, or in the item of a deleted list."""

list_attributes: Callable[[List], Item] = compile_writer(List, ("id", "board_id"))
"""Return the attributes of a list in the head; its counters there are those of the time when it was written."""


def counters_attribute(list_: List) -> Item:
    """Return the attribute of a list's counters in the tip: how many cards it has, and the bounds of their ranks."""
    return to_string(f"{list_.card_count} {list_.first_rank} {list_.last_rank}")


def _with_counters(list_: List, counters: str) -> List:
    card_count, first_rank, last_rank = counters.split(" ")
    return replace(list_, card_count=int(card_count), first_rank=first_rank, last_rank=last_rank)


def deleted_list_to_item(list_: List) -> Item:
    """Return the item of a list that is no longer in its board's head."""
    return keys.list_key(list_.board_id, list_.id) | list_attributes(list_)


def deleted_list_from_item(item: Item) -> List:
    """Return the deleted list in an item."""
    return list_from_attributes(item["sk"]["S"][2:], item["pk"]["S"][2:], item)
