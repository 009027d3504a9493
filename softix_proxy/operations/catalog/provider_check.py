"""Tests what works at a provider by one small request for each feature.

These requests are not recorded in the books. Nothing of the responses is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from softix_proxy.dialects.canonical.json_values import encode, seen_child, seen_children, seen_object
from softix_proxy.dialects.core.base import ProviderEndpoint, UsageReport
from softix_proxy.dialects.core.classification import classify
from softix_proxy.dialects.core.errors import ProviderError
from softix_proxy.dialects.registry import ENDPOINTS, HEADERS, path_for, provider_side, streaming
from softix_proxy.dialects.request import refused_fields
from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.dialects.translate import Interpretation, WriteOptions, translation
from softix_proxy.domain.catalog.drop_fields import may_be_dropped
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.core.clock import SECOND_US, Clock
from softix_proxy.domain.core.errors import ConflictError, FailureError, RefusedError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.upstream import Fetch, ProviderFault, Upstream, UpstreamRequest, UpstreamResponse
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.domain.routing.routes import Timeouts
from softix_proxy.operations.catalog import models, provider_probe, providers
from softix_proxy.operations.catalog.models import PricedModel
from softix_proxy.operations.catalog.provider_probe import ProviderProbe

_MOST_BYTES = 4 << 20
_PATIENCE = Timeouts(connect_ms=10_000, first_byte_ms=60_000, idle_ms=60_000)
_FEW_TOKENS, _SOME_TOKENS = 64, 512
"""The output limits of a test request.

A reasoning model spends the first before its first word. The second is for tool calls, which must arrive complete.
"""
_HELLO = [{"role": "user", "content": "Say hello in one word."}]
_WEATHER = [{"role": "user", "content": "What is the weather in Bern? Use the tool."}]
_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
_TEXT = frozenset(("input_tokens", "output_tokens"))
_OTHER_THAN_TEXT = ("audio", "image", "cached_audio", "character", "video")
_NOT_TRIED = "not tried"
_OPTIONAL: Mapping[str, Any] = {"user": "softix", "seed": 1, "prompt_cache_key": "softix-test"}
"""The fields of chat requests that clients send on their own and that some servers refuse."""
_CHAT = "chat_completions"
_MOST_TRIES = 6
"""The most attempts of one request. Each attempt has one field less than the one before."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    what: str
    ok: bool | None
    """None if it was not tested, or if there is nothing to test."""
    detail: str
    latency_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ProviderCheck:
    """The results of the checks of one provider."""

    provider: Provider
    model: str | None
    """The provider's name for the tested model."""
    checks: tuple[CheckResult, ...]
    remedy: str = ""
    refused_fields: tuple[str, ...] = ()
    """The sent fields that the provider refuses and that softix may leave out."""

    @property
    def ok(self) -> bool:
        """Whether the provider serves requests at all. The other checks depend on the model."""
        return any(check.what == "plain" and check.ok for check in self.checks)


async def run(
    storage: Storage, vault: Vault, upstream: Upstream, fetch: Fetch, reference: str, model: str | None = None
) -> ProviderCheck:
    """Runs six checks: models, plain, stream, tools, usage, fields. `model` is one of softix's names or the provider's.

    Raises NotFoundError, ConflictError.
    """
    unit = storage.reading()
    provider = await providers.present(unit, reference)
    probe = None
    if provider.profile.models_path or not provider.base_url:
        probe = await provider_probe.probe(storage, vault, reference, fetch)
    listed = _listed(probe)
    chat = ENDPOINTS["chat_completions"]
    there = provider_side(chat, provider.profile.endpoints, provider.profile.preferred)
    if there is None:
        raise ConflictError(f"{provider.name} serves no text", "its other endpoints are tried by using them")
    name = _choice(await models.list_all(storage, provider=reference), probe, model)
    if name is None:
        detail = "there is no model to try"
        remedy = (
            probe.remedy if probe and probe.remedy else f"name one: softix providers test {provider.name} --model M"
        )
        return ProviderCheck(provider, None, (listed, CheckResult("plain", None, detail), *_untried()), remedy)
    there = provider_side(chat, provider.profile.endpoints, provider.profile.preferred, name) or there
    bench = _Bench(provider, there, name, upstream, unit.clock)
    plain, first = await bench.plain()
    if not plain.ok:
        remedy = probe.remedy if probe and probe.remedy else "try another one with --model"
        return ProviderCheck(provider, name, (listed, plain, *_untried()), remedy)
    stream, second = await bench.stream()
    tools, fields = await bench.tools(), await bench.fields()
    refused = tuple(dict.fromkeys(bench.refused))
    dropping = "".join(f" --drop-field {field}" for field in refused)
    return ProviderCheck(
        provider,
        name,
        (listed, plain, stream, tools, _usage(first, second), fields),
        f"softix providers update {provider.name}{dropping}" if refused else "",
        refused,
    )


def _untried() -> list[CheckResult]:
    """Returns results for the checks that follow the plain request and were not run."""
    return [CheckResult(name, None, _NOT_TRIED) for name in ("stream", "tools", "usage", "fields")]


def _listed(probe: ProviderProbe | None) -> CheckResult:
    if probe is None:
        return CheckResult("models", None, "it has no list of them")
    detail = f"{len(probe.models)} models" if probe.ok else probe.message
    return CheckResult("models", probe.ok, detail, probe.latency_ms)


def _choice(entries: Any, probe: ProviderProbe | None, wanted: str | None) -> str | None:
    """Returns the provider's own name of the cheapest model that writes text, among those that the provider lists.

    Free models come after those with a price, because OpenAI also lists its moderation model, which writes no text.
    """
    if wanted is not None:
        known = (entry.model.upstream_name for entry in entries if wanted in (entry.model.name, entry.full_name))
        return next(known, wanted)
    there = set(probe.models) if probe else set()
    priced = sorted((entry for entry in entries if _writes_text(entry)), key=_price)
    names = [entry.model.upstream_name for entry in priced]
    return next((name for name in names if name in there), next(iter(names or (probe.models if probe else ())), None))


def _writes_text(entry: PricedModel) -> bool:
    sheet = entry.sheet
    if sheet is None or sheet.free:
        return True
    prices = sheet.bands[0].unit_prices
    return prices.keys() >= _TEXT and not any(name.startswith(_OTHER_THAN_TEXT) for name in prices)


def _price(entry: PricedModel) -> Any:
    """Returns the sort key of a model by its price.

    Only a price of text proves that a model writes text. So free models come after priced ones, and models without a
    price come last.
    """
    sheet = entry.sheet
    if sheet is None or sheet.free:
        return (2 if sheet is None else 1, 0)
    return (0, sum(sheet.bands[0].unit_prices[name] for name in _TEXT))


def _usage(plain: UsageReport | None, stream: UsageReport | None) -> CheckResult:
    told = {"plain": plain, "stream": stream}
    missing = [name for name, report in told.items() if report is None]
    if missing:
        return CheckResult("usage", False, f"not told: {', '.join(missing)}")
    counts = (f"{name} {_tokens(report.meters)}" for name, report in told.items() if report)
    return CheckResult("usage", True, ", ".join(counts))


def _tokens(meters: Mapping[str, int]) -> str:
    put_out = sum(count for name, count in meters.items() if "output" in name or name == "reasoning_tokens")
    return f"{sum(meters.values()) - put_out} in {put_out} out"


class _Prepared(NamedTuple):
    endpoint: ProviderEndpoint
    body: bytes
    translation: Interpretation | None


class _Bench:
    """The tests of one provider with one model."""

    def __init__(
        self, provider: Provider, there: ProviderEndpoint, model: str, upstream: Upstream, clock: Clock
    ) -> None:
        self._provider = provider
        self._there = there
        self._model = model
        self._upstream = upstream
        self._clock = clock
        self.refused: list[str] = []
        """The fields that the provider refused. They are left out of all later requests."""

    async def plain(self) -> tuple[CheckResult, UsageReport | None]:
        return await self._timed("plain", self._whole, _HELLO, _FEW_TOKENS)

    async def stream(self) -> tuple[CheckResult, UsageReport | None]:
        return await self._timed("stream", self._streamed, _HELLO, _FEW_TOKENS)

    async def tools(self) -> CheckResult:
        check, _ = await self._timed("tools", self._called, _WEATHER, _SOME_TOKENS)
        return check

    async def fields(self) -> CheckResult:
        if self._there.name != _CHAT:
            return CheckResult("fields", None, "it is sent nothing in OpenAI's dialect")
        check, _ = await self._timed("fields", self._with_optional_fields, _HELLO, _FEW_TOKENS)
        if check.ok and self.refused:
            return replace(check, ok=False, detail=f"it does not take {', '.join(dict.fromkeys(self.refused))}")
        return check

    async def _with_optional_fields(self, messages: Any, limit: int) -> tuple[str, None]:
        await self._read(self._prepare(messages, limit, **_OPTIONAL))
        return "it takes what clients usually send", None

    async def _timed(self, what: str, step: Any, messages: Any, limit: int) -> tuple[CheckResult, UsageReport | None]:
        started_ns = self._clock.monotonic_ns()
        report = None
        try:
            detail, report = await step(messages, limit)
            ok = True
        except FailureError as error:
            ok, detail = False, error.message
        except ProviderFault as fault:
            ok, detail = False, fault.code.value
        except RefusedError as error:
            ok, detail = False, error.code.value
        return CheckResult(what, ok, detail, (self._clock.monotonic_ns() - started_ns) // 1_000_000), report

    async def _whole(self, messages: Any, limit: int) -> tuple[str, UsageReport | None]:
        answer = await self._read(self._prepare(messages, limit))
        return f"{self._model} answers", self._there.report(answer)

    async def _called(self, messages: Any, limit: int) -> tuple[str, None]:
        usual: dict[str, Any] = {"parallel_tool_calls": True} if self._there.name == _CHAT else {}
        prepared = self._prepare(messages, limit, tools=[_TOOL], tool_choice="required", **usual)
        answer = await self._read(prepared)
        if prepared.translation is not None:
            answer = prepared.translation.answer(answer)
        choices = seen_children(seen_object(answer) or {}, "choices")
        if not any(seen_children(seen_child(choice, "message"), "tool_calls") for choice in choices):
            raise FailureError("it does not call the tool")
        return "it calls the tool", None

    async def _streamed(self, messages: Any, limit: int) -> tuple[str, UsageReport | None]:
        prepared = self._prepare(messages, limit, stream=True)
        exchange = await self._send(prepared, stream=True)
        try:
            if not exchange.is_stream and prepared.endpoint.framed:
                raise FailureError("it answers at once, and not in a stream")
            meter = prepared.endpoint.stream(hide_usage=False)
            chunks = 0
            while not meter.ended and (chunk := await exchange.chunk()):
                meter.feed(chunk)
                chunks += 1
            if meter.failure is not None:
                raise FailureError(f"the stream fails: {meter.failure}")
            if not meter.ended and meter.report is None:
                raise FailureError("the stream has no end")
            return f"{chunks} {'chunk' if chunks == 1 else 'chunks'}", meter.report
        finally:
            exchange.abort()
            exchange.release()

    def _prepare(self, messages: Any, limit: int, *, stream: bool = False, **more: Any) -> _Prepared:
        """Prepares a chat request, and translates it if the provider speaks another dialect. Raises RefusedError."""
        profile = self._provider.profile
        chat = ENDPOINTS["chat_completions"]
        endpoint = streaming(self._there) if stream else self._there
        body = encode({"model": self._model, "messages": messages, **more} | ({"stream": True} if stream else {}))
        field = profile.output_field
        now_s = self._clock.now_us() // SECOND_US
        found = translation("chat_completions", endpoint.name, id="trial", now_s=now_s)
        if found is None:
            body = chat.rewrite(
                body,
                model=None,
                max_output_tokens=limit,
                ask_usage=stream,
                output_fields=() if field is None else (field,),
            )
        else:
            setting = WriteOptions(model=self._model, output_limit=limit, output_field=field or "max_completion_tokens")
            body = found.request(body, setting).body
        names = {**self._provider.renamed_fields, **dict.fromkeys(self.refused, "")}
        if names:
            body = JsonMembers(body, frozenset()).renamed(names)
        return _Prepared(endpoint, body, found)

    async def _send(self, prepared: _Prepared, *, stream: bool = False) -> UpstreamResponse:
        """Sends the request, and sends it again without each field that the provider refuses.

        Raises ProviderFault. Raises FailureError in softix's own words if the provider returns an error.
        """
        body, endpoint = prepared.body, prepared.endpoint
        dropped = ""
        for _ in range(_MOST_TRIES):
            exchange = await self._sent(endpoint, body, stream=stream)
            if exchange.status < 300:
                self.refused += [dropped] if dropped else []
                return exchange
            try:
                refusal = await exchange.read(_MOST_BYTES)
            finally:
                exchange.release()
            if dropped and not refused_fields.names_field(refusal, dropped):
                self.refused.append(dropped)  # this field was refused, and now another one is
            dropped = self._named(exchange.status, refusal, body)
            if not dropped:
                break
            body = refused_fields.without_field(body, dropped)
        found = classify(exchange.status, exchange.headers, refusal)
        raise FailureError(f"refused with {exchange.status}: {found.error}")

    def _named(self, status: int, refusal: bytes, body: bytes) -> str:
        """Returns the first field of the body that the refusal names and that may be left out.

        The result is empty if there is none.
        """
        if status not in refused_fields.STATUSES:
            return ""
        usable = [name for name in refused_fields.members(body) if may_be_dropped(name)]
        return next(iter(refused_fields.named_fields(refusal, usable)), "")

    async def _sent(self, endpoint: ProviderEndpoint, body: bytes, *, stream: bool) -> UpstreamResponse:
        path = path_for(endpoint, self._model)
        headers = [
            ("content-type", "application/json"),
            ("accept-encoding", "identity"),
            *HEADERS.get(endpoint.name, ()),
        ]
        key = next(iter(self._provider.keys), None)
        call = UpstreamRequest(0, self._provider, path, headers, body, stream, key=key, timeouts=_PATIENCE)
        return await self._upstream.send(call, lambda: None)

    async def _read(self, prepared: _Prepared) -> bytes:
        exchange = await self._send(prepared)
        try:
            answer = await exchange.read(_MOST_BYTES)
        finally:
            exchange.release()
        found = classify(exchange.status, exchange.headers, answer, prepared.endpoint)
        if found.error == ProviderError.NO_ANSWER or seen_object(answer) is None:
            raise FailureError("what comes back is no answer")
        if found.error is not None:
            raise FailureError(f"refused with {exchange.status}: {found.error}")
        return answer
