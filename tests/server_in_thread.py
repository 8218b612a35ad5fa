"""The server of one machine in a thread of a test, with settings that a test chooses."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from contract.edge import Edge
from contract.messages import Request, Response
from server.uvicorn_server import Server, ServerSettings, listen


@contextmanager
def run_server(edge: Edge, settings: ServerSettings | None = None) -> Iterator[tuple[str, int]]:
    """Serve an edge on a free port; the value is host and port."""
    with run(Server(edge, settings=settings or ServerSettings())) as address:
        yield address


@contextmanager
def run(server: Server) -> Iterator[tuple[str, int]]:
    """Let a server serve on a free port; the value is host and port."""
    listener = listen("127.0.0.1", 0)
    host, port = listener.getsockname()[:2]
    thread = threading.Thread(target=server.run_on, args=[listener])
    thread.start()
    try:
        yield host, port
    finally:
        server.stop()
        thread.join()


def build_edge(respond: Callable[[Request], Response]) -> Edge:
    """Return the edge around a function."""
    return Edge(respond, new_request_id=lambda: "made-here")
