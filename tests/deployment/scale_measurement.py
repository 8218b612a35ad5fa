"""Measure what the requests of a page consume, and write the tables of docs/scale.md that follow from it.

`python -m tests.deployment.scale_measurement` writes them, with a DynamoDB-compatible server of its own.
"""

from typing import Any

from botocore.session import Session

from infrastructure.deployment.package_build import ROOT
from stores.dynamodb.keys import HEAD_SORT_KEY, TIP_SORT_KEY
from tests.deployment import hot_board_model, scale_model
from tests.deployment.metered_function import MeteredFunction, open_metered_function
from tests.deployment.scale_model import Consumption, Month
from tests.engines.dynamodb_server import run_dynoxide
from tests.stores.dynamodb.test_item_sizes import count_bytes

PAGE = ROOT / "docs" / "scale.md"
INDEX_KEYS = ("place", "recent", "due")
OVERHEAD_BYTES = 100
"""What DynamoDB adds to each item, and to each entry of it in an index, when it counts what is stored."""


def measure_month(server: str) -> Month:
    """Measure one board on a server, and return a month of a million boards."""
    with open_metered_function(server) as (function, table):
        consumptions = measure_consumptions(function, create_board(function))
        return Month(consumptions, measure_storage(server, table))


def create_board(function: MeteredFunction) -> str:
    """Create a board with cards, every other of which is due. Return its path."""
    board = f"/boards/{function.send('POST', '/boards', {'name': 'Website'})['id']}"
    for number in range(scale_model.CARDS_PER_BOARD):
        body = {"title": f"Write page {number} of the documentation", "description": "What it must say. " * 10}
        due = {"due_at": "2026-12-24T10:00:00Z"} if number % 2 else {}
        function.send("POST", f"{board}/cards", body | due)
    return board


def measure_consumptions(function: MeteredFunction, board: str) -> dict[str, Consumption]:
    """Return what each request of the page consumes."""
    *_, done = (list_["id"] for list_ in function.send("GET", f"{board}/lists")["items"])
    card = f"{board}/cards/{function.send('GET', f'{board}/cards?limit=1')['items'][0]['id']}"
    news = f"{board}/events?after={function.send('GET', board)['seq']}&limit=1"
    tag = function.measure("GET", news).etag
    costs = {
        "polls for events": function.measure("GET", news, If_None_Match=tag),
        "reads the board": function.measure("GET", f"{board}?embed=lists,cards,labels,members"),
        "moves a card": function.measure("POST", f"{card}/move", {"list_id": done}),
        "edits a card": function.measure("PATCH", card, {"title": "Write the front page"}, If_Match="*"),
        "creates a card": function.measure("POST", f"{board}/cards", {"title": "Proofread"}, Idempotency_Key="one"),
        "comments": function.measure("POST", f"{card}/comments", {"text": "Looks good."}, Idempotency_Key="two"),
    }
    return {
        name: Consumption(cost.units.reads, cost.count_writes(), cost.log_bytes, len(cost.body))
        for name, cost in costs.items()
    }


def measure_storage(server: str, table: str) -> float:
    """Return how many bytes a board takes: its head and tip, its cards with their index entries, and their events."""
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    client = Session().create_client("dynamodb", region_name="eu-central-1", endpoint_url=server, **keys)
    items = [item for page in client.get_paginator("scan").paginate(TableName=table) for item in page["Items"]]
    client.close()
    on_board = [item for item in items if item["pk"]["S"].startswith("B#")]
    cards = [count_stored_bytes(item) for item in on_board if item["sk"]["S"].startswith("C#")]
    own = [count_stored_bytes(item) for item in on_board if item["sk"]["S"] in (HEAD_SORT_KEY, TIP_SORT_KEY)]
    events = [count_stored_bytes(item) for item in on_board if item["sk"]["S"].startswith("E#0")]
    average_card, average_event = sum(cards) / len(cards), sum(events) / len(events)
    return sum(own) + scale_model.CARDS_PER_BOARD * (average_card + scale_model.EVENTS_PER_CARD * average_event)


def count_stored_bytes(item: dict[str, Any]) -> int:
    copies = 1 + sum(key in item for key in INDEX_KEYS)
    return copies * (OVERHEAD_BYTES + sum(len(name) + count_bytes(value) for name, value in item.items()))


def render_tables(month: Month) -> dict[str, str]:
    """Return all tables of docs/scale.md by the names of their sections."""
    return {**scale_model.render_all(month), "hot board": hot_board_model.render_table_of_page()}


def main() -> None:
    """Write the tables."""
    with run_dynoxide() as server:
        month = measure_month(server)
    text = PAGE.read_text()
    for name, table in render_tables(month).items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        text = f"{before}{begin}{table}\n{end}{after}"
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
