"""Each type of provider, as its server sees it: where a request comes, how it proves who pays, and what is in it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.playbook import LAB, MODEL, Stage
from support.provider import FakeProvider

from softix_proxy.dialects.gemini import GeminiEndpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.profiles import PROFILES, ProviderType
from softix_proxy.domain.usage import Source
from softix_proxy.upstream.client import HttpUpstream, Limits

KEY = f"sk-{secrets.token_hex(16)}"
GOOGLE = "/v1/projects/house/locations/eu/publishers/google/models/llama:generateContent"
PLACES: dict[ProviderType, tuple[str, str]] = {
    ProviderType.ANTHROPIC: ("messages", "/v1/messages"),
    ProviderType.GEMINI: ("generate_content", "/v1beta/models/llama:generateContent"),
    ProviderType.VERTEX: ("generate_content", GOOGLE),
    ProviderType.AZURE: ("chat_completions", "/openai/v1/chat/completions"),
    ProviderType.GROQ: ("chat_completions", "/openai/v1/chat/completions"),
    ProviderType.FIREWORKS: ("chat_completions", "/inference/v1/chat/completions"),
    ProviderType.COHERE: ("chat_completions", "/compatibility/v1/chat/completions"),
    ProviderType.OPENROUTER: ("chat_completions", "/api/v1/chat/completions"),
    ProviderType.PERPLEXITY: ("chat_completions", "/chat/completions"),
}
"""Where it is not chat at its usual place."""
PROOFS = {
    ProviderType.ANTHROPIC: ("x-api-key", KEY),
    ProviderType.GEMINI: ("x-goog-api-key", KEY),
    ProviderType.AZURE: ("api-key", KEY),
}
ELSEWHERE = (ProviderType.DEMO, ProviderType.BEDROCK)
"""Tested with servers of their own."""
QUESTION = [{"role": "user", "content": "What is there to say?"}]
BODIES: dict[str, dict[str, Any]] = {
    "chat_completions": {"model": "llama", "messages": QUESTION, "max_completion_tokens": 20},
    "messages": {"model": "llama", "messages": QUESTION, "max_tokens": 20},
    "generate_content": {"contents": [{"parts": [{"text": "What?"}]}], "generationConfig": {"maxOutputTokens": 20}},
}


class Vault:
    def open_secret(self, blob: bytes, *place: str) -> str:
        return KEY

    def digest(self, text: str) -> bytes:
        return text.encode()


@pytest.fixture
async def upstream() -> AsyncIterator[HttpUpstream]:
    made = HttpUpstream(Vault(), Limits(5, 5, 5, 0, 0))  # type: ignore[arg-type]
    yield made
    await made.close()


def staged(kind: ProviderType, provider: FakeProvider, upstream: HttpUpstream) -> Stage:
    """At the fake's address, with the path of the type's own."""
    blanks = {"resource": "house", "project": "house", "location": "eu"}
    base_url = provider.base_url + urlsplit(PROFILES[kind].filled(blanks)).path
    lab = replace(LAB, type=kind, base_url=base_url, sealed_key=b"sealed")
    stage = Stage(providers=(lab,), models=(replace(MODEL, max_output_tokens=4096),))
    stage.upstream = upstream  # type: ignore[assignment]
    return stage


def charged_once(stage: Stage) -> None:
    settlement = stage.settlement
    assert (settlement.source, settlement.status_code, settlement.error) == (Source.PROVIDER, 200, None)
    assert 0 < settlement.charge_pico <= settlement.hold_pico
    assert KEY.encode() not in stage.client.body


@pytest.mark.parametrize("kind", [kind for kind in ProviderType if kind not in ELSEWHERE])
async def test_a_request_comes_where_and_as_the_provider_wants_it(
    kind: ProviderType, fake_provider: FakeProvider, upstream: HttpUpstream
) -> None:
    name, path = PLACES.get(kind, ("chat_completions", "/v1/chat/completions"))
    sent = json.dumps(BODIES[name], separators=(",", ":")).encode()
    endpoint: Any = ENDPOINTS[name]
    stage = staged(kind, fake_provider, upstream)
    await stage.serve(sent, endpoint.of("llama", "") if isinstance(endpoint, GeminiEndpoint) else endpoint)
    [seen] = await fake_provider.requests()
    assert (seen["method"], seen["path"], seen["status"]) == ("POST", path, 200)
    header, value = PROOFS.get(kind, ("authorization", f"Bearer {KEY}"))
    assert [pair for pair in seen["headers"] if KEY in pair[1]] == [[header, value]]
    for old, new in PROFILES[kind].fields.items():
        sent = sent.replace(f'"{old}"'.encode(), f'"{new}"'.encode())
    assert seen["body_sha256"] == hashlib.sha256(sent).hexdigest()
    charged_once(stage)


async def test_cohere_ranks_at_a_place_of_its_own(fake_provider: FakeProvider, upstream: HttpUpstream) -> None:
    stage = staged(ProviderType.COHERE, fake_provider, upstream)
    await stage.serve(b'{"model":"llama","query":"what","documents":["a","b"]}', "rerank_v2")
    [seen] = await fake_provider.requests()
    assert seen["path"] == "/v2/rerank"


async def test_a_client_of_another_dialect_reaches_it_there_too(
    fake_provider: FakeProvider, upstream: HttpUpstream
) -> None:
    stage = staged(ProviderType.MISTRAL, fake_provider, upstream)
    await stage.serve(json.dumps(BODIES["messages"] | {"max_tokens": 7}).encode(), "messages")
    [seen] = await fake_provider.requests()
    assert (seen["path"], seen["fields"]["max_tokens"]) == ("/v1/chat/completions", 7)
    charged_once(stage)
