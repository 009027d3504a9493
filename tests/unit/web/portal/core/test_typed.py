"""Numbers and amounts as people type them."""

from __future__ import annotations

import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.web.portal.core.typed import plain_number, typed_cents, typed_usd

USD = 10**12


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        (" 8 ", "8"),
        ("1000", "1000"),
        ("1,000", "1000"),
        ("2 000 000", "2000000"),
        ("12\u00a0345", "12345"),
        ("123\u202f456.75", "123456.75"),
        ("1,234,567.1234", "1234567.1234"),
    ],
)
def test_plain_number_of_whole_groups_has_no_separators(typed: str, plain: str) -> None:
    assert plain_number(typed) == plain


@pytest.mark.parametrize(
    "typed", ["0,500", "1,00", "1,0000", "1,000 000", "1.000,500", "1000,000", "1,000,00", "1,000.", ",500", "1.5,000"]
)
def test_plain_number_without_whole_groups_stays_and_is_no_amount(typed: str) -> None:
    assert plain_number(typed) == typed
    with pytest.raises(BadInputError):
        typed_usd(typed)


@pytest.mark.parametrize(
    ("typed", "pico"),
    [
        ("25", 25 * USD),
        (" 0.10 ", USD // 10),
        ("$25.00", 25 * USD),
        ("$ 1,250.50", 1250 * USD + USD // 2),
        ("1 000", 1000 * USD),
        ("-3", -3 * USD),
    ],
)
def test_typed_usd_is_the_exact_amount(typed: str, pico: int) -> None:
    assert typed_usd(typed) == pico


@pytest.mark.parametrize("typed", ["", "$", "$$5", "1e3", "five", "٣", "-1,000", "9" * 13])
def test_typed_usd_of_what_is_no_amount_says_how_to_write_one(typed: str) -> None:
    with pytest.raises(BadInputError, match=r"write an amount in US dollars, such as 25\.00"):
        typed_usd(typed)


@pytest.mark.parametrize(
    ("text", "cents"), [("25", 2500), ("$25", 2500), (" 25.5 ", 2550), ("0.05", 5), ("1,250.50", 125_050)]
)
def test_amount_in_cents_is_read_as_people_write_it(text: str, cents: int) -> None:
    assert typed_cents(text) == cents


@pytest.mark.parametrize("text", ["", "$", "-1", "1.234", "1,00", "²", "٢٥", "1e2", "1.-1"])
def test_amount_without_whole_cents_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        typed_cents(text)
