import json
from dataclasses import replace

import pytest
from support.playbook import ANSWER, ASK, DONE, HELLO, LAB, PLAIN, SECRET, STOP, USAGE, Exchange, Stage

from softix_proxy.dialects.core.request_headers import Passing, passing
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.catalog.profiles import ProviderType
from softix_proxy.relay.request.forward import outgoing, returning

SENT = [("accept-encoding", "identity")]
OPENAI, ANTHROPIC, GEMINI = passing("openai"), passing("anthropic"), passing("gemini")


@pytest.mark.parametrize("passed", [OPENAI, ANTHROPIC, GEMINI])
@pytest.mark.parametrize(
    "name",
    ["authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "host", "content-length", "content-encoding",
     "accept-encoding", "expect", "forwarded", "x-forwarded-for", "x-real-ip", "via", "x-softix-anything",
     "openai-organization", "openai-project", "connection", "keep-alive", "te", "trailer", "transfer-encoding",
     "upgrade", "proxy-authorization", "http2-settings", "cf-connecting-ip", "sec-fetch-mode",
     "x-goog-fieldmask", "x-goog-user-project", "origin", "referer", "baggage", "chatgpt-account-id",
     "x-goog-request-params", "x-http-method-override", "anthropic-workspace-id", "anthropic-user-profile-id",
     "x-vertex-ai-llm-shared-request-type", "x-amzn-bedrock-performanceconfig-latency", "x-nobody-knows"],
)  # fmt: skip
def test_what_the_provider_does_not_get(name: str, passed: Passing) -> None:
    assert outgoing([(name, "canary")], None, passed) == SENT


def test_the_clients_key_goes_nowhere_under_whatever_name() -> None:
    key, passed = "sx_live_canary", passing("openai", None, frozenset(("x-b", "x-auth")))
    headers = [("user-agent", key), ("x-auth", f"Bearer {key}"), ("x-b", "c")]
    assert outgoing(headers, key, passed) == [("x-b", "c"), *SENT]


def test_what_the_provider_gets() -> None:
    kept = [("anthropic-version", "2023-06-01"), ("anthropic-beta", "a,b"), ("user-agent", "x"), ("x-app", "cli")]
    assert outgoing(kept, "sx_live_canary", ANTHROPIC) == [*kept, *SENT]
    assert outgoing(kept, "sx_live_canary", OPENAI) == [("user-agent", "x"), *SENT]


async def test_what_an_operator_lets_pass_does() -> None:
    stage = Stage()
    stage.upstream.answer = Exchange(ANSWER)
    stage.policy = replace(stage.policy, pass_headers=frozenset(("x-thing",)))
    await stage.serve(PLAIN)
    [call] = stage.upstream.calls
    assert call.headers == [("x-thing", "1"), *SENT]


async def test_a_header_that_chooses_the_price_is_dropped_at_vertex_and_the_other_passes() -> None:
    stage = Stage(providers=(replace(LAB, type=ProviderType.VERTEX),))
    stage.upstream.answer = Exchange(b"{}")
    stage.headers = [
        ("x-vertex-ai-llm-request-type", "shared"),
        ("x-vertex-ai-llm-shared-request-type", "priority"),
        ("x-goog-api-client", "genai/1"),
    ]
    generate = ENDPOINTS["generate_content"].of("llama", "")  # type: ignore[attr-defined]
    await stage.serve(b'{"contents":[{"parts":[{"text":"hello"}]}]}', generate)
    [call] = stage.upstream.calls
    assert call.headers == [stage.headers[0], stage.headers[2], *SENT]


async def test_where_the_body_is_translated_nothing_of_the_clients_dialect_passes() -> None:
    stage = Stage(providers=(replace(LAB, type=ProviderType.ANTHROPIC),))
    stage.upstream.answer = Exchange(b"{}")
    stage.headers = [
        ("openai-beta", "a"), ("x-stainless-lang", "js"), ("user-agent", "x"), ("content-type", "text/json"),
        ("x-nobody-knows", "1"),
    ]  # fmt: skip
    await stage.serve(PLAIN)
    [call] = stage.upstream.calls
    own = [("content-type", "application/json"), ("anthropic-version", "2023-06-01")]
    assert call.headers == [("user-agent", "x"), *SENT, *own]


@pytest.mark.parametrize(
    "name",
    ["set-cookie", "server", "date", "content-length", "transfer-encoding", "connection", "x-ratelimit-limit-requests",
     "anthropic-ratelimit-tokens-limit", "openai-organization", "anthropic-organization-id", "x-softix-cost-usd",
     "alt-svc", "strict-transport-security", "www-authenticate", "access-control-allow-origin", "cf-ray"],
)  # fmt: skip
def test_what_the_client_does_not_get(name: str) -> None:
    assert returning([(name, "canary")], None) == []


def test_what_the_client_gets() -> None:
    kept = [("content-type", "application/json"), ("request-id", "req_1"), ("x-request-id", "2"), ("retry-after", "3")]
    assert returning(kept, SECRET) == kept


def test_what_is_named_by_connection_is_of_one_hop() -> None:
    headers = [("connection", "close, X-Thing"), ("x-thing", "1"), ("x-other", "2")]
    assert outgoing(headers, None, passing("openai", None, frozenset(("x-thing", "x-other")))) == [
        ("x-other", "2"),
        *SENT,
    ]
    assert returning(headers, None) == [("x-other", "2")]


def test_nothing_with_the_providers_key_or_line_breaks_goes_back() -> None:
    headers = [("x-echo", f"Bearer {SECRET}"), ("x-odd", "a\r\nset-cookie: b\x00")]
    assert returning(headers, SECRET) == [("x-odd", "aset-cookie: b")]


@pytest.mark.parametrize("kind", [ProviderType.MISTRAL, ProviderType.TOGETHER])
async def test_what_a_provider_refuses_is_left_out_or_gets_its_own_name(kind: ProviderType) -> None:
    stage = Stage(providers=(replace(LAB, type=kind),))
    stage.streams(HELLO, STOP, USAGE, DONE)
    asked = {name: value for name, value in ASK.items() if name != "max_tokens"}
    await stage.serve(json.dumps({**asked, "max_completion_tokens": 9, "stream": True}).encode())
    [call] = stage.upstream.calls
    sent = json.loads(call.body)
    more = {"stream_options": {"include_usage": True}, "max_completion_tokens": 9}
    assert sent == {**asked, "stream": True, **({"max_tokens": 9} if kind is ProviderType.MISTRAL else more)}
    assert stage.settlement.meters["output_tokens"] == 5
