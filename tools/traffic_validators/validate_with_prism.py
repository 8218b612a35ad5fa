"""Validate recorded traffic with Prism: every response must match the document, and every successful request.

`validate_with_prism.py PROGRAM openapi.json traffic.jsonl` sends each request to Prism, which forwards it to a server
that sends the recorded response. What Prism finds is in the header `sl-violations`. The program prints each violation,
and how many exchanges were validated. It uses the standard library only.
"""

import base64
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

EXCHANGE_HEADER = "X-Exchange"
"""The header that tells the server behind Prism which response to send."""

_CONNECTION_HEADERS = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "keep-alive"}
"""Headers of a connection, not of an exchange."""

_THREADS = 4
_START_SECONDS = 60


class ReplayHandler(BaseHTTPRequestHandler):
    """Sends the recorded responses."""

    protocol_version = "HTTP/1.1"
    exchanges: list[dict[str, Any]]

    def answer(self) -> None:
        """Send the recorded response to the exchange that the request's header names."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        exchange = self.exchanges[int(self.headers[EXCHANGE_HEADER])]
        body = base64.b64decode(exchange["body"])
        self.send_response(exchange["status"])
        for name, value in exchange["headers"].items():
            if name.lower() not in _CONNECTION_HEADERS | {"date", "server"}:
                self.send_header(name, value)
        if exchange["status"] not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server looks for these names.

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it.
        """Log nothing."""


def find_violations(port: int, base: str, number: int, exchange: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what Prism finds in one exchange. If the request was rejected, only its response is validated."""
    was_accepted = exchange["status"] < HTTPStatus.BAD_REQUEST
    headers = {
        name: value for name, value in exchange["request_headers"].items() if name.lower() not in _CONNECTION_HEADERS
    }
    address = urlsplit(exchange["url"])
    # Prism expects the paths of the document, without the base path of the server.
    target = address.path.removeprefix(base) + (f"?{address.query}" if address.query else "")
    # Prism parses the body first, and answers by itself if it isn't JSON. So rejected bodies are not sent.
    body = base64.b64decode(exchange["sent"]) or None if was_accepted else None
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(exchange["method"], target, body, {**headers, EXCHANGE_HEADER: str(number)})
        response = connection.getresponse()
        response.read()
    violations: list[dict[str, Any]] = json.loads(response.headers.get("sl-violations") or "[]")
    if response.status != exchange["status"]:
        violations.append({"location": ["proxy"], "code": str(response.status), "message": "Prism answered by itself."})
    return [violation for violation in violations if was_accepted or violation["location"][:1] != ["request"]]


def main(program: str, document: str, traffic: str) -> int:
    """Validate the traffic. Return the exit status: 1 if anything doesn't match."""
    recorded = [json.loads(line) for line in Path(traffic).read_text().splitlines()]
    # The document has no operation for a method that isn't allowed, so there is nothing to validate.
    ReplayHandler.exchanges = [exchange for exchange in recorded if exchange["status"] != HTTPStatus.METHOD_NOT_ALLOWED]
    base = urlsplit(json.loads(Path(document).read_bytes())["servers"][0]["url"]).path
    counts: Counter[str] = Counter()
    with _run_prism(program, document) as port, ThreadPoolExecutor(_THREADS) as threads:
        numbers = range(len(ReplayHandler.exchanges))
        results = threads.map(
            lambda number: find_violations(port, base, number, ReplayHandler.exchanges[number]), numbers
        )
        for exchange, violations in zip(ReplayHandler.exchanges, results, strict=True):
            for violation in violations:
                path = ".".join(map(str, violation["location"]))
                message = f"{path} {violation.get('code', '')}: {violation['message'][:200]}"
                counts[f"{exchange['operation']} {exchange['status']}: {message}"] += 1
    for message, count in counts.most_common(40):
        print(f"{message} ({count} times)")
    validated, skipped = len(ReplayHandler.exchanges), len(recorded) - len(ReplayHandler.exchanges)
    print(f"Prism: {validated} exchanges validated, {counts.total()} violations, {skipped} without an operation")
    return 1 if counts else 0


@contextmanager
def _run_prism(program: str, document: str) -> Iterator[int]:
    """Run Prism in front of the recorded responses, and yield its port."""
    port = _free_port()
    with ThreadingHTTPServer(("127.0.0.1", 0), ReplayHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [program, "proxy", document, f"http://127.0.0.1:{server.server_port}", "--port", str(port)]
        # Some of the recorded requests have more headers than Node takes by itself.
        environment = os.environ | {"NODE_OPTIONS": "--max-http-header-size=131072"}
        with subprocess.Popen([*command, "--verboseLevel", "fatal"], env=environment) as prism:
            try:
                _wait_for(port)
                yield port
            finally:
                prism.terminate()
                server.shutdown()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("Prism didn't start.")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
