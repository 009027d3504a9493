import pytest

from softix_proxy.web.server.client_address import ClientAddresses, NetworkSet, is_this_machine


@pytest.mark.parametrize(
    ("trusted", "peer", "chain", "found"),
    [
        ((), "10.0.0.1", "192.0.2.1", "10.0.0.1"),
        (("10.0.0.0/8",), "192.0.2.9", "192.0.2.1", "192.0.2.9"),
        (("10.0.0.0/8",), "10.0.0.1", None, "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "192.0.2.1", "192.0.2.1"),
        (("10.0.0.0/8",), "10.0.0.1", "198.51.100.1, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"),
        (("10.0.0.0/8",), "10.0.0.1", "192.0.2.1, nonsense", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "10.0.0.3", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "[2001:db8::1]", "[2001:db8::1]"),
        (("10.0.0.0/8",), "", "192.0.2.1", ""),
    ],
)
def test_client_address_behind_trusted_proxies_is_the_last_untrusted_one(
    trusted: tuple[str, ...], peer: str, chain: str | None, found: str
) -> None:
    assert ClientAddresses(trusted).of(peer, chain) == found


@pytest.mark.parametrize(
    ("peer", "here", "found"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.1.2.3", "10.0.0.5", True),
        ("::1", "", True),
        ("::ffff:127.0.0.1", "", True),
        ("10.0.0.5", "10.0.0.5", True),
        ("::ffff:10.0.0.5", "10.0.0.5", True),
        ("10.0.0.1", "10.0.0.5", False),
        ("", "", False),
        ("localhost", "localhost", False),
    ],
)
def test_address_of_this_machine_is_recognized(peer: str, here: str, found: bool) -> None:
    assert is_this_machine(peer, here) is found


def test_network_set_contains_only_addresses_of_its_networks() -> None:
    networks = NetworkSet(("10.0.0.0/8", "2001:db8::/32"))
    assert networks.have("10.1.2.3") and networks.have("::ffff:10.1.2.3") and networks.have("[2001:db8::1]")
    assert not networks.have("192.0.2.1") and not networks.have("") and not NetworkSet(())
