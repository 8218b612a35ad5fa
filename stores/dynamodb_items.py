"""Items and values: what stands in the table, and what it means. Moments and documents travel as text."""

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from kanban.text import searchable
from kanban.values import (
    Board,
    BoardView,
    Card,
    Enforcement,
    Event,
    List,
    Member,
    Remembered,
    Role,
    Scope,
    Stage,
    TimeEntry,
    Token,
    User,
)
from stores import dynamodb_keys as keys
from stores.dynamodb_keys import Item

_moment = datetime.fromisoformat

# Looking a word up is several times faster than calling the enumeration, and pages hold many.
_ROLES = {str(role): role for role in Role}
_SCOPES = {str(scope): scope for scope in Scope}
_STAGES = {str(stage): stage for stage in Stage}
_ENFORCEMENTS = {str(enforcement): enforcement for enforcement in Enforcement}


@dataclass(frozen=True, slots=True)
class Head:
    """A board with all that every read and write of it needs, in one item, so that it is always of one moment.

    `names` tells which list claims an external id. `last` is where the last write put cards.
    """

    board: Board
    roles: Mapping[str, Role]
    lists: tuple[List, ...]
    names: Mapping[str, str]
    last: "tuple[Placed, ...]"

    def seen_by(self, user_id: str) -> BoardView | None:
        """The live board as that member sees it; None for everybody else."""
        role = self.roles.get(user_id)
        if role is None or self.board.deleted_at is not None:
            return None
        return BoardView(self.board, role, self.lists)


@dataclass(frozen=True, slots=True)
class Placed:
    """A card and its place."""

    card_id: str
    list_id: str
    rank: str


# Attributes


def text(value: str) -> Item:
    """A string, for DynamoDB."""
    return {"S": value}


def number(value: int) -> Item:
    """A number, for DynamoDB."""
    return {"N": str(value)}


def moment(at: datetime) -> Item:
    """A moment, for DynamoDB."""
    return {"S": at.isoformat()[:19] + "Z"}


def _present(**attributes: Item | None) -> Item:
    return {name: value for name, value in attributes.items() if value is not None}


def _optional_text(value: str | None) -> Item | None:
    return None if value is None else {"S": value}


def _optional_moment(value: datetime | None) -> Item | None:
    return None if value is None else moment(value)


def _text_of(item: Item, name: str) -> str | None:
    attribute = item.get(name)
    return attribute["S"] if attribute else None


def _moment_of(item: Item, name: str) -> datetime | None:
    attribute = item.get(name)
    return _moment(attribute["S"]) if attribute else None


# People


def user_of(item: Item) -> User:
    """From an item."""
    return User(
        item["pk"]["S"][2:],
        item["name"]["S"],
        int(item["version"]["N"]),
        _moment(item["created_at"]["S"]),
        _moment(item["updated_at"]["S"]),
    )


def user_item(user: User) -> Item:
    """For the table."""
    return keys.user_key(user.id) | {
        "name": text(user.name),
        "version": number(user.version),
        "created_at": moment(user.created_at),
        "updated_at": moment(user.updated_at),
    }


def token_of(item: Item) -> Token:
    """From an item."""
    return Token(
        item["sk"]["S"][2:],
        item["pk"]["S"][2:],
        item["name"]["S"],
        item["digest"]["S"],
        tuple(_SCOPES[word] for word in item["scopes"]["S"].split()),
        int(item["version"]["N"]),
        _moment(item["created_at"]["S"]),
        _moment_of(item, "expires_at"),
        _moment_of(item, "last_used_at"),
        _moment_of(item, "revoked_at"),
    )


def token_item(token: Token) -> Item:
    """For the table."""
    return keys.token_key(token.user_id, token.id) | _present(
        name=text(token.name),
        digest=text(token.digest),
        scopes=text(" ".join(token.scopes)),
        version=number(token.version),
        created_at=moment(token.created_at),
        expires_at=_optional_moment(token.expires_at),
        last_used_at=_optional_moment(token.last_used_at),
        revoked_at=_optional_moment(token.revoked_at),
    )


# Boards


def board_of(item: Item) -> Board:
    """From a head."""
    return Board(
        item["pk"]["S"][2:],
        item["name"]["S"],
        item["description"]["S"],
        item["currency"]["S"],
        int(item["hourly_rate_minor"]["N"]),
        int(item["seq"]["N"]),
        int(item["version"]["N"]),
        _moment(item["created_at"]["S"]),
        _moment(item["updated_at"]["S"]),
        _moment_of(item, "deleted_at"),
    )


def board_attributes(board: Board) -> Item:
    """What a head says of the board itself."""
    return _present(
        name=text(board.name),
        description=text(board.description),
        currency=text(board.currency),
        hourly_rate_minor=number(board.hourly_rate_minor),
        seq=number(board.seq),
        version=number(board.version),
        created_at=moment(board.created_at),
        updated_at=moment(board.updated_at),
        deleted_at=_optional_moment(board.deleted_at),
    )


def role_of(item: Item, user_id: str) -> Role | None:
    """The role that a head gives to a user; a part of the head will do."""
    members = item.get("members")
    attribute = members["M"].get(user_id) if members else None
    return _ROLES[attribute["S"]] if attribute else None


def head_of(item: Item) -> Head:
    """From an item."""
    board = board_of(item)
    lists = [_list_of(list_id, board.id, each["M"]) for list_id, each in item["lists"]["M"].items()]
    lists.sort(key=lambda each: each.rank)
    return Head(
        board,
        {user_id: _ROLES[role["S"]] for user_id, role in item["members"]["M"].items()},
        tuple(lists),
        {external_id: claimant["S"] for external_id, claimant in item["names"]["M"].items()},
        tuple(Placed(*each.split("#")) for each in item["last"]["S"].split()),
    )


def last_attribute(written: Iterable[Placed]) -> Item:
    """For `Head.last`."""
    return text(" ".join(f"{each.card_id}#{each.list_id}#{each.rank}" for each in written))


def membership_item(member: Member) -> Item:
    """For the user's list of boards."""
    return keys.key(f"U#{member.user_id}", f"B#{member.board_id}") | {"created_at": moment(member.created_at)}


def _list_of(list_id: str, board_id: str, item: Item) -> List:
    limit = item.get("wip_limit")
    return List(
        list_id,
        board_id,
        item["name"]["S"],
        _STAGES[item["stage"]["S"]],
        item["rank"]["S"],
        int(limit["N"]) if limit else None,
        _ENFORCEMENTS[item["wip_enforcement"]["S"]],
        _text_of(item, "external_id"),
        int(item["card_count"]["N"]),
        item["first_rank"]["S"],
        item["last_rank"]["S"],
        int(item["version"]["N"]),
        _moment(item["created_at"]["S"]),
        _moment(item["updated_at"]["S"]),
        _moment_of(item, "deleted_at"),
    )


def list_attributes(value: List) -> Item:
    """What a head says of a list."""
    return _present(
        name=text(value.name),
        stage=text(value.stage),
        rank=text(value.rank),
        wip_limit=None if value.wip_limit is None else number(value.wip_limit),
        wip_enforcement=text(value.wip_enforcement),
        external_id=_optional_text(value.external_id),
        card_count=number(value.card_count),
        first_rank=text(value.first_rank),
        last_rank=text(value.last_rank),
        version=number(value.version),
        created_at=moment(value.created_at),
        updated_at=moment(value.updated_at),
        deleted_at=_optional_moment(value.deleted_at),
    )


def deleted_list_item(value: List) -> Item:
    """For the table: a list that is no longer in its board's head."""
    return keys.key(f"B#{value.board_id}", f"L#{value.id}") | list_attributes(value)


# Cards


def card_of(item: Item) -> Card:
    """From an item."""
    card_id = item["sk"]["S"][2:]
    board_id = item["pk"]["S"][2:]
    running = item.get("running")
    return Card(
        card_id,
        board_id,
        item["list_id"]["S"],
        item["title"]["S"],
        item["description"]["S"],
        _text_of(item, "external_id"),
        item["rank"]["S"],
        _moment_of(item, "started_at"),
        _moment_of(item, "resolved_at"),
        int(item["tracked_seconds"]["N"]),
        int(item["tracked_cost"]["N"]),
        _entry_of(running["M"]["id"]["S"], board_id, card_id, running["M"]) if running else None,
        int(item["version"]["N"]),
        _moment(item["created_at"]["S"]),
        _moment(item["updated_at"]["S"]),
        _moment_of(item, "deleted_at"),
    )


def card_item(card: Card) -> Item:
    """For the table, with what the card is found by."""
    updated_at = keys.moment_text(card.updated_at)
    return keys.card_key(card.board_id, card.id) | _present(
        list_id=text(card.list_id),
        title=text(card.title),
        description=text(card.description),
        external_id=_optional_text(card.external_id),
        rank=text(card.rank),
        started_at=_optional_moment(card.started_at),
        resolved_at=_optional_moment(card.resolved_at),
        tracked_seconds=number(card.tracked_seconds),
        tracked_cost=number(card.tracked_cost),
        running=None if card.running is None else running_attribute(card.running),
        version=number(card.version),
        created_at=moment(card.created_at),
        updated_at=text(updated_at),
        deleted_at=_optional_moment(card.deleted_at),
        search=text(searchable(card.title, card.description)),
        place=text(keys.place(card.list_id, card.rank)),
        recent=None if card.deleted_at else text(keys.recent(updated_at, card.id)),
    )


def running_attribute(entry: TimeEntry) -> Item:
    """The open time entry, as it stands in its card."""
    return {"M": {"id": text(entry.id), **_entry_attributes(entry)}}


def placed_of(item: Item) -> Placed:
    """Where a card is, from its item."""
    return Placed(item["sk"]["S"][2:], item["list_id"]["S"], item["rank"]["S"])


def is_deleted(item: Item) -> bool:
    """Whether the thing of that item is deleted."""
    return "deleted_at" in item


def time_entry_of(item: Item) -> TimeEntry:
    """From an item."""
    card_id, _, entry_id = item["sk"]["S"][2:].partition("#")
    return _entry_of(entry_id, item["pk"]["S"][2:], card_id, item)


def time_entry_item(entry: TimeEntry, seq: int) -> Item:
    """For the table; `seq` is the event's that wrote it."""
    attributes = _entry_attributes(entry)
    return keys.key(f"B#{entry.board_id}", f"T#{entry.card_id}#{entry.id}") | attributes | {"seq": number(seq)}


def _entry_of(entry_id: str, board_id: str, card_id: str, item: Item) -> TimeEntry:
    return TimeEntry(
        entry_id,
        board_id,
        card_id,
        _moment(item["started_at"]["S"]),
        _moment_of(item, "ended_at"),
        int(item["rate_minor"]["N"]),
        int(item["version"]["N"]),
    )


def _entry_attributes(entry: TimeEntry) -> Item:
    return _present(
        started_at=moment(entry.started_at),
        ended_at=_optional_moment(entry.ended_at),
        rate_minor=number(entry.rate_minor),
        version=number(entry.version),
    )


# Events and answers


def event_of(item: Item) -> Event:
    """From an item."""
    return Event(
        item["pk"]["S"][2:],
        int(item["sk"]["S"][2:]),
        item["type"]["S"],
        _moment(item["at"]["S"]),
        item["actor_id"]["S"],
        _text_of(item, "list_id"),
        _text_of(item, "card_id"),
        json.loads(item["data"]["S"]),
    )


def event_item(event: Event) -> Item:
    """For the table."""
    return keys.key(f"B#{event.board_id}", keys.event_sk(event.seq)) | _present(
        type=text(event.type),
        at=moment(event.at),
        actor_id=text(event.actor_id),
        list_id=_optional_text(event.list_id),
        card_id=_optional_text(event.card_id),
        data=text(json.dumps(dict(event.data), ensure_ascii=False)),
    )


def remembered_of(item: Item) -> Remembered:
    """From an item."""
    operation_id, _, idempotency_key = item["sk"]["S"][2:].partition("#")
    return Remembered(
        key=idempotency_key,
        user_id=item["pk"]["S"][2:],
        operation_id=operation_id,
        fingerprint=item["fingerprint"]["S"],
        status=int(item["status"]["N"]),
        headers=tuple((name, value) for name, value in json.loads(item["headers"]["S"])),
        body=b64decode(item["body"]["B"]),
        created_at=_moment(item["created_at"]["S"]),
        expires_at=_moment(item["expires_at"]["S"]),
    )


def remembered_item(record: Remembered) -> Item:
    """For the table. DynamoDB removes it some time after `expires`, the seconds of `expires_at` since 1970."""
    return keys.record_key(record.user_id, record.operation_id, record.key) | {
        "fingerprint": text(record.fingerprint),
        "status": number(record.status),
        "headers": text(json.dumps(record.headers, ensure_ascii=False)),
        "body": {"B": record.body},
        "created_at": moment(record.created_at),
        "expires_at": moment(record.expires_at),
        "expires": number(int(record.expires_at.timestamp())),
    }
