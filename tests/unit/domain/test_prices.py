from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.prices import format_markup, marked_up
from softix_proxy.domain.pricing import parse_markup


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
