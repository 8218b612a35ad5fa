"""Parts of a transaction: requests that say what is written on which condition, and what a refusal means."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from kanban.store import StoreError
from stores.dynamodb.keys import Item

_NAME_PLACEHOLDER = re.compile(r"#([a-z_]+)(?![a-z_0-9])")

ErrorFactory = Callable[[Item | None], StoreError]
"""The error that a failed condition is, given what is there instead."""


MAX_TRANSACTION_BYTES = 3_000_000
"""What is written in one transaction by those who can choose: DynamoDB takes four megabytes."""

Kind = TypeVar("Kind")


def of_type(kind: type[Kind], values: Iterable[object]) -> list[Kind]:
    """Those of the values that are of that kind."""
    return [each for each in values if isinstance(each, kind)]


@dataclass(frozen=True, slots=True)
class Write:
    """A part of a transaction, and the error that it is when its condition fails.

    One that `decides` makes a new board visible, or depends on what is outside of it.
    """

    action: str
    request: dict[str, Any]
    error_for: ErrorFactory
    is_final: bool = False

    @property
    def transact_item(self) -> dict[str, Any]:
        """As it stands in the transaction."""
        return {self.action: self.request}

    @property
    def size(self) -> int:
        """About how many bytes it is."""
        return len(str(self.request).encode())

    @property
    def key(self) -> tuple[str, str]:
        """Where it writes."""
        key = self.request.get("Item") or self.request["Key"]
        return key["pk"]["S"], key["sk"]["S"]


class UpdateBuilder:
    """An update of one item, put together piece by piece."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._values: Item = {}
        self._sets: list[str] = []
        self._removes: list[str] = []
        self._conditions: list[str] = []

    def alias(self, attribute: str) -> str:
        """A stand-in for the name of an attribute."""
        sign = f"#n{len(self.names)}"
        self.names[sign] = attribute
        return sign

    def set(self, path: str, value: Item) -> None:
        """Put a value at that path."""
        sign = f":v{len(self._values)}"
        self._values[sign] = value
        self._sets.append(f"{path} = {sign}")

    def remove(self, path: str) -> None:
        """Take away what is at that path."""
        self._removes.append(path)

    def require(self, condition: str, **values: Item) -> None:
        """Write only if that holds, with these values in it."""
        self._conditions.append(condition)
        self._values |= {f":{name}": value for name, value in values.items()}

    def build(self, table: str, key: Item) -> dict[str, Any]:
        """As DynamoDB wants it."""
        parts = [("SET", self._sets), ("REMOVE", self._removes)]
        expression = " ".join(f"{word} {', '.join(pieces)}" for word, pieces in parts if pieces)
        condition = " AND ".join(self._conditions)
        request = {
            "TableName": table,
            "Key": key,
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {
                f"#{word}": word for word in _NAME_PLACEHOLDER.findall(f"{expression} {condition}")
            }
            | self.names,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if self._values:
            request["ExpressionAttributeValues"] = self._values
        return request


def put_request(table: str, item: Item, condition: str, values: Item | None = None) -> dict[str, Any]:
    """A request to put an item there, if a condition holds."""
    return {"TableName": table, "Item": item, **_condition_fields(condition, values)}


def key_request(table: str, key: Item, condition: str, values: Item | None = None) -> dict[str, Any]:
    """A request to delete what is there, or to see that the condition holds."""
    return {"TableName": table, "Key": key, **_condition_fields(condition, values)}


def _condition_fields(condition: str, values: Item | None) -> dict[str, Any]:
    request: dict[str, Any] = {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": _attribute_names(condition),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if values:
        request["ExpressionAttributeValues"] = values
    return request


@cache
def _attribute_names(expression: str) -> Mapping[str, str]:
    """The attributes of an expression by their stand-ins: '#rank' for rank, as some are words of the language."""
    return {f"#{word}": word for word in _NAME_PLACEHOLDER.findall(expression)}
