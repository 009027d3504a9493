"""Holds an amount for the request. The hold ends in exactly one settlement, however the request ends."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import TracebackType

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter, UsageReport, Written
from softix_proxy.dialects.core.classification import Classification
from softix_proxy.domain.access.objects import AccountPlace, NewObject, ObjectRef
from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.core.errors import HTTP_STATUS, Code, FailureError
from softix_proxy.domain.core.headers import Header
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.admission import Admitted, Intent
from softix_proxy.domain.metering.settlement import FailedAttempt, Settled, Settlement, limited
from softix_proxy.domain.metering.text_tokens import MOST_COUNTED
from softix_proxy.domain.ports.storage import Journal
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.domain.pricing.meters import Meters
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.relay.core.plan import Plan, Target
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.settlement import hidden_cost
from softix_proxy.relay.settlement.charge import HoldTerms, charge, charge_failed
from softix_proxy.relay.settlement.hold_states import (
    NOT_STARTED,
    OVER,
    TRANSITIONS,
    Event,
    IllegalTransitionError,
    State,
)
from softix_proxy.relay.settlement.metered import needs_count
from softix_proxy.relay.settlement.observed import Observed

log = logging.getLogger("softix.relay")
HUNG_UP = "client_hung_up"
_STATUS_HUNG_UP = 499  # nginx uses this status for a client that closed before the response
_NS_PER_MS = 1_000_000
_ONE = Fraction(1)


@dataclass(slots=True)
class Hold:
    """The amount that is reserved for a request, and what is observed of the request until it is settled.

    As a context manager, it settles once on every exit. Call `settle` to settle earlier. Its methods are the events
    that can happen. The table in `hold_states` says which event may follow which. Other modules only read the fields.
    """

    journal: Journal
    clock: Clock
    spec: RequestSpec
    plan: Plan
    admitted: Admitted
    request_bytes: int
    request: bytes | None = field(repr=False)
    """The request, or a sample of it, to count its tokens if they are not reported. None if it is not known."""
    policy: Policy
    started_ns: int
    target: Target
    """The target of the current attempt."""
    settlement: Settlement | None = None
    meter: StreamMeter | None = None
    """The meter of the stream with which the provider responds."""
    error: str | None = None
    """The first reason why the current attempt does not end well."""
    client_is_gone: bool = False
    failed_attempts: list[FailedAttempt] = field(default_factory=list)
    """The attempts before the current one."""
    place: AccountPlace | None = None
    """The account that the current attempt uses, if the provider keeps something of the response there."""
    stored_refs: tuple[ObjectRef, ...] = ()
    """The things that a whole response says the provider keeps."""
    _state: State = "pending"
    _status_code: int | None = None
    _report: UsageReport | None = None
    _seen_tokens: int = 0
    _ttfb_ms: int | None = None
    _left_at_end: bool = False
    _fell_behind: bool = False
    _left_unseen: bool = False
    _dispatched_ns: int = 0
    _returned_ns: int = 0
    _failing_ns: int = 0
    """The time that earlier attempts took."""

    @property
    def intent(self) -> Intent:
        return self.plan.intent

    @property
    def is_complete(self) -> bool:
        """Whether the response came to its end."""
        return self._state == "completed"

    @property
    def is_finishing(self) -> bool:
        """Whether nothing more of the response will be billed, or only what is about to come."""
        meter = self.meter
        if meter is not None and (meter.finishing or meter.ended):
            return True
        return self._state in OVER

    @property
    def reads_on(self) -> bool:
        """Whether a stream is read to its end if the client leaves it. Otherwise the provider is stopped."""
        target = self.target
        if self._is_uncountable and self.policy.hidden_on_hang_up == "drain":
            return True
        return hidden_cost.reads_on(self.spec, target.provider, target.model, self.policy)

    @property
    def _is_uncountable(self) -> bool:
        """Whether the text that passed does not show the output, or is too long to be counted at once."""
        return self._fell_behind or (self.meter is not None and self.meter.written().letters > MOST_COUNTED)

    @property
    def _can_hide(self) -> bool:
        target = self.target
        return self._is_uncountable or hidden_cost.can_hide(self.spec, target.provider, target.model, self.policy)

    async def __aenter__(self) -> Hold:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.settlement is None:
            if error is not None and not isinstance(error, ClientGoneError):
                cut = isinstance(error, asyncio.CancelledError)
                self.cut_short(Code.SHUTTING_DOWN if cut else Code.INTERNAL)
            try:
                await self.settle()
            except FailureError:
                log.error("a settlement is left to the next start")

    async def settle(self) -> Settled | None:
        """Settles the hold, and returns when the settlement is on disk.

        It needs no shield against cancellation: the settlement is handed over before the first wait.
        """
        observed = self._observed(self._elapsed_ms())
        settlement = charge(self.spec, observed, self.target.rate, self._terms(self.admitted.hold_pico), self.policy)
        if self.place is not None and (kept := self._stored(self.place)):
            settlement = replace(settlement, objects=kept)
        self._move("settled")
        self.settlement = settlement
        settled = await self.journal.settle(settlement)
        if settlement.charge_pico > settlement.hold_pico:
            self.settlement = above_hold(settlement, settled)
        return settled

    # The events of an attempt follow, in the order in which they happen.

    def placed(self, place: AccountPlace) -> None:
        """Records the account of the attempt, because the provider keeps something of the response there."""
        self.place, self.stored_refs = place, ()

    def stores(self, stored_refs: tuple[ObjectRef, ...]) -> None:
        """Records what a whole response says the provider keeps."""
        self.stored_refs = stored_refs

    def routed(self, target: Target) -> None:
        self._move("routed")
        self.target = target

    def connected(self, status_code: int) -> None:
        """Records that the connection of a session is open. The hold now waits for a request for a response."""
        self._move("connected")
        self._status_code = status_code

    def dispatched(self, *, rested: bool = False) -> None:
        """Records that the upstream client has the request.

        `rested` says that the time since admission was the client's own.
        """
        self._move("dispatched")
        self._dispatched_ns = self.clock.monotonic_ns()
        if rested:
            self.started_ns = self._dispatched_ns

    def started(self) -> None:
        """Records that the provider may see the request from now on."""
        self._move("started")

    def withheld(self, code: Code | None = None) -> None:
        """Records that softix itself did not send the request, or not all of it. `code` is what the client gets."""
        self._move("withheld")
        if code is not None:
            self._tell(code.value, HTTP_STATUS[code])

    def head(self, status_code: int) -> None:
        self._move("head")
        self._status_code = status_code

    def streaming(self, meter: StreamMeter) -> None:
        """Records that the response is a stream, which this meter reads."""
        self._move("streaming")
        self.meter = meter

    def chunk(self) -> None:
        """Records that a part of a stream came.

        It is called for each chunk, but only the first one changes anything.
        """
        if self._ttfb_ms is None:
            self._move("chunk")
            self._ttfb_ms = self._elapsed_ms()

    def body(self) -> None:
        """Records that the whole response is here."""
        self._move("body")
        self._returned_ns = self.clock.monotonic_ns()
        self._ttfb_ms = self._elapsed_ms()

    def completed(self, found: Classification, seen_tokens: int = 0, status_code: int | None = None) -> None:
        """Records that the response came to its end, or an error in its place. Any work that was done is billed.

        `seen_tokens` is the estimate of a whole response from its text. `status_code` is the status that an error
        should have come with.
        """
        if found.worked:
            self._move("completed")
            self._report, self._seen_tokens = found.report, seen_tokens
        else:
            self._move("refused")
        self._conclude(found.error, status_code)

    def refused(self, error: str | None, status_code: int | None = None) -> None:
        """Records that the provider did not accept the request. This is the reason, even if the client left before."""
        self._move("refused")
        self.error = None
        self._conclude(error, status_code)

    def failed(self, fault: ProviderFault) -> None:
        self._move("failed" if fault.started else "failed_unseen")
        self._tell(fault.code.value, HTTP_STATUS[fault.code])

    def client_left(self, *, at_end: bool = False) -> None:
        """Records that the client left.

        Many SDKs leave `at_end`: the model has stopped, and only its last report is awaited.
        """
        self._move("client_left")
        if self._state not in OVER:
            self.client_is_gone = True
            if self._state != "broken" and self._can_hide:
                self._left_unseen = True
            self._left_at_end = self._left_at_end or at_end
            self._tell(HUNG_UP, _STATUS_HUNG_UP)

    def fell_behind(self) -> None:
        """Records that the client reads more slowly than the provider produces.

        What waits in the buffers on the way cannot be seen. So the cost may be out of sight if the client leaves.
        """
        self._fell_behind = True

    def cut_short(self, code: Code) -> None:
        """Records that softix ends the request, whatever the provider does."""
        self._move("cut_short")
        self.error = self.error or code.value

    def estimated(self, typical: Meters) -> None:
        """Sets what the stream is charged by if no report comes."""
        self._move("estimated")
        self.spec = replace(self.spec, typical=typical)

    def taken_back(self) -> None:
        """Records that the provider did not begin what was requested. The hold is as it was before."""
        self._move("taken_back")
        self._begin_again(self._status_code)

    def retried(self, target: Target) -> None:
        """Records that the current attempt failed and that another one follows.

        The failed one gets a row of its own.
        """
        took_ns = self.clock.monotonic_ns() - self._dispatched_ns
        observed, terms = self._observed(took_ns // _NS_PER_MS), self._terms(self._bound_pico())
        attempt = charge_failed(self.spec, observed, self.target.rate, terms, self.policy)
        self._move("retried")
        self._failing_ns += took_ns
        self.failed_attempts.append(attempt)
        self._begin_again(None)
        self.target = target

    def headers(self) -> list[Header]:
        """Returns headers with the cost of the request and the time that softix itself took."""
        charge_pico = self.settlement.charge_pico if self.settlement else 0
        dispatched_ns = self._dispatched_ns or self.clock.monotonic_ns()  # softix itself may have refused the request
        own_ns = dispatched_ns - self.started_ns - self._failing_ns
        if self._returned_ns:
            own_ns += self.clock.monotonic_ns() - self._returned_ns
        return cost_headers(charge_pico, own_ns)

    def _stored(self, place: AccountPlace) -> tuple[NewObject, ...]:
        """Returns the things of the response that the provider keeps for the user."""
        meter, intent, kinds = self.meter, self.intent, self.spec.stored_kinds
        kept, now_us = self.stored_refs if meter is None else meter.stored_refs, self.clock.now_us()
        return tuple(NewObject(place, ref, intent.user_id, intent.key_id, now_us) for ref in kept if ref.kind in kinds)

    def _move(self, event: Event) -> None:
        try:
            self._state = TRANSITIONS[self._state][event]
        except KeyError:
            raise IllegalTransitionError(self._state, event) from None

    def _tell(self, error: str, status_code: int) -> None:
        self.error = self.error or error
        if self._status_code is None:
            self._status_code = status_code

    def _conclude(self, error: str | None, status_code: int | None) -> None:
        self.error = error if self._left_at_end else self.error or error
        if status_code is not None:
            self._status_code = status_code

    def _begin_again(self, status_code: int | None) -> None:
        self.meter, self._report, self._seen_tokens, self._ttfb_ms = None, None, 0, None
        self.error, self.client_is_gone, self._left_at_end, self._status_code = None, False, False, status_code
        self._fell_behind = self._left_unseen = False

    def _elapsed_ms(self) -> int:
        return (self.clock.monotonic_ns() - self.started_ns) // _NS_PER_MS

    def _observed(self, latency_ms: int) -> Observed:
        state, meter, report, tokens = self._state, self.meter, self._report, self._seen_tokens
        written: Written | None = None
        if meter is not None:
            report, tokens = meter.report or report, meter.estimate_output_tokens()
            if needs_count(report, tokens, complete=state == "completed"):
                written = meter.written()
        is_told = report is not None and written is None and (meter is not None or not tokens)
        return Observed(  # arguments are positional, because names would take three times as long in every request
            state not in NOT_STARTED,
            state == "completed",
            state == "refused",
            self.client_is_gone,
            report,
            meter is not None,
            meter is not None and meter.failure is not None,
            tokens,
            self.request_bytes,
            self._status_code,
            self.error,
            latency_ms,
            self._ttfb_ms,
            tuple(self.failed_attempts),
            self._left_unseen,
            written,
            self.request,
            _ONE if is_told else self.target.provider.profile.tokens_per_piece,
        )

    def _terms(self, hold_pico: int) -> HoldTerms:
        intent, target = self.plan.intent, self.target
        if target is not self.plan.targets[0]:
            intent = replace(
                intent, provider_id=target.provider.id, model_id=target.model.id, price_id=target.rate.price_id
            )
        admitted, metered = self.admitted, target.endpoint.metered
        return HoldTerms(intent, hold_pico, intent.postpaid, admitted.tokens_held, admitted.widened_pico, metered)

    def _bound_pico(self) -> int:
        """Returns the most that the current attempt can be charged."""
        bound = next(
            bound for target, bound in zip(self.plan.targets, self.plan.bounds, strict=True) if target is self.target
        )
        bound, limit = bound.limited(self.admitted.call_limit), self.admitted.output_limit
        return bound.hold_pico(bound.output_tokens if limit is None else min(limit, bound.output_tokens))


def above_hold(settlement: Settlement, settled: Settled | None) -> Settlement:
    """Returns what became of a settlement above its hold, and raises the alarm: the bound or the report is wrong.

    The journal has widened the bound, and charged as much as the balance could pay.
    """
    missing_pico = settlement.charge_pico - settlement.hold_pico
    if settled is not None and settled.charge_pico < settlement.charge_pico:
        settlement = limited(settlement, settled.charge_pico)
    told = {
        "model_id": settlement.intent.model_id,
        "members": " ".join(settlement.members),
        "above_hold_usd": format_usd(missing_pico),
        "charged_usd": format_usd(settlement.charge_pico),
    }
    log.error("a request cost more than was held for it; see: softix bounds list", extra=told)
    return settlement


def cost_headers(charge_pico: int, own_ns: int) -> list[Header]:
    return [("x-softix-cost-usd", format_usd(charge_pico)), ("x-softix-overhead-ms", f"{own_ns / _NS_PER_MS:.3f}")]
