"""Metrics for Prometheus, as a scrape over a socket gets them, and what is built on them: a dashboard and alerts."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from app.store_state import FRESH_SECONDS, StoreState, StoreStateReader
from cli.metrics_port import measure_store
from contract.messages import Response
from contract.request_context import RequestContext
from contract.request_log import RequestTimes
from kanban.feed_readers import Backlog
from kanban.store import Store, Unavailable
from server.metrics import Gauge, Metrics
from server.uvicorn_server import Server, listen
from tests.api.test_socket import build_client
from tests.live_server import ROOT, LiveServer
from tests.server_in_thread import build_edge, run

DASHBOARD = ROOT / "infrastructure" / "grafana" / "tackboard.json"
ALERTS = ROOT / "infrastructure" / "prometheus" / "alerts.yml"
TIMEOUT_SECONDS = 30.0

Address = tuple[str, int]
Scrape = Mapping[str, Metric]


def read_text(address: Address) -> str:
    """Return what a scrape gets."""
    with closing(HTTPConnection(*address, timeout=TIMEOUT_SECONDS)) as connection:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        text = response.read().decode()
    assert response.status == 200
    return text


def parse(text: str) -> dict[str, Metric]:
    """Return all metrics by name."""
    return {metric.name: metric for metric in text_string_to_metric_families(text)}


def scrape(address: Address) -> dict[str, Metric]:
    """Scrape, and return all metrics by name."""
    return parse(read_text(address))


def get_values(metrics: Scrape, sample_name: str, *labels: str) -> dict[Any, float]:
    """Return the values of a sample by the values of its labels; by one value if there is one label."""
    samples = (sample for metric in metrics.values() for sample in metric.samples if sample.name == sample_name)
    return {
        sample.labels[labels[0]] if len(labels) == 1 else tuple(sample.labels[name] for name in labels): sample.value
        for sample in samples
    }


@contextmanager
def serve(metrics: Metrics) -> Iterator[Address]:
    """Serve metrics on a free port."""
    listener = listen("127.0.0.1", 0)
    with metrics.serve(listener):
        yield listener.getsockname()[:2]


@pytest.fixture(scope="module")
def live_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what a scrape gets of a server that has answered a few requests."""
    with LiveServer(tmp_path_factory.mktemp("store"), METRICS_PORT="0") as server:
        port = re.search(r"Metrics are served on port (\d+) of 127\.0\.0\.1\.", server.greeting)
        assert port
        client = build_client(server)
        assert client.post("/users", {"name": "Mina"}).status == 201
        board = client.post("/boards", {"name": "Atelier"}).json["id"]
        hook = {"url": "https://hooks.example.com/x"}
        client.post(f"/boards/{board}/webhooks", hook)
        for path in ("/boards", f"/boards/{board}", "/nowhere", f"/nowhere/{board}", "/users/me/nothing"):
            client.get(path)
        for sent in (b"GET /v1/x HTTP/9\r\n\r\n", b"BREW /v1/boards HTTP/1.1\r\nHost: x\r\n\r\n"):
            with socket.create_connection(server.host_and_port, timeout=TIMEOUT_SECONDS) as connection:
                connection.sendall(sent)
                while connection.recv(65_536):
                    pass
        return read_text(("127.0.0.1", int(port[1])))


@pytest.fixture(scope="module")
def live_scrape(live_text: str) -> Scrape:
    return parse(live_text)


def test_requests_are_counted_by_operation_and_status(live_scrape: Scrape) -> None:
    counts = get_values(live_scrape, "tackboard_requests_total", "operation", "status")

    assert counts["create_user", "201"] == counts["create_board", "201"] == 1
    assert counts["list_boards", "200"] == counts["get_board", "200"] == 1
    assert get_values(live_scrape, "tackboard_problems_total", "code")["not_found"] == 3
    assert get_values(live_scrape, "tackboard_request_duration_seconds_count", "operation")["create_board"] == 1


def test_what_the_document_does_not_have_is_one_operation(live_scrape: Scrape) -> None:
    counts = get_values(live_scrape, "tackboard_requests_total", "operation", "status")

    assert {key: count for key, count in counts.items() if key[0] == "none"} == {
        ("none", "404"): 3,
        ("none", "400"): 1,
        ("none", "405"): 1,
    }


def test_the_store_its_readers_and_the_process_are_measured(live_scrape: Scrape) -> None:
    def value(name: str) -> float:
        return live_scrape[name].samples[0].value

    assert value("tackboard_store_up") == 1
    assert value("tackboard_store_size_bytes") > 100_000
    assert value("process_resident_memory_bytes") > 10_000_000
    assert 0 <= value("tackboard_readers_behind") <= 1
    assert value("tackboard_reader_lag_seconds") < 60
    assert value("tackboard_jobs_unfinished") == value("tackboard_job_age_seconds") == 0
    assert get_values(live_scrape, "tackboard_store_calls_total", "operation")["create_board"] >= 2
    assert get_values(live_scrape, "tackboard_store_call_seconds_total", "operation")["create_board"] > 0
    (build,) = get_values(live_scrape, "tackboard_build_info", "engine")
    assert build == "sqlite"
    assert set(get_values(live_scrape, "tackboard_lane_threads", "lane")) == {
        *("read", "write", "ready", "heavy", "remote", "held")
    }


def test_names_follow_the_conventions_of_prometheus(live_scrape: Scrape) -> None:
    own = [metric for metric in live_scrape.values() if metric.name.startswith("tackboard_")]

    assert len(own) > 20
    for metric in own:
        assert metric.documentation.endswith(".")
        assert re.fullmatch("[a-z]+(_[a-z]+)*", metric.name)
        assert not re.search("_(ms|milliseconds|kb|megabytes|count)$", metric.name)
        if metric.type == "gauge":
            assert not metric.name.endswith("_total")
        assert all(re.fullmatch("[a-z]+", label) for sample in metric.samples for label in sample.labels)


def test_a_scrape_waits_for_no_request() -> None:
    may_go_on = threading.Event()
    begun = threading.Semaphore(0)

    def respond(_: object) -> Response:
        begun.release()
        assert may_go_on.wait(TIMEOUT_SECONDS)
        return Response(204, (), b"")

    metrics = Metrics("1.0.0", "sqlite")
    with run(Server(build_edge(respond), metrics=metrics)) as address, serve(metrics) as metrics_address:
        connections = [HTTPConnection(*address, timeout=TIMEOUT_SECONDS) for _ in range(4)]
        try:
            for connection in connections:
                connection.request("POST", "/v1/cards")
            for _ in range(2):
                assert begun.acquire(timeout=TIMEOUT_SECONDS)
            blocked = await_values(
                metrics_address, lambda scraped: get_values(scraped, "tackboard_lane_waiting", "lane")["write"] == 2
            )
            assert get_values(blocked, "tackboard_lane_busy_threads", "lane")["write"] == 2
            assert blocked["tackboard_connections"].samples[0].value == 4
        finally:
            may_go_on.set()
        statuses = {connection.getresponse().status for connection in connections}
        done = scrape(metrics_address)
        for connection in connections:
            connection.close()

    assert statuses == {204}
    assert get_values(done, "tackboard_requests_total", "operation", "status") == {("none", "204"): 4}
    assert get_values(done, "tackboard_request_queue_seconds_count", "lane") == {"write": 4}


def await_values(address: Address, is_reached: Callable[[Scrape], bool]) -> Scrape:
    """Scrape until something is reached."""
    ends_at = time.monotonic() + TIMEOUT_SECONDS
    while not is_reached(scraped := scrape(address)):
        assert time.monotonic() < ends_at
    return scraped


def test_a_client_that_sends_nothing_delays_no_scrape() -> None:
    metrics = Metrics("1.0.0", "sqlite")
    with serve(metrics) as address, socket.create_connection(address, timeout=TIMEOUT_SECONDS):
        assert "tackboard_build_info" in scrape(address)


def test_held_requests_have_no_duration_and_waits_are_added() -> None:
    metrics = Metrics("1.0.0", "sqlite")
    context = RequestContext()
    context.operation = SimpleNamespace(id="list_events")
    context.store_calls, context.store_seconds, context.lock_seconds = 3, 0.5, 0.25
    context.turn_seconds, context.pause_seconds, context.retries = 2.0, 0.125, 4
    context.code = "busy"

    metrics.observe(context, 503, RequestTimes(1.0, 0.5, held_seconds=25.0), "read")

    with serve(metrics) as address:
        scraped = scrape(address)
    assert get_values(scraped, "tackboard_request_wait_seconds_total", "reason") == {
        "turn": 2.0,
        "pause": 0.125,
        "lock": 0.25,
    }
    assert get_values(scraped, "tackboard_request_duration_seconds_count", "operation") == {}
    assert get_values(scraped, "tackboard_request_queue_seconds_sum", "lane") == {"read": 0.5}
    assert get_values(scraped, "tackboard_store_calls_total", "operation") == {"list_events": 3}
    assert get_values(scraped, "tackboard_commit_retries_total", "operation") == {"list_events": 4}
    assert get_values(scraped, "tackboard_problems_total", "code") == {"busy": 1}


def test_what_is_not_known_is_left_out() -> None:
    metrics = Metrics("1.0.0", "dynamodb")
    metrics.watch(lambda: [Gauge("tackboard_unknown", "Nobody knows.", None), Gauge("tackboard_known", "One.", 1)])

    with serve(metrics) as address:
        scraped = scrape(address)

    assert "tackboard_known" in scraped
    assert "tackboard_unknown" not in scraped


# The state of the store

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


class FakeStore:
    """A store of which only the state is known."""

    def __init__(self) -> None:
        self.is_away = False
        self.reads = 0
        self.feed_readers = SimpleNamespace(
            measure_backlog=lambda: Backlog(2, 30, 1, oldest_at=NOW - timedelta(seconds=40))
        )
        job = SimpleNamespace(created_at=NOW - timedelta(hours=1))
        self.jobs = SimpleNamespace(page_unended_jobs=lambda *_: SimpleNamespace(items=[job], next_key=None))

    def measure_size(self) -> int:
        """Return a size, unless the store is away."""
        self.reads += 1
        if self.is_away:
            raise Unavailable("The store is away.")
        return 4096


def test_the_state_of_a_store_is_read_now_and_then() -> None:
    store, time_now = FakeStore(), [100.0]
    reader = StoreStateReader(cast("Store", store), lambda: NOW, lambda: time_now[0])

    states = [reader.read(), reader.read()]
    time_now[0] += FRESH_SECONDS
    store.is_away = True
    states.append(reader.read())

    full = StoreState(
        is_reachable=True,
        size=4096,
        backlog=Backlog(2, 30, 1, oldest_at=NOW - timedelta(seconds=40)),
        lag_seconds=40,
        job_count=1,
        job_seconds=3600,
    )
    assert states == [full, full, StoreState(is_reachable=False)]
    assert store.reads == 2


def test_a_store_that_is_away_is_down_and_nothing_else_is_known() -> None:
    store = FakeStore()
    store.is_away = True
    reader = StoreStateReader(cast("Store", store), lambda: NOW, lambda: 0.0)

    assert [(gauge.name, gauge.value) for gauge in measure_store(reader) if gauge.value is not None] == [
        ("tackboard_store_up", 0)
    ]


# Settings


def test_without_a_port_nothing_is_loaded_or_counted() -> None:
    code = "import sys, cli.main, server.uvicorn_server, contract.edge; print('prometheus_client' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert answer.stdout == "False\n"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("METRICS_PORT", "Port {port} is taken by another program; choose another, such as METRICS_PORT=9465."),
        ("METRICS_HOST", "METRICS_HOST is 'nowhere.invalid', but there is no such address."),
    ],
)
def test_a_port_that_can_not_be_used_stops_the_start(tmp_path: Path, name: str, sentence: str) -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = {"METRICS_PORT": str(port), "METRICS_HOST": "127.0.0.1", "PORT": "0"}
        if name == "METRICS_HOST":
            settings[name] = "nowhere.invalid"
        answer = subprocess.run(
            [sys.executable, "-m", "cli", "run"],
            cwd=ROOT,
            env={"STORE_URL": f"sqlite:///{tmp_path}/tackboard.db", **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert answer.returncode == 1
    assert sentence.format(port=port) in answer.stderr
    assert not (tmp_path / "tackboard.db").exists()


# What is built on the metrics


def list_expressions() -> list[str]:
    """Return what the dashboard and the alerts ask for."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())] + [
        rule["expr"] for rule in rules
    ]


def test_every_metric_that_is_asked_for_exists(live_scrape: Scrape) -> None:
    names = set(re.findall(r"\b(?:tackboard|process)_\w+", " ".join(list_expressions())))
    known = {
        f"{metric.name}{suffix}"
        for metric in live_scrape.values()
        for suffix in {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(metric.type, [""])
    }

    assert len(names) > 20
    assert names - known == set()


def test_every_own_metric_is_on_the_dashboard(live_scrape: Scrape) -> None:
    dashboard = DASHBOARD.read_text()

    left_out = {name for name in live_scrape if name.startswith("tackboard_") and name not in dashboard}
    assert left_out == {"tackboard_lane_threads"}


def run_promtool(*arguments: str, text: str = "") -> str:
    """Run Prometheus' own tool, which must succeed, and return what it prints. Without it, skip the test."""
    promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if promtool is None:
        pytest.skip("There is no promtool: install Prometheus, or name it with PROMTOOL=/path/to/promtool.")
    answer = subprocess.run([promtool, *arguments], input=text, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_prometheus_finds_nothing_wrong_with_a_scrape(live_text: str) -> None:
    assert run_promtool("check", "metrics", text=live_text) == ""


def test_prometheus_understands_the_alerts_and_what_the_dashboard_asks_for(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(list_expressions())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    for rule_file in (ALERTS, file):
        assert "SUCCESS" in run_promtool("check", "rules", str(rule_file))


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    cells = [
        (x, y)
        for area in (panel["gridPos"] for panel in panels)
        for x in range(area["x"], area["x"] + area["w"])
        for y in range(area["y"], area["y"] + area["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_the_documentation_names_every_own_metric_and_every_alert(live_scrape: Scrape) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    rules = [rule["alert"] for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    own = [
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in live_scrape.values()
        if metric.name.startswith("tackboard_")
    ]

    assert [name for name in (*own, *rules) if f"`{name}`" not in page] == []
