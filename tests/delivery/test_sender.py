"""Calls over real sockets: to receivers that respond, drip, hang, or lead elsewhere."""

import gzip
import os
import resource
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path

import pytest

from delivery.addresses import AddressForbidden, AddressPolicy
from delivery.sender import CallFailed, CallResponse, Sender
from tests.delivery.receivers import NAME, Receiver, hang, respond, respond_forever, run_tls_receiver

HEAD = b"HTTP/1.1 200 OK\r\n"
OK = HEAD + b"Content-Length: 2\r\n\r\nok"
LOOPBACK = AddressPolicy(permits_loopback=True)
SHORT = 0.4
"""Seconds of a budget that is used up."""


def resolve_to(*addresses: str) -> Sender:
    """Return a sender for which every name has these addresses."""
    return Sender(LOOPBACK, resolve_host=lambda _, __: addresses)


def send(receiver: Receiver, *, seconds: float = 10.0, body: bytes = b"{}") -> CallResponse:
    """Send a message without TLS."""
    sender = Sender(LOOPBACK, resolve_host=lambda _, __: ["127.0.0.1"], seconds=seconds)
    return sender.send(f"http://{NAME}:{receiver.port}/in?x=1", body, {"Content-Type": "application/json"})


def trusting(certificate_file: Path, addresses: Sequence[str] = ("127.0.0.1",), seconds: float = 10.0) -> Sender:
    """Return a sender that trusts the certificate."""
    context = ssl.create_default_context(cafile=certificate_file)
    return Sender(LOOPBACK, resolve_host=lambda _, __: addresses, tls_context=context, seconds=seconds)


def test_a_message_is_posted_to_the_name_with_the_headers_and_the_bytes() -> None:
    with Receiver(respond(OK)) as receiver:
        response = send(receiver, body='{"é": 1}'.encode())

    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    assert response == CallResponse(200, b"ok")
    assert head.split(b"\r\n")[0] == b"POST /in?x=1 HTTP/1.1"
    assert f"Host: {NAME}:{receiver.port}".encode() in head.split(b"\r\n")
    assert b"Content-Type: application/json" in head.split(b"\r\n")
    assert body == '{"é": 1}'.encode()


@pytest.fixture
def _many_open_files() -> Iterator[None]:
    """Open so many files that those that follow have numbers beyond what `select` can wait for."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, limits[1]), limits[1]))
    with ExitStack() as files:
        for _ in range(1_100):
            files.enter_context(Path(os.devnull).open("rb"))
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("_many_open_files")
def test_tls_is_spoken_by_a_server_with_thousands_of_connections(certificate: tuple[Path, Path]) -> None:
    with run_tls_receiver(respond(OK), certificate) as receiver:
        response = trusting(certificate[0]).send(f"https://{NAME}:{receiver.port}/", b"{}", {})

    assert response == CallResponse(200, b"ok")


def test_tls_is_spoken_with_the_name_and_the_certificate_is_checked(certificate: tuple[Path, Path]) -> None:
    with run_tls_receiver(respond(OK), certificate) as receiver:
        sender = trusting(certificate[0])

        assert sender.send(f"https://{NAME}:{receiver.port}/", b"{}", {}) == CallResponse(200, b"ok")
        assert receiver.server_names == [NAME]
        with pytest.raises(CallFailed, match="certificate is not valid"):
            sender.send(f"https://other.example.test:{receiver.port}/", b"{}", {})
        with pytest.raises(CallFailed, match="certificate is not valid"):
            resolve_to("127.0.0.1").send(f"https://{NAME}:{receiver.port}/", b"{}", {})
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [201, 301, 302, 307, 410, 500, 503])
def test_every_status_is_a_response_and_no_redirect_is_followed(status: int) -> None:
    with Receiver(respond(OK)) as other:
        location = f"Location: http://127.0.0.1:{other.port}/\r\nContent-Length: 0\r\n\r\n"
        with Receiver(respond(f"HTTP/1.1 {status} X\r\n{location}".encode())) as receiver:
            assert send(receiver) == CallResponse(status, b"")
    assert other.requests == []


@pytest.mark.parametrize(
    "content",
    [
        HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 99\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
    ids=["closes", "HTTP/1.0", "chunked", "truncated", "continue"],
)
def test_the_body_is_read_as_far_as_it_arrives(content: bytes) -> None:
    with Receiver(respond(content)) as receiver:
        assert send(receiver) == CallResponse(200, b"ok")


@pytest.mark.parametrize(
    "beginning",
    [HEAD + b"\r\n", HEAD + b"Content-Length: 1000000000\r\n\r\n", HEAD + b"Content-Length: 99999999999999999\r\n\r\n"],
)
def test_a_gigabyte_is_cut_after_a_kilobyte(beginning: bytes) -> None:
    with Receiver(respond_forever(beginning, b"x" * 65_536)) as receiver:
        assert send(receiver) == CallResponse(200, b"x" * 1024)


def test_what_is_compressed_stays_so() -> None:
    body = gzip.compress(b"0" * 10_000_000)[:4096]
    with Receiver(respond_forever(HEAD + b"Content-Encoding: gzip\r\n\r\n", body)) as receiver:
        assert send(receiver).body == body[:1024]


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [(HEAD + b"X-A: ", b"a"), (b"", b"H"), (b"", b"HTTP/1.1 100 Continue\r\n\r\n"), (HEAD, b"X: y\r\n")],
    ids=["header", "status", "continue", "headers"],
)
def test_a_receiver_that_drips_is_given_up_when_the_time_is_used_up(beginning: bytes, piece: bytes) -> None:
    with Receiver(respond_forever(beginning, piece, pause=0.02)) as receiver:
        began = time.monotonic()
        with pytest.raises(CallFailed, match=r"no response within 0\.4 seconds|not valid HTTP"):
            send(receiver, seconds=SHORT)
        assert time.monotonic() - began < 5


def test_a_body_that_drips_is_cut_and_the_status_counts() -> None:
    with Receiver(respond_forever(HEAD + b"Content-Length: 1000\r\n\r\nok", b"", pause=0.02)) as receiver:
        assert send(receiver, seconds=SHORT) == CallResponse(200, b"ok")


def test_a_receiver_that_hangs_is_given_up(certificate: tuple[Path, Path]) -> None:
    with Receiver(hang) as receiver:
        with pytest.raises(CallFailed, match="no response"):
            send(receiver, seconds=SHORT)
        # Nobody reads what fills all buffers.
        with pytest.raises(CallFailed, match="no response"):
            send(receiver, seconds=SHORT, body=b"x" * 20_000_000)
        with pytest.raises(CallFailed, match="no response"):
            trusting(certificate[0], seconds=SHORT).send(f"https://{NAME}:{receiver.port}/", b"{}", {})


def test_a_name_that_is_not_resolved_in_time_fails_the_call() -> None:
    is_over = threading.Event()
    sender = Sender(LOOPBACK, resolve_host=lambda *_: ["127.0.0.1"] if is_over.wait() else [], seconds=0.1)

    with pytest.raises(CallFailed, match="no response"):
        sender.send(f"http://{NAME}/", b"{}", {})
    is_over.set()


def test_what_is_not_http_fails_the_call() -> None:
    for content in (
        b"SSH-2.0-OpenSSH\r\n",
        b"",
        HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(150)) + b"\r\n",
    ):
        with Receiver(respond(content)) as receiver, pytest.raises(CallFailed):
            send(receiver)


def test_a_closed_port_fails_the_call() -> None:
    with Receiver(hang) as receiver:
        pass
    with pytest.raises(CallFailed, match="connection failed"):
        send(receiver)


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:7f00:1"], ["169.254.169.254"], ["fe80::1%eth0"]],
)
def test_a_name_with_any_address_that_is_not_permitted_is_refused(addresses: list[str]) -> None:
    sender = Sender(AddressPolicy(), resolve_host=lambda _, __: addresses)

    with pytest.raises(AddressForbidden) as refusal:
        sender.send("https://rebound.example/", b"{}", {})
    assert not any(address in str(refusal.value) for address in addresses)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1", "017700000001", "localhost", "127.0.0.1"])
def test_other_ways_to_write_loopback_are_refused_after_the_look_up(host: str) -> None:
    with pytest.raises(AddressForbidden):
        Sender(AddressPolicy()).send(f"https://{host}/", b"{}", {})


def test_without_tls_only_permitted_networks_are_reached() -> None:
    sender = Sender(AddressPolicy((ip_network("10.0.0.0/8"),)), resolve_host=lambda _, __: ["8.8.8.8"])

    with pytest.raises(AddressForbidden):
        sender.send("http://example.com/", b"{}", {})


def test_a_name_is_looked_up_once_and_another_answer_changes_nothing() -> None:
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    with Receiver(respond(OK)) as receiver:
        sender = Sender(LOOPBACK, resolve_host=lambda _, __: answers.pop(0))
        sender.send(f"http://{NAME}:{receiver.port}/", b"{}", {})
    assert len(answers) == 1


def test_the_next_address_is_tried_if_one_does_not_accept() -> None:
    with Receiver(respond(OK)) as receiver:
        sender = resolve_to("127.0.0.2", "127.0.0.1")
        assert sender.send(f"http://{NAME}:{receiver.port}/", b"{}", {}).status == 200


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    with Receiver(respond(OK)) as receiver:
        assert send(receiver).status == 200


def test_a_name_that_does_not_exist_fails_the_call() -> None:
    def fail(_: str, __: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(CallFailed, match="could not be resolved"):
        Sender(LOOPBACK, resolve_host=fail).send(f"http://{NAME}/", b"{}", {})
    with pytest.raises(CallFailed, match="no address"):
        resolve_to().send(f"http://{NAME}/", b"{}", {})
