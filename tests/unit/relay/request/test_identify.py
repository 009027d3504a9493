from dataclasses import replace
from typing import Any

import pytest
from support.playbook import KEY, USER

from softix_proxy.domain.access.keys import KeyStatus
from softix_proxy.domain.access.users import UserStatus
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.routing.directory import Changes, Directory
from softix_proxy.relay.core.plan import Caller
from softix_proxy.relay.request.identify import identify

NOW_US = 1000


def directory(key: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> Directory:
    found = Directory()
    found.apply(Changes(1, (replace(USER, **(user or {})),), (replace(KEY, **(key or {})),)))
    return found


def code(found: Directory, digest: bytes | None = b"good", address: str = "10.1.2.3") -> Code:
    with pytest.raises(RefusedError) as refused:
        identify(found, digest, address, NOW_US)
    return refused.value.code


def test_identify_with_valid_key_returns_user_and_key() -> None:
    for key in ({}, {"expires_at_us": NOW_US + 1}, {"allow_ip": ("::1/128", "10.0.0.0/8")}):
        found = directory(key)
        assert identify(found, b"good", "10.1.2.3", NOW_US) == Caller(USER, found.keys[b"good"])


def test_identify_with_mapped_ipv4_address_accepts_its_ipv4_network() -> None:
    identify(directory({"allow_ip": ("10.0.0.0/8",)}), b"good", "::ffff:10.1.2.3", NOW_US)


@pytest.mark.parametrize(
    ("key", "user", "expected"),
    [
        ({"status": KeyStatus.REVOKED}, {}, Code.KEY_REVOKED),
        ({"expires_at_us": NOW_US}, {}, Code.KEY_EXPIRED),
        ({}, {"status": UserStatus.DISABLED}, Code.USER_DISABLED),
        ({"allow_ip": ("192.168.0.0/16",)}, {}, Code.IP_NOT_ALLOWED),
        ({"allow_ip": ("10.1.2.4/32", "::/0")}, {}, Code.IP_NOT_ALLOWED),
        ({"status": KeyStatus.REVOKED, "expires_at_us": 1}, {"status": UserStatus.DISABLED}, Code.KEY_REVOKED),
    ],
)
def test_identify_with_revoked_expired_disabled_or_foreign_key_is_refused(
    key: dict[str, Any], user: dict[str, Any], expected: Code
) -> None:
    assert code(directory(key, user)) is expected


def test_identify_with_unknown_or_malformed_key_is_refused_alike() -> None:
    messages = set()
    for digest in (None, b"unknown"):
        with pytest.raises(RefusedError) as refused:
            identify(directory(), digest, "10.1.2.3", NOW_US)
        messages.add((refused.value.code, refused.value.message))
    assert len(messages) == 1


@pytest.mark.parametrize("address", ["", "nonsense", "10.1.2.3.4"])
def test_identify_without_valid_address_is_refused_for_key_with_networks(address: str) -> None:
    assert code(directory({"allow_ip": ("0.0.0.0/0",)}), address=address) is Code.IP_NOT_ALLOWED
