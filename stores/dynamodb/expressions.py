"""Condition expressions, and the names in any expression of DynamoDB."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from stores.dynamodb.keys import Item

NO_VALUES: Item = {}
"""The values of an expression that names none; never written to."""

NO_NAMES: Mapping[str, str] = {}
"""The placeholders of an expression that needs none but its attributes' own names; never written to."""

_NAME_PLACEHOLDER = re.compile(r"#([a-z_]+)(?![a-z_0-9])")


def condition_fields(condition: str, values: Item) -> dict[str, Any]:
    """Return the request parameters of a condition; none for an empty one.

    If the condition fails, DynamoDB answers with the item as it is.
    """
    if not condition:
        return {}
    fields: dict[str, Any] = {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": _cached_attribute_names(condition),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if values:
        fields["ExpressionAttributeValues"] = values
    return fields


def attribute_names(expression: str) -> dict[str, str]:
    """Return the attributes of an expression by their placeholders: '#rank' for rank, which is a reserved word."""
    return {f"#{name}": name for name in _NAME_PLACEHOLDER.findall(expression)}


@cache
def _cached_attribute_names(condition: str) -> Mapping[str, str]:
    return attribute_names(condition)
