from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import (
    CURRENCY,
    MAX_PICO,
    PICO_PER_CENT,
    PICO_PER_USD,
    divide_half_even,
    format_cents,
    format_usd,
    parse_usd,
)

amounts_pico = st.integers(-MAX_PICO, MAX_PICO)


def test_currency_is_the_code_of_iso_4217_for_us_dollars() -> None:
    assert CURRENCY == "USD"


@pytest.mark.parametrize(
    ("text", "pico"),
    [
        ("25.00", 25 * PICO_PER_USD),
        ("0.000125", 125_000_000),
        ("0.000000000001", 1),
        ("-3", -3 * PICO_PER_USD),
        ("+1.5", 1_500_000_000_000),
        (" 7 ", 7 * PICO_PER_USD),
        ("-0.00", 0),
        ("9223372.036854775807", MAX_PICO),
    ],
)
def test_parse_usd_with_plain_decimal_returns_the_exact_amount(text: str, pico: int) -> None:
    assert parse_usd(text) == pico


@pytest.mark.parametrize(
    "text",
    ["", ".5", "5.", "1e3", "1,000.00", "1_000", "$5", "NaN", "inf", "0x10", "--1", "0.0000000000001", "٣", "1 2"],
)
def test_parse_usd_with_anything_but_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_usd(text)
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["9223372.036854775808", "-9223372.036854775808", "999999999999"])
def test_parse_usd_with_amount_beyond_64_bits_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="too large"):
        parse_usd(text)


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (0, "0.00"),
        (1, "0.000000000001"),
        (-1, "-0.000000000001"),
        (PICO_PER_USD, "1.00"),
        (1_250_000_000_000, "1.25"),
        (1_205_000_000_000, "1.205"),
        (1_500_000_000_000, "1.50"),
        (-10 * PICO_PER_USD, "-10.00"),
        (10**21, "1000000000.00"),
    ],
)
def test_format_usd_is_exact_with_two_decimals_or_more(pico: int, text: str) -> None:
    assert format_usd(pico) == text


@given(amounts_pico)
def test_amount_formatted_and_parsed_returns_the_same_amount(pico: int) -> None:
    assert parse_usd(format_usd(pico)) == pico


@given(amounts_pico)
def test_format_usd_of_any_amount_is_the_exact_value(pico: int) -> None:
    assert Fraction(format_usd(pico)) == Fraction(pico, PICO_PER_USD)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**18))
@example(1, 2)
@example(3, 2)
@example(-1, 2)
@example(-3, 2)
def test_division_of_any_integers_rounds_half_even_as_decimal_does(numerator: int, denominator: int) -> None:
    """A tie has few digits, so that 100 of them decide every case."""
    exact = Context(prec=100).divide(Decimal(numerator), Decimal(denominator))
    expected = int(exact.quantize(Decimal(1), ROUND_HALF_EVEN, Context(prec=100)))
    assert divide_half_even(numerator, denominator) == expected


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_division_without_remainder_is_exact(quotient: int, denominator: int) -> None:
    assert divide_half_even(quotient * denominator, denominator) == quotient


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00"), (5, "0.05"), (-1205, "-12.05"), (100, "1.00"), (-5, "-0.05"), (-12345, "-123.45")]
)
def test_format_cents_with_any_sign_has_two_decimals(cents: int, text: str) -> None:
    assert format_cents(cents) == text


def test_cent_is_a_whole_number_of_pico_usd() -> None:
    assert (PICO_PER_CENT, type(PICO_PER_CENT)) == (10**10, int)
