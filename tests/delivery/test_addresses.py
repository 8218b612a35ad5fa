"""Only public addresses may be reached, and those that the operator has named; the clouds' metadata never."""

from ipaddress import ip_address, ip_network

import pytest

from delivery.addresses import AddressPolicy, is_public, parse_address

PUBLIC = ("8.8.8.8", "::ffff:8.8.8.8", "2001:4860:4860::8888", "2600:1f18::1")

NOT_PUBLIC = (
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.170.2", "100.64.0.1",
    "100.100.100.200", "0.0.0.0", "0.1.2.3",  # noqa: S104 - nothing is bound.
    "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.88.99.1", "198.18.0.1",
    "192.0.2.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::", "2002:808:808::",
    "2001:0:7f00:1::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fec0::1", "ff02::1",
    "ff0e::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "2001:10::1", "2001:20::1",
)  # fmt: skip

METADATA = (
    "169.254.169.254", "169.254.170.2", "169.254.170.23", "168.63.129.16", "100.100.100.200", "192.0.0.192",
    "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "::ffff:169.254.169.254", "::169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
)  # fmt: skip


def test_the_table_is_complete() -> None:
    assert len(PUBLIC + NOT_PUBLIC) == 52


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_permitted_by_https_only(text: str) -> None:
    address = parse_address(text)

    assert is_public(address)
    assert AddressPolicy().permits(address, is_tls=True)
    assert not AddressPolicy().permits(address, is_tls=False)


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_no_other_address_is_permitted(text: str) -> None:
    address = parse_address(text)

    assert not is_public(address)
    assert not AddressPolicy().permits(address, is_tls=True)
    assert not AddressPolicy().permits(address, is_tls=False)


@pytest.mark.parametrize("text", METADATA)
def test_no_setting_permits_the_addresses_of_metadata(text: str) -> None:
    everything = AddressPolicy((ip_network("0.0.0.0/0"), ip_network("::/0")), permits_loopback=True)

    assert not everything.permits(ip_address(text), is_tls=True)
    assert not everything.permits(ip_address(text), is_tls=False)


@pytest.mark.parametrize("is_tls", [True, False])
def test_networks_that_the_operator_has_named_are_permitted_also_without_tls(is_tls: bool) -> None:
    policy = AddressPolicy((ip_network("10.0.0.0/8"), ip_network("fd12::/16")))

    for text in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1"):
        assert policy.permits(ip_address(text), is_tls=is_tls)
    for text in ("127.0.0.1", "192.168.0.1", "fd13::1"):
        assert not policy.permits(ip_address(text), is_tls=is_tls)


@pytest.mark.parametrize("text", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_permitted_if_the_operator_says_so(text: str) -> None:
    assert AddressPolicy(permits_loopback=True).permits(ip_address(text), is_tls=False)
    assert AddressPolicy(permits_loopback=True).permits(ip_address(text), is_tls=True)
