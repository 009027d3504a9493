"""Converts tools for dialects that know only functions, and only one way to choose among them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from softix_proxy.dialects.canonical.json_values import encode_text, seen_object
from softix_proxy.dialects.canonical.losses import Losses
from softix_proxy.dialects.canonical.types import ContentPart, ToolCall, ToolChoice, ToolDefinition

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
    """Returns the tools and the choice.

    If only some tools are allowed, the others are left out, with the same effect.
    """
    if choice is None or not choice.names or (choice.mode == "required" and len(choice.names) == 1):
        return tools, choice
    return [tool for tool in tools if tool.name in choice.names], choice


def as_function(tool: ToolDefinition, losses: Losses) -> ToolDefinition:
    """Converts a tool that takes text into a function of one text."""
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
    """Converts a call of such a function back, once its arguments are complete."""
    if not isinstance(call, ToolCall):
        return call
    found = seen_object(call.arguments)
    value = found.get(_FIELD) if found else None
    arguments = value if isinstance(value, str) else call.arguments
    return msgspec.structs.replace(call, arguments=arguments, custom=True)
