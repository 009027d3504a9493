from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.prices import PriceVersion, format_markup, in_order, marked_up
from softix_proxy.domain.pricing import PriceSheet, parse_markup


@pytest.mark.parametrize("text", ["7.5%", "0%", "-100%", "10000%", "-0.000001%", "100%", "33.333333%"])
def test_a_markup_reads_as_it_was_written(text: str) -> None:
    assert format_markup(parse_markup(text)) == text


@given(st.decimals(0, 999_999, places=12), st.integers(-100_000_000, 10_000_000_000))
def test_a_marked_up_price_is_exact(price: Decimal, millionths: int) -> None:
    factor = 1 + Fraction(millionths, 10**8)
    text = marked_up(price, factor)
    assert Fraction(text) == Fraction(price) * factor
    assert "E" not in text and not (text.endswith("0") and "." in text)


def test_plain_numbers_stay_plain() -> None:
    assert marked_up(Decimal("0.60"), Fraction(1)) == "0.6"
    assert marked_up(Decimal("100"), Fraction(1)) == "100"
    assert marked_up(Decimal("0.15"), parse_markup("7.5%")) == "0.16125"


def version(number: int, starts_at_us: int, created_at_us: int) -> PriceVersion:
    return PriceVersion(number, 1, None, "operator", PriceSheet.parse({"free": True}), starts_at_us, created_at_us)


def test_a_version_that_was_to_start_at_once_has_started_whatever_the_clock_says() -> None:
    at_once, later = version(1, 500, 500), version(2, 500, 100)
    assert at_once.has_started(99) and not later.has_started(99)
    assert at_once.has_started(500) and later.has_started(500)


def test_what_was_made_while_the_clock_was_ahead_does_not_come_back() -> None:
    before, wrong, after, planned = (
        version(1, 100, 100),
        version(2, 900, 900),
        version(3, 110, 110),
        version(4, 950, 111),
    )
    ordered = in_order([planned, after, wrong, before])
    assert [(one.id, one.starts_at_us) for one in ordered] == [(1, 100), (2, 110), (3, 110), (4, 950)]
    assert in_order(ordered) == ordered
