"""Heavy operations: a few at once, and none of the others waits for them."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from contract.heavy_operations import MAX_CONCURRENT, WEIGHT_EXTENSION
from contract.operations import BadDocument
from tests.contract.client import Client, HttpResponse
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import STRING, document, operation
from tools.openapi.findings import BUNDLE


class Slow:
    """A heavy function that goes on when it is told to, with whatever it is told to do."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.finish: Callable[[], Result] = lambda: Result({})

    def run(self) -> Result:
        """Say that it has begun, wait, and finish."""
        self.begun.release()
        assert self.go_on.wait(30)
        return self.finish()


def _fail() -> Result:
    raise RuntimeError


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def client(slow: Slow) -> Client:
    """A heavy operation at /v1/report, and one that isn't at /v1/thing."""
    described = {
        "/report": {"get": operation("get_report") | {WEIGHT_EXTENSION: "heavy"}},
        "/thing": {"get": operation("get_thing")},
    }
    described["/report"]["get"]["responses"]["503"]["headers"] = {"Retry-After": {"schema": STRING}}
    described["/report"]["get"]["responses"]["500"] = described["/report"]["get"]["responses"]["503"]
    return serve(document(described), {"get_report": slow.run, "get_thing": lambda: Result({})})


@pytest.fixture
def running(client: Client, slow: Slow) -> Iterator[list[Future[HttpResponse]]]:
    """As many heavy operations as may run at once, all of them in the middle."""
    with ThreadPoolExecutor(MAX_CONCURRENT) as threads:
        begun = [threads.submit(client.get, "/v1/report") for _ in range(MAX_CONCURRENT)]
        for _ in begun:
            assert slow.begun.acquire(timeout=30)
        yield begun
        slow.go_on.set()


@pytest.mark.usefixtures("running")
def test_one_too_many_is_told_when_to_come_again(client: Client) -> None:
    refused = client.get("/v1/report")

    assert refused.problem == (503, "busy")
    assert refused.header("retry-after") == "2"
    assert refused.json()["detail"].startswith(f"The server does {MAX_CONCURRENT} reports, exports, imports or copies")


@pytest.mark.usefixtures("running")
def test_the_others_are_answered_meanwhile(client: Client) -> None:
    assert client.get("/v1/thing").status == 200


@pytest.mark.usefixtures("running")
def test_whoever_has_no_token_learns_nothing_of_it(client: Client) -> None:
    assert client.get("/v1/report", token=None).problem == (401, "unauthenticated")


@pytest.mark.parametrize("finish", [lambda: Result({}), lambda: Result(b"not what the document says"), _fail])
def test_one_that_has_ended_makes_room_however_it_ended(
    client: Client, slow: Slow, running: list[Future[HttpResponse]], finish: Callable[[], Result]
) -> None:
    slow.finish = finish
    slow.go_on.set()
    for each in running:
        each.result()

    slow.finish = lambda: Result({})

    assert [client.get("/v1/report").status for _ in range(MAX_CONCURRENT + 1)] == [200] * (MAX_CONCURRENT + 1)


def test_a_weight_that_cannot_be_kept_stops_the_start() -> None:
    light = operation("get_report") | {WEIGHT_EXTENSION: "light"}
    never_refused = operation("get_report") | {WEIGHT_EXTENSION: "heavy"}
    del never_refused["responses"]["503"]

    with pytest.raises(BadDocument, match="has an x-tackboard-weight other than 'heavy'"):
        serve(document({"/report": {"get": light}}), {"get_report": _fail})
    with pytest.raises(BadDocument, match="is heavy, and has no response 503"):
        serve(document({"/report": {"get": never_refused}}), {"get_report": _fail})


def test_what_reads_or_writes_a_whole_board_is_heavy() -> None:
    """A new operation whose work grows with the board belongs here, and bears the mark in the document."""
    paths = json.loads(BUNDLE.read_bytes())["paths"]
    marked = {
        described["operationId"]
        for item in paths.values()
        for described in item.values()
        if isinstance(described, dict) and WEIGHT_EXTENSION in described
    }
    large_bodies = {
        described["operationId"]
        for item in paths.values()
        for described in item.values()
        if isinstance(described, dict) and "x-tackboard-body-limit" in described
    }

    assert marked == {
        "copy_board",
        "copy_list",
        "export_board",
        "get_flow",
        "get_time_report",
        "import_tackboard",
        "import_trello",
        "sort_cards",
    }
    assert large_bodies <= marked
