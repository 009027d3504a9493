"""The places of each count in a usage object of OpenAI's shape: OpenAI's own, its relatives' and other gateways'.

The meaning of the names was read in the SDKs of OpenAI and Anthropic, and in the responses of LiteLLM, any-llm,
DeepSeek, Moonshot, OpenRouter, Perplexity and xAI. If a count has several places, the first one that is not zero
counts.
"""

from __future__ import annotations

from typing import NamedTuple


class CounterPath(NamedTuple):
    within: tuple[str, ...]
    """The names among the details of the prompt or of the completion."""
    beside: tuple[str, ...] = ()
    """The names at the top level, beside the totals."""


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
"""The tokens that are written to the cache for the longer lifetime.

Each place is an object within the details or beside the totals, and a name in it.
"""
REASONING = CounterPath(("reasoning_tokens",), ("reasoning_tokens",))
ANTHROPICS = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""The counts of a usage that was Anthropic's. Some gateways add them to the prompt, others leave them beside it."""
PERPLEXITYS = ("citation_tokens", "num_search_queries")
"""The counts of Perplexity.

If one of these is present, reasoning is not part of the completion, and cited text is not part of the prompt.
"""
CITED = "citation_tokens"
SEARCHES = (
    ("server_tool_use", "web_search_requests"),
    ("server_side_tool_usage_details", "web_search_calls"),
    ("", "num_search_queries"),
)
"""The counts of searches, each in an object of this name. An empty name means the top level."""
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
"""The names that are not at the top level of OpenAI's own usage.

Only if one of them is present, there is more to look for.
"""
