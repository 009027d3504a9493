"""What every dialect is translated to and from: one form of a request, and the events of which an answer is the fold.

Texts default to empty, which says nothing; what may be absent and means something else than empty is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from softix_proxy.domain.usage import Meters

TurnRole = Literal["system", "user", "assistant"]
CacheLifetime = Literal["", "5m", "1h"]
"""How long the provider is asked to keep the prompt up to here; empty: not marked."""
MediaKind = Literal["image", "document", "audio", "video"]
Number = Any
"""An int or a float, as the client wrote it."""


class TextPart(msgspec.Struct, frozen=True):
    text: str
    cache: CacheLifetime = ""


class RefusalPart(msgspec.Struct, frozen=True):
    """The model's words for why it does not answer."""

    text: str


class MediaPart(msgspec.Struct, frozen=True):
    """Exactly one of `data` (base64), `url` and `text` (of a plain document) is set."""

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
    """JSON as the model wrote it, so it may be none; of a custom tool its text."""
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
    """What the model thought, as far as it shows it, and what proves to its provider that it did."""

    text: str = ""
    signature: str = ""
    origin: str = ""
    """The dialect whose provider made the signature; nobody else can read it."""
    redacted: bool = False
    """The signature is all there is: the thoughts are in it, encrypted."""
    of: str = ""
    """The tool call that the signature belongs to, or the id that the provider gave to these thoughts."""


ContentPart = TextPart | MediaPart | ToolCall | ToolResult | Thinking | RefusalPart


class Turn(msgspec.Struct, frozen=True):
    role: TurnRole
    parts: Sequence[ContentPart]


class Namespace(msgspec.Struct, frozen=True):
    """Where a tool is at home, and what it is called there."""

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
    """Takes text instead of JSON, perhaps of a grammar."""
    grammar: Mapping[str, Any] | None = None
    cache: CacheLifetime = ""
    within: Namespace | None = None


ToolChoiceMode = Literal["auto", "none", "required"]
TOOL_CHOICE_MODES: Mapping[str, ToolChoiceMode] = {"auto": "auto", "none": "none", "required": "required"}
"""By the words of OpenAI's dialects, which are the same."""


class ToolChoice(msgspec.Struct, frozen=True):
    mode: ToolChoiceMode
    names: Sequence[str] = ()
    """Only these; empty: all."""


class JsonFormat(msgspec.Struct, frozen=True):
    """The answer is JSON: any object, or one that fits the schema."""

    schema: Mapping[str, Any] | None = None
    name: str = ""
    description: str = ""
    strict: bool | None = None


class Reasoning(msgspec.Struct, frozen=True):
    on: bool | None = None
    effort: str = ""
    """OpenAI's words, from `minimal` to `xhigh`; empty: the model's own measure."""
    budget: int | None = None
    """Tokens; None: no bound of its own."""
    shown: bool = False
    """The client wants to see thoughts or a summary of them."""


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
    """How many alternatives to each token; None: none, nor the tokens themselves."""
    frequency_penalty: Number = None
    presence_penalty: Number = None
    reasoning: Reasoning | None = None
    verbosity: str = ""
    user: str = ""
    metadata: Mapping[str, Any] | None = None
    service_tier: str = ""
    cache_key: str = ""
    cache: CacheLifetime = ""
    """The provider is to choose itself where it marks the prompt."""


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


class Open(msgspec.Struct, frozen=True):
    """A part begins. Its text, arguments and signature are what is known of them now; more may come."""

    choice: int
    index: int
    """Of the part within its choice: 0, 1, 2 … in the order of opening."""
    part: ContentPart


class Grow(msgspec.Struct, frozen=True):
    choice: int
    index: int
    text: str


class PartSignature(msgspec.Struct, frozen=True):
    """The signature of a part that is thinking."""

    choice: int
    index: int
    signature: str
    of: str = ""


class PartEnd(msgspec.Struct, frozen=True):
    choice: int
    index: int


class Weigh(msgspec.Struct, frozen=True):
    """How probable the last tokens of a choice were."""

    choice: int
    logprobs: Sequence[Logprob]


class AnswerStop(msgspec.Struct, frozen=True):
    choice: int
    reason: StopReason
    sequence: str = ""


class CanonicalUsage(msgspec.Struct, frozen=True):
    """Cumulative: a later one replaces an earlier one."""

    meters: Meters
    service_tier: str = ""


class Fail(msgspec.Struct, frozen=True):
    """The provider's own error within an answer; nothing comes after it."""

    kind: str
    """One of dialects.errors.ProviderError."""
    message: str


class AnswerEnd(msgspec.Struct, frozen=True):
    """The provider has said its last word."""


CanonicalEvent = (
    AnswerStart | Open | Grow | PartSignature | PartEnd | Weigh | AnswerStop | CanonicalUsage | Fail | AnswerEnd
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
    failure: Fail | None = None
    ended: bool = False


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is written for, beyond what it says itself."""

    model: str
    """Its name at the provider."""
    most_output_tokens: int | None = None
    """What the model can write, as far as it is known."""
    output_limit: int | None = None
    """What the client can pay for; wins over what it asked for."""
    output_field: str = "max_completion_tokens"
    """What a server with OpenAI's chat calls the output limit."""
    wraps_counts: bool = True
    """Gemini takes a request to be counted as a member of the body, Vertex as the body."""
    betas: Sequence[str] = ()
    """Of Anthropic's features, those that the client named in a header."""


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer is written for: the request as it was understood, and what identifies the answer."""

    request: CanonicalRequest
    id: str
    """For where the provider gave none: letters, digits and underscores."""
    now_s: int
    array: bool = False
    """A Gemini client that did not ask for events gets its stream as one JSON array."""
