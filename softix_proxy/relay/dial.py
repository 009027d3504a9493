"""To whom a realtime session is connected: the first of its targets that takes the call."""

from __future__ import annotations

from urllib.parse import quote

from softix_proxy.domain.clock import SECOND_US
from softix_proxy.domain.errors import Code
from softix_proxy.domain.upstream import Call, Line, Lines, ProviderFault
from softix_proxy.relay import refusal
from softix_proxy.relay.fleet import Berth, Outcome
from softix_proxy.relay.forward import outgoing
from softix_proxy.relay.inbound import Inbound
from softix_proxy.relay.itinerary import Itinerary
from softix_proxy.relay.lifecycle import Lifecycle
from softix_proxy.relay.settle import Hold

_NOT_TO_PROVIDER = frozenset(("origin",))
"""The page that a browser is on is nothing to a provider that softix calls."""


async def dial(house: Lifecycle, lines: Lines, request: Inbound, hold: Hold) -> tuple[Line, Berth]:
    """The berth is to be left. What fails is a row beside that of the hold. Raises RefusedError."""
    itinerary = Itinerary(house.fleet, hold.plan)
    berth = itinerary.first()
    if berth is None:
        hold.facts.refuse(Code.PROVIDER_BUSY)
        raise refusal.busy()
    hold.target = berth.target
    while True:
        hold.dispatched()
        try:
            return await lines.open(_call(request, hold, berth)), berth
        except ProviderFault as fault:
            hold.facts.fail(fault)
            outcome = Outcome.of_fault(fault.code)
            berth.leave(outcome, fault.code.value)
            if fault.code is Code.OUT_OF_FILES:  # nor for another target
                raise refusal.failed(fault) from None
            following, wait_us = itinerary.after(berth.target, outcome)
            if wait_us:
                await house.pause(wait_us / SECOND_US)
                following = itinerary.again()
            if following is None:
                raise refusal.failed(fault) from None
            hold.set_aside(following.target)
            berth = following
        except BaseException:
            berth.leave(Outcome.ABANDONED)
            raise


def _call(request: Inbound, hold: Hold, berth: Berth) -> Call:
    target = berth.target
    headers = [header for header in outgoing(request.headers, request.credential) if header[0] not in _NOT_TO_PROVIDER]
    path = request.path.replace("{model}", quote(target.model.upstream_name, safe=""), 1)
    return Call(
        hold.plan.caller.key.id,
        target.provider,
        path,
        headers,
        b"",
        stream=True,
        key=berth.key,
        timeouts=target.leg.timeouts,
    )
