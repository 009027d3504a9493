"""Gemini's endpoints. The path contains the model and whether the response is streamed."""

from __future__ import annotations

import re
from typing import Any, Self

import msgspec

from softix_proxy.dialects.core.base import Family, RequestSpec, StreamMeter, UsageReport
from softix_proxy.dialects.core.fields import (
    LARGE_BODY_BYTES,
    MALFORMED,
    JsonMembers,
    fits,
    invalid,
    read_fields,
    unmetered,
)
from softix_proxy.dialects.core.members import MemberTable
from softix_proxy.dialects.core.tools import CLIENT_SIDE, DEFAULT_CALLS, FREE, MAPS, SEARCH, ToolBillings
from softix_proxy.dialects.gemini.members import (
    BATCH_EMBED_CONTENTS,
    CONFIG,
    COUNT_TOKENS,
    EMBED_CONTENT,
    GENERATE_CONTENT,
)
from softix_proxy.dialects.gemini.usage import GeminiMeter, read_report, service_tier

_CONFIG = ("generationConfig", "generation_config")
_LIMIT = ("maxOutputTokens", "max_output_tokens")
_CHOICES = ("candidateCount", "candidate_count")
_SYSTEM = ("systemInstruction", "system_instruction")
_TIER = ("serviceTier", "service_tier")
_WATCHED = GENERATE_CONTENT.watched | {"model", "contents", "tools", *_CONFIG, *_SYSTEM, *_TIER}
_CONFIG_WATCHED = CONFIG.watched | {*_LIMIT, *_CHOICES}
_MODEL = frozenset(("model",))
_EMBED_WATCHED = EMBED_CONTENT.watched | {"model", "content"}
_BATCH_WATCHED = frozenset(("model", "requests"))
_COUNT_WATCHED = COUNT_TOKENS.watched | {"model", "generateContentRequest", "generate_content_request"}
_MOST_REQUESTS = 10_000
_QUERY = frozenset(("alt=sse", "alt=json", "prettyPrint=true", "prettyPrint=false", ""))
_TOOLS: ToolBillings = {
    "functionDeclarations": CLIENT_SIDE,
    "computerUse": CLIENT_SIDE,
    "codeExecution": FREE,
    "urlContext": FREE,
    "fileSearch": FREE,
    "googleSearch": SEARCH,
    "googleSearchRetrieval": SEARCH,
    "googleMaps": MAPS,
}
_SPELLED = {re.sub("([A-Z])", lambda letter: f"_{letter[0].lower()}", name): kind for name, kind in _TOOLS.items()}
_KINDS: ToolBillings = {**_TOOLS, **_SPELLED}


class _Result(msgspec.Struct):
    parts: None = None
    """The parts of a function's response, which may contain images."""


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    text: str | None = None
    thought: bool | None = None
    thoughtSignature: msgspec.Raw = msgspec.Raw()  # noqa: N815 - the wire's own names
    thought_signature: msgspec.Raw = msgspec.Raw()
    functionCall: msgspec.Raw = msgspec.Raw()  # noqa: N815
    function_call: msgspec.Raw = msgspec.Raw()
    functionResponse: _Result | None = None  # noqa: N815
    function_response: _Result | None = None


class _Content(msgspec.Struct):
    parts: list[_Part] | _Part | None = None


_TEXT_ONLY = msgspec.json.Decoder(list[_Content] | _Content)
"""A decoder that accepts only text that is in the body.

Neither the bytes nor the URL of an image or a document bound its tokens.
"""
_OBJECTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]] | None)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


class GeminiEndpoint:
    """The base of Gemini's endpoints. `of` returns the endpoint for the model in a path.

    Otherwise the model is empty.
    """

    name: str
    path: str
    family: Family = "gemini"
    members: MemberTable
    metered = True
    framed = True
    form_fields: frozenset[str] | None = None
    model = ""

    @staticmethod
    def check_query(query: str) -> None:
        """Raises RefusedError if the query could remove the usage from the response, or if it contains a key."""
        if not all(part in _QUERY for part in query.split("&")):
            raise invalid("The query may hold `alt=sse` or `alt=json` and nothing else here.")

    def of(self, model: str, query: str) -> Self:
        """Returns the same endpoint for the model that the path names. Raises RefusedError as `check_query` does."""
        self.check_query(query)
        found = type(self)()
        found.model = model.removeprefix("models/")
        return found

    def read(self, body: bytes) -> RequestSpec:
        raise NotImplementedError

    def rewrite(
        self,
        body: bytes,
        *,
        model: str | None,
        max_output_tokens: int | None,
        ask_usage: bool,
        output_field: str | None = None,
    ) -> bytes:
        """Changes the body. The path names the model, so the model is changed here only if the body repeats it."""
        fields = JsonMembers(body, _WATCHED)
        changes = {} if model is None else self._renamed(fields, model)
        if max_output_tokens is not None:
            name, raw = either(fields, _CONFIG)
            config = JsonMembers(raw if raw is not None and fields.has(name) else b"{}", _CONFIG_WATCHED)
            limit, _ = either(config, _LIMIT)
            changes[name] = config.replaced({limit: b"%d" % max_output_tokens})
        return fields.replaced(changes) if changes else body

    def _renamed(self, fields: JsonMembers, model: str) -> dict[str, bytes]:
        return {} if fields.raw("model") is None else {"model": _full(model)}

    def report(self, body: bytes) -> UsageReport | None:
        return read_report(body)

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        """Returns the meter.

        The usage comes without a request, in chunks that every client needs, so it is never hidden.
        """
        return GeminiMeter()

    def _check_model(self, fields: JsonMembers) -> None:
        named = fields.text("model")
        if named and self.model and named.removeprefix("models/") != self.model:
            raise invalid("The body names another model than the path.")


def either(fields: JsonMembers, names: tuple[str, str]) -> tuple[str, msgspec.Raw | None]:
    """Returns a field under the spelling that the body uses, or under the first one if the body uses neither.

    Raises RefusedError if the body uses both.
    """
    first, second = (fields.raw(name) for name in names)
    if first is not None and second is not None:
        raise invalid(f"`{names[0]}` and `{names[1]}` are the same field.")
    return (names[1], second) if second is not None else (names[0], first)


def _full(model: str) -> bytes:
    return msgspec.json.encode(f"models/{model}")


class GenerateContent(GeminiEndpoint):
    """Meters Gemini's generation of content as a whole response."""

    name = "generate_content"
    path = "/v1beta/models/{model}:generateContent"
    members = GENERATE_CONTENT
    streams = False

    def read(self, body: bytes) -> RequestSpec:
        fields = read_fields(body, _WATCHED)
        self._check_model(fields)
        name, raw = either(fields, _CONFIG)
        config = JsonMembers(raw if raw is not None and fields.has(name) else b"{}", _CONFIG_WATCHED, f"`{name}`")
        members, set_up = GENERATE_CONTENT.read(fields), CONFIG.read(config)
        calls, brings_in = _read_tools(fields.raw("tools"))
        texts = (fields.raw("contents"), either(fields, _SYSTEM)[1])
        return RequestSpec(
            model=self.model,
            stream=self.streams,
            max_output_tokens=config.count(either(config, _LIMIT)[0]),
            choices=config.count(either(config, _CHOICES)[0]) or 1,
            service_tier=service_tier(fields.text(either(fields, _TIER)[0])),
            open_input=brings_in
            or members.opens
            or set_up.opens
            or len(body) > LARGE_BODY_BYTES
            or not all(fits(text, _TEXT_ONLY) for text in texts),
            calls=calls,
            unknown_members=members.unknown + set_up.unknown,
        )


class StreamGenerateContent(GenerateContent):
    name = "stream_generate_content"
    path = "/v1beta/models/{model}:streamGenerateContent"
    framed = False
    streams = True


def _read_tools(raw: msgspec.Raw | None) -> tuple[dict[str, int], bool]:
    """Returns the most calls by meter, and whether any tool adds input that is not in the body."""
    if raw is None:
        return {}, False
    try:
        tools = _OBJECTS.decode(raw) or () if memoryview(raw).nbytes <= LARGE_BODY_BYTES else None
    except MALFORMED:
        tools = None
    if tools is None:
        raise invalid("`tools` must be a list of tools that fits into a context.")
    kinds = [_KINDS.get(name) for tool in tools for name in tool]
    found = [kind for kind in kinds if kind is not None]
    if len(found) < len(kinds):
        raise unmetered(f"One of the tools cannot be metered here. These can: {', '.join(_TOOLS)}.")
    calls = {kind.meter: DEFAULT_CALLS for kind in found if kind.meter is not None}
    return calls, any(kind.open_input for kind in found)


class GeminiCountTokens(GeminiEndpoint):
    """Counts tokens at Gemini, which costs nothing."""

    name = "gemini_count_tokens"
    path = "/v1beta/models/{model}:countTokens"
    members = COUNT_TOKENS
    metered = False

    def read(self, body: bytes) -> RequestSpec:
        """Reads the model only, since nothing is produced and nothing charged."""
        fields = read_fields(body, _COUNT_WATCHED)
        return RequestSpec(model=self.model, max_output_tokens=0, unknown_members=COUNT_TOKENS.read(fields).unknown)

    def report(self, body: bytes) -> UsageReport | None:
        return None

    def rewrite(self, body: bytes, *, model: str | None, **others: Any) -> bytes:
        fields = JsonMembers(body, _COUNT_WATCHED)
        changes = {} if model is None else self._renamed(fields, model)
        name, inner = either(fields, ("generateContentRequest", "generate_content_request"))
        if model is not None and inner is not None and fields.has(name):
            changes[name] = JsonMembers(inner, _MODEL).replaced({"model": _full(model)})
        return fields.replaced(changes) if changes else body


class EmbedContent(GeminiEndpoint):
    """Meters one embedding at Gemini."""

    name = "embed_content"
    path = "/v1beta/models/{model}:embedContent"
    members = EMBED_CONTENT

    def read(self, body: bytes) -> RequestSpec:
        fields = read_fields(body, _EMBED_WATCHED)
        self._check_model(fields)
        members = EMBED_CONTENT.read(fields)
        return RequestSpec(
            model=self.model,
            max_output_tokens=0,
            open_input=members.opens or len(body) > LARGE_BODY_BYTES or not fits(fields.raw("content"), _TEXT_ONLY),
            unknown_members=members.unknown,
        )


class BatchEmbedContents(GeminiEndpoint):
    """Meters several embeddings in one request at Gemini."""

    name = "batch_embed_contents"
    path = "/v1beta/models/{model}:batchEmbedContents"
    members = BATCH_EMBED_CONTENTS

    def read(self, body: bytes) -> RequestSpec:
        fields = read_fields(body, _BATCH_WATCHED)
        self._check_model(fields)
        outer = BATCH_EMBED_CONTENTS.read(fields)
        unknown, open_input = outer.unknown, outer.opens or len(body) > LARGE_BODY_BYTES
        for request in _requests(fields, _EMBED_WATCHED):
            self._check_model(request)
            members = EMBED_CONTENT.read(request)
            unknown += members.unknown
            open_input = open_input or members.opens or not fits(request.raw("content"), _TEXT_ONLY)
        return RequestSpec(model=self.model, max_output_tokens=0, open_input=open_input, unknown_members=unknown)

    def _renamed(self, fields: JsonMembers, model: str) -> dict[str, bytes]:
        requests = _requests(JsonMembers(fields.replaced({}), _BATCH_WATCHED), _MODEL)
        renamed = [request.replaced({"model": _full(model)}) for request in requests]
        return {**super()._renamed(fields, model), "requests": b"[%b]" % b",".join(renamed)}


def _requests(fields: JsonMembers, watched: frozenset[str]) -> list[JsonMembers]:
    raw = fields.raw("requests")
    try:
        listed = _RAWS.decode(raw) if raw is not None else None
    except MALFORMED:
        listed = None
    if listed is None or len(listed) > _MOST_REQUESTS:
        raise invalid(f"`requests` must be a list of at most {_MOST_REQUESTS} requests.")
    return [JsonMembers(request, watched, "A request") for request in listed]
