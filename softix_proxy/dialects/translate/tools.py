"""Tools for dialects that know only functions, and only one way to choose among them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from softix_proxy.dialects.translate.canonical import ContentPart, ToolCall, ToolChoice, ToolDefinition
from softix_proxy.dialects.translate.losses import Losses
from softix_proxy.dialects.translate.wire import encode_text, seen_object

_FIELD = "input"
_SCHEMA = {
    "type": "object",
    "properties": {_FIELD: {"type": "string"}},
    "required": [_FIELD],
    "additionalProperties": False,
}


def chosen(
    tools: Sequence[ToolDefinition], choice: ToolChoice | None
) -> tuple[Sequence[ToolDefinition], ToolChoice | None]:
    """Where only some are allowed, only those are shown: it comes to the same."""
    if choice is None or not choice.names or (choice.mode == "required" and len(choice.names) == 1):
        return tools, choice
    return [tool for tool in tools if tool.name in choice.names], choice


def as_function(tool: ToolDefinition, losses: Losses) -> ToolDefinition:
    """A tool that takes text, as a function of one text."""
    if not tool.custom:
        return tool
    losses.meet("custom_tools")
    description = tool.description
    if tool.grammar:
        description += f"\n\nThe input must fit this grammar:\n{tool.grammar.get('definition', '')}"
    return ToolDefinition(tool.name, description, _SCHEMA, cache=tool.cache, within=tool.within)


def as_function_call(call: ToolCall) -> ToolCall:
    if not call.custom:
        return call
    return ToolCall(call.id, call.name, encode_text({_FIELD: call.arguments}), cache=call.cache)


def as_custom_call(call: ContentPart) -> ContentPart:
    """Back again, once the arguments are whole."""
    if not isinstance(call, ToolCall):
        return call
    found = seen_object(call.arguments)
    value = found.get(_FIELD) if found else None
    arguments = value if isinstance(value, str) else call.arguments
    return msgspec.structs.replace(call, arguments=arguments, custom=True)
