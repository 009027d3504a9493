from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from softix_proxy.exports.core import shown

INSTANT_US = 1_796_062_260_000_000
"""2026-11-30T18:11:00Z."""


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (0, "$0.00"),
        (1_234_500_000_000_000, "$1,234.50"),
        (125_000_000, "$0.000125"),
        (-125_000_000, "-$0.000125"),
        (-5_000_000_000_000, "-$5.00"),
        (1, "$0.000000000001"),
    ],
)
def test_amount_is_shown_exactly(pico: int, text: str) -> None:
    assert shown.usd(pico) == text


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (9_999_999_999, "$0.00"),
        (19_999_999_999, "$0.01"),
        (1_234_567_890_000_000, "$1,234.56"),
        (-1, "-$0.01"),
        (-10_000_000_000, "-$0.01"),
        (0, "$0.00"),
    ],
)
def test_amount_in_cents_never_looks_larger_than_it_is(pico: int, text: str) -> None:
    assert shown.usd_cents(pico) == text


def test_time_is_that_of_the_zone() -> None:
    assert shown.local_time(INSTANT_US, UTC) == "2026-11-30 18:11"
    assert shown.local_time(INSTANT_US, ZoneInfo("Asia/Tokyo")) == "2026-12-01 03:11"
    assert shown.local_day(INSTANT_US, ZoneInfo("Asia/Tokyo")) == "2026-12-01"
    assert shown.machine_time(INSTANT_US) == "2026-11-30T18:11:00.000000Z"
