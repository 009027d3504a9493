from dataclasses import replace
from typing import Any

import pytest
from support.playbook import KEY, USER

from softix_proxy.domain.directory import Changes, Directory
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.keys import KeyStatus
from softix_proxy.domain.users import UserStatus
from softix_proxy.relay.identify import identify
from softix_proxy.relay.plan import Caller

NOW_US = 1000


def directory(key: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> Directory:
    found = Directory()
    found.apply(Changes(1, (replace(USER, **(user or {})),), (replace(KEY, **(key or {})),)))
    return found


def code(found: Directory, digest: bytes | None = b"good", address: str = "10.1.2.3") -> Code:
    with pytest.raises(RefusedError) as refused:
        identify(found, digest, address, NOW_US)
    return refused.value.code


def test_a_good_key() -> None:
    for key in ({}, {"expires_at_us": NOW_US + 1}, {"allow_ip": ("::1/128", "10.0.0.0/8")}):
        found = directory(key)
        assert identify(found, b"good", "10.1.2.3", NOW_US) == Caller(USER, found.keys[b"good"])


def test_an_address_as_a_socket_of_both_families_has_it() -> None:
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
def test_refusals(key: dict[str, Any], user: dict[str, Any], expected: Code) -> None:
    assert code(directory(key, user)) is expected


def test_an_unknown_key_and_a_malformed_one_get_the_same_answer() -> None:
    messages = set()
    for digest in (None, b"unknown"):
        with pytest.raises(RefusedError) as refused:
            identify(directory(), digest, "10.1.2.3", NOW_US)
        messages.add((refused.value.code, refused.value.message))
    assert len(messages) == 1


@pytest.mark.parametrize("address", ["", "nonsense", "10.1.2.3.4"])
def test_who_has_no_address_is_in_no_network(address: str) -> None:
    assert code(directory({"allow_ip": ("0.0.0.0/0",)}), address=address) is Code.IP_NOT_ALLOWED
