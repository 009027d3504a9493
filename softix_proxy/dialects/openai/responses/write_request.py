"""Writes a request for a provider that speaks responses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from softix_proxy.dialects.canonical.json_values import Object, said
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.media import to_url
from softix_proxy.dialects.canonical.turns import leading_system
from softix_proxy.dialects.canonical.types import (
    CanonicalRequest,
    ContentPart,
    JsonFormat,
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
from softix_proxy.dialects.openai.chat.write_request import is_marked, reasons, write_effort, write_tier

_OWN = "responses"


def write_request(request: CanonicalRequest, setting: WriteOptions, losses: Losses) -> Object:
    """Writes a request. Raises RefusedError if it says something that must not be lost.

    Nothing is stored at the provider. Its thoughts come encrypted, and the client sends them back.
    """
    _meet(request, losses)
    system, turns = leading_system(request.turns)
    form = said({"format": write_format(request.format), "verbosity": request.verbosity})
    logprobs = [] if request.logprobs is None else ["message.output_text.logprobs"]
    return said(
        {
            "model": setting.model,
            "instructions": "\n\n".join(part.text for part in system if isinstance(part, TextPart)),
            "input": [item for turn in turns for item in _items(turn, losses)],
            "stream": request.stream or None,
            "store": False,
            "include": [*(["reasoning.encrypted_content"] if reasons(setting.model) else []), *logprobs],
            "tools": [write_tool(tool) for tool in request.tools],
            "tool_choice": write_choice(request.tool_choice, request.tools),
            "parallel_tool_calls": request.parallel_calls if request.tools else None,
            "text": form,
            "max_output_tokens": request.max_output_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "top_logprobs": request.logprobs or None,
            "reasoning": _reasoning(request.reasoning, setting.model, losses),
            "user": request.user,
            "metadata": request.metadata,
            "service_tier": write_tier(request.service_tier),
            "prompt_cache_key": request.cache_key,
        }
    )


def _meet(request: CanonicalRequest, losses: Losses) -> None:
    for name, says in {
        "n": (request.choices or 1) > 1,
        "stop": bool(request.stop),
        "seed": request.seed is not None,
        "frequency_penalty": bool(request.frequency_penalty),
        "presence_penalty": bool(request.presence_penalty),
        "top_k": request.top_k is not None,
        "cache_control": is_marked(request),
        "prefill": bool(request.turns) and request.turns[-1].role == "assistant",
    }.items():
        if says:
            losses.meet(name)


def _items(turn: Turn, losses: Losses) -> Iterator[Object]:
    if turn.role == "assistant":
        yield from _assistant(turn.parts, losses)
        return
    for result in turn.parts:
        if isinstance(result, ToolResult):
            yield _result(result, losses)
    parts = [part for part in turn.parts if not isinstance(part, ToolResult)]
    content = [item for part in parts if (item := _part(part, losses)) is not None]
    if content:
        yield {"type": "message", "role": "developer" if turn.role == "system" else "user", "content": content}


def _result(result: ToolResult, losses: Losses) -> Object:
    if result.is_error:
        losses.meet("is_error")
    parts = [item for part in result.parts if (item := _part(part, losses)) is not None]
    plain = len(parts) == 1 and parts[0]["type"] == "input_text"
    output = parts[0]["text"] if plain else parts or ""
    kind = "custom_tool_call_output" if result.custom else "function_call_output"
    return {"type": kind, "call_id": result.id, "output": output}


def _part(part: ContentPart, losses: Losses) -> Object | None:
    if isinstance(part, (TextPart, RefusalPart)):
        return {"type": "input_text", "text": part.text}
    return _media(part, losses) if isinstance(part, MediaPart) else None


def _media(media: MediaPart, losses: Losses) -> Object:
    if media.text:
        losses.meet("text_document")
        title = f"{media.name}\n\n" if media.name else ""
        return {"type": "input_text", "text": f"{title}{media.text}"}
    if media.context:
        losses.meet("document_context")
    if media.kind == "image":
        return {"type": "input_image", "image_url": to_url(media), "detail": media.detail or "auto"}
    if media.kind != "document":
        losses.meet(media.kind)
    if media.url:
        return {"type": "input_file", "file_url": media.url}
    return {"type": "input_file", "file_data": to_url(media), "filename": media.name or "document.pdf"}


def _assistant(parts: Sequence[ContentPart], losses: Losses) -> Iterator[Object]:
    texts: list[Object] = []
    for part in parts:
        if isinstance(part, TextPart):
            texts.append({"type": "output_text", "text": part.text, "annotations": []})
            continue
        if isinstance(part, RefusalPart):
            texts.append({"type": "refusal", "refusal": part.text})
            continue
        if texts:
            yield {"type": "message", "role": "assistant", "content": texts}
            texts = []
        if isinstance(part, Thinking):
            yield from _thinking(part, losses)
        elif isinstance(part, ToolCall):
            yield _call(part)
        else:
            losses.meet("assistant_media")
    if texts:
        yield {"type": "message", "role": "assistant", "content": texts}


def _thinking(thinking: Thinking, losses: Losses) -> Iterator[Object]:
    if thinking.origin != _OWN or not thinking.signature:
        losses.meet("thinking")
        return
    summary = [{"type": "summary_text", "text": thinking.text}] if thinking.text else []
    item: Object = {"type": "reasoning", "summary": summary, "encrypted_content": thinking.signature}
    yield {**item, "id": thinking.of} if thinking.of else item


def _call(call: ToolCall) -> Object:
    if call.custom:
        return {"type": "custom_tool_call", "call_id": call.id, "name": call.name, "input": call.arguments}
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments or "{}"}


def write_tool(tool: ToolDefinition) -> Object:
    if tool.custom:
        shape = {"type": "grammar", **tool.grammar} if tool.grammar else None
        return {"type": "custom", **said({"name": tool.name, "description": tool.description, "format": shape})}
    named = said({"name": tool.name, "description": tool.description})
    # By default, this dialect treats a schema as strict. The other dialects do not.
    return {"type": "function", **named, "parameters": tool.schema or _NO_PARAMETERS, "strict": bool(tool.strict)}


_NO_PARAMETERS: Object = {"type": "object", "properties": {}}


def write_choice(choice: ToolChoice | None, tools: Sequence[ToolDefinition]) -> str | Object | None:
    if choice is None or not tools:
        return None
    if not choice.names:
        return choice.mode
    custom = {tool.name for tool in tools if tool.custom}
    listed = [{"type": "custom" if name in custom else "function", "name": name} for name in choice.names]
    if choice.mode == "required" and len(listed) == 1:
        return listed[0]
    return {"type": "allowed_tools", "mode": choice.mode, "tools": listed}


def write_format(form: JsonFormat | None) -> Object | None:
    if form is None:
        return None
    if form.schema is None:
        return {"type": "json_object"}
    named = said({"description": form.description})
    strict = {} if form.strict is None else {"strict": form.strict}
    return {"type": "json_schema", "name": form.name or "answer", **named, "schema": form.schema, **strict}


def _reasoning(reasoning: Reasoning | None, model: str, losses: Losses) -> Object | None:
    effort = write_effort(reasoning, model, losses)
    shown = reasoning is not None and reasoning.shown and (bool(effort) or not reasoning.effort)
    summary = "auto" if shown and "reasoning" not in losses.found else ""
    return said({"effort": effort, "summary": summary}) or None
