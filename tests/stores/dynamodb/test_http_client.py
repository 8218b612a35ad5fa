"""Our own client on real connections: what it sends, which responses it takes, and how it fails."""

import json
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest

from stores.dynamodb.calls import CallNotPossible, CallRejected, OutcomeUnknown
from stores.dynamodb.connecting import connect, find_ca_bundle
from stores.dynamodb.connections import ConnectionPool
from stores.dynamodb.http_client import HttpClient
from stores.dynamodb.sdk_client import SdkClient, create_sdk_client
from stores.dynamodb.signing import Credentials, CredentialsProvider, RequestSigner
from tests.engines.dynamodb_server import require_sdk
from tests.engines.scripted_server import (
    Certificates,
    Reaction,
    ReceivedRequest,
    ScriptedServer,
    certificates,
    respond,
    send_and_close,
    send_nothing,
)

__all__ = ["certificates"]

CREDENTIALS = Credentials("AKIDEXAMPLE", "a secret", "a session's token")
REQUEST = {
    "TableName": "tackboard",
    "Key": {"pk": {"S": "B#brd_1"}, "sk": {"S": "Zürich ✓"}},
    "ConsistentRead": True,
}
EMPTY = respond(b"{}")
HTML = b"<html><body>Bad gateway</body></html>"


def create_client(url: str, read_seconds: float = 5, ca_bundle: str | None = None) -> HttpClient:
    pool = ConnectionPool(url, ca_bundle or find_ca_bundle(), connect_seconds=5, read_seconds=read_seconds)
    return HttpClient(pool, RequestSigner(url, "eu-central-1", lambda: lambda: CREDENTIALS))


@contextmanager
def serve(*reactions: Reaction) -> Iterator[tuple[ScriptedServer, HttpClient]]:
    """Run a server that does this, with a client of it."""
    with ScriptedServer(*reactions).run() as server, closing(create_client(server.url)) as client:
        yield server, client


# Requests


def test_a_request_is_what_the_sdk_sends() -> None:
    put = {"TableName": "tackboard", "Item": {"pk": {"S": "a"}, "body": {"B": b"\x00\xff"}, "n": {"N": "1"}}}
    with serve(EMPTY) as (server, client):
        sdk_client = SdkClient(create_sdk_client("eu-central-1", server.url, CREDENTIALS))
        for called in (client, sdk_client):
            called("get_item", REQUEST)
            called("put_item", put)
        sdk_client.close()

    ours, by_sdk = server.requests[:2], server.requests[2:]

    for request, expected in zip(ours, by_sdk, strict=True):
        assert request.start == expected.start == "POST / HTTP/1.1"
        assert json.loads(request.body) == json.loads(expected.body)
        for name in ("host", "content-type", "x-amz-target", "x-amz-security-token", "accept-encoding", "user-agent"):
            assert request.headers[name] == expected.headers[name], name
        assert describe_signature(request) == describe_signature(expected)


def describe_signature(request: ReceivedRequest) -> list[str]:
    """Return the signer, the scope, and the headers that are signed."""
    return request.headers["authorization"].split(", Signature=")[0].split()


def test_a_request_is_signed_as_the_sdk_signs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(EMPTY) as (server, client):
        client("get_item", REQUEST)
    (sent,) = server.requests
    signed_at = datetime.strptime(sent.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: signed_at)
    unsigned = {name: sent.headers[name] for name in ("content-type", "x-amz-target")}
    expected = AWSRequest("POST", f"{server.url}/", unsigned, sent.body)

    botocore.auth.SigV4Auth(CREDENTIALS, "dynamodb", "eu-central-1").add_auth(expected)

    assert sent.headers["authorization"] == expected.headers["Authorization"]


def test_listeners_hear_of_a_call_before_it_is_sent() -> None:
    calls: list[tuple[str, Any, int]] = []
    with serve(EMPTY) as (server, client):
        client.add_listener(lambda operation, request: calls.append((operation, request, len(server.requests))))
        client("get_item", REQUEST)

    assert calls == [("get_item", REQUEST, 0)]


def test_a_large_request_arrives_whole() -> None:
    text = "x" * 4_000_000
    with serve(EMPTY) as (server, client):
        client("put_item", {"TableName": "t", "Item": {"pk": {"S": text}}})

    assert json.loads(server.requests[0].body)["Item"]["pk"]["S"] == text


# Responses


def with_checksum(body: bytes) -> Reaction:
    return respond(body, headers=f"x-amz-crc32: {crc32(body)}\r\n")


def test_a_large_response_is_read_whole() -> None:
    body = json.dumps({"Item": {"pk": {"S": "y" * 5_000_000}}}).encode()
    with serve(with_checksum(body)) as (_, client):
        assert client("get_item", REQUEST) == json.loads(body)


def test_a_response_in_chunks_is_read() -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n'
    with serve(send_and_close(chunked)) as (_, client):
        assert client("get_item", REQUEST) == {"a": 1}


def test_binary_values_stay_in_base64_with_either_client() -> None:
    body = b'{"Item": {"body": {"B": "AP8="}}}'
    reason = {"Code": "ConditionalCheckFailed", "Item": {"body": {"B": "AP8="}}}
    error = {"__type": "x#TransactionCanceledException", "Message": "m", "CancellationReasons": [reason]}
    reactions = [respond(body), respond(json.dumps(error).encode(), "400 Bad Request")]
    with serve(*reactions, *reactions) as (server, client):
        for called in (client, SdkClient(create_sdk_client("eu-central-1", server.url, CREDENTIALS))):
            assert called("get_item", REQUEST)["Item"] == {"body": {"B": "AP8="}}
            with pytest.raises(CallRejected) as rejected:
                called("transact_write_items", {"TransactItems": []})
            assert rejected.value.fields["CancellationReasons"] == [reason]
            called.close()


UNUSABLE: dict[str, tuple[Reaction, str]] = {
    "nothing": (send_and_close(b""), "RemoteDisconnected"),
    "no HTTP": (send_and_close(b"SSH-2.0-OpenSSH\r\n"), "BadStatusLine"),
    "half a head": (send_and_close(b"HTTP/1.1 200 OK\r\nContent-Le"), "ResponseNotReadable"),
    "half a body": (send_and_close(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"It'), "IncompleteRead"),
    "half a chunk": (
        send_and_close(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"It'),
        "IncompleteRead",
    ),
    "half a body without its length": (send_and_close(b'HTTP/1.1 200 OK\r\n\r\n{"It'), "ResponseNotReadable"),
    "another body than was sent": (respond(b"{}", headers="x-amz-crc32: 1\r\n"), "ChecksumMismatch"),
    "an error with another body": (
        respond(b'{"__type": "x#y"}', "400 Bad Request", "x-amz-crc32: 1\r\n"),
        "ChecksumMismatch",
    ),
    "HTML": (respond(HTML), "ResponseNotReadable"),
    "no object": (respond(b"[]"), "ResponseNotReadable"),
    "an empty body": (respond(b""), "ResponseNotReadable"),
    "compressed": (respond(b"\x1f\x8b\x08", headers="Content-Encoding: gzip\r\n"), "ResponseNotReadable"),
    "an endless head": (send_and_close(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000), "HTTPException"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_response_leaves_the_outcome_unknown(name: str) -> None:
    reaction, reason = UNUSABLE[name]
    with serve(reaction, respond(b'{"a": 1}')) as (_, client):
        with pytest.raises(OutcomeUnknown) as error:
            client("get_item", REQUEST)
        assert str(error.value) == reason

        assert client("get_item", REQUEST) == {"a": 1}


def test_a_server_that_says_nothing_is_not_awaited_for_long() -> None:
    with ScriptedServer(send_nothing, EMPTY).run() as server:
        client = create_client(server.url, read_seconds=0.05)
        with pytest.raises(OutcomeUnknown, match="TimeoutError"):
            client("get_item", REQUEST)

        assert client("get_item", REQUEST) == {}
        assert server.connections == 2
        client.close()


def test_an_absent_server_leaves_the_outcome_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(OutcomeUnknown, match="ConnectionRefusedError"):
        create_client(f"http://127.0.0.1:{port}")("get_item", REQUEST)


ERRORS: dict[str, tuple[bytes, str, tuple[int, str, str]]] = {
    "of DynamoDB": (
        b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "Slow down."}',
        "400 Bad Request",
        (400, "ThrottlingException", "Slow down."),
    ),
    "of the gateway before it": (
        b'{"__type": "com.amazon.coral.service#ExpiredTokenException", "Message": "Old."}',
        "400 Bad Request",
        (400, "ExpiredTokenException", "Old."),
    ),
    "without a namespace": (
        b'{"__type": "InternalServerError"}',
        "500 Internal Server Error",
        (500, "InternalServerError", ""),
    ),
    "with an address": (
        b'{"__type": "x#ValidationException:http://internal.example/", "message": "No."}',
        "400 Bad Request",
        (400, "ValidationException", "No."),
    ),
    "without a name": (b"{}", "503 Service Unavailable", (503, "503", "")),
    "of a proxy": (HTML, "502 Bad Gateway", (502, "502", "")),
    "without a body": (b"", "504 Gateway Timeout", (504, "504", "")),
    "of a captive portal": (HTML, "302 Found", (302, "302", "")),
    "with members of other types": (
        b'{"__type": 7, "message": ["No."]}',
        "400 Bad Request",
        (400, "400", ""),
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_has_its_status_and_name(name: str) -> None:
    body, status, expected = ERRORS[name]
    with serve(respond(body, status)) as (_, client), pytest.raises(CallRejected) as rejected:
        client("get_item", REQUEST)

    assert (rejected.value.status, rejected.value.code, rejected.value.message) == expected


@pytest.mark.parametrize("name", ["of DynamoDB", "of the gateway before it", "without a namespace", "of a proxy"])
def test_the_sdk_gives_an_error_the_same_name(name: str) -> None:
    body, status, expected = ERRORS[name]
    with serve(respond(body, status)) as (server, _), pytest.raises(CallRejected) as rejected:
        SdkClient(create_sdk_client("eu-central-1", server.url, CREDENTIALS))("get_item", REQUEST)

    assert (rejected.value.status, rejected.value.code) == expected[:2]


# Connections


def test_a_connection_is_used_for_the_next_call() -> None:
    with serve(EMPTY) as (server, client):
        for _ in range(3):
            client("get_item", REQUEST)

    assert server.connections == 1


def test_a_connection_stays_open_after_an_error() -> None:
    with serve(respond(b'{"__type": "x#ThrottlingException"}', "400 Bad Request"), EMPTY) as (server, client):
        with pytest.raises(CallRejected):
            client("get_item", REQUEST)
        client("get_item", REQUEST)

    assert server.connections == 1


def test_a_connection_that_the_server_announces_to_close_is_not_used_again() -> None:
    with serve(respond(b"{}", headers="Connection: close\r\n")) as (server, client):
        client("get_item", REQUEST)
        client("get_item", REQUEST)

    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_connection_that_was_closed_while_idle_is_not_used_again() -> None:
    with ScriptedServer(EMPTY).run() as server:
        pool = ConnectionPool(server.url, find_ca_bundle())
        pool.post({}, b"{}")
        server.close_idle_connections()
        (idle,) = pool._idle  # noqa: SLF001  (the test waits until the news has arrived)
        assert select.select([idle.sock], [], [], 5)[0]

        assert pool.post({}, b"{}").content == b"{}"

        assert (server.connections, len(server.requests)) == (2, 2)
        pool.close()


def test_threads_get_their_own_responses() -> None:
    def echo(request: ReceivedRequest, connection: socket.socket) -> bool:
        return respond(request.body)(request, connection)

    responses: dict[int, list[Any]] = {}

    def call(number: int) -> None:
        responses[number] = [client("get_item", {"number": number, "call": count}) for count in range(20)]

    with serve(echo) as (server, client):
        threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert responses == {
        number: [{"number": number, "call": count} for count in range(20)] for number in range(len(threads))
    }
    assert server.connections <= len(threads)


def test_a_closed_client_opens_connections_again_with_new_credentials() -> None:
    credentials = [Credentials("FIRST", "a", None), Credentials("SECOND", "b", "t")]

    def find_next() -> CredentialsProvider:
        next_credentials = credentials.pop(0)
        return lambda: next_credentials

    with ScriptedServer(EMPTY).run() as server:
        signer = RequestSigner(server.url, "eu-central-1", find_next)
        client = HttpClient(ConnectionPool(server.url, find_ca_bundle()), signer)
        client("get_item", REQUEST)
        client("get_item", REQUEST)
        client.close()
        client("get_item", REQUEST)
        client.close()

    signatures = [request.headers["authorization"].partition(" ")[2] for request in server.requests]
    assert [text.partition("/")[0] for text in signatures] == ["Credential=FIRST"] * 2 + ["Credential=SECOND"]
    assert server.connections == 2


def test_no_call_is_made_without_credentials() -> None:
    def find_none() -> Any:
        raise CallNotPossible("Unable to locate credentials")

    with ScriptedServer(EMPTY).run() as server:
        client = HttpClient(
            ConnectionPool(server.url, find_ca_bundle()), RequestSigner(server.url, "eu-central-1", find_none)
        )
        with pytest.raises(CallNotPossible):
            client("get_item", REQUEST)

    assert server.connections == 0


def test_credentials_are_in_no_description() -> None:
    client = create_client("http://127.0.0.1:9")

    described = f"{CREDENTIALS!r} {CREDENTIALS} {client!r} {vars(client)} {[CREDENTIALS]}"

    assert "secret" not in described
    assert "token" not in described


# TLS


@contextmanager
def serve_tls(certificates: Certificates, certificate: str) -> Iterator[ScriptedServer]:
    tls = certificates.serve(getattr(certificates, certificate))
    with ScriptedServer(EMPTY, tls=tls).run() as server:
        yield server


def call_as_configured(server: ScriptedServer) -> Any:
    with closing(connect("eu-central-1", server.url)) as client:
        return client("get_item", REQUEST)


@pytest.fixture(params=["our client", "the SDK's client"])
def _configured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Choose each client in turn, with no file of certificates named."""
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if request.param != "our client":
        require_sdk(monkeypatch, tmp_path)


@pytest.mark.usefixtures("_configured")
@pytest.mark.parametrize("certificate", ["own", "server"])
def test_a_certificate_that_nobody_known_has_signed_is_not_trusted(
    certificates: Certificates, certificate: str
) -> None:
    with serve_tls(certificates, certificate) as server, pytest.raises(OutcomeUnknown, match="SSL"):
        call_as_configured(server)

    assert server.requests == []


@pytest.mark.usefixtures("_configured")
@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_an_authority_of_the_environment_is_trusted(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(certificates.authority))
    with serve_tls(certificates, "server") as server:
        assert {**call_as_configured(server)}.keys() <= {"ResponseMetadata"}

    assert len(server.requests) == 1


@pytest.mark.usefixtures("_configured")
@pytest.mark.parametrize("certificate", ["own", "other_server"])
def test_an_authority_of_the_environment_vouches_only_for_what_it_has_signed(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, certificate: str
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificates.authority))
    with serve_tls(certificates, certificate) as server, pytest.raises(OutcomeUnknown, match="SSL"):
        call_as_configured(server)

    assert server.requests == []
