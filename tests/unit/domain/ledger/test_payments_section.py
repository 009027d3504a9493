from __future__ import annotations

import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import format_cents
from softix_proxy.domain.ledger.payments_section import PaymentsSection, parse_api_base, parse_cents


@pytest.mark.parametrize(("text", "cents"), [("5", 500), ("5.00", 500), ("0.50", 50), ("999999.99", 99_999_999)])
def test_amount_that_stripe_charges_is_parsed_to_cents(text: str, cents: int) -> None:
    assert parse_cents(text) == cents
    assert parse_cents(format_cents(cents)) == cents


@pytest.mark.parametrize("text", ["", "0", "0.49", "-5", "5.0", "5.001", "1e3", "1,000.00", "1000000.00", "٥.٠٠"])
def test_amount_that_stripe_does_not_charge_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_cents(text)


@pytest.mark.parametrize(
    "text", ["https://api.stripe.com/", "http://127.0.0.1:9", "http://localhost:1", "http://[::1]:1"]
)
def test_address_to_which_a_key_may_be_sent_is_accepted(text: str) -> None:
    assert parse_api_base(text) == text.rstrip("/")


@pytest.mark.parametrize("text", ["http://api.stripe.com", "ftp://127.0.0.1", "api.stripe.com", ""])
def test_address_to_which_a_key_would_go_in_the_clear_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_api_base(text)


def test_payments_are_off_by_default_and_the_limits_can_be_charged() -> None:
    section = PaymentsSection()
    assert not section.enabled and parse_cents(section.least) < parse_cents(section.most)
    assert section.sessions_per_hour == 5
