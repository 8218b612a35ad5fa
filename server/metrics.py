"""Metrics for Prometheus: counted with each request, and served on a port of their own.

A scrape is answered by a thread of its own, so it waits for no request. What doesn't change with requests, such as how
long a queue is, is read when a scrape asks for it. Labels have few values: operations and codes are those of the
document, and every path that it doesn't have is one operation, `none`.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    make_wsgi_app,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contract.request_context import RequestContext
from contract.request_log import RequestTimes

DURATION_BUCKETS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
"""Few, because each operation has all of them."""

_CLIENT_SECONDS = 10.0
"""How long a client of the metrics may send or receive nothing."""

# When a series began is of no use here, and would double their number.
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that is measured when it is asked for; None if it isn't known. A label gives it several values."""

    name: str
    description: str
    value: float | None
    labels: Mapping[str, str] = field(default_factory=dict)


class Metrics:
    """All metrics of a server. Threads may share it."""

    def __init__(self, version: str, engine: str) -> None:
        """Take the version of Tackboard, and the kind of its store."""
        self.registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._requests = Counter(
            "tackboard_requests", "Requests that were answered.", ("operation", "status"), registry=registry
        )
        self._problems = Counter(
            "tackboard_problems", "Problem documents that were sent, by code.", ("code",), registry=registry
        )
        self._durations = Histogram(
            "tackboard_request_duration_seconds",
            "How long requests took that were not held, without the wait for a thread.",
            ("operation",),
            buckets=DURATION_BUCKETS,
            registry=registry,
        )
        self._queue_durations = Histogram(
            "tackboard_request_queue_seconds",
            "How long requests waited for a thread of their lane.",
            ("lane",),
            buckets=DURATION_BUCKETS,
            registry=registry,
        )
        self._waits = Counter(
            "tackboard_request_wait_seconds",
            "How long requests waited: for their turn at a board, between attempts, for the store's lock.",
            ("reason",),
            registry=registry,
        )
        self._store_calls = Counter(
            "tackboard_store_calls", "Calls of the store by requests.", ("operation",), registry=registry
        )
        self._store_seconds = Counter(
            "tackboard_store_call_seconds",
            "How long requests called the store, with its lock.",
            ("operation",),
            registry=registry,
        )
        self._retries = Counter(
            "tackboard_commit_retries",
            "Attempts to commit that were repeated because somebody else was first.",
            ("operation",),
            registry=registry,
        )
        self.watch(lambda: [Gauge("tackboard_build_info", "What runs.", 1, {"version": version, "engine": engine})])
        self._children: dict[tuple[Counter | Histogram, tuple[str, ...]], Any] = {}
        for reason in ("turn", "pause", "lock"):
            self._child(self._waits, reason)

    def watch(self, measure: Callable[[], Iterable[Gauge]]) -> None:
        """Measure gauges at each scrape."""
        self.registry.register(_GaugeCollector(measure))

    def observe(self, context: RequestContext, status: int, times: RequestTimes, lane: str) -> None:
        """Count a request. The lane is empty if it needed no thread."""
        operation = context.operation.id if context.operation else "page" if context.page else "none"
        self._child(self._requests, operation, str(status)).inc()
        if times.held_seconds is None:
            self._child(self._durations, operation).observe(times.seconds)
        if lane:
            self._child(self._queue_durations, lane).observe(times.queue_seconds)
        if context.code is not None:
            self._child(self._problems, context.code).inc()
        if context.store_calls:
            self._child(self._store_calls, operation).inc(context.store_calls)
            self._child(self._store_seconds, operation).inc(context.store_seconds)
            self._child(self._waits, "lock").inc(context.lock_seconds)
        if context.turn_seconds:
            self._child(self._waits, "turn").inc(context.turn_seconds)
        if context.retries:
            self._child(self._retries, operation).inc(context.retries)
            self._child(self._waits, "pause").inc(context.pause_seconds)

    def _child(self, metric: Counter | Histogram, *labels: str) -> Any:
        """Return what counts for these labels. To look it up in the library takes longer than to count."""
        key = metric, labels
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child

    @contextmanager
    def serve(self, listener: socket.socket) -> Iterator[None]:
        """Answer scrapes on a listening socket within this context."""
        server = _MetricsServer(listener)
        server.set_app(make_wsgi_app(self.registry))
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _GaugeCollector(Collector):
    """Turns gauges into what the library writes."""

    def __init__(self, measure: Callable[[], Iterable[Gauge]]) -> None:
        self._measure = measure

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering it measures nothing."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Measure, and return those gauges that are known."""
        families: dict[str, GaugeMetricFamily] = {}
        for gauge in self._measure():
            if gauge.value is None:
                continue
            family = families.get(gauge.name)
            if family is None:
                family = GaugeMetricFamily(gauge.name, gauge.description, labels=[*gauge.labels])
                families[gauge.name] = family
            family.add_metric([*gauge.labels.values()], gauge.value)
        return families.values()


class _Handler(WSGIRequestHandler):
    """Answers one scrape, and doesn't wait for its client for ever."""

    timeout = _CLIENT_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class names it.
        """Write nothing: scrapes are no requests of users."""


class _MetricsServer(ThreadingMixIn, WSGIServer):
    """Serves on a socket that already listens."""

    daemon_threads = True

    def __init__(self, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__((host, port), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        # What WSGIServer learns when it binds, which would look up the name of the host.
        self.server_name, self.server_port = host, port
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing about a client that went away."""
