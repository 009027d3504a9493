"""One picture of what happens now, for the screen of `softix top`, for pipes, and for programs.

The sums of the last minutes are made from the end of usage. A `LiveView` keeps them by the second, so that each further
picture reads only what was added since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import nlargest
from typing import Any, get_args

from softix_proxy.domain.core.clock import SECOND_US, SLACK_US, format_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.metering.live import (
    IN_PICO,
    NEAR_PERCENT,
    Ended,
    LimitKind,
    NearLimit,
    OpenHolds,
    OpenOrder,
    OpenRequest,
    SecondSums,
    near_balance,
    near_limits_of_key,
)
from softix_proxy.domain.metering.usage import UsageFilter, UsageRow
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.exports.metering.columns import fields
from softix_proxy.operations.metering import budgets, usage
from softix_proxy.operations.routing import routes
from softix_proxy.operations.routing.routes import TargetHealth

ORDERS: Sequence[OpenOrder] = get_args(OpenOrder)
MINUTE_S, FIVE_MINUTES_S = 60, 300
_TEN_SECONDS_US = 10 * SECOND_US
_REST_TIMES = 20
"""Limits are looked at again after this many times the time that the last look took, so that they take 5 % of it."""


@dataclass(frozen=True, slots=True)
class LiveWish:
    """What a picture is to show."""

    user: str | None = None
    key: str | None = None
    model: str | None = None
    errors_only: bool = False
    """Whether the sums are those of failed requests only."""
    order: OpenOrder = "age"
    reverse: bool = False
    most: int = 50
    """The most things in each list."""


@dataclass(slots=True)
class RecentSums:
    """The sums of the requests that ended in the last seconds."""

    seconds: int
    requests: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    """Error → number of requests."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_pico: int = 0
    charge_pico: int = 0

    def add(self, sums: SecondSums) -> None:
        self.requests += sums.requests
        self.input_tokens += sums.input_tokens
        self.output_tokens += sums.output_tokens
        self.cost_pico += sums.cost_pico
        self.charge_pico += sums.charge_pico
        if sums.error is not None:
            self.errors[sums.error] += sums.requests


@dataclass(frozen=True, slots=True)
class LivePicture:
    """What happens at one moment. Each list has at most the wished number of things."""

    at_us: int
    wish: LiveWish
    minute: RecentSums
    five_minutes: RecentSums
    holds: OpenHolds
    open_requests: Sequence[OpenRequest]
    slowest: Sequence[UsageRow]
    """The requests of the last five minutes that took longest, the slowest first."""
    failed: Sequence[UsageRow]
    """The requests of the last five minutes that failed, the newest first."""
    limits: Sequence[NearLimit]
    """The limits of which little is left, the nearest to its end first."""
    limits_found: int
    """The number of all such limits."""
    targets: Sequence[TargetHealth]


async def open_requests(storage: Storage, limit: int) -> Sequence[OpenRequest]:
    """Returns the requests that are not settled, the newest first, and what is held for each."""
    return await storage.reading().live.open_requests(limit)


async def picture(storage: Storage, low_balance_pico: int, wish: LiveWish | None = None) -> LivePicture:
    """Returns one picture. A balance is near its end at `low_balance_pico`. Raises NotFoundError."""
    return await LiveView(storage, low_balance_pico).look(wish or LiveWish())


class LiveView:
    """Makes one picture after the other."""

    def __init__(self, storage: Storage, low_balance_pico: int) -> None:
        self._storage = storage
        self._low_balance_pico = low_balance_pico
        self._recent: _Recent | None = None
        self._limits: Sequence[NearLimit] = ()
        self._next_look_ns = 0

    async def look(self, wish: LiveWish) -> LivePicture:
        """Returns the present picture. Raises NotFoundError for an unknown user, key or model."""
        unit = self._storage.reading()
        wanted = await usage.filter_of(
            unit, user=wish.user, key=wish.key, model=wish.model, errors_only=wish.errors_only
        )
        recent, now_us = self._recent, unit.clock.now_us()
        if recent is None or not recent.fits(wanted, wish.most, now_us):
            recent, self._next_look_ns = _Recent(wanted, wish.most), 0
        await recent.read_on(unit, now_us)
        self._recent = recent
        await self._look_at_limits(unit, wanted)
        slowest, failed = await recent.slowest_and_failed(unit)
        return LivePicture(
            at_us=now_us,
            wish=wish,
            minute=recent.sums(now_us, MINUTE_S),
            five_minutes=recent.sums(now_us, FIVE_MINUTES_S),
            holds=await unit.live.open_holds(wanted),
            open_requests=await unit.live.open_requests(
                wish.most, wanted, wish.order, reverse=wish.reverse, with_batches=False
            ),
            slowest=slowest,
            failed=failed,
            limits=self._limits[: wish.most],
            limits_found=len(self._limits),
            targets=await routes.health(self._storage),
        )

    async def _look_at_limits(self, unit: Unit, wanted: UsageFilter) -> None:
        """Looks at the limits of all keys and balances, unless that took long a moment ago."""
        began_ns = unit.clock.monotonic_ns()
        if began_ns < self._next_look_ns:
            return
        found = await _near_limits(unit, wanted, self._low_balance_pico)
        self._limits = sorted(found, key=lambda near: (-near.percent, -near.active_at_us))
        ended_ns = unit.clock.monotonic_ns()
        self._next_look_ns = ended_ns + (ended_ns - began_ns) * _REST_TIMES


class _Recent:
    """The requests that ended in the last five minutes: their sums by the second, the slowest, and those that failed.

    Rows that lie in the future, because the clock was ahead for a moment, count as of now.
    """

    def __init__(self, wanted: UsageFilter, most: int) -> None:
        self.made_for = wanted, most
        self._seen = 0
        """The id of the last row that was looked at."""
        self._seconds: dict[int, list[SecondSums]] = {}
        self._slowest: dict[int, list[Ended]] = {}
        """Ten seconds → the slowest requests that ended in them."""
        self._failed: list[Ended] = []
        self._rows: dict[int, UsageRow] = {}

    def fits(self, wanted: UsageFilter, most: int, now_us: int) -> bool:
        """Returns whether this may be read on. If the clock was set back, later rows would be missed."""
        return (wanted, most) == self.made_for and self._seen <= now_us + SLACK_US

    async def read_on(self, unit: Unit, now_us: int) -> None:
        """Reads what was added since, and forgets what is too old."""
        wanted, most = self.made_for
        first_us = (now_us // SECOND_US - FIVE_MINUTES_S + 1) * SECOND_US
        self._seen = max(self._seen, first_us - 1)
        while part := await unit.live.recent(wanted, self._seen, now_us + SLACK_US, most):
            self._seen = part.last_id
            for sums in part.seconds:
                self._seconds.setdefault(sums.second, []).append(sums)
            for each in part.slowest:
                self._slowest.setdefault(each.usage_id // _TEN_SECONDS_US, []).append(each)
            self._failed += part.failed
        self._seconds = {at: found for at, found in self._seconds.items() if at * SECOND_US >= first_us}
        self._slowest = {
            at: nlargest(most, [each for each in found if each.usage_id >= first_us], key=_by_latency)
            for at, found in self._slowest.items()
            if (at + 1) * _TEN_SECONDS_US > first_us
        }
        newest_first = sorted(self._failed, key=lambda each: -each.usage_id)
        self._failed = [each for each in newest_first[:most] if each.usage_id >= first_us]

    def sums(self, now_us: int, seconds: int) -> RecentSums:
        found, first = RecentSums(seconds), now_us // SECOND_US - seconds + 1
        for at, parts in self._seconds.items():
            if at >= first:
                for part in parts:
                    found.add(part)
        return found

    async def slowest_and_failed(self, unit: Unit) -> tuple[Sequence[UsageRow], Sequence[UsageRow]]:
        """Returns the rows of both lists. Rows never change, so each is read once."""
        most = self.made_for[1]
        slowest = nlargest(most, (each for found in self._slowest.values() for each in found), key=_by_latency)
        listed = [each.usage_id for each in (*slowest, *self._failed)]
        for row in await unit.usage.by_ids([each for each in listed if each not in self._rows]):
            self._rows[row.id] = row
        self._rows = {row_id: self._rows[row_id] for row_id in listed}
        rows = [self._rows[row_id] for row_id in listed]
        return rows[: len(slowest)], rows[len(slowest) :]


def _by_latency(ended: Ended) -> tuple[int, int]:
    return ended.latency_ms, ended.usage_id


async def _near_limits(unit: Unit, wanted: UsageFilter, low_balance_pico: int) -> Sequence[NearLimit]:
    now_us, today = unit.clock.now_us(), await unit.budgets.today()
    found: list[NearLimit] = []
    for use in await unit.live.keys_near_limits(wanted, now_us, NEAR_PERCENT):
        found += near_limits_of_key(use, now_us, today)
    owner = wanted
    if wanted.key_id is not None:
        owner = replace(wanted, user_id=(await unit.keys.get(wanted.key_id)).user_id)
    for low in await unit.live.low_wallets(owner, low_balance_pico):
        near = near_balance(low, low_balance_pico)
        found += [] if near is None else [near]
    by = await unit.instance.calendar()
    for budget in await unit.budgets.list(owner.user_id):
        state = budget.state_at(now_us, by)
        if state.room_pico(today) * 100 <= state.amount_pico * (100 - NEAR_PERCENT):
            found.append(await _near_budget(unit, await budgets.standing_of(unit, budget)))
    return found


async def _near_budget(unit: Unit, standing: budgets.BudgetStanding) -> NearLimit:
    budget, user = standing.budget, await unit.users.get(standing.budget.user_id)
    return NearLimit(
        kind=LimitKind.BUDGET,
        user_public_id=user.public_id,
        user_name=user.name,
        key_public_id=None,
        key_prefix=None,
        name=budgets.name_of(standing),
        limit=standing.in_force_pico,
        left=standing.left_pico,
        period=budget.period,
        active_at_us=budget.spent_at_us,
    )


def as_fields(shown: LivePicture) -> dict[str, Any]:
    """Returns the whole picture as fields, as `--json` prints it. Amounts are decimal text in USD."""
    wish, holds, now_us = shown.wish, shown.holds, shown.at_us
    return {
        "at": format_instant(now_us),
        "filter": {"user": wish.user, "key": wish.key, "model": wish.model, "errors_only": wish.errors_only},
        "last_minute": _sums_fields(shown.minute),
        "last_five_minutes": _sums_fields(shown.five_minutes),
        "holds": {
            "requests": holds.requests,
            "held": format_usd(holds.held_pico),
            "oldest_s": None if holds.oldest_at_us is None else _age_s(holds.oldest_at_us, now_us),
            "batch_requests": holds.batch_requests,
            "batch_held": format_usd(holds.batch_held_pico),
        },
        "open_requests": [open_fields(each, now_us) for each in shown.open_requests],
        "slowest": [fields(row) for row in shown.slowest],
        "failed": [fields(row) for row in shown.failed],
        "limits_near_end": shown.limits_found,
        "limits": [limit_fields(near) for near in shown.limits],
        "targets": [routes.health_fields(each, now_us) for each in shown.targets],
        "currency": CURRENCY,
    }


def _sums_fields(sums: RecentSums) -> dict[str, Any]:
    return {
        "seconds": sums.seconds,
        "requests": sums.requests,
        "errors": sums.errors.total(),
        "errors_by_kind": _by_number(sums.errors),
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "provider_cost": format_usd(sums.cost_pico),
        "charge": format_usd(sums.charge_pico),
    }


def _by_number(errors: Mapping[str, int]) -> dict[str, int]:
    """Returns the errors, the most frequent first."""
    return dict(sorted(errors.items(), key=lambda each: (-each[1], each[0])))


def open_fields(request: OpenRequest, now_us: int) -> dict[str, Any]:
    """Returns an open request as fields."""
    return {
        "request_id": format_request_id(request.request_id),
        "started_at": format_instant(request.started_at_us),
        "age_s": _age_s(request.started_at_us, now_us),
        "user_id": request.user_public_id,
        "user_name": request.user_name,
        "key_id": request.key_public_id,
        "key_prefix": request.key_prefix,
        "provider": request.provider,
        "model": request.model,
        "endpoint": request.endpoint,
        "stream": request.stream,
        "held": format_usd(request.hold_pico),
    }


def limit_fields(near: NearLimit) -> dict[str, Any]:
    """Returns a limit as fields. Amounts are decimal text in USD, and other limits are numbers."""
    is_money = near.kind in IN_PICO
    return {
        "limit": near.kind.value,
        "percent": near.percent,
        "left": format_usd(near.left) if is_money else near.left,
        "of": format_usd(near.limit) if is_money else near.limit,
        "period": near.period,
        "user_id": near.user_public_id,
        "user_name": near.user_name,
        "key_id": near.key_public_id,
        "key_prefix": near.key_prefix,
        "name": near.name,
    }


def _age_s(started_at_us: int, now_us: int) -> int:
    return max(now_us - started_at_us, 0) // SECOND_US
