"""Automatic top-ups: when the balance is below a threshold, the saved method is charged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from softix_proxy.domain.core.clock import SECOND_US

FAILURES_UNTIL_PAUSED = 3
_BACK_OFF_US = tuple(hours * 3600 * SECOND_US for hours in (1, 6))
"""How long softix waits after the first and after the second failure in a row. After the third one it pauses."""


@dataclass(frozen=True, slots=True)
class AutoTopUp:
    """How the wallet of one user is topped up. Amounts in cents are credit, without tax."""

    user_id: int
    enabled: bool
    threshold_cents: int
    """It is topped up if what can be spent is below this."""
    amount_cents: int
    monthly_cap_cents: int
    """The most that automatic payments of one calendar month may add."""
    failures: int = 0
    """The failures in a row."""
    next_at_us: int = 0
    """The earliest time of the next attempt."""
    paused_at_us: int | None = None
    """When softix stopped, after failures or because money went back. A person has to start it again."""

    @property
    def is_active(self) -> bool:
        return self.enabled and self.paused_at_us is None

    @property
    def failed_too_often(self) -> bool:
        return self.failures >= FAILURES_UNTIL_PAUSED

    def after_failure(self, now_us: int) -> AutoTopUp:
        """Returns it with a longer wait, or paused after too many failures in a row."""
        failures = self.failures + 1
        if failures >= FAILURES_UNTIL_PAUSED:
            return replace(self, failures=failures, paused_at_us=now_us)
        return replace(self, failures=failures, next_at_us=now_us + _BACK_OFF_US[failures - 1])

    def after_money_back(self, now_us: int) -> AutoTopUp:
        """Returns it paused: softix must not charge again what was refunded, disputed, or is held for a refund."""
        return replace(self, paused_at_us=now_us) if self.is_active else self

    def restarted(self, now_us: int) -> AutoTopUp:
        """Returns it switched on by a person. A wait goes on, so that nobody tries cards by switching it off and on."""
        failures = 0 if self.failed_too_often else self.failures
        next_at_us = self.next_at_us if self.next_at_us > now_us else 0
        return replace(self, enabled=True, failures=failures, next_at_us=next_at_us, paused_at_us=None)

    def after_success(self) -> AutoTopUp:
        return replace(self, failures=0, next_at_us=0)

    def amount_within_cap(self, charged_cents: int) -> int:
        """Returns what may be charged now, given what this month's automatic payments are. 0 if the cap is reached.

        It is the whole amount or nothing: a smaller one would be another payment than the person agreed to.
        """
        return self.amount_cents if charged_cents + self.amount_cents <= self.monthly_cap_cents else 0


class AutoTopUpStore(Protocol):
    """Stores automatic top-ups, one for each user."""

    async def get(self, user_id: int) -> AutoTopUp | None: ...

    async def set(self, auto_top_up: AutoTopUp) -> None: ...

    async def due(self, now_us: int) -> Sequence[AutoTopUp]:
        """Returns the active ones whose wallet is below the threshold, and that need not wait."""
        ...
