"""The life of every request from top to bottom, streamed or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.registry import is_carried
from softix_proxy.domain.core.clock import SECOND_US, Clock
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.metering.admission import Admitted, Bound, Decision, Denied, Intent
from softix_proxy.domain.ports.storage import Journal
from softix_proxy.domain.ports.telemetry import Telemetry
from softix_proxy.domain.ports.upstream import Upstream, UpstreamRequest
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.inbound import Client, ClientGoneError, Inbound
from softix_proxy.relay.core.live_directory import LiveDirectory
from softix_proxy.relay.core.plan import Caller, Plan, Target
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.request.admit import admit
from softix_proxy.relay.request.attempt import Attempt
from softix_proxy.relay.request.bound import bound, estimate, together
from softix_proxy.relay.request.client_disconnect import ClientDisconnect
from softix_proxy.relay.request.forward import call
from softix_proxy.relay.request.identify import identify
from softix_proxy.relay.request.route import prefix_of, route
from softix_proxy.relay.routing.failures import Failure
from softix_proxy.relay.routing.retry_plan import RetryPlan
from softix_proxy.relay.routing.target_pool import AttemptOutcome, Lease, TargetPool
from softix_proxy.relay.settlement.hold import Hold


@dataclass(slots=True)
class Lifecycle:
    """Takes each request through its steps. It has the parts that all requests share."""

    directory: LiveDirectory
    journal: Journal
    upstream: Upstream
    vault: Vault
    clock: Clock
    telemetry: Telemetry
    policy: Policy
    target_pool: TargetPool
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """The function that waits for this number of seconds."""

    async def serve(self, request: Inbound, client: Client) -> None:
        """Answers the client.

        Raises RefusedError if nothing was sent yet, and ClientGoneError if the client has left.
        """
        digest = self.vault.digest(request.credential) if request.credential else None
        await self._identify(request, digest)
        body = await request.read_body()
        spec = self._heed(request, request.endpoint.read(body))
        plan, admitted = await self.admit(request, digest, spec, body)
        hold = Hold(
            journal=self.journal,
            clock=self.clock,
            spec=spec,
            plan=plan,
            admitted=admitted,
            request_bytes=len(body) + request.rest_bytes,
            policy=self.policy,
            started_ns=request.started_ns,
            target=plan.targets[0],
        )
        request_run = RequestRun(request, client, spec, hold, self, body)
        del body  # the run frees the body as soon as it is not needed any more
        self.telemetry.opened(admitted.hold_pico)
        try:
            async with hold:
                await request_run.run()
        except RefusedError as error:
            error.headers += tuple(hold.headers())
            raise
        finally:
            if hold.settlement is not None:
                self.telemetry.finished(hold.settlement, hold.target.provider.name, hold.target.model.name)

    @staticmethod
    def _heed(request: Inbound, spec: RequestSpec) -> RequestSpec:
        """Returns the spec with what the request's headers change."""
        endpoint, name = request.endpoint, request.endpoint.heeds
        if name:
            for header, value in request.headers:
                if header == name:
                    spec = endpoint.heed(spec, value)
        return spec

    async def identify(self, credential: str | None, address: str) -> Caller:
        """Returns who makes a request to one of the other routes, as of now. Raises RefusedError."""
        digest = self.vault.digest(credential) if credential else None
        await self.directory.refresh()
        return identify(self.directory.current, digest, address, self.clock.now_us())

    async def _identify(self, request: Inbound, digest: bytes | None) -> None:
        """Identifies the caller before the body is read, so that no memory is spent on a stranger's body."""
        try:
            identify(self.directory.current, digest, request.address, request.started_at_us)
        except RefusedError:
            if digest is None:
                raise
            await self.directory.refresh()
            identify(self.directory.current, digest, request.address, request.started_at_us)

    async def admit(
        self, request: Inbound, digest: bytes | None, spec: RequestSpec, body: bytes
    ) -> tuple[Plan, Admitted]:
        """Plans the request and has it admitted. Raises RefusedError."""

        async def plan() -> Plan:
            return self._plan(request, digest, spec, body)

        return await admit(self.directory, self.journal, plan, self._submit, _denied)

    async def _submit(self, plan: Plan) -> Decision:
        return await self.journal.admit(plan.intent)

    def _plan(self, request: Inbound, digest: bytes | None, spec: RequestSpec, body: bytes) -> Plan:
        directory, endpoint, now_us = self.directory.current, request.endpoint, self.clock.now_us()
        caller = identify(directory, digest, request.address, now_us)
        found, targets = route(directory, caller, endpoint, spec, now_us)
        if not (found.id or self.policy.fallback_by_name):
            del targets[1:]
        body_bytes = len(body) + request.rest_bytes
        user, key, prefix, tokens = caller.user, caller.key, None, estimate(spec, body_bytes)
        if len(targets) > 1:
            prefix = prefix_of(key.id, body) if found.sticky else None
            targets = self.target_pool.arrange(targets, prefix, tokens)
        targets, bounds = self._bounds(
            directory, request, spec, body_bytes, targets[:1] if request.rest_bytes else targets
        )
        first = targets[0]
        retries = found.retries if found.id else self.policy.retries
        key_quotas = first.provider.key_count if len(targets) == 1 else sum(each.provider.key_count for each in targets)
        tries = 1 if request.rest_bytes else min(key_quotas * (retries + 1), self.policy.most_attempts)
        intent = Intent(
            request_id=request.id,
            revision=directory.revision,
            user_id=user.id,
            postpaid=user.postpaid,
            key_id=key.id,
            limits=key.limits,
            provider_id=first.provider.id,
            model_id=first.model.id,
            price_id=first.rate.price_id,
            endpoint=endpoint.name,
            stream=spec.stream,
            bound=together(bounds, tries if self.policy.charge_failed_attempts == "provider-billed" else 1),
            tokens_estimate=tokens,
            started_at_us=request.started_at_us,
        )
        return Plan(caller, targets, intent, bounds, retries, tries, prefix)

    def _bounds(
        self,
        directory: Directory,
        request: Inbound,
        spec: RequestSpec,
        body_bytes: int,
        targets: Sequence[Target],
    ) -> tuple[list[Target], list[Bound]]:
        """Returns the most that each target can cost. It leaves out targets whose price cannot charge the request."""
        kept: list[Target] = []
        bounds: list[Bound] = []
        least = self.policy.least_output_tokens
        for target in targets:
            metered = target.endpoint.metered
            there = spec if _is_whole(request, target) else spec.translated()
            try:
                bounds.append(
                    bound(
                        there,
                        body_bytes,
                        target.model,
                        target.rate,
                        metered=metered,
                        least_tokens=least,
                        widening=directory.widening(target.model.id, spec.members),
                        adds_input=target.provider.profile.adds_input,
                    )
                )
            except RefusedError:
                if target is targets[-1] and not kept:
                    raise
            else:
                kept.append(target)
        return kept, bounds


def _is_whole(request: Inbound, target: Target) -> bool:
    """Returns whether the target gets the request with all of its members, as opposed to a translation."""
    return target.endpoint is request.endpoint or is_carried(request.endpoint, target.endpoint)


def _denied(plan: Plan, decision: Denied) -> RefusedError:
    return refusal.denied(decision, plan.caller.key.limits)


@dataclass(slots=True)
class RequestRun:
    """The run of an admitted request: attempts at its targets, and the response to the client."""

    request: Inbound
    client: Client
    spec: RequestSpec
    hold: Hold
    lifecycle: Lifecycle
    body: bytes

    async def run(self) -> None:
        """Makes one attempt after the other.

        It stops when the client has a part of a response, or when no other target may do better.
        """
        hold, target_pool = self.hold, self.lifecycle.target_pool
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
                attempt = self._prepare(lease, client_disconnect, last=not retry_plan.may_go_on())
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

    def _prepare(self, lease: Lease, client_disconnect: ClientDisconnect, *, last: bool) -> Attempt:
        stops = self.spec.stream and lease.target.provider.on_hang_up == "cancel"
        client_disconnect.task = asyncio.current_task() if stops else None
        if stops:
            self.client.when_gone(client_disconnect)
        lifecycle, target, client, body = self.lifecycle, lease.target, self.client, self.body
        limit = self.spec.call_limit
        if limit is not None and _is_whole(self.request, target):
            body = self.request.endpoint.limit_calls(body, limit)
        if target.endpoint is not self.request.endpoint:  # the request and the response are translated
            from softix_proxy.relay.request.interpret import interpret

            limit = self.hold.admitted.output_limit
            found = interpret(self.request, client, target, self.spec, body, limit)
            target, client, body = found.target, found.client, found.body
        return Attempt(
            client=client,
            spec=self.spec,
            target=target,
            body=body,
            hold=self.hold,
            upstream=lifecycle.upstream,
            policy=lifecycle.policy,
            client_disconnect=client_disconnect,
            lease=lease,
            last=last,
            committed=self._let_go,
        )

    def _let_go(self) -> None:
        """Frees the body, because no other attempt may need it."""
        self.body = b""

    def _outbound(self, attempt: Attempt) -> UpstreamRequest:
        body, attempt.body = attempt.body, b""
        if attempt.last:
            self._let_go()
        limit, caller, passed = self.hold.admitted.output_limit, self.hold.plan.caller, attempt.policy.pass_headers
        target_pool, provider = self.lifecycle.target_pool, attempt.target.provider
        return call(
            self.request,
            body,
            self.spec,
            limit,
            attempt.target,
            caller.key.id,
            attempt.lease.key,
            passed,
            usage_refused=target_pool.refuses_usage_option(provider),
            limits_refused=target_pool.refused_limits(provider),
        )

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
                await self.lifecycle.pause(wait_us / SECOND_US)
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
