"""Where a request comes from: only trusted proxies are believed."""

from collections.abc import Mapping
from ipaddress import ip_network
from random import Random
from typing import Any

import pytest

from contract.api_gateway import ApiGatewayAdapter
from contract.client_address import MAX_PROXIES, Client, TrustedProxies, parse_address
from contract.edge import Edge
from contract.messages import Request, Response
from contract.request_context import start_request_context
from contract.wsgi_application import WsgiApplication
from tests.contract.aws_events import http_api_event
from tests.contract.client import call, environ

PROXIES = TrustedProxies([ip_network("10.0.0.0/8"), ip_network("127.0.0.0/8"), ip_network("fd00::/8")])


def find_client(peer: str, headers: Mapping[str, str], *, is_https: bool = False) -> Client:
    return PROXIES.find_client(peer, headers, is_https=is_https)


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        # Not a trusted proxy.
        ("192.0.2.7", {}, "192.0.2.7"),
        ("192.0.2.7", {"x-forwarded-for": "198.51.100.1"}, "192.0.2.7"),
        ("192.0.2.7", {"forwarded": "for=198.51.100.1"}, "192.0.2.7"),
        ("2001:db8::10", {"x-forwarded-for": "198.51.100.1"}, "2001:db8::10"),
        ("", {"x-forwarded-for": "198.51.100.1"}, ""),
        ("unix:", {"x-forwarded-for": "198.51.100.1"}, "unix:"),
        # One proxy.
        ("10.0.0.1", {}, "10.0.0.1"),
        ("10.0.0.1", {"x-forwarded-for": "198.51.100.1"}, "198.51.100.1"),
        ("::ffff:10.0.0.1", {"x-forwarded-for": "198.51.100.1"}, "198.51.100.1"),
        ("fd00::1%eth0", {"x-forwarded-for": "2001:DB8:0::5"}, "2001:db8::5"),
        ("10.0.0.1", {"x-forwarded-for": "198.51.100.1:4711"}, "198.51.100.1"),
        ("10.0.0.1", {"x-forwarded-for": "[2001:db8::5]:4711"}, "2001:db8::5"),
        ("10.0.0.1", {"x-forwarded-for": "[2001:db8::5]"}, "2001:db8::5"),
        ("10.0.0.1", {"x-forwarded-for": "fe80::5%eth0"}, "fe80::5"),
        ("10.0.0.1", {"x-forwarded-for": "::ffff:198.51.100.1"}, "198.51.100.1"),
        # What a client sends stands before what proxies append.
        ("10.0.0.1", {"x-forwarded-for": "6.6.6.6, 198.51.100.1"}, "198.51.100.1"),
        ("10.0.0.1", {"x-forwarded-for": "6.6.6.6,198.51.100.1,10.0.0.2"}, "198.51.100.1"),
        ("10.0.0.1", {"x-forwarded-for": '"x, 198.51.100.1, 10.0.0.2'}, "198.51.100.1"),
        ("10.0.0.1", {"forwarded": 'for="6.6.6.6, for=198.51.100.1;proto=https'}, "198.51.100.1"),
        # All of them are trusted.
        ("10.0.0.1", {"x-forwarded-for": "10.0.0.3, 10.0.0.2"}, "10.0.0.3"),
        # Malformed, where a trusted proxy should have written an address.
        ("10.0.0.1", {"x-forwarded-for": "unknown"}, "10.0.0.1"),
        ("10.0.0.1", {"x-forwarded-for": "198.51.100.1, "}, "10.0.0.1"),
        ("10.0.0.1", {"x-forwarded-for": "198.51.100.1, x, 10.0.0.2"}, "10.0.0.1"),
        ("10.0.0.1", {"x-forwarded-for": "198.51.100.256"}, "10.0.0.1"),
        ("10.0.0.1", {"x-forwarded-for": "198.51.100.1:x"}, "10.0.0.1"),
        ("10.0.0.1", {"x-forwarded-for": "[198.51.100.1]"}, "10.0.0.1"),
        ("10.0.0.1", {"x-forwarded-for": "[2001:db8::5"}, "10.0.0.1"),
        ("10.0.0.1", {"x-forwarded-for": "198.51.100.1%eth0"}, "10.0.0.1"),
        ("10.0.0.1", {"forwarded": "proto=https"}, "10.0.0.1"),
        ("10.0.0.1", {"forwarded": "for=_hidden"}, "10.0.0.1"),
        ("10.0.0.1", {"forwarded": "for=198.51.100.1;"}, "10.0.0.1"),
        # The other header.
        ("10.0.0.1", {"forwarded": "for=198.51.100.1"}, "198.51.100.1"),
        ("10.0.0.1", {"forwarded": 'For="[2001:db8::5]:4711";Proto=https;by=10.0.0.1'}, "2001:db8::5"),
        ("10.0.0.1", {"forwarded": "for=198.51.100.1, for=10.0.0.2"}, "198.51.100.1"),
        ("10.0.0.1", {"forwarded": "for=6.6.6.6", "x-forwarded-for": "198.51.100.1"}, "198.51.100.1"),
    ],
)
def test_the_address_is_the_last_one_that_is_no_trusted_proxy(
    peer: str, headers: Mapping[str, str], address: str
) -> None:
    assert find_client(peer, headers).address == address


@pytest.mark.parametrize(
    ("headers", "is_https"),
    [
        ({"x-forwarded-for": "198.51.100.1", "x-forwarded-proto": "https"}, True),
        ({"x-forwarded-for": "198.51.100.1", "x-forwarded-proto": "HTTPS"}, True),
        ({"x-forwarded-for": "198.51.100.1", "x-forwarded-proto": "http"}, False),
        ({"x-forwarded-for": "198.51.100.1", "x-forwarded-proto": "gopher"}, False),
        ({"x-forwarded-for": "198.51.100.1"}, False),
        ({"x-forwarded-for": "198.51.100.1, 10.0.0.2", "x-forwarded-proto": "https"}, True),
        ({"x-forwarded-for": "198.51.100.1, 10.0.0.2", "x-forwarded-proto": "https, http"}, True),
        ({"x-forwarded-for": "198.51.100.1, 10.0.0.2", "x-forwarded-proto": "https, http, http"}, False),
        ({"x-forwarded-proto": "https"}, True),
        ({"x-forwarded-proto": "http, https"}, True),
        ({"x-forwarded-for": "unknown", "x-forwarded-proto": "https"}, True),
        ({"forwarded": "for=198.51.100.1;proto=https"}, True),
        ({"forwarded": "for=198.51.100.1;proto=https, for=10.0.0.2;proto=http"}, True),
        ({"forwarded": "for=198.51.100.1;proto=http, for=10.0.0.2;proto=https"}, False),
        ({"forwarded": "for=198.51.100.1", "x-forwarded-proto": "https"}, True),
    ],
)
def test_the_protocol_is_that_of_the_same_hop(headers: Mapping[str, str], *, is_https: bool) -> None:
    assert find_client("10.0.0.1", headers).is_https is is_https
    assert find_client("192.0.2.1", headers).is_https is False
    assert find_client("192.0.2.1", headers, is_https=True).is_https is True


def test_without_trusted_proxies_the_peer_is_the_client() -> None:
    headers = {"x-forwarded-for": "198.51.100.1", "x-forwarded-proto": "https"}

    assert TrustedProxies().find_client("127.0.0.1", headers, is_https=False) == Client("127.0.0.1", False)  # noqa: FBT003


def test_an_unknown_proxy_on_this_machine_is_noticed_once(caplog: pytest.LogCaptureFixture) -> None:
    proxies = TrustedProxies([ip_network("10.0.0.0/8")])
    headers = {"x-forwarded-for": "198.51.100.1"}

    proxies.find_client("127.0.0.1", {}, is_https=False)
    proxies.find_client("192.0.2.1", headers, is_https=False)
    proxies.find_client("10.0.0.1", headers, is_https=False)
    assert caplog.messages == []
    for _ in range(3):
        proxies.find_client("127.0.0.1", headers, is_https=False)
    (message,) = caplog.messages
    assert message.startswith("Requests from this machine have X-Forwarded-For, but TRUSTED_PROXIES")
    assert "198.51.100.1" not in message


def test_no_more_proxies_are_followed_than_the_limit() -> None:
    trusted = ", ".join(["10.0.0.2"] * (MAX_PROXIES - 1))

    assert find_client("10.0.0.1", {"x-forwarded-for": f"198.51.100.1, {trusted}"}).address == "198.51.100.1"
    assert find_client("10.0.0.1", {"x-forwarded-for": f"198.51.100.1, 10.0.0.3, {trusted}"}).address == "10.0.0.3"


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "x-forwarded-proto"])
def test_any_header_is_read_without_an_error(name: str) -> None:
    random = Random(7)  # noqa: S311 - it makes headers, no secrets.
    pieces = ["for=", "proto=https", '"', "[", "]", ":", "%", ",", ";", "=", "10.0.0.2", "::1", " ", "x", "\xff", "٣"]
    for _ in range(5_000):
        value = "".join(random.choices(pieces, k=random.randrange(12)))
        find_client("10.0.0.1", {"x-forwarded-for": "10.0.0.2", name: value})


@pytest.mark.parametrize(
    "text", ["", "1", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.4:123456", "[]", "[::1]x", "٣.1.1.1"]
)
def test_a_text_that_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None
    assert parse_address(text + "1" * 100_000) is None


def test_an_address_has_at_most_80_characters() -> None:
    longest = f"[2001:db8::1%{'z' * 60}]:65535"

    assert len(longest) == 80
    assert str(parse_address(longest)) == "2001:db8::1"
    assert parse_address(longest.replace("%z", "%zz")) is None


def _build_edge(contexts: list[Any]) -> Edge:
    def respond(request: Request) -> Response:
        contexts.append((request.context.address, request.context.is_https))
        return Response(200, (), b"")

    return Edge(respond, new_request_id=lambda: "made-here", trusted_proxies=PROXIES)


def test_every_way_of_serving_finds_the_client() -> None:
    contexts: list[Any] = []
    edge = _build_edge(contexts)
    start_request_context()
    sent = {"X-Forwarded-For": "6.6.6.6, 198.51.100.1, 10.0.0.2", "X-Forwarded-Proto": "https"}

    call(WsgiApplication(edge), environ("GET", "/", headers=sent) | {"REMOTE_ADDR": "127.0.0.1"})
    call(WsgiApplication(edge), environ("GET", "/", headers=sent) | {"REMOTE_ADDR": "192.0.2.1"})
    # CloudFront is the peer of the gateway, which appends its address.
    event = http_api_event("GET", "/", headers={"x-forwarded-for": "6.6.6.6, 198.51.100.1, 10.0.0.2"})
    event["requestContext"]["http"]["sourceIp"] = "10.0.0.2"
    ApiGatewayAdapter(edge)(event)
    event["requestContext"]["http"]["sourceIp"] = "192.0.2.1"
    ApiGatewayAdapter(edge)(event)

    assert contexts == [
        ("198.51.100.1", True),
        ("192.0.2.1", False),
        ("198.51.100.1", True),
        ("192.0.2.1", True),
    ]


@pytest.mark.parametrize(
    ("peer", "scheme", "sent", "header"),
    [
        ("127.0.0.1", "http", "https", "max-age=63072000"),
        ("127.0.0.1", "http", "http", None),
        ("127.0.0.1", "https", "http", None),
        ("127.0.0.1", "https", "https", "max-age=63072000; includeSubDomains"),
        ("192.0.2.1", "http", "https", None),
        ("192.0.2.1", "https", "http", "max-age=63072000; includeSubDomains"),
    ],
)
def test_only_a_trusted_proxy_decides_about_strict_transport_security(
    peer: str, scheme: str, sent: str, header: str | None
) -> None:
    headers = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": sent}
    request = environ("GET", "/", headers=headers) | {"REMOTE_ADDR": peer, "wsgi.url_scheme": scheme}

    response = call(WsgiApplication(_build_edge([])), request)

    assert response.header("strict-transport-security") == header
