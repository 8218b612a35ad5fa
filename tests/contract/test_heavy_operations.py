"""Heavy operations: a few at once, without slowing other operations."""

import gc
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from contract.heavy_operations import HEAVY, MAX_CONCURRENT, WEIGHT_EXTENSION
from contract.operations import BadDocument
from tests.contract.client import Client, HttpResponse
from tests.contract.contract_app import Result, serve
from tests.contract.openapi_documents import STRING, document, operation
from tools.openapi.findings import BUNDLE


class BlockingFunction:
    """A heavy function that blocks until the test releases it."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.finish: Callable[[], Result] = lambda: Result({})

    def run(self) -> Result:
        """Signal the start, wait for the release, and finish."""
        self.begun.release()
        assert self.go_on.wait(30)
        return self.finish()


def _fail() -> Result:
    raise RuntimeError


@pytest.fixture
def slow() -> BlockingFunction:
    return BlockingFunction()


@pytest.fixture
def client(slow: BlockingFunction) -> Client:
    """Serve a heavy operation at /v1/report and a normal one at /v1/thing."""
    paths = {
        "/report": {"get": operation("get_report") | {WEIGHT_EXTENSION: "heavy"}},
        "/thing": {"get": operation("get_thing")},
    }
    paths["/report"]["get"]["responses"]["503"]["headers"] = {"Retry-After": {"schema": STRING}}
    paths["/report"]["get"]["responses"]["500"] = paths["/report"]["get"]["responses"]["503"]
    return serve(document(paths), {"get_report": slow.run, "get_thing": lambda: Result({})})


@pytest.fixture
def running(client: Client, slow: BlockingFunction) -> Iterator[list[Future[HttpResponse]]]:
    """Start as many heavy operations as may run at once, and wait until all are running."""
    with ThreadPoolExecutor(MAX_CONCURRENT) as threads:
        begun = [threads.submit(client.get, "/v1/report") for _ in range(MAX_CONCURRENT)]
        for _ in begun:
            assert slow.begun.acquire(timeout=30)
        yield begun
        slow.go_on.set()


@pytest.mark.usefixtures("running")
def test_one_too_many_is_a_503_with_retry_after(client: Client) -> None:
    rejected = client.get("/v1/report")

    assert rejected.problem == (503, "busy")
    assert rejected.header("retry-after") == "2"
    assert rejected.json()["detail"].startswith(f"The server does {MAX_CONCURRENT} reports, exports, imports or copies")


@pytest.mark.usefixtures("running")
def test_other_operations_run_at_the_limit(client: Client) -> None:
    assert client.get("/v1/thing").status == 200


@pytest.mark.usefixtures("running")
def test_a_missing_token_is_reported_before_the_limit(client: Client) -> None:
    assert client.get("/v1/report", token=None).problem == (401, "unauthenticated")


@pytest.mark.parametrize("finish", [lambda: Result({}), lambda: Result(b"not what the document says"), _fail])
def test_a_finished_or_failed_one_frees_its_slot(
    client: Client, slow: BlockingFunction, running: list[Future[HttpResponse]], finish: Callable[[], Result]
) -> None:
    slow.finish = finish
    slow.go_on.set()
    for future in running:
        future.result()

    slow.finish = lambda: Result({})

    assert [client.get("/v1/report").status for _ in range(MAX_CONCURRENT + 1)] == [200] * (MAX_CONCURRENT + 1)


def test_there_are_no_full_collections_until_the_last_heavy_operation_ends(
    client: Client, slow: BlockingFunction, running: list[Future[HttpResponse]]
) -> None:
    *usual, while_running = gc.get_threshold()
    assert while_running > 1_000_000

    slow.finish = _fail
    slow.go_on.set()
    for future in running:
        future.result()

    assert gc.get_threshold() == (*usual, 10)
    client.get("/v1/report")
    assert gc.get_threshold() == (*usual, 10)


def test_an_invalid_weight_stops_the_start() -> None:
    light = operation("get_report") | {WEIGHT_EXTENSION: "light"}
    never_refused = operation("get_report") | {WEIGHT_EXTENSION: "heavy"}
    del never_refused["responses"]["503"]

    with pytest.raises(BadDocument, match="has an x-tackboard-weight other than 'heavy' or 'remote'"):
        serve(document({"/report": {"get": light}}), {"get_report": _fail})
    with pytest.raises(BadDocument, match="is heavy, and has no response 503"):
        serve(document({"/report": {"get": never_refused}}), {"get_report": _fail})


def test_operations_on_a_whole_board_are_heavy() -> None:
    """A new operation whose work grows with the board must be listed here and marked in the document."""
    paths = json.loads(BUNDLE.read_bytes())["paths"]
    marked = {
        described["operationId"]
        for item in paths.values()
        for described in item.values()
        if isinstance(described, dict) and described.get(WEIGHT_EXTENSION) == HEAVY
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
