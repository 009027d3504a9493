"""Reads the hosted tools of a request. They cost by the call, and their results become input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from softix_proxy.dialects.request.fields import MALFORMED, JsonMembers, invalid, is_heavy, unmetered

DEFAULT_CALLS = 10
"""The number of calls to which softix limits a request that names no limit."""
TOOLS = ("tools",)
"""The members of a request with hosted tools, as `RequestSpec.members` names them."""

_WATCHED = frozenset(("type", "max_uses", "credential_id"))
_FUNCTIONS = (None, "function", "custom")
"""The types of tools that are no more than a description of what the client does."""
_DATE = re.compile(r"_\d[\d_]*$", re.ASCII)
_MOST_TOOLS = 10_000
_TOOLS = msgspec.json.Decoder(list[msgspec.Raw] | None)


class ToolBilling(NamedTuple):
    """The effect of a tool on the bill."""

    meter: str | None
    """The meter that counts its calls. None if they are free."""
    open_input: bool
    """Whether the tool adds input that is not in the body."""
    rounds: int = 0
    """The most further times that the input is read because of the tool, if no limit on its calls says so."""
    limited: bool = False
    """Whether the tool's own member `max_uses` limits its calls."""


ToolBillings = Mapping[str, ToolBilling]
"""A dialect's tool types, without the date at their end. A tool of any other type cannot be metered."""

CLIENT_SIDE = ToolBilling(None, False)
FREE = ToolBilling(None, True, 1)
SEARCH = ToolBilling("web_search_calls", True, 1)
FILE_SEARCH = ToolBilling("tool_calls", True, 1)
MAPS = ToolBilling("tool_calls", True, 1)


_NO_CALLS: Mapping[str, int] = {}


class HostedTools(NamedTuple):
    """The most calls by meter, and whether any tool adds input that is not in the body."""

    calls: dict[str, int]
    open_input: bool
    rounds: int = 1
    """The most times that the input is read."""
    unlimited: bool = False
    """Whether a tool has no limit on its calls that the client set."""
    named: tuple[msgspec.Raw, ...] = ()
    """The tools that may name things that the provider keeps: those that are no plain functions."""
    open_calls: Mapping[str, int] = _NO_CALLS
    """The number of tools without a limit that the client set, by the meter of their calls."""
    open_rounds: int = 0
    """The number of tools without such a limit that have the input read for each call."""

    def also(self, other: HostedTools, limit: int | None) -> HostedTools:
        """Returns the sum with tools from another part of the request. `limit` applies to all calls together."""
        meters = self.calls.keys() | other.calls.keys()
        most = {meter: self.calls.get(meter, 0) + other.calls.get(meter, 0) for meter in meters}
        return HostedTools(
            most if limit is None else dict.fromkeys(meters, limit),
            self.open_input or other.open_input,
            self.rounds + other.rounds - 1,
            self.unlimited or other.unlimited,
            self.named + other.named,
            {meter: self.open_calls.get(meter, 0) + other.open_calls.get(meter, 0) for meter in meters},
            self.open_rounds + other.open_rounds,
        )


_NONE = HostedTools({}, False)


def read_tools(raw: msgspec.Raw | None, kinds: ToolBillings, limit: int | None = None) -> HostedTools:
    """Reads a list of tools. A tool without a type is run by the client. `limit` is the request's limit on all calls.

    Raises RefusedError if this is no list of tools, or if no usage report contains the cost of one of them. Containers
    and code execution are paid by time. Generated images and a second model are paid at prices that are not this
    model's.
    """
    if raw is None:
        return _NONE
    try:
        tools = None if is_heavy(raw) else _TOOLS.decode(raw) or ()
    except MALFORMED:
        tools = None
    if tools is None or len(tools) > _MOST_TOOLS:
        raise invalid(f"`tools` must be a list of at most {_MOST_TOOLS} tools that fits into a context.")
    calls: dict[str, int] = {}
    open_calls: dict[str, int] = {}
    open_input = unlimited = False
    rounds, open_rounds = 1, 0
    named: list[msgspec.Raw] = []
    for tool in tools:
        fields = JsonMembers(tool, _WATCHED, "A tool")
        name = fields.text("type")
        kind = CLIENT_SIDE if name is None else kinds.get(name) or kinds.get(_DATE.sub("", name))
        if kind is None:
            raise unmetered(f"One of the tools cannot be metered here. These can: {', '.join(kinds)}.")
        open_input = open_input or kind.open_input
        if name not in _FUNCTIONS or fields.has("credential_id"):
            named.append(tool)
        if kind.meter is None and not kind.limited:
            rounds += kind.rounds
            continue
        own = fields.count("max_uses", least=0)
        unlimited = unlimited or own is None
        most = DEFAULT_CALLS if own is None else own
        rounds += most if kind.limited else kind.rounds
        open_rounds += kind.limited and own is None
        if kind.meter is not None:
            calls[kind.meter] = calls.get(kind.meter, 0) + most
            open_calls[kind.meter] = open_calls.get(kind.meter, 0) + (own is None)
    if limit is not None:
        calls = dict.fromkeys(calls, limit)
    return HostedTools(calls, open_input, rounds, unlimited, tuple(named), open_calls, open_rounds)


def with_max_uses(raw: msgspec.Raw, kinds: ToolBillings, limit: int) -> bytes:
    """Returns a list of tools that `read_tools` accepted, with this limit on each tool that has none of its own."""
    tools: list[bytes] = []
    for tool in _TOOLS.decode(raw) or ():
        fields = JsonMembers(tool, _WATCHED, "A tool")
        name = fields.text("type")
        kind = CLIENT_SIDE if name is None else kinds.get(name) or kinds.get(_DATE.sub("", name), CLIENT_SIDE)
        unlimited = kind.limited and fields.count("max_uses", least=0) is None
        tools.append(fields.replaced({"max_uses": b"%d" % limit}) if unlimited else bytes(tool))
    return b"[%b]" % b",".join(tools)
