"""What a client may put into a request so that the provider's count is higher than what softix holds for it.

Each row is one part of a request of one dialect, with what it costs at most. Rows of a dialect are mixed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from support.adversary import (
    CONTEXT_TOKENS,
    REMOVED,
    WIDE_CONTEXT_TOKENS,
    Attack,
    Sent,
    both,
    called,
    fields,
    limit,
    opens,
    output,
    rounds,
    say,
    text,
    texts,
    words,
)

CHAT_LIMITS = ("max_completion_tokens", "max_tokens", "n_predict")
OTHER_LIMITS = ("max_new_tokens", "max_output_tokens", "max_gen_len", "num_predict", "max_length")
"""What other servers of the dialect obey."""
PAGE = "https://example.org/picture.png"
ANTHROPIC_ROUNDS = 10

_SPEECH_BYTES_A_MS = 8
"""Of MP3 at 64 kbit/s."""
_SILENCE_MS_A_BYTE = 20
"""Of Opus that says hardly anything: 400 bit/s."""
BASE: Mapping[str, Attack] = {
    base.endpoint: base
    for base in (
        Attack(
            "text",
            "chat_completions",
            lambda chance: {"model": "llama", "messages": say(chance), "max_tokens": limit(chance)},
            both(text, output(*CHAT_LIMITS, times=("n", "best_of"))),
        ),
        Attack(
            "text",
            "completions",
            lambda chance: {"model": "llama", "prompt": words(chance), "max_tokens": limit(chance)},
            both(text, output(*CHAT_LIMITS, times=("n", "best_of"))),
        ),
        Attack(
            "text",
            "responses",
            lambda chance: {"model": "llama", "input": words(chance), "max_output_tokens": limit(chance)},
            both(text, output("max_output_tokens")),
        ),
        Attack(
            "text",
            "messages",
            lambda chance: {"model": "llama", "messages": say(chance), "max_tokens": limit(chance)},
            both(text, output("max_tokens")),
        ),
        Attack(
            "text",
            "generate_content",
            lambda chance: {
                "contents": [{"role": "user", "parts": [{"text": words(chance)}]}],
                "generationConfig": {"maxOutputTokens": limit(chance)},
            },
            both(text, lambda sent: _gemini_output(sent)),
        ),
        Attack("text", "embeddings", lambda chance: {"model": "llama", "input": words(chance)}, text),
        Attack("text", "embed_content", lambda chance: {"content": {"parts": [{"text": words(chance)}]}}, text),
        Attack(
            "texts",
            "batch_embed_contents",
            lambda chance: {"requests": [{"content": {"parts": [{"text": words(chance)}]}} for _ in range(3)]},
            texts,
        ),
        Attack(
            "search units",
            "rerank",
            lambda chance: {
                "model": "llama",
                "query": words(chance, 90),
                "documents": [words(chance) for _ in range(9)],
            },
            called("search_units", lambda sent: 1),
        ),
        Attack(
            "an image",
            "image_generations",
            lambda chance: {"model": "llama", "prompt": words(chance)},
            called("images", lambda sent: sent.fields.get("n") or 1),
        ),
        Attack(
            "speech",
            "transcriptions",
            lambda chance: {"model": "llama", "file": "x" * chance.randrange(8_000, 80_000)},
            called("audio_ms", lambda sent: len(sent.fields["file"]) // _SPEECH_BYTES_A_MS),
        ),
    )
}
"""What each dialect asks without any trick."""


def _gemini_output(sent: Sent) -> None:
    config = sent.fields.get("generationConfig") or sent.fields.get("generation_config") or {}
    flat = Sent(sent.body, {"limit": config.get("maxOutputTokens", config.get("max_output_tokens"))}, {})
    output("limit")(flat)
    sent.output_tokens = flat.output_tokens * (config.get("candidateCount") or 1)


def _image(chance: random.Random) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": PAGE}}


def _max_uses(sent: Sent) -> int | None:
    uses = [tool.get("max_uses") for tool in sent.fields.get("tools", ())]
    return None if None in uses else sum(uses)


def _max_tool_calls(sent: Sent) -> int | None:
    found = sent.fields.get("max_tool_calls")
    return found if isinstance(found, int) else None


def _other_limit(name: str) -> Attack:
    return Attack(
        f"`{name}` beside `max_tokens`",
        "chat_completions",
        fields(max_tokens=1, **{name: 400}),
        output(*CHAT_LIMITS, name, times=("n", "best_of")),
        alone=True,
    )


def _long(sent: Sent) -> None:
    """All elements together, of which each alone fits into the context."""
    sent.input_tokens = len(sent.body)


_ALMOST = "word " * (CONTEXT_TOKENS // 8)
"""A text of some five eighths of a context, if each byte of it is a token."""

CHAT = (
    Attack("several choices", "chat_completions", lambda chance: {"n": chance.randrange(2, 6)}),
    Attack("two limits", "chat_completions", lambda chance: {"max_completion_tokens": limit(chance)}),
    Attack(
        "an image's address",
        "chat_completions",
        lambda chance: {"messages": [{"role": "user", "content": [_image(chance)]}]},
        opens,
    ),
    Attack(
        "an earlier spoken answer",
        "chat_completions",
        fields(messages=[{"role": "assistant", "audio": {"id": "audio_1"}}]),
        opens,
    ),
    Attack("a prediction", "chat_completions", fields(prediction={"type": "content", "content": "No."})),
    Attack(
        "functions",
        "chat_completions",
        fields(tools=[{"type": "function", "function": {"name": "f", "description": "d" * 300}}]),
    ),
    Attack("stop words", "chat_completions", fields(stop=["\n"], seed=1, logprobs=True, top_logprobs=5)),
    Attack(
        "a chat template",
        "chat_completions",
        fields(chat_template="{% for i in range(9999) %}x{% endfor %}"),
        opens,
    ),
    Attack(
        "arguments of a template",
        "chat_completions",
        fields(chat_template_kwargs={"documents": "x"}),
        opens,
    ),
    Attack("documents by their ids", "chat_completions", fields(documents=["doc-1"]), opens),
    Attack(
        "a source of data",
        "chat_completions",
        fields(data_sources=[{"type": "azure_search", "parameters": {}}]),
        opens,
    ),
    *map(_other_limit, OTHER_LIMITS),
)
COMPLETIONS = (
    Attack("several choices", "completions", lambda chance: {"n": chance.randrange(2, 6)}),
    Attack("the best of several", "completions", lambda chance: {"best_of": chance.randrange(2, 6)}),
    Attack(
        "tokens for a prompt", "completions", lambda chance: {"prompt": [chance.randrange(50_000) for _ in range(99)]}
    ),
    Attack(
        "prompts above one context",
        "completions",
        fields(prompt=[_ALMOST] * 4),
        lambda sent: _prompts(sent),
        alone=True,
    ),
)


def _prompts(sent: Sent) -> None:
    _long(sent)
    sent.output_tokens *= len(sent.fields["prompt"])


RESPONSES = (
    Attack("an earlier response", "responses", fields(previous_response_id="resp_1"), opens),
    Attack("a conversation", "responses", fields(conversation="conv_1"), opens),
    Attack("an item by its id", "responses", fields(input=[{"type": "item_reference", "id": "msg_1"}]), opens),
    Attack(
        "an image's address",
        "responses",
        fields(input=[{"role": "user", "content": [{"type": "input_image", "image_url": PAGE}]}]),
        opens,
    ),
    Attack("functions", "responses", fields(tools=[{"type": "function", "name": "f", "parameters": {}}])),
    Attack(
        "searches with a limit",
        "responses",
        fields(tools=[{"type": "web_search"}], max_tool_calls=3),
        rounds("web_search_calls", _max_tool_calls),
        alone=True,
    ),
    Attack(
        "searches without a limit",
        "responses",
        fields(tools=[{"type": "web_search"}]),
        rounds("web_search_calls", _max_tool_calls),
        alone=True,
    ),
    Attack(
        "searches in files",
        "responses",
        fields(tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}]),
        rounds("tool_calls", _max_tool_calls),
        alone=True,
    ),
    Attack(
        "a server of tools",
        "responses",
        fields(tools=[{"type": "mcp", "server_label": "s", "server_url": "https://example.org"}]),
        rounds("", _max_tool_calls),
        alone=True,
    ),
)


def _wide(sent: Sent) -> None:
    sent.input_tokens = WIDE_CONTEXT_TOKENS


MESSAGES = (
    Attack(
        "an image's address",
        "messages",
        fields(messages=[{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": PAGE}}]}]),
        opens,
    ),
    Attack("a system prompt", "messages", lambda chance: {"system": words(chance)}),
    Attack("functions", "messages", fields(tools=[{"name": "f", "input_schema": {"type": "object"}}])),
    Attack("thinking", "messages", fields(thinking={"type": "enabled", "budget_tokens": 1024})),
    Attack(
        "searches with a limit",
        "messages",
        fields(tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]),
        rounds("web_search_calls", _max_uses, ANTHROPIC_ROUNDS),
        alone=True,
    ),
    Attack(
        "searches without a limit",
        "messages",
        fields(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
        rounds("web_search_calls", _max_uses, ANTHROPIC_ROUNDS),
        alone=True,
    ),
    Attack(
        "fetched pages",
        "messages",
        fields(tools=[{"type": "web_fetch_20250910", "name": "web_fetch"}]),
        rounds("", _max_uses, ANTHROPIC_ROUNDS),
        alone=True,
    ),
    Attack(
        "a wider context",
        "messages",
        fields(messages=[{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": PAGE}}]}]),
        _wide,
        headers={"anthropic-beta": "context-1m-2025-08-07"},
        alone=True,
    ),
)
GEMINI = (
    Attack(
        "several candidates",
        "generate_content",
        lambda chance: {"generationConfig": {"candidateCount": 3, "maxOutputTokens": limit(chance)}},
    ),
    Attack(
        "another spelling",
        "generate_content",
        lambda chance: {"generation_config": {"max_output_tokens": limit(chance)}, "generationConfig": REMOVED},
        lambda sent: _gemini_output(sent),
    ),
    Attack(
        "a file's address",
        "generate_content",
        fields(contents=[{"parts": [{"fileData": {"fileUri": PAGE, "mimeType": "image/png"}}]}]),
        opens,
    ),
    Attack("a cache", "generate_content", fields(cachedContent="cachedContents/1"), opens),
    Attack(
        "an image in a function's answer",
        "generate_content",
        fields(
            contents=[{"parts": [{"functionResponse": {"name": "f", "response": {}, "parts": [{"inlineData": {}}]}}]}]
        ),
        opens,
    ),
)
LISTS = (
    Attack(
        "sound that is nearly silent",
        "transcriptions",
        lambda chance: {"file": "x" * chance.randrange(8_000, 80_000)},
        lambda sent: sent.calls.update(audio_ms=len(sent.fields["file"]) * _SILENCE_MS_A_BYTE),
        alone=True,
    ),
    Attack("tokens", "embeddings", lambda chance: {"input": [chance.randrange(50_000) for _ in range(99)]}),
    Attack("an image", "embeddings", fields(input=[{"image": PAGE}]), opens),
    Attack("texts above one context", "embeddings", fields(input=[_ALMOST] * 4), _long, alone=True),
    Attack(
        "texts above one context",
        "batch_embed_contents",
        fields(requests=[{"content": {"parts": [{"text": _ALMOST}]}}] * 4),
        _long,
        alone=True,
    ),
    Attack("several images", "image_generations", lambda chance: {"n": chance.randrange(2, 5)}),
    Attack("many documents", "rerank", fields(documents=["d"] * 950), lambda sent: sent.add("search_units", 9)),
    Attack(
        "tokens of a query with each document",
        "rerank",
        fields(query="q" * 2000, documents=["d"] * 500),
        lambda sent: _pairs(sent),
        alone=True,
    ),
)


def _pairs(sent: Sent) -> None:
    """Jina and Voyage count the query with each document."""
    sent.calls.clear()
    documents = sent.fields["documents"]
    sent.input_tokens = sum(len(sent.fields["query"]) + len(each) for each in documents)


MODES = tuple(
    Attack(f"`{name}` {value}", endpoint, fields(**{name: value}), lambda sent: _doubled(sent), alone=True)
    for endpoint, name, value in (
        ("chat_completions", "service_tier", "priority"),
        ("responses", "service_tier", "priority"),
        ("messages", "speed", "fast"),
    )
)


def _doubled(sent: Sent) -> None:
    """The provider takes twice the price for the mode, which is twice the quantity at the price that is known."""
    sent.input_tokens *= 2
    sent.output_tokens *= 2


ATTACKS: Sequence[Attack] = (*CHAT, *COMPLETIONS, *RESPONSES, *MESSAGES, *GEMINI, *LISTS, *MODES)
