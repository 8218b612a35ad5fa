"""Boards as versions before 1.3 wrote them: all of a board is in its head, and it has no tip.

A store that makes every board one of these after every commit takes a board over with every write, and reads such heads
only: that is what the conformance suite runs on as `dynamodb-1.2`.
"""

from collections.abc import Callable
from typing import cast

from kanban.changes import Change
from kanban.store import StoredResponse
from stores import open_store
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.keys import Item, head_key, tip_key
from stores.dynamodb.store import DynamoStore

MOVED_TO_TIP = ("seq", "last", "held_until", "rests_until")


class StoreWithoutTips(DynamoStore):
    """A store on DynamoDB whose boards have no tips when a commit is over."""

    def __init__(self, url: str) -> None:
        """Open the table of that URL."""
        opened = cast("DynamoStore", open_store(url))
        super().__init__(opened._client, opened._table)  # noqa: SLF001  (what a URL opens has no other name)

    def commit(
        self,
        change: Change,
        response: StoredResponse | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Commit the change, and remove the tips of the boards that it writes to."""
        super().commit(change, response, progress)
        for event in (change.event, change.departure and change.departure.event):
            if event:
                remove_tip(self._client, self._table, event.board_id)


def remove_tip(client: RetryingClient, table: str, board_id: str) -> None:
    """Write the head of a board as it was before version 1.3, and delete its tip, if it has one."""
    while True:
        gets = [{"Get": {"TableName": table, "Key": key}} for key in (head_key(board_id), tip_key(board_id))]
        responses = client("transact_get_items", TransactItems=gets)["Responses"]
        head, tip = (response.get("Item") for response in responses)
        if head is None or tip is None:
            return
        put = {
            "TableName": table,
            "Item": head_without_tip(head, tip),
            "ConditionExpression": "head_seq = :head_seq",
            "ExpressionAttributeValues": {":head_seq": head["head_seq"]},
        }
        delete = {
            "TableName": table,
            "Key": tip_key(board_id),
            "ConditionExpression": "seq = :seq",
            "ExpressionAttributeValues": {":seq": tip["seq"]},
        }
        try:
            client("transact_write_items", TransactItems=[{"Put": put}, {"Delete": delete}])
        except ConditionFailed:
            continue
        return


def head_without_tip(head: Item, tip: Item) -> Item:
    """Return the head that a version before 1.3 would have written."""
    before: Item = {name: value for name, value in head.items() if name != "head_seq"}
    before |= {name: tip[name] for name in MOVED_TO_TIP if name in tip}
    lists = {list_id: dict(attribute["M"]) for list_id, attribute in head["lists"]["M"].items()}
    for list_id, counters in tip["counters"]["M"].items():
        count, first_rank, last_rank = counters["S"].split(" ")
        lists[list_id] |= {"card_count": {"N": count}, "first_rank": {"S": first_rank}, "last_rank": {"S": last_rank}}
    return before | {"lists": {"M": {list_id: {"M": attributes} for list_id, attributes in lists.items()}}}
