"""Reads a request of responses."""

from __future__ import annotations

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
from softix_proxy.dialects.canonical.media import from_url, kind_of
from softix_proxy.dialects.canonical.signature_tagging import untag_signature
from softix_proxy.dialects.canonical.types import (
    TOOL_CHOICE_MODES,
    CanonicalRequest,
    ContentPart,
    JsonFormat,
    MediaPart,
    Reasoning,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    Turn,
    TurnRole,
)
from softix_proxy.dialects.openai.chat.read_request import name_of, read_cache
from softix_proxy.dialects.openai.responses.namespaces import flat_name, flat_tools
from softix_proxy.dialects.request.fields import invalid

_OWN = "responses"
_ROLES: dict[str, TurnRole] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_UNSAID = (
    "conversation",
    "context_management",
    "max_tool_calls",
    "moderation",
    "previous_response_id",
    "prompt",
    "store",
)
_KNOWN = names(
    """model input instructions stream stream_options tools tool_choice parallel_tool_calls text max_output_tokens
    temperature top_p top_k top_logprobs include reasoning user safety_identifier metadata service_tier prompt_cache_key
    prompt_cache_options prompt_cache_retention truncation background client_metadata"""
).union(_UNSAID)
_INCLUDE = names("reasoning.encrypted_content message.output_text.logprobs")
_CALLS = names("function_call custom_tool_call")
_RESULTS = names("function_call_output custom_tool_call_output")
_PLAIN = names("input_text output_text text summary_text reasoning_text")


def read_request(node: Object, losses: Losses) -> CanonicalRequest:
    """Reads a request. Raises RefusedError if it is not valid, or if it says something that must not be lost."""
    _meet_unsaid(node, losses)
    include = texts(node, "include")
    instructions = text(node, "instructions")
    turns = [Turn("system", [TextPart(instructions)])] if instructions else []
    top = whole(node, "top_logprobs")
    wants_logprobs = "message.output_text.logprobs" in include or bool(top)
    return CanonicalRequest(
        model=text(node, "model"),
        turns=turns + _turns(node, losses),
        stream=flag(node, "stream") or False,
        tools=_tools(node, losses),
        tool_choice=_tool_choice(node, losses),
        parallel_calls=flag(node, "parallel_tool_calls"),
        format=_format(child(child(node, "text"), "format")),
        max_output_tokens=whole(node, "max_output_tokens"),
        temperature=number(node, "temperature"),
        top_p=number(node, "top_p"),
        logprobs=(top or 0) if wants_logprobs else None,
        reasoning=_reasoning(child(node, "reasoning"), losses),
        verbosity=text(child(node, "text"), "verbosity"),
        user=text(node, "safety_identifier") or text(node, "user"),
        metadata=child(node, "metadata") or None,
        service_tier=text(node, "service_tier"),
        cache_key=text(node, "prompt_cache_key"),
    )


def _meet_unsaid(node: Object, losses: Losses) -> None:
    for name in _UNSAID:
        if node.get(name):
            losses.meet(name)
    if node.get("prompt_cache_options") or node.get("prompt_cache_retention"):
        losses.meet("prompt_cache_options")
    if text(node, "truncation") == "auto":
        losses.meet("truncation")
    if not _INCLUDE.issuperset(texts(node, "include")):
        losses.meet("include")
    if rest(node, _KNOWN):
        losses.meet("other")


def _turns(node: Object, losses: Losses) -> list[Turn]:
    """Groups items into turns. Consecutive texts, thoughts and calls of the assistant are one turn."""
    given = node.get("input")
    if isinstance(given, str):
        return [Turn("user", [TextPart(given)])] if given else []
    turns: list[Turn] = []
    for item in children(node, "input"):
        found = _item(item, losses)
        if found is None:
            continue
        if found.role == "assistant" and turns and turns[-1].role == "assistant":
            found = Turn("assistant", [*turns.pop().parts, *found.parts])
        elif _is_results(found) and turns and _is_results(turns[-1]):
            found = Turn("user", [*turns.pop().parts, *found.parts])
        turns.append(found)
    return turns


def _is_results(turn: Turn) -> bool:
    return bool(turn.parts) and all(isinstance(part, ToolResult) for part in turn.parts)


def _item(item: Object, losses: Losses) -> Turn | None:
    kind = text(item, "type")
    if kind in ("", "message"):
        role = _ROLES.get(text(item, "role"))
        if role is None:
            raise invalid("The `role` of a message must be system, developer, user or assistant.")
        return Turn(role, _content(item, "content", losses))
    if kind == "reasoning":
        return Turn("assistant", _thoughts(item))
    if kind in _CALLS:
        custom = kind == "custom_tool_call"
        arguments = text(item, "input") if custom else text(item, "arguments")
        return Turn("assistant", [ToolCall(text(item, "call_id"), flat_name(item), arguments, custom)])
    if kind in _RESULTS:
        inner = _content(item, "output", losses)
        parts = [part for part in inner if isinstance(part, (TextPart, MediaPart))]
        return Turn("user", [ToolResult(text(item, "call_id"), parts, custom=kind == "custom_tool_call_output")])
    if _adds(item):
        return None  # The tools of this item are among those of the request.
    losses.meet("item_reference" if kind == "item_reference" else "hosted_tool_results")
    return None


def _thoughts(item: Object) -> list[ContentPart]:
    shown = children(item, "summary") or children(item, "content")
    plain = "\n\n".join(text(part, "text") for part in shown)
    thinking = untag_signature(text(item, "encrypted_content"), _OWN, plain, of=text(item, "id"))
    return [thinking] if thinking.text or thinking.signature else []


def _content(node: Object, name: str, losses: Losses) -> list[ContentPart]:
    content = node.get(name)
    if isinstance(content, str):
        return [TextPart(content)] if content else []
    return [_part(part, losses) for part in children(node, name)]


def _part(node: Object, losses: Losses) -> ContentPart:
    kind, cache = text(node, "type"), read_cache(node)
    if text(node, "file_id"):
        losses.meet("file_id")
    if kind in _PLAIN:
        return TextPart(text(node, "text"), cache)
    if kind == "refusal":
        return RefusalPart(text(node, "refusal"))
    if kind == "input_image":
        media = from_url(text(node, "image_url"), "image")
        return MediaPart("image", media.mime, media.data, media.url, detail=text(node, "detail"), cache=cache)
    if kind == "input_file":
        media = from_url(text(node, "file_data") or text(node, "file_url"), "document")
        name = text(node, "filename")
        return MediaPart(kind_of(media.mime), media.mime, media.data, media.url, name=name, cache=cache)
    if kind == "input_audio":
        audio = child(node, "input_audio")
        return MediaPart("audio", f"audio/{text(audio, 'format')}", text(audio, "data"), cache=cache)
    raise invalid("The `type` of a part must be input_text, output_text, refusal, input_image or input_file.")


def _tools(node: Object, losses: Losses) -> list[ToolDefinition]:
    """Reads the tools of the request, and those that items of its input add."""
    items = [] if isinstance(node.get("input"), str) else children(node, "input")
    added = [tool for item in items if _adds(item) for tool in children(item, "tools")]
    found: list[ToolDefinition] = []
    for item in [*children(node, "tools"), *added]:
        if text(item, "type") == "namespace":
            inner = [tool for each in children(item, "tools") if (tool := _tool(each, losses)) is not None]
            found += flat_tools(item, inner)
        elif (tool := _tool(item, losses)) is not None:
            found.append(tool)
    return found


def _adds(item: Object) -> bool:
    return text(item, "type") == "additional_tools"


def _tool(item: Object, losses: Losses) -> ToolDefinition | None:
    kind = text(item, "type")
    if kind == "custom":
        shape = child(item, "format")
        grammar: Object = {name: shape[name] for name in names("syntax definition") if name in shape}
        return ToolDefinition(text(item, "name"), text(item, "description"), custom=True, grammar=grammar or None)
    if kind != "function":
        losses.meet("hosted_tools")
        return None
    schema = child(item, "parameters") or None
    return ToolDefinition(
        text(item, "name"), text(item, "description"), schema, flag(item, "strict"), cache=read_cache(item)
    )


def _tool_choice(node: Object, losses: Losses) -> ToolChoice | None:
    choice = node.get("tool_choice")
    if choice is None:
        return None
    if isinstance(choice, str):
        if choice not in TOOL_CHOICE_MODES:
            raise invalid("`tool_choice` must be auto, none, required, or name a tool.")
        return ToolChoice(TOOL_CHOICE_MODES[choice])
    named = child(node, "tool_choice")
    kind = text(named, "type")
    if kind == "allowed_tools":
        listed = [name for tool in children(named, "tools") if (name := flat_name(tool))]
        return ToolChoice("required" if text(named, "mode") == "required" else "auto", listed)
    if kind not in ("function", "custom"):
        losses.meet("only_hosted_tools")
    return ToolChoice("required", [flat_name(named) if text(named, "namespace") else name_of(named)])


def _format(node: Object) -> JsonFormat | None:
    kind = text(node, "type")
    if kind in ("", "text"):
        return None
    if kind == "json_object":
        return JsonFormat()
    if kind != "json_schema":
        raise invalid("The `type` of `text.format` must be text, json_object or json_schema.")
    return JsonFormat(child(node, "schema"), text(node, "name"), text(node, "description"), flag(node, "strict"))


def _reasoning(node: Object, losses: Losses) -> Reasoning | None:
    effort = text(node, "effort")
    summary = text(node, "summary") or text(node, "generate_summary")
    if rest(node, names("effort summary generate_summary context mode")):
        losses.meet("other")
    if not effort and not summary:
        return None
    off = effort == "none"
    return Reasoning(not off, "" if off else effort, shown=bool(summary))
