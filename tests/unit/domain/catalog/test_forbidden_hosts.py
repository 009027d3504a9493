from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.catalog.forbidden_hosts import is_forbidden_host, is_private_host

SERVICES = ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192")


@pytest.mark.parametrize("address", SERVICES)
def test_metadata_service_is_forbidden_in_every_spelling(address: str) -> None:
    bits = int(IPv4Address(address))
    first, second, third, fourth = bits.to_bytes(4, "big")
    spellings = [
        address,
        f"{address}.",
        str(bits),
        hex(bits),
        hex(bits).upper().replace("X", "x"),
        f"0{bits:o}",
        f"{first}.{bits & 0xFFFFFF}",
        f"{first}.{second}.{bits & 0xFFFF}",
        ".".join(f"0x{part:x}" for part in (first, second, third, fourth)),
        ".".join(f"0{part:o}" for part in (first, second, third, fourth)),
        f"::ffff:{address}",
        f"[::ffff:{address}]",
        f"::{address}",
        f"::ffff:0:{address}",
        f"64:ff9b::{address}",
        f"64:ff9b:1::{address}",
        str(IPv6Address(0x0064_FF9B_0001 << 80 | (bits >> 16) << 64 | (bits & 0xFFFF) << 40)),
        str(IPv6Address(0x2002 << 112 | bits << 80 | 1)),
        str(IPv6Address(0x2001_0000 << 96 | bits << 64 | 1)),
        str(IPv6Address(0x2001_0000 << 96 | ~bits & 0xFFFF_FFFF)),
        f"2001:db8::5efe:{address}",
        f"2001:db8::200:5efe:{address}",
    ]
    assert [spelling for spelling in spellings if not is_forbidden_host(spelling)] == []


@pytest.mark.parametrize(
    "host",
    [
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "metadata",
        "metadata.goog",
        "instance-data.ec2.internal",
        "metadata.tencentyun.com",
    ],
)
def test_other_names_and_addresses_of_metadata_services_are_forbidden(host: str) -> None:
    assert is_forbidden_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "", "127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.1", "192.168.1.2", "172.16.0.1", "fd00::1", "fec0::1",
        "169.253.1.1", "100.100.100.201", "168.63.129.17", "192.0.2.1", "2606:4700::1", "64:ff9b::8.8.8.8",
        "2002:808:808::1", "::ffff:10.0.0.1", "api.openai.com", "metadata.example.org", "1.2.3.4.5", "10",
    ],
)  # fmt: skip
def test_provider_on_this_machine_in_a_private_network_or_elsewhere_is_allowed(host: str) -> None:
    assert not is_forbidden_host(host)


@given(st.ip_addresses(v=4))
def test_mapped_address_is_forbidden_exactly_if_the_address_is(address: IPv4Address) -> None:
    assert is_forbidden_host(f"::ffff:{address}") == is_forbidden_host(str(address))


@given(st.text(max_size=40))
def test_any_text_is_decided_without_an_error(text: str) -> None:
    assert is_forbidden_host(text) in (True, False)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "127.0.0.1",
        "0x7f000001",
        "127.1",
        "0.0.0.0",
        "10.0.0.5",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "[::1]",
        "::",
        "fd00::1",
        "fe80::1%eth0",
        "ff02::1",
        "::ffff:10.0.0.5",
        "64:ff9b::10.0.0.5",
        "fd00::5efe:8.8.8.8",
        "2002:a00:5::",
    ],
)
def test_address_that_the_internet_does_not_reach_is_private(host: str) -> None:
    assert is_private_host(host)


@pytest.mark.parametrize(
    "host", ["example.org", "8.8.8.8", "2606:4700::1111", "[2606:4700::1111]", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_address_of_the_internet_and_a_name_are_not_private(host: str) -> None:
    assert not is_private_host(host)
