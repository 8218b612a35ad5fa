"""A board's head: the board with its live lists, its members and its labels, in one item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kanban.values import Board, CardRank, Color, Enforcement, Label, List, Member, Role, Stage
from kanban.views import BoardView
from stores.dynamodb import keys
from stores.dynamodb.attributes import (
    drop_missing,
    get_number,
    get_string,
    get_timestamp,
    parse_timestamp,
    to_number,
    to_optional_number,
    to_optional_string,
    to_optional_timestamp,
    to_string,
    to_timestamp,
)
from stores.dynamodb.keys import Item

# Looking a word up is several times faster than calling the enumeration, and pages hold many.
_ROLES = {str(role): role for role in Role}
_STAGES = {str(stage): stage for stage in Stage}
_ENFORCEMENTS = {str(enforcement): enforcement for enforcement in Enforcement}
_COLORS = {str(color): color for color in Color}


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


def board_from_item(item: Item) -> Board:
    """From a head."""
    return Board(
        id=item["pk"]["S"][2:],
        name=item["name"]["S"],
        description=item["description"]["S"],
        currency=item["currency"]["S"],
        hourly_rate_minor=int(item["hourly_rate_minor"]["N"]),
        external_id=get_string(item, "external_id"),
        created_by=item["created_by"]["S"],
        seq=int(item["seq"]["N"]),
        version=int(item["version"]["N"]),
        created_at=parse_timestamp(item["created_at"]["S"]),
        updated_at=parse_timestamp(item["updated_at"]["S"]),
        archived_at=get_timestamp(item, "archived_at"),
        deleted_at=get_timestamp(item, "deleted_at"),
    )


OPTIONAL_BOARD_ATTRIBUTES = ("external_id", "archived_at", "deleted_at")
"""What a head says of a board only if there is something to say."""


def board_attributes(board: Board) -> Item:
    """What a head says of the board itself."""
    return drop_missing(
        name=to_string(board.name),
        description=to_string(board.description),
        currency=to_string(board.currency),
        hourly_rate_minor=to_number(board.hourly_rate_minor),
        external_id=to_optional_string(board.external_id),
        created_by=to_string(board.created_by),
        seq=to_number(board.seq),
        version=to_number(board.version),
        created_at=to_timestamp(board.created_at),
        updated_at=to_timestamp(board.updated_at),
        archived_at=to_optional_timestamp(board.archived_at),
        deleted_at=to_optional_timestamp(board.deleted_at),
    )


# Members


def role_from_item(item: Item, user_id: str) -> Role | None:
    """The role that a head gives to a user; a part of the head will do."""
    members = item.get("members")
    attribute = members["M"].get(user_id) if members else None
    return _ROLES[attribute["M"]["role"]["S"]] if attribute else None


def _member_from_attributes(user_id: str, board_id: str, item: Item) -> Member:
    return Member(
        id=item["id"]["S"],
        board_id=board_id,
        user_id=user_id,
        role=_ROLES[item["role"]["S"]],
        version=int(item["version"]["N"]),
        created_at=parse_timestamp(item["created_at"]["S"]),
        updated_at=parse_timestamp(item["updated_at"]["S"]),
    )


def member_attributes(member: Member) -> Item:
    """What a head says of a member."""
    return {
        "id": to_string(member.id),
        "role": to_string(member.role),
        "version": to_number(member.version),
        "created_at": to_timestamp(member.created_at),
        "updated_at": to_timestamp(member.updated_at),
    }


def membership_to_item(member: Member) -> Item:
    """For the user's list of boards."""
    return keys.membership_key(member.user_id, member.board_id) | {"created_at": to_timestamp(member.created_at)}


# Labels


def _label_from_attributes(label_id: str, board_id: str, item: Item) -> Label:
    return Label(
        id=label_id,
        board_id=board_id,
        name=item["name"]["S"],
        color=_COLORS[item["color"]["S"]],
        version=int(item["version"]["N"]),
        created_at=parse_timestamp(item["created_at"]["S"]),
        updated_at=parse_timestamp(item["updated_at"]["S"]),
    )


def label_attributes(label: Label) -> Item:
    """What a head says of a label."""
    return {
        "name": to_string(label.name),
        "color": to_string(label.color),
        "version": to_number(label.version),
        "created_at": to_timestamp(label.created_at),
        "updated_at": to_timestamp(label.updated_at),
    }


# Lists


def list_from_attributes(list_id: str, board_id: str, item: Item) -> List:
    """From a head, or from the item of a deleted list."""
    return List(
        id=list_id,
        board_id=board_id,
        name=item["name"]["S"],
        stage=_STAGES[item["stage"]["S"]],
        rank=item["rank"]["S"],
        wip_limit=get_number(item, "wip_limit"),
        wip_enforcement=_ENFORCEMENTS[item["wip_enforcement"]["S"]],
        external_id=get_string(item, "external_id"),
        card_count=int(item["card_count"]["N"]),
        first_rank=item["first_rank"]["S"],
        last_rank=item["last_rank"]["S"],
        version=int(item["version"]["N"]),
        created_at=parse_timestamp(item["created_at"]["S"]),
        updated_at=parse_timestamp(item["updated_at"]["S"]),
        archived_at=get_timestamp(item, "archived_at"),
        deleted_at=get_timestamp(item, "deleted_at"),
    )


def list_attributes(list_: List) -> Item:
    """What a head says of a list."""
    return drop_missing(
        name=to_string(list_.name),
        stage=to_string(list_.stage),
        rank=to_string(list_.rank),
        wip_limit=to_optional_number(list_.wip_limit),
        wip_enforcement=to_string(list_.wip_enforcement),
        external_id=to_optional_string(list_.external_id),
        card_count=to_number(list_.card_count),
        first_rank=to_string(list_.first_rank),
        last_rank=to_string(list_.last_rank),
        version=to_number(list_.version),
        created_at=to_timestamp(list_.created_at),
        updated_at=to_timestamp(list_.updated_at),
        archived_at=to_optional_timestamp(list_.archived_at),
        deleted_at=to_optional_timestamp(list_.deleted_at),
    )


def deleted_list_to_item(list_: List) -> Item:
    """For the table: a list that is no longer in its board's head."""
    return keys.list_key(list_.board_id, list_.id) | list_attributes(list_)
