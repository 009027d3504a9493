"""Decides whether a request may proceed, and how much money is held for it.

The decisions are pure: they depend only on the state of one wallet and key. The storage engine loads the states under
its write lock, calls `decide` or `close` for each request of a group, and writes the states back in the same
transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from softix_proxy.domain.access import limits
from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.access.objects import AccountPlace, ObjectRef
from softix_proxy.domain.core.calendar import Today
from softix_proxy.domain.core.clock import PERIODS, SECOND_US, SLACK_US, CapPeriod
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.core.records import record
from softix_proxy.domain.metering.bounds import Widening
from softix_proxy.domain.metering.budgets import BudgetState


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


@record(frozen=True, slots=True)
class Bound:
    """The most that a request can cost, as a function of how many output tokens it may produce."""

    fixed_pico: int = 0
    """The cost of input, hosted tools and fees, at the highest price that may apply."""
    token_num: int = 0
    token_den: int = 1
    """The cost of one output token for all choices of the request, in pico-USD, as a ratio of integers."""
    output_tokens: int = 0
    adjustable: bool = False
    """Whether the client set no limit, so that softix may write an affordable one into the request."""
    least_tokens: int = 1
    """The fewest output tokens that are useful as a response."""
    times: int = 1
    """The number of times that it may have to be paid. Failed attempts count too, if they are charged."""
    targets: tuple[Bound, ...] = ()
    """The bound of each target, if one of several may serve the request. The highest counts."""
    widening: Widening | None = None
    """What is added to the hold, because earlier requests of this kind cost more than was held for them."""

    def hold_pico(self, output_tokens: int) -> int:
        hold_pico = self.fixed_pico - (-output_tokens * self.token_num // self.token_den)
        if self.widening is not None:
            hold_pico = self.widening.hold_pico(hold_pico)
        for target in self.targets:
            hold_pico = max(hold_pico, target.hold_pico(min(output_tokens, target.output_tokens)))
        return hold_pico * self.times

    def widened_pico(self, output_tokens: int) -> int:
        """Returns the part of the hold that is there only because bounds were widened."""
        narrow = replace(self, widening=None, targets=tuple(replace(each, widening=None) for each in self.targets))
        return self.hold_pico(output_tokens) - narrow.hold_pico(output_tokens)

    def affordable_tokens(self, funds_pico: int) -> int:
        """Returns the most output tokens that these funds pay for, or a negative number if the input alone costs
        more.
        """
        funds_pico //= self.times
        narrow_pico = funds_pico if self.widening is None else self.widening.narrow_pico(funds_pico)
        spare = narrow_pico - self.fixed_pico
        if spare < 0:
            return -1
        tokens = spare * self.token_den // self.token_num if self.token_num else self.output_tokens
        for target in self.targets:
            affordable = target.affordable_tokens(funds_pico)
            if affordable < target.output_tokens:
                tokens = min(tokens, affordable)
        return tokens


NOTHING = Bound()


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


@dataclass(frozen=True, slots=True)
class Stale:
    """The directory from which the intent was made is not current. The caller reloads it and decides again."""


Decision = Admitted | Denied | Stale


def decide(
    intent: Intent,
    wallet: WalletState,
    key: KeyState,
    now_us: int,
    today: Today,
    budgets: Sequence[BudgetState] = (),
) -> Admitted | Denied:
    """Decides whether the request is admitted. The states change only if it is. `budgets` are those of the key."""
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
    funded = _fund(intent, wallet, key, now_us, today, budgets)
    if isinstance(funded, Denied):
        return funded
    hold_pico, output_limit = funded
    wallet.held_pico += hold_pico
    key.held_pico += hold_pico
    for budget in budgets:
        budget.held_pico += hold_pico
    key.open_requests += 1
    key.rpm_tat_us, key.tpm_tat_us = rpm_tat_us, tpm_tat_us
    bound, widened_pico = intent.bound, 0
    if bound.widening is not None or bound.targets:
        widened_pico = bound.widened_pico(bound.output_tokens if output_limit is None else output_limit)
    return Admitted(hold_pico, output_limit, tokens_held, _allowance(bounds, key, now_us), widened_pico=widened_pico)


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
) -> tuple[int, int | None] | Denied:
    """Returns the hold, and the output limit to write if one is needed.

    Returns Denied if the balance, the cap or a budget is too low.
    """
    bound, bounds = intent.bound, intent.limits
    hold_pico = bound.hold_pico(bound.output_tokens)
    if hold_pico == 0:
        return 0, None
    funds_pico = wallet.writable_pico if intent.postpaid else wallet.available_pico
    code = Code.INSUFFICIENT_BALANCE
    if bounds.cap_pico is not None:
        room_pico = bounds.cap_pico - key.spent_pico(bounds.cap_period, today) - key.held_pico
        if room_pico <= funds_pico:
            code, funds_pico = Code.CAP_REACHED, room_pico
    for budget in budgets:
        if budget.room_pico(today) <= funds_pico:
            code, funds_pico = Code.BUDGET_REACHED, budget.room_pico(today)
    if hold_pico <= funds_pico:
        return hold_pico, None
    tokens = bound.affordable_tokens(funds_pico)
    if bound.adjustable and tokens >= bound.least_tokens:
        return bound.hold_pico(tokens), tokens
    least = bound.hold_pico(bound.least_tokens) if bound.adjustable else hold_pico
    wait_us = None
    if code is Code.BUDGET_REACHED:
        wait_us = _next_periods_us(budgets, max(least - 1, funds_pico), today) - now_us
    return Denied(code, wait_us, least, max(funds_pico, 0), max(tokens, 0), _allowance(bounds, key, now_us))


def _next_periods_us(budgets: Sequence[BudgetState], room_pico: int, today: Today) -> int:
    """Returns the instant at which the next period of each budget with at most this room has begun."""
    return max(today.end_us_of(each.period) for each in budgets if each.room_pico(today) <= room_pico)


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
