"""Reads a provider's limits from the headers of its responses.

An outsider writes these headers, so softix trusts them only within bounds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from softix_proxy.domain.core.clock import SECOND_US, to_us
from softix_proxy.domain.core.headers import Headers

LONGEST_US = 3600 * SECOND_US
"""The longest time for which a provider can exclude itself."""
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|us|µs|ns|h|m|s|d)")
_UNITS_NS = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86_400 * 10**9,
}


class RemainingQuota(NamedTuple):
    """The amount of a limit that was left at a time.

    `reset` is text that says when all of it will be available again.
    """

    amount: int
    reset: str
    told_at_us: int

    def short_until_us(self, needed: int) -> int:
        """Returns until when less than `needed` is left, or 0 if enough is left."""
        return 0 if self.amount >= needed else self.told_at_us + reset_us(self.reset, self.told_at_us)


class ProviderQuota(NamedTuple):
    requests: RemainingQuota | None
    tokens: RemainingQuota | None


_LEFT: Mapping[str, tuple[int, str]] = {
    "x-ratelimit-remaining-requests": (0, "x-ratelimit-reset-requests"),
    "x-ratelimit-remaining-tokens": (1, "x-ratelimit-reset-tokens"),
    "anthropic-ratelimit-requests-remaining": (0, "anthropic-ratelimit-requests-reset"),
    "anthropic-ratelimit-tokens-remaining": (1, "anthropic-ratelimit-tokens-reset"),
    "anthropic-ratelimit-input-tokens-remaining": (1, "anthropic-ratelimit-input-tokens-reset"),
}


def read(headers: Headers, now_us: int) -> ProviderQuota | None:
    """Reads the limits, or returns None if the provider states none. Of two limits on tokens, the lower rest counts."""
    found: list[RemainingQuota | None] = [None, None]
    for name, value in headers:
        if name in _LEFT and _NUMBER.fullmatch(value):
            kind, reset = _LEFT[name]
            known, amount = found[kind], int(value)
            if known is None or amount < known.amount:
                found[kind] = RemainingQuota(
                    amount, next((text for other, text in headers if other == reset), ""), now_us
                )
    return ProviderQuota(*found) if found != [None, None] else None


def reset_us(text: str, now_us: int) -> int:
    """Returns how long the reset takes from now: `6m0s`, `17ms`, seconds, or an instant.

    Unreadable text means a second.
    """
    if _SECONDS.fullmatch(text):
        return _limited(_ns(text, "s") // 1000)
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return _limited(sum(_ns(number, unit) for number, unit in parts) // 1000)
    try:
        instant = datetime.fromisoformat(text)
        return _limited(to_us(instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)) - now_us)
    except (ValueError, OverflowError):
        return SECOND_US


def retry_after_us(headers: Headers, now_us: int) -> int | None:
    """Returns how long the provider wants no request, or None if it says nothing that can be understood."""
    for name, value in headers:
        if name == "retry-after-ms" and _SECONDS.fullmatch(value):
            return _limited(_ns(value, "ms") // 1000)
    for name, value in headers:
        if name == "retry-after":
            if _SECONDS.fullmatch(value):
                return _limited(_ns(value, "s") // 1000)
            try:
                return _limited(to_us(parsedate_to_datetime(value).astimezone(UTC)) - now_us)
            except (ValueError, OverflowError):
                return None
    return None


def _ns(number: str, unit: str) -> int:
    whole, _, decimals = number.partition(".")
    return (int(whole) * 10**9 + int(decimals.ljust(9, "0")[:9] or 0)) * _UNITS_NS[unit] // 10**9


def _limited(us: int) -> int:
    return max(0, min(us, LONGEST_US))
