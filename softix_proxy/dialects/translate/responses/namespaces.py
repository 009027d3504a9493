"""Tools in namespaces, which only responses has: elsewhere each is a tool that has the namespace in its name.

Codex groups the tools of each MCP server so: https://github.com/openai/codex/issues/26234
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from softix_proxy.dialects.translate.canonical import Namespace, ToolChoice, ToolDefinition
from softix_proxy.dialects.translate.responses.write_request import write_choice as write_flat_choice
from softix_proxy.dialects.translate.responses.write_request import write_tool
from softix_proxy.dialects.translate.wire import Object, text

_LONGEST = 64
"""Letters of a tool's name, at OpenAI and at Gemini."""
_DIGEST = 8


def flat_name(node: Object) -> str:
    """Of a tool, a call or a choice; the same each time that it is sent."""
    namespace, name = text(node, "namespace"), text(node, "name")
    return _flat(namespace, name) if namespace else name


def flat_tools(namespace: Object, tools: Iterable[ToolDefinition]) -> Iterable[ToolDefinition]:
    """What is said of the namespace stands before what is said of its first tool."""
    name, told = text(namespace, "name"), text(namespace, "description")
    about = told
    for tool in tools:
        home = Namespace(name, tool.name, told, tool.description)
        description = f"{about}\n\n{tool.description}".strip() if about else tool.description
        yield msgspec.structs.replace(tool, name=_flat(name, tool.name), description=description, within=home)
        about = ""


def homes(tools: Sequence[ToolDefinition]) -> Mapping[str, Namespace]:
    """A tool's name elsewhere → where it is at home."""
    return {tool.name: tool.within for tool in tools if tool.within is not None}


def write_tools(tools: Sequence[ToolDefinition]) -> list[Object]:
    """As the client gave them."""
    written: list[Object] = []
    groups: dict[str, Object] = {}
    for tool in tools:
        home = tool.within
        if home is None:
            written.append(write_tool(tool))
            continue
        if home.name not in groups:
            groups[home.name] = {"type": "namespace", "name": home.name, "description": home.description, "tools": []}
            written.append(groups[home.name])
        own = msgspec.structs.replace(tool, name=home.tool, description=home.tool_description)
        groups[home.name]["tools"].append(write_tool(own))
    return written


def write_choice(choice: ToolChoice | None, tools: Sequence[ToolDefinition]) -> str | Object | None:
    """As the client gave it."""
    written, at_home = write_flat_choice(choice, tools), homes(tools)
    if isinstance(written, dict) and at_home:
        listed = written["tools"] if written["type"] == "allowed_tools" else [written]
        for item in listed:
            if (home := at_home.get(item["name"])) is not None:
                item |= {"namespace": home.name, "name": home.tool}
    return written


def _flat(namespace: str, name: str) -> str:
    whole = f"{namespace}__{name}"
    if len(whole) <= _LONGEST:
        return whole
    return f"{whole[: _LONGEST - _DIGEST - 1]}_{hashlib.sha256(whole.encode()).hexdigest()[:_DIGEST]}"
