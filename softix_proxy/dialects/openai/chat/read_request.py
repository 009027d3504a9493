"""Reads a request of chat completions."""

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
from softix_proxy.dialects.canonical.types import (
    TOOL_CHOICE_MODES,
    CacheLifetime,
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
    TurnRole,
)
from softix_proxy.dialects.openai.chat.reasoning import read_details
from softix_proxy.dialects.request.fields import invalid

_ROLES: dict[str, TurnRole] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_UNSAID = ("prediction", "store", "logit_bias", "functions", "modalities", "audio", "moderation", "web_search_options")
_KNOWN = names("""model messages stream stream_options tools tool_choice parallel_tool_calls response_format max_tokens
    max_completion_tokens temperature top_p top_k stop seed n logprobs top_logprobs frequency_penalty presence_penalty
    reasoning_effort reasoning verbosity user safety_identifier metadata service_tier prompt_cache_key
    prompt_cache_options prompt_cache_retention function_call cache_control""").union(_UNSAID)
_MESSAGE = names(
    "role content name tool_calls tool_call_id refusal reasoning_content reasoning reasoning_details audio annotations "
    "function_call cache_control images"
)
_PART = names(
    "type text refusal image_url video_url document_url thinking input_audio file cache_control annotations "
    "prompt_cache_breakpoint"
)
_TEXT_FORMATS = ("", "text")


def read_request(node: Object, losses: Losses) -> CanonicalRequest:
    """Reads a request. Raises RefusedError if it is not valid, or if it says something that must not be lost."""
    _meet_unsaid(node, losses)
    return CanonicalRequest(
        model=text(node, "model"),
        turns=[turn for message in children(node, "messages") for turn in _turns(message, losses)],
        stream=flag(node, "stream") or False,
        wants_usage=flag(child(node, "stream_options"), "include_usage") or False,
        tools=[tool for item in children(node, "tools") if (tool := _tool(item, losses)) is not None],
        tool_choice=_tool_choice(node),
        parallel_calls=flag(node, "parallel_tool_calls"),
        format=_format(child(node, "response_format")),
        max_output_tokens=_most(whole(node, "max_completion_tokens"), whole(node, "max_tokens")),
        temperature=number(node, "temperature"),
        top_p=number(node, "top_p"),
        top_k=whole(node, "top_k"),
        stop=[stop] if isinstance(stop := node.get("stop"), str) else texts(node, "stop"),
        seed=whole(node, "seed"),
        choices=whole(node, "n"),
        logprobs=(whole(node, "top_logprobs") or 0) if flag(node, "logprobs") else None,
        frequency_penalty=number(node, "frequency_penalty"),
        presence_penalty=number(node, "presence_penalty"),
        reasoning=_reasoning(node),
        verbosity=text(node, "verbosity"),
        user=text(node, "safety_identifier") or text(node, "user"),
        metadata=child(node, "metadata") or None,
        service_tier=text(node, "service_tier"),
        cache_key=text(node, "prompt_cache_key"),
        cache=read_cache(node),
    )


def _meet_unsaid(node: Object, losses: Losses) -> None:
    for name in _UNSAID:
        value = node.get(name)
        if value in (None, False, {}, []) or (name == "modalities" and value == ["text"]):
            continue
        losses.meet(name)
    if node.get("prompt_cache_options") or node.get("prompt_cache_retention"):
        losses.meet("prompt_cache_options")
    if node.get("function_call"):
        losses.meet("functions")
    if rest(node, _KNOWN):
        losses.meet("other")


def _most(*limits: int | None) -> int | None:
    return max((limit for limit in limits if limit is not None), default=None)


def read_cache(node: Object) -> CacheLifetime:
    """Reads a cache mark: Anthropic's, which OpenRouter and others accept in chat too, or OpenAI's own breakpoint."""
    mark = child(node, "cache_control")
    if mark:
        return "1h" if text(mark, "ttl") == "1h" else "5m"
    return "5m" if child(node, "prompt_cache_breakpoint") else ""


def _turns(message: Object, losses: Losses) -> list[Turn]:
    role = text(message, "role")
    if rest(message, _MESSAGE):
        losses.meet("other")
    if text(message, "name") and role != "tool":
        losses.meet("name")
    content = _content(message, losses)
    if role == "tool":
        result = ToolResult(
            text(message, "tool_call_id"),
            [part for part in content if isinstance(part, (TextPart, MediaPart))],
            text(message, "name"),
            cache=read_cache(message),
        )
        return [Turn("user", [result])]
    if role not in _ROLES:
        if role == "function":
            losses.meet("functions")
        raise invalid("The `role` of a message must be system, developer, user, assistant or tool.")
    parts = _assistant(message, content, losses) if role == "assistant" else content
    return [Turn(_ROLES[role], _marked(parts, read_cache(message)))]


def _marked(parts: list[ContentPart], cache: CacheLifetime) -> list[ContentPart]:
    """Moves the mark of a message to its last part."""
    if cache and parts and isinstance(last := parts[-1], TextPart):
        return [*parts[:-1], TextPart(last.text, cache)]
    return parts


def _assistant(message: Object, content: list[ContentPart], losses: Losses) -> list[ContentPart]:
    if message.get("function_call"):
        losses.meet("functions")
    if message.get("audio"):
        losses.meet("audio")
    refusal = text(message, "refusal")
    calls: list[ContentPart] = []
    signatures: list[ContentPart] = []
    for item in children(message, "tool_calls"):
        call = read_call(item)
        signature = text(child(child(item, "extra_content"), "google"), "thought_signature")
        if signature:
            signatures.append(Thinking(signature=signature, origin="generate_content", of=call.id))
        calls.append(call)
    thoughts = read_details(message)
    known = {part.of for part in thoughts if isinstance(part, Thinking)}
    signatures = [part for part in signatures if isinstance(part, Thinking) and part.of not in known]
    return [*thoughts, *content, *([RefusalPart(refusal)] if refusal else []), *signatures, *calls]


def read_call(item: Object) -> ToolCall:
    custom = child(item, "custom")
    if custom and not child(item, "function"):
        return ToolCall(text(item, "id"), text(custom, "name"), text(custom, "input"), custom=True)
    function = child(item, "function")
    return ToolCall(text(item, "id"), text(function, "name"), text(function, "arguments"))


def _content(message: Object, losses: Losses) -> list[ContentPart]:
    content = message.get("content")
    if content is None:
        return []
    if isinstance(content, str):
        return [TextPart(content)] if content else []
    if not isinstance(content, list):
        raise invalid("`content` must be a string or a list of parts.")
    return [_part(part, losses) for part in children(message, "content")]


def _part(node: Object, losses: Losses) -> ContentPart:
    if rest(node, _PART):
        losses.meet("other")
    kind, cache = text(node, "type"), read_cache(node)
    if kind == "text":
        return TextPart(text(node, "text"), cache)
    if kind == "refusal":
        return RefusalPart(text(node, "refusal"))
    if kind == "image_url":
        image = child(node, "image_url")
        media = from_url(text(image, "url"), "image")
        return MediaPart("image", media.mime, media.data, media.url, detail=text(image, "detail"), cache=cache)
    if kind == "thinking":  # Mistral sends this type.
        return Thinking("".join(text(piece, "text") for piece in children(node, "thinking")))
    if kind == "document_url":
        return from_url(text(node, "document_url"), "document")
    if kind == "video_url":  # OpenRouter accepts this type.
        media = from_url(text(child(node, "video_url"), "url"), "video")
        return MediaPart("video", media.mime, media.data, media.url, cache=cache)
    if kind == "input_audio":
        audio = child(node, "input_audio")
        return MediaPart("audio", f"audio/{text(audio, 'format')}", text(audio, "data"), cache=cache)
    if kind == "file":
        file = child(node, "file")
        if text(file, "file_id"):
            losses.meet("file_id")
        media = from_url(text(file, "file_data"), "document")
        name = text(file, "filename")
        return MediaPart(kind_of(media.mime), media.mime, media.data, media.url, name=name, cache=cache)
    raise invalid("The `type` of a part must be text, refusal, image_url, input_audio or file.")


def _tool(item: Object, losses: Losses) -> ToolDefinition | None:
    kind = text(item, "type")
    if kind == "custom":
        custom = child(item, "custom")
        shape = child(custom, "format")
        grammar = child(shape, "grammar") if text(shape, "type") == "grammar" else None
        return ToolDefinition(text(custom, "name"), text(custom, "description"), custom=True, grammar=grammar)
    if kind != "function":
        losses.meet("hosted_tools")
        return None
    function = child(item, "function")
    return ToolDefinition(
        text(function, "name"),
        text(function, "description"),
        child(function, "parameters") or None,
        flag(function, "strict"),
        cache=read_cache(item) or read_cache(function),
    )


def _tool_choice(node: Object) -> ToolChoice | None:
    choice = node.get("tool_choice")
    if choice is None:
        return None
    if isinstance(choice, str):
        if choice not in TOOL_CHOICE_MODES:
            raise invalid("`tool_choice` must be auto, none, required, or name a tool.")
        return ToolChoice(TOOL_CHOICE_MODES[choice])
    named = child(node, "tool_choice")
    if text(named, "type") == "allowed_tools":
        allowed = child(named, "allowed_tools")
        listed = [name_of(tool) for tool in children(allowed, "tools")]
        return ToolChoice("required" if text(allowed, "mode") == "required" else "auto", listed)
    return ToolChoice("required", [name_of(named)])


def name_of(tool: Object) -> str:
    name = text(child(tool, "function") or child(tool, "custom") or tool, "name")
    if not name:
        raise invalid("`tool_choice` must be auto, none, required, or name a tool.")
    return name


def _format(node: Object) -> JsonFormat | None:
    kind = text(node, "type")
    if kind in _TEXT_FORMATS:
        return None
    if kind == "json_object":
        return JsonFormat()
    if kind != "json_schema":
        raise invalid("The `type` of `response_format` must be text, json_object or json_schema.")
    schema = child(node, "json_schema")
    return JsonFormat(
        child(schema, "schema"), text(schema, "name"), text(schema, "description"), flag(schema, "strict")
    )


def _reasoning(node: Object) -> Reasoning | None:
    """Reads OpenAI's field, or OpenRouter's object."""
    own, effort = child(node, "reasoning"), text(node, "reasoning_effort")
    effort = effort or text(own, "effort")
    budget, on = whole(own, "max_tokens"), flag(own, "enabled")
    if not effort and budget is None and on is None:
        return None
    off = effort == "none" or on is False
    return Reasoning(not off, "" if off else effort, budget, shown=bool(own) and not off and not flag(own, "exclude"))
