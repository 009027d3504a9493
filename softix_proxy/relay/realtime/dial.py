"""Connects a realtime session to the first of its targets that accepts the connection."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from softix_proxy.dialects.core.classification import classify
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.ports.upstream import (
    ProviderFault,
    UpstreamRequest,
    WebSocketClient,
    WebSocketConnection,
    WebSocketRefusedError,
)
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.inbound import Inbound
from softix_proxy.relay.core.redaction import redaction
from softix_proxy.relay.realtime.redacted_line import RedactedLine
from softix_proxy.relay.request.forward import TagOf, own_headers
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.relay.routing import failures
from softix_proxy.relay.routing.failures import Failure
from softix_proxy.relay.routing.retry_plan import RetryPlan
from softix_proxy.relay.routing.target_pool import AttemptOutcome, Lease
from softix_proxy.relay.settlement.hold import Hold

_NORMAL = 1000


async def dial(
    lifecycle: Lifecycle, lines: WebSocketClient, request: Inbound, hold: Hold
) -> tuple[WebSocketConnection, Lease]:
    """Returns the connection and its lease, which the caller must leave. Raises RefusedError.

    An attempt that fails gets a row beside that of the hold.
    """
    retry_plan = RetryPlan(lifecycle.target_pool, hold.plan)
    lease = retry_plan.first()
    if lease is None:
        hold.withheld(Code.PROVIDER_BUSY)
        raise refusal.busy()
    hold.routed(lease.target)
    tag_of = partial(lifecycle.vault.tag, hold.plan.caller.key.id)
    while True:
        hold.dispatched()
        try:
            line = await lines.open(_call(request, hold, lease, lifecycle.policy.pass_headers, tag_of))
            return RedactedLine(line, redaction(line.secret, lease.target.provider)), lease
        except ProviderFault as fault:
            hold.failed(fault)
            failure = failures.of_fault(fault)
        except WebSocketRefusedError as refused:
            lease.answered(refused.headers)
            failure = _of_no_line(refused, hold)
        except BaseException:
            lease.leave(AttemptOutcome.ABANDONED)
            raise
        lease.leave(failure.outcome, failure.error, failure.wait_us)
        following = await _following(lifecycle, retry_plan, lease, failure)
        if following is None:
            raise _told(failure)
        hold.retried(following.target)
        lease = following


def _of_no_line(refused: WebSocketRefusedError, hold: Hold) -> Failure:
    """Returns the failure by the rule for requests. The body is not read, because only the status can be reported."""
    found = classify(refused.status, refused.headers, b"")
    hold.started()
    hold.head(refused.status)
    hold.refused(found.error, found.status)
    return failures.of_answer(found, refused.headers, hold.clock.now_us())


async def _following(lifecycle: Lifecycle, retry_plan: RetryPlan, lease: Lease, failure: Failure) -> Lease | None:
    if not failure.repeatable:
        return None
    following, wait_us = retry_plan.after(lease.target, failure.outcome)
    if wait_us:
        await lifecycle.pause(wait_us / SECOND_US)
        following = retry_plan.again()
    return following


def _told(failure: Failure) -> RefusedError:
    """Returns the error in softix's own words.

    It has the status that a request would get, if there is a code for it.
    """
    if failure.fault is not None:
        return refusal.failed(failure.fault)
    if failure.told is None:
        return failures.unsayable(failure.found)
    if failure.outcome is AttemptOutcome.LIMITED:
        wait_s = SECOND_US if failure.wait_us is None else failure.wait_us
        return RefusedError(Code.PROVIDER_BUSY, "The provider opens no more sessions now.", wait_s / SECOND_US)
    code = _CODES.get(failure.told.status)
    if code is not None:
        return RefusedError(code, "The provider opens no such session.")
    if failure.outcome is AttemptOutcome.DONE:
        return RefusedError(Code.INVALID_REQUEST, "The provider does not take this session.")
    if failure.outcome is AttemptOutcome.REFUSED:
        return failures.unsayable(failure.found)
    return RefusedError(Code.PROVIDER_UNREACHABLE, "The provider cannot open a session now.")


_CODES = {404: Code.NOT_FOUND, 405: Code.NOT_FOUND, 504: Code.PROVIDER_TIMEOUT}
"""The provider's statuses in softix's own codes. 405 means that nothing there accepts a WebSocket."""


def _call(request: Inbound, hold: Hold, lease: Lease, pass_headers: frozenset[str], tag_of: TagOf) -> UpstreamRequest:
    target = lease.target
    path = request.path.replace("{model}", quote(target.model.upstream_name, safe=""), 1)
    return UpstreamRequest(
        hold.plan.caller.key.id,
        target.provider,
        path,
        own_headers(request, target, pass_headers, tag_of),
        b"",
        stream=True,
        key=lease.key,
        timeouts=target.leg.timeouts,
    )


def sendable(code: int | None) -> int:
    """Returns the provider's close code if it may be sent, and otherwise the normal one."""
    return code if code is not None and (code in (1000, 1001, 1008, 1011, 1013) or 3000 <= code < 5000) else _NORMAL
