from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.pricing.prices import MarkupVersion, PriceVersion, format_markup, in_order, marked_up
from softix_proxy.domain.pricing.rates import PriceSheet, parse_markup


@pytest.mark.parametrize("text", ["7.5%", "0%", "-100%", "10000%", "-0.000001%", "100%", "33.333333%"])
def test_markup_parsed_and_formatted_returns_the_same_text(text: str) -> None:
    assert format_markup(parse_markup(text)) == text


@given(st.decimals(0, 999_999, places=12), st.integers(-100_000_000, 10_000_000_000))
def test_marked_up_price_of_any_factor_is_exact(price: Decimal, millionths: int) -> None:
    factor = 1 + Fraction(millionths, 10**8)
    text = marked_up(price, factor)
    assert Fraction(text) == Fraction(price) * factor
    assert "E" not in text and not (text.endswith("0") and "." in text)


def test_marked_up_price_has_no_trailing_zeros() -> None:
    assert marked_up(Decimal("0.60"), Fraction(1)) == "0.6"
    assert marked_up(Decimal("100"), Fraction(1)) == "100"
    assert marked_up(Decimal("2.50"), Fraction(2)) == "5"
    assert marked_up(Decimal("0.15"), parse_markup("7.5%")) == "0.16125"


def version(number: int, starts_at_us: int, created_at_us: int) -> PriceVersion:
    return PriceVersion(number, 1, None, "operator", PriceSheet.parse({"free": True}), starts_at_us, created_at_us)


def test_price_version_made_to_start_at_once_has_started_at_any_clock() -> None:
    at_once, later = version(1, 500, 500), version(2, 500, 100)
    assert at_once.has_started(99) and not later.has_started(99)
    assert at_once.has_started(500) and later.has_started(500)


def test_price_versions_made_while_the_clock_was_ahead_do_not_come_back() -> None:
    before, wrong, after, planned = (
        version(1, 100, 100),
        version(2, 900, 900),
        version(3, 110, 110),
        version(4, 950, 111),
    )
    ordered = in_order([planned, after, wrong, before])
    assert [(one.id, one.starts_at_us) for one in ordered] == [(1, 100), (2, 110), (3, 110), (4, 950)]
    assert in_order(ordered) == ordered


def test_price_versions_made_at_one_instant_keep_their_order_and_starts() -> None:
    """The second was to start at once, when the third was made; so it started no later than that."""
    made = [version(1, 100, 100), version(2, 100, 100), version(3, 100, 100)]
    assert in_order(reversed(made)) == made
    late = in_order([version(1, 101, 101), version(2, 100, 100)])
    assert [(one.id, one.starts_at_us) for one in late] == [(1, 100), (2, 100)]


def test_planned_start_of_price_version_is_kept_when_a_later_version_was_made_earlier() -> None:
    planned = version(1, 500, 400)
    assert in_order([planned, version(2, 100, 100)])[0] == planned
    at_once = version(1, 400, 400)
    assert in_order([at_once, version(2, 100, 100)])[0].starts_at_us == 100


def test_corrected_start_of_price_version_is_that_of_the_earliest_later_version() -> None:
    made = [version(1, 900, 900), version(2, 50, 50), version(3, 70, 70)]
    assert [one.starts_at_us for one in in_order(made)] == [50, 50, 70]


def test_price_versions_at_the_end_of_time_or_empty_are_unchanged() -> None:
    last = version(1, 2**63 - 1, 2**63 - 1)
    assert in_order([last]) == [last] and in_order([]) == []


def test_markup_version_without_fee_has_no_fee_and_starts_as_a_price_does() -> None:
    markup = MarkupVersion(1, "default", None, Fraction(1), 500, 100)
    assert (markup.has_started(499), markup.has_started(500), markup.fee_pico) == (False, True, 0)
    assert MarkupVersion(1, "default", None, Fraction(1), 500, 500).has_started(0)


def test_marked_up_price_with_the_most_digits_is_exact() -> None:
    """Eighteen digits by eleven, which the 28 of a plain context cannot hold."""
    price, factor = Decimal("999999.999999999999"), 1 + Fraction("99.99999999")
    exact = Fraction(price) * factor
    assert Fraction(marked_up(price, factor)) == exact
    assert len(marked_up(price, factor).replace(".", "")) == 29
