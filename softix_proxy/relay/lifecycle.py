"""The life of a request, streamed or not, from top to bottom. There is no second one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from softix_proxy.dialects.base import Ask
from softix_proxy.domain.admission import Admitted, Bound, Decision, Denied, Intent
from softix_proxy.domain.clock import SECOND_US, Clock
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.ports import Journal
from softix_proxy.domain.telemetry import Telemetry
from softix_proxy.domain.upstream import Call, Upstream
from softix_proxy.domain.vault import Vault
from softix_proxy.relay import refusal
from softix_proxy.relay.admission import admit
from softix_proxy.relay.attempt import Attempt
from softix_proxy.relay.bound import bound, estimate, together
from softix_proxy.relay.failures import Failure
from softix_proxy.relay.fleet import Berth, Fleet, Outcome
from softix_proxy.relay.forward import call
from softix_proxy.relay.hang_up import HangUp
from softix_proxy.relay.identify import identify
from softix_proxy.relay.inbound import Client, ClientGoneError, Inbound
from softix_proxy.relay.itinerary import Itinerary
from softix_proxy.relay.live_directory import LiveDirectory
from softix_proxy.relay.plan import Caller, Plan, Target
from softix_proxy.relay.policy import Policy
from softix_proxy.relay.route import prefix_of, route
from softix_proxy.relay.settle import Hold


@dataclass(slots=True)
class Lifecycle:
    directory: LiveDirectory
    journal: Journal
    upstream: Upstream
    vault: Vault
    clock: Clock
    telemetry: Telemetry
    policy: Policy
    fleet: Fleet
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits so many seconds."""

    async def serve(self, request: Inbound, client: Client) -> None:
        """Answers the client. Raises RefusedError as long as nothing was sent, ClientGoneError when nobody listens."""
        digest = self.vault.digest(request.credential) if request.credential else None
        await self._identify(request, digest)
        body = await request.read_body()
        ask = request.endpoint.read(body)
        plan, admitted = await self.admit(request, digest, ask, body)
        hold = Hold(
            journal=self.journal,
            clock=self.clock,
            ask=ask,
            plan=plan,
            admitted=admitted,
            body_bytes=len(body) + request.rest_bytes,
            policy=self.policy,
            started_ns=request.started_ns,
            target=plan.targets[0],
        )
        passage = Passage(request, client, ask, hold, self, body)
        del body  # the passage lets go of it as soon as nobody needs it
        self.telemetry.opened(admitted.hold_pico)
        try:
            async with hold:
                await passage.run()
        except RefusedError as error:
            error.headers += tuple(hold.headers())
            raise
        finally:
            if hold.settlement is not None:
                self.telemetry.finished(hold.settlement, hold.target.provider.name, hold.target.model.name)

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

    async def admit(self, request: Inbound, digest: bytes | None, ask: Ask, body: bytes) -> tuple[Plan, Admitted]:
        """Plans the request and has it admitted. Raises RefusedError."""

        async def plan() -> Plan:
            return self._plan(request, digest, ask, body)

        return await admit(self.directory, self.journal, plan, self._submit, _denied)

    async def _submit(self, plan: Plan) -> Decision:
        return await self.journal.admit(plan.intent)

    def _plan(self, request: Inbound, digest: bytes | None, ask: Ask, body: bytes) -> Plan:
        directory, endpoint, now_us = self.directory.current, request.endpoint, self.clock.now_us()
        caller = identify(directory, digest, request.address, now_us)
        found, targets = route(directory, caller, endpoint, ask, now_us)
        if not (found.id or self.policy.fallback_by_name):
            del targets[1:]
        body_bytes = len(body) + request.rest_bytes
        user, key, prefix, tokens = caller.user, caller.key, None, estimate(ask, body_bytes)
        if len(targets) > 1:
            prefix = prefix_of(key.id, body) if found.sticky else None
            targets = self.fleet.arrange(targets, prefix, tokens)
        targets, bounds = self._bounds(request, ask, body_bytes, targets[:1] if request.rest_bytes else targets)
        first = targets[0]
        retries = found.retries if found.id else self.policy.retries
        lanes = first.provider.key_count if len(targets) == 1 else sum(each.provider.key_count for each in targets)
        tries = 1 if request.rest_bytes else min(lanes * (retries + 1), self.policy.most_attempts)
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
            stream=ask.stream,
            bound=together(bounds, tries if self.policy.charge_failed_attempts == "provider-billed" else 1),
            tokens_estimate=tokens,
            started_at_us=request.started_at_us,
        )
        return Plan(caller, targets, intent, bounds, retries, tries, prefix)

    def _bounds(
        self, request: Inbound, ask: Ask, body_bytes: int, targets: Sequence[Target]
    ) -> tuple[list[Target], list[Bound]]:
        """The most that each can cost; those whose price has nothing to charge the request by are left out."""
        kept: list[Target] = []
        bounds: list[Bound] = []
        least = self.policy.least_output_tokens
        for target in targets:
            metered = target.endpoint.metered
            there = ask if target.endpoint is request.endpoint else ask.translated()
            try:
                bounds.append(bound(there, body_bytes, target.model, target.rate, metered=metered, least_tokens=least))
            except RefusedError:
                if target is targets[-1] and not kept:
                    raise
            else:
                kept.append(target)
        return kept, bounds


def _denied(plan: Plan, decision: Denied) -> RefusedError:
    return refusal.denied(decision, plan.caller.key.limits)


@dataclass(slots=True)
class Passage:
    """An admitted request on its way: attempts at its targets, and the answer to the client."""

    request: Inbound
    client: Client
    ask: Ask
    hold: Hold
    house: Lifecycle
    body: bytes

    async def run(self) -> None:
        """One attempt after the other, until the client has something of an answer, or no other may do better."""
        hold, fleet = self.hold, self.house.fleet
        itinerary, hang_up = Itinerary(fleet, hold.plan), HangUp(hold)
        berth = itinerary.first()
        if berth is None:
            hold.facts.refuse(Code.PROVIDER_BUSY)
            raise refusal.busy()
        failed: tuple[Attempt, Failure] | None = None
        while berth is not None:
            if failed is None:
                hold.target = berth.target
            try:
                attempt = self._prepare(berth, hang_up, last=not itinerary.may_go_on())
            except RefusedError as error:  # in its dialect the request cannot be said
                berth.leave(Outcome.ABANDONED)
                berth = itinerary.instead_of(berth.target)
                if berth is None:
                    if failed is None:
                        hold.facts.refuse(error.code)
                        raise
                    berth = await self._following(itinerary, *failed, hang_up)
                continue
            if failed is not None:
                hold.set_aside(berth.target)
            try:
                failure = await attempt.run(self._outbound(attempt))
            finally:
                attempt.leave()
            if failure is None:
                if hold.plan.prefix is not None and hold.facts.error is None:
                    fleet.remember(hold.plan.prefix, berth.target)
                return
            failed = attempt, failure
            berth = await self._following(itinerary, *failed, hang_up)
        if failed is not None:
            attempt, failure = failed
            await attempt.tell(failure)

    def _prepare(self, berth: Berth, hang_up: HangUp, *, last: bool) -> Attempt:
        stops = self.ask.stream and berth.target.provider.on_hang_up == "cancel"
        hang_up.task = asyncio.current_task() if stops else None
        if stops:
            self.client.when_gone(hang_up)
        house, target, client, body = self.house, berth.target, self.client, self.body
        if target.endpoint is not self.request.endpoint:  # what it is sent and answers is translated
            from softix_proxy.relay.interpret import interpret

            limit = self.hold.admitted.output_limit
            found = interpret(self.request, client, target, self.ask, body, limit)
            target, client, body = found.target, found.client, found.body
        return Attempt(
            client=client,
            ask=self.ask,
            target=target,
            body=body,
            hold=self.hold,
            upstream=house.upstream,
            policy=house.policy,
            hang_up=hang_up,
            berth=berth,
            last=last,
            committed=self._let_go,
        )

    def _let_go(self) -> None:
        """Of the body: no other attempt may need it."""
        self.body = b""

    def _outbound(self, attempt: Attempt) -> Call:
        body, attempt.body = attempt.body, b""
        if attempt.last:
            self._let_go()
        limit, caller, passed = self.hold.admitted.output_limit, self.hold.plan.caller, attempt.policy.pass_headers
        return call(
            self.request,
            body,
            self.ask,
            limit,
            attempt.target,
            caller.key.id,
            attempt.berth.key,
            passed,
            usage_refused=self.house.fleet.refuses_usage_option(attempt.target.provider),
        )

    async def _following(
        self, itinerary: Itinerary, attempt: Attempt, failure: Failure, hang_up: HangUp
    ) -> Berth | None:
        """A place for the next attempt, if there is to be one. Raises ClientGoneError: nobody waits for it."""
        if not failure.repeatable or self.client.begun:
            return None
        berth, wait_us = itinerary.after(attempt.berth.target, failure.outcome)
        if wait_us:
            try:
                await self.house.pause(wait_us / SECOND_US)
            except asyncio.CancelledError:
                if hang_up.swallow():
                    raise ClientGoneError from None
                raise
            berth = itinerary.again()
        if berth is not None and self.client.gone:
            berth.leave(Outcome.ABANDONED)
            self.hold.facts.hang_up()
            raise ClientGoneError
        return berth
