"""Gemini's endpoints. The path contains the model and whether the response is streamed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

import msgspec

from softix_proxy.dialects.core.base import Family, RequestSpec, StreamMeter, UsageReport
from softix_proxy.dialects.gemini.members import (
    BATCH_EMBED_CONTENTS,
    CONFIG,
    COUNT_TOKENS,
    EMBED_CONTENT,
    GENERATE_CONTENT,
)
from softix_proxy.dialects.gemini.references import NAMES, RULES, SPEECH, TOOL_RULES, refs_in, refs_of
from softix_proxy.dialects.gemini.usage import GeminiMeter, read_report, service_tier
from softix_proxy.dialects.request.fields import (
    MALFORMED,
    JsonMembers,
    fits,
    invalid,
    is_heavy,
    read_fields,
    unmetered,
)
from softix_proxy.dialects.request.inputs import Inputs
from softix_proxy.dialects.request.members import MemberTable
from softix_proxy.dialects.request.references import FoundRefs
from softix_proxy.dialects.request.tools import (
    CLIENT_SIDE,
    DEFAULT_CALLS,
    FREE,
    MAPS,
    SEARCH,
    TOOLS,
    HostedTools,
    ToolBilling,
    ToolBillings,
)
from softix_proxy.domain.access.objects import ObjectRef

_CONFIG = ("generationConfig", "generation_config")
_LIMIT = ("maxOutputTokens", "max_output_tokens")
_CHOICES = ("candidateCount", "candidate_count")
_SYSTEM = ("systemInstruction", "system_instruction")
_TIER = ("serviceTier", "service_tier")
_WATCHED = GENERATE_CONTENT.watched | NAMES | {"model", "contents", "tools", *_CONFIG, *_SYSTEM, *_TIER}
_CONFIG_WATCHED = CONFIG.watched | SPEECH | {*_LIMIT, *_CHOICES}
_MODEL = frozenset(("model",))
_EMBED_WATCHED = EMBED_CONTENT.watched | {"model", "content"}
_BATCH_WATCHED = BATCH_EMBED_CONTENTS.watched | {"model", "requests"}
_COUNTED = ("generateContentRequest", "generate_content_request")
_COUNT_WATCHED = COUNT_TOKENS.watched | NAMES | {"model", "contents", "tools", *_COUNTED, *_SYSTEM}
_MOST_REQUESTS = 2000
"""The most requests of a batch of embeddings. Google allows a hundred."""
_QUERY = frozenset(("alt=sse", "alt=json", "prettyPrint=true", "prettyPrint=false", ""))
_TOOLS: ToolBillings = {
    "functionDeclarations": CLIENT_SIDE,
    "computerUse": CLIENT_SIDE,
    "codeExecution": ToolBilling(None, open_input=True, rounds=6),
    "urlContext": FREE,
    "fileSearch": FREE,
    "googleSearch": SEARCH,
    "googleSearchRetrieval": SEARCH,
    "googleMaps": MAPS,
}
"""The tools that can be metered. Gemini has no limit on their calls.

What they find is read once more beside the prompt. Code that fails is written again, up to five times.
"""
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


class GeminiEndpoint:
    """The base of Gemini's endpoints. `of` returns the endpoint for the model in a path.

    Otherwise the model is empty.
    """

    name: str
    path: str
    names_model: frozenset[str] = _MODEL
    """The members that may repeat the name of the model. They are among those that `read` watches."""
    family: Family = "gemini"
    members: MemberTable
    metered = True
    framed = True
    form_fields: frozenset[str] | None = None
    bound_header = ""
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
        output_fields: tuple[str, ...] = (),
    ) -> bytes:
        """Changes the body. The path names the model, so the model is changed here only if the body repeats it."""
        fields = JsonMembers(body, self.names_model if max_output_tokens is None else _WATCHED)  # `read` may watch less
        changes = {} if model is None else self._renamed(fields, model)
        if max_output_tokens is not None:
            name, raw = either(fields, _CONFIG)
            config = JsonMembers(raw if raw is not None and fields.has(name) else b"{}", _CONFIG_WATCHED)
            limit, _ = either(config, _LIMIT)
            changes[name] = config.replaced({limit: b"%d" % max_output_tokens})
        return fields.replaced(changes) if changes else body

    def with_header(self, spec: RequestSpec, value: str) -> RequestSpec:
        return spec

    def limit_calls(self, body: bytes, limit: int) -> bytes:
        return body

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
        hosted = _read_tools(fields.raw("tools"))
        texts = (fields.raw("contents"), either(fields, _SYSTEM)[1])
        text_only = all(fits(text, _TEXT_ONLY) for text in texts)
        plain = text_only and not hosted.open_input and not fields.has_any(NAMES) and not config.has_any(SPEECH)
        return RequestSpec(
            model=self.model,
            stream=self.streams,
            max_output_tokens=config.count(either(config, _LIMIT)[0]),
            choices=config.count(either(config, _CHOICES)[0]) or 1,
            service_tier=service_tier(fields.text(either(fields, _TIER)[0])),
            open_input=hosted.open_input or members.opens or set_up.opens or not text_only,
            calls=hosted.calls,
            unknown_members=members.unknown + set_up.unknown,
            refs=() if plain else _refs(fields, config, texts, len(body)),
            rounds=hosted.rounds,
            members=TOOLS if hosted.open_input else (),
        )


class StreamGenerateContent(GenerateContent):
    name = "stream_generate_content"
    path = "/v1beta/models/{model}:streamGenerateContent"
    framed = False
    streams = True


def _read_tools(raw: msgspec.Raw | None) -> HostedTools:
    if raw is None:
        return HostedTools({}, False)
    try:
        tools = None if is_heavy(raw) else _OBJECTS.decode(raw) or ()
    except MALFORMED:
        tools = None
    if tools is None:
        raise invalid("`tools` must be a list of tools that fits into a context.")
    kinds = [_KINDS.get(name) for tool in tools for name in tool]
    found = [kind for kind in kinds if kind is not None]
    if len(found) < len(kinds):
        raise unmetered(f"One of the tools cannot be metered here. These can: {', '.join(_TOOLS)}.")
    calls = {kind.meter: DEFAULT_CALLS for kind in found if kind.meter is not None}
    rounds = max((kind.rounds for kind in found), default=0) + 1
    return HostedTools(calls, any(kind.open_input for kind in found), rounds)


class GeminiCountTokens(GeminiEndpoint):
    """Counts tokens at Gemini, which costs nothing."""

    name = "gemini_count_tokens"
    path = "/v1beta/models/{model}:countTokens"
    members = COUNT_TOKENS
    metered = False

    def read(self, body: bytes) -> RequestSpec:
        """Reads the names of things only, since nothing is produced and nothing charged."""
        fields = read_fields(body, _COUNT_WATCHED)
        found = FoundRefs(len(body))
        _name(fields, found)
        inner = either(fields, _COUNTED)[1]
        if inner is not None and fields.has(either(fields, _COUNTED)[0]):
            _name(JsonMembers(inner, _COUNT_WATCHED, "The counted request"), found)
        unknown = COUNT_TOKENS.read(fields).unknown
        return RequestSpec(model=self.model, max_output_tokens=0, unknown_members=unknown, refs=refs_of(found))

    def report(self, body: bytes) -> UsageReport | None:
        return None

    def rewrite(self, body: bytes, *, model: str | None, **others: Any) -> bytes:
        fields = JsonMembers(body, _COUNT_WATCHED)
        changes = {} if model is None else self._renamed(fields, model)
        name, inner = either(fields, _COUNTED)
        if model is not None and inner is not None and fields.has(name):
            changes[name] = JsonMembers(inner, _MODEL).replaced({"model": _full(model)})
        return fields.replaced(changes) if changes else body


class EmbedContent(GeminiEndpoint):
    """Meters the embedding of one content at Gemini."""

    name = "embed_content"
    path = "/v1beta/models/{model}:embedContent"
    members = EMBED_CONTENT

    def read(self, body: bytes) -> RequestSpec:
        fields = read_fields(body, _EMBED_WATCHED)
        self._check_model(fields)
        members, text_only = EMBED_CONTENT.read(fields), fits(fields.raw("content"), _TEXT_ONLY)
        return RequestSpec(
            model=self.model,
            max_output_tokens=0,
            open_input=members.opens or not text_only,
            unknown_members=members.unknown,
            refs=() if text_only else refs_in((fields.raw("content"),), len(body)),
        )


class BatchEmbedContents(GeminiEndpoint):
    """Meters several embeddings in one request at Gemini."""

    name = "batch_embed_contents"
    path = "/v1beta/models/{model}:batchEmbedContents"
    members = BATCH_EMBED_CONTENTS
    names_model = _BATCH_WATCHED

    def read(self, body: bytes) -> RequestSpec:
        fields = read_fields(body, _BATCH_WATCHED)
        self._check_model(fields)
        outer = BATCH_EMBED_CONTENTS.read(fields)
        unknown, open_input, requests = outer.unknown, outer.opens, _requests(fields, _EMBED_WATCHED)
        found, others = Inputs(max(len(requests), 1)), list[msgspec.Raw | None]()
        for request in requests:
            self._check_model(request)
            members, content = EMBED_CONTENT.read(request), request.raw("content")
            unknown += members.unknown
            open_input = open_input or members.opens
            if not fits(content, _TEXT_ONLY):
                others.append(content)
        return RequestSpec(
            model=self.model,
            max_output_tokens=0,
            open_input=open_input or bool(others),
            inputs=found.number,
            most_input_tokens=found.most_tokens(len(body)),
            unknown_members=unknown,
            refs=refs_in(others, len(body)) if others else (),
        )

    def _renamed(self, fields: JsonMembers, model: str) -> dict[str, bytes]:
        requests = _requests(fields, _MODEL)
        renamed = [request.replaced({"model": _full(model)}) for request in requests]
        return {**super()._renamed(fields, model), "requests": b"[%b]" % b",".join(renamed)}


def _refs(
    fields: JsonMembers, config: JsonMembers, texts: Sequence[msgspec.Raw | None], size_bytes: int
) -> tuple[ObjectRef, ...]:
    """Returns the names of things in a request."""
    found = FoundRefs(size_bytes)
    for text in texts:
        if text is not None and not fits(text, _TEXT_ONLY):
            found.walk(text, RULES)
    found.members(fields, NAMES, RULES)
    found.members(fields, _TOOLS_ONLY, TOOL_RULES)
    found.members(config, SPEECH, RULES)
    return refs_of(found)


def _name(fields: JsonMembers, found: FoundRefs) -> None:
    """Adds the names in a request whose tokens are counted."""
    found.members(fields, (*NAMES, "contents", *_SYSTEM), RULES)
    found.members(fields, _TOOLS_ONLY, TOOL_RULES)


_TOOLS_ONLY = ("tools",)


def _requests(fields: JsonMembers, watched: frozenset[str]) -> list[JsonMembers]:
    given = fields.raw("requests")
    listed = None if given is None else fields.objects("requests", watched, "A request", _MOST_REQUESTS)
    if listed is None:
        raise invalid(f"`requests` must be a list of at most {_MOST_REQUESTS} requests.")
    return listed
