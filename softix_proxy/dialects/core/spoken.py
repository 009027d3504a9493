"""Lists the dialects that can be translated, and the endpoints that speak them.

This module is separate from `translate`, which is imported only when the first request needs it. Many daemons never do.
"""

from __future__ import annotations

from collections.abc import Mapping

TRANSLATED = ("chat_completions", "responses", "messages", "generate_content", "converse", "invoke", "raw_predict")
"""The dialects by the names of their endpoints. An earlier one is a better choice than a later one."""
CARRIED = "messages"
"""The dialect that comes in an envelope."""
ENVELOPES = frozenset(("invoke", "raw_predict"))
"""The dialects in which a cloud accepts this envelope."""
STREAMS_BY_PATH: Mapping[str, str] = {
    "stream_generate_content": "generate_content",
    "converse_stream": "converse",
    "invoke_stream": "invoke",
    "stream_raw_predict": "raw_predict",
}
"""A mapping from an endpoint that streams because of its path to its dialect."""
COUNTS: Mapping[str, str] = {
    "input_tokens": "responses",
    "count_tokens": "messages",
    "gemini_count_tokens": "generate_content",
}
"""A mapping from an endpoint that counts the input tokens of a request to the dialect of that request."""
_GOOGLES_TIERS = frozenset(("standard", "flex", "priority"))
_ANTHROPICS_TIERS = frozenset(("standard",))
CARRIED_TIERS: Mapping[str, frozenset[str]] = {
    "messages": _ANTHROPICS_TIERS,
    "invoke": _ANTHROPICS_TIERS,
    "invoke_stream": _ANTHROPICS_TIERS,
    "raw_predict": _ANTHROPICS_TIERS,
    "stream_raw_predict": _ANTHROPICS_TIERS,
    "generate_content": _GOOGLES_TIERS,
    "stream_generate_content": _GOOGLES_TIERS,
    "converse": _GOOGLES_TIERS,
    "converse_stream": _GOOGLES_TIERS,
}
"""A mapping from an endpoint to the service tiers that a translated request can ask for. Others ask for any."""
_KNOWN = frozenset(TRANSLATED)


def dialect_of(endpoint: str) -> str | None:
    """Returns the dialect of an endpoint by the endpoint's name. None if it is not translated."""
    name = STREAMS_BY_PATH.get(endpoint, endpoint)
    return name if name in _KNOWN else None


def is_claude(model: str) -> bool:
    """Returns whether this is a Claude model. Its name at any provider shows it."""
    return "claude" in model.lower()
