"""To whom a realtime session is connected: the first of its targets that takes the call."""

from __future__ import annotations

from urllib.parse import quote

from softix_proxy.dialects.classification import classify
from softix_proxy.domain.clock import SECOND_US
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.upstream import Call, Line, Lines, NoLineError, ProviderFault
from softix_proxy.relay import failures, refusal
from softix_proxy.relay.failures import Failure
from softix_proxy.relay.fleet import Berth, Outcome
from softix_proxy.relay.forward import own_headers
from softix_proxy.relay.inbound import Inbound
from softix_proxy.relay.itinerary import Itinerary
from softix_proxy.relay.lifecycle import Lifecycle
from softix_proxy.relay.settle import Hold


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
            return await lines.open(_call(request, hold, berth, house.policy.pass_headers)), berth
        except ProviderFault as fault:
            hold.facts.fail(fault)
            failure = failures.of_fault(fault)
        except NoLineError as refused:
            berth.answered(refused.headers)
            failure = _of_no_line(refused, hold)
        except BaseException:
            berth.leave(Outcome.ABANDONED)
            raise
        berth.leave(failure.outcome, failure.error, failure.wait_us)
        following = await _following(house, itinerary, berth, failure)
        if following is None:
            raise _told(failure)
        hold.set_aside(following.target)
        berth = following


def _of_no_line(refused: NoLineError, hold: Hold) -> Failure:
    """By the rule for requests. Its body is not read: there is nothing but the status to tell."""
    found = classify(refused.status, refused.headers, b"")
    facts = hold.facts
    facts.refused, facts.error, facts.status_code = True, found.error, found.status
    return failures.of_answer(found, refused.headers, hold.clock.now_us())


async def _following(house: Lifecycle, itinerary: Itinerary, berth: Berth, failure: Failure) -> Berth | None:
    if not failure.repeatable:
        return None
    following, wait_us = itinerary.after(berth.target, failure.outcome)
    if wait_us:
        await house.pause(wait_us / SECOND_US)
        following = itinerary.again()
    return following


def _told(failure: Failure) -> RefusedError:
    """In softix's own words, with the status that a request would be answered with, where there is one for it."""
    if failure.fault is not None:
        return refusal.failed(failure.fault)
    if failure.told is None:
        return failures.unsayable(failure.found)
    if failure.outcome is Outcome.LIMITED:
        wait_s = SECOND_US if failure.wait_us is None else failure.wait_us
        return RefusedError(Code.PROVIDER_BUSY, "The provider opens no more sessions now.", wait_s / SECOND_US)
    code = _CODES.get(failure.told.status)
    if code is not None:
        return RefusedError(code, "The provider opens no such session.")
    if failure.outcome is Outcome.DONE:
        return RefusedError(Code.INVALID_REQUEST, "The provider does not take this session.")
    if failure.outcome is Outcome.REFUSED:
        return failures.unsayable(failure.found)
    return RefusedError(Code.PROVIDER_UNREACHABLE, "The provider cannot open a session now.")


_CODES = {404: Code.NOT_FOUND, 405: Code.NOT_FOUND, 504: Code.PROVIDER_TIMEOUT}
"""What the provider's status is in softix's own codes. 405: nothing there takes a WebSocket."""


def _call(request: Inbound, hold: Hold, berth: Berth, pass_headers: frozenset[str]) -> Call:
    target = berth.target
    path = request.path.replace("{model}", quote(target.model.upstream_name, safe=""), 1)
    return Call(
        hold.plan.caller.key.id,
        target.provider,
        path,
        own_headers(request, target, pass_headers),
        b"",
        stream=True,
        key=berth.key,
        timeouts=target.leg.timeouts,
    )
