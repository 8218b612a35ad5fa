"""What the bill in docs/deploy.md says of one request is what the requests of a team consume here.

The page of a team polls the feed of events, and moves cards. The board has three lists, and the card a due date.
"""

import re
from collections.abc import Iterator

import pytest

from tests.deployment.metered_function import Cost, open_metered_function
from tests.deployment.test_costs import PAGE


@pytest.fixture(scope="module")
def costs(dynoxide: str) -> Iterator[dict[str, Cost]]:
    """Measure a read and a write."""
    with open_metered_function(dynoxide) as (function, _):
        board = f"/boards/{function.send('POST', '/boards', {'name': 'Website'})['id']}"
        *_, done = (list_["id"] for list_ in function.send("GET", f"{board}/lists")["items"])
        new_card = {"title": "Write the copy", "due_at": "2026-12-24T10:00:00Z"}
        card = function.send("POST", f"{board}/cards", new_card)["id"]
        seq = function.send("GET", board)["seq"]
        yield {
            "read": function.measure("GET", f"{board}/events?after={seq}"),
            "write": function.measure("POST", f"{board}/cards/{card}/move", {"list_id": done}, Idempotency_Key="one"),
        }


def read_numbers(pattern: str) -> list[float]:
    (numbers,) = re.findall(pattern, PAGE)
    return [float(number) for number in ([numbers] if isinstance(numbers, str) else numbers)]


def test_a_read_consumes_what_the_bill_says(costs: dict[str, Cost]) -> None:
    units = costs["read"].units

    assert [units.reads] == read_numbers(r"four in five are reads of (\d+) read units")
    assert units.table_writes == units.index_writes == 0


def test_a_write_consumes_what_the_bill_says(costs: dict[str, Cost]) -> None:
    units = costs["write"].units
    reads, writes = read_numbers(r"one in five is a write that takes (\d+) read units and (\d+) write units")

    assert units.reads == reads
    assert costs["write"].count_writes() == writes


def test_the_log_lines_of_a_request_are_as_long_as_the_bill_says(costs: dict[str, Cost]) -> None:
    (kilobytes,) = read_numbers(r"a log line and an access log line take ([0-9.]+) KB together")

    mean = 0.8 * costs["read"].log_bytes + 0.2 * costs["write"].log_bytes

    assert round(mean / 1000, 1) == kilobytes
