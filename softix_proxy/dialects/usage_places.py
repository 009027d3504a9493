"""Where a usage of OpenAI's shape has each count: OpenAI's own, its relatives', and that of gateways to others.

What the names mean was read in the SDKs of OpenAI and Anthropic, and in what LiteLLM, any-llm, DeepSeek, Moonshot,
OpenRouter, Perplexity and xAI answer. Of several places the first that tells more than nothing counts.
"""

from __future__ import annotations

from typing import NamedTuple


class CounterPath(NamedTuple):
    within: tuple[str, ...]
    """Names among the details of the prompt, or of the completion."""
    beside: tuple[str, ...] = ()
    """Names at the top, beside the totals."""


DETAILS_IN = ("prompt_tokens_details", "input_tokens_details")
DETAILS_OUT = ("completion_tokens_details", "output_tokens_details")
ASKED = ("prompt_tokens", "input_tokens")
ANSWERED = ("completion_tokens", "output_tokens")
WHOLE = "total_tokens"

CACHED = CounterPath(("cached_tokens",), ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"))
WRITTEN = CounterPath(
    ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens"), ("cache_creation_input_tokens",)
)
LONG = (
    ("cache_write_tokens_details", "ttl_12h_tokens"),
    ("cache_creation_token_details", "ephemeral_1h_input_tokens"),
    ("cache_creation", "ephemeral_1h_input_tokens"),
)
"""What of the cache is written for longer, by an object within the details or beside the totals."""
REASONING = CounterPath(("reasoning_tokens",), ("reasoning_tokens",))
ANTHROPICS = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Of a count that was Anthropic's. Some gateways have put these into the prompt, others leave them beside it."""
PERPLEXITYS = ("citation_tokens", "num_search_queries")
"""Where one of these is, thoughts stand outside the completion, and what was cited outside the prompt."""
CITED = "citation_tokens"
SEARCHES = (
    ("server_tool_use", "web_search_requests"),
    ("server_side_tool_usage_details", "web_search_calls"),
    ("", "num_search_queries"),
)
"""Calls of searches, in an object of this name or, where it is empty, at the top."""
RARE = frozenset(
    (
        *CACHED.beside,
        *WRITTEN.beside,
        *REASONING.beside,
        *PERPLEXITYS,
        *(name for name, _ in LONG),
        *(holder for holder, _ in SEARCHES if holder),
    )
)
"""What stands at the top of none of OpenAI's own answers: only where one of these is, there is more to look for."""
