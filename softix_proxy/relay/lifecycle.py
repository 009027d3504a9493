"""The life of a request, streamed or not, from top to bottom. There is no second one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from softix_proxy.dialects.base import Ask
from softix_proxy.domain.admission import Admitted, Denied, Intent, Stale
from softix_proxy.domain.clock import Clock
from softix_proxy.domain.errors import HTTP_STATUS, Code, RefusedError
from softix_proxy.domain.ports import Journal
from softix_proxy.domain.telemetry import Telemetry
from softix_proxy.domain.upstream import Call, Upstream
from softix_proxy.domain.vault import Vault
from softix_proxy.relay import refusal
from softix_proxy.relay.attempt import Attempt
from softix_proxy.relay.bound import bound
from softix_proxy.relay.forward import call
from softix_proxy.relay.hang_up import HangUp
from softix_proxy.relay.identify import identify
from softix_proxy.relay.inbound import Client, Inbound
from softix_proxy.relay.interpret import interpret
from softix_proxy.relay.live_directory import LiveDirectory
from softix_proxy.relay.plan import Caller, Plan, Target
from softix_proxy.relay.policy import Policy
from softix_proxy.relay.route import UnpricedError, route
from softix_proxy.relay.settle import Hold

_TRIES = 8
"""How often the directory may change under one request before it is told to come back."""


@dataclass(slots=True)
class Lifecycle:
    directory: LiveDirectory
    journal: Journal
    upstream: Upstream
    vault: Vault
    clock: Clock
    telemetry: Telemetry
    policy: Policy

    async def serve(self, request: Inbound, client: Client) -> None:
        """Answers the client. Raises RefusedError as long as nothing was sent, ClientGoneError when nobody listens."""
        digest = self.vault.digest(request.credential) if request.credential else None
        await self._identify(request, digest)
        body = await request.read_body()
        ask = request.endpoint.read(body)
        plan, admitted = await self._admit(request, digest, ask, len(body) + request.rest_bytes)
        passage = self._passage(request, client, ask, plan, admitted, body)
        del body  # the passage lets go of it once it is sent
        self.telemetry.opened(admitted.hold_pico)
        try:
            async with passage.hold:
                await passage.run()
        except RefusedError as error:
            error.headers += tuple(passage.hold.headers())
            raise
        finally:
            if passage.hold.settlement is not None:
                served = plan.targets[0]
                self.telemetry.finished(passage.hold.settlement, served.provider.name, served.model.name)

    async def identify(self, credential: str | None, address: str) -> Caller:
        """For the other routes: who asks, as of now. Raises RefusedError."""
        digest = self.vault.digest(credential) if credential else None
        await self.directory.refresh()
        return identify(self.directory.current, digest, address, self.clock.now_us())

    async def _identify(self, request: Inbound, digest: bytes | None) -> None:
        """Before the body is read: a stranger's is not worth the memory."""
        try:
            identify(self.directory.current, digest, request.address, request.started_at_us)
        except RefusedError:
            if digest is None:
                raise
            await self.directory.refresh()
            identify(self.directory.current, digest, request.address, request.started_at_us)

    async def _admit(self, request: Inbound, digest: bytes | None, ask: Ask, body_bytes: int) -> tuple[Plan, Admitted]:
        """Plans and asks for admission; again as long as the directory turns out to have changed."""
        for _ in range(_TRIES):
            try:
                plan = self._plan(request, digest, ask, body_bytes)
            except RefusedError as error:
                revision = self.directory.current.revision
                await self.directory.refresh()
                if self.directory.current.revision != revision:
                    continue
                if isinstance(error, UnpricedError):
                    self.journal.note_unpriced(error.model_id)
                raise
            decision = await self.journal.admit(plan.intent)
            if isinstance(decision, Denied):
                raise refusal.denied(decision, plan.caller.key.limits)
            if not isinstance(decision, Stale):
                return plan, decision
            await self.directory.refresh()
        raise RefusedError(Code.STORAGE_UNAVAILABLE, "The configuration is changing. Try again.", retry_after_s=1)

    def _plan(self, request: Inbound, digest: bytes | None, ask: Ask, body_bytes: int) -> Plan:
        directory, endpoint, now_us = self.directory.current, request.endpoint, self.clock.now_us()
        caller = identify(directory, digest, request.address, now_us)
        user, key = caller.user, caller.key
        targets = route(directory, key, endpoint, ask.model, now_us, ask.bills)
        target = targets[0]
        least = self.policy.least_output_tokens
        bounded = bound(ask, body_bytes, target.model, target.rate, metered=target.endpoint.metered, least_tokens=least)
        intent = Intent(
            request_id=request.id,
            revision=directory.revision,
            user_id=user.id,
            postpaid=user.postpaid,
            key_id=key.id,
            limits=key.limits,
            provider_id=target.provider.id,
            model_id=target.model.id,
            price_id=target.rate.price_id,
            endpoint=endpoint.name,
            stream=ask.stream,
            bound=bounded.bound,
            tokens_estimate=bounded.tokens_estimate,
            started_at_us=request.started_at_us,
        )
        return Plan(caller, targets, intent)

    def _passage(
        self, request: Inbound, client: Client, ask: Ask, plan: Plan, admitted: Admitted, body: bytes
    ) -> Passage:
        hold = Hold(
            journal=self.journal,
            clock=self.clock,
            ask=ask,
            intent=plan.intent,
            admitted=admitted,
            rate=plan.targets[0].rate,
            metered=plan.targets[0].endpoint.metered,
            body_bytes=len(body) + request.rest_bytes,
            interrupted_charge=self.policy.interrupted_charge,
            started_ns=request.started_ns,
        )
        return Passage(request, client, ask, plan, hold, self.upstream, self.policy, body)


@dataclass(slots=True)
class Passage:
    """An admitted request on its way: an exchange with a provider, and the answer to the client."""

    request: Inbound
    client: Client
    ask: Ask
    plan: Plan
    hold: Hold
    upstream: Upstream
    policy: Policy
    body: bytes

    async def run(self) -> None:
        hold, plan = self.hold, self.plan
        hang_up = HangUp(hold)
        [target] = plan.targets
        if self.ask.stream and target.provider.on_hang_up == "cancel":
            hang_up.task = asyncio.current_task()
            self.client.when_gone(hang_up)
        client, target = self._interpreted(target)
        attempt = Attempt(client, self.ask, target, hold, self.upstream, self.policy, hang_up)
        failure = await attempt.run(self._outbound(target))
        if failure is not None:
            await attempt.tell(failure)

    def _interpreted(self, target: Target) -> tuple[Client, Target]:
        """Where the target speaks another dialect, the body becomes that, and what the client gets its own."""
        if target.endpoint is self.request.endpoint:
            return self.client, target
        hold = self.hold
        try:
            found = interpret(self.request, self.client, target, self.ask, self.body, hold.admitted.output_limit)
        except RefusedError as error:
            hold.facts.error, hold.facts.status_code = error.code.value, HTTP_STATUS[error.code]
            raise
        self.body = found.body
        return found.client, found.target

    def _outbound(self, target: Target) -> Call:
        """Lets go of the body: nobody needs it any more once it is sent."""
        body, self.body = self.body, b""
        return call(self.request, body, self.ask, self.hold.admitted.output_limit, target, self.plan.caller.key.id)
