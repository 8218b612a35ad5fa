"""A meter in front of a DynamoDB on this machine: what the calls of a store consume, as DynamoDB would charge it."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_WRITES = frozenset(
    f"DynamoDB_20120810.{operation}"
    for operation in ("BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem")
)
_METERED = _WRITES | {
    f"DynamoDB_20120810.{operation}" for operation in ("BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems")
}


@dataclass(slots=True)
class Units:
    """Capacity units: of reads, of writes to the table, and of writes to its indexes."""

    reads: float = 0
    table_writes: float = 0
    index_writes: float = 0


class Meter:
    """Forwards calls to `server`, and adds up what they consume in `units`. Its own address is `address`."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.units = Units()
        self.address = ""

    def forward(self, target: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the server's response, and count what the call consumed."""
        if target in _METERED:
            body = json.dumps(json.loads(body) | {"ReturnConsumedCapacity": "INDEXES"}).encode()
        with closing(HTTPConnection(urlsplit(self.server).netloc, timeout=30)) as connection:
            connection.request("POST", "/", body, headers)
            response = connection.getresponse()
            content = response.read()
        if target in _METERED and response.status == HTTPStatus.OK:
            consumed = json.loads(content)["ConsumedCapacity"]
            for table in consumed if isinstance(consumed, list) else [consumed]:
                self._count(table, is_write=target in _WRITES)
        return response.status, dict(response.getheaders()), content

    def _count(self, consumed: Any, *, is_write: bool) -> None:
        if is_write:
            in_table = consumed["Table"]["CapacityUnits"]
            self.units.table_writes += in_table
            self.units.index_writes += consumed["CapacityUnits"] - in_table
        else:
            self.units.reads += consumed["CapacityUnits"]


@contextmanager
def run_meter(server: str) -> Iterator[Meter]:
    """Run a meter in front of a server."""
    meter = Meter(server)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name: value for name, value in self.headers.items() if name != "Content-Length"}
            status, response_headers, content = meter.forward(self.headers["X-Amz-Target"], headers, body)
            self.send_response(status)
            for name, value in response_headers.items():
                if name.lower() not in {"connection", "content-length", "date", "server", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  (as http.server names it)
            """Write no line for each call."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        thread = threading.Thread(target=http_server.serve_forever)
        thread.start()
        meter.address = f"http://127.0.0.1:{http_server.server_address[1]}"
        try:
            yield meter
        finally:
            http_server.shutdown()
            thread.join()
