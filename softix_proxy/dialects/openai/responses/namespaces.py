"""Translates tools in namespaces, which only responses has. In other dialects, the tool's name contains the namespace.

Codex groups the tools of each MCP server in this way: https://github.com/openai/codex/issues/26234
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from softix_proxy.dialects.canonical.json_values import Object, text
from softix_proxy.dialects.canonical.types import Namespace, ToolChoice, ToolDefinition
from softix_proxy.dialects.openai.responses.write_request import write_choice as write_flat_choice
from softix_proxy.dialects.openai.responses.write_request import write_tool

_LONGEST = 64
"""The most letters in a tool's name at OpenAI and at Gemini."""
_DIGEST = 8


def flat_name(node: Object) -> str:
    """Returns the name of a tool, a call or a choice without namespaces. It is the same in every request."""
    namespace, name = text(node, "namespace"), text(node, "name")
    return _flat(namespace, name) if namespace else name


def flat_tools(namespace: Object, tools: Iterable[ToolDefinition]) -> Iterable[ToolDefinition]:
    """Yields the tools of a namespace. The namespace's description is put before the description of its first tool."""
    name, told = text(namespace, "name"), text(namespace, "description")
    about = told
    for tool in tools:
        home = Namespace(name, tool.name, told, tool.description)
        description = f"{about}\n\n{tool.description}".strip() if about else tool.description
        yield msgspec.structs.replace(tool, name=_flat(name, tool.name), description=description, within=home)
        about = ""


def homes(tools: Sequence[ToolDefinition]) -> Mapping[str, Namespace]:
    """Returns a mapping from a tool's name in other dialects to its namespace."""
    return {tool.name: tool.within for tool in tools if tool.within is not None}


def write_tools(tools: Sequence[ToolDefinition]) -> list[Object]:
    """Writes the tools in namespaces, as the client sent them."""
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
    """Writes the choice with namespaces, as the client sent it."""
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
