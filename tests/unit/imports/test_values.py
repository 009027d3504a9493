from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.clock import DAY_US, parse_instant
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.imports import values
from softix_proxy.imports.values import FilePosition

PLACE = FilePosition("bill.csv", 7, "cost")
FIRST = parse_instant("2026-10-01") // DAY_US


@pytest.mark.parametrize(
    ("written", "divisor", "pico", "step_pico"),
    [
        ("1", 1, 10**12, 10**12),
        ("-0.50", 1, -5 * 10**11, 10**10),
        ("1e-06", 1, 10**6, 10**6),
        (Decimal("1E-6"), 1, 10**6, 10**6),
        ("0.0000000000005", 1, 0, 1),
        ("0.0000000000015", 1, 2, 1),
        ("123.45", 100, 1_234_500_000_000, 10**8),
        ("0", 1, 0, 10**12),
        ("0e-9999", 1, 0, 1),
        ("1e-9999", 1, 0, 1),
        (3, 1, 3 * 10**12, 10**12),
    ],
)
def test_amount_is_rounded_half_even_once(written: object, divisor: int, pico: int, step_pico: int) -> None:
    assert values.amount(written, PLACE, divisor) == (pico, step_pico)


@pytest.mark.parametrize(
    "written", ["1,234.50", "1 234", "$5", "", "NaN", "inf", "1e99", "0x1", None, True, 1.5, [], "9" * 70]
)
def test_invalid_amount_is_refused_in_one_line_with_its_place(written: object) -> None:
    with pytest.raises(BadInputError) as caught:
        values.amount(written, PLACE)
    assert caught.value.message.startswith("bill.csv, row 7, column 'cost': ")
    assert "\n" not in caught.value.message and len(caught.value.message) < 150


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9), st.integers(1, 1000))
def test_amount_is_exact_within_half_a_pico(number: Decimal, divisor: int) -> None:
    if len(str(number)) > values.MOST_CHARACTERS:
        return
    pico, step_pico = values.amount(number, PLACE, divisor)
    numerator, denominator = number.as_integer_ratio()
    assert abs(2 * (pico * denominator * divisor - numerator * 10**12)) <= denominator * divisor
    assert step_pico >= 1


@pytest.mark.parametrize(
    "written",
    [
        "2026-10-01",
        "2026-10-01T23:59:59Z",
        "2026-10-02T01:30:00+02:00",
        "10/01/2026",
        "10/1/2026",
        1790812800,
        1790899199,
    ],
)
def test_day_in_any_form_is_read_in_utc(written: object) -> None:
    assert values.day(written, PLACE) == FIRST


@pytest.mark.parametrize(
    "written", ["", "13/45/2026", "yesterday", "1969-12-31", -1, 10**15, True, None, 1.5, "9" * 80]
)
def test_invalid_day_is_refused(written: object) -> None:
    with pytest.raises(BadInputError, match="not a da"):
        values.day(written, PLACE)


def test_line_beyond_one_day_is_refused() -> None:
    values.require_within_a_day("2026-10-01", "2026-10-02", PLACE)
    values.require_within_a_day(1790812800, 1790816400, PLACE)
    for start, end in (
        ("2026-10-01", "2026-11-01"),
        ("2026-10-01T12:00Z", "2026-10-02T12:00Z"),
        ("2026-10-01", "2026-10-01"),
    ):
        with pytest.raises(BadInputError, match="within one day"):
            values.require_within_a_day(start, end, PLACE)


def test_currency_other_than_us_dollars_is_refused() -> None:
    values.currency("usd", PLACE)
    values.currency(" USD", PLACE)
    for other in ("EUR", "", None, 5):
        with pytest.raises(BadInputError, match="the currency is"):
            values.currency(other, PLACE)


def test_token_count_is_read_as_an_integer_or_refused() -> None:
    assert [values.tokens(written, PLACE) for written in (None, "", "0", 0, "12", 12, "12.00", "0.0")] == [
        0, 0, 0, 0, 12, 12, 12, 0,
    ]  # fmt: skip
    for wrong in ("-1", "1.5", "1e30", "many", True, [], "1,000"):
        with pytest.raises(BadInputError, match="not a count"):
            values.tokens(wrong, PLACE)


def test_model_name_is_read_without_surplus_spaces_or_refused() -> None:
    assert values.name(" gpt-4o \n mini ", PLACE) == "gpt-4o mini"
    assert values.name(None, PLACE) is values.name("  ", PLACE) is None
    for wrong in (5, ["x"], "x" * 201):
        with pytest.raises(BadInputError, match="not a model's name"):
            values.name(wrong, PLACE)
