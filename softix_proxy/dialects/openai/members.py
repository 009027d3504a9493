"""The classes of the members that OpenAI's SDK can send, for each endpoint (openai 3.57.0, `openai.types`).

`scripts/check_members.py` compares these tables with the types of the installed SDK. Members of other servers that
speak OpenAI's dialect are in `relatives.py`.
"""

from __future__ import annotations

from softix_proxy.dialects.openai.relatives import REROUTES, SAMPLING, SERVERS
from softix_proxy.dialects.request.members import MemberTable

_LABELS = "metadata safety_identifier user"
_CACHE = MemberTable(free="prompt_cache_retention", priced="prompt_cache_options", names_object="prompt_cache_key")
"""Writes to the cache are metered. A key for it is shared by all who name the same one."""
_DEFERRED = "`{}` cannot be metered here, since the answer is fetched later. Send the request without it."

CHAT = MemberTable(
    REROUTES,
    SAMPLING,
    SERVERS,
    _CACHE,
    free=f"""{_LABELS} echo function_call logprobs parallel_tool_calls reasoning_effort response_format store
    stream stream_options tool_choice top_logprobs verbosity""",
    priced="""audio best_of functions max_completion_tokens max_tokens messages modalities model n n_predict prediction
    service_tier""",
    brings_work="deferred moderation tools",
    refused={"deferred": _DEFERRED.format("deferred")},
)
"""Chat completions. A moderation by `omni-moderation` is free; `deferred` is xAI's."""

COMPLETIONS = MemberTable(
    REROUTES,
    SAMPLING,
    SERVERS,
    free=f"{_LABELS} echo logprobs stream stream_options suffix",
    priced="best_of max_completion_tokens max_tokens model n n_predict prompt service_tier",
    brings_input="prompt_embeds",
)

RESPONSES = MemberTable(
    REROUTES,
    SAMPLING,
    SERVERS,
    _CACHE,
    free=f"""{_LABELS} access_programs client_metadata image include parallel_tool_calls reasoning store stream
    stream_options text tool_choice top_logprobs truncation""",
    priced="input instructions max_output_tokens max_tool_calls model service_tier",
    brings_input="chat_template_kwargs context_management",
    brings_work="background background_options deferred moderation tools",
    names_object="conversation previous_response_id prompt",
    opens="conversation previous_response_id prompt",
    refused={"deferred": _DEFERRED.format("deferred")},
)
"""Responses. Codex sends `client_metadata`. Without `background`, `background_options` change nothing."""

INPUT_TOKENS = MemberTable(RESPONSES, free="personality")
"""Counts of input tokens, which cost nothing."""

EMBEDDINGS = MemberTable(
    REROUTES,
    free=f"""{_LABELS} dimensions embed_type embedding_type embedding_types encoding_format input_type late_chunking
    normalized output_dimension output_dtype priority request_id stream stream_options task truncate truncation
    truncate_prompt_tokens""",
    priced="input model service_tier",
    brings_input="add_special_tokens chat_template chat_template_kwargs messages mm_processor_kwargs prompt_name",
)

MODERATIONS = MemberTable(REROUTES, free=f"{_LABELS} stream", priced="input model service_tier")

_IMAGES = MemberTable(
    free=f"""{_LABELS} background moderation output_compression output_format response_format seed stream style
    negative_prompt""",
    priced="model models fallbacks n partial_images prompt quality service_tier size",
    brings_work="complexity frame_count frame_duration_ms svg",
    refused={
        "svg": "`svg` has another model write the image, at a price that is not this model's. Leave it out.",
        "frame_count": "Moving images cannot be bounded here: send no `frame_count`, and another `output_format`.",
    },
)
IMAGES = MemberTable(REROUTES, _IMAGES)
IMAGE_EDITS = MemberTable(REROUTES, _IMAGES, free="input_fidelity", priced="image markup mask")
IMAGE_VARIATIONS = MemberTable(REROUTES, _IMAGES, priced="image")

SPEECH = MemberTable(
    REROUTES,
    free=f"{_LABELS} instructions language response_format sample_rate speed stream stream_format",
    priced="input model service_tier",
    names_object="voice",
)
"""Speech. A voice is a name of OpenAI's, or the id of one that an account has made."""

TRANSLATIONS = MemberTable(free="prompt response_format stream temperature", priced="fallbacks file model models url")
TRANSCRIPTIONS = MemberTable(
    TRANSLATIONS,
    free="""chunking_strategy diarize include keywords known_speaker_names known_speaker_references language languages
    timestamp_granularities user""",
)

RERANK = MemberTable(
    REROUTES,
    free=f"{_LABELS} priority rank_fields return_documents stream top_k top_n truncate truncation",
    priced="documents input max_chunks_per_doc max_tokens_per_doc model query service_tier",
    brings_input="instruction truncate_prompt_tokens",
)
"""Rerank, as Cohere, Jina, Voyage and self-hosted servers have it. OpenAI's SDK has no such call."""

REALTIME = MemberTable(
    free="""id include instructions max_response_output_tokens max_output_tokens metadata modalities object
    output_modalities reasoning input_audio_format input_audio_noise_reduction output_audio_format parallel_tool_calls
    speed temperature tool_choice tracing truncation turn_detection type""",
    priced="audio fallbacks input model models service_tier stream",
    brings_work="input_audio_transcription tools",
    names_object="conversation prompt voice",
)
"""A session of Realtime, or one of its responses. The context bounds the input of each response."""
