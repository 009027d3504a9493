"""Writes a request for a provider that speaks Gemini's generateContent."""

from __future__ import annotations

import re
from collections.abc import Sequence

from softix_proxy.dialects.canonical.json_values import Object, said
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.tools import as_function, chosen
from softix_proxy.dialects.canonical.turns import leading_system, merged
from softix_proxy.dialects.canonical.types import (
    CanonicalRequest,
    JsonFormat,
    Reasoning,
    TextPart,
    ToolChoice,
    ToolDefinition,
    WriteOptions,
)
from softix_proxy.dialects.gemini.field_names import without_dialect
from softix_proxy.dialects.gemini.write_parts import WriteParts

_VERSION = re.compile(r"gemini-(\d+)")
_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576, "xhigh": 24_576, "max": 24_576}
_LEVELS = {"xhigh": "high", "max": "high"}
_LEAST_OF_PRO = 128
_TIERS = {"default": "standard", "standard": "standard", "standard_only": "standard"} | {
    tier: tier for tier in ("flex", "priority")
}


def write_request(request: CanonicalRequest, setting: WriteOptions, losses: Losses) -> Object:
    """Writes a request. Raises RefusedError if it says something that must not be lost."""
    _meet(request, losses)
    system, turns = leading_system(request.turns)
    newer = _is_newer(setting.model)
    writer = WriteParts(request.turns, losses, signs_calls=newer)
    tools, choice = chosen(request.tools, request.tool_choice)
    instruction = [{"text": part.text} for part in system if isinstance(part, TextPart) and part.text]
    contents = [
        {"role": "model" if turn.role == "assistant" else "user", "parts": parts}
        for turn in merged(turns, losses)
        if (parts := writer.write(turn.parts))
    ]
    declared = [_tool(as_function(tool, losses)) for tool in tools]
    return said(
        {
            "systemInstruction": {"parts": instruction} if instruction else None,
            "contents": contents,
            "tools": [{"functionDeclarations": declared}] if declared else None,
            "toolConfig": _tool_config(choice, tools),
            "generationConfig": _config(request, setting.model, losses),
            "serviceTier": _TIERS.get(request.service_tier),
        }
    )


def _meet(request: CanonicalRequest, losses: Losses) -> None:
    marked = (getattr(part, "cache", "") for turn in request.turns for part in turn.parts)
    for name, says in {
        "cache_control": bool(request.cache) or any(marked) or any(tool.cache for tool in request.tools),
        "parallel_calls": request.parallel_calls is False and bool(request.tools),
        "verbosity": bool(request.verbosity),
        "metadata": bool(request.metadata),
        "user": bool(request.user),
        "prompt_cache_key": bool(request.cache_key),
        "service_tier": request.service_tier not in ("", "auto") and request.service_tier not in _TIERS,
        "strict": any(tool.strict for tool in request.tools),
        "prefill": bool(request.turns) and request.turns[-1].role == "assistant",
    }.items():
        if says:
            losses.meet(name)


def _config(request: CanonicalRequest, model: str, losses: Losses) -> Object:
    return said(
        {
            "temperature": request.temperature,
            "topP": request.top_p,
            "topK": request.top_k,
            "candidateCount": request.choices,
            "maxOutputTokens": request.max_output_tokens,
            "stopSequences": list(request.stop),
            "seed": request.seed,
            "responseLogprobs": None if request.logprobs is None else True,
            "logprobs": request.logprobs or None,
            "presencePenalty": request.presence_penalty,
            "frequencyPenalty": request.frequency_penalty,
            **_format(request.format),
            "thinkingConfig": _thinking(request.reasoning, model, losses),
        }
    )


def _format(form: JsonFormat | None) -> Object:
    if form is None:
        return {}
    return said({"responseMimeType": "application/json", "responseJsonSchema": without_dialect(form.schema)})


def _tool(tool: ToolDefinition) -> Object:
    schema = without_dialect(tool.schema)
    return said({"name": tool.name, "description": tool.description, "parametersJsonSchema": schema})


def _tool_config(choice: ToolChoice | None, tools: Sequence[ToolDefinition]) -> Object | None:
    if choice is None or not tools:
        return None
    allowed = list(choice.names) if choice.mode == "required" else []
    return {"functionCallingConfig": said({"mode": _MODES[choice.mode], "allowedFunctionNames": allowed})}


def _is_newer(model: str) -> bool:
    """Returns whether the model is of Gemini 3 or later.

    These models think by levels, and require their own signatures on calls that are sent back.
    """
    match = _VERSION.search(model)
    return match is not None and int(match[1]) >= 3


def _thinking(reasoning: Reasoning | None, model: str, losses: Losses) -> Object | None:
    if reasoning is None:
        return None
    shown = True if reasoning.shown else None
    if _is_newer(model):
        least = "low" if "pro" in model else "minimal"
        level = _LEVELS.get(reasoning.effort, reasoning.effort)
        if reasoning.on is False or (level == "minimal" and least == "low"):
            losses.meet("reasoning_effort")
            level = least
        elif level != reasoning.effort:
            losses.meet("reasoning_effort")
        budget = None if level else reasoning.budget
        return said({"thinkingLevel": level, "thinkingBudget": budget, "includeThoughts": shown})
    if reasoning.on is False:
        return {"thinkingBudget": _LEAST_OF_PRO if "pro" in model else 0}
    budget = reasoning.budget
    if budget is None and reasoning.effort:
        losses.meet("reasoning_effort")
        budget = _BUDGETS.get(reasoning.effort)
    return said({"thinkingBudget": budget, "includeThoughts": shown})
