"""The relay without sockets: what a provider and a client do is written down, and so is what comes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from support.books import NOW_US, USD

from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.domain.access.objects import AccountPlace, ObjectRef
from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.metering.admission import UNLIMITED, Admitted, Allowance, Decision, Intent, RateCheck
from softix_proxy.domain.metering.settlement import Settled, Settlement, limited
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.domain.routing.directory import Changes
from softix_proxy.relay.core.inbound import ClientGoneError, Inbound
from softix_proxy.relay.core.live_directory import LiveDirectory
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.relay.routing.target_pool import BreakerSettings, TargetPool

KEY_TEXT = "good"
SECRET = "sk-canary-of-the-provider"
JSON = [("content-type", "application/json")]
SSE = [("content-type", "text/event-stream")]
SHEET = PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2"}}]})
USER = User(1, "usr_ada", "ada", "ada@example.org", UserRole.USER, UserStatus.ACTIVE, False, 1)
KEY = Key(1, "key_a", 1, "", "sx_live_aaaa", b"good", (), (), KeyLimits(), KeyStatus.ACTIVE, None, 1)
LAB = Provider(
    1, "prv_lab", "lab", ProviderType.OPENAI_COMPATIBLE, "http://lab", None, "cancel", ProviderStatus.ACTIVE, 1
)
MODEL = Model(1, "llama", 1, "llama", 10_000, 1_000, ModelStatus.ACTIVE, 1)
PRICE = PriceVersion(1, 1, None, "operator", SHEET, 1, 1)
WORLD: dict[str, tuple[Any, ...]] = {
    "users": (USER,),
    "keys": (KEY,),
    "providers": (LAB,),
    "models": (MODEL,),
    "prices": (PRICE,),
}


MICRO = 10**6
ASK = {"model": "llama", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 50}
PLAIN = json.dumps(ASK).encode()
STREAM = json.dumps({**ASK, "stream": True, "stream_options": {"include_usage": True}}).encode()
ANSWER = json.dumps(
    {"model": "llama-served", "usage": {"prompt_tokens": 7, "completion_tokens": 5}, "choices": []}
).encode()
HELLO = b'data: {"choices":[{"delta":{"content":"hello there, you"}}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5}}\n\n'
DONE = b"data: [DONE]\n\n"


class Ticking:
    """A millisecond passes each time that it is asked how long something took."""

    def __init__(self) -> None:
        self.ns = 0
        self.us = NOW_US

    def now_us(self) -> int:
        return self.us

    def monotonic_ns(self) -> int:
        self.ns += 1_000_000
        return self.ns


class Directories:
    """The one verb of Storage that the relay calls. `versions` are told one after the other; the last one stays."""

    def __init__(self, *versions: Changes) -> None:
        self.versions = list(versions)
        self.reads = 0

    async def changes(self, since_revision: int) -> Changes:
        self.reads += 1
        await asyncio.sleep(0)
        return self.versions.pop(0) if len(self.versions) > 1 else self.versions[0]


class Journal:
    """Admits with the hold that was asked for, unless other decisions are put in its way."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.intents: list[Intent] = []
        self.settlements: list[Settlement] = []
        self.unpriced: list[int] = []
        self.failure: Exception | None = None
        self.available_pico = 0
        """What the wallet has beside the hold of a request that is settled."""
        self.story: list[str] = []
        self.places: dict[ObjectRef, AccountPlace] = {}
        """Where the user may use what is named."""

    async def admit(self, intent: Intent) -> Decision:
        self.intents.append(intent)
        await asyncio.sleep(0)
        if self.decisions:
            return self.decisions.pop(0)
        return Admitted(intent.bound.hold_pico(intent.bound.output_tokens), None, 0, Allowance())

    async def resolve(self, user_id: int, refs: Sequence[ObjectRef]) -> Sequence[tuple[int, AccountPlace]]:
        return [(number, self.places[ref]) for number, ref in enumerate(refs) if ref in self.places]

    async def settle(self, settlement: Settlement) -> Settled | None:
        most_pico = settlement.charge_pico if settlement.postpaid else settlement.hold_pico + self.available_pico
        paid = settlement if settlement.charge_pico <= most_pico else limited(settlement, most_pico)
        self.settlements.append(paid)
        self.story.append("settled")
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return Settled(NOW_US, USD, paid.charge_pico)

    async def count(self, check: RateCheck) -> Allowance:
        return UNLIMITED

    def note_unpriced(self, model_id: int) -> None:
        self.unpriced.append(model_id)


class Exchange:
    """Plays its script: chunks, a fault, or something that happens before the next chunk."""

    def __init__(self, *script: Any, status: int = 200, headers: Any = None) -> None:
        self.status = status
        self.headers = JSON if headers is None else headers
        self.is_stream = self.headers[0][1].startswith("text/event-stream")
        self.secret: str | None = SECRET
        self.script = list(script)
        self.aborted = self.released = False

    async def read(self, limit_bytes: int) -> bytes:
        whole = b""
        while chunk := await self.chunk():
            whole += chunk
        return whole

    async def chunk(self) -> bytes:
        await asyncio.sleep(0)
        while self.script and callable(self.script[0]):
            self.script.pop(0)()
            await asyncio.sleep(0)
        if self.aborted:
            raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
        step = self.script.pop(0) if self.script else b""
        if isinstance(step, Exception):
            raise step
        found: bytes = step
        return found

    async def pour(self, into: Callable[[bytes], bool]) -> bool:
        while chunk := await self.chunk():
            if not into(chunk):
                return True
        return False

    def abort(self) -> None:
        self.aborted = True

    def release(self) -> None:
        self.released = True


class Upstream:
    def __init__(self) -> None:
        self.calls: list[UpstreamRequest] = []
        self.answer: Exchange | ProviderFault | Callable[[], Any] = Exchange(b"{}")
        self.connecting: Callable[[], None] | None = None
        """Called in place of a connection, which then never comes about."""
        self.given: list[Exchange] = []
        self.answers: dict[str, list[Any]] = {}
        """Provider → what it answers, one after the other, in place of `answer`."""

    async def send(self, call: UpstreamRequest, sending: Callable[[], None]) -> Exchange:
        if self.connecting is not None:
            self.connecting()
            await asyncio.Event().wait()
        self.calls.append(call)
        sending()
        await asyncio.sleep(0)
        answer = self.answers[call.provider.name].pop(0) if self.answers else self.answer
        if callable(answer):
            answer()
            await asyncio.Event().wait()
        if isinstance(answer, ProviderFault):
            raise answer
        assert isinstance(answer, Exchange)
        self.given.append(answer)
        return answer

    @property
    def asked(self) -> list[str]:
        """The providers, in the order in which they were."""
        return [call.provider.name for call in self.calls]


@dataclass
class Client:
    """Writes down what it is told. `gone_at`: which step it does not live to see (`begin`, `send`, `answer`, `end`)."""

    story: list[str]
    gone_at: str | None = None
    gone_after_sends: int = 0
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    begun: bool = False
    gone: bool = False
    slow: bool = False
    """Whether it takes nothing at once, so that one has to wait for it."""
    notice: Callable[[], None] | None = None

    def _step(self, what: str) -> None:
        if what == self.gone_at and (what != "send" or self.gone_after_sends == 0):
            self.gone = True
            raise ClientGoneError
        if what == "send":
            self.gone_after_sends -= 1
        self.story.append(what)

    async def answer(self, status: int, headers: Any, body: bytes) -> None:
        self._step("answer")
        self.status, self.headers, self.body = status, dict(headers), body

    async def begin(self, status: int, headers: Any) -> None:
        self._step("begin")
        self.status, self.headers, self.begun = status, dict(headers), True

    def send(self, data: bytes) -> bool:
        try:
            self._step("send")
        except ClientGoneError:
            return False
        if self.gone:
            return False
        self.body += data
        return not self.slow

    async def caught_up(self) -> None:
        if self.gone or (self.gone_at == "send" and self.gone_after_sends == 0):
            raise ClientGoneError

    async def end(self) -> None:
        self._step("end")

    def cut(self) -> None:
        self.story.append("cut")

    def when_gone(self, notice: Callable[[], None]) -> None:
        self.notice = notice

    def vanish(self) -> None:
        """Leaves without a notice."""
        self.gone = True

    def hang_up(self) -> None:
        self.vanish()
        assert self.notice is not None
        self.notice()


class Vault:
    def digest(self, text: str) -> bytes | None:
        return None if text == "malformed" else text.encode()

    def tag(self, key_id: int, text: str) -> str:
        return f"tag-{key_id}-{text}"


class Telemetry:
    def __init__(self) -> None:
        self.open = 0
        self.held_pico = 0
        self.finished_with: list[Settlement] = []

    def refused(self, endpoint: str, code: Code) -> None:
        raise AssertionError("it is the web's to count")

    def unknown_members(self, endpoint: str, number: int) -> None: ...

    def opened(self, hold_pico: int) -> None:
        self.open += 1
        self.held_pico += hold_pico

    def finished(self, settlement: Settlement, provider: str, model: str) -> None:
        assert provider and model
        self.open -= 1
        self.held_pico -= settlement.hold_pico
        self.finished_with.append(settlement)


class Stage:
    """One request, and everything around it."""

    def __init__(self, **world: Any) -> None:
        self.world = {**WORLD, **world}
        self.directories = Directories(Changes(7, **self.world))
        self.journal = Journal()
        self.upstream = Upstream()
        self.telemetry = Telemetry()
        self.client = Client(self.journal.story)
        self.clock = Ticking()
        self.directory = LiveDirectory(self.directories)  # type: ignore[arg-type]
        self.policy = Policy(16, "nothing", 5.0, 1_000_000)
        self.target_pool = TargetPool(self.clock, BreakerSettings(), lambda most: 0)
        self.pauses_s: list[float] = []
        self.headers = [("x-thing", "1")]
        """What the client sends."""

    @property
    def lifecycle(self) -> Lifecycle:
        return Lifecycle(
            self.directory,
            self.journal,  # type: ignore[arg-type]
            self.upstream,
            Vault(),  # type: ignore[arg-type]
            self.clock,
            self.telemetry,
            self.policy,
            self.target_pool,
            self._pause,
        )

    async def _pause(self, seconds: float) -> None:
        """The time passes at once."""
        self.pauses_s.append(seconds)
        self.clock.us += round(seconds * 1_000_000)
        await asyncio.sleep(0)

    async def serve(
        self,
        body: bytes,
        endpoint: str | Endpoint = "chat_completions",
        credential: str | None = KEY_TEXT,
        *,
        is_heavy: bool = False,
    ) -> None:
        async def read_body() -> bytes:
            self.journal.story.append("read")
            return body

        found = ENDPOINTS[endpoint] if isinstance(endpoint, str) else endpoint
        inbound = Inbound(5, "req_5", found, found.path, self.headers, credential, "10.1.2.3", NOW_US, 0, read_body)
        await self.lifecycle.serve(replace(inbound, is_heavy=is_heavy), self.client)

    @property
    def settlement(self) -> Settlement:
        """The only one there is."""
        [only] = self.journal.settlements
        return only

    def streams(self, *script: Any) -> Exchange:
        """What the provider answers with."""
        self.upstream.answer = exchange = Exchange(*script, headers=SSE)
        return exchange

    async def refused(self, body: bytes = PLAIN, **options: Any) -> RefusedError:
        with pytest.raises(RefusedError) as caught:
            await self.serve(body, **options)
        assert SECRET not in str(caught.value)
        return caught.value

    def settled_once(self) -> None:
        """What holds however a request ends."""
        assert len(self.journal.settlements) == 1
        assert self.telemetry.open == 0 and self.telemetry.held_pico == 0
        assert self.telemetry.finished_with == self.journal.settlements
        assert all(exchange.released for exchange in self.upstream.given)
