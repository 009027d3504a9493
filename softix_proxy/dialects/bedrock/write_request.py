"""Writes a request for Bedrock's Converse. The path contains the model and whether the response is streamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from softix_proxy.dialects.anthropic.claude import ANY_OBJECT, DEFAULT_OUTPUT_TOKENS, temperature_of, thinking_of
from softix_proxy.dialects.bedrock.write_parts import WriteParts
from softix_proxy.dialects.canonical.json_values import Object, encode_text, said
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.tools import as_function, chosen
from softix_proxy.dialects.canonical.turns import leading_system, merged
from softix_proxy.dialects.canonical.types import (
    CanonicalRequest,
    JsonFormat,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    Turn,
    WriteOptions,
)
from softix_proxy.dialects.core.spoken import is_claude

_NO_CALLS = "Do not call any tool now."
_TIERS = {"default": "default", "standard": "default", "flex": "flex", "priority": "priority"}
_UNSAID_TIERS = ("", "auto", "standard_only")
_EFFORTS: Mapping[str, str] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}


def write_request(request: CanonicalRequest, setting: WriteOptions, losses: Losses) -> Object:
    """Writes a request. Raises RefusedError if it says something that must not be lost."""
    _meet(request, losses)
    writer = WriteParts(setting.model, losses)
    limit = request.max_output_tokens or setting.most_output_tokens or DEFAULT_OUTPUT_TOKENS
    thinking, more = _model_fields(request, setting.model, limit, losses)
    tools, forbidden = _tools(request, writer, losses)
    system, turns = leading_system(request.turns)
    said_to_it = writer.write(system)
    if request.format is not None and request.format.schema is None:
        losses.meet("json_object")
        said_to_it.append({"text": ANY_OBJECT})
    if forbidden:
        losses.meet("tool_choice")
        said_to_it.append({"text": _NO_CALLS})
    messages: list[Object] = [
        {"role": turn.role, "content": content}
        for turn in merged(turns, losses)
        if (content := writer.write(turn.parts))
    ]
    if messages:
        messages[-1]["content"] += writer.mark(request.cache)
    bounded = thinking is not None and "budget_tokens" in thinking
    return said(
        {
            "system": said_to_it,
            "messages": messages,
            "inferenceConfig": said(
                {
                    "maxTokens": limit if bounded else request.max_output_tokens,
                    "temperature": temperature_of(request.temperature, thinking, losses),
                    "topP": request.top_p,
                    "stopSequences": [stop for stop in request.stop if stop],
                }
            ),
            "toolConfig": tools,
            "additionalModelRequestFields": more,
            "outputConfig": _shape(request.format),
            "serviceTier": said({"type": _TIERS.get(request.service_tier)}),
        }
    )


def _meet(request: CanonicalRequest, losses: Losses) -> None:
    for name, says in {
        "n": (request.choices or 1) > 1,
        "logprobs": request.logprobs is not None,
        "seed": request.seed is not None,
        "frequency_penalty": bool(request.frequency_penalty),
        "presence_penalty": bool(request.presence_penalty),
        "parallel_calls": request.parallel_calls is False,
        "verbosity": bool(request.verbosity),
        "metadata": bool(request.metadata),
        "user": bool(request.user),
        "prompt_cache_key": bool(request.cache_key),
        "service_tier": request.service_tier not in _UNSAID_TIERS and request.service_tier not in _TIERS,
    }.items():
        if says:
            losses.meet(name)


def _model_fields(request: CanonicalRequest, model: str, limit: int, losses: Losses) -> tuple[Object | None, Object]:
    """Returns the settings for thinking, and all fields that go to the model unchanged.

    Converse has no fields of its own for them.
    """
    if is_claude(model):
        thinking, effort = thinking_of(request, model, limit, losses)
        words = said({"effort": effort})
        return thinking, said({"thinking": thinking, "output_config": words, "top_k": request.top_k})
    more: Object = {}
    if request.top_k is not None:
        if "nova" in model:
            more["inferenceConfig"] = {"topK": request.top_k}
        else:
            losses.meet("top_k")
    reasoning = request.reasoning
    if reasoning is not None and reasoning.on is not False:
        effort = _EFFORTS.get(reasoning.effort, "")
        if effort and "gpt-oss" in model:
            more["reasoning_effort"] = effort
        else:
            losses.meet("reasoning")
    return None, more


def _tools(request: CanonicalRequest, writer: WriteParts, losses: Losses) -> tuple[Object | None, bool]:
    """Returns the tools, and whether a text must forbid their use.

    Tools that the conversation used must be listed again.
    """
    tools, choice = chosen(request.tools, request.tool_choice)
    used = _used(request.turns)
    if choice is not None and choice.mode == "none" and not used:
        return None, False
    if used and not tools:
        losses.meet("tools_of_before")
        tools = [ToolDefinition(name) for name in used]
        choice = ToolChoice("none")
    if not tools:
        return None, False
    listed = [entry for tool in tools for entry in (_tool(as_function(tool, losses)), *writer.mark(tool.cache))]
    forbidden = choice is not None and choice.mode == "none"
    return said({"tools": listed, "toolChoice": None if forbidden else _choice(choice)}), forbidden


def _used(turns: Sequence[Turn]) -> list[str]:
    calls = (part for turn in turns for part in turn.parts if isinstance(part, ToolCall))
    return list(dict.fromkeys(call.name for call in calls))


def _tool(tool: ToolDefinition) -> Object:
    schema = {"type": "object", "properties": {}} if not tool.schema else tool.schema
    told = said({"name": tool.name, "description": tool.description, "strict": tool.strict or None})
    return {"toolSpec": {**told, "inputSchema": {"json": schema}}}


def _choice(choice: ToolChoice | None) -> Object | None:
    if choice is None:
        return None
    if choice.mode == "required" and len(choice.names) == 1:
        return {"tool": {"name": choice.names[0]}}
    return {"any" if choice.mode == "required" else "auto": {}}


def _shape(form: JsonFormat | None) -> Object | None:
    if form is None or form.schema is None:
        return None
    told = said({"name": form.name, "description": form.description})
    return {
        "textFormat": {
            "type": "json_schema",
            "structure": {"jsonSchema": {"schema": encode_text(form.schema), **told}},
        }
    }
