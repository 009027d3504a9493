"""One exchange with one target: softix sends it a request and passes its response to the client."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from softix_proxy.dialects.core.base import RequestSpec, StreamMeter
from softix_proxy.dialects.core.classification import Classification, ClientError, as_event, classify, classify_stream
from softix_proxy.dialects.core.errors import ProviderError
from softix_proxy.dialects.request import refused_fields
from softix_proxy.dialects.stored_refs import stored_refs_in
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.core.headers import Header
from softix_proxy.domain.ports.upstream import ProviderFault, Upstream, UpstreamRequest, UpstreamResponse
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.inbound import Client, ClientGoneError
from softix_proxy.relay.core.plan import Target
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.core.redaction import NOTHING_HIDDEN, Redaction, StreamRedaction, redaction
from softix_proxy.relay.request.client_disconnect import ClientDisconnect
from softix_proxy.relay.request.forward import added_fields, is_text, returning, retyped, without
from softix_proxy.relay.routing import failures
from softix_proxy.relay.routing.failures import Failure
from softix_proxy.relay.routing.target_pool import AttemptOutcome, Lease
from softix_proxy.relay.settlement.hold import Hold
from softix_proxy.relay.settlement.metered import answer_tokens

_MAX_ANSWER_BYTES = 256 * 1024 * 1024
_MAX_ERROR_BYTES = 1024 * 1024
_GOOD = 300
_JSON = "application/json"
_COMMENTS = re.compile(rb"(:[^\r\n]*[\r\n]+)+")
_STREAMS = (b"[", b"data:", b"event:", b"id:", b":")
"""The first bytes of a stream whose content type does not say that it is one."""
_FINISH_S = 5.0
"""The longest time for which the last report is awaited after the client disconnects. The model has stopped by then."""


@dataclass(slots=True)
class Attempt:
    """One attempt to get a response from one target.

    It records what happens in the hold and in the target's statistics.
    """

    client: Client
    spec: RequestSpec
    target: Target
    body: bytes
    """The body in the target's dialect. It is kept until it is sent."""
    hold: Hold
    upstream: Upstream
    policy: Policy
    client_disconnect: ClientDisconnect
    lease: Lease
    last: bool
    """Whether no other attempt follows, so that nothing of the response has to be held back for one."""
    committed: Callable[[], None]
    """The function that is called as soon as no other attempt can follow."""
    outcome: AttemptOutcome = AttemptOutcome.ABANDONED
    ending: AttemptOutcome = AttemptOutcome.DONE
    """The outcome if the exchange with the client also ends well."""
    failure: Failure | None = None
    _goes_without: frozenset[str] = frozenset()
    """The members that softix had added to the request, and that it lacks now because they were refused before."""
    answering: bool = False
    """Whether the client has a part of a stream or is about to get one."""
    rest: bytes = b""
    """The rest of a stream that ended within its first event."""
    hidden: Redaction = NOTHING_HIDDEN
    """What of the provider's response is the operator's, and not for the client."""
    shown: StreamRedaction = field(init=False)
    """What the client gets of a stream."""

    def leave(self) -> None:
        """Reports the outcome to the target pool. It must be called however the attempt ended."""
        failure = self.failure
        if failure is None:
            self.lease.leave(self.outcome, self.hold.error)
        else:
            self.lease.leave(failure.outcome, failure.error, failure.wait_us)

    async def run(self, outbound: UpstreamRequest) -> Failure | None:
        """Returns None if the client has its response, and otherwise the failure. Raises ClientGoneError."""
        hold = self.hold
        try:
            exchange = await self._send(outbound)
        except ProviderFault as fault:
            hold.failed(fault)
            self.failure = failures.of_fault(fault)
            return self.failure
        adds = outbound.adds_usage_option or outbound.added_limits
        refused = outbound if adds and exchange.status in refused_fields.STATUSES else None
        del outbound  # this frees the body, unless it may be needed again
        if self._goes_without and exchange.status < 300:
            self._remember_refused(self._goes_without)
        self.client_disconnect.exchange = exchange
        self.hidden = redaction(exchange.secret, self.target.provider)
        headers = returning(exchange.headers, self.hidden)
        headers += refusal.rate_headers(hold.intent.limits, hold.admitted.allowance)
        try:
            if exchange.status >= _GOOD:
                self.failure = await self._whole(exchange, headers, most_bytes=_MAX_ERROR_BYTES)
            elif exchange.is_stream:
                self.failure = await self._stream(exchange, headers)
            elif self.spec.stream and not self.target.endpoint.framed:
                self.failure = await self._unframed(exchange, headers)
            else:
                self.failure = await self._whole(exchange, headers)
            self.outcome = self.ending
        except ProviderFault as fault:
            if hold.client_is_gone:
                raise ClientGoneError from None
            hold.failed(fault)
            if not self.client.begun:
                self.failure = failures.of_fault(fault)
                return self.failure
            self.outcome = AttemptOutcome.FAILED
            if hold.settlement is None:
                await hold.settle()
            self.client.cut()
        finally:
            self.client_disconnect.exchange = None
            exchange.release()
        if refused is not None and self.failure is not None:
            return await self._without_added(refused, self.failure)
        return self.failure

    def _remember_refused(self, names: frozenset[str]) -> None:
        if refused_fields.USAGE_OPTION in names:
            self.lease.refuses_usage_option()
        if limits := names - {refused_fields.USAGE_OPTION}:
            self.lease.refuses_limits(limits)

    async def _without_added(self, refused: UpstreamRequest, failure: Failure) -> Failure | None:
        """Repeats the request without the members that softix added, if the provider says that it refused them."""
        names = added_fields(failure.told.body, refused) if failure.told is not None else ()
        if not names:
            return failure
        if self.hold.client_is_gone or self.client.gone:
            self.hold.client_left()
            raise ClientGoneError
        # the hold gets the planned target, because the one here may have another of its dialects
        self.hold.retried(self.hold.target)
        self.failure, self._goes_without = None, self._goes_without | frozenset(names)
        return await self.run(without(refused, names))

    async def _send(self, outbound: UpstreamRequest) -> UpstreamResponse:
        hold = self.hold
        hold.dispatched()
        if self.spec.stored_kinds:
            hold.placed(self.lease.place)
        try:
            if hold.client_is_gone:
                # the client left during admission, so the attempt ends here, before anything is sent
                await asyncio.sleep(0)
            exchange = await self.upstream.send(outbound, hold.started)
        except asyncio.CancelledError:
            if self.client_disconnect.swallow():
                raise ClientGoneError from None
            raise
        except (ClientGoneError, RefusedError) as error:  # this happens before the whole body has arrived
            hold.withheld(error.code if isinstance(error, RefusedError) else None)
            if isinstance(error, ClientGoneError):
                hold.client_left()
            raise
        hold.head(exchange.status)
        self.lease.answered(exchange.headers)
        return exchange

    async def _whole(
        self, exchange: UpstreamResponse, headers: list[Header], begun: bytes = b"", most_bytes: int = _MAX_ANSWER_BYTES
    ) -> Failure | None:
        """Reads a whole response and passes it on. `begun` is the part that was read before.

        It is read to its end even if the client has left, because the provider bills all of it.
        """
        answer = begun + await exchange.read(most_bytes)
        self.hold.body()
        found = classify(exchange.status, exchange.headers, answer, self.target.endpoint)
        if found.error is not None:
            failure = self._failure_of(found, exchange, headers)
            self._failed(found, failure, answer)
            return failure
        self.hold.completed(found, answer_tokens(found.report, answer, self.spec))
        if self.spec.stored_kinds:
            self.hold.stores(stored_refs_in(self.target.endpoint.name, answer, self.spec.stored_kinds))
        await self.hold.settle()
        await self.client.answer(exchange.status, headers + self.hold.headers(), self.hidden.content(answer))
        return None

    def _failure_of(self, found: Classification, exchange: UpstreamResponse, headers: list[Header]) -> Failure:
        now_us = self.hold.clock.now_us()
        return failures.of_answer(found, exchange.headers, now_us, headers=headers, hidden=self.hidden)

    def _failed(self, found: Classification, failure: Failure, answer: bytes) -> None:
        """Records an error, whatever its status was. The work that it reports is still billed."""
        seen_tokens = answer_tokens(found.report, answer, self.spec) if found.worked else 0
        self.hold.completed(found, seen_tokens, found.status if failure.told is None else failure.told.status)

    async def tell(self, failure: Failure) -> None:
        """Sends the provider's own error unchanged to the client, unless it is about the operator's credentials."""
        if failure.fault is not None:
            raise refusal.failed(failure.fault)
        await self.hold.settle()
        told = failure.told
        if told is None:
            raise failures.unsayable(failure.found)
        headers = [*failure.headers, *self.hold.headers()]
        if failure.is_stream:
            await self.client.begin(told.status, headers)
            self.client.send(told.body)
            await self.client.end()
        else:
            await self.client.answer(told.status, headers, told.body)

    async def _unframed(self, exchange: UpstreamResponse, headers: list[Header]) -> Failure | None:
        """Passes on a response without events: sound, or a JSON array in parts.

        Its first bytes show whether the provider sent a whole response instead.
        """
        first = await exchange.chunk()
        while first and not first.strip() and (chunk := await exchange.chunk()):
            first += chunk
        if not first or (is_text(exchange.headers) and not first.lstrip().startswith(_STREAMS)):
            return await self._whole(exchange, headers, first)
        return await self._stream(exchange, headers, first)

    async def _stream(self, exchange: UpstreamResponse, headers: list[Header], first: bytes = b"") -> Failure | None:
        """Passes bytes on as they come. The terminal event waits for the settlement."""
        client, hold = self.client, self.hold
        meter = self.target.endpoint.stream(hide_usage=not self.spec.wants_usage)
        hold.streaming(meter)
        self.shown = StreamRedaction(self.hidden, meter)
        if exchange.is_stream and self.spec.unwrapped is not None:
            headers = retyped(headers, self.spec.unwrapped)
        opening = await self._opening(exchange, meter, first)
        failure = None if self.last else self._before_anything(exchange, headers, meter, opening)
        if failure is not None:
            return failure
        self.committed()
        try:
            await client.begin(exchange.status, headers)
            if opening:
                self._pass(self.shown.feed(opening))
                if meter.ended:
                    await self._finish(meter)
                await client.caught_up()
            while await exchange.pour(self._passing(meter)):
                if meter.ended and hold.settlement is None:
                    await self._finish(meter)
                await client.caught_up()
            if hold.settlement is None:
                await self._end(exchange, headers, meter)
            self._pass(self.shown.end())
            await client.end()
        except ClientGoneError:
            if hold.settlement is None:
                await self._read_on(exchange, meter)
            raise
        return None

    async def _opening(self, exchange: UpstreamResponse, meter: StreamMeter, first: bytes) -> bytes:
        """Returns the first whole events. As long as the client has none, another target may take over.

        Comments do not count as events: some providers send them until they know whether there will be a response.
        """
        passing = b""
        if first:
            self.hold.chunk()
            passing = meter.feed(first)
        while not (self.last or meter.ended) and self._is_comment(passing) and (chunk := await exchange.chunk()):
            self.hold.chunk()
            passing += meter.feed(chunk)
        self.answering = not self._is_comment(passing)
        return passing

    def _is_comment(self, events: bytes) -> bool:
        """Returns whether the bytes are only comments, or nothing at all. Sound has no comments."""
        return not events or (self.target.endpoint.framed and _COMMENTS.fullmatch(events) is not None)

    def _before_anything(
        self, exchange: UpstreamResponse, headers: list[Header], meter: StreamMeter, opening: bytes
    ) -> Failure | None:
        """Returns the failure if the stream failed before the client had anything of it.

        It returns None if a part of a response would be lost with the failure.
        """
        if meter.failure is not None and not (self.answering and classify_stream(meter).worked):
            return self._stillborn(exchange, headers, meter, opening)
        found = None if self.answering else self._unanswered(exchange, meter)
        if found is None:
            return None
        if found.error is None:
            self.hold.completed(found)
            return None
        failure = self._failure_of(found, exchange, retyped(headers, _JSON))
        self._failed(found, failure, self.rest)
        return failure

    def _stillborn(
        self, exchange: UpstreamResponse, headers: list[Header], meter: StreamMeter, opening: bytes
    ) -> Failure:
        """Returns the failure of a stream that begins with an error. The client gets it as an error."""
        found = classify_stream(meter)
        self.hold.completed(found)
        if found.error != ProviderError.CREDENTIALS:
            found = replace(found, told=ClientError(exchange.status, self.hidden.events(opening + meter.take_held())))
        return replace(self._failure_of(found, exchange, headers), is_stream=True)

    def _unanswered(self, exchange: UpstreamResponse, meter: StreamMeter) -> Classification | None:
        """Classifies an event stream that ended without an event as a whole response with this body."""
        if meter.ended or not exchange.is_stream:
            return None
        self.rest = self.rest or meter.take_held()
        return classify(exchange.status, exchange.headers, self.rest, self.target.endpoint)

    def _passing(self, meter: StreamMeter) -> Callable[[bytes], bool]:
        """Returns the function that handles each chunk of a stream. It runs once per chunk, so its speed matters.

        It stops the reading if the client is slow or gone, and for the settlement.
        """
        client, hold, show = self.client, self.hold, self.shown.feed

        def into(chunk: bytes) -> bool:
            hold.chunk()
            passing = meter.feed(chunk)
            if not self.answering:
                self.answering = not self._is_comment(passing)
            passing = show(passing) if passing else passing
            goes_on = client.send(passing) if passing else True
            if not goes_on:
                self._fall_behind()
            return goes_on and (hold.settlement is not None or not meter.ended)

        return into

    def _pass(self, data: bytes) -> None:
        """Sends a piece, unless it is empty. An empty one would end the stream."""
        if data and not self.client.send(data):
            self._fall_behind()

    def _fall_behind(self) -> None:
        """Records that a client did not take what was sent, unless it is gone."""
        if not self.client.gone:
            self.hold.fell_behind()

    async def _finish(self, meter: StreamMeter) -> None:
        found = classify_stream(meter)
        self.hold.completed(found)
        self.ending = failures.outcome_of(found)
        await self.hold.settle()
        self._pass(self.shown.feed(meter.take_held()))

    async def _end(self, exchange: UpstreamResponse, headers: list[Header], meter: StreamMeter) -> None:
        """Ends a stream that has no terminal event. Raises ProviderFault if the stream had no event at all."""
        found = None if self.answering else self._unanswered(exchange, meter)
        if found is None:
            await self._finish(meter)
            return
        if not self.hold.is_complete:
            self.hold.completed(found)
        self.ending = failures.outcome_of(found)
        await self.hold.settle()
        if found.error is None:
            self._pass(self.shown.feed(self.rest))
            return
        failure = self._failure_of(found, exchange, headers)
        if failure.told is None:
            raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
        self.client.send(as_event(failure.told.body))

    async def _read_on(self, exchange: UpstreamResponse, meter: StreamMeter) -> None:
        """Reads on after the client has disconnected.

        It reads to the end if the provider works and bills on anyway, or if the cost does not show otherwise. If not,
        it reads only the last report.
        """
        drains, works_on = self.hold.reads_on, self.target.provider.on_hang_up == "drain"
        self.hold.client_left(at_end=meter.finishing and not works_on)
        if self.hold.is_complete or not (drains or meter.finishing):
            return
        left_bytes, complete = self.policy.drain_limit_bytes, False
        try:
            async with asyncio.timeout(self.policy.drain_limit_s if drains else _FINISH_S):
                while left_bytes > 0 and not complete:
                    chunk = await exchange.chunk()
                    meter.feed(chunk)
                    left_bytes -= len(chunk)
                    complete = meter.ended or not chunk
        except (TimeoutError, ProviderFault):
            return
        if complete:
            self.hold.completed(classify_stream(meter))
