"""The form that every dialect is translated to and from: one form of a request, and the events that build a response.

Texts default to empty, which says nothing. A member that may be absent, with another meaning than empty, is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from softix_proxy.domain.pricing.meters import Meters

TurnRole = Literal["system", "user", "assistant"]
CacheLifetime = Literal["", "5m", "1h"]
"""The time for which the provider is asked to keep the prompt up to here. Empty if there is no mark."""
MediaKind = Literal["image", "document", "audio", "video"]
Number = Any
"""An int or a float, as the client wrote it."""


class TextPart(msgspec.Struct, frozen=True):
    text: str
    cache: CacheLifetime = ""


class RefusalPart(msgspec.Struct, frozen=True):
    """The model's text in which it refuses to answer."""

    text: str


class MediaPart(msgspec.Struct, frozen=True):
    """A media part. Exactly one of `data` (base64), `url` and `text` (of a plain document) is set."""

    kind: MediaKind
    mime: str = ""
    data: str = ""
    url: str = ""
    text: str = ""
    name: str = ""
    detail: str = ""
    context: str = ""
    cache: CacheLifetime = ""


class ToolCall(msgspec.Struct, frozen=True):
    id: str
    name: str
    arguments: str = ""
    """The arguments as the model wrote them. They may be invalid JSON. For a custom tool, they are its text."""
    custom: bool = False
    cache: CacheLifetime = ""


class ToolResult(msgspec.Struct, frozen=True):
    id: str
    parts: Sequence[TextPart | MediaPart] = ()
    name: str = ""
    is_error: bool = False
    custom: bool = False
    cache: CacheLifetime = ""


class Thinking(msgspec.Struct, frozen=True):
    """The thoughts that the model shows, and the signature that proves them to its provider."""

    text: str = ""
    signature: str = ""
    origin: str = ""
    """The dialect whose provider made the signature. No other provider can read it."""
    redacted: bool = False
    """Whether the signature contains all of the thoughts, encrypted."""
    of: str = ""
    """The tool call that the signature belongs to, or the id that the provider gave to these thoughts."""


ContentPart = TextPart | MediaPart | ToolCall | ToolResult | Thinking | RefusalPart


class Turn(msgspec.Struct, frozen=True):
    role: TurnRole
    parts: Sequence[ContentPart]


class Namespace(msgspec.Struct, frozen=True):
    """The namespace that contains a tool, and the tool's name and description in it."""

    name: str
    tool: str
    description: str = ""
    tool_description: str = ""


class ToolDefinition(msgspec.Struct, frozen=True):
    name: str
    description: str = ""
    schema: Mapping[str, Any] | None = None
    strict: bool | None = None
    custom: bool = False
    """Whether the tool takes text instead of JSON. A grammar may define the text."""
    grammar: Mapping[str, Any] | None = None
    cache: CacheLifetime = ""
    within: Namespace | None = None


ToolChoiceMode = Literal["auto", "none", "required"]
TOOL_CHOICE_MODES: Mapping[str, ToolChoiceMode] = {"auto": "auto", "none": "none", "required": "required"}
"""A mapping from the words of OpenAI's dialects, which are the same, to the modes."""


class ToolChoice(msgspec.Struct, frozen=True):
    mode: ToolChoiceMode
    names: Sequence[str] = ()
    """The names of the tools that may be called. Empty if all may be called."""


class JsonFormat(msgspec.Struct, frozen=True):
    """A format for a response in JSON: any object, or one that fits the schema."""

    schema: Mapping[str, Any] | None = None
    name: str = ""
    description: str = ""
    strict: bool | None = None


class Reasoning(msgspec.Struct, frozen=True):
    on: bool | None = None
    effort: str = ""
    """The effort in OpenAI's words, from `minimal` to `xhigh`. Empty for the model's own default."""
    budget: int | None = None
    """The bound in tokens. None if there is no such bound."""
    shown: bool = False
    """Whether the client wants to see thoughts or a summary of them."""


class CanonicalRequest(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    turns: Sequence[Turn]
    stream: bool = False
    wants_usage: bool = True
    tools: Sequence[ToolDefinition] = ()
    tool_choice: ToolChoice | None = None
    parallel_calls: bool | None = None
    format: JsonFormat | None = None
    max_output_tokens: int | None = None
    temperature: Number = None
    top_p: Number = None
    top_k: int | None = None
    stop: Sequence[str] = ()
    seed: int | None = None
    choices: int | None = None
    logprobs: int | None = None
    """The number of alternatives for each token. None if neither they nor the tokens themselves are requested."""
    frequency_penalty: Number = None
    presence_penalty: Number = None
    reasoning: Reasoning | None = None
    verbosity: str = ""
    user: str = ""
    metadata: Mapping[str, Any] | None = None
    service_tier: str = ""
    cache_key: str = ""
    cache: CacheLifetime = ""
    """The lifetime of cache marks for which the provider chooses the place in the prompt.

    Empty if it should set none.
    """


class Alternative(msgspec.Struct, frozen=True):
    token: str
    logprob: Number


class Logprob(msgspec.Struct, frozen=True):
    token: str
    logprob: Number
    alternatives: Sequence[Alternative] = ()


StopReason = Literal["end", "length", "calls", "stop_sequence", "filter", "pause", "context"]


class AnswerStart(msgspec.Struct, frozen=True):
    id: str = ""
    model: str = ""
    created_s: int | None = None


class PartStart(msgspec.Struct, frozen=True):
    """The event with which a part begins.

    Its text, arguments and signature are those that are known now. More may come.
    """

    choice: int
    index: int
    """The index of the part within its choice: 0, 1, 2 … in the order in which parts are opened."""
    part: ContentPart


class PartDelta(msgspec.Struct, frozen=True):
    choice: int
    index: int
    text: str


class PartSignature(msgspec.Struct, frozen=True):
    """The signature of a part that contains thoughts."""

    choice: int
    index: int
    signature: str
    of: str = ""


class PartEnd(msgspec.Struct, frozen=True):
    choice: int
    index: int


class Logprobs(msgspec.Struct, frozen=True):
    """The log probabilities of the last tokens of a choice."""

    choice: int
    logprobs: Sequence[Logprob]


class AnswerStop(msgspec.Struct, frozen=True):
    choice: int
    reason: StopReason
    sequence: str = ""


class CanonicalUsage(msgspec.Struct, frozen=True):
    """The usage so far. Reports are cumulative: a later one replaces an earlier one."""

    meters: Meters
    service_tier: str = ""


class ErrorEvent(msgspec.Struct, frozen=True):
    """The provider's own error within a response. No event comes after it."""

    kind: str
    """One of dialects.core.errors.ProviderError."""
    message: str


class AnswerEnd(msgspec.Struct, frozen=True):
    """The event that ends a complete response of the provider."""


CanonicalEvent = (
    AnswerStart
    | PartStart
    | PartDelta
    | PartSignature
    | PartEnd
    | Logprobs
    | AnswerStop
    | CanonicalUsage
    | ErrorEvent
    | AnswerEnd
)


class Choice(msgspec.Struct, frozen=True):
    parts: Sequence[ContentPart] = ()
    reason: StopReason = "end"
    sequence: str = ""
    logprobs: Sequence[Logprob] | None = None


class CanonicalAnswer(msgspec.Struct, frozen=True):
    start: AnswerStart = AnswerStart()
    choices: Sequence[Choice] = ()
    usage: CanonicalUsage | None = None
    failure: ErrorEvent | None = None
    ended: bool = False


class WriteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The settings for writing a request, in addition to the request itself."""

    model: str
    """The name of the model at the provider."""
    most_output_tokens: int | None = None
    """The most output tokens of the model, if known."""
    output_limit: int | None = None
    """The output limit that the client can pay for. It has priority over the limit in the request."""
    output_field: str = "max_completion_tokens"
    """The name of the output limit at a server with OpenAI's chat."""
    more_output_fields: tuple[str, ...] = ()
    """The other names under which chat's output limit is written, because nobody knows which one is obeyed."""
    wraps_counts: bool = True
    """Whether the request to count is wrapped in a member of the body. Gemini expects this, and Vertex does not."""
    betas: Sequence[str] = ()
    """The features of Anthropic's that the client named in a header."""


class ResponseContext(msgspec.Struct, frozen=True, kw_only=True):
    """The settings for writing a response: the request as it was understood, and the id and time of the response."""

    request: CanonicalRequest
    id: str
    """The id if the provider gave none. It has letters, digits and underscores."""
    now_s: int
    array: bool = False
    """Whether the stream is one JSON array, for a Gemini client that did not request events."""
