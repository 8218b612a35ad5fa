"""Attributes: values as DynamoDB has them, by the letter of their type. Moments and documents travel as text."""

from datetime import datetime

from stores.dynamodb.keys import Item

parse_timestamp = datetime.fromisoformat
"""The moment that a text means."""


def to_string(value: str) -> Item:
    """A string, for DynamoDB."""
    return {"S": value}


def to_number(value: int) -> Item:
    """A number, for DynamoDB."""
    return {"N": str(value)}


def to_boolean(value: bool) -> Item:  # noqa: FBT001  (it is the value)
    """Yes or no, for DynamoDB."""
    return {"BOOL": value}


def to_timestamp(at: datetime) -> Item:
    """A moment, for DynamoDB."""
    return {"S": at.isoformat()[:19] + "Z"}


def drop_missing(**attributes: Item | None) -> Item:
    """Those of the attributes that there are."""
    return {name: value for name, value in attributes.items() if value is not None}


def to_optional_string(value: str | None) -> Item | None:
    """A string, or nothing."""
    return None if value is None else {"S": value}


def to_optional_number(value: int | None) -> Item | None:
    """A number, or nothing."""
    return None if value is None else {"N": str(value)}


def to_optional_timestamp(value: datetime | None) -> Item | None:
    """A moment, or nothing."""
    return None if value is None else to_timestamp(value)


def get_string(item: Item, name: str) -> str | None:
    """The string of that name, if there is one."""
    attribute = item.get(name)
    return attribute["S"] if attribute else None


def get_number(item: Item, name: str) -> int | None:
    """The number of that name, if there is one."""
    attribute = item.get(name)
    return int(attribute["N"]) if attribute else None


def get_timestamp(item: Item, name: str) -> datetime | None:
    """The moment of that name, if there is one."""
    attribute = item.get(name)
    return parse_timestamp(attribute["S"]) if attribute else None


def is_deleted(item: Item) -> bool:
    """Whether the thing of that item is deleted."""
    return "deleted_at" in item
