"""Read a whole table for a backup, while it is in use.

A scan reads all but what is on boards. Each board is read by itself, and again if it was written to meanwhile, so it is
as of one moment; boards and users are not of the same one. What interrupted writes and purges have left behind, and
what only leads to other items, is left out.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kanban.store import StoreError
from kanban.values import Card, Checklist, Comment, TimeEntry, User, WebhookDelivery
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_string
from stores.dynamodb.audit_log import audit_entry_from_item
from stores.dynamodb.board_items import BoardHead, deleted_list_from_item
from stores.dynamodb.card_items import assignee_users_from_item, card_from_item, part_from_item
from stores.dynamodb.client import RetryingClient
from stores.dynamodb.event_items import event_from_item, stored_response_from_item
from stores.dynamodb.flow_segments import segment_from_item
from stores.dynamodb.invitations import invitation_from_item
from stores.dynamodb.jobs import job_from_item
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import MAX_BATCH_KEYS, TableReader
from stores.dynamodb.user_items import code_from_item, identity_from_item, token_from_item, user_from_item
from stores.dynamodb.webhook_items import delivery_from_item, reader_from_item, webhook_from_item
from stores.whole_store import AssignedCard, Setting, StoredValue, WholeBoard

_PAGE_SIZE = 1_000

_SETTING_ATTRIBUTES = {"secret": "value", "owner": "user_id"}


def _setting_from_item(item: Item) -> Setting:
    name = item["sk"]["S"]
    if name not in _SETTING_ATTRIBUTES:
        raise UnknownItem(f"S {name}")
    return Setting(name, item[_SETTING_ATTRIBUTES[name]]["S"])


_Parser = Callable[[Item], StoredValue]

_OUTSIDE_BOARDS: Mapping[str, _Parser | None] = {
    "U# U": user_from_item,
    "U# K#": token_from_item,
    "U# I#": stored_response_from_item,
    "U# Y#": job_from_item,
    "G# G": code_from_item,
    "H# H": identity_from_item,
    "J": invitation_from_item,
    "A": audit_entry_from_item,
    "S": _setting_from_item,
    # What lists other items, leads to them, or can be computed from them; and how much callers have used.
    **dict.fromkeys(("U# B#", "U# A#", "U# X#", "U# G#", "U# H#", "U# J#", "J# J", "T# T", "L# L")),
    **dict.fromkeys(("D", "F", "R", "O", "U", "Y")),
}
"""How an item that is not on a board becomes a value, by the beginnings of its keys; None if it is not moved."""

_ON_BOARD: Mapping[str, _Parser | None] = {
    "C#": lambda item: AssignedCard(card_from_item(item), assignee_users_from_item(item)),
    "E#": event_from_item,
    "F#": segment_from_item,
    "P#": part_from_item,
    "J#": invitation_from_item,
    "R#": reader_from_item,
    "V#": delivery_from_item,
    "W#": webhook_from_item,
    # Those that are read before, and what can be computed from others.
    **dict.fromkeys(("E$", "L#", "N#", "X#")),
}
"""How an item that is on a board becomes a value, by the beginning of its sort key; None if it is not moved as such."""


class UnknownItem(StoreError):
    """Raised when an item is of a kind that this version of Tackboard doesn't know."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"The table has items that this Tackboard doesn't know ('{kind}').")


class TableCopy:
    """Reads all that is in one table."""

    def __init__(self, client: RetryingClient, table: str) -> None:
        self._client = client
        self._table = table
        self._reader = TableReader(client, table)

    def read_outside_boards(self, on_board: Callable[[str], None]) -> Iterator[StoredValue]:
        """Yield all that is not on a board, and call `on_board` with the id of every board. Raises UnknownItem."""
        for item in self._scan():
            partition, sort_key = item["pk"]["S"], item["sk"]["S"]
            if partition.startswith("B#"):
                on_board(partition[2:])
                continue
            # A partition of one kind of things has a name without a number sign.
            kind = f"{_kind_of(partition)} {_kind_of(sort_key)}" if "#" in partition else partition
            parse = _find_parser(_OUTSIDE_BOARDS, kind)
            if parse is not None:
                yield parse(item)

    def read_board(self, board_id: str, take: Callable[[Iterator[StoredValue]], None]) -> bool:
        """Call `take` with all that is on a board, and again, until nobody has written to the board meanwhile.

        Return whether what it got last is the whole board; if not, there is none. Raises Busy when others write to the
        board all the time, and UnknownItem.
        """
        head = self._reader.get_unmixed_head(board_id)
        attempts = self._reader.start_attempts(board_id)
        while head is not None:
            take(self._read_contents(head))
            current = self._reader.get_unmixed_head(board_id)
            if current is not None and current.board.seq == head.board.seq:
                return True
            head = attempts.start_next(current) if current else None
        return False

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def read_users(self, user_ids: Sequence[str]) -> Iterator[User]:
        """Yield those of these users who exist."""
        for start in range(0, len(user_ids), MAX_BATCH_KEYS):
            user_keys = [keys.user_key(user_id) for user_id in user_ids[start : start + MAX_BATCH_KEYS]]
            yield from map(user_from_item, self._reader.batch_get(user_keys))

    def _scan(self) -> Iterator[Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            # What is on a board is read by itself: here it only costs.
            "FilterExpression": "NOT begins_with(#pk, :board) OR #sk = :head",
            "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
            "ExpressionAttributeValues": {":board": to_string("B#"), ":head": to_string(keys.HEAD_SORT_KEY)},
        }
        while True:
            response = self._client("scan", **request)
            yield from response["Items"]
            if "LastEvaluatedKey" not in response:
                return
            request["ExclusiveStartKey"] = response["LastEvaluatedKey"]

    def _read_contents(self, head: BoardHead) -> Iterator[StoredValue]:
        """Yield what is on a board: the board first, a card before its parts, nothing of what is being erased."""
        board_id = head.board.id
        query = self._reader.board_query(board_id)
        deleted_lists = map(deleted_list_from_item, query("L#", "L$", page_size=_PAGE_SIZE))
        board = WholeBoard(head.board, (*head.lists, *deleted_lists), (*head.members.values(),), head.labels)
        yield board
        webhook_ids = {item["sk"]["S"][2:] for item in query("W#", "W$", page_size=_PAGE_SIZE)}
        list_ids = {list_.id for list_ in board.lists}
        known_ids = {label.id for label in board.labels} | {member.id for member in board.members}
        card_ids: set[str] = set()
        for item in query(" ", "~", page_size=_PAGE_SIZE):
            kind = _kind_of(item["sk"]["S"])
            parse = _find_parser(_ON_BOARD, kind) if item["sk"]["S"] != keys.TIP_SORT_KEY else None
            value = parse(item) if parse else None
            match value:
                case None:
                    continue
                case AssignedCard(card=card):
                    if card.list_id not in list_ids:
                        continue
                    card_ids.add(card.id)
                    value = AssignedCard(_keep_known(card, known_ids), value.assignee_users)
                case TimeEntry() | Checklist() | Comment():
                    if value.card_id not in card_ids:
                        continue
                case WebhookDelivery():
                    if value.webhook_id not in webhook_ids:
                        continue
            yield value


def _keep_known(card: Card, known_ids: Collection[str]) -> Card:
    """Return the card without labels and memberships that its board no longer has: they were not erased from it."""
    return replace(
        card,
        label_ids=tuple(label_id for label_id in card.label_ids if label_id in known_ids),
        assignee_ids=tuple(member_id for member_id in card.assignee_ids if member_id in known_ids),
    )


def _kind_of(key: str) -> str:
    """Return the beginning of a key that says what kind of thing it is of."""
    return key[: key.index("#") + 1] if "#" in key else key


def _find_parser(parsers: Mapping[str, _Parser | None], kind: str) -> _Parser | None:
    try:
        return parsers[kind]
    except KeyError:
        raise UnknownItem(kind) from None
