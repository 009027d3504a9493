"""Reads a request of Anthropic's messages."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.dialects.canonical.json_values import (
    Object,
    child,
    children,
    encode_text,
    flag,
    names,
    number,
    rest,
    text,
    texts,
    whole,
)
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.signature_tagging import untag_signature
from softix_proxy.dialects.canonical.types import (
    CacheLifetime,
    CanonicalRequest,
    ContentPart,
    JsonFormat,
    MediaKind,
    MediaPart,
    Reasoning,
    TextPart,
    ToolCall,
    ToolChoice,
    ToolChoiceMode,
    ToolDefinition,
    ToolResult,
    Turn,
    TurnRole,
)
from softix_proxy.dialects.request.fields import invalid

_OWN = "messages"
_UNSAID = ("container", "mcp_servers", "context_management", "compaction", "thread", "speed", "user_profile_id")
_KNOWN = names(
    """model messages system stream max_tokens temperature top_p top_k stop_sequences tools tool_choice
  thinking output_config output_format metadata service_tier cache_control inference_geo"""
).union(_UNSAID)
_BLOCK = names(
    """type text source cache_control citations title context thinking signature data id name input tool_use_id
    content is_error caller"""
)
_HOSTED = names("container_upload compaction")
_TOOL = names("type name description input_schema strict cache_control eager_input_streaming input_examples")
_ROLES: Mapping[str, TurnRole] = {"user": "user", "assistant": "assistant", "system": "system"}
_MODES: Mapping[str, ToolChoiceMode] = {"auto": "auto", "any": "required", "tool": "required", "none": "none"}


def read_request(node: Object, losses: Losses) -> CanonicalRequest:
    """Reads a request. Raises RefusedError if it is not valid, or if it says something that must not be lost."""
    for name in _UNSAID:
        if node.get(name):
            losses.meet(name)
    if rest(node, _KNOWN):
        losses.meet("other")
    system = _content(node, "system", losses)
    turns = [turn for message in children(node, "messages") for turn in _turns(message, losses)]
    choice = child(node, "tool_choice")
    return CanonicalRequest(
        model=text(node, "model"),
        turns=[Turn("system", system), *turns] if system else turns,
        stream=flag(node, "stream") or False,
        tools=[tool for item in children(node, "tools") if (tool := _tool(item, losses)) is not None],
        tool_choice=_tool_choice(choice),
        parallel_calls=False if flag(choice, "disable_parallel_tool_use") else None,
        format=_format(node),
        max_output_tokens=whole(node, "max_tokens"),
        temperature=number(node, "temperature"),
        top_p=number(node, "top_p"),
        top_k=whole(node, "top_k"),
        stop=texts(node, "stop_sequences"),
        reasoning=_reasoning(node, losses),
        user=text(child(node, "metadata"), "user_id"),
        service_tier=text(node, "service_tier"),
        cache=_cache(node),
    )


def _cache(node: Object) -> CacheLifetime:
    mark = child(node, "cache_control")
    if not mark:
        return ""
    return "1h" if text(mark, "ttl") == "1h" else "5m"


def _turns(message: Object, losses: Losses) -> list[Turn]:
    role = _ROLES.get(text(message, "role"))
    if role is None:
        raise invalid("The `role` of a message must be user, assistant or system.")
    parts = _content(message, "content", losses)
    blocks = children(message, "content") if isinstance(message.get("content"), list) else []
    turns = [
        Turn("system", _content(block, "content", losses)) for block in blocks if block.get("type") == "mid_conv_system"
    ]
    return [*turns, Turn(role, parts)] if parts else turns


def _content(node: Object, name: str, losses: Losses) -> list[ContentPart]:
    content = node.get(name)
    if isinstance(content, str):
        return [TextPart(content)] if content else []
    parts = (_part(block, losses) for block in children(node, name))
    return [part for part in parts if part is not None]


def _part(block: Object, losses: Losses) -> ContentPart | None:
    if rest(block, _BLOCK):
        losses.meet("other")
    kind, cache = text(block, "type"), _cache(block)
    if kind == "text":
        if block.get("citations"):
            losses.meet("citations")
        return TextPart(text(block, "text"), cache)
    if kind in ("image", "document"):
        return _media(block, cache, losses)
    if kind == "tool_use":
        arguments = encode_text(child(block, "input"))
        return ToolCall(text(block, "id"), text(block, "name"), arguments, cache=cache)
    if kind == "tool_result":
        return _result(block, cache, losses)
    if kind == "thinking":
        return untag_signature(text(block, "signature"), _OWN, text(block, "thinking"))
    if kind == "redacted_thinking":
        return untag_signature(text(block, "data"), _OWN, redacted=True)
    if kind == "search_result":
        losses.meet("search_result")
        found = [part.text for part in _content(block, "content", losses) if isinstance(part, TextPart)]
        return TextPart("\n".join([text(block, "title"), text(block, "source"), *found]), cache)
    if kind in _HOSTED or kind.endswith(("_tool_use", "_tool_result")):
        losses.meet("hosted_tool_results")
    elif kind not in ("mid_conv_system", "tool_reference"):
        raise invalid("The `type` of a content block is not known.")
    return None


def _media(block: Object, cache: CacheLifetime, losses: Losses) -> ContentPart | None:
    source = child(block, "source")
    how, name, context = text(source, "type"), text(block, "title"), text(block, "context")
    if child(block, "citations").get("enabled"):
        losses.meet("citations")
    kind: MediaKind = "image" if text(block, "type") == "image" else "document"
    mime = text(source, "media_type")
    if how == "base64":
        return MediaPart(kind, mime, data=text(source, "data"), name=name, context=context, cache=cache)
    if how == "url":
        return MediaPart(kind, mime, url=text(source, "url"), name=name, context=context, cache=cache)
    if how == "text":
        return MediaPart("document", "text/plain", text=text(source, "data"), name=name, context=context, cache=cache)
    if how == "content":
        inner = [part.text for part in _content(source, "content", losses) if isinstance(part, TextPart)]
        return MediaPart("document", "text/plain", text="\n".join(inner), name=name, context=context, cache=cache)
    losses.meet("file_id")
    return None


def _result(block: Object, cache: CacheLifetime, losses: Losses) -> ToolResult:
    inner = _content(block, "content", losses)
    parts = [part for part in inner if isinstance(part, (TextPart, MediaPart))]
    return ToolResult(text(block, "tool_use_id"), parts, is_error=flag(block, "is_error") or False, cache=cache)


def _tool(item: Object, losses: Losses) -> ToolDefinition | None:
    if text(item, "type") not in ("", "custom"):
        losses.meet("hosted_tools")
        return None
    if item.get("input_examples"):
        losses.meet("input_examples")
    if rest(item, _TOOL):
        losses.meet("other")
    schema = child(item, "input_schema")
    return ToolDefinition(
        text(item, "name"), text(item, "description"), schema, flag(item, "strict"), cache=_cache(item)
    )


def _tool_choice(node: Object) -> ToolChoice | None:
    if not node:
        return None
    kind = text(node, "type")
    if kind not in _MODES:
        raise invalid("The `type` of `tool_choice` must be auto, any, tool or none.")
    return ToolChoice(_MODES[kind], [text(node, "name")] if kind == "tool" else [])


def _format(node: Object) -> JsonFormat | None:
    form = child(child(node, "output_config"), "format") or child(node, "output_format")
    return JsonFormat(child(form, "schema"), strict=True) if text(form, "type") == "json_schema" else None


def _reasoning(node: Object, losses: Losses) -> Reasoning | None:
    thinking, config = child(node, "thinking"), child(node, "output_config")
    if rest(config, frozenset(("effort", "format"))):
        losses.meet("other")
    kind, effort = text(thinking, "type"), text(config, "effort")
    if not kind and not effort:
        return None
    on = None if not kind else kind != "disabled"
    shown = bool(on) and text(thinking, "display") != "omitted"
    return Reasoning(on, effort, whole(thinking, "budget_tokens"), shown)
