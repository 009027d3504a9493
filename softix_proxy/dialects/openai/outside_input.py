"""The members of chats and completions by which the model reads more than the body shows.

Neither the bytes of the body nor the provider's usual template bounds such input. Only the context window does.

Sources: Azure's reference of "On your data"; the request models of vLLM (`entrypoints/openai/protocol.py`) and SGLang
(`srt/openai_api/protocol.py`); the README of llama.cpp's server; Cohere's and Ollama's references.
"""

from __future__ import annotations

import msgspec

from softix_proxy.dialects.request.fields import JsonMembers, fits

OUTSIDE = frozenset(
    (
        # Azure searches in these, asks the model what to search for, and puts what it finds before the messages.
        "data_sources",
        "dataSources",
        # vLLM and SGLang: a template may repeat anything any number of times, and what it repeats is written here.
        "chat_template",
        "documents",
        "add_generation_prompt",
        "continue_final_message",
        "add_special_tokens",
        # These contain images, sound, tokens or states in a form whose size says nothing.
        "mm_processor_kwargs",
        "media_io_kwargs",
        "prompt_embeds",
        "input_embeds",
        "input_ids",
        "image_data",
        "kv_transfer_params",
        "vllm_xargs",
        "session_params",
        # llama.cpp, Ollama and Cohere.
        "input_prefix",
        "input_suffix",
        "input_extra",
        "template",
        "system",
        "context",
        "connectors",
        "citation_options",
    )
)
_TEMPLATE_VALUES = "chat_template_kwargs"
NAMES = OUTSIDE | {_TEMPLATE_VALUES}
_SWITCHES = msgspec.json.Decoder(dict[str, bool | int | float | None])
"""A decoder of values that switch something in the provider's own template, such as thinking. They add no text."""


def outside_input(fields: JsonMembers) -> tuple[str, ...]:
    """Returns the members of this request that bring input. `fields` must watch NAMES."""
    if not fields.has_any(NAMES):
        return ()
    found = fields.having(OUTSIDE)
    if fields.has(_TEMPLATE_VALUES) and not fits(fields.raw(_TEMPLATE_VALUES), _SWITCHES):
        return (*found, _TEMPLATE_VALUES)
    return found
