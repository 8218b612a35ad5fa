"""Traces: spans of requests and of the store's calls, under the trace of the client, without client input."""

import gzip
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from app import tracing
from app.factory import create_app
from app.setting_forms import InvalidSetting
from app.tracing import Tracing, is_tracing_wanted, open_tracing
from contract.request_log import RequestLog
from contract.wsgi_application import WsgiApplication
from kanban.store import Store
from stores import open_store
from tests.api.client import Client
from tests.api.test_log import NOW
from tests.api.test_socket import build_client
from tests.aws.test_request_records import CANARY
from tests.live_server import ROOT, LiveServer

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"


class Traced:
    """An application whose spans are kept, and its log."""

    def __init__(self, folder: Path, provider: TracerProvider) -> None:
        self.exporter = InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        traces = Tracing(provider, "sqlite")
        self.lines: list[Mapping[str, Any]] = []
        self.store: Store = open_store(f"sqlite:///{folder}/tackboard.db", on_call=traces.record_store_call)
        self.application: WsgiApplication = create_app(self.store, open_signup=True, trace=traces.trace)
        log = RequestLog(self.application, lambda: NOW, lambda: 0.0, self.lines.append)
        user = Client(log).post("/users", {"id": "mina", "name": "Mina"}).json
        self.client = Client(log, user["token"])
        self.exporter.clear()

    def take_spans(self) -> list[ReadableSpan]:
        """Return the spans that have ended since the last call."""
        spans = list(self.exporter.get_finished_spans())
        self.exporter.clear()
        return spans


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Traced]:
    traced = Traced(tmp_path, TracerProvider())
    with closing(traced.store):
        yield traced


def get_attributes(span: ReadableSpan) -> dict[str, Any]:
    """Return the attributes of a span."""
    return dict(span.attributes or {})


def test_a_request_is_a_span_with_the_names_of_the_conventions(traced: Traced) -> None:
    board = traced.client.post("/boards", {"name": "Atelier"}).json["id"]
    traced.take_spans()

    traced.client.get(f"/boards/{board}?embed=lists")

    *_, span = traced.take_spans()
    assert (span.name, span.kind) == ("GET /v1/boards/{board_id}", SpanKind.SERVER)
    assert get_attributes(span) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/v1/boards/{board_id}",
        "url.path": f"/v1/boards/{board}",
        "url.scheme": "http",
        "user.id": "mina",
        "tackboard.operation": "get_board",
        "tackboard.request_id": traced.lines[-1]["request_id"],
    }


def test_the_trace_of_the_client_goes_on_and_is_in_the_log(traced: Traced) -> None:
    traced.client.get("/boards", Traceparent=TRACEPARENT, Tracestate="vendor=1")

    *_, span = traced.take_spans()
    assert span.parent
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE_ID, PARENT_ID)
    assert span.context
    assert span.context.trace_state.get("vendor") == "1"
    assert traced.lines[-1]["trace_id"] == TRACE_ID


@pytest.mark.parametrize(
    "traceparent", ["", "00-1-2-01", f"00-{'0' * 32}-{PARENT_ID}-01", f"{TRACEPARENT},{TRACEPARENT}"]
)
def test_a_client_with_an_invalid_trace_begins_a_new_one(traced: Traced, traceparent: str) -> None:
    assert traced.client.get("/boards", Traceparent=traceparent).status == 200

    *_, span = traced.take_spans()
    assert span.parent is None
    assert span.context
    assert traced.lines[-1]["trace_id"] == f"{span.context.trace_id:032x}"


def test_calls_of_the_store_are_spans_below_that_of_the_request(traced: Traced) -> None:
    traced.client.post("/boards", {"name": "Atelier"})

    *calls, request = traced.take_spans()
    names = [span.name for span in calls]
    assert "store write" in names
    assert set(names) == {"store read", "store write"}
    assert len(calls) == traced.lines[-1]["store_calls"]
    assert request.context
    for span in calls:
        assert span.parent
        assert span.parent.span_id == request.context.span_id
        assert span.kind == SpanKind.CLIENT
        assert get_attributes(span)["db.system.name"] == "sqlite"
        assert request.start_time is not None
        assert span.start_time is not None
        assert request.start_time <= span.start_time + 1_000_000


def test_failures_are_errors_and_no_span_has_client_input(
    traced: Traced, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(traced.store, "page_boards", crash)
    with caplog.at_level(logging.CRITICAL):
        traced.client.get("/boards")
    traced.client.get(f"/boards/{CANARY}?x={CANARY}", User_Agent=CANARY)
    traced.client.get(f"/{CANARY}")
    spans = traced.take_spans()

    failed, *_ = (span for span in spans if span.status.status_code is StatusCode.ERROR)
    assert get_attributes(failed)["error.type"] == "500"
    assert get_attributes(failed)["http.response.status_code"] == 500
    assert spans[-1].name == "GET"
    assert CANARY not in "".join(str(span.to_json()) for span in spans)


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_what_supervisors_request_is_not_traced(traced: Traced, path: str) -> None:
    traced.client.get(path)

    assert traced.take_spans() == []
    assert "trace_id" not in traced.lines[-1]


def test_a_trace_that_is_not_sampled_has_no_spans_but_its_id(tmp_path: Path) -> None:
    traced = Traced(tmp_path, TracerProvider(sampler=ALWAYS_OFF))
    with closing(traced.store):
        traced.client.get("/boards", Traceparent=TRACEPARENT)

    assert traced.take_spans() == []
    assert traced.lines[-1]["trace_id"] == TRACE_ID
    assert traced.lines[-1]["store_calls"] > 0


# Settings


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "kanban"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, False),
    ],
)
def test_the_environment_decides_whether_to_trace(environment: Mapping[str, str], expected: object) -> None:
    assert is_tracing_wanted(environment) is expected


@pytest.mark.parametrize(
    ("environment", "entry"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is 'zipkin', which needs 'zipkin'"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_TRACES_EXPORTER is 'otlp', which needs 'otlp_proto_grpc'",
        ),
    ],
)
def test_an_exporter_that_is_not_installed_stops_the_start(environment: Mapping[str, str], entry: str) -> None:
    with pytest.raises(InvalidSetting) as error:
        open_tracing(environment, "sqlite")

    assert str(error.value) == f"{entry}, but installed is console or otlp_proto_http."


def test_without_the_packages_a_warning_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def find_nothing(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(tracing, "find_spec", find_nothing)

    assert open_tracing({"OTEL_TRACES_EXPORTER": "otlp"}, "sqlite") is None
    assert "tackboard-server[tracing]" in caplog.text


def test_without_settings_nothing_is_loaded(tmp_path: Path) -> None:
    code = "import sys, wsgi; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    environment = {"STORE_URL": f"sqlite:///{tmp_path}/tackboard.db"}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert answer.stdout == "[]\n"


# A collector


@contextmanager
def run_collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Run a collector that takes traces by OTLP; yield its address and what it has got."""
    received: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take spans."""
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            request = ExportTraceServiceRequest()
            request.ParseFromString(body)
            received.append(request)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


def test_a_server_sends_its_spans_to_a_collector_before_it_ends(tmp_path: Path) -> None:
    with run_collector() as (address, received):
        with LiveServer(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=address) as server:
            assert build_client(server).get("/boards", Traceparent=TRACEPARENT).status == 200
            status, _ = server.stop()
        (line,) = (line for line in server.log if line["operation"] == "list_boards")

    assert (status, line["trace_id"], server.errors) == (0, TRACE_ID, "")
    resources = [spans for request in received for spans in request.resource_spans]
    spans = [span for resource in resources for scope in resource.scope_spans for span in scope.spans]
    assert "GET /v1/boards" in [span.name for span in spans]
    assert {span.trace_id.hex() for span in spans} == {TRACE_ID}
    names = {attribute.key: attribute.value.string_value for attribute in resources[0].resource.attributes}
    assert names["service.name"] == "tackboard"
    assert names["service.version"]


def test_a_server_stops_soon_without_its_collector(tmp_path: Path) -> None:
    # Nothing listens there.
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SERVICE_NAME": "kanban"}
    with LiveServer(tmp_path, **settings) as server:
        assert build_client(server).get("/boards").status == 200
        status, farewell = server.stop()
        others = [json.loads(line) for line in server.errors.splitlines()]

    assert (status, farewell) == (0, "Stopped.\n")
    assert all(line["logger"].startswith("opentelemetry.") for line in others)
