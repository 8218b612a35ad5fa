"""Serve metrics beside a server, if METRICS_PORT asks for them. Nothing else imports what counts them."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.document import read_version
from app.store_state import StoreStateReader
from app.wall_clock import utc_now
from kanban.store import Store
from readers.reader_thread import ReaderThread
from server.metrics import Gauge, Metrics


@contextmanager
def serve_metrics(listener: socket.socket, store: Store, store_url: str, readers: ReaderThread) -> Iterator[Metrics]:
    """Serve metrics on a listening socket within this context; the value is what counts requests."""
    metrics = Metrics(read_version(), store_url.partition(":")[0].partition("+")[0])
    state_reader = StoreStateReader(store, utc_now, time.monotonic)
    metrics.watch(lambda: measure_store(state_reader))
    metrics.watch(lambda: [Gauge("tackboard_background_running", "Readers and jobs at work.", readers.running_count)])
    with metrics.serve(listener):
        yield metrics


def measure_store(state_reader: StoreStateReader) -> Iterator[Gauge]:
    """Yield the gauges of a store, its readers and its jobs."""
    state = state_reader.read()
    yield Gauge("tackboard_store_up", "Whether the store answers.", int(state.is_reachable))
    yield Gauge("tackboard_store_size_bytes", "How large the store is.", state.size)
    if state.backlog is not None:
        backlog = state.backlog
        yield Gauge("tackboard_readers_behind", "Webhooks with events to deliver.", backlog.behind_count)
        yield Gauge("tackboard_readers_failing", "Webhooks that wait for another attempt.", backlog.failing_count)
        yield Gauge("tackboard_reader_events_waiting", "Events that webhooks have not read.", backlog.event_count)
    yield Gauge(
        "tackboard_reader_lag_seconds", "Age of the oldest event that a webhook has not read.", state.lag_seconds
    )
    yield Gauge("tackboard_jobs_unfinished", "Jobs that have not ended.", state.job_count)
    yield Gauge("tackboard_job_age_seconds", "Age of the oldest job that has not ended.", state.job_seconds)
