"""Decides which fields of a body may be left out if a provider refuses them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from softix_proxy.domain.core.errors import BadInputError

NEVER = frozenset(
    [
        # These fields say what is requested, and from which model.
        "model",
        "models",
        "fallbacks",
        "messages",
        "input",
        "prompt",
        "prompt_embeds",
        "prediction",
        "content",
        "contents",
        "system",
        "systemInstruction",
        "system_instruction",
        "cachedContent",
        "cached_content",
        "generateContentRequest",
        "generate_content_request",
        "requests",
        "documents",
        "query",
        "functions",
        "tool_choice",
        "function_call",
        "stream",
        "stream_format",
        "echo",
        "conversation",
        "previous_response_id",
        "previousInteractionId",
        "previous_interaction_id",
        "environment",
        "modelArmorConfig",
        "model_armor_config",
        "container",
        "context_management",
        "compaction",
        "thread",
        "mcp_servers",
        "background",
        "data_sources",
        "dataSources",
        "chat_template",
        "chat_template_kwargs",
        "add_generation_prompt",
        "continue_final_message",
        "add_special_tokens",
        "mm_processor_kwargs",
        "media_io_kwargs",
        "input_embeds",
        "input_ids",
        "image_data",
        "kv_transfer_params",
        "vllm_xargs",
        "session_params",
        "input_prefix",
        "input_suffix",
        "input_extra",
        "template",
        "context",
        "connectors",
        "citation_options",
        # These fields bound the cost.
        "n",
        "best_of",
        "n_predict",
        "num_predict",
        "max_new_tokens",
        "candidateCount",
        "candidate_count",
        "generationConfig",
        "generation_config",
        # These fields have a price.
        "service_tier",
        "serviceTier",
        "speed",
        "inference_geo",
        "billing_policy",
        "tools",
        "plugins",
        "web_search_options",
        "search_parameters",
        "enable_search",
        "size",
        "quality",
        "image",
        "images",
        "mask",
        "partial_images",
        "output_format",
        "modalities",
        "audio",
        "speechConfig",
        "speech_config",
        "prompt_cache_options",
        "fallback_credit_token",
        "instructions",
        "anthropic_version",
        "anthropic_beta",
    ]
)
_BOUNDING = re.compile(r"max|limit|budget|tier|price|billing", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def checked_field(text: str) -> str:
    """Returns the name of a field that may be left out.

    Raises BadInputError for fields that decide what is requested, what bounds the cost, and what has a price.
    """
    if not _NAME.fullmatch(text):
        raise BadInputError("not the name of a field", "write one as it stands in bodies, for example stream_options")
    if not may_be_dropped(text):
        raise BadInputError(
            f"{text} decides what a request is or costs, so it is never left out",
            "drop other fields only, or have the client leave it out",
        )
    return text


def may_be_dropped(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in NEVER and _BOUNDING.search(name) is None


def changed(fields: Iterable[str], drop: Iterable[str], keep: Iterable[str]) -> tuple[str, ...]:
    """Returns the fields with those of `drop` added and those of `keep` removed. Raises BadInputError."""
    kept = frozenset(keep)
    known = dict.fromkeys((*fields, *map(checked_field, drop)))
    return tuple(name for name in known if name not in kept)
