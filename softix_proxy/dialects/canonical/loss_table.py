"""The table of losses. `losses.py` uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Loss(NamedTuple):
    fate: str
    reason: str
    clients: tuple[str, ...] = ()
    """The dialects that the loss concerns.

    For a request: the dialects of clients that can say it. Empty for every dialect whose own table does not have it.
    For a response: the dialects of providers that say it.
    """
    kept_by: tuple[str, ...] = ()
    """The dialects of clients that receive this part of a response."""


NAMES: Mapping[str, str] = {
    "chat_completions": "OpenAI chat",
    "responses": "OpenAI responses",
    "messages": "Anthropic messages",
    "generate_content": "Gemini generateContent",
    "converse": "Bedrock Converse",
}
"""A mapping from a dialect, by the name of its endpoint, to its usual name."""

_OTHER = Loss("dropped", "members that softix does not know")
_HOSTED = Loss("dropped", "tools that a provider runs itself are its own; the client's other tools stay")
_ONLY_HOSTED = Loss("refused", "it asks for tools that only another provider runs. Send tools that the client runs.")
_FILE = Loss("refused", "files are stored at the provider that they were sent to. Send the data itself.")
_STORE = Loss("dropped", "nothing is stored with a provider of another dialect")
_MODERATION = Loss("refused", "only OpenAI moderates on the way. Send the request without it.")
_CACHE_OPTIONS = Loss("dropped", "how long a prompt is kept is a matter of each provider")

READING: Mapping[str, Mapping[str, Loss]] = {
    "chat_completions": {
        "audio": Loss("refused", "no other dialect answers with sound. Ask for text."),
        "file_id": _FILE,
        "functions": Loss("refused", "`functions` are of an older form. Send `tools`."),
        "hosted_tools": _HOSTED,
        "logit_bias": Loss("refused", "no other dialect can force or forbid tokens. Send the request without it."),
        "modalities": Loss("refused", "no other dialect answers with sound. Ask for text."),
        "moderation": _MODERATION,
        "name": Loss("dropped", "no other dialect tells speakers of one role apart"),
        "only_hosted_tools": _ONLY_HOSTED,
        "other": _OTHER,
        "prediction": Loss("dropped", "no other dialect takes a predicted answer; it is only slower without"),
        "prompt_cache_options": _CACHE_OPTIONS,
        "store": _STORE,
        "web_search_options": Loss("refused", "searches are run by the provider that offers them."),
    },
    "messages": {
        "citations": Loss("dropped", "no other dialect cites passages of a document"),
        "compaction": Loss("dropped", "only Anthropic shortens the conversation on its side"),
        "container": Loss("refused", "containers are stored at the provider that made them."),
        "context_management": Loss("dropped", "only Anthropic shortens the conversation on its side"),
        "file_id": _FILE,
        "hosted_tool_results": Loss("dropped", "what a provider's own tools found is readable to that provider only"),
        "hosted_tools": _HOSTED,
        "input_examples": Loss("dropped", "no other dialect takes examples of a tool's input"),
        "mcp_servers": Loss("refused", "only Anthropic calls MCP servers itself. Run them in the client."),
        "only_hosted_tools": _ONLY_HOSTED,
        "other": _OTHER,
        "search_result": Loss("approximated", "becomes text with its title and source"),
        "speed": Loss("dropped", "only Anthropic has a faster mode"),
        "thread": Loss("refused", "threads are stored at the provider that made them."),
        "user_profile_id": Loss("dropped", "profiles are a matter of Anthropic's"),
    },
    "responses": {
        "conversation": Loss("refused", "conversations are stored at OpenAI. Send all of it as `input`."),
        "context_management": Loss("dropped", "only OpenAI shortens the conversation on its side"),
        "file_id": _FILE,
        "hosted_tool_results": Loss("dropped", "what a provider's own tools found is readable to that provider only"),
        "hosted_tools": _HOSTED,
        "include": Loss("dropped", "asks for what only OpenAI's own tools give"),
        "item_reference": Loss("refused", "items are stored at OpenAI. Send the item itself."),
        "max_tool_calls": Loss("dropped", "counts calls of tools that OpenAI runs"),
        "moderation": _MODERATION,
        "only_hosted_tools": _ONLY_HOSTED,
        "other": _OTHER,
        "previous_response_id": Loss(
            "refused", "earlier answers are kept only by OpenAI. Send the whole conversation as `input`."
        ),
        "prompt": Loss("refused", "prompts are stored at OpenAI. Send the text itself."),
        "prompt_cache_options": _CACHE_OPTIONS,
        "store": _STORE,
        "truncation": Loss("dropped", "no other dialect shortens a conversation that is too long"),
    },
    "generate_content": {
        "cached_content": Loss("refused", "cached contents are stored at Google. Send the content itself."),
        "code_execution": Loss("dropped", "code that Google ran is of use to Google's models only"),
        "file_id": _FILE,
        "hosted_tools": _HOSTED,
        "labels": Loss("dropped", "labels are a matter of Google's bills"),
        "media_resolution": Loss("dropped", "no other dialect sets it for all media at once"),
        "only_hosted_tools": _ONLY_HOSTED,
        "other": _OTHER,
        "response_modalities": Loss("refused", "no other dialect answers with sound or images. Ask for text."),
        "safety_settings": Loss("dropped", "other providers have filters of their own"),
        "speech_config": Loss("refused", "no other dialect answers with sound. Ask for text."),
        "video_metadata": Loss("dropped", "no other dialect cuts videos"),
    },
}

_THINKING = Loss("dropped", "thoughts of another provider's model mean nothing to this one")
_BUDGET = Loss(
    "approximated",
    "becomes the nearest effort: up to 4,096 low, 12,288 medium, else high",
    ("chat_completions", "messages", "generate_content"),
)
_AUDIO = Loss("refused", "it takes no sound. Send text.")
_VIDEO = Loss("refused", "it takes no videos. Send text or images.")
_PREFILL = Loss("approximated", "a last turn of the assistant is not continued, but answered")
_TEXT_DOCUMENT = Loss("approximated", "becomes a text with its title", ("messages",))
_CONTEXT = Loss("dropped", "documents have no context there", ("messages",))
_TOP_K = Loss("dropped", "there is no `top_k` there")
_IS_ERROR = Loss(
    "dropped", "a tool's result is not marked as an error; its text says so", ("messages", "generate_content")
)
_REASONING = Loss("dropped", "the model does not reason")
_CACHE = Loss("dropped", "OpenAI and its relatives cache long prompts unasked")
_ASSISTANT_MEDIA = Loss("dropped", "the assistant's turns hold text only")
_LATER_SYSTEM = Loss(
    "approximated",
    "becomes a text of the user in `<system>` tags, at its place",
    ("chat_completions", "responses", "messages"),
)
_CUSTOM = Loss(
    "approximated",
    "becomes a function of one text; a grammar goes into its description",
    ("chat_completions", "responses"),
)
_FORCED_TOOL = Loss("dropped", "Anthropic's models do not think where a tool is forced")
_NO_LOGPROBS = Loss("refused", "it reports no probabilities.")
_ONE_ANSWER = Loss("refused", "it gives one answer. Send as many requests.")
_NO_CACHE_KEYS = Loss("dropped", "there are no keys of caches there")
_EFFORT_IN_TOKENS = Loss("approximated", "models before Claude 4.6 think by tokens: 1,024 to 32,768")
_TEMPERATURE = Loss("approximated", "it ends at 1 there")
_TEMPERATURE_WITH_THINKING = Loss("dropped", "models that think take no temperature there")
_NO_ROOM = Loss("dropped", "thinking takes more than 1,024 tokens, which the limit must exceed")
_JSON_OBJECT = Loss(
    "approximated",
    "becomes a sentence in the system's text",
    ("chat_completions", "responses", "generate_content"),
)
_NO_PENALTIES = Loss("dropped", "there are no penalties there")
_NO_SEED = Loss("dropped", "there is no seed there")
_NO_TIER = Loss("dropped", "there is no such tier there")
_NO_VERBOSITY = Loss("dropped", "there is no such measure there")
_MEDIA_URL = Loss("refused", "AWS fetches nothing. Send images and documents as data.")

WRITING: Mapping[str, Mapping[str, Loss]] = {
    "chat_completions": {
        "assistant_media": _ASSISTANT_MEDIA,
        "audio": Loss("refused", "it takes WAV and MP3 only, as data."),
        "cache_control": _CACHE,
        "document_context": _CONTEXT,
        "document_url": Loss("refused", "it takes documents as data only."),
        "is_error": _IS_ERROR,
        "prefill": _PREFILL,
        "reasoning": _REASONING,
        "text_document": _TEXT_DOCUMENT,
        "thinking": _THINKING,
        "thinking_budget": _BUDGET,
        "tool_result_media": Loss("approximated", "follows in a message of the user"),
        "top_k": _TOP_K,
        "video": _VIDEO,
    },
    "responses": {
        "assistant_media": _ASSISTANT_MEDIA,
        "audio": _AUDIO,
        "cache_control": _CACHE,
        "document_context": _CONTEXT,
        "frequency_penalty": _NO_PENALTIES,
        "is_error": _IS_ERROR,
        "n": _ONE_ANSWER,
        "prefill": _PREFILL,
        "presence_penalty": _NO_PENALTIES,
        "reasoning": _REASONING,
        "seed": _NO_SEED,
        "stop": Loss("refused", "it has no stop sequences."),
        "text_document": _TEXT_DOCUMENT,
        "thinking": _THINKING,
        "thinking_budget": _BUDGET,
        "top_k": _TOP_K,
        "video": _VIDEO,
    },
    "messages": {
        "audio": _AUDIO,
        "custom_tools": _CUSTOM,
        "forced_tool_with_thinking": _FORCED_TOOL,
        "frequency_penalty": _NO_PENALTIES,
        "json_object": _JSON_OBJECT,
        "later_system": _LATER_SYSTEM,
        "logprobs": _NO_LOGPROBS,
        "metadata": Loss("dropped", "only a user id is taken there"),
        "n": _ONE_ANSWER,
        "no_output_limit": Loss("approximated", "a limit is required there: the most of the model, or 8,192 tokens"),
        "presence_penalty": _NO_PENALTIES,
        "prompt_cache_key": _NO_CACHE_KEYS,
        "reasoning_effort": _EFFORT_IN_TOKENS,
        "seed": _NO_SEED,
        "service_tier": _NO_TIER,
        "temperature": _TEMPERATURE,
        "temperature_with_thinking": _TEMPERATURE_WITH_THINKING,
        "thinking": _THINKING,
        "thinking_without_room": _NO_ROOM,
        "verbosity": _NO_VERBOSITY,
        "video": _VIDEO,
    },
    "generate_content": {
        "cache_control": Loss("dropped", "Gemini caches long prompts unasked"),
        "custom_tools": _CUSTOM,
        "document_context": _CONTEXT,
        "image_detail": Loss("dropped", "the resolution is set for all media at once there"),
        "later_system": _LATER_SYSTEM,
        "metadata": Loss("dropped", "there is no metadata there"),
        "parallel_calls": Loss("dropped", "the model decides how many tools it calls"),
        "prefill": _PREFILL,
        "prompt_cache_key": _NO_CACHE_KEYS,
        "reasoning_effort": Loss(
            "approximated",
            "Gemini 3 knows no more than `high` and, as Pro, no less than `low`; before it, tokens count",
        ),
        "service_tier": _NO_TIER,
        "strict": Loss("dropped", "arguments are not forced to fit their schema"),
        "text_document": _TEXT_DOCUMENT,
        "thinking": _THINKING,
        "tool_result_media": Loss("approximated", "follows the result in the same turn"),
        "user": Loss("dropped", "there is no field for a user"),
        "verbosity": _NO_VERBOSITY,
    },
    "converse": {
        "cache_control": Loss("dropped", "only Claude and Nova keep prompts there", ("messages",)),
        "custom_tools": _CUSTOM,
        "forced_tool_with_thinking": _FORCED_TOOL,
        "frequency_penalty": _NO_PENALTIES,
        "json_object": _JSON_OBJECT,
        "later_system": _LATER_SYSTEM,
        "logprobs": _NO_LOGPROBS,
        "media_type": Loss("refused", "it does not take every type of media. Send PNG, JPEG, GIF, WebP, PDF or text."),
        "media_url": _MEDIA_URL,
        "metadata": Loss("dropped", "there is no metadata for the provider to see"),
        "n": _ONE_ANSWER,
        "parallel_calls": Loss("dropped", "the model decides how many tools it calls"),
        "presence_penalty": _NO_PENALTIES,
        "prompt_cache_key": _NO_CACHE_KEYS,
        "reasoning": Loss("dropped", "only Claude and gpt-oss are told there how to reason"),
        "reasoning_effort": _EFFORT_IN_TOKENS,
        "seed": _NO_SEED,
        "service_tier": _NO_TIER,
        "temperature": _TEMPERATURE,
        "temperature_with_thinking": _TEMPERATURE_WITH_THINKING,
        "thinking": _THINKING,
        "thinking_without_room": _NO_ROOM,
        "tool_choice": Loss("approximated", "where tools were used before, to call none becomes a sentence"),
        "tools_of_before": Loss("approximated", "tools that the conversation used are declared again, by their names"),
        "top_k": Loss("dropped", "only Claude and Nova take it there", ("messages", "generate_content")),
        "user": Loss("dropped", "there is no field for a user"),
        "verbosity": _NO_VERBOSITY,
    },
}
CARRIED: Mapping[str, Mapping[str, Loss]] = {
    "invoke": {
        "anthropic_beta": Loss("dropped", "AWS refuses features that it does not know"),
        "media_url": _MEDIA_URL,
    },
    "raw_predict": {},
}
"""The further losses of a cloud that carries Anthropic's messages, in addition to those of messages."""

ANSWERS: Mapping[str, Loss] = {
    "citations": Loss(
        "dropped",
        "each dialect cites in its own way",
        ("chat_completions", "responses", "messages", "generate_content", "converse"),
    ),
    "images": Loss(
        "dropped",
        "there is no place for an image",
        ("generate_content", "chat_completions", "converse"),
        ("chat_completions", "generate_content", "responses"),
    ),
    "system_fingerprint": Loss("dropped", "no other dialect has one", ("chat_completions",)),
}
"""The parts of a response that are lost.

No header can list them, since the headers of a stream are sent before these parts come.
"""
