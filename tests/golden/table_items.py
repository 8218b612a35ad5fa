"""All items of a table as JSON, read from and written to a local server without an SDK, exactly as they are stored."""

import json
from typing import Any
from urllib.request import Request, urlopen

ITEMS_PER_WRITE = 25
"""As many as DynamoDB takes in one BatchWriteItem."""

_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20261120T140000Z",
    # Local servers check that there is a signature, not which.
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20261120/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=0",
}

Item = dict[str, dict[str, str]]
"""An item by attribute: the type's letter and the value; bytes are base64."""


def read_items(address: str, table: str) -> list[Item]:
    """Return every item, by key."""
    page = _call(address, "Scan", TableName=table)
    items: list[Item] = page["Items"]
    while "LastEvaluatedKey" in page:
        page = _call(address, "Scan", TableName=table, ExclusiveStartKey=page["LastEvaluatedKey"])
        items += page["Items"]
    return sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def write_items(address: str, table: str, items: list[Item]) -> None:
    """Replace all items of a table by these."""
    kept_keys = {(item["pk"]["S"], item["sk"]["S"]) for item in items}
    requests: list[dict[str, Any]] = [{"PutRequest": {"Item": item}} for item in items]
    requests += [
        {"DeleteRequest": {"Key": {"pk": item["pk"], "sk": item["sk"]}}}
        for item in read_items(address, table)
        if (item["pk"]["S"], item["sk"]["S"]) not in kept_keys
    ]
    for at in range(0, len(requests), ITEMS_PER_WRITE):
        left = {table: requests[at : at + ITEMS_PER_WRITE]}
        while left:
            left = _call(address, "BatchWriteItem", RequestItems=left)["UnprocessedItems"]


def _call(address: str, operation: str, **parameters: Any) -> Any:
    headers = _HEADERS | {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    request = Request(address, json.dumps(parameters).encode(), headers)  # noqa: S310 - a server of our own.
    with urlopen(request, timeout=60) as answer:  # noqa: S310 - as above.
        return json.load(answer)
