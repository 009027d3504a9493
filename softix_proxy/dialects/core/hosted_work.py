"""Reads the work of OpenAI's hosted tools from a response. The request or a stored prompt may have enabled them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from softix_proxy.dialects.core.tokens import count
from softix_proxy.dialects.request.fields import MALFORMED

UNKNOWN_TOOL = "unknown_tool"
_NOT_SEARCHES = ("open_page", "find_in_page")
"""The actions of a web search call that are not charged."""
_COUNTED: Mapping[str, str] = {"web_search": "web_search_calls", "file_search": "tool_calls"}
_UNPRICED: Mapping[str, str] = {
    "image_generation": "image_generation",
    "image_gen": "image_generation",
    "code_interpreter": "code_interpreter",
    "shell": "shell",
}
"""The tools that are paid by the container's time or at another model's price. No meter of this model counts them."""
_FREE = frozenset(
    (
        "function",
        "custom_tool",
        "computer",
        "local_shell",
        "apply_patch",
        "mcp",
        "tool_search",
    )
)
_CALL = "_call"


class HostedWork(NamedTuple):
    calls: Mapping[str, int]
    """A mapping from a meter to the number of calls. It has no entries of zero."""
    unpriced: tuple[str, ...]
    """The work that no meter counts, by softix's own names."""


class _Output(msgspec.Struct):
    type: Any = None
    action: Any = None
    environment: Any = None


_OUTPUT = msgspec.json.Decoder(list[_Output])


def hosted_work(output: msgspec.Raw, tool_usage: object) -> HostedWork:
    """Returns the work of hosted tools.

    Reported numbers count. The items of the output count only for a tool without a reported number, since some items
    are not billed.
    """
    try:
        items: Sequence[_Output] = _OUTPUT.decode(output)
    except MALFORMED:
        items = ()
    seen: dict[str, int] = {}
    for item in items:
        if isinstance(item.type, str) and item.type.endswith(_CALL) and _is_paid(item):
            tool = item.type.removesuffix(_CALL)
            seen[tool] = seen.get(tool, 0) + 1
    told = _told(tool_usage)
    calls = {meter: told.get(tool, seen.get(tool, 0)) for tool, meter in _COUNTED.items()}
    others = [tool for tool, number in (seen | told).items() if number and tool not in _COUNTED]
    unpriced = dict.fromkeys(_UNPRICED.get(tool, UNKNOWN_TOOL) for tool in others if tool not in _FREE)
    return HostedWork({meter: number for meter, number in calls.items() if number}, tuple(unpriced))


def _is_paid(item: _Output) -> bool:
    """Returns whether a call is paid.

    A search call that only looks at earlier results is free, and so is a shell that the client runs.
    """
    if item.type == "web_search_call":
        return _kind(item.action) not in _NOT_SEARCHES
    return item.type != "shell_call" or _kind(item.environment) not in (None, "local")


def _kind(value: object) -> object:
    return value.get("type") if isinstance(value, dict) else None


def _told(tool_usage: object) -> dict[str, int]:
    """Returns the number of requests of each tool, or of its tokens if the report has no requests."""
    if not isinstance(tool_usage, dict):
        return {}
    told = {}
    for tool, usage in tool_usage.items():
        number = count(usage, "num_requests", "num_calls", "total_tokens", "output_tokens")
        if number is not None:
            told[tool] = number
    return told
