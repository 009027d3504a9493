"""The classes of members that other servers add to OpenAI's dialect.

Read in the API references of xAI, OpenRouter, Groq, Mistral, DeepSeek, Perplexity, Alibaba, Azure, Together, Fireworks
and Moonshot, and in the servers vLLM, SGLang, llama.cpp, Ollama and LM Studio.
"""

from __future__ import annotations

from softix_proxy.dialects.request.members import MemberTable

_SEARCHES = "Searches by a chat model cannot be metered here, since its answer does not count them. Send no `{}`."

REROUTES = MemberTable(
    priced="models fallbacks",
    brings_work="preset provider route",
    refused={
        "provider": "`provider` chooses a company that may ask more than this model's price. Send the request without "
        "it; the operator limits the companies in the provider's own account.",
        "preset": "`preset` runs what is stored in the provider's account, perhaps another model. Send its settings.",
        "route": "`route` lets the provider run another model, at another price. Send the request without it.",
    },
)
"""The members by which a router runs another model, or the same one elsewhere, at another price: OpenRouter's.

`models` and `fallbacks` are refused where a request is read.
"""

SAMPLING = MemberTable(
    free="""allowed_token_ids bad_words dry_allowed_length dry_base dry_multiplier dry_penalty_last_n
    dry_sequence_breakers dynatemp_exponent dynatemp_range frequency_penalty ignore_eos length_penalty logit_bias
    min_keep min_p min_tokens mirostat mirostat_eta mirostat_lr mirostat_target mirostat_tau no_stop_trim penalize_nl
    presence_penalty random_seed repeat_last_n repeat_penalty repetition_penalty samplers seed stop stop_regex
    stop_sequences stop_token_ids temperature tfs_z top_a top_k top_n_sigma top_p typical_p use_beam_search
    xtc_probability xtc_threshold""",
)
"""How the next token is chosen. The output limit bounds what comes of it."""

SERVERS = MemberTable(
    free="""add_generation_prompt cache_control cache_prompt cache_salt citation_options compliance
    context_length_exceeded_behavior continue_final_message custom_logit_processor debug disable_tool_validation
    enable_thinking ebnf exclude_domains grammar guided_choice guided_decoding_backend guided_grammar guided_json
    guided_regex guided_whitespace_pattern image_config include_domains include_reasoning include_stop_str_in_output
    json_schema keep_alive language_preference last_updated_after_filter last_updated_before_filter logits_processors
    n_keep n_probs parse_tool_calls perf_metrics_in_response post_sampling_probs preserve_thinking priority
    prompt_logprobs prompt_mode prompt_truncate_len raw_output reasoning reasoning_budget reasoning_format
    reasoning_history regex
    request_id return_hidden_states return_images return_progress return_related_questions return_token_ids
    return_tokens_as_token_ids safe_prompt search_after_date_filter search_before_date_filter search_domain_filter
    search_language_filter search_mode search_recency_filter separate_reasoning session_id skip_special_tokens
    spaces_between_special_tokens stream_reasoning structured_outputs structural_tag t_max_predict_ms think thinking
    thinking_budget timings_per_token top_logits tool_stream transforms truncate_prompt_tokens usage
    user_security_context""",
    priced="chat_template_kwargs",
    brings_input="""add_special_tokens chat_template data_sources document_image_limit document_page_limit documents
    media_io_kwargs mm_processor_kwargs options speculation vl_high_resolution_images""",
    brings_work="""compound_custom enable_code_interpreter enable_search enable_search_classifier plugins
    response_fields safety_model search_options search_parameters search_settings vllm_xargs web_search
    web_search_options""",
    names_object="bootstrap_host bootstrap_port bootstrap_room id_slot kv_transfer_params lora lora_path",
    opens="""compound_custom id_slot kv_transfer_params safety_model search_options search_settings vllm_xargs
    web_search web_search_options""",
    fees={"web_search_options": "requests"},
    refused={
        **{name: _SEARCHES.format(name) for name in ("search_parameters", "enable_search", "plugins")},
        "enable_code_interpreter": "Code that the provider runs cannot be metered here: its answer does not count it.",
        "response_fields": "`response_fields` may take the usage out of the answer. Send the request without it.",
    },
)
"""What servers and gateways add to chat and completions.

A template, and what fills it, may say each word many times. `outside_input` judges the values that fill it, since most
are switches. The model reads Azure's `data_sources` and Groq's `documents`. A search by `web_search_options` costs a
fee for each request, which the answer does not report.
"""
