"""The life of a request, streamed or not, from top to bottom. There is no second one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from softix_proxy.dialects.base import Ask, StreamMeter
from softix_proxy.dialects.errors import ProviderError, classify
from softix_proxy.domain.admission import Admitted, Denied, Intent, Stale
from softix_proxy.domain.clock import Clock
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.ports import Journal
from softix_proxy.domain.telemetry import Telemetry
from softix_proxy.domain.upstream import Call, Exchange, Header, ProviderFault, Upstream
from softix_proxy.domain.vault import Vault
from softix_proxy.relay import refusal
from softix_proxy.relay.bound import bound
from softix_proxy.relay.forward import call, returning
from softix_proxy.relay.identify import identify
from softix_proxy.relay.inbound import Client, ClientGoneError, Inbound
from softix_proxy.relay.live_directory import LiveDirectory
from softix_proxy.relay.plan import Caller, Plan
from softix_proxy.relay.route import UnpricedError, route
from softix_proxy.relay.settle import Facts, Hold, InterruptedCharge

_TRIES = 8
"""How often the directory may change under one request before it is told to come back."""
_MAX_ANSWER_BYTES = 256 * 1024 * 1024
_MAX_ERROR_BYTES = 1024 * 1024
_FINISH_S = 5.0
"""How long the last report of an answer whose model has stopped is waited for after a hang-up."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's settings for the life of a request."""

    least_output_tokens: int
    interrupted_charge: InterruptedCharge
    drain_limit_s: float
    drain_limit_bytes: int


@dataclass(slots=True)
class HangUp:
    """Called when the client leaves a stream whose provider stops working once it is aborted."""

    facts: Facts
    task: asyncio.Task[None] | None = None
    exchange: Exchange | None = None

    def __call__(self) -> None:
        meter = self.facts.meter
        if self.facts.complete or (meter is not None and (meter.finishing or meter.ended)):
            return
        self.facts.hang_up()
        if self.exchange is not None:
            self.exchange.abort()
        elif self.task is not None:
            self.task.cancel()


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
        plan, admitted = await self._admit(request, digest, ask, len(body))
        passage = self._passage(request, client, ask, plan, admitted, body)
        del body  # the passage lets go of it once it is sent
        self.telemetry.opened(admitted.hold_pico)
        try:
            async with passage.hold:
                await passage.run()
        finally:
            if passage.hold.settlement is not None:
                self.telemetry.finished(passage.hold.settlement, plan.target.provider.name, plan.target.model.name)

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
        target = route(directory, key, endpoint.family, ask.model, now_us)
        least = self.policy.least_output_tokens
        bounded = bound(ask, body_bytes, target.model, target.rate, metered=endpoint.metered, least_tokens=least)
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
        return Plan(caller, target, intent)

    def _passage(
        self, request: Inbound, client: Client, ask: Ask, plan: Plan, admitted: Admitted, body: bytes
    ) -> Passage:
        hold = Hold(
            journal=self.journal,
            clock=self.clock,
            intent=plan.intent,
            admitted=admitted,
            rate=plan.target.rate,
            metered=request.endpoint.metered,
            body_bytes=len(body),
            interrupted_charge=self.policy.interrupted_charge,
            started_ns=request.started_ns,
        )
        return Passage(request, client, ask, plan, hold, self.upstream, self.policy, body)


@dataclass(slots=True)
class Passage:
    """An admitted request on its way: one exchange with the provider, and the answer to the client."""

    request: Inbound
    client: Client
    ask: Ask
    plan: Plan
    hold: Hold
    upstream: Upstream
    policy: Policy
    body: bytes

    async def run(self) -> None:
        facts, provider = self.hold.facts, self.plan.target.provider
        hang_up = HangUp(facts)
        if self.ask.stream and provider.on_hang_up == "cancel":
            hang_up.task = asyncio.current_task()
            self.client.when_gone(hang_up)
        hold, plan = self.hold, self.plan
        outbound = call(self.request, self.body, self.ask, hold.admitted.output_limit, plan.target, plan.caller.key.id)
        self.body = b""
        exchange = await self._send(outbound, hang_up)
        del outbound
        hang_up.exchange = exchange
        headers = returning(exchange.headers, exchange.secret)
        headers += refusal.rate_headers(self.hold.intent.limits, self.hold.admitted.allowance)
        try:
            if exchange.status >= 300:
                await self._pass_error(exchange, headers)
            elif exchange.is_stream:
                await self._stream(exchange, headers)
            else:
                await self._whole(exchange, headers)
        except ProviderFault as fault:
            if facts.hung_up:
                raise ClientGoneError from None
            facts.fail(fault)
            if not self.client.begun:
                raise refusal.failed(fault) from None
            if self.hold.settlement is None:
                await self.hold.settle()
            self.client.cut()
        finally:
            exchange.release()

    async def _send(self, outbound: Call, hang_up: HangUp) -> Exchange:
        facts = self.hold.facts
        facts.started = True  # unless the provider surely did not see it
        self.hold.dispatched()
        try:
            exchange = await self.upstream.send(outbound)
        except ProviderFault as fault:
            facts.started = fault.started
            facts.fail(fault)
            raise refusal.failed(fault) from None
        except asyncio.CancelledError:
            if facts.hung_up and hang_up.task is not None and hang_up.task.uncancel() == 0:
                raise ClientGoneError from None
            raise
        facts.status_code = exchange.status
        return exchange

    async def _whole(self, exchange: Exchange, headers: list[Header]) -> None:
        """Read to its end even if the client has left: the provider bills all of it."""
        answer = await exchange.read(_MAX_ANSWER_BYTES)
        self.hold.returned()
        facts = self.hold.facts
        facts.report = self.request.endpoint.report(answer)
        facts.answer_bytes = len(answer)
        facts.complete = True
        await self.hold.settle()
        await self.client.answer(exchange.status, headers + self.hold.headers(), answer)

    async def _pass_error(self, exchange: Exchange, headers: list[Header]) -> None:
        """The provider's own error, as it came, unless it is about the operator's credentials."""
        facts = self.hold.facts
        facts.refused = True
        answer = await exchange.read(_MAX_ERROR_BYTES)
        self.hold.returned()
        facts.error = classify(exchange.status, answer)
        await self.hold.settle()
        leaks = exchange.secret is not None and exchange.secret.encode() in answer
        if exchange.status < 400 or leaks or facts.error == ProviderError.CREDENTIALS:
            raise RefusedError(Code.PROVIDER_REFUSED, "The provider refused softix. The operator has to look into it.")
        await self.client.answer(exchange.status, headers + self.hold.headers(), answer)

    async def _stream(self, exchange: Exchange, headers: list[Header]) -> None:
        """Bytes go back as they come; the terminal event waits for the settlement."""
        client, hold = self.client, self.hold
        meter = hold.facts.meter = self.request.endpoint.stream(hide_usage=not self.ask.wants_usage)
        try:
            await client.begin(exchange.status, headers)
            while await exchange.pour(self._passing(meter)):
                if meter.ended and hold.settlement is None:
                    await self._finish(meter)
                await client.caught_up()
            if hold.settlement is None:
                await self._finish(meter)
            await client.end()
        except ClientGoneError:
            if hold.settlement is None:
                await self._read_on(exchange, meter)
            raise

    def _passing(self, meter: StreamMeter) -> Callable[[bytes], bool]:
        """The hot path of a stream. Stops for a client that is slow, or gone, and for the settlement."""
        client, hold = self.client, self.hold

        def into(chunk: bytes) -> bool:
            hold.first_byte()
            passing = meter.feed(chunk)
            goes_on = client.send(passing) if passing else True
            return goes_on and (hold.settlement is not None or not meter.ended)

        return into

    async def _finish(self, meter: StreamMeter) -> None:
        facts = self.hold.facts
        facts.complete = True
        facts.error = meter.failure
        await self.hold.settle()
        self.client.send(meter.take_held())

    async def _read_on(self, exchange: Exchange, meter: StreamMeter) -> None:
        """After a hang-up: to the end where the provider works and bills on anyway, else only for the last report."""
        facts = self.hold.facts
        facts.hang_up()
        drains = self.plan.target.provider.on_hang_up == "drain"
        if not (drains or meter.finishing):
            return
        left_bytes = self.policy.drain_limit_bytes
        try:
            async with asyncio.timeout(self.policy.drain_limit_s if drains else _FINISH_S):
                while left_bytes > 0 and not facts.complete:
                    chunk = await exchange.chunk()
                    meter.feed(chunk)
                    left_bytes -= len(chunk)
                    facts.complete = meter.ended or not chunk
        except (TimeoutError, ProviderFault):
            return
        if facts.complete and not drains:  # it left after the last word, as many SDKs do
            facts.error = meter.failure
