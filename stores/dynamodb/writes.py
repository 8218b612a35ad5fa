"""The writes of a transaction: put, update, delete or check one item, on a condition whose failure has a meaning."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from stores.dynamodb.conflicts import STALE, Conflict
from stores.dynamodb.expressions import NO_VALUES, attribute_names, condition_fields
from stores.dynamodb.keys import Item, key_of

MAX_TRANSACTION_ITEMS = 100
"""How many items DynamoDB writes in one transaction."""

MAX_TRANSACTION_BYTES = 3_000_000
"""How much a transaction may hold where its writer can choose: DynamoDB takes four megabytes."""

IS_NEW = "attribute_not_exists(#pk)"
EXISTS = "attribute_exists(#pk)"

OnFailure = Conflict | Callable[[Item | None], Conflict]
"""What a failed condition means; where that depends on the item, a function of what is there."""


class Put(NamedTuple):
    """Put an item, in place of the one that has its key.

    This and the other writes have in common:

    Attributes:
        condition: When the item may be written; always if empty.
        values: The values that the expressions name.
        on_failure: What it means that the condition fails.
        is_final: Whether a board that is created in several steps needs the write in the last one: it makes the board
            visible, or depends on items outside of the board.
    """

    item: Item
    condition: str = ""
    values: Item = NO_VALUES
    on_failure: OnFailure = STALE
    is_final: bool = False

    @property
    def key(self) -> Item:
        """The key of the item."""
        return key_of(self.item)

    def fields(self, table: str) -> dict[str, Any]:
        """Return the parameters of the operation `put_item`."""
        return {"TableName": table, "Item": self.item, **condition_fields(self.condition, self.values)}


class Delete(NamedTuple):
    """Delete the item of a key, if there is one."""

    key: Item
    condition: str = ""
    values: Item = NO_VALUES
    on_failure: OnFailure = STALE
    is_final: bool = False

    def fields(self, table: str) -> dict[str, Any]:
        """Return the parameters of the operation `delete_item`."""
        return {"TableName": table, "Key": self.key, **condition_fields(self.condition, self.values)}


class Check(NamedTuple):
    """Check a condition on an item that is not written."""

    key: Item
    condition: str
    values: Item = NO_VALUES
    on_failure: OnFailure = STALE
    is_final: bool = False

    def fields(self, table: str) -> dict[str, Any]:
        """Return the parameters of a condition check."""
        return {"TableName": table, "Key": self.key, **condition_fields(self.condition, self.values)}


class Update(NamedTuple):
    """Update some attributes of an item. `UpdateBuilder` builds one."""

    key: Item
    expression: str
    names: Mapping[str, str]
    condition: str = ""
    values: Item = NO_VALUES
    on_failure: OnFailure = STALE
    is_final: bool = False

    def fields(self, table: str) -> dict[str, Any]:
        """Return the parameters of the operation `update_item`."""
        return {
            "TableName": table,
            "Key": self.key,
            "UpdateExpression": self.expression,
            **condition_fields(self.condition, self.values),
            "ExpressionAttributeNames": self.names,
        }


Write = Put | Delete | Check | Update

_ACTIONS: Mapping[type[Write], str] = {Put: "Put", Delete: "Delete", Check: "ConditionCheck", Update: "Update"}


class UpdateBuilder:
    """Builds an update of one item piece by piece."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: Item = {}
        self._sets: list[str] = []
        self._removals: list[str] = []
        self._conditions: list[str] = []

    def alias(self, attribute: str) -> str:
        """Return a placeholder for the name of an attribute that may hold any character, as ids do."""
        placeholder = f"#n{len(self._names)}"
        self._names[placeholder] = attribute
        return placeholder

    def set(self, path: str, value: Item) -> None:
        """Set what is at that path."""
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = value
        self._sets.append(f"{path} = {placeholder}")

    def remove(self, path: str) -> None:
        """Remove what is at that path."""
        self._removals.append(path)

    def require(self, condition: str, **values: Item) -> None:
        """Add a condition, and the values that it names."""
        self._conditions.append(condition)
        self._values |= {f":{name}": value for name, value in values.items()}

    def build(self, key: Item, *, on_failure: OnFailure = STALE, is_final: bool = False) -> Update:
        """Return the update of the item of that key."""
        clauses = (("SET", self._sets), ("REMOVE", self._removals))
        expression = " ".join(f"{word} {', '.join(actions)}" for word, actions in clauses if actions)
        condition = " AND ".join(self._conditions)
        names = attribute_names(f"{expression} {condition}") | self._names
        return Update(
            key, expression, names, condition=condition, values=self._values, on_failure=on_failure, is_final=is_final
        )


def to_transact_item(write: Write, table: str) -> dict[str, Any]:
    """Return the write as an element of `TransactItems`."""
    return {_ACTIONS[type(write)]: write.fields(table)}


def conflict_of(write: Write, item: Item | None) -> Conflict:
    """Return what it means that the condition of a write failed, given the item that is there."""
    return write.on_failure if isinstance(write.on_failure, Conflict) else write.on_failure(item)


def estimate_bytes(writes: Iterable[Write]) -> int:
    """Return about how many bytes the writes take in a transaction."""
    return sum(len(str(write.fields("")).encode()) for write in writes)
