"""The URL of a receiver is judged when it is set, as far as it can be without looking up its name."""

from ipaddress import ip_network

import pytest

from delivery.addresses import AddressPolicy
from delivery.targets import MAX_URL_CHARACTERS, InvalidTarget, Target, parse_target, validate_target

OPEN_POLICY = AddressPolicy((ip_network("10.0.0.0/8"),), permits_loopback=True)


def test_a_url_is_taken_apart() -> None:
    assert parse_target("https://Hooks.Example.com/in?x=1") == Target(
        is_tls=True, host="hooks.example.com", port=443, request_target="/in?x=1"
    )
    assert parse_target("http://10.0.0.1:8080") == Target(
        is_tls=False, host="10.0.0.1", port=8080, request_target="/", address=ip_network("10.0.0.1").network_address
    )
    assert parse_target("https://[2600:1f18::1]:8443/").host == "2600:1f18::1"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "https://"),
        ("//example.com/", "https://"),
        ("", "visible ASCII"),
        ("https://user:password@example.com/", "credentials"),
        ("https://user@example.com/", "credentials"),
        ("https://@example.com/", "credentials"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com/a b", "visible ASCII"),
        ("https://example.com/a\r\nX-Other: 1", "visible ASCII"),
        ("https://example.com\t/", "visible ASCII"),
        ("https://bücher.example/", "visible ASCII"),
        ("https://①②⑦.⓪.⓪.①/", "visible ASCII"),
        ("https://exa\\mple.com/", "backslash"),
        ("https://", "host or port"),
        ("https:///path", "host or port"),
        ("https://example.com:0/", "host or port"),
        ("https://example.com:65536/", "host or port"),
        ("https://example.com:x/", "host or port"),
        ("https://-example.com/", "host or port"),
        ("https://exa%6dple.com/", "host or port"),
        ("https://example..com/", "host or port"),
        ("https://[fe80::1%25lo]/", "host or port"),
        ("https://[v1.x]/", "host or port"),
        ("https://[::1/", "host or port"),
        ("https://example.com/" + "a" * MAX_URL_CHARACTERS, "at most 2048"),
    ],
)
def test_a_url_that_no_receiver_has_is_refused_without_being_repeated(url: str, reason: str) -> None:
    with pytest.raises(InvalidTarget) as refusal:
        validate_target(url, OPEN_POLICY)

    assert reason in str(refusal.value)
    assert len(url) < 20 or url not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://api.localhost/",
    ],
)
def test_an_address_that_would_never_be_reached_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidTarget):
        validate_target(url, AddressPolicy())


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://127.0.0.1:9000/in", "http://localhost/", "http://intern/"])
def test_the_operator_may_permit_addresses_and_plain_http(url: str) -> None:
    assert validate_target(url, OPEN_POLICY).is_tls is False


def test_metadata_is_refused_whatever_the_operator_permits() -> None:
    with pytest.raises(InvalidTarget):
        validate_target("http://169.254.169.254/", AddressPolicy((ip_network("169.254.0.0/16"),)))
