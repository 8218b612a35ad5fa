"""A board's head: the board with its live lists, its members and its labels, in one item."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kanban.fields import describe
from kanban.values import Board, CardRank, Label, List, Member, Role
from kanban.views import BoardView
from stores.dynamodb import keys
from stores.dynamodb.attributes import compile_reader, compile_writer, get_number, to_string, to_timestamp
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
    """A board with all that every read and write of it needs, in one item, so that it is always of one moment.

    `members` are by user. `last` is where the last write put cards.
    """

    board: Board
    members: Mapping[str, Member]
    labels: tuple[Label, ...]
    lists: tuple[List, ...]
    last_ranks: tuple[CardRank, ...]
    hold: Hold

    def is_visible_to(self, user_id: str) -> bool:
        """Whether the board is live and that user is a member."""
        return self.board.deleted_at is None and user_id in self.members

    def live_view_for(self, user_id: str) -> BoardView | None:
        """The live board as that member sees it; None for everybody else."""
        return None if self.board.deleted_at is not None else self.view_for(user_id)

    def view_for(self, user_id: str) -> BoardView | None:
        """The board as that member sees it, also when it is deleted; None for everybody else."""
        place = self.members.get(user_id)
        if place is None:
            return None
        members = tuple(sorted(self.members.values(), key=lambda each: each.id))
        return BoardView(self.board, place.role, self.lists, members=members, labels=self.labels)

    def has_list(self, list_id: str) -> bool:
        """Whether the board has that live list."""
        return any(each.id == list_id for each in self.lists)


def head_from_item(item: Item) -> BoardHead:
    """From an item."""
    board = board_from_item(item)
    lists = [list_from_attributes(list_id, board.id, each["M"]) for list_id, each in item["lists"]["M"].items()]
    lists.sort(key=lambda each: each.rank)
    labels = [_label_from_attributes(label_id, board.id, each["M"]) for label_id, each in item["labels"]["M"].items()]
    labels.sort(key=lambda each: each.id)
    return BoardHead(
        board,
        {
            user_id: _member_from_attributes(user_id, board.id, each["M"])
            for user_id, each in item["members"]["M"].items()
        },
        tuple(labels),
        tuple(lists),
        tuple(CardRank(*each.split("#")) for each in item["last"]["S"].split()),
        Hold(get_number(item, "held_until") or 0, get_number(item, "rests_until") or 0),
    )


def new_head_item(board: Board, lists: Iterable[List], members: Iterable[Member], labels: Iterable[Label]) -> Item:
    """For the table: the head of a board that was not there before."""
    return (
        keys.head_key(board.id)
        | board_attributes(board)
        | {
            "lists": {"M": {each.id: {"M": list_attributes(each)} for each in lists}},
            "members": {"M": {each.user_id: {"M": member_attributes(each)} for each in members}},
            "labels": {"M": {each.id: {"M": label_attributes(each)} for each in labels}},
            "last": to_string(""),
        }
    )


def last_ranks_attribute(card_ranks: Iterable[CardRank]) -> Item:
    """For `Head.last`."""
    return to_string(" ".join(f"{each.card_id}#{each.list_id}#{each.rank}" for each in card_ranks))


# The board itself


board_from_item: Callable[[Item], Board] = compile_reader(Board, ("item",), {"id": "item['pk']['S'][2:]"})
"""Return the board of a head."""

board_attributes: Callable[[Board], Item] = compile_writer(Board, ("id",))
"""Return what a head says of the board itself."""

OPTIONAL_BOARD_ATTRIBUTES = tuple(field.name for field in describe(Board) if field.is_optional)
"""The attributes that a head only has if the board's field is not None."""


# Members


def role_from_item(item: Item, user_id: str) -> Role | None:
    """The role that a head gives to a user; a part of the head will do."""
    members = item.get("members")
    attribute = members["M"].get(user_id) if members else None
    return Role(attribute["M"]["role"]["S"]) if attribute else None


_member_from_attributes: Callable[[str, str, Item], Member] = compile_reader(
    Member, ("user_id", "board_id", "item"), {"user_id": "user_id", "board_id": "board_id"}
)

member_attributes: Callable[[Member], Item] = compile_writer(Member, ("board_id", "user_id"))
"""Return what a head says of a member."""


def membership_to_item(member: Member) -> Item:
    """For the user's list of boards."""
    return keys.membership_key(member.user_id, member.board_id) | {"created_at": to_timestamp(member.created_at)}


# Labels


_label_from_attributes: Callable[[str, str, Item], Label] = compile_reader(
    Label, ("label_id", "board_id", "item"), {"id": "label_id", "board_id": "board_id"}
)

label_attributes: Callable[[Label], Item] = compile_writer(Label, ("id", "board_id"))
"""Return what a head says of a label."""


# Lists


list_from_attributes: Callable[[str, str, Item], List] = compile_reader(
    List, ("list_id", "board_id", "item"), {"id": "list_id", "board_id": "board_id"}
)
"""Return the list of a head, or of the item of a deleted list."""

list_attributes: Callable[[List], Item] = compile_writer(List, ("id", "board_id"))
"""Return what a head says of a list."""


def deleted_list_to_item(list_: List) -> Item:
    """For the table: a list that is no longer in its board's head."""
    return keys.list_key(list_.board_id, list_.id) | list_attributes(list_)
