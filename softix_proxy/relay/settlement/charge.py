"""Calculates the cost and the charge of an exchange with a provider.

Requests, realtime responses and batches use the same calculation. It is pure: only the request, the observation, the
price and the hold decide. The callers differ only in values of `Observed` and `HoldTerms`.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.core.tokens import modes
from softix_proxy.domain.core.errors import HTTP_STATUS, Code
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.core.records import record
from softix_proxy.domain.metering.admission import Intent
from softix_proxy.domain.metering.settlement import (
    ABOVE_HOLD,
    FailedAttempt,
    InterruptedCharge,
    Settlement,
    interrupted_charge_pico,
)
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.pricing.meters import Meters
from softix_proxy.domain.pricing.rates import MODES, STANDARD, Rate
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.settlement.metered import END_UNSEEN, NOTHING, metered, unpriced_notes
from softix_proxy.relay.settlement.observed import Observed

WITH_FAILED_ATTEMPTS = "with_failed_attempts"
"""The note on a usage row whose charge includes failed attempts."""


@record(frozen=True, slots=True)
class HoldTerms:
    """The terms on which a request was admitted."""

    intent: Intent
    """The intent. It names the target of the attempt that is charged."""
    hold_pico: int
    """The amount that is held for the request. For a failed attempt, it is the most that this attempt may cost."""
    postpaid: bool
    tokens_held: int = 0
    widened_pico: int = 0
    """The part of the hold that is there only because bounds were widened."""
    metered: bool = True
    """Whether this endpoint charges anything."""
    service_tier: str = STANDARD
    """The mode that sets all prices, whatever the response reports beside it. Batches use it."""


class AttemptCharge(NamedTuple):
    """The usage of one attempt, and its cost by the price of its own target."""

    source: UsageSource
    meters: Meters
    service_tier: str
    cost_pico: int
    charge_pico: int
    """The charge, which includes the fee."""
    fee_pico: int
    notes: tuple[str, ...]


def charge(spec: RequestSpec, observed: Observed, rate: Rate | None, hold: HoldTerms, policy: Policy) -> Settlement:
    """Returns the usage row and all charges that end a request, a realtime response, or a line of a batch.

    `rate` is None if no price applies, so that the usage cannot be charged by one.
    """
    used = _charge_attempt(spec, observed, rate, hold, policy)
    intent, charge_pico, notes = hold.intent, used.charge_pico, used.notes
    if observed.failed:
        failed_pico = sum(attempt.charge_pico for attempt in observed.failed)
        if failed_pico:
            charge_pico += failed_pico
            notes += (WITH_FAILED_ATTEMPTS,)
    if charge_pico > hold.hold_pico:
        if used.source is _INTERRUPTED:  # nothing was reported, and the hold is for all attempts together
            charge_pico = hold.hold_pico
        else:  # the journal charges as much of it as the balance reaches
            notes += (ABOVE_HOLD,)
    applied = rate if used.meters else None
    if applied is not None and applied.price_id != intent.price_id:
        intent = replace(intent, price_id=applied.price_id)
    return Settlement(
        intent=intent,
        hold_pico=hold.hold_pico,
        tokens_held=hold.tokens_held,
        source=used.source,
        status_code=observed.status_code or HTTP_STATUS[Code.SHUTTING_DOWN],
        meters=used.meters,
        service_tier=used.service_tier,
        model_served=None if observed.report is None else observed.report.model_served,
        markup=_ONE if applied is None else applied.markup,
        cost_price_id=None if applied is None else applied.cost_price_id,
        fee_pico=used.fee_pico,
        cost_pico=min(used.cost_pico, MAX_PICO),
        charge_pico=min(charge_pico, MAX_PICO),
        error=observed.error,
        note=" ".join(notes) or None,
        latency_ms=observed.latency_ms,
        ttfb_ms=observed.ttfb_ms,
        failed=observed.failed,
        postpaid=hold.postpaid,
        widened_pico=hold.widened_pico,
        members=spec.members,
    )


def charge_failed(spec: RequestSpec, observed: Observed, rate: Rate, hold: HoldTerms, policy: Policy) -> FailedAttempt:
    """Returns the charge of a failed attempt that another one follows.

    It has no fee, because the fee is for a response.
    """
    used, intent = _charge_attempt(spec, observed, rate, hold, policy), hold.intent
    billed = policy.charge_failed_attempts == "provider-billed"
    return FailedAttempt(
        provider_id=intent.provider_id,
        model_id=intent.model_id,
        price_id=rate.price_id,
        cost_price_id=rate.cost_price_id if used.meters else None,
        markup=rate.markup,
        source=used.source,
        status_code=observed.status_code or HTTP_STATUS[Code.PROVIDER_UNREACHABLE],
        error=observed.error,
        latency_ms=observed.latency_ms,
        meters=used.meters,
        service_tier=used.service_tier,
        bound_pico=hold.hold_pico if used.source is _INTERRUPTED else 0,
        cost_pico=min(used.cost_pico, MAX_PICO),
        charge_pico=min(used.charge_pico - used.fee_pico, MAX_PICO) if billed else 0,
    )


def _charge_attempt(
    spec: RequestSpec, observed: Observed, rate: Rate | None, hold: HoldTerms, policy: Policy
) -> AttemptCharge:
    report, costed = observed.report, _NO_METERS
    tier = _served_tier(spec, observed, hold.service_tier)
    if spec.counted and rate is not None:
        costed = _costed_only(spec.counted, rate)
        spec = replace(spec, counted=_priced(spec.counted, rate))
    source, meters, notes = metered(observed, spec) if hold.metered else NOTHING
    if report is not None and report.clamped:
        notes = ("clamped", *notes)
    if source is _INTERRUPTED or (meters and rate is None):
        setting: InterruptedCharge = "bound" if END_UNSEEN in notes else policy.interrupted_charge
        charge_pico = interrupted_charge_pico(hold.hold_pico, setting)
        return AttemptCharge(_INTERRUPTED, _NO_METERS, tier, 0, charge_pico, 0, notes)
    if not meters or rate is None:
        return AttemptCharge(source, meters, tier, 0, 0, 0, notes)
    if costed:
        meters = {**meters, **costed}
    cost_pico, charge_pico, unpriced = rate.price(meters, tier)
    if unpriced or (report is not None and report.unpriced):
        notes += unpriced_notes((name for name in unpriced if name not in costed), report)
    if rate.costs is not None:
        notes += tuple(f"uncosted:{name}" for name in rate.uncosted(meters, tier))
    return AttemptCharge(source, meters, tier, cost_pico, charge_pico, rate.request_fee_pico, notes)


def _served_tier(spec: RequestSpec, observed: Observed, imposed: str) -> str:
    """Returns the tier that the response reports. If it reports none, returns the tier that was requested."""
    report = observed.report
    if report is not None:
        told = report.service_tier or spec.service_tier
    else:  # a client that leaves must not get a dearer mode at the standard price
        told = spec.service_tier if observed.client_left and observed.started and not observed.refused else STANDARD
    return told if imposed == STANDARD else modes(imposed, *told.split(MODES))


def _priced(counted: Meters, rate: Rate) -> Meters:
    """Returns the counted quantities that have a price.

    The request counts itself in every unit that a model may be paid by.
    """
    return {name: quantity for name, quantity in counted.items() if rate.has_price(name)}


def _costed_only(counted: Meters, rate: Rate) -> Meters:
    """Returns the quantities that the provider bills and this customer pays in other units. They are not charged."""
    if rate.costs is None:
        return _NO_METERS
    return {name: q for name, q in counted.items() if rate.has_cost(name) and not rate.has_price(name)}


_ONE = Fraction(1)
_INTERRUPTED = UsageSource.INTERRUPTED  # this is bound once, because each lookup takes 0.2 µs
_NO_METERS: Meters = {}
