"""A server over HTTP that does what a test says with each request; over TLS, if it has a certificate."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pytest

from tests.engines.dynamodb_server import START_SECONDS


class ReceivedRequest(NamedTuple):
    """A request as it came over the wire; the names of its headers are in lower case."""

    start: str
    headers: dict[str, str]
    body: bytes


Reaction = Callable[[ReceivedRequest, socket.socket], bool]
"""What the server does with a request on a connection. It returns whether the connection stays open."""


def respond(body: bytes, status: str = "200 OK", headers: str = "") -> Reaction:
    """Return a reaction that sends a response and leaves the connection open."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"

    def send(_: ReceivedRequest, connection: socket.socket) -> bool:
        connection.sendall(head.encode() + body)
        return True

    return send


def send_and_close(content: bytes) -> Reaction:
    """Return a reaction that sends anything and closes the connection."""

    def send(_: ReceivedRequest, connection: socket.socket) -> bool:
        connection.sendall(content)
        return False

    return send


def send_nothing(_: ReceivedRequest, __: socket.socket) -> bool:
    """Let the client wait."""
    return True


class ScriptedServer:
    """A server that reacts as it is told.

    Attributes:
        reactions: What it does with each request; the last one is for all further requests.
        requests: The requests that came, in order.
        connections: How many connections were opened.
        url: The address of the server.
    """

    def __init__(self, *reactions: Reaction, tls: ssl.SSLContext | None = None) -> None:
        self.reactions = [*reactions]
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listening.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept)]

    @contextmanager
    def run(self) -> Iterator["ScriptedServer"]:
        """Serve within the context."""
        self._threads[0].start()
        try:
            yield self
        finally:
            for opened in (self._listening, *self._sockets):
                with suppress(OSError):
                    opened.shutdown(socket.SHUT_RDWR)
            for thread in self._threads:
                thread.join(START_SECONDS)
            for opened in (self._listening, *self._sockets):
                opened.close()

    def close_idle_connections(self) -> None:
        """Close what is open, as servers do with connections that are not used for a while."""
        for opened in self._sockets:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                self._sockets.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # Clients that trust no certificate, or wait no longer, leave in the middle.
        with suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._sockets.append(connection)
            with connection.makefile("rb") as stream:
                while request := _read_request(stream):
                    with self._lock:
                        self.requests.append(request)
                        react = self.reactions.pop(0) if len(self.reactions) > 1 else self.reactions[0]
                    if not react(request, connection):
                        break
            connection.shutdown(socket.SHUT_RDWR)


def _read_request(stream: BinaryIO) -> ReceivedRequest | None:
    start = stream.readline().decode().rstrip()
    if not start:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline().decode().rstrip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return ReceivedRequest(start, headers, stream.read(int(headers.get("content-length", "0"))))


class Certificates(NamedTuple):
    """Files in PEM format.

    Attributes:
        authority: The certificate of an authority.
        server: A certificate for 127.0.0.1 that the authority signed.
        other_server: One that it signed for another server.
        key: The key of both servers.
        own: A certificate for 127.0.0.1 that is signed by nobody else.
    """

    authority: Path
    server: Path
    other_server: Path
    key: Path
    own: Path

    def serve(self, certificate: Path) -> ssl.SSLContext:
        """Return what a server needs to identify itself by one of the certificates."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, self.key)
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Create an authority and certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    files = Certificates(*(folder / f"{name}.pem" for name in Certificates._fields))
    authority_key = folder / "authority_key.pem"
    for key in (authority_key, files.key):
        run_openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    own = ("-addext", "subjectAltName=IP:127.0.0.1", "-subj", "/CN=own", "-key", files.key, "-out", files.own)
    run_openssl("req", "-x509", "-days", "2", *own)
    run_openssl(
        *("req", "-x509", "-days", "2", "-subj", "/CN=authority", "-key", authority_key, "-out", files.authority)
    )
    for certificate, name in ((files.server, "IP:127.0.0.1"), (files.other_server, "DNS:example.com")):
        request, extensions = folder / "request.pem", folder / "extensions"
        extensions.write_text(f"subjectAltName={name}\n")
        run_openssl("req", "-new", "-subj", "/CN=server", "-key", files.key, "-out", request)
        signed_by = ("-CA", files.authority, "-CAkey", authority_key, "-CAcreateserial", "-extfile", extensions)
        run_openssl("x509", "-req", "-days", "2", "-in", request, *signed_by, "-out", certificate)
    return files


def run_openssl(*arguments: str | Path) -> None:
    """Run a command of openssl."""
    program = os.environ.get("OPENSSL") or shutil.which("openssl")
    if not program:
        pytest.fail("There is no openssl: install it, or name it with OPENSSL=/path/to/openssl.", pytrace=False)
    subprocess.run([program, *arguments], check=True, capture_output=True)
