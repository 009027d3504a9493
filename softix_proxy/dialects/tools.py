"""Tools that the provider runs itself: they cost by the call, and what they find becomes input."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from softix_proxy.dialects.fields import invalid
from softix_proxy.domain.errors import Code, RefusedError

DEFAULT_CALLS = 10
"""How many calls are set aside for where the request names no limit."""


class _Tool(msgspec.Struct):
    type: str | None = None
    max_uses: int | None = None


_TOOLS = msgspec.json.Decoder(list[_Tool] | None)


@dataclass(frozen=True, slots=True)
class Hosted:
    """Meter → the most calls; `open_input` where a tool brings in what the body does not have."""

    calls: dict[str, int]
    open_input: bool


NONE = Hosted({}, False)


def read_tools(raw: msgspec.Raw | None, client_side: tuple[str, ...], limit: int | None = None) -> Hosted:
    """Types that begin with one of `client_side`, or have none, are run by the client and cost nothing.

    `limit` is the request's own on all calls. Raises RefusedError for what is no list of tools, and for a tool that
    runs another model, whose price would not be this one's.
    """
    if raw is None:
        return NONE
    try:
        tools = _TOOLS.decode(raw) or ()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise invalid("`tools` must be a list of tools.") from None
    calls: dict[str, int] = {}
    open_input = False
    for tool in tools:
        kind = tool.type
        if kind is None or kind.startswith(client_side):
            continue
        if kind.startswith("advisor"):
            raise RefusedError(Code.ENDPOINT_NOT_METERED, "The advisor tool runs a second model, which is not metered.")
        open_input = True
        meter = "web_search_calls" if kind.startswith("web_search") else "tool_calls"
        most = tool.max_uses if tool.max_uses is not None and tool.max_uses >= 0 else DEFAULT_CALLS
        calls[meter] = calls.get(meter, 0) + (most if limit is None else 0)
    return Hosted(dict.fromkeys(calls, limit) if limit is not None else calls, open_input)
