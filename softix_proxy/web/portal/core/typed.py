"""Reads numbers and amounts as people type them: `1,000`, `1 000` or `$1,250.50`."""

from __future__ import annotations

import re

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import PICO_PER_CENT, parse_usd

_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?=([, \u00a0\u202f]))(?:\1[0-9]{3})+(?:\.[0-9]+)?")
"""A number in whole groups of three. `0,500` is none: the comma may be a decimal one."""

_HOW = "write an amount in US dollars, such as 25.00"
"""A page shows only the message of an error. The remedy of an operation names a command."""


def plain_number(text: str) -> str:
    """Returns the number without what separates its groups. Any other text stays, for a parser to refuse."""
    typed = text.strip()
    found = _GROUPED.fullmatch(typed)
    return typed if found is None else typed.replace(found[1], "")


def typed_usd(text: str) -> int:
    """Returns an amount in pico-USD. Raises BadInputError, whose message says how to write one."""
    try:
        return parse_usd(plain_number(text.strip().removeprefix("$")))
    except BadInputError as error:
        raise BadInputError(_HOW, error.remedy) from None


def typed_cents(text: str) -> int:
    """Returns an amount in cents. Raises BadInputError for a negative one, and for one with parts of a cent."""
    cents, rest_pico = divmod(typed_usd(text), PICO_PER_CENT)
    if cents < 0 or rest_pico:
        raise BadInputError(_HOW, "")
    return cents
