"""The hold covers the dearest answer that a dialect allows to a list: an adversary writes the list and the answer.

Each input of a list is read by itself, with what a provider puts around it, up to the context window. An input that is
not text costs a whole window, however few bytes it has. A document is read together with the query, in as many pieces
as the provider likes. Each prompt gets completions of its own, and each image may be billed with the whole input.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.gemini.endpoint import GeminiEndpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.catalog.models import DEFAULT_CONTEXT_TOKENS, DEFAULT_MAX_OUTPUT_TOKENS, Model, ModelStatus
from softix_proxy.domain.pricing.rates import PriceSheet, Rate
from softix_proxy.relay.request.bound import bound

MARKS = 8
"""The tokens that a provider adds to each input: marks of its ends, and a prefix such as `passage: `."""
INSTRUCTION = 200
"""The tokens that a provider adds to a query with a document."""
TEMPLATE = 1000
RATE = Rate(1, PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "3", "image": "0.02"}}]}))
MODEL = Model(1, "m", 1, "m", 100, 50, ModelStatus.ACTIVE, 1)
FEW = settings(max_examples=150, deadline=None)

texts = st.text(max_size=300)
tokens = st.lists(st.integers(0, 200_000), max_size=80)
pictures = st.fixed_dictionaries({"image": st.text(max_size=5)})
contexts = st.none() | st.integers(1, 5000)


def body_of(value: Any, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode(errors="surrogatepass")


def hold_pico(spec: RequestSpec, body: bytes, model: Model) -> int:
    most = bound(spec, len(body), model, RATE, metered=True, least_tokens=1)
    return most.hold_pico(most.output_tokens)


def cost_pico(**meters: int) -> int:
    return RATE.price(meters).charge_pico


def most_of(value: Any, context: int, adds: int = MARKS) -> int:
    """The most tokens that a model can read of one input."""
    if isinstance(value, str):
        return min(len(value.encode()) + adds, context)
    if isinstance(value, list):
        return min(len(value) + adds, context)
    return context


def window(context: int | None) -> int:
    return DEFAULT_CONTEXT_TOKENS if context is None else context


def utf8(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


texts = texts.filter(utf8)
one_input = texts | tokens.filter(bool) | pictures
lists = st.lists(texts, max_size=40) | st.lists(tokens, max_size=40) | st.lists(one_input, max_size=40)


@given(st.sampled_from(["embeddings", "moderations"]), lists | texts | tokens, contexts, st.booleans())
@FEW
def test_hold_of_embeddings_covers_each_input_up_to_the_context(
    name: str, value: Any, context: int | None, ascii_only: bool
) -> None:
    body = body_of({"model": "m", "input": value}, ascii_only)
    single = isinstance(value, str) or all(isinstance(each, int) for each in value)
    inputs = [value] if single else value
    used = sum(most_of(each, window(context)) for each in inputs)
    model = replace(MODEL, context_tokens=context)
    assert cost_pico(input_tokens=used) <= hold_pico(ENDPOINTS[name].read(body), body, model)


@given(
    texts | pictures,
    st.lists(texts | pictures | st.fixed_dictionaries({"text": texts}), max_size=40),
    contexts,
    st.integers(64, 1000),
    st.booleans(),
)
@FEW
def test_hold_of_a_ranking_covers_the_query_with_each_piece_of_each_document(
    query: Any, documents: list[Any], context: int | None, piece_bytes: int, ascii_only: bool
) -> None:
    """No provider makes pieces of fewer than 250 tokens, and so of fewer bytes."""
    body = body_of({"model": "m", "query": query, "documents": documents}, ascii_only)
    whole, used = window(context), 0
    piece_bytes = max(piece_bytes, 250)
    for document in documents:
        text = document.get("text") if isinstance(document, dict) else document
        if text is None or not isinstance(query, str):
            used += whole
            continue
        size = len(text.encode())
        for start in range(0, max(size, 1), piece_bytes):
            here = min(piece_bytes, size - start)
            used += min(len(query.encode()) + here + INSTRUCTION, whole)
    model = replace(MODEL, context_tokens=context)
    for name in ("rerank", "rerank_v2"):
        assert cost_pico(input_tokens=used) <= hold_pico(ENDPOINTS[name].read(body), body, model)


@given(lists | texts | tokens, contexts, st.none() | st.integers(1, 200), st.integers(1, 4), st.integers(0, 3))
@FEW
def test_hold_of_completions_covers_each_prompt_and_all_that_it_gets(
    prompt: Any, context: int | None, limit: int | None, choices: int, embedded: int
) -> None:
    asked = {"model": "m", "prompt": prompt, "n": choices, "prompt_embeds": ["AAAA"] * embedded}
    body = body_of(asked if limit is None else {**asked, "max_tokens": limit}, True)
    single = isinstance(prompt, str) or all(isinstance(each, int) for each in prompt)
    prompts = [prompt] if single else prompt
    used = sum(most_of(each, window(context)) for each in prompts) + embedded * window(context)
    made = min(MODEL.max_output_tokens or 0, limit or DEFAULT_MAX_OUTPUT_TOKENS) * choices * (len(prompts) + embedded)
    model = replace(MODEL, context_tokens=context)
    found = hold_pico(ENDPOINTS["completions"].read(body), body, model)
    assert cost_pico(input_tokens=used, output_tokens=made) <= found


@given(st.lists(texts | pictures, max_size=40), contexts, st.booleans())
@FEW
def test_hold_of_a_batch_of_gemini_s_embeddings_covers_each_request_up_to_the_context(
    contents: list[Any], context: int | None, ascii_only: bool
) -> None:
    parts = [{"text": each} if isinstance(each, str) else {"inlineData": each} for each in contents]
    body = body_of({"requests": [{"content": {"parts": [part]}} for part in parts]}, ascii_only)
    endpoint = ENDPOINTS["batch_embed_contents"]
    assert isinstance(endpoint, GeminiEndpoint)
    used = sum(most_of(each, window(context)) for each in contents)
    model = replace(MODEL, context_tokens=context)
    assert cost_pico(input_tokens=used) <= hold_pico(endpoint.of("m", "").read(body), body, model)


@given(texts, st.integers(1, 10), contexts)
@FEW
def test_hold_of_images_covers_the_input_for_each_of_them(prompt: str, images: int, context: int | None) -> None:
    body = body_of({"model": "m", "prompt": prompt, "n": images, "size": "1024x1024"}, False)
    used = images * min(len(prompt.encode()) + TEMPLATE, window(context))
    model = replace(MODEL, context_tokens=context)
    found = hold_pico(ENDPOINTS["image_generations"].read(body), body, model)
    assert cost_pico(input_tokens=used, images=images) <= found


@given(st.integers(1, 8), st.none() | st.integers(1, 200), texts)
@FEW
def test_hold_of_gemini_s_candidates_covers_each_of_them(candidates: int, limit: int | None, text: str) -> None:
    config = {"candidateCount": candidates, **({} if limit is None else {"maxOutputTokens": limit})}
    body = body_of({"contents": [{"parts": [{"text": text}]}], "generationConfig": config}, False)
    endpoint = ENDPOINTS["generate_content"]
    assert isinstance(endpoint, GeminiEndpoint)
    made = candidates * min(MODEL.max_output_tokens or 0, limit or DEFAULT_MAX_OUTPUT_TOKENS)
    used = min(len(text.encode()) + TEMPLATE, MODEL.context_tokens or 0)
    found = hold_pico(endpoint.of("m", "").read(body), body, MODEL)
    assert cost_pico(input_tokens=used, output_tokens=made) <= found


def test_hold_of_one_long_query_with_a_thousand_documents_is_that_of_as_many_queries() -> None:
    """The case by numbers: 4,000 bytes of query with 1,000 documents of one letter, at a dollar a million tokens."""
    body = body_of({"model": "m", "query": "q" * 4000, "documents": ["a"] * 1000}, True)
    found = hold_pico(ENDPOINTS["rerank"].read(body), body, replace(MODEL, context_tokens=8192))
    assert 4_001_000 * 10**6 <= found <= 1.2 * 4_001_000 * 10**6
