import pytest

from softix_proxy.web.addresses import Addresses, is_loopback


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
def test_who_calls(trusted: tuple[str, ...], peer: str, chain: str | None, found: str) -> None:
    assert Addresses(trusted).of(peer, chain) == found


@pytest.mark.parametrize(
    ("text", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False), ("", False)],
)
def test_this_machine(text: str, loopback: bool) -> None:
    assert is_loopback(text) is loopback
