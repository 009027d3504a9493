"""Reads a request of Gemini's generateContent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from softix_proxy.dialects.canonical.json_values import (
    Object,
    child,
    children,
    flag,
    names,
    number,
    rest,
    text,
    texts,
    whole,
)
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.types import (
    CanonicalRequest,
    ContentPart,
    JsonFormat,
    Reasoning,
    TextPart,
    Thinking,
    ToolChoice,
    ToolChoiceMode,
    ToolDefinition,
    Turn,
)
from softix_proxy.dialects.gemini.field_names import camel, json_schema
from softix_proxy.dialects.gemini.read_parts import ReadParts
from softix_proxy.dialects.request.fields import invalid

_KNOWN = names(
    "model contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent labels serviceTier"
)
_UNSAID = {"cachedContent": "cached_content", "labels": "labels", "safetySettings": "safety_settings"}
_CONFIG = names(
    """temperature topP topK candidateCount maxOutputTokens stopSequences seed responseLogprobs logprobs presencePenalty
    frequencyPenalty responseMimeType responseSchema responseJsonSchema _responseJsonSchema thinkingConfig
    responseModalities speechConfig mediaResolution"""
)
_MODES: Mapping[str, ToolChoiceMode] = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto"}


def read_request(node: Object, losses: Losses) -> CanonicalRequest:
    """Reads a request. Raises RefusedError if it is not valid, or if it says something that must not be lost.

    The path contains the model and whether the response is streamed.
    """
    node = camel(node)
    for name, loss in _UNSAID.items():
        if node.get(name):
            losses.meet(loss)
    if rest(node, _KNOWN):
        losses.meet("other")
    config = camel(child(node, "generationConfig"))
    _meet_config(config, losses)
    tools = _tools(node, losses)
    return CanonicalRequest(
        model=text(node, "model"),
        turns=_turns(node, losses),
        tools=tools,
        tool_choice=_tool_choice(camel(child(camel(child(node, "toolConfig")), "functionCallingConfig"))),
        format=_format(config),
        max_output_tokens=whole(config, "maxOutputTokens"),
        temperature=number(config, "temperature"),
        top_p=number(config, "topP"),
        top_k=whole(config, "topK"),
        stop=texts(config, "stopSequences"),
        seed=whole(config, "seed"),
        choices=whole(config, "candidateCount"),
        logprobs=(whole(config, "logprobs") or 0) if flag(config, "responseLogprobs") else None,
        frequency_penalty=number(config, "frequencyPenalty"),
        presence_penalty=number(config, "presencePenalty"),
        reasoning=_reasoning(camel(child(config, "thinkingConfig"))),
        service_tier=text(node, "serviceTier").lower().removeprefix("service_tier_"),
    )


def _meet_config(config: Object, losses: Losses) -> None:
    if any(modality.upper() != "TEXT" for modality in texts(config, "responseModalities")):
        losses.meet("response_modalities")
    if config.get("speechConfig"):
        losses.meet("speech_config")
    if config.get("mediaResolution"):
        losses.meet("media_resolution")
    if rest(config, _CONFIG) or text(config, "responseMimeType") == "text/x.enum":
        losses.meet("other")


def contents(node: Object, name: str) -> list[Object]:
    """Returns a list of contents. Google also accepts one without a list."""
    value = node.get(name)
    return [camel(value)] if isinstance(value, dict) else [camel(item) for item in children(node, name)]


def _turns(node: Object, losses: Losses) -> list[Turn]:
    reader = ReadParts(losses)
    turns: list[Turn] = []
    system = node.get("systemInstruction")
    if isinstance(system, str):
        turns.append(Turn("system", [TextPart(system)]))
    elif system is not None:
        turns.append(Turn("system", _merged(reader.read(contents(child(node, "systemInstruction"), "parts")))))
    for content in contents(node, "contents"):
        role = text(content, "role")
        if role not in ("", "user", "model", "function"):
            raise invalid("The `role` of a content must be user or model.")
        parts = reader.read(contents(content, "parts"))
        turns.append(Turn("assistant", _merged(parts)) if role == "model" else Turn("user", parts))
    return [turn for turn in turns if turn.parts]


def _merged(parts: list[ContentPart]) -> list[ContentPart]:
    """Joins the pieces of a streamed text, since clients put the pieces into their history."""
    found: list[ContentPart] = []
    for part in parts:
        last = found[-1] if found else None
        if isinstance(part, TextPart) and isinstance(last, TextPart):
            found[-1] = TextPart(last.text + part.text)
        elif isinstance(part, Thinking) and isinstance(last, Thinking) and not (last.signature or part.of):
            found[-1] = msgspec.structs.replace(part, text=last.text + part.text)
        else:
            found.append(part)
    return found


def _tools(node: Object, losses: Losses) -> list[ToolDefinition]:
    found: list[ToolDefinition] = []
    for entry in contents(node, "tools"):
        if any(value is not None for name, value in entry.items() if name != "functionDeclarations"):
            losses.meet("hosted_tools")
        found += [_tool(item) for item in contents(entry, "functionDeclarations")]
    return found


def _tool(item: Object) -> ToolDefinition:
    given = item.get("parametersJsonSchema")
    schema: Any = given if isinstance(given, dict) else json_schema(child(item, "parameters"))
    return ToolDefinition(text(item, "name"), text(item, "description"), schema or None)


def _tool_choice(config: Object) -> ToolChoice | None:
    mode = text(config, "mode").upper()
    if mode not in _MODES:
        return None
    return ToolChoice(_MODES[mode], texts(config, "allowedFunctionNames"))


def _format(config: Object) -> JsonFormat | None:
    given = config.get("responseJsonSchema") or config.get("_responseJsonSchema")
    schema: Any = given if isinstance(given, dict) else json_schema(child(config, "responseSchema"))
    if not schema and text(config, "responseMimeType") != "application/json":
        return None
    return JsonFormat(schema or None, strict=True if schema else None)


def _reasoning(config: Object) -> Reasoning | None:
    budget, shown = whole(config, "thinkingBudget"), flag(config, "includeThoughts") or False
    level = text(config, "thinkingLevel").lower()
    effort = "" if level == "thinking_level_unspecified" else level
    if budget is None and not effort and not shown:
        return None
    if budget == 0:
        return Reasoning(on=False)
    return Reasoning(True, effort, None if budget is None or budget < 0 else budget, shown)
