"""Step 5: the hold, which ends in exactly one settlement, however the request ends."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import TracebackType
from typing import NamedTuple

from softix_proxy.dialects.base import Ask, StreamMeter, UsageReport
from softix_proxy.domain.admission import Admitted, Intent
from softix_proxy.domain.clock import Clock
from softix_proxy.domain.errors import HTTP_STATUS, Code, FailureError
from softix_proxy.domain.explanation import LIMITED_TO_HOLD
from softix_proxy.domain.money import MAX_PICO, format_usd
from softix_proxy.domain.ports import Journal
from softix_proxy.domain.pricing import STANDARD
from softix_proxy.domain.settlement import FailedAttempt, Settled, Settlement
from softix_proxy.domain.upstream import Header, ProviderFault
from softix_proxy.domain.usage import Meters, UsageSource
from softix_proxy.relay.inbound import ClientGoneError
from softix_proxy.relay.metered import Metered, metered, told, unpriced_notes
from softix_proxy.relay.plan import Plan, Target
from softix_proxy.relay.policy import Policy

log = logging.getLogger("softix.relay")
HUNG_UP = "client_hung_up"
_STATUS_HUNG_UP = 499  # nginx's word for a client that closed before the answer
_NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Facts:
    """What is known of a request so far. The provider's work is metered here, not what the client received."""

    started: bool = False
    """The provider may have seen it."""
    status_code: int | None = None
    """The provider's; until it answers, what the client is told instead."""
    refused: bool = False
    """The provider answered with an error: no work to bill."""
    complete: bool = False
    """The answer came to its end, or to its terminal event."""
    report: UsageReport | None = None
    meter: StreamMeter | None = None
    answer_bytes: int = 0
    """Of a whole answer: its text, where that is needed to judge its report; else 0."""
    error: str | None = None
    hung_up: bool = False
    ttfb_ms: int | None = None

    def fail(self, fault: ProviderFault) -> None:
        self.started = self.started or fault.started
        self.error = self.error or fault.code.value
        if self.status_code is None:
            self.status_code = HTTP_STATUS[fault.code]

    def refuse(self, code: Code) -> None:
        """softix itself does not send it."""
        self.error, self.status_code = code.value, HTTP_STATUS[code]

    def hang_up(self) -> None:
        self.hung_up = True
        self.error = self.error or HUNG_UP
        if self.status_code is None:
            self.status_code = _STATUS_HUNG_UP


@dataclass(slots=True)
class Hold:
    """`async with`: settles on every exit, once. To settle earlier, call `settle`."""

    journal: Journal
    clock: Clock
    ask: Ask
    plan: Plan
    admitted: Admitted
    body_bytes: int
    policy: Policy
    started_ns: int
    target: Target
    """Of the attempt that `facts` are about."""
    facts: Facts = field(default_factory=Facts)
    failed: list[FailedAttempt] = field(default_factory=list)
    settlement: Settlement | None = None
    _dispatched_ns: int = 0
    _returned_ns: int = 0
    _failing_ns: int = 0
    """What earlier attempts took."""

    @property
    def intent(self) -> Intent:
        return self.plan.intent

    async def __aenter__(self) -> Hold:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.settlement is None:
            if not (error is None or self.facts.error or isinstance(error, ClientGoneError)):
                cut = isinstance(error, asyncio.CancelledError)
                self.facts.error = (Code.SHUTTING_DOWN if cut else Code.INTERNAL).value
            try:
                await self.settle()
            except FailureError:
                log.error("a settlement is left to the next start")

    async def settle(self) -> Settled | None:
        """Returns when it is on disk. Needs no shield: it is handed over before the first wait."""
        self.settlement = self._conclude()
        return await self.journal.settle(self.settlement)

    def set_aside(self, following: Target) -> None:
        """What was attempted came to nothing, and another attempt follows: it gets a row of its own."""
        account, target, facts = self._account(), self.target, self.facts
        charged = self.policy.charge_failed_attempts == "provider-billed"
        took_ns = self.clock.monotonic_ns() - self._dispatched_ns
        self._failing_ns += took_ns
        self.failed.append(
            FailedAttempt(
                provider_id=target.provider.id,
                model_id=target.model.id,
                price_id=target.rate.price_id,
                cost_price_id=target.rate.cost_price_id if account.meters else None,
                markup=target.rate.markup,
                source=account.source,
                status_code=facts.status_code or HTTP_STATUS[Code.PROVIDER_UNREACHABLE],
                error=facts.error,
                latency_ms=took_ns // _NS_PER_MS,
                meters=account.meters,
                service_tier=account.tier,
                bound_pico=self._bound_pico() if account.source is UsageSource.INTERRUPTED else 0,
                cost_pico=min(account.cost_pico, MAX_PICO),
                charge_pico=self._charge_of_failed(account) if charged else 0,
            )
        )
        self.facts, self.target = Facts(), following

    def dispatched(self) -> None:
        self._dispatched_ns = self.clock.monotonic_ns()

    def sending(self) -> None:
        self.facts.started = True

    def returned(self) -> None:
        """The whole answer is here."""
        self._returned_ns = self.clock.monotonic_ns()
        self.facts.ttfb_ms = self._elapsed_ms()

    def first_byte(self) -> None:
        if self.facts.ttfb_ms is None:
            self.facts.ttfb_ms = self._elapsed_ms()

    def headers(self) -> list[Header]:
        """What the request cost, and how long it was in softix's own hands."""
        charge_pico = self.settlement.charge_pico if self.settlement else 0
        dispatched_ns = self._dispatched_ns or self.clock.monotonic_ns()  # softix itself may have refused it
        own_ns = dispatched_ns - self.started_ns - self._failing_ns
        if self._returned_ns:
            own_ns += self.clock.monotonic_ns() - self._returned_ns
        return cost_headers(charge_pico, own_ns)

    def _elapsed_ms(self) -> int:
        return (self.clock.monotonic_ns() - self.started_ns) // _NS_PER_MS

    def _account(self) -> _Account:
        """What the attempt under way used, and what that costs by its own target's price."""
        facts, rate = self.facts, self.target.rate
        ask = replace(self.ask, counted=self._priced(self.ask.counted)) if self.ask.counted else self.ask
        facts.report = report = told(facts)
        paid = self.target.endpoint.metered
        source, meters, noted = metered(facts, ask, self.body_bytes) if paid else Metered(UsageSource.NONE, {})
        tier = (report.service_tier or self.ask.service_tier) if report else STANDARD
        notes = [*(["clamped"] if report and report.clamped else ()), *noted]
        if source is UsageSource.INTERRUPTED:
            charge_pico = self.admitted.hold_pico if self.policy.interrupted_charge == "bound" else 0
            return _Account(source, meters, tier, 0, charge_pico, notes)
        if not meters:
            return _Account(source, meters, tier, 0, 0, notes)
        costed = self._costed_only(self.ask.counted)
        meters = {**meters, **costed} if costed else meters
        cost_pico, charge_pico, unpriced = rate.price(meters, tier)
        notes += unpriced_notes([name for name in unpriced if name not in costed], report)
        notes += [f"uncosted:{name}" for name in rate.uncosted(meters, tier)]
        return _Account(source, meters, tier, cost_pico, charge_pico, notes)

    def _charge_of_failed(self, account: _Account) -> int:
        """Without the fee, which is for an answer."""
        if account.source is UsageSource.INTERRUPTED:
            return self._bound_pico() if account.charge_pico else 0
        return account.charge_pico - (self.target.rate.request_fee_pico if account.meters else 0)

    def _bound_pico(self) -> int:
        """The most that the attempt under way can be charged."""
        bound = next(
            bound for target, bound in zip(self.plan.targets, self.plan.bounds, strict=True) if target is self.target
        )
        limit = self.admitted.output_limit
        return bound.hold_pico(bound.output_tokens if limit is None else min(limit, bound.output_tokens))

    def _conclude(self) -> Settlement:
        facts, target, intent = self.facts, self.target, self.plan.intent
        source, meters, tier, cost_pico, charge_pico, notes = self._account()
        if self.failed:
            failed_pico = sum(attempt.charge_pico for attempt in self.failed)
            charge_pico += failed_pico
            notes += ["with_failed_attempts"] if failed_pico else []
        if target is not self.plan.targets[0]:
            intent = replace(
                intent, provider_id=target.provider.id, model_id=target.model.id, price_id=target.rate.price_id
            )
        if charge_pico > self.admitted.hold_pico and not intent.postpaid:
            log.warning("a charge above its hold was limited to it", extra={"model_id": intent.model_id})
            charge_pico = self.admitted.hold_pico
            notes.append(LIMITED_TO_HOLD)
        return Settlement(
            intent=intent,
            hold_pico=self.admitted.hold_pico,
            tokens_held=self.admitted.tokens_held,
            source=source,
            status_code=facts.status_code or HTTP_STATUS[Code.SHUTTING_DOWN],
            meters=meters,
            service_tier=tier,
            model_served=facts.report.model_served if facts.report else None,
            markup=target.rate.markup if meters else _ONE,
            cost_price_id=target.rate.cost_price_id if meters else None,
            fee_pico=target.rate.request_fee_pico if meters else 0,
            cost_pico=min(cost_pico, MAX_PICO),
            charge_pico=min(charge_pico, MAX_PICO),
            error=facts.error,
            note=" ".join(notes) or None,
            latency_ms=self._elapsed_ms(),
            ttfb_ms=facts.ttfb_ms,
            failed=tuple(self.failed),
        )

    def _priced(self, counted: Meters) -> Meters:
        """The request counts itself whatever its model is paid by."""
        return {name: quantity for name, quantity in counted.items() if self.target.rate.has_price(name)}

    def _costed_only(self, counted: Meters) -> Meters:
        """What the provider asks for, and this customer pays in other units: it is no part of the charge."""
        rate = self.target.rate
        if rate.costs is None:
            return _NOTHING
        return {name: q for name, q in counted.items() if rate.has_cost(name) and not rate.has_price(name)}


class _Account(NamedTuple):
    source: UsageSource
    meters: Meters
    tier: str
    cost_pico: int
    charge_pico: int
    notes: list[str]


_ONE = Fraction(1)
_NOTHING: Meters = {}


def cost_headers(charge_pico: int, own_ns: int) -> list[Header]:
    return [("x-softix-cost-usd", format_usd(charge_pico)), ("x-softix-overhead-ms", f"{own_ns / _NS_PER_MS:.3f}")]
