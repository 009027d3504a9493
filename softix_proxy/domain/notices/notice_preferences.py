"""The choices of a person about messages: kinds that are not wanted, and balances at which to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from softix_proxy.domain.notices.outbox import NoticeKind

OPTIONAL_KINDS = frozenset(
    (
        NoticeKind.NEW_SIGN_IN,
        NoticeKind.KEY_CREATED,
        NoticeKind.KEY_REVOKED,
        NoticeKind.RECEIPT,
        NoticeKind.LOW_BALANCE,
        NoticeKind.CAP_REACHED,
        NoticeKind.CAP_SHARE,
        NoticeKind.BUDGET_REACHED,
    )
)
"""The kinds that a person may switch off.

The others carry a link that was asked for, tell of a change of what protects the account, or are owed by law or
contract: invoices, failed payments, disputes, refunds, policies and answers to requests.
"""
MOST_THRESHOLDS = 5
"""The most balances at which one person is told about one organisation."""


class NoticePreferenceStore(Protocol):
    """Stores what people chose. It is apart from accounts and users, so that no daemon reloads."""

    async def muted(self, account_id: int) -> frozenset[NoticeKind]:
        """Returns the kinds that the person switched off."""
        ...

    async def mute(self, account_id: int, kinds: frozenset[NoticeKind]) -> None:
        """Replaces the kinds that the person switched off."""
        ...

    async def thresholds(self, account_id: int, user_id: int) -> Sequence[int]:
        """Returns the balances in pico-USD, the greatest first."""
        ...

    async def set_thresholds(self, account_id: int, user_id: int, thresholds_pico: Sequence[int]) -> None:
        """Replaces the person's thresholds for this organisation."""
        ...

    async def all_thresholds(self) -> Mapping[tuple[int, int], Sequence[int]]:
        """Returns all thresholds by account and organisation, the greatest first."""
        ...

    async def forget(self, account_id: int) -> None:
        """Deletes what the person chose."""
        ...
