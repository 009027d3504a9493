"""What happens now: recent sums, open requests, and keys and balances that are near the end of a limit.

A limit is decided in admission. Here its state is only read, by the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol

from softix_proxy.domain.access import limits
from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.calendar import Today
from softix_proxy.domain.metering.admission import KeyState
from softix_proxy.domain.metering.usage import EVERY_ROW, UsageFilter

OpenOrder = Literal["newest", "age", "held", "user", "key", "model"]
"""The order of open requests. By `age` the oldest come first, and by `held` those with the largest hold."""
NEAR_PERCENT = 80
"""A limit is near its end if this part of it is used."""
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that runs now, or that a dead process left open, and the amount that is held for it."""

    request_id: int
    started_at_us: int
    user_public_id: str
    user_name: str
    key_public_id: str
    key_prefix: str
    provider: str
    model: str
    endpoint: str
    stream: bool
    hold_pico: int


class OpenHolds(NamedTuple):
    """The holds of open requests. Parts of batches, which wait at a provider for hours, are counted apart."""

    requests: int
    held_pico: int
    oldest_at_us: int | None
    """The start of the oldest request. None if none is open."""
    batch_requests: int
    batch_held_pico: int


class SecondSums(NamedTuple):
    """The sums of the requests that ended in one second and are alike in their error."""

    second: int
    """Seconds since 1970 UTC."""
    error: str | None
    requests: int
    input_tokens: int
    output_tokens: int
    cost_pico: int
    charge_pico: int


class Ended(NamedTuple):
    """A request that ended, by the id of its row."""

    latency_ms: int
    usage_id: int


class RecentPart(NamedTuple):
    """What some consecutive rows of usage add up to."""

    last_id: int
    """The id of the last of these rows. The next part begins after it."""
    seconds: Sequence[SecondSums]
    slowest: Sequence[Ended]
    """The slowest of these requests, in no order."""
    failed: Sequence[Ended]
    """The last requests that failed, in no order."""


class LimitKind(StrEnum):
    """The limits that admission decides by."""

    REQUESTS = "requests_per_minute"
    TOKENS = "tokens_per_minute"
    CONCURRENCY = "concurrency"
    CAP = "cap"
    BUDGET = "budget"
    BALANCE = "balance"


IN_PICO = frozenset((LimitKind.CAP, LimitKind.BUDGET, LimitKind.BALANCE))
"""The limits on amounts in pico-USD. The others are numbers of requests or tokens."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """An active key with its limits, and how much of them it has used."""

    user_public_id: str
    user_name: str
    key_public_id: str
    key_prefix: str
    key_label: str
    limits: KeyLimits
    state: KeyState


@dataclass(frozen=True, slots=True)
class WalletUse:
    """A prepaid wallet, and when the keys of its user spent something the last time."""

    user_public_id: str
    user_name: str
    spent_at_us: int
    available_pico: int


@dataclass(frozen=True, slots=True)
class NearLimit:
    """A limit of which little is left."""

    kind: LimitKind
    user_public_id: str
    user_name: str
    key_public_id: str | None
    key_prefix: str | None
    name: str
    """The label of the key, or the name of the budget's project or member."""
    limit: int
    left: int
    """What another request may still use. It is never negative. Amounts are pico-USD, as that of the limit."""
    period: str | None
    """The period of a cap or a budget."""
    active_at_us: int
    """The last time at which it was used."""

    @property
    def percent(self) -> int:
        """The part that is used, in whole percent. Of a limit of nothing, all is used."""
        return _PERCENT - self.left * _PERCENT // self.limit if self.limit > 0 else _PERCENT


def near_limits_of_key(use: KeyUse, now_us: int, today: Today) -> list[NearLimit]:
    """Returns the limits of a key of which little is left. It may correct instants of a wrong clock in the state."""
    bounds, state = use.limits, use.state
    state.come_back(now_us)
    left: dict[LimitKind, tuple[int, int]] = {}
    if bounds.rpm is not None:
        left[LimitKind.REQUESTS] = bounds.rpm, limits.remaining(state.rpm_tat_us, now_us, bounds.rpm)
    if bounds.tpm is not None:
        left[LimitKind.TOKENS] = bounds.tpm, limits.remaining(state.tpm_tat_us, now_us, bounds.tpm)
    if bounds.concurrency is not None:
        left[LimitKind.CONCURRENCY] = bounds.concurrency, bounds.concurrency - state.open_requests
    if bounds.cap_pico is not None:
        used_pico = state.spent_pico(bounds.cap_period, today) + state.held_pico
        left[LimitKind.CAP] = bounds.cap_pico, bounds.cap_pico - used_pico
    found = [
        NearLimit(
            kind=kind,
            user_public_id=use.user_public_id,
            user_name=use.user_name,
            key_public_id=use.key_public_id,
            key_prefix=use.key_prefix,
            name=use.key_label,
            limit=limit,
            left=max(rest, 0),
            period=bounds.cap_period if kind is LimitKind.CAP else None,
            active_at_us=max(state.spent_at_us, state.rpm_tat_us, state.tpm_tat_us),
        )
        for kind, (limit, rest) in left.items()
    ]
    return [near for near in found if near.percent >= NEAR_PERCENT]


def near_balance(use: WalletUse, low_pico: int) -> NearLimit | None:
    """Returns the balance if what is available is at most the amount that counts as low. It is the limit then."""
    left_pico = max(use.available_pico, 0)
    if left_pico > low_pico:
        return None
    return NearLimit(
        kind=LimitKind.BALANCE,
        user_public_id=use.user_public_id,
        user_name=use.user_name,
        key_public_id=None,
        key_prefix=None,
        name="",
        limit=low_pico,
        left=left_pico,
        period=None,
        active_at_us=use.spent_at_us,
    )


class LiveStore(Protocol):
    """Reads what happens now. Each read is short, however many rows and keys there are."""

    async def open_requests(
        self,
        limit: int,
        wanted: UsageFilter = EVERY_ROW,
        order: OpenOrder = "newest",
        *,
        reverse: bool = False,
        with_batches: bool = True,
    ) -> Sequence[OpenRequest]:
        """Returns the requests of the filter that are not settled. They have no span, error or status yet.

        Without batches, those are left out that wait at a provider as a part of a batch.
        """
        ...

    async def open_holds(self, wanted: UsageFilter) -> OpenHolds:
        """Returns the sums of the holds of these requests."""
        ...

    async def recent(self, wanted: UsageFilter, after_id: int, upto_us: int, most: int) -> RecentPart | None:
        """Returns the sums of the next rows after that one that are not after that instant. None if there are none.

        It looks at some thousand rows at a time, and at those of ten seconds at most. Corrections are left out. At most
        `most` of the slowest requests are listed, and of those that failed.
        """
        ...

    async def keys_near_limits(self, wanted: UsageFilter, now_us: int, percent: int) -> Sequence[KeyUse]:
        """Returns the keys of the filter that may have used that part of one of their limits.

        What they spent may be of an earlier period, so the caller looks again.
        """
        ...

    async def low_wallets(self, wanted: UsageFilter, low_pico: int) -> Sequence[WalletUse]:
        """Returns the prepaid users who have ever spent something, and of whose money at most this is available."""
        ...
