"""A receiver of webhooks on loopback, which keeps the messages that it gets."""

import base64
import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NETWORK = "127.0.0.0/8"
"""What the operator has to permit for it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was received."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Return the id, which is the same for each attempt."""
        return self.headers["webhook-id"]

    def is_signed_with(self, secret: str) -> bool:
        """Tell whether one of the signatures is that of a secret, as Standard Webhooks describes it."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        signature = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        return signature in self.headers["webhook-signature"].split()

    def read_event_types(self) -> list[str]:
        """Return the types of the events in it."""
        events: list[dict[str, Any]] = json.loads(self.body)["data"]["events"]
        return [event["type"] for event in events]


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that responds with these statuses in turn, and with 204 after them."""

    url: str
    statuses: "queue.SimpleQueue[int]"
    messages: "queue.SimpleQueue[Message]"


@contextmanager
def run_receiver() -> Iterator[Receiver]:
    """Run a receiver."""
    statuses: queue.SimpleQueue[int] = queue.SimpleQueue()
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            messages.put(Message({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204 if statuses.empty() else statuses.get())
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook", statuses, messages)
    finally:
        server.shutdown()
        server.server_close()
