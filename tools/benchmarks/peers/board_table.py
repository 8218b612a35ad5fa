"""What every peer does: read one board from a table with boto3."""

import os
from typing import Any

import boto3

_TABLE = "peers"
_client = boto3.client("dynamodb", endpoint_url=os.environ["PEERS_ENDPOINT"], region_name="eu-central-1")


def read_board(board_id: str) -> dict[str, Any] | None:
    """Return the board with that id, or None."""
    item = _client.get_item(TableName=_TABLE, Key={"id": {"S": board_id}}, ConsistentRead=True).get("Item")
    if item is None:
        return None
    return {"id": item["id"]["S"], "name": item["name"]["S"], "seq": int(item["seq"]["N"])}
