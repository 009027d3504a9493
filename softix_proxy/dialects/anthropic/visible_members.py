"""The members of Anthropic's requests that hide nothing of what a streamed response costs."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.dialects.request.hiding import ANY_SIZE

MESSAGES: Mapping[str, int] = {
    **dict.fromkeys(
        (
            "model",
            "messages",
            "system",
            "max_tokens",
            "stream",
            "temperature",
            "top_p",
            "top_k",
            "metadata",
            "service_tier",
            "thinking",
            "tools",
            "tool_choice",
        ),
        ANY_SIZE,
    ),
    "stop_sequences": 64,
}
"""The members of messages, with the largest size of each in bytes. Servers hold back text that could be a stop."""
CACHES = b'"cache_control"'
"""The member anywhere in a body that makes input cost more than its tokens, which only the response reports."""
