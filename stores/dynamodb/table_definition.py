"""The table: what it must look like, as `infrastructure/resources/table.yml` says, and how a local one is created."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from kanban.store import Busy
from stores.dynamodb.client import InvalidRequest, RequestDenied, RetryingClient

DEFINITION_FILE = Path(__file__).parents[2] / "infrastructure" / "resources" / "table.yml"
INDEXES = ("place", "recent", "due")

_CREATE_TABLE_PROPERTIES = ("BillingMode", "AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes")


def load_definition() -> dict[str, Any]:
    """Return the properties of the table in the CloudFormation template."""
    import yaml  # noqa: PLC0415  (the deployment creates a table in AWS: only a local one is created from here)

    resources = yaml.safe_load(DEFINITION_FILE.read_text(encoding="utf-8"))["Resources"].values()
    (table,) = (resource for resource in resources if resource["Type"] == "AWS::DynamoDB::Table")
    properties: dict[str, Any] = table["Properties"]
    return properties


def create_table(client: RetryingClient, name: str) -> None:
    """Create the table, unless another process is creating it, and wait until it can be used."""
    properties = load_definition()
    try:
        client("create_table", TableName=name, **{key: properties[key] for key in _CREATE_TABLE_PROPERTIES})
    except RequestDenied as error:
        if error.code != "ResourceInUseException":
            raise
    started_at, attempts = client.monotonic(), 0
    while client("describe_table", TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        attempts += 1
        client.back_off(attempts, started_at, Busy("The table is still being created."))
    # Another process may have done so, or the server may not support it: expired items are never read anyway.
    with suppress(RequestDenied, InvalidRequest):
        specification = properties["TimeToLiveSpecification"]
        client("update_time_to_live", TableName=name, TimeToLiveSpecification=specification)


def index_queries(name: str) -> list[dict[str, Any]]:
    """Return queries that only a table with those indexes answers."""
    query = {
        "TableName": name,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "S"}},
        "ConsistentRead": True,
        "Limit": 1,
    }
    return [{**query, "IndexName": index} for index in INDEXES]
