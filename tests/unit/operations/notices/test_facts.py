from __future__ import annotations

import pytest

from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.operations.notices import facts

USD = 10**12


@pytest.mark.parametrize(
    ("pico", "shown"),
    [
        (0, "$0.00"),
        (25 * USD, "$25.00"),
        (-USD // 100 * 3, "-$0.03"),
        (12_345_678_000_000_000, "$12345.68"),
        (1, "less than $0.01"),
    ],
)
def test_amount_is_shown_in_dollars_and_cents(pico: int, shown: str) -> None:
    assert facts.usd(pico) == shown


def test_time_is_shown_to_the_minute_in_utc() -> None:
    assert facts.when(1_764_526_500_000_000) == "2025-11-30 18:15 UTC"
    assert facts.when(1_800_000_059_999_999) == "2027-01-15 08:00 UTC"


@pytest.mark.parametrize(("label", "shown"), [("ci", "ci (sx_live_ab…)"), ("", "sx_live_ab…")])
def test_key_is_named_by_its_label_and_its_visible_prefix(label: str, shown: str) -> None:
    key = Key(1, "key_a", 1, label, "sx_live_ab", b"", (), (), KeyLimits(), KeyStatus.ACTIVE, None, 1)
    assert facts.key_name(key) == shown
