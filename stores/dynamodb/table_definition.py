"""Read the table's definition, infrastructure/resources/table.yml, and make a table where that is allowed."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from kanban.store import Busy
from stores.dynamodb import keys
from stores.dynamodb.client import InvalidRequest, RequestDenied, RetryingClient

DEFINITION_FILE = Path(__file__).parents[2] / "infrastructure" / "resources" / "table.yml"
INDEXES = ("place", "recent", "due")

_CREATE_TABLE_PROPERTIES = ("BillingMode", "AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes")


def load_definition() -> dict[str, Any]:
    """The properties of the table in the template."""
    import yaml  # noqa: PLC0415  (a table in AWS is made by the deployment: only a local one is made from here)

    resources = yaml.safe_load(DEFINITION_FILE.read_text(encoding="utf-8"))["Resources"].values()
    (table,) = (each for each in resources if each["Type"] == "AWS::DynamoDB::Table")
    properties: dict[str, Any] = table["Properties"]
    return properties


def create_table(client: RetryingClient, name: str) -> None:
    """Make the table, and wait until it can be used; nothing, if somebody else makes it just now."""
    wanted = load_definition()
    try:
        client("create_table", TableName=name, **{part: wanted[part] for part in _CREATE_TABLE_PROPERTIES})
    except RequestDenied as error:
        if error.code != "ResourceInUseException":
            raise
    began, tries = client.monotonic(), 0
    while client("describe_table", TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        tries += 1
        client.back_off(tries, began, Busy("The table is still being made."))
    # Somebody else may have done so, or the server may not know of it: what has expired is never read anyway.
    with suppress(RequestDenied, InvalidRequest):
        client("update_time_to_live", TableName=name, TimeToLiveSpecification=wanted["TimeToLiveSpecification"])


def check_requests(name: str) -> list[tuple[str, dict[str, Any]]]:
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
