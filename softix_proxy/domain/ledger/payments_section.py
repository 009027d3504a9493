"""The settings of payments by Stripe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from softix_proxy.domain.core.config import setting
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.loopback import LOCAL_HOSTS

_AMOUNT = re.compile(r"(\d{1,6})(?:\.(\d{2}))?", re.ASCII)
LEAST_CENTS = 50
"""Stripe charges no less in US dollars (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""
MOST_CENTS = 99_999_999
"""The most that Stripe charges at once in US dollars, from the same page."""


def parse_cents(text: str) -> int:
    """Parses `25` or `25.00` US dollars that can be charged at once, to cents. Raises BadInputError."""
    match = _AMOUNT.fullmatch(text.strip())
    cents = int(match[1]) * 100 + int(match[2] or 0) if match else 0
    if not LEAST_CENTS <= cents <= MOST_CENTS:
        raise BadInputError(
            f"not an amount that can be paid: {text!r}", "write US dollars with cents, from 0.50 to 999999.99: 25.00"
        )
    return cents


def parse_api_base(text: str) -> str:
    """Returns an address to which a secret key may go: https, or plain http of this machine. Raises BadInputError."""
    parts = urlsplit(text)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS):
        return text.rstrip("/")
    raise BadInputError(f"not an address for payments: {text!r}", "write https://…, or leave it out for Stripe itself")


_CENTS = {"item": parse_cents, "words": 'US dollars as text, such as "25.00"'}
_BASE = {"item": parse_api_base, "words": "https://…"}


@dataclass(frozen=True, slots=True)
class PaymentsSection:
    """Sets whether and how people pay in the portal, by Stripe."""

    enabled: bool = setting(
        False, "Whether people can pay in the portal. `softix payments setup` stores the keys.", restart=True
    )
    least: str = setting("5.00", "The smallest amount of one top-up, in US dollars without tax.", **_CENTS)
    most: str = setting("500.00", "The greatest amount of one top-up, in US dollars without tax.", **_CENTS)
    tax: Literal["none", "stripe", "softix"] = setting(
        "none", "Who calculates the tax on a top-up: nobody, Stripe Tax, or softix by the rates of [billing]."
    )
    tax_code: str | None = setting(
        None,
        "The code of the product for Stripe Tax. Without it, the account's default applies.",
        example="txcd_10103001",
    )
    sessions_per_hour: int = setting(
        5,
        "The most payments and changes of cards that one account may begin in an hour. It stops the testing of stolen"
        " cards.",
        least=1,
    )
    refunds: Literal["off", "ask"] = setting(
        "ask", "Whether people may ask for a refund of unused money. An operator answers."
    )
    automatic: bool = setting(True, "Whether people may switch automatic top-ups on.")
    automatic_month: str = setting(
        "1000.00", "The most that automatic top-ups of one user may add in a month, in US dollars.", **_CENTS
    )
    automatic_poll_s: float = setting(
        60, "How often balances are compared with the thresholds of automatic top-ups.", restart=True, least=0.05
    )
    sweep_s: float = setting(
        900, "How often Stripe is asked for what its events did not tell.", restart=True, least=0.05
    )
    timeout_s: float = setting(15, "The longest time for one answer of Stripe.", restart=True, least=0.1, most=80)
    api_base: str | None = setting(
        None, "The address of Stripe's API. It is for tests.", restart=True, example="https://api.stripe.com", **_BASE
    )
