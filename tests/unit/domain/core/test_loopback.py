from __future__ import annotations

import pytest

from softix_proxy.domain.core.loopback import LOCAL_HOSTS, is_loopback


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "[::1]", "::1"])
def test_loopback_has_its_name_and_its_addresses(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.", "local", "0.0.0.0", "[::]", "128.0.0.1", "example.org"])
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_hosts_to_which_secrets_go_over_plain_http_are_loopback() -> None:
    assert all(is_loopback(host) for host in LOCAL_HOSTS)
