"""How much of their limits callers have used, in items that DynamoDB erases by itself.

An update can't compute a maximum. So there are two: one that adds to an arrival time that is ahead of the present, and
one that begins anew. Each has a condition that the other is wrong, and a caller who is known tells which to try first.
"""

import math
from typing import Any

from kanban.request_usage import MAX_LEAD_SECONDS
from kanban.store import Busy
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_number
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.keys import Item

_ATTEMPTS = 4
_MICROSECONDS = 1_000_000
_LEAD = int(MAX_LEAD_SECONDS * _MICROSECONDS)
_MAX_KNOWN = 1_000
"""Of how many keys the last arrival time is remembered."""

_NAMES = {f"#{name}": name for name in ("arrival_time", "expires", "reports")}
_CONTINUE: dict[str, Any] = {
    "UpdateExpression": "SET #expires = :expires ADD #arrival_time :used, #reports :one",
    "ConditionExpression": "#arrival_time > :now AND #arrival_time < :latest",
}
_BEGIN: dict[str, Any] = {
    "UpdateExpression": "SET #expires = :expires, #arrival_time = :arrival ADD #reports :one",
    "ConditionExpression": "attribute_not_exists(#arrival_time) OR NOT #arrival_time BETWEEN :now AND :latest",
}


class DynamoUsage:
    """A `kanban.request_usage.UsageStore` in a table. Threads may share it."""

    def __init__(self, client: RetryingClient, table: str) -> None:
        self._client = client
        self._table = table
        self._arrival_times: dict[str, int] = {}

    def add_usage(self, key: str, seconds: float, now: float) -> tuple[float, int]:
        used, present = (round(number * _MICROSECONDS) for number in (seconds, now))
        expires = to_number(math.ceil(now + 2 * MAX_LEAD_SECONDS))
        values = {":one": to_number(1), ":now": to_number(present), ":expires": expires}
        continuing = {**values, ":used": to_number(used), ":latest": to_number(present + _LEAD)}
        # The bounds of BETWEEN belong to it, those of the other condition don't.
        beginning = {
            **values,
            ":arrival": to_number(present + used),
            ":now": to_number(present + 1),
            ":latest": to_number(present + _LEAD - 1),
        }
        ways = [(_CONTINUE, continuing), (_BEGIN, beginning)]
        if self._arrival_times.get(key, 0) <= present:
            ways.reverse()
        for attempt in range(_ATTEMPTS):
            fields, way_values = ways[attempt % 2]
            try:
                attributes = self._update(key, fields, way_values)
            except ConditionFailed:
                # Another process was first, or is not known yet.
                continue
            return self._remember(key, int(attributes["arrival_time"]["N"])), int(attributes["reports"]["N"])
        raise Busy("Others kept the usage of a caller for too long.")

    def erase_usage(self, before: float) -> None:
        """Do nothing: the items expire."""

    def _update(self, key: str, fields: dict[str, Any], values: Item) -> dict[str, Any]:
        response = self._client(
            "update_item",
            retries=False,
            TableName=self._table,
            Key=keys.usage_key(key),
            ExpressionAttributeNames=_NAMES,
            ExpressionAttributeValues=values,
            ReturnValues="UPDATED_NEW",
            **fields,
        )
        attributes: dict[str, Any] = response["Attributes"]
        return attributes

    def _remember(self, key: str, arrival_time: int) -> float:
        if len(self._arrival_times) >= _MAX_KNOWN:
            self._arrival_times.clear()
        self._arrival_times[key] = arrival_time
        return arrival_time / _MICROSECONDS
