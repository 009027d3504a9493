"""Which dialects can be translated, and by which endpoints they are spoken.

Apart from `translate`, which is imported when the first request needs it: many daemons never do.
"""

from __future__ import annotations

from collections.abc import Mapping

TRANSLATED = ("chat_completions", "responses", "messages", "generate_content", "converse", "invoke", "raw_predict")
"""Dialects by the names of their endpoints; the one before is the better choice."""
CARRIED = "messages"
"""The dialect that is in an envelope."""
ENVELOPES = frozenset(("invoke", "raw_predict"))
"""Those in which a cloud takes it."""
STREAMS_BY_PATH: Mapping[str, str] = {
    "stream_generate_content": "generate_content",
    "converse_stream": "converse",
    "invoke_stream": "invoke",
    "stream_raw_predict": "raw_predict",
}
"""Endpoints that stream because of their path → their dialect."""
COUNTS: Mapping[str, str] = {
    "input_tokens": "responses",
    "count_tokens": "messages",
    "gemini_count_tokens": "generate_content",
}
"""Endpoints that count what a request would read → the dialect of that request."""
_KNOWN = frozenset(TRANSLATED)


def dialect_of(endpoint: str) -> str | None:
    """By the name of an endpoint; None for one that is not translated."""
    name = STREAMS_BY_PATH.get(endpoint, endpoint)
    return name if name in _KNOWN else None


def is_claude(model: str) -> bool:
    """By its name at any provider."""
    return "claude" in model.lower()
