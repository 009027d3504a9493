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

from softix_proxy.dialects.gemini.endpoint import GeminiEndpoint
from softix_proxy.dialects.registry import ENDPOINTS, PROVIDER_ENDPOINTS, path_for
from softix_proxy.domain.catalog.profiles import PROFILES
from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.ports.upstream import UpstreamRequest
from softix_proxy.operations.catalog.base_urls import read_base_url
from softix_proxy.upstream.client import HttpUpstream, UpstreamLimits

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
OLD_LIMIT = (
    ProviderType.DEEPSEEK,
    ProviderType.TOGETHER,
    ProviderType.COHERE,
    ProviderType.PERPLEXITY,
    ProviderType.OLLAMA,
    ProviderType.LLAMACPP,
    ProviderType.LMSTUDIO,
    ProviderType.OPENAI_COMPATIBLE,
)
"""They may know the output limit by its old name only, so that they get it under that name as well."""
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
    made = HttpUpstream(Vault(), UpstreamLimits(5, 5, 5, 0, 0))  # type: ignore[arg-type]
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
    assert (settlement.source, settlement.status_code, settlement.error) == (UsageSource.PROVIDER, 200, None)
    assert 0 < settlement.charge_pico <= settlement.hold_pico
    assert KEY.encode() not in stage.client.body


@pytest.mark.parametrize("kind", [kind for kind in ProviderType if kind not in ELSEWHERE])
async def test_request_reaches_each_provider_type_at_its_path_with_its_credential_and_fields(
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
    if kind in OLD_LIMIT:
        sent = sent[:-1] + b',"max_tokens":20}'
    assert seen["body_sha256"] == hashlib.sha256(sent).hexdigest()
    charged_once(stage)


async def test_cohere_rerank_is_sent_to_its_own_path(fake_provider: FakeProvider, upstream: HttpUpstream) -> None:
    stage = staged(ProviderType.COHERE, fake_provider, upstream)
    await stage.serve(b'{"model":"llama","query":"what","documents":["a","b"]}', "rerank_v2")
    [seen] = await fake_provider.requests()
    assert seen["path"] == "/v2/rerank"


async def test_request_of_another_dialect_reaches_the_provider_translated(
    fake_provider: FakeProvider, upstream: HttpUpstream
) -> None:
    stage = staged(ProviderType.MISTRAL, fake_provider, upstream)
    await stage.serve(json.dumps(BODIES["messages"] | {"max_tokens": 7}).encode(), "messages")
    [seen] = await fake_provider.requests()
    assert (seen["path"], seen["fields"]["max_tokens"]) == ("/v1/chat/completions", 7)
    charged_once(stage)


WORDS = {
    "chat_completions": "/chat/completions",
    "completions": "/completions",
    "responses": "/responses",
    "input_tokens": "/responses/input_tokens",
    "embeddings": "/embeddings",
    "moderations": "/moderations",
    "image_generations": "/images/generations",
    "image_edits": "/images/edits",
    "image_variations": "/images/variations",
    "speech": "/audio/speech",
    "transcriptions": "/audio/transcriptions",
    "translations": "/audio/translations",
    "rerank": "/rerank",
    "messages": "/messages",
    "count_tokens": "/messages/count_tokens",
    "generate_content": "/models/m:generateContent",
    "stream_generate_content": "/models/m:streamGenerateContent?alt=sse",
    "gemini_count_tokens": "/models/m:countTokens",
    "embed_content": "/models/m:embedContent",
    "batch_embed_contents": "/models/m:batchEmbedContents",
    "converse": "/model/m/converse",
    "converse_stream": "/model/m/converse-stream",
    "invoke": "/model/m/invoke",
    "invoke_stream": "/model/m/invoke-with-response-stream",
}
"""Endpoint → its last words."""
DOCUMENTED: dict[str, tuple[list[str], str, dict[str, str]]] = {
    "openai": (["", "/v1"], "/v1", {}),
    "anthropic": (["", "/v1"], "/v1", {}),
    "gemini": (["", "/v1beta"], "/v1beta", {}),
    "vertex": (
        ["/v1/projects/p/locations/eu"],
        "/v1/projects/p/locations/eu/publishers/google",
        {
            "raw_predict": "/v1/projects/p/locations/eu/publishers/anthropic/models/m:rawPredict",
            "stream_raw_predict": "/v1/projects/p/locations/eu/publishers/anthropic/models/m:streamRawPredict",
        },
    ),
    "bedrock": ([""], "", {}),
    "azure": (["/openai", "/openai/v1/"], "/openai/v1", {}),
    "mistral": (["", "/v1"], "/v1", {}),
    "deepseek": (["", "/v1"], "/v1", {}),
    "xai": (["", "/v1"], "/v1", {}),
    "groq": (["/openai", "/openai/v1"], "/openai/v1", {}),
    "together": (["", "/v1"], "/v1", {}),
    "fireworks": (["/inference", "/inference/v1"], "/inference/v1", {}),
    "cohere": (
        ["", "/compatibility/v1", "/v2"],
        "/compatibility/v1",
        {"rerank": "/v1/rerank", "rerank_v2": "/v2/rerank"},
    ),
    "openrouter": (["/api", "/api/v1"], "/api/v1", {}),
    "perplexity": (["", "/chat/completions"], "/v1", {"chat_completions": "/chat/completions"}),
    "ollama": (["", "/v1"], "/v1", {}),
    "vllm": (["", "/v1"], "/v1", {"rerank_v2": "/v2/rerank"}),
    "llamacpp": (["", "/v1"], "/v1", {}),
    "lmstudio": (["", "/v1"], "/v1", {}),
    "sglang": (["", "/v1"], "/v1", {}),
    "openai-compatible": (["", "/v1", "/v1/chat/completions"], "/v1", {"rerank_v2": "/v2/rerank"}),
}
"""Type → what its documentation, and ours, has behind the host; what requests begin with; and those that differ."""
VERSIONED = {
    "/api/v3": "/api/v3",
    "/api/paas/v4/": "/api/paas/v4",
    "/v1beta/openai": "/v1beta/openai",
    "/api/v3/chat/completions": "/api/v3",
    "/inference/chat/completions": "/inference",
}
CASES = [
    *((kind, written, begins, differ) for kind, (all_, begins, differ) in DOCUMENTED.items() for written in all_),
    *(("openai-compatible", written, begins, {"rerank_v2": f"{begins}/rerank"})
      for written, begins in VERSIONED.items()),
]  # fmt: skip


def test_documented_base_urls_cover_every_provider_type() -> None:
    assert set(DOCUMENTED) == set(ProviderType) - {ProviderType.DEMO}


@pytest.mark.parametrize(("kind", "written", "begins", "differ"), CASES, ids=lambda value: str(value)[:40])
async def test_each_endpoint_of_a_provider_type_is_sent_where_the_base_url_says(
    kind: str,
    written: str,
    begins: str,
    differ: dict[str, str],
    fake_provider: FakeProvider,
    upstream: HttpUpstream,
) -> None:
    found = read_base_url(fake_provider.base_url + written, ProviderType(kind))
    lab = replace(LAB, type=ProviderType(kind), base_url=found.text, version_in_url=found.has_version)
    spoken = [name for name in PROVIDER_ENDPOINTS if name in lab.profile.endpoints]
    for name in spoken:
        path = path_for(PROVIDER_ENDPOINTS[name], "m")
        exchange = await upstream.send(
            UpstreamRequest(1, lab, path, [("content-type", "text/x")], b"{}", False), lambda: None
        )
        await exchange.read(1 << 20)
        exchange.release()
    landed = [seen["path"] + (f"?{seen['query']}" if seen["query"] else "") for seen in await fake_provider.requests()]
    assert landed == [differ.get(name) or begins + WORDS[name] for name in spoken]
