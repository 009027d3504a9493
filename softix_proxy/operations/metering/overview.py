"""What a member sees first: the balance, the spend by day, the last requests, and what somebody should look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.users import UserStatus
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ledger.balance import Wallet
from softix_proxy.domain.metering.usage import UsageFilter, UsageRow, UsageTotal
from softix_proxy.operations.metering.organisation_usage import DayPeriod, period_of
from softix_proxy.operations.organisations import organisation_keys
from softix_proxy.operations.organisations.organisation_keys import KeyCondition, KeyView
from softix_proxy.operations.organisations.organisation_scope import OrganisationScope

LAST_REQUESTS = 8
_LOW_DAYS = 3
"""A balance is low if it lasts for fewer days than these, at the spend of the last week."""
_WEEK_DAYS = 7
_CAP_PERCENT = 80
_SOON_US = 7 * DAY_US
_MOST_SCANNED = 40_000
_MOST_OF_A_KIND = 3
"""The most warnings of one kind. The page of keys shows the others."""


class WarningKind(StrEnum):
    """What somebody should look at. The first is the most urgent. Each has a text of its name."""

    DISABLED = "disabled"
    NO_BALANCE = "no_balance"
    LOW_BALANCE = "low_balance"
    CAP_REACHED = "cap_reached"
    CAP_NEAR = "cap_near"
    KEY_EXPIRED = "key_expired"
    KEY_EXPIRES = "key_expires"
    UNVERIFIED = "unverified"
    NO_KEY = "no_key"


SEVERE = frozenset((WarningKind.DISABLED, WarningKind.NO_BALANCE, WarningKind.CAP_REACHED))
"""The warnings that say that requests are refused."""


@dataclass(frozen=True, slots=True)
class OpenWarning:
    kind: WarningKind
    key: KeyView | None = None
    values: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_severe(self) -> bool:
        return self.kind in SEVERE


@dataclass(frozen=True, slots=True)
class Overview:
    wallet: Wallet
    period: DayPeriod
    days: Sequence[UsageTotal]
    """The days of the period with a request, in order."""
    today_pico: int
    latest: Sequence[UsageRow]
    warnings: Sequence[OpenWarning]
    active_keys: int
    labels: Mapping[str, str]
    """The labels of the organisation's keys, by their public ids."""


async def overview(scope: OrganisationScope, account: Account) -> Overview:
    """Raises NotFoundError."""
    scope.require(Permission.BALANCE_READ)
    keys = await organisation_keys.list_all(scope)
    async with scope.storage.snapshot() as unit:
        now_us = unit.clock.now_us()
        period = period_of(await unit.instance.calendar(), now_us, "", "")
        own = UsageFilter(span=period.span, user_id=scope.organisation.id)
        balance = await unit.balance.get(scope.organisation.id)
        days = await unit.usage.totals_of(own, "day", period.first_day, period.end_day)
        latest = await unit.usage.newest_of(own, LAST_REQUESTS, _MOST_SCANNED)
    spent = {day.id: day.charge_pico for day in days}
    warnings = sorted(
        _warnings(scope, account, balance, keys, _week_pico(period, spent), now_us),
        key=lambda warning: list(WarningKind).index(warning.kind),
    )
    return Overview(
        wallet=balance,
        period=period,
        days=days,
        today_pico=spent.get(period.last.isoformat(), 0),
        latest=latest.rows,
        warnings=warnings,
        active_keys=sum(key.condition is KeyCondition.ACTIVE for key in keys),
        labels={key.key.public_id: key.key.label for key in keys},
    )


async def wallet(scope: OrganisationScope) -> Wallet:
    """Returns the balance of the organisation. Raises NotFoundError."""
    scope.require(Permission.BALANCE_READ)
    return await scope.storage.reading().balance.get(scope.organisation.id)


def _week_pico(period: DayPeriod, spent: Mapping[str, int]) -> int:
    """Returns what was spent in the last seven days, without the running one."""
    days = [period.last.fromordinal(period.last.toordinal() - back) for back in range(1, _WEEK_DAYS + 1)]
    return sum(spent.get(day.isoformat(), 0) for day in days)


def _warnings(
    scope: OrganisationScope,
    account: Account,
    balance: Wallet,
    keys: Sequence[KeyView],
    week_pico: int,
    now_us: int,
) -> Iterator[OpenWarning]:
    if scope.organisation.status is not UserStatus.ACTIVE:
        yield OpenWarning(WarningKind.DISABLED)
    if account.verified_at_us is None:
        yield OpenWarning(WarningKind.UNVERIFIED)
    if not scope.organisation.postpaid:
        yield from _balance_warnings(balance, week_pico)
    for warnings in (_cap_warnings(keys), _end_warnings(keys, now_us)):
        yield from warnings
    if not any(key.condition is KeyCondition.ACTIVE for key in keys):
        yield OpenWarning(WarningKind.NO_KEY)


def _balance_warnings(balance: Wallet, week_pico: int) -> Iterator[OpenWarning]:
    available_pico = balance.available_pico
    if available_pico <= 0:
        yield OpenWarning(WarningKind.NO_BALANCE)
    elif available_pico * _WEEK_DAYS < week_pico * _LOW_DAYS:
        yield OpenWarning(WarningKind.LOW_BALANCE, values={"days": available_pico * _WEEK_DAYS // week_pico})


def _cap_warnings(keys: Sequence[KeyView]) -> Iterator[OpenWarning]:
    working = [key for key in keys if key.condition is KeyCondition.ACTIVE and key.cap_percent is not None]
    for kind, floor, ceiling in ((WarningKind.CAP_REACHED, 100, 2**63), (WarningKind.CAP_NEAR, _CAP_PERCENT, 100)):
        near = [key for key in working if floor <= (key.cap_percent or 0) < ceiling]
        yield from (OpenWarning(kind, key, {"percent": key.cap_percent or 0}) for key in near[:_MOST_OF_A_KIND])


def _end_warnings(keys: Sequence[KeyView], now_us: int) -> Iterator[OpenWarning]:
    """Yields the keys that ended in the last week or end in the next one."""
    expired = [
        key
        for key in keys
        if key.condition is KeyCondition.EXPIRED and now_us - (key.key.expires_at_us or 0) < _SOON_US
    ]
    soon = [
        key
        for key in keys
        if key.condition is KeyCondition.ACTIVE and (key.key.expires_at_us or 2**63) - now_us < _SOON_US
    ]
    yield from (OpenWarning(WarningKind.KEY_EXPIRED, key) for key in expired[:_MOST_OF_A_KIND])
    yield from (OpenWarning(WarningKind.KEY_EXPIRES, key) for key in soon[:_MOST_OF_A_KIND])
