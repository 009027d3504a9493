"""Writes a request for a provider that speaks chat completions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from softix_proxy.dialects.canonical.json_values import Object, said
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.media import to_url
from softix_proxy.dialects.canonical.types import (
    CanonicalRequest,
    ContentPart,
    MediaPart,
    Reasoning,
    RefusalPart,
    TextPart,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    Turn,
    WriteOptions,
)
from softix_proxy.dialects.openai.chat.reasoning import details

_OWN = "chat_completions"
_WITHOUT_REASONING = re.compile(r"(?:^|/)(?:gpt-[34]|chatgpt-4)")
_OPENAI = re.compile(r"(?:gpt-\d|o\d|chatgpt)")
"""The names of OpenAI's own models, which do not accept thoughts as text."""
_AUDIO = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}
_TIERS = frozenset(("auto", "default", "flex", "scale", "priority", "fast"))
_TIER_NAMES = {"standard_only": "default", "standard": "default"}


def write_request(request: CanonicalRequest, setting: WriteOptions, losses: Losses) -> Object:
    """Writes a request. Raises RefusedError if it says something that must not be lost."""
    if is_marked(request):
        losses.meet("cache_control")
    stream: Object = {"stream": True, "stream_options": {"include_usage": True}} if request.stream else {}
    logprobs = request.logprobs
    body = {
        "model": setting.model,
        "messages": [message for turn in request.turns for message in _messages(turn, setting.model, losses)],
        **stream,
        "tools": [write_tool(tool) for tool in request.tools],
        "tool_choice": write_choice(request.tool_choice, request.tools),
        "parallel_tool_calls": request.parallel_calls if request.tools else None,
        "response_format": _format(request),
        setting.output_field: request.max_output_tokens,
        **dict.fromkeys(setting.more_output_fields, request.max_output_tokens),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop),
        "seed": request.seed,
        "n": request.choices,
        "logprobs": None if logprobs is None else True,
        "top_logprobs": logprobs or None,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
        "reasoning_effort": write_effort(request.reasoning, setting.model, losses),
        "verbosity": request.verbosity,
        "user": request.user,
        "metadata": request.metadata,
        "service_tier": write_tier(request.service_tier),
        "prompt_cache_key": request.cache_key,
    }
    if request.top_k is not None:
        losses.meet("top_k")
    if request.turns and request.turns[-1].role == "assistant":
        losses.meet("prefill")
    return said(body)


def is_marked(request: CanonicalRequest) -> bool:
    """Returns whether the client marks parts of the prompt for the cache."""
    marked = (
        part.cache for turn in request.turns for part in turn.parts if not isinstance(part, (Thinking, RefusalPart))
    )
    return bool(request.cache) or any(marked) or any(tool.cache for tool in request.tools)


def write_tier(tier: str) -> str:
    tier = _TIER_NAMES.get(tier, tier)
    return tier if tier in _TIERS else ""


def reasons(model: str) -> bool:
    """Returns whether a model of OpenAI or a relative may think first. Most models do."""
    return _WITHOUT_REASONING.search(model) is None


def write_effort(reasoning: Reasoning | None, model: str, losses: Losses) -> str:
    """Returns one of OpenAI's words for the effort. A bound in tokens becomes the word that is nearest to it."""
    if reasoning is None:
        return ""
    if not reasons(model):
        if reasoning.on:
            losses.meet("reasoning")
        return ""
    if reasoning.budget is None:
        return "xhigh" if reasoning.effort == "max" else reasoning.effort
    if reasoning.effort:
        return reasoning.effort
    losses.meet("thinking_budget")
    return next((effort for most, effort in _EFFORTS if reasoning.budget <= most), "high")


_EFFORTS = ((4096, "low"), (12_288, "medium"))


def _messages(turn: Turn, model: str, losses: Losses) -> Iterator[Object]:
    if turn.role == "assistant":
        yield from _assistant(turn.parts, model, losses)
        return
    results = [part for part in turn.parts if isinstance(part, ToolResult)]
    extra: list[Object] = []
    for result in results:
        texts = [part for part in result.parts if isinstance(part, TextPart)]
        content = _joined(texts)
        yield {"role": "tool", "tool_call_id": result.id, "content": content}
        media = [part for part in result.parts if isinstance(part, MediaPart)]
        if media:
            losses.meet("tool_result_media")
            extra += [_media(part, losses) for part in media]
        if result.is_error:
            losses.meet("is_error")
    rest = [part for part in turn.parts if not isinstance(part, ToolResult)]
    content = _content(rest, losses)
    if extra:
        content = [*extra, *([{"type": "text", "text": content}] if isinstance(content, str) and content else content)]
    if content:
        yield {"role": turn.role, "content": content}


def _joined(texts: Sequence[TextPart]) -> str | list[Object]:
    """Joins the texts to a string, as most servers expect it. Several texts stay a list."""
    if len(texts) == 1:
        return texts[0].text
    return [{"type": "text", "text": part.text} for part in texts] or ""


def _content(parts: Sequence[ContentPart], losses: Losses) -> str | list[Object]:
    texts = [part for part in parts if isinstance(part, TextPart)]
    if len(texts) == len(parts):
        return _joined(texts)
    return [item for part in parts if (item := _part(part, losses)) is not None]


def _part(part: ContentPart, losses: Losses) -> Object | None:
    if isinstance(part, (TextPart, RefusalPart)):
        return {"type": "text", "text": part.text}
    return _media(part, losses) if isinstance(part, MediaPart) else None


def _media(media: MediaPart, losses: Losses) -> Object:
    if media.text:
        losses.meet("text_document")
        title = f"{media.name}\n\n" if media.name else ""
        return {"type": "text", "text": f"{title}{media.text}"}
    if media.context:
        losses.meet("document_context")
    if media.kind == "image":
        return {"type": "image_url", "image_url": said({"url": to_url(media), "detail": media.detail})}
    if media.kind == "audio" and media.mime in _AUDIO and media.data:
        return {"type": "input_audio", "input_audio": {"data": media.data, "format": _AUDIO[media.mime]}}
    if media.kind != "document":
        losses.meet(media.kind)
    if media.url:
        losses.meet("document_url")
    name = media.name or "document.pdf"
    return {"type": "file", "file": {"file_data": to_url(media), "filename": name}}


def _assistant(parts: Sequence[ContentPart], model: str, losses: Losses) -> Iterator[Object]:
    thoughts = [part for part in parts if isinstance(part, Thinking)]
    takes = _OPENAI.match(model) is None
    own = [part for part in thoughts if part.origin in ("", _OWN) and takes]
    if len(own) < len(thoughts):
        losses.meet("thinking")
    if any(isinstance(part, MediaPart) for part in parts):
        losses.meet("assistant_media")
    content = _content([part for part in parts if isinstance(part, TextPart)], losses)
    calls = [_call(part) for part in parts if isinstance(part, ToolCall)]
    message = said(
        {
            "role": "assistant",
            "content": content,
            "refusal": "".join(part.text for part in parts if isinstance(part, RefusalPart)),
            "reasoning_content": "".join(part.text for part in own),
            "reasoning_details": details([part for part in own if part.signature]),
            "tool_calls": calls,
        }
    )
    if len(message) > 1:
        yield message if content else {**message, "content": None}


def _call(call: ToolCall) -> Object:
    if call.custom:
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments or "{}"},
    }


def write_tool(tool: ToolDefinition) -> Object:
    if tool.custom:
        shape = {"type": "grammar", "grammar": tool.grammar} if tool.grammar else None
        named = said({"name": tool.name, "description": tool.description, "format": shape})
        return {"type": "custom", "custom": named}
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.schema,
        "strict": tool.strict,
    }
    return {"type": "function", "function": said(function)}


def write_choice(choice: ToolChoice | None, tools: Sequence[ToolDefinition]) -> str | Object | None:
    if choice is None or not tools:
        return None
    if not choice.names:
        return choice.mode
    listed = [_reference(name, tools) for name in choice.names]
    if choice.mode == "required" and len(listed) == 1:
        return listed[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": listed}}


def _reference(name: str, tools: Sequence[ToolDefinition]) -> Object:
    custom = any(tool.custom and tool.name == name for tool in tools)
    kind = "custom" if custom else "function"
    return {"type": kind, kind: {"name": name}}


def _format(request: CanonicalRequest) -> Object | None:
    form = request.format
    if form is None:
        return None
    if form.schema is None:
        return {"type": "json_object"}
    schema = said(
        {"name": form.name or "answer", "description": form.description, "schema": form.schema, "strict": form.strict}
    )
    return {"type": "json_schema", "json_schema": schema}
