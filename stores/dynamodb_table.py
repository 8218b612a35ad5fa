"""The table: what it must look like, as resources/table.yml says, and making one where that is allowed."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from kanban.store import Busy
from stores import dynamodb_keys as keys
from stores.dynamodb_client import Calls, Refusal, Rejected

DEFINITION = Path(__file__).parents[1] / "resources" / "table.yml"
INDEXES = ("place", "recent", "due")

_PARTS = ("BillingMode", "AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes")


def definition() -> dict[str, Any]:
    """The properties of the table in the template."""
    import yaml  # noqa: PLC0415  (a table in AWS is made by the deployment: only a local one is made from here)

    resources = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))["Resources"].values()
    (table,) = (each for each in resources if each["Type"] == "AWS::DynamoDB::Table")
    properties: dict[str, Any] = table["Properties"]
    return properties


def make(calls: Calls, name: str) -> None:
    """Make the table, and wait until it can be used; nothing, if somebody else makes it just now."""
    wanted = definition()
    try:
        calls("create_table", TableName=name, **{part: wanted[part] for part in _PARTS})
    except Refusal as error:
        if error.code != "ResourceInUseException":
            raise
    began, tries = calls.now(), 0
    while calls("describe_table", TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        tries += 1
        calls.wait(tries, began, Busy("The table is still being made."))
    # Somebody else may have done so, or the server may not know of it: what has expired is never read anyway.
    with suppress(Refusal, Rejected):
        calls("update_time_to_live", TableName=name, TimeToLiveSpecification=wanted["TimeToLiveSpecification"])


def looks(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Reads that only a table with those keys and those indexes answers."""
    by_index = {
        "TableName": name,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "S"}},
        "ConsistentRead": True,
        "Limit": 1,
    }
    by_key = {"TableName": name, "Key": keys.setting_key("secret"), "ConsistentRead": True}
    return [("get_item", by_key), *(("query", {**by_index, "IndexName": index}) for index in INDEXES)]
