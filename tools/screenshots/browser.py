"""Run an empty Tackboard on a free port, and a browser to open it."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from tempfile import TemporaryDirectory
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from playwright.sync_api import Browser, Playwright

from app.factory import create_app
from stores import open_store


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    """A server for a browser, which requests several files at once."""

    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's.
        """Log nothing."""


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def serve(clock: Callable[[], datetime] = _now) -> Iterator[str]:
    """Run an empty Tackboard with that clock, where anyone may sign up, and yield its address."""
    with TemporaryDirectory() as folder, closing(open_store(f"sqlite:///{folder}/tackboard.db")) as store:
        application = create_app(store, clock=clock, open_signup=True)
        server = make_server("127.0.0.1", 0, application, server_class=_ThreadingServer, handler_class=_SilentHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()


def launch_chromium(playwright: Playwright) -> Browser:
    """Launch the Chromium of this machine, or the one that CHROMIUM names."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    return playwright.chromium.launch(executable_path=program, chromium_sandbox=os.geteuid() != 0)
