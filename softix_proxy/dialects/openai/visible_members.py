"""The members of OpenAI's requests that hide nothing of what a streamed response costs."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.dialects.request.hiding import ANY_SIZE

_LONGEST_STOP_BYTES = 64
"""The longest stop sequences. Servers hold back as much text as could be the beginning of one."""
_SAMPLING = (
    "model",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "top_logprobs",
    "logprobs",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
)
_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")
_STOP = {"stop": _LONGEST_STOP_BYTES}

CHAT: Mapping[str, int] = {
    **dict.fromkeys(
        (
            *_SAMPLING,
            *_TOOLS,
            "messages",
            "max_tokens",
            "max_completion_tokens",
            "n",
            "response_format",
            "reasoning_effort",
            "verbosity",
        ),
        ANY_SIZE,
    ),
    **_STOP,
}
"""The members of chat completions, with the largest size of each in bytes.

`prediction` and `best_of` are not among them: their rejected parts are billed and never sent. `logit_bias` and
`ignore_eos` can make a model produce tokens that have no text.
"""
COMPLETIONS: Mapping[str, int] = {
    **dict.fromkeys((*_SAMPLING, "prompt", "suffix", "max_tokens", "n", "echo"), ANY_SIZE),
    **_STOP,
}
RESPONSES: Mapping[str, int] = dict.fromkeys(
    (*_SAMPLING, "input", "instructions", "max_output_tokens", "text", "truncation", "include", "reasoning"), ANY_SIZE
)
"""The members of responses. Tools are not among them, because the events of a call's arguments do not name it."""
