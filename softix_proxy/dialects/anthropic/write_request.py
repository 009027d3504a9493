"""Writes a request for a provider that speaks Anthropic's messages."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.dialects.anthropic.claude import ANY_OBJECT, DEFAULT_OUTPUT_TOKENS, temperature_of, thinking_of
from softix_proxy.dialects.canonical.json_values import Object, arguments_object, said
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.tools import as_function, as_function_call, chosen
from softix_proxy.dialects.canonical.turns import leading_system, merged
from softix_proxy.dialects.canonical.types import (
    CacheLifetime,
    CanonicalRequest,
    ContentPart,
    JsonFormat,
    MediaPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    WriteOptions,
)

_OWN = "messages"
_TIERS = {"default": "standard_only", "standard": "standard_only", "standard_only": "standard_only", "auto": "auto"}


def write_request(request: CanonicalRequest, setting: WriteOptions, losses: Losses) -> Object:
    """Writes a request. Raises RefusedError if it says something that must not be lost."""
    _meet(request, losses)
    system, turns = leading_system(request.turns)
    blocks = [_text(part) for part in system if isinstance(part, TextPart) and part.text]
    if request.format is not None and request.format.schema is None:
        losses.meet("json_object")
        blocks.append({"type": "text", "text": ANY_OBJECT})
    limit = request.max_output_tokens or setting.most_output_tokens or DEFAULT_OUTPUT_TOKENS
    if request.max_output_tokens is None:
        losses.meet("no_output_limit")
    thinking, effort = thinking_of(request, setting.model, limit, losses)
    tools, choice = chosen(request.tools, request.tool_choice)
    shape = _shape(request.format)
    return said(
        {
            "model": setting.model,
            "max_tokens": limit,
            "system": _plain(blocks),
            "messages": [
                {"role": turn.role, "content": content}
                for turn in merged(turns, losses)
                if (content := _blocks(turn.parts, losses))
            ],
            "stream": request.stream or None,
            "tools": [_tool(as_function(tool, losses)) for tool in tools],
            "tool_choice": _choice(choice, tools, request.parallel_calls),
            "temperature": temperature_of(request.temperature, thinking, losses),
            "top_p": request.top_p,
            "top_k": request.top_k,
            "stop_sequences": [stop for stop in request.stop if stop],
            "thinking": thinking,
            "output_config": said({"effort": effort, "format": shape}),
            "metadata": said({"user_id": request.user}),
            "service_tier": _TIERS.get(request.service_tier),
            "cache_control": _mark(request.cache),
        }
    )


def _meet(request: CanonicalRequest, losses: Losses) -> None:
    for name, says in {
        "n": (request.choices or 1) > 1,
        "logprobs": request.logprobs is not None,
        "seed": request.seed is not None,
        "frequency_penalty": bool(request.frequency_penalty),
        "presence_penalty": bool(request.presence_penalty),
        "verbosity": bool(request.verbosity),
        "metadata": bool(request.metadata),
        "prompt_cache_key": bool(request.cache_key),
        "service_tier": bool(request.service_tier) and request.service_tier not in _TIERS,
    }.items():
        if says:
            losses.meet(name)


def _mark(cache: CacheLifetime) -> Object | None:
    if not cache:
        return None
    return {"type": "ephemeral", "ttl": "1h"} if cache == "1h" else {"type": "ephemeral"}


def _marked(block: Object, cache: CacheLifetime) -> Object:
    return {**block, "cache_control": _mark(cache)} if cache else block


def _text(part: TextPart) -> Object:
    return _marked({"type": "text", "text": part.text}, part.cache)


def _plain(blocks: list[Object]) -> str | list[Object]:
    """Returns a string if there is one text without a cache mark, and otherwise the blocks."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return str(blocks[0]["text"])
    return blocks


def _blocks(parts: Sequence[ContentPart], losses: Losses) -> str | list[Object]:
    """Writes the parts as blocks.

    Tool results come first, as this dialect requires. Empty parts are left out, since it refuses them.
    """
    ordered = sorted(parts, key=lambda part: not isinstance(part, ToolResult))
    blocks = [block for part in ordered if (block := _block(part, losses)) is not None]
    return _plain(blocks)


def _block(part: ContentPart, losses: Losses) -> Object | None:
    if isinstance(part, TextPart):
        return _text(part) if part.text else None
    if isinstance(part, RefusalPart):
        return {"type": "text", "text": part.text}
    if isinstance(part, MediaPart):
        return _media(part, losses)
    if isinstance(part, ToolCall):
        call = as_function_call(part)
        used = {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_object(call.arguments)}
        return _marked(used, part.cache)
    if isinstance(part, ToolResult):
        return _result(part, losses)
    if part.origin != _OWN or not part.signature:
        losses.meet("thinking")
        return None
    if part.redacted:
        return {"type": "redacted_thinking", "data": part.signature}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _result(part: ToolResult, losses: Losses) -> Object:
    content = [block for inner in part.parts if (block := _block(inner, losses)) is not None]
    block = said({"content": _plain(content), "is_error": part.is_error or None})
    return _marked({"type": "tool_result", "tool_use_id": part.id, **block}, part.cache)


def _media(media: MediaPart, losses: Losses) -> Object:
    if media.kind in ("audio", "video"):
        losses.meet(media.kind)
    if media.text:
        source: Object = {"type": "text", "media_type": "text/plain", "data": media.text}
    elif media.url:
        source = {"type": "url", "url": media.url}
    else:
        mime = media.mime or ("image/jpeg" if media.kind == "image" else "application/pdf")
        source = {"type": "base64", "media_type": mime, "data": media.data}
    block: Object = {"type": media.kind, "source": source}
    if media.kind == "document":
        block |= said({"title": media.name, "context": media.context})
    return _marked(block, media.cache)


def _tool(tool: ToolDefinition) -> Object:
    named = {"name": tool.name, "description": tool.description, "strict": tool.strict or None}
    schema = {"type": "object", "properties": {}} if not tool.schema else tool.schema
    return _marked({**said(named), "input_schema": schema}, tool.cache)


def _choice(choice: ToolChoice | None, tools: Sequence[ToolDefinition], parallel: bool | None) -> Object | None:
    if not tools or (choice is None and parallel is None):
        return None
    single = {"disable_parallel_tool_use": True} if parallel is False else {}
    mode, names = (choice.mode, choice.names) if choice else ("auto", ())
    if mode == "none":
        return {"type": "none"}
    if mode == "required" and len(names) == 1:
        return {"type": "tool", "name": names[0], **single}
    return {"type": "any" if mode == "required" else "auto", **single}


def _shape(form: JsonFormat | None) -> Object | None:
    if form is None or form.schema is None:
        return None
    return {"type": "json_schema", "schema": form.schema}
