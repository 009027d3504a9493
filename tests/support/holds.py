"""A hold without a request around it, told of whatever a test wants to have happened."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from support.playbook import KEY, LAB, MODEL, SHEET, USER, Journal, Ticking

from softix_proxy.dialects.core.base import RequestSpec, UsageReport, Written
from softix_proxy.dialects.core.classification import Classification
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.metering.admission import Admitted, Allowance, Intent
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.pricing.rates import Rate
from softix_proxy.domain.routing.routes import RouteLeg
from softix_proxy.relay.core.plan import Caller, Plan, Target
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.settlement.hold import Hold

BODY_BYTES = 401
REFUSED = Classification("provider_invalid_request", 400, worked=False)


class Meter:
    """Of a stream: what a test says that it read."""

    ended = finishing = False

    def __init__(self, report: UsageReport | None = None, seen_tokens: int = 0, failure: str | None = None) -> None:
        self.report = report
        self.seen_tokens = seen_tokens
        self.failure = failure

    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def take_held(self) -> bytes:
        return b""

    def estimate_output_tokens(self) -> int:
        return self.seen_tokens

    def written(self) -> Written:
        return Written("", 0, self.seen_tokens)


def answer(report: UsageReport | None = None) -> Classification:
    return Classification(None, 200, report)


def make_hold(journal: Journal, *, hold_pico: int = 10**9, rate: Rate | None = None, **changes: Any) -> Hold:
    """Of a request to one target."""
    intent = Intent(5, 1, 1, False, 1, KeyLimits(), 1, 1, 1, "chat_completions", False, Bound(), 0, 1)
    target = Target(MODEL, LAB, rate or Rate(1, SHEET, Fraction(11, 10)), ENDPOINTS["chat_completions"], RouteLeg(1))
    values: dict[str, Any] = {
        "journal": journal,
        "clock": Ticking(),
        "spec": RequestSpec("m"),
        "plan": Plan(Caller(USER, KEY), [target], intent, [Bound(fixed_pico=hold_pico)], 0, 1, None),
        "admitted": Admitted(hold_pico, None, 3, Allowance()),
        "request_bytes": BODY_BYTES,
        "request": None,
        "policy": Policy(16, "nothing", 5.0, 1_000_000),
        "started_ns": 0,
        "target": target,
    }
    return Hold(**{**values, **changes})


def send(hold: Hold) -> Hold:
    """Up to the moment when the provider may have seen it."""
    hold.dispatched()
    hold.started()
    return hold
