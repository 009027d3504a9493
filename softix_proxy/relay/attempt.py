"""One exchange with one target: what is sent there, and what comes back from there to the client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from softix_proxy.dialects.base import Ask, StreamMeter
from softix_proxy.dialects.errors import ProviderError, classify, error_type
from softix_proxy.domain.errors import HTTP_STATUS, Code, RefusedError
from softix_proxy.domain.quotas import retry_after_us
from softix_proxy.domain.routing import BUSY, KEY_REFUSED, REPEATABLE
from softix_proxy.domain.upstream import Call, Exchange, Header, ProviderFault, Upstream
from softix_proxy.relay import refusal
from softix_proxy.relay.fleet import Berth, Outcome
from softix_proxy.relay.forward import returning, retyped
from softix_proxy.relay.hang_up import HangUp
from softix_proxy.relay.inbound import Client, ClientGoneError
from softix_proxy.relay.plan import Target
from softix_proxy.relay.policy import Policy
from softix_proxy.relay.settle import Hold

_MAX_ANSWER_BYTES = 256 * 1024 * 1024
_MAX_ERROR_BYTES = 1024 * 1024
_FINISH_S = 5.0
"""How long the last report of an answer whose model has stopped is waited for after a hang-up."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that came to nothing before the client had anything of it."""

    outcome: Outcome
    error: str
    """Its code."""
    fault: ProviderFault | None
    status: int = 0
    """The provider's, where it answered."""
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    is_stream: bool = False
    tellable: bool = False
    """The provider's own words may go to the client: they are not about the operator's credentials."""
    wait_us: int | None = None
    """How long the provider asks to be left alone."""
    repeatable: bool = True
    """Another target, or the same once more, may do better."""


def _of_fault(fault: ProviderFault) -> Failure:
    repeatable = fault.code is not Code.OUT_OF_FILES  # there is no connection for another target either
    return Failure(Outcome.of_fault(fault.code), fault.code.value, fault, repeatable=repeatable)


def _outcome(status: int, error: str) -> Outcome:
    if status in KEY_REFUSED or error == ProviderError.QUOTA:
        return Outcome.REFUSED
    if status in BUSY:
        return Outcome.LIMITED
    return Outcome.FAILED if status >= 500 else Outcome.DONE


_STATUSES: Mapping[str, int] = {
    ProviderError.RATE_LIMITED: 429,
    ProviderError.QUOTA: 429,
    ProviderError.OVERLOADED: 529,
    ProviderError.FAULT: 500,
    ProviderError.TIMEOUT: 504,
}
"""What an error at the start of a stream would have been as an answer; others are about the request."""


@dataclass(slots=True)
class Attempt:
    client: Client
    ask: Ask
    target: Target
    body: bytes
    """In the target's dialect, until it is sent."""
    hold: Hold
    upstream: Upstream
    policy: Policy
    hang_up: HangUp
    berth: Berth
    last: bool
    """No other follows, so that nothing has to be held back for it."""
    committed: Callable[[], None]
    """Called when no other can follow any more."""
    outcome: Outcome = Outcome.ABANDONED
    failure: Failure | None = None

    def leave(self) -> None:
        """To be called however it ended: its outcome becomes known to the fleet."""
        failure = self.failure
        if failure is None:
            self.berth.leave(self.outcome, self.hold.facts.error)
        else:
            self.berth.leave(failure.outcome, failure.error, failure.wait_us)

    async def run(self, outbound: Call) -> Failure | None:
        """None: the client was answered. Raises ClientGoneError."""
        facts = self.hold.facts
        try:
            exchange = await self._send(outbound)
        except ProviderFault as fault:
            facts.started = fault.started
            facts.fail(fault)
            self.failure = _of_fault(fault)
            return self.failure
        del outbound  # with it goes the body, unless it may be needed again
        self.hang_up.exchange = exchange
        headers = returning(exchange.headers, exchange.secret)
        headers += refusal.rate_headers(self.hold.intent.limits, self.hold.admitted.allowance)
        try:
            if exchange.status >= 300:
                self.failure = await self._error(exchange, headers)
            elif exchange.is_stream or (self.ask.stream and not self.target.endpoint.framed):
                self.failure = await self._stream(exchange, headers)
            else:
                await self._whole(exchange, headers)
            self.outcome = Outcome.DONE
        except ProviderFault as fault:
            if facts.hung_up:
                raise ClientGoneError from None
            facts.fail(fault)
            if not self.client.begun:
                self.failure = _of_fault(fault)
                return self.failure
            self.outcome = Outcome.FAILED
            if self.hold.settlement is None:
                await self.hold.settle()
            self.client.cut()
        finally:
            self.hang_up.exchange = None
            exchange.release()
        return self.failure

    async def _send(self, outbound: Call) -> Exchange:
        facts = self.hold.facts
        self.hold.dispatched()
        try:
            if facts.hung_up:
                await asyncio.sleep(0)  # it left while it was admitted: ends here, before anything is sent
            exchange = await self.upstream.send(outbound, self.hold.sending)
        except asyncio.CancelledError:
            if self.hang_up.swallow():
                raise ClientGoneError from None
            raise
        except (ClientGoneError, RefusedError) as error:  # before the whole body was there
            facts.started = False
            if isinstance(error, RefusedError):
                facts.error, facts.status_code = error.code.value, HTTP_STATUS[error.code]
            else:
                facts.hang_up()
            raise
        facts.status_code = exchange.status
        self.berth.answered(exchange.headers)
        return exchange

    async def _whole(self, exchange: Exchange, headers: list[Header]) -> None:
        """Read to its end even if the client has left: the provider bills all of it."""
        answer = await exchange.read(_MAX_ANSWER_BYTES)
        self.hold.returned()
        facts = self.hold.facts
        facts.report = self.target.endpoint.report(answer)
        facts.answer_bytes = len(answer)
        facts.complete = True
        await self.hold.settle()
        await self.client.answer(exchange.status, headers + self.hold.headers(), answer)

    async def _error(self, exchange: Exchange, headers: list[Header]) -> Failure:
        facts = self.hold.facts
        facts.refused = True
        answer = await exchange.read(_MAX_ERROR_BYTES)
        self.hold.returned()
        facts.error = error = classify(exchange.status, answer, error_type(exchange.headers))
        leaks = exchange.secret is not None and exchange.secret.encode() in answer
        tellable = not (exchange.status < 400 or leaks or error == ProviderError.CREDENTIALS)
        return Failure(
            outcome=_outcome(exchange.status, error),
            error=error,
            fault=None,
            status=exchange.status,
            headers=tuple(headers),
            body=answer,
            tellable=tellable,
            wait_us=retry_after_us(exchange.headers, self.hold.clock.now_us()),
            repeatable=exchange.status in REPEATABLE,
        )

    async def tell(self, failure: Failure) -> None:
        """The provider's own error, as it came, unless it is about the operator's credentials."""
        if failure.fault is not None:
            raise refusal.failed(failure.fault)
        await self.hold.settle()
        if not failure.tellable:
            raise RefusedError(Code.PROVIDER_REFUSED, "The provider refused softix. The operator has to look into it.")
        headers = [*failure.headers, *self.hold.headers()]
        if failure.is_stream:
            await self.client.begin(failure.status, headers)
            self.client.send(failure.body)
            await self.client.end()
        else:
            await self.client.answer(failure.status, headers, failure.body)

    async def _stream(self, exchange: Exchange, headers: list[Header]) -> Failure | None:
        """Bytes go back as they come; the terminal event waits for the settlement."""
        client, hold = self.client, self.hold
        meter = hold.facts.meter = self.target.endpoint.stream(hide_usage=not self.ask.wants_usage)
        if exchange.is_stream and self.ask.unwrapped is not None:
            headers = retyped(headers, self.ask.unwrapped)
        opening = b"" if self.last else await self._opening(exchange, meter)
        if meter.failure is not None and not opening and not self.last:
            return self._stillborn(exchange, headers, meter)
        self.committed()
        try:
            await client.begin(exchange.status, headers)
            if opening:
                client.send(opening)
                if meter.ended:
                    await self._finish(meter)
                await client.caught_up()
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
        return None

    async def _opening(self, exchange: Exchange, meter: StreamMeter) -> bytes:
        """The first whole events: as long as the client has none, another target may take over."""
        passing = b""
        while not passing and not meter.ended and (chunk := await exchange.chunk()):
            self.hold.first_byte()
            passing = meter.feed(chunk)
        return passing

    def _stillborn(self, exchange: Exchange, headers: list[Header], meter: StreamMeter) -> Failure:
        """A stream that begins with an error."""
        facts, error = self.hold.facts, meter.failure or ProviderError.UNKNOWN.value
        facts.error, facts.complete, facts.refused = error, True, meter.report is None
        status = _STATUSES.get(error, 400)
        return Failure(
            outcome=_outcome(status, error),
            error=error,
            fault=None,
            status=exchange.status,
            headers=tuple(headers),
            body=meter.take_held(),
            is_stream=True,
            tellable=True,
            repeatable=status in REPEATABLE,
        )

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
        drains = self.target.provider.on_hang_up == "drain"
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
