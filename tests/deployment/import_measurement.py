"""Count what an import of a board takes on DynamoDB: `python -m tests.deployment.import_measurement`.

A call takes 15 to 25 ms on AWS. The seconds of computing are those of this machine.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from app.factory import create_app
from aws.deadline import Deadline
from aws.function import Function
from aws.request_records import RequestRecorder
from aws.snapstart import register_client
from stores import open_store
from tests.contract.aws_events import http_api_event
from tests.deployment.metered_function import NOON
from tests.engines.dynamodb_server import create_table_url, run_dynoxide

LISTS = 6
DESCRIPTION = "What it says. " * 35


@dataclass(frozen=True, slots=True)
class ImportCost:
    """What one import took."""

    megabytes: float
    calls: int
    cpu_seconds: float


def build_trello_export(cards: int) -> dict[str, Any]:
    """Return an export of a board with so many cards, evenly in its lists."""
    lists = [{"id": f"{number:024x}", "name": f"List {number}", "pos": number + 1} for number in range(LISTS)]
    return {
        "id": "5f3c2a1b9d8e7f6a5b4c3d11",
        "name": "Big",
        "lists": lists,
        "cards": [
            {
                "id": f"{number + 100:024x}",
                "idList": lists[number % LISTS]["id"],
                "name": f"Card {number}",
                "desc": DESCRIPTION,
            }
            for number in range(cards)
        ],
    }


@contextmanager
def open_function(server: str) -> Iterator[tuple[Function, list[dict[str, Any]]]]:
    """Yield a function on a new table of a server, and the lines of its log."""
    lines: list[dict[str, Any]] = []
    records = RequestRecorder("prod", lambda: NOON, lambda: 0.0, lambda line: lines.append(json.loads(line)))
    with closing(open_store(create_table_url(server), on_client=register_client)) as store:
        yield Function(create_app(store, clock=lambda: NOON, open_signup=True), Deadline(), records, dict), lines


def measure_import(server: str, cards: int) -> ImportCost:
    """Import a board with so many cards."""
    with open_function(server) as (function, lines):
        headers = {"Content-Type": "application/json"}
        user = function(http_api_event("POST", "/v1/users", json.dumps({"name": "Mina"}), headers), None)
        headers["Authorization"] = f"Bearer {json.loads(user['body'])['token']}"
        body = json.dumps(build_trello_export(cards))
        began = time.process_time()
        response = function(http_api_event("POST", "/v1/imports/trello", body, headers), None)
        seconds = time.process_time() - began
        if response["statusCode"] != 201:
            raise RuntimeError(f"The import of {cards} cards ended with {response['statusCode']}.")
        return ImportCost(len(body) / 1e6, lines[-1]["store_calls"], seconds)


def main() -> None:
    """Print what imports take."""
    with run_dynoxide() as server:
        for cards in (4_000, 6_500):
            cost = measure_import(server, cards)
            line = f"{cards} cards, {cost.megabytes:.1f} MB: {cost.calls} calls, {cost.cpu_seconds:.1f} s of computing"
            sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
