"""The attempts of an admitted request at its targets, and the response to the client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.registry import is_carried
from softix_proxy.dialects.request.scan import Scanned
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.ports.upstream import Upstream, UpstreamRequest
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.inbound import Client, ClientGoneError, Inbound
from softix_proxy.relay.core.plan import Target
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.request.attempt import Attempt
from softix_proxy.relay.request.client_disconnect import ClientDisconnect
from softix_proxy.relay.request.forward import call
from softix_proxy.relay.request.large_body import scan
from softix_proxy.relay.request.unknown_members import forwarded
from softix_proxy.relay.routing.failures import Failure
from softix_proxy.relay.routing.retry_plan import RetryPlan
from softix_proxy.relay.routing.target_pool import AttemptOutcome, Lease, TargetPool
from softix_proxy.relay.settlement import hidden_cost
from softix_proxy.relay.settlement.hold import Hold

if TYPE_CHECKING:
    from softix_proxy.relay.request.interpret import Interpreted

TRANSLATED_AT_ONCE_BYTES = 128 * 1024
"""The largest body that is translated within the event loop. It takes some milliseconds."""


def is_whole(request: Inbound, target: Target) -> bool:
    """Returns whether the target gets the request with all of its members, as opposed to a translation."""
    return target.endpoint is request.endpoint or is_carried(request.endpoint, target.endpoint)


class RunParts(Protocol):
    """The parts of the relay that the runs of all requests share. `Lifecycle` has them."""

    upstream: Upstream
    vault: Vault
    policy: Policy
    target_pool: TargetPool
    translating: asyncio.Semaphore

    @property
    def pause(self) -> Callable[[float], Awaitable[None]]: ...


@dataclass(slots=True)
class RequestRun:
    """The run of an admitted request: attempts at its targets, and the response to the client."""

    request: Inbound
    client: Client
    spec: RequestSpec
    hold: Hold
    parts: RunParts
    body: bytes
    scanned: Scanned | None = None
    """What was found in a large body. It goes when the body does."""

    async def run(self) -> None:
        """Makes one attempt after the other.

        It stops when the client has a part of a response, or when no other target may do better.
        """
        if self.scanned is None and self.request.is_heavy and self.request.rest is None:
            self.scanned = await scan(self.body)
        hold, target_pool = self.hold, self.parts.target_pool
        retry_plan, client_disconnect = RetryPlan(target_pool, hold.plan), ClientDisconnect(hold)
        lease = retry_plan.first()
        if lease is None:
            hold.withheld(Code.PROVIDER_BUSY)
            raise refusal.busy()
        failed: tuple[Attempt, Failure] | None = None
        while lease is not None:
            if failed is None:
                hold.routed(lease.target)
            try:
                attempt = await self._prepare(lease, client_disconnect, last=not retry_plan.may_go_on())
            except RefusedError as error:  # the dialect of this target cannot express the request
                lease.leave(AttemptOutcome.ABANDONED)
                lease = retry_plan.instead_of(lease.target)
                if lease is None:
                    if failed is None:
                        hold.withheld(error.code)
                        raise
                    lease = await self._following(retry_plan, *failed, client_disconnect)
                continue
            if failed is not None:
                hold.retried(lease.target)
            try:
                failure = await attempt.run(self._outbound(attempt))
            finally:
                attempt.leave()
            if failure is None:
                if hold.plan.prefix is not None and hold.error is None:
                    target_pool.remember(hold.plan.prefix, lease.target)
                return
            failed = attempt, failure
            lease = await self._following(retry_plan, *failed, client_disconnect)
        if failed is not None:
            attempt, failure = failed
            await attempt.tell(failure)

    async def _prepare(self, lease: Lease, client_disconnect: ClientDisconnect, *, last: bool) -> Attempt:
        parts, target, client, body = self.parts, lease.target, self.client, self.body
        call_limit = self.spec.call_limit
        if call_limit is not None and is_whole(self.request, target):
            body = self.request.endpoint.limit_calls(body, call_limit)
        if target.endpoint is not self.request.endpoint:  # the request and the response are translated
            try:
                found = await self._interpret(target, body)
            except asyncio.CancelledError:
                lease.leave(AttemptOutcome.ABANDONED)
                raise
            target, client, body = found.target, found.client, found.body
        stops = self.spec.stream and not self._reads_on(lease.target)
        client_disconnect.task = asyncio.current_task() if stops else None
        if stops:
            self.client.when_gone(client_disconnect)
        return Attempt(
            client=client,
            spec=self.spec,
            target=target,
            body=body,
            hold=self.hold,
            upstream=parts.upstream,
            policy=parts.policy,
            client_disconnect=client_disconnect,
            lease=lease,
            last=last,
            committed=self._let_go,
        )

    def _reads_on(self, target: Target) -> bool:
        return hidden_cost.reads_on(self.spec, target.provider, target.model, self.parts.policy)

    async def _interpret(self, target: Target, body: bytes) -> Interpreted:
        """Translates the request. A large one is translated beside the event loop, one at a time."""
        from softix_proxy.relay.request.interpret import interpret

        limit = self.hold.admitted.output_limit
        if len(body) <= TRANSLATED_AT_ONCE_BYTES:
            return interpret(self.request, self.client, target, self.spec, body, limit)
        async with self.parts.translating:
            return await asyncio.to_thread(interpret, self.request, self.client, target, self.spec, body, limit)

    def _let_go(self) -> None:
        """Frees the body, because no other attempt may need it."""
        self.body, self.scanned = b"", None

    def _outbound(self, attempt: Attempt) -> UpstreamRequest:
        body, attempt.body = attempt.body, b""
        limit, caller, passed = self.hold.admitted.output_limit, self.hold.plan.caller, attempt.policy.pass_headers
        if self.spec.unknown_members:
            body = forwarded(self.request.endpoint, body, attempt.target, caller, attempt.policy)
        target_pool, provider = self.parts.target_pool, attempt.target.provider
        outbound = call(
            self.request,
            body,
            self.spec,
            limit,
            attempt.target,
            caller.key.id,
            attempt.lease.key,
            passed,
            tag_of=partial(self.parts.vault.tag, caller.key.id),
            usage_refused=target_pool.refuses_usage_option(provider),
            limits_refused=target_pool.refused_limits(provider),
        )
        if attempt.last:
            self._let_go()
        return outbound

    async def _following(
        self, retry_plan: RetryPlan, attempt: Attempt, failure: Failure, client_disconnect: ClientDisconnect
    ) -> Lease | None:
        """Returns a lease for the next attempt, or None if there is none.

        Raises ClientGoneError if the client has left.
        """
        if not failure.repeatable or self.client.begun:
            return None
        lease, wait_us = retry_plan.after(attempt.lease.target, failure.outcome)
        if wait_us:
            try:
                await self.parts.pause(wait_us / SECOND_US)
            except asyncio.CancelledError:
                if client_disconnect.swallow():
                    raise ClientGoneError from None
                raise
            lease = retry_plan.again()
        if lease is not None and self.client.gone:
            lease.leave(AttemptOutcome.ABANDONED)
            self.hold.client_left()
            raise ClientGoneError
        return lease
