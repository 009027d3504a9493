from dataclasses import replace

import pytest
from support.playbook import KEY

from softix_proxy.domain.access.keys import Spend
from softix_proxy.domain.core.clock import PERIODS


@pytest.mark.parametrize(
    ("patterns", "names", "allowed"),
    [
        ((), ("lab", "anything", ""), True),
        (("gpt-*",), ("lab", "gpt-4", ""), True),
        (("lab/*",), ("lab", "gpt-4", ""), True),
        (("lab/*",), ("other", "lab/gpt-4", ""), False),
        (("gpt-?",), ("lab", "gpt-4o", ""), False),
        (("GPT-*",), ("lab", "gpt-4", ""), False),
        (("gpt-*", "claude-[34]"), ("lab", "claude-3", ""), True),
        (("best",), ("lab", "gpt-4", "best"), True),
    ],
)
def test_key_with_model_patterns_allows_only_matching_names(
    patterns: tuple[str, ...], names: tuple[str, str, str], allowed: bool
) -> None:
    assert replace(KEY, models=patterns).allows_model(*names) is allowed


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ((), "nonsense", True),
        (("10.0.0.0/8",), "10.255.0.1", True),
        (("10.0.0.0/8",), "11.0.0.1", False),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", True),
        (("2001:db8::/32",), "2001:db8::1", True),
        (("::/0",), "10.0.0.1", False),
        (("10.1.2.3/8",), "10.0.0.1", True),
        (("0.0.0.0/0",), "", False),
    ],
)
def test_key_with_networks_allows_only_addresses_within_them(
    networks: tuple[str, ...], address: str, allowed: bool
) -> None:
    assert replace(KEY, allow_ip=networks).allows_address(address) is allowed


@pytest.mark.parametrize(("ends_us", "expired"), [(None, False), (0, True), (99, True), (100, True), (101, False)])
def test_key_is_expired_from_the_instant_at_which_it_ends(ends_us: int | None, expired: bool) -> None:
    assert replace(KEY, expires_at_us=ends_us).is_expired(100) is expired


def test_spend_of_each_period_is_the_sum_of_that_period() -> None:
    assert [Spend(1, 2, 3, 4).of(period) for period in PERIODS] == [1, 2, 3, 4]
