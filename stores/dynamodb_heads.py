"""A board's head: the board with its live lists, its members and its labels, in one item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kanban.values import Board, BoardView, CardRank, Color, Enforcement, Label, List, Member, Role, Stage
from stores import dynamodb_keys as keys
from stores.dynamodb_attributes import (
    moment,
    moment_from,
    moment_of,
    number,
    number_of,
    optional_moment,
    optional_number,
    optional_text,
    present,
    text,
    text_of,
)
from stores.dynamodb_keys import Item

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
    rests_until: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """A board with all that every read and write of it needs, in one item, so that it is always of one moment.

    `members` are by user. `last` is where the last write put cards.
    """

    board: Board
    members: Mapping[str, Member]
    labels: tuple[Label, ...]
    lists: tuple[List, ...]
    last: tuple[CardRank, ...]
    hold: Hold

    def is_open_to(self, user_id: str) -> bool:
        """Whether the board is live and that user is a member."""
        return self.board.deleted_at is None and user_id in self.members

    def seen_by(self, user_id: str) -> BoardView | None:
        """The live board as that member sees it; None for everybody else."""
        return None if self.board.deleted_at is not None else self.shown_to(user_id)

    def shown_to(self, user_id: str) -> BoardView | None:
        """The board as that member sees it, also when it is deleted; None for everybody else."""
        place = self.members.get(user_id)
        if place is None:
            return None
        members = tuple(sorted(self.members.values(), key=lambda each: each.id))
        return BoardView(self.board, place.role, self.lists, members=members, labels=self.labels)

    def has_list(self, list_id: str) -> bool:
        """Whether the board has that live list."""
        return any(each.id == list_id for each in self.lists)


def head_of(item: Item) -> Head:
    """From an item."""
    board = board_of(item)
    lists = [list_of(list_id, board.id, each["M"]) for list_id, each in item["lists"]["M"].items()]
    lists.sort(key=lambda each: each.rank)
    labels = [_label_of(label_id, board.id, each["M"]) for label_id, each in item["labels"]["M"].items()]
    labels.sort(key=lambda each: each.id)
    return Head(
        board,
        {user_id: _member_of(user_id, board.id, each["M"]) for user_id, each in item["members"]["M"].items()},
        tuple(labels),
        tuple(lists),
        tuple(CardRank(*each.split("#")) for each in item["last"]["S"].split()),
        Hold(number_of(item, "held_until") or 0, number_of(item, "rests_until") or 0),
    )


def new_head(board: Board, lists: Iterable[List], members: Iterable[Member], labels: Iterable[Label]) -> Item:
    """For the table: the head of a board that was not there before."""
    return (
        keys.head_key(board.id)
        | board_attributes(board)
        | {
            "lists": {"M": {each.id: {"M": list_attributes(each)} for each in lists}},
            "members": {"M": {each.user_id: {"M": member_attributes(each)} for each in members}},
            "labels": {"M": {each.id: {"M": label_attributes(each)} for each in labels}},
            "last": text(""),
        }
    )


def last_attribute(written: Iterable[CardRank]) -> Item:
    """For `Head.last`."""
    return text(" ".join(f"{each.card_id}#{each.list_id}#{each.rank}" for each in written))


# The board itself


def board_of(item: Item) -> Board:
    """From a head."""
    return Board(
        id=item["pk"]["S"][2:],
        name=item["name"]["S"],
        description=item["description"]["S"],
        currency=item["currency"]["S"],
        hourly_rate_minor=int(item["hourly_rate_minor"]["N"]),
        external_id=text_of(item, "external_id"),
        created_by=item["created_by"]["S"],
        seq=int(item["seq"]["N"]),
        version=int(item["version"]["N"]),
        created_at=moment_from(item["created_at"]["S"]),
        updated_at=moment_from(item["updated_at"]["S"]),
        archived_at=moment_of(item, "archived_at"),
        deleted_at=moment_of(item, "deleted_at"),
    )


BOARD_OPTIONS = ("external_id", "archived_at", "deleted_at")
"""What a head says of a board only if there is something to say."""


def board_attributes(board: Board) -> Item:
    """What a head says of the board itself."""
    return present(
        name=text(board.name),
        description=text(board.description),
        currency=text(board.currency),
        hourly_rate_minor=number(board.hourly_rate_minor),
        external_id=optional_text(board.external_id),
        created_by=text(board.created_by),
        seq=number(board.seq),
        version=number(board.version),
        created_at=moment(board.created_at),
        updated_at=moment(board.updated_at),
        archived_at=optional_moment(board.archived_at),
        deleted_at=optional_moment(board.deleted_at),
    )


# Members


def role_of(item: Item, user_id: str) -> Role | None:
    """The role that a head gives to a user; a part of the head will do."""
    members = item.get("members")
    attribute = members["M"].get(user_id) if members else None
    return _ROLES[attribute["M"]["role"]["S"]] if attribute else None


def _member_of(user_id: str, board_id: str, item: Item) -> Member:
    return Member(
        id=item["id"]["S"],
        board_id=board_id,
        user_id=user_id,
        role=_ROLES[item["role"]["S"]],
        version=int(item["version"]["N"]),
        created_at=moment_from(item["created_at"]["S"]),
        updated_at=moment_from(item["updated_at"]["S"]),
    )


def member_attributes(member: Member) -> Item:
    """What a head says of a member."""
    return {
        "id": text(member.id),
        "role": text(member.role),
        "version": number(member.version),
        "created_at": moment(member.created_at),
        "updated_at": moment(member.updated_at),
    }


def membership_item(member: Member) -> Item:
    """For the user's list of boards."""
    return keys.membership_key(member.user_id, member.board_id) | {"created_at": moment(member.created_at)}


# Labels


def _label_of(label_id: str, board_id: str, item: Item) -> Label:
    return Label(
        id=label_id,
        board_id=board_id,
        name=item["name"]["S"],
        color=_COLORS[item["color"]["S"]],
        version=int(item["version"]["N"]),
        created_at=moment_from(item["created_at"]["S"]),
        updated_at=moment_from(item["updated_at"]["S"]),
    )


def label_attributes(label: Label) -> Item:
    """What a head says of a label."""
    return {
        "name": text(label.name),
        "color": text(label.color),
        "version": number(label.version),
        "created_at": moment(label.created_at),
        "updated_at": moment(label.updated_at),
    }


# Lists


def list_of(list_id: str, board_id: str, item: Item) -> List:
    """From a head, or from the item of a deleted list."""
    return List(
        id=list_id,
        board_id=board_id,
        name=item["name"]["S"],
        stage=_STAGES[item["stage"]["S"]],
        rank=item["rank"]["S"],
        wip_limit=number_of(item, "wip_limit"),
        wip_enforcement=_ENFORCEMENTS[item["wip_enforcement"]["S"]],
        external_id=text_of(item, "external_id"),
        card_count=int(item["card_count"]["N"]),
        first_rank=item["first_rank"]["S"],
        last_rank=item["last_rank"]["S"],
        version=int(item["version"]["N"]),
        created_at=moment_from(item["created_at"]["S"]),
        updated_at=moment_from(item["updated_at"]["S"]),
        archived_at=moment_of(item, "archived_at"),
        deleted_at=moment_of(item, "deleted_at"),
    )


def list_attributes(value: List) -> Item:
    """What a head says of a list."""
    return present(
        name=text(value.name),
        stage=text(value.stage),
        rank=text(value.rank),
        wip_limit=optional_number(value.wip_limit),
        wip_enforcement=text(value.wip_enforcement),
        external_id=optional_text(value.external_id),
        card_count=number(value.card_count),
        first_rank=text(value.first_rank),
        last_rank=text(value.last_rank),
        version=number(value.version),
        created_at=moment(value.created_at),
        updated_at=moment(value.updated_at),
        archived_at=optional_moment(value.archived_at),
        deleted_at=optional_moment(value.deleted_at),
    )


def deleted_list_item(value: List) -> Item:
    """For the table: a list that is no longer in its board's head."""
    return keys.list_key(value.board_id, value.id) | list_attributes(value)
