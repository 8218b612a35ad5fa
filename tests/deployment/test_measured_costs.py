"""What the bill in docs/deploy.md says of one request is what the requests of a team consume here.

The page of a team polls the feed of events, and moves cards. The board has three lists, and the card a due date.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import pytest

from app.job_runner import build_job_runner
from app.reader_runner import build_runner, build_segment_builder
from aws.deadline import Deadline
from aws.reader_function import SWEEP_EVENT, ReaderFunction
from delivery.addresses import PUBLIC_ADDRESSES
from kanban import webhooks
from kanban.webhooks import NewWebhook
from stores import open_store
from tests.aws.test_reader_function import build_queue_event, build_stream_event
from tests.deployment.metered_function import Cost, open_metered_function
from tests.deployment.test_costs import PAGE
from tests.deployment.test_role import CallingQueue, Statuses
from tests.engines.dynamodb_meter import Units, run_meter
from tests.engines.dynamodb_server import create_table_url
from tests.stores.world import World


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


@pytest.fixture(scope="module")
def reader_costs(dynoxide: str) -> Iterator[dict[str, Units]]:
    """Measure an event without a webhook, one that a webhook delivers, and the schedule that looks at the webhook."""
    with run_meter(dynoxide) as meter, closing(open_store(create_table_url(meter.address))) as store:
        world, queue = World(store), CallingQueue()

        def clock() -> datetime:
            return world.now

        runner = build_runner(store, PUBLIC_ADDRESSES, clock=clock, sender=Statuses())
        jobs = build_job_runner(store, clock=clock)
        builder = build_segment_builder(store, clock=clock)
        function = ReaderFunction(
            store.feed_readers, runner, queue, Deadline(), clock, job_runner=jobs, segment_builder=builder
        )

        def measure(call: Callable[[], object]) -> Units:
            meter.units = Units()
            call()
            return replace(meter.units)

        def deliver() -> None:
            function(build_stream_event(world.board_id), None)
            for body in queue.take_bodies():
                function(build_queue_event(body), None)

        costs = {"alone": measure(deliver)}
        _, change = webhooks.create(world.read_board(), [], world.context(), NewWebhook("https://example.com"))
        store.commit(change)
        deliver()
        world.add_card("Write the copy", due_at=world.now)
        costs["delivered"] = measure(deliver)
        costs["sweep"] = measure(lambda: function(SWEEP_EVENT, None))
        yield costs


def read_numbers(pattern: str) -> list[float]:
    (numbers,) = re.findall(pattern, PAGE)
    return [float(number) for number in ([numbers] if isinstance(numbers, str) else numbers)]


def test_a_read_consumes_what_the_bill_says(costs: dict[str, Cost]) -> None:
    units = costs["read"].units

    assert [units.reads] == read_numbers(r"A poll takes (\d+) read units")
    assert units.table_writes == units.index_writes == 0


def test_a_write_consumes_what_the_bill_says(costs: dict[str, Cost]) -> None:
    units = costs["write"].units
    reads, writes = read_numbers(r"A change takes (\d+) read units and (\d+) write units")

    assert units.reads == reads
    assert costs["write"].count_writes() == writes


def test_the_log_lines_of_a_request_are_as_long_as_the_bill_says(costs: dict[str, Cost]) -> None:
    (kilobytes,) = read_numbers(r"A log line and an access log line take ([0-9.]+) KB together")

    mean = 0.99 * costs["read"].log_bytes + 0.01 * costs["write"].log_bytes

    assert round(mean / 1000, 1) == kilobytes


def test_an_event_consumes_what_the_bill_says_where_nobody_follows_it(reader_costs: dict[str, Units]) -> None:
    assert [reader_costs["alone"]] == [
        Units(reads) for reads in read_numbers(r"each event takes (\d+) read unit to see")
    ]


def test_a_message_of_a_webhook_consumes_what_the_bill_says(reader_costs: dict[str, Units]) -> None:
    reads, writes = read_numbers(r"a message takes (\d+) read units and (\d+) write units")

    # The first unit is that of every event.
    assert reader_costs["delivered"] == Units(reader_costs["alone"].reads + reads, writes)


def test_a_webhook_that_is_looked_at_consumes_what_the_bill_says(reader_costs: dict[str, Units]) -> None:
    # Besides the lists of all webhooks, of all jobs and of boards that lack flow segments.
    assert [reader_costs["sweep"].reads - 3] == read_numbers(r"(\d+) read units for each webhook")
