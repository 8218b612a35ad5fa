"""The server for one machine: uvicorn, in one process, with an event loop for clients and a few threads for answers.

Slow, idle and hostile clients cost a connection and nothing else. Every rejected request gets a problem document.
"""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import uvicorn

from contract.edge import Edge
from contract.request_log import RequestLog
from server.asgi_application import MAX_WAITING, AsgiApplication, Lanes
from server.followers import FollowSettings, ReadSeqs
from server.http_protocol import HttpProtocol, Patience
from server.open_connections import Connections, allow_connections

if TYPE_CHECKING:
    from server.metrics import Gauge, Metrics

_SWITCH_INTERVAL_SECONDS = 0.001
"""For how long a thread computes while others wait. The event loop waits for such turns, Python's own are 5 ms."""

_BACKLOG = 512
"""How many connections the system accepts for the server before it does. It takes all of these at once."""
_MAX_OVERDUE_PER_TICK = 100
"""How many connections are closed at most in each tenth of a second, so that this delays no request."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The settings of a server."""

    quick_thread_count: int = 1
    """How many threads answer reads. Writes have one more.

    Python runs one at a time: with a store on this machine, more of them only wait for each other. More are of use
    where they wait for a store behind a network.
    """
    max_waiting: int = MAX_WAITING
    """How many requests may wait for these threads, each kind. One more is answered with 503."""
    body_seconds: float = 30.0
    """How long any body may take to arrive; a long one may take longer."""
    mount: str = ""
    """The prefix of all paths in the client's URLs, such as `/kanban`; empty if there is none."""
    patience: Patience = field(default_factory=Patience)
    follow: FollowSettings = field(default_factory=FollowSettings)
    shutdown_seconds: int = 5
    """How long the end may take. What is not answered then is answered with 503."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 chooses a free one. Raises OSError, also if the host does not exist."""
    family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server((host, port), family=family)


def serve(
    edge: Edge,
    listener: socket.socket,
    log: RequestLog | None = None,
    settings: ServerSettings = ServerSettings(),
    read_seqs: ReadSeqs | None = None,
    *,
    metrics: "Metrics | None" = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests that have arrived, as long as the settings say.

    `read_seqs` returns the seqs of boards: what other processes commit is news for clients that wait for it.
    Must be called in the main thread, which ignores further signals to stop afterwards.
    """
    server = Server(edge, log, settings, read_seqs, metrics=metrics)
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        signal.signal(number, lambda *_: server.stop())
    _keep_pauses_short()
    server.run_on(listener)
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


class Server(uvicorn.Server):
    """A server that leaves signals to whoever starts it."""

    def __init__(
        self,
        edge: Edge,
        log: RequestLog | None = None,
        settings: ServerSettings = ServerSettings(),
        read_seqs: ReadSeqs | None = None,
        *,
        metrics: "Metrics | None" = None,
    ) -> None:
        """Serve an edge. Without a log nothing is logged, and without metrics nothing is counted."""
        self._lanes = Lanes(settings.quick_thread_count, settings.max_waiting)
        max_connections = allow_connections()
        # There has to be room for clients that don't follow.
        max_followers = min(settings.follow.max_followers, max_connections // 2)
        self.application = AsgiApplication(
            edge,
            self._lanes,
            log,
            body_seconds=settings.body_seconds,
            mount=settings.mount,
            follow_settings=replace(settings.follow, max_followers=max_followers),
            read_seqs=read_seqs,
            observe=metrics.observe if metrics else None,
        )
        self._connections = Connections(max_connections)
        if metrics:
            metrics.watch(self._measure)
        protocol: Any = partial(
            HttpProtocol,
            patience=settings.patience,
            open_connections=self._connections,
            reject=self.application.reject,
        )
        super().__init__(
            uvicorn.Config(
                self.application,
                http=protocol,
                loop="asyncio",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                # The edge decides which proxies are believed.
                proxy_headers=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_graceful_shutdown=settings.shutdown_seconds,
            )
        )

    def run_on(self, listener: socket.socket) -> None:
        """Serve on a listening socket until `stop` is called."""
        # Connections inherit it: without it, a part of a response waits until the client has confirmed the one before.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.run(sockets=[listener])
        finally:
            self._lanes.close()

    def stop(self) -> None:
        """Make `run_on` finish the requests that have arrived, and end. Any thread may call it."""
        self.should_exit = True

    def _measure(self) -> "Iterator[Gauge]":
        """Yield what a scrape of the metrics shows of the server."""
        from server.metrics import Gauge  # noqa: PLC0415 - only who counts needs the library.

        yield Gauge("tackboard_connections", "Open connections.", self._connections.count)
        held_count = self.application.held_count
        yield Gauge("tackboard_held_requests", "Requests that wait for news or are answered with a stream.", held_count)
        for lane in self._lanes.all:
            labels = {"lane": lane.name}
            yield Gauge("tackboard_lane_threads", "Threads of a lane.", lane.thread_count, labels)
            yield Gauge("tackboard_lane_busy_threads", "Threads of a lane that are at work.", lane.busy_count, labels)
            yield Gauge("tackboard_lane_waiting", "Requests that wait for a thread.", lane.waiting_count, labels)

    async def on_tick(self, counter: int) -> bool:
        """Do what is due each tenth of a second; return whether to stop."""
        now = asyncio.get_running_loop().time()
        connections: Any = self.server_state.connections
        for connection in tuple(islice((one for one in connections if one.is_overdue(now)), _MAX_OVERDUE_PER_TICK)):
            connection.end_wait(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is held, then the rest: uvicorn waits for all responses before it tells the application."""
        self.application.stop()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again at the end, and the process would end with them."""
        yield


def _keep_pauses_short() -> None:
    """Bound how long a thread that computes, or a garbage collection, keeps all other threads waiting."""
    sys.setswitchinterval(_SWITCH_INTERVAL_SECONDS)
    # No thread runs during a collection. What the start has made stays until the end: visiting all of it each time
    # takes longer than visiting what requests hold.
    gc.collect()
    gc.freeze()
