"""Decides whether a request may proceed, and how much money is held for it.

The decisions are pure: they depend only on the state of one wallet and key. The storage engine loads the states under
its write lock, calls `decide` or `close` for each request of a group, and writes the states back in the same
transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from softix_proxy.domain.access import limits
from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.access.objects import AccountPlace, ObjectRef
from softix_proxy.domain.core.calendar import Today
from softix_proxy.domain.core.clock import PERIODS, SECOND_US, SLACK_US, CapPeriod
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.core.records import record
from softix_proxy.domain.metering.bounds import Bound, Funding
from softix_proxy.domain.metering.budgets import BudgetState
from softix_proxy.domain.metering.model_rates import ModelRateState, ModelRateStates, TooFast, arrive
from softix_proxy.domain.metering.model_rates import count as count_by_model


@dataclass(slots=True)
class WalletState:
    """The state of a wallet.

    `posted` is the sum of its entries, and `held` that of its open holds. All are pico-USD.
    """

    posted_pico: int
    held_pico: int
    credit_pico: int

    @property
    def available_pico(self) -> int:
        return self.posted_pico - self.held_pico + self.credit_pico

    @property
    def writable_pico(self) -> int:
        """The amount that the wallet can still owe before its 64 bits are full."""
        return MAX_PICO + min(self.posted_pico, 0) - self.held_pico


@dataclass(slots=True)
class KeyState:
    """The state of a key for admission: its limits' clocks, and what it spent in each period."""

    rpm_tat_us: int = 0
    tpm_tat_us: int = 0
    open_requests: int = 0
    held_pico: int = 0
    spent_at_us: int = 0
    spent_day_pico: int = 0
    spent_week_pico: int = 0
    spent_month_pico: int = 0
    spent_total_pico: int = 0

    def come_back(self, now_us: int) -> None:
        """Corrects instants that this key cannot have seen yet. A clock that was ahead has left them."""
        if self.spent_at_us > now_us + SLACK_US:
            self.spent_at_us = now_us
        if self.rpm_tat_us > now_us + limits.MINUTE_US:  # a request is counted before it runs, and never corrected
            self.rpm_tat_us = now_us
        self.tpm_tat_us = limits.credible(self.tpm_tat_us, now_us)

    def spent_pico(self, period: CapPeriod, today: Today) -> int:
        """Returns what was charged in the period that contains the present."""
        if today.start_us(period) > self.spent_at_us:
            return 0
        return int(getattr(self, f"spent_{period}_pico"))

    def correct(self, difference_pico: int, posted_at_us: int, now_us: int, today: Today) -> None:
        """Applies a change of a charge that was posted at `posted_at_us`.

        The sum of a running period changes too if it contains that instant.
        """
        for period in PERIODS:
            in_period = posted_at_us >= today.start_us(period)
            spent_pico = self.spent_pico(period, today) + (difference_pico if in_period else 0)
            setattr(self, f"spent_{period}_pico", spent_pico)
        self.spent_at_us = max(self.spent_at_us, now_us)

    def spend(self, charge_pico: int, now_us: int, today: Today) -> None:
        if today.day_us <= self.spent_at_us:  # by far the most frequent case
            self.spent_day_pico += charge_pico
            self.spent_week_pico += charge_pico
            self.spent_month_pico += charge_pico
            self.spent_total_pico += charge_pico
        else:
            for period in PERIODS:
                setattr(self, f"spent_{period}_pico", self.spent_pico(period, today) + charge_pico)
        self.spent_at_us = max(self.spent_at_us, now_us)


class IntentPlace(NamedTuple):
    """An account where a request may run, and by which model and price."""

    place: AccountPlace
    model_id: int
    price_id: int | None


@record(frozen=True, slots=True)
class Intent:
    """The request for admission, with what recovery needs to close the request after a crash."""

    request_id: int
    revision: int
    user_id: int
    postpaid: bool
    key_id: int
    limits: KeyLimits
    provider_id: int
    model_id: int
    price_id: int | None
    endpoint: str
    stream: bool
    bound: Bound
    tokens_estimate: int
    started_at_us: int
    tokens_bound: int = 0
    """The tokens that count until the settlement, with all output that may come. 0 if nothing limits them."""
    refs: tuple[ObjectRef, ...] = ()
    """The things at a provider that the request names. Each must be the user's own, or shared with the user."""
    places: tuple[IntentPlace, ...] = ()
    """Where the request may run, in order. Given only if it names things."""
    tags: str = ""
    """The tags of its usage, as they are stored: see `usage_tags`."""
    end_user: str = ""
    """The keyed digest of the user whom the request names. Empty if the key does not ask for it."""
    other_models: tuple[int, ...] = ()
    """The numbers of the further models that may serve the request, if the first one fails."""

    def at(self, place: AccountPlace) -> Intent:
        """Returns the intent for this one of its places."""
        there = next(each for each in self.places if each.place == place)
        return replace(
            self, provider_id=place.provider_id, model_id=there.model_id, price_id=there.price_id, places=(there,)
        )


@record(frozen=True, slots=True)
class RateCheck:
    """The request for a read, or for anything else that costs nothing and counts against the rate of its key."""

    user_id: int
    key_id: int
    limits: KeyLimits


@record(frozen=True, slots=True)
class Allowance:
    """The state of a key's limits after a decision, for the headers of the response."""

    requests_remaining: int | None = None
    requests_reset_us: int = 0
    tokens_remaining: int | None = None
    tokens_reset_us: int = 0


UNLIMITED = Allowance()


@record(frozen=True, slots=True)
class Admitted:
    hold_pico: int
    output_limit: int | None
    """The output limit in tokens to write into the request. None leaves the request as it is."""
    tokens_held: int
    allowance: Allowance
    place: AccountPlace | None = None
    """The account that has the things that the request names. None if it names none."""
    widened_pico: int = 0
    """The part of the hold that is there only because bounds were widened."""
    call_limit: int | None = None
    """The limit on calls of hosted tools to write in place of softix's usual one. None leaves that as it is."""


@dataclass(frozen=True, slots=True)
class Denied:
    code: Code
    retry_after_us: int | None = None
    needed_pico: int = 0
    available_pico: int = 0
    affordable_tokens: int = 0
    allowance: Allowance = UNLIMITED
    about: str = ""
    """The kind of the thing that was named, if the names of the request lead nowhere."""
    limit: str = ""
    """The words that name the limit, if the code alone does not."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The directory from which the intent was made is not current. The caller reloads it and decides again."""


Decision = Admitted | Denied | Stale
_NO_STATES: ModelRateStates = MappingProxyType({})


def decide(
    intent: Intent,
    wallet: WalletState,
    key: KeyState,
    now_us: int,
    today: Today,
    budgets: Sequence[BudgetState] = (),
    model_rates: ModelRateStates = _NO_STATES,
) -> Admitted | Denied:
    """Decides whether the request is admitted. The states change only if it is.

    `budgets` are those of the key, and the caps in which the request counts.
    """
    bounds = intent.limits
    if bounds.concurrency is not None and key.open_requests >= bounds.concurrency:
        return Denied(Code.CONCURRENCY_LIMITED, SECOND_US, allowance=_allowance(bounds, key, now_us))
    rpm_tat_us, tpm_tat_us, tokens_held = key.rpm_tat_us, key.tpm_tat_us, 0
    if bounds.rpm is not None:
        rpm_tat_us, wait_us = limits.arrive(rpm_tat_us, now_us, bounds.rpm)
        if wait_us:
            return Denied(Code.RATE_LIMITED, wait_us, allowance=_allowance(bounds, key, now_us))
    if bounds.tpm is not None:
        tokens = max(intent.tokens_bound, intent.tokens_estimate)
        tokens_held = min(tokens, bounds.tpm)  # what may come blocks no key for longer than a minute
        tpm_tat_us, wait_us = limits.arrive(tpm_tat_us, now_us, bounds.tpm, tokens_held)
        if wait_us:
            return Denied(Code.TOKENS_LIMITED, wait_us, allowance=_allowance(bounds, key, now_us))
    by_model: Sequence[ModelRateState] = ()
    if bounds.model_rates:
        arrived = arrive(bounds.model_rates, model_rates, max(intent.tokens_bound, intent.tokens_estimate), now_us)
        if isinstance(arrived, TooFast):
            allowance = _allowance(bounds, key, now_us)
            return Denied(arrived.code, arrived.wait_us, allowance=allowance, limit=arrived.limit)
        by_model = arrived
    funded = _fund(intent, wallet, key, now_us, today, budgets)
    if isinstance(funded, Denied):
        return funded
    bound, hold_pico, output_limit, call_limit = funded
    wallet.held_pico += hold_pico
    key.held_pico += hold_pico
    for budget in budgets:
        budget.held_pico += hold_pico
    key.open_requests += 1
    key.rpm_tat_us, key.tpm_tat_us = rpm_tat_us, tpm_tat_us
    if by_model:
        count_by_model(bounds.model_rates, model_rates, by_model)
    widened_pico = 0
    if bound.widening is not None or bound.targets:
        widened_pico = bound.widened_pico(bound.output_tokens if output_limit is None else output_limit)
    allowance = _allowance(bounds, key, now_us)
    return Admitted(hold_pico, output_limit, tokens_held, allowance, None, widened_pico, call_limit)


def count(check: RateCheck, key: KeyState, now_us: int) -> Allowance | Denied:
    """Counts a request that costs nothing against the key's rate. The state changes only if the request may pass."""
    bounds = check.limits
    if bounds.rpm is not None:
        rpm_tat_us, wait_us = limits.arrive(key.rpm_tat_us, now_us, bounds.rpm)
        if wait_us:
            return Denied(Code.RATE_LIMITED, wait_us, allowance=_allowance(bounds, key, now_us))
        key.rpm_tat_us = rpm_tat_us
    return _allowance(bounds, key, now_us)


def _fund(
    intent: Intent, wallet: WalletState, key: KeyState, now_us: int, today: Today, budgets: Sequence[BudgetState]
) -> Funding | Denied:
    """Returns the hold, and the limits to write if some are needed.

    Returns Denied if the balance, the cap or a budget is too low.
    """
    bound, bounds = intent.bound, intent.limits
    hold_pico = bound.hold_pico(bound.output_tokens)
    if hold_pico == 0:
        return Funding(bound, 0)
    funds_pico = wallet.writable_pico if intent.postpaid else wallet.available_pico
    code = Code.INSUFFICIENT_BALANCE
    if bounds.cap_pico is not None:
        room_pico = bounds.cap_pico - key.spent_pico(bounds.cap_period, today) - key.held_pico
        if room_pico <= funds_pico:
            code, funds_pico = Code.CAP_REACHED, room_pico
    limit: BudgetState | None = None
    for budget in budgets:
        if budget.room_pico(today) <= funds_pico:
            code, funds_pico, limit = budget.code, budget.room_pico(today), budget
    if hold_pico <= funds_pico:
        return Funding(bound, hold_pico)
    if (funding := bound.within(funds_pico)) is not None:
        return funding
    cheapest = bound.limited(1)
    tokens = cheapest.affordable_tokens(funds_pico)
    least = cheapest.hold_pico(cheapest.least_tokens if cheapest.adjustable else cheapest.output_tokens)
    wait_us = None
    if limit is not None:
        wait_us = _next_periods_us(budgets, max(least - 1, funds_pico), today, now_us)
    words = "" if limit is None else limit.words()
    allowance = _allowance(bounds, key, now_us)
    return Denied(code, wait_us, least, max(funds_pico, 0), max(tokens, 0), allowance, limit=words)


def _next_periods_us(budgets: Sequence[BudgetState], room_pico: int, today: Today, now_us: int) -> int | None:
    """Returns how long it takes until the next period of each budget with at most this room has begun.

    None if one of them has no next period.
    """
    ends = [each.end_us(today) for each in budgets if each.room_pico(today) <= room_pico]
    known = [end_us for end_us in ends if end_us is not None]
    return max(known) - now_us if len(known) == len(ends) else None


def _allowance(bounds: KeyLimits, key: KeyState, now_us: int) -> Allowance:
    if bounds.rpm is None and bounds.tpm is None:
        return UNLIMITED
    return Allowance(
        None if bounds.rpm is None else limits.remaining(key.rpm_tat_us, now_us, bounds.rpm),
        limits.reset_us(key.rpm_tat_us, now_us),
        None if bounds.tpm is None else limits.remaining(key.tpm_tat_us, now_us, bounds.tpm),
        limits.reset_us(key.tpm_tat_us, now_us),
    )


def payable_pico(wallet: WalletState, hold_pico: int, *, postpaid: bool) -> int:
    """Returns the most that this wallet can be charged for a request, whose hold is still part of its held money.

    It is the hold, and whatever no other request holds. So no charge takes a prepaid balance below its credit limit.
    """
    return MAX_PICO if postpaid else hold_pico + max(wallet.available_pico, 0)


def close(
    wallet: WalletState,
    key: KeyState,
    hold_pico: int,
    charge_pico: int,
    now_us: int,
    today: Today,
    *,
    parked: bool = False,
    budgets: Sequence[BudgetState] = (),
) -> None:
    """Releases the hold and posts the charge. A `parked` request was not counted among the key's open requests.

    The charge is not counted in `budgets` here, because their periods go by the number of its posting.
    """
    wallet.held_pico -= hold_pico
    wallet.posted_pico -= charge_pico
    key.held_pico -= hold_pico
    key.open_requests -= not parked
    for budget in budgets:
        budget.held_pico -= hold_pico
    if charge_pico:
        key.spend(charge_pico, now_us, today)
