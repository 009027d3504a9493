"""What the rules look at. It is metadata: counts, times, sums and networks, and never content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

HOUR_US = 3_600_000_000
HOURS_A_WEEK = 168


class HourUse(NamedTuple):
    """What one key did in one hour."""

    requests: int = 0
    failures: int = 0
    """Requests that ended with an error of the provider."""
    refused: int = 0
    """Requests that softix refused before they reached a provider."""
    hang_ups: int = 0
    """Requests whose client left before the end."""
    tokens: int = 0
    charge_pico: int = 0


NO_USE = HourUse()


class Everyone(NamedTuple):
    """What all keys together did in the same hour. It tells a fault of a provider from one of a key."""

    requests: int = 0
    failures: int = 0
    refused: int = 0


NOBODY_ELSE = Everyone()


@dataclass(frozen=True, slots=True)
class KeyHours:
    """One key with its hours, the present one among them."""

    key_id: int
    public_id: str
    user_id: int
    hour: int
    """The present hour, since 1970 UTC."""
    hours: Mapping[int, HourUse] = field(repr=False)
    """Hour → use. An hour without use is absent."""
    everyone: Everyone = NOBODY_ELSE
    offset_hours: int = 0
    """By how much the operator's clock is ahead of UTC."""

    @property
    def now(self) -> HourUse:
        return self.hours.get(self.hour, NO_USE)

    @property
    def known_hours(self) -> int:
        """For how many hours before this one the key is known."""
        return self.hour - min(self.hours, default=self.hour)

    def earlier(self) -> Sequence[int]:
        """Returns the hours with use before the present one."""
        return [hour for hour in self.hours if hour < self.hour]


class Guesses(NamedTuple):
    """The failures of one network in the last hours, at the proxy and at the portal."""

    network: str
    keys: int
    """How many API keys were tried that are not valid."""
    sign_ins: int
    """How many sign-ins failed."""


class Registration(NamedTuple):
    """One account that was made lately."""

    account: str
    network: str
    mailbox: str
    """A digest of the address without what is behind a plus. Equal digests are one mailbox."""
    device: str


@dataclass(frozen=True, slots=True)
class Registrations:
    """The accounts that were made in the last day."""

    made: Sequence[Registration] = field(repr=False)


class PaymentTries(NamedTuple):
    """The payments that one organisation tried in the last day."""

    user_id: int
    organisation: str
    tried: int
    failed: int
    small_failed: int
    """Failed ones of at most ten US dollars."""
    open: int
    paid: int


class LeakReport(NamedTuple):
    """A key that somebody found in public."""

    key_id: int
    public_id: str
    user_id: int
    source: str
    """The word of the report for the kind of place, such as `content` or `issue`. It is no address."""


def mailbox_of(folded_email: str) -> str:
    """Returns the address without what a person can change at will: the part behind a plus."""
    name, _, host = folded_email.rpartition("@")
    return f"{name.partition('+')[0]}@{host}"
