"""A realtime session has many responses over one connection. Each is admitted and settled like a request.

A hold for the next response is always open, because the provider begins one when it hears a pause. The hold is settled
before the client learns that its response is done. Then the next hold is admitted. If it is denied, the session ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from types import TracebackType

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.core.classification import classify_stream
from softix_proxy.dialects.core.errors import render_realtime
from softix_proxy.dialects.openai.realtime import (
    BEGUN,
    ERROR,
    RESPOND,
    ClientEvent,
    Conversation,
    ResponseMeter,
    ServerEvent,
    cancel,
    read_event,
    read_server_event,
)
from softix_proxy.domain.core.errors import Code, FailureError, RefusedError
from softix_proxy.domain.core.ids import RequestIds, format_request_id
from softix_proxy.domain.ports.upstream import ProviderFault, WebSocketClient, WebSocketConnection
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.inbound import ClientGoneError, Guest, Inbound
from softix_proxy.relay.realtime.dial import dial, sendable
from softix_proxy.relay.request.admit import require_known
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.relay.request.unknown_members import judge
from softix_proxy.relay.routing.target_pool import AttemptOutcome, Lease
from softix_proxy.relay.settlement.hold import Hold

log = logging.getLogger("softix.relay")
_SWITCHED = 101
_FINISH_S = 5.0
"""The longest wait for the report of a cancelled response, in seconds."""
_CLOSE = {Code.SHUTTING_DOWN: 1001, Code.BODY_TOO_LARGE: 1009}
_POLICY, _FAILED = 1008, 1011
_OURS = frozenset((Code.PROVIDER_BROKE_OFF, Code.PROVIDER_TIMEOUT, Code.STORAGE_UNAVAILABLE, Code.INTERNAL))


class _OverError(Exception):
    """Ends both directions. The session holds the reason."""


@dataclass(slots=True, eq=False)
class Session:
    """A context manager that admits the first response, and settles whatever is open on every exit."""

    lifecycle: Lifecycle
    lines: WebSocketClient
    ids: RequestIds
    request: Inbound
    digest: bytes | None
    spec: RequestSpec
    guest: Guest
    ending: RefusedError | None = None
    """The reason why softix ends the session."""
    _line: WebSocketConnection | None = None
    _lease: Lease | None = None
    _outcome: AttemptOutcome = AttemptOutcome.ABANDONED
    _holds: list[Hold] = field(default_factory=list)
    """The holds that are not settled."""
    _own: Hold | None = None
    """The hold for the next response, or for the one that uses it. Other responses have holds of their own."""
    _spare: Hold | None = None
    """The same hold, as long as no response uses it."""
    _asked: list[tuple[str | None, Hold]] = field(default_factory=list)
    """The responses that the client requested and that have not begun: the id of the event and the hold."""
    _running: dict[str, Hold] = field(default_factory=dict)
    _conversation: Conversation = field(default_factory=Conversation)
    _funded: asyncio.Event = field(default_factory=asyncio.Event)
    _patience: asyncio.Timeout | None = None
    _winding: bool = False

    async def __aenter__(self) -> Session:
        await self._admit_next()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.abort()
        if self._lease is not None:
            self._lease.leave(self._outcome)
        for hold in tuple(self._holds):
            meter = hold.meter
            if isinstance(meter, ResponseMeter):
                hold.estimated(self._conversation.typical(meter))
            unused = meter is None and self._line is not None  # an unused hold is no failure
            await hold.__aexit__(None if unused else kind, None if unused else error, trace)
            self._settled(hold)

    async def dial(self) -> None:
        """Connects to the first target that accepts the connection. Raises RefusedError."""
        hold = self._holds[0]
        self._line, self._lease = await dial(self.lifecycle, self.lines, self.request, hold)
        hold.connected(_SWITCHED)

    async def run(self) -> None:
        """Runs until one side leaves, or softix ends the session."""
        await self._unless_gone(self.guest.accept)
        try:
            async with asyncio.timeout(self._idle_s) as self._patience:
                if self._winding:
                    self.wind_up()
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._until_over(self._forth))
                    ways.create_task(self._until_over(self._back))
        except* _OverError:
            pass
        except* TimeoutError:
            self._outcome = AttemptOutcome.DONE
            self._end(RefusedError(Code.REQUEST_TIMEOUT, "The session was idle for too long."))
        self._patience = None
        await self._part()

    def wind_up(self) -> None:
        self._winding = True
        if self._patience is not None and not (self._asked or self._running):
            self._end(_stopping())
            self._patience.reschedule(asyncio.get_running_loop().time())

    # These methods handle both directions.

    @property
    def _idle_s(self) -> float:
        return self.lifecycle.policy.session_idle_s

    async def _forth(self) -> None:
        line, berth, own = self._the_line, self._the_berth, self._own
        assert own is not None  # noqa: S101 - a session begins with a hold
        while True:
            message = await self.guest.receive()
            self._stir()
            event = None
            try:
                event = read_event(message, self.spec.model, berth.target.model.upstream_name)
                if event.refs:
                    await require_known(self.lifecycle.journal, own.intent.user_id, event.refs, berth.place)
                await self._funded.wait()
                if event.unknown_members:
                    caller, provider = self._holds[0].plan.caller, self._the_berth.target.provider
                    judge(self.lifecycle, self.request.endpoint, event.unknown_members, provider, caller)
                if event.kind == RESPOND:
                    await self._respond(event)
            except RefusedError as error:
                await self._tell(error, None if event is None else event.id)
                continue
            self._conversation.heard(event)
            await line.send(event.message)

    async def _back(self) -> None:
        line = self._the_line
        while (message := await line.receive()) is not None:
            self._stir()
            event = read_server_event(message)
            if event.kind == BEGUN and event.response_id is not None:
                await self._begin(event.response_id)
            elif event.kind == ERROR:
                await self._take_back(event)
            hold = None if event.response_id is None else self._running.get(event.response_id)
            if hold is None or hold.meter is None:
                await self.guest.send(message)
                continue
            passing = hold.meter.feed(message)
            if passing:
                await self.guest.send(passing)
            else:
                await self._done(event.response_id or "", hold)
        if self._running or self._asked:
            raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)

    async def _until_over(self, way: Callable[[], Awaitable[None]]) -> None:
        try:
            await way()
            self._outcome = AttemptOutcome.DONE
        except ClientGoneError:
            self._outcome = AttemptOutcome.DONE
            for hold in self._used:
                hold.client_left()
        except RefusedError as error:
            self._outcome = AttemptOutcome.DONE
            self._end(error)
        except ProviderFault as fault:
            self._outcome = AttemptOutcome.FAILED
            for hold in self._used:
                hold.failed(fault)
            self._end(refusal.failed(fault))
        except FailureError:
            self._end(RefusedError(Code.STORAGE_UNAVAILABLE, "softix cannot write its books now."))
        raise _OverError

    @property
    def _used(self) -> list[Hold]:
        return [*self._running.values(), *(hold for _, hold in self._asked)]

    @property
    def _the_line(self) -> WebSocketConnection:
        assert self._line is not None  # noqa: S101
        return self._line

    @property
    def _the_berth(self) -> Lease:
        assert self._lease is not None  # noqa: S101
        return self._lease

    def _stir(self) -> None:
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time() + self._idle_s)

    # These methods handle responses.

    async def _respond(self, event: ClientEvent) -> None:
        """Handles a request for a response. It uses the session's hold, or another one. Raises RefusedError."""
        if self._winding:
            raise _stopping()
        hold = self._spare
        if hold is None or event.apart or self._asked or self._running:
            hold = await self._admit()
        else:
            self._spare = None
        self._use(hold)
        self._asked.append((event.id, hold))

    async def _begin(self, response_id: str) -> None:
        """Records that the provider began a response, by request or because it heard a pause. Raises RefusedError."""
        if self._asked:
            _, hold = self._asked.pop(0)
        else:
            hold, self._spare = self._spare or await self._admit(), None
            self._use(hold)
        self._running[response_id] = hold
        hold.chunk()

    def _use(self, hold: Hold) -> None:
        hold.dispatched(rested=True)
        hold.started()
        hold.head(_SWITCHED)
        hold.streaming(ResponseMeter())

    async def _take_back(self, event: ServerEvent) -> None:
        """Handles a refusal of a requested response. If the client sends no ids, it is the oldest one."""
        found = next((asked for asked in self._asked if asked[0] == event.about), None)
        if found is None:
            return
        self._asked.remove(found)
        _, hold = found
        if hold is self._own:
            hold.taken_back()
            self._spare = hold
            return
        hold.refused(event.error)
        await self._settle(hold)

    async def _done(self, response_id: str, hold: Hold) -> None:
        """Settles the response, then tells the client, and then admits the next one. Raises RefusedError."""
        last = await self._close(response_id, hold)
        await self.guest.send(last)
        if self._winding and not (self._running or self._asked):
            raise _stopping()
        if hold is self._own and not self._winding:
            await self._admit_next()

    async def _close(self, response_id: str, hold: Hold) -> bytes:
        """Settles the response, and returns the event that completes it."""
        del self._running[response_id]
        meter = hold.meter
        assert isinstance(meter, ResponseMeter)  # noqa: S101 - a hold that runs has one
        hold.estimated(self._conversation.typical(meter))
        hold.completed(classify_stream(meter))
        if meter.report is not None:
            self._conversation.told(meter.report)
        if hold is self._own:
            self._funded.clear()
        await self._settle(hold)
        return meter.take_held()

    # These methods handle holds.

    async def _admit_next(self) -> None:
        self._funded.clear()
        self._own = self._spare = await self._admit()
        self._funded.set()

    async def _admit(self) -> Hold:
        """Admits a response under its own id, for the target of the session. Raises RefusedError."""
        lifecycle = self.lifecycle
        now_us, now_ns, request = lifecycle.clock.now_us(), lifecycle.clock.monotonic_ns(), self.request
        if self._line is not None:
            number = self.ids.next(now_us)
            public_id = format_request_id(number)
            request = replace(request, id=number, public_id=public_id, started_at_us=now_us, started_ns=now_ns)
        plan, admitted = await lifecycle.admit(request, self.digest, self.spec, b"")
        with_ = self._lease.target if self._lease is not None else plan.targets[0]
        target = next((each for each in plan.targets if each.model.id == with_.model.id), None)
        hold = Hold(
            journal=lifecycle.journal,
            clock=lifecycle.clock,
            spec=self.spec,
            plan=plan,
            admitted=admitted,
            request_bytes=0,
            request=None,
            policy=lifecycle.policy,
            started_ns=now_ns,
            target=target or plan.targets[0],
        )
        if self._line is not None:
            hold.connected(_SWITCHED)
        self._holds.append(hold)
        lifecycle.telemetry.opened(admitted.hold_pico)
        if target is None:
            raise RefusedError(Code.MODEL_NOT_FOUND, "The session's model does not serve this name any more.")
        return hold

    async def _settle(self, hold: Hold) -> None:
        try:
            await hold.settle()
        finally:
            self._settled(hold)

    def _settled(self, hold: Hold) -> None:
        if hold in self._holds and hold.settlement is not None:
            self._holds.remove(hold)
            target = hold.target
            self.lifecycle.telemetry.finished(hold.settlement, target.provider.name, target.model.name)

    # These methods handle the end.

    def _end(self, error: RefusedError) -> None:
        self.ending = self.ending or error

    async def _tell(self, error: RefusedError, about: str | None) -> None:
        await self.guest.send(render_realtime(error, self.request.public_id, about))

    async def _unless_gone(self, say: Callable[[], Awaitable[None]]) -> None:
        try:
            await say()
        except ClientGoneError:
            pass

    async def _part(self) -> None:
        """Tells the client why, stops the responses or reads them to their end, and closes both connections."""
        ending, line = self.ending, self._the_line
        if ending is not None:
            for hold in self._used:
                hold.cut_short(ending.code)
            await self._unless_gone(lambda: self._tell(ending, None))
        if self._used and self._outcome is not AttemptOutcome.FAILED:
            await self._read_on(line)
        line.abort()
        if ending is not None:
            code = _CLOSE.get(ending.code, _FAILED if ending.code in _OURS else _POLICY)
        else:
            code = sendable(line.close_code)
        await self.guest.close(code)

    async def _read_on(self, line: WebSocketConnection) -> None:
        """Reads the reports of running responses. It cancels them, unless the provider works and bills on anyway."""
        policy, drains = self.lifecycle.policy, self._the_berth.target.provider.on_hang_up == "drain"
        left_bytes = policy.drain_limit_bytes
        try:
            async with asyncio.timeout(policy.drain_limit_s if drains else _FINISH_S):
                for response_id in () if drains else tuple(self._running):
                    await line.send(cancel(response_id))
                while self._used and left_bytes > 0 and (message := await line.receive()) is not None:
                    left_bytes -= len(message)
                    event = read_server_event(message)
                    response_id = event.response_id or ""
                    if event.kind == ERROR:
                        await self._take_back(event)
                    elif event.kind == BEGUN and self._asked:
                        await self._begin(response_id)
                        if not drains:
                            await line.send(cancel(response_id))
                    hold = self._running.get(response_id)
                    if hold is not None and hold.meter is not None and not hold.meter.feed(message):
                        await self._close(response_id, hold)
        except (TimeoutError, ProviderFault):
            return
        except FailureError:
            log.error("a settlement is left to the next start")


def _stopping() -> RefusedError:
    return RefusedError(Code.SHUTTING_DOWN, "softix is stopping. Open another session in a moment.")
