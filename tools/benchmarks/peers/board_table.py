"""The job of every peer: one board out of a table, by boto3."""

import os
from typing import Any

import boto3

_TABLE = "peers"
_client = boto3.client("dynamodb", endpoint_url=os.environ["PEERS_ENDPOINT"], region_name="eu-central-1")


def read_board(board_id: str) -> dict[str, Any] | None:
    """The board of that id."""
    found = _client.get_item(TableName=_TABLE, Key={"id": {"S": board_id}}, ConsistentRead=True).get("Item")
    if found is None:
        return None
    return {"id": found["id"]["S"], "name": found["name"]["S"], "seq": int(found["seq"]["N"])}
