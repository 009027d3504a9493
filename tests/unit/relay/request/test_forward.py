import json
from dataclasses import replace

import pytest
from support.playbook import ANSWER, ASK, DONE, HELLO, LAB, PLAIN, SECRET, STOP, USAGE, Exchange, Stage

from softix_proxy.dialects.core.request_headers import Passing, passing
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.relay.core.redaction import NOTHING_HIDDEN, Redaction
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
def test_outgoing_headers_without_permission_are_removed(name: str, passed: Passing) -> None:
    assert outgoing([(name, "canary")], None, passed, str.upper) == SENT


def test_outgoing_headers_with_the_client_key_in_any_header_are_removed() -> None:
    key, passed = "sx_live_canary", passing("openai", None, frozenset(("x-b", "x-auth")))
    headers = [("user-agent", key), ("x-auth", f"Bearer {key}"), ("x-b", "c")]
    assert outgoing(headers, key, passed, str.upper) == [("x-b", "c"), *SENT]


def test_outgoing_headers_of_the_dialect_are_kept() -> None:
    kept = [("anthropic-version", "2023-06-01"), ("anthropic-beta", "a,b"), ("user-agent", "x"), ("x-app", "cli")]
    assert outgoing(kept, "sx_live_canary", ANTHROPIC, str.upper) == [*kept, *SENT]
    assert outgoing(kept, "sx_live_canary", OPENAI, str.upper) == [("user-agent", "x"), *SENT]


async def test_outgoing_header_allowed_by_the_operator_is_sent() -> None:
    stage = Stage()
    stage.upstream.answer = Exchange(ANSWER)
    stage.policy = replace(stage.policy, pass_headers=frozenset(("x-thing",)))
    await stage.serve(PLAIN)
    [call] = stage.upstream.calls
    assert call.headers == [("x-thing", "1"), *SENT, ("content-type", "application/json")]


async def test_outgoing_headers_to_vertex_are_sent_without_the_price_header() -> None:
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
    assert call.headers == [stage.headers[0], stage.headers[2], *SENT, ("content-type", "application/json")]


async def test_outgoing_headers_of_translated_request_contain_none_of_the_client_dialect() -> None:
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
     "alt-svc", "strict-transport-security", "www-authenticate", "access-control-allow-origin", "cf-ray", "location",
     "refresh", "clear-site-data", "content-security-policy", "permissions-policy", "nel", "report-to", "link",
     "x-ms-region", "x-nobody-knows"],
)  # fmt: skip
def test_returning_headers_without_permission_are_removed(name: str) -> None:
    assert returning([(name, "canary")], NOTHING_HIDDEN) == []


def test_returning_headers_with_permission_are_kept() -> None:
    kept = [("content-type", "application/json"), ("request-id", "req_1"), ("x-request-id", "2"), ("retry-after", "3")]
    assert returning(kept, Redaction(SECRET)) == kept


def test_headers_named_by_the_connection_header_are_removed() -> None:
    headers = [("connection", "close, X-Thing"), ("x-thing", "1"), ("x-other", "2")]
    assert outgoing(headers, None, passing("openai", None, frozenset(("x-thing", "x-other"))), str.upper) == [
        ("x-other", "2"),
        *SENT,
    ]
    named = [("connection", "close, X-Request-Id"), ("x-request-id", "1"), ("request-id", "2")]
    assert returning(named, NOTHING_HIDDEN) == [("request-id", "2")]


def test_returning_headers_with_provider_key_or_line_breaks_are_removed_or_cleaned() -> None:
    headers = [("x-request-id", f"Bearer {SECRET}"), ("request-id", "a\r\nset-cookie: b\x00")]
    assert returning(headers, Redaction(SECRET)) == [("request-id", "aset-cookie: b")]


@pytest.mark.parametrize("kind", [ProviderType.MISTRAL, ProviderType.TOGETHER])
async def test_request_to_provider_with_own_field_rules_is_sent_with_its_field_names(kind: ProviderType) -> None:
    stage = Stage(providers=(replace(LAB, type=kind),))
    stage.streams(HELLO, STOP, USAGE, DONE)
    asked = {name: value for name, value in ASK.items() if name != "max_tokens"}
    await stage.serve(json.dumps({**asked, "max_completion_tokens": 9, "stream": True}).encode())
    [call] = stage.upstream.calls
    sent = json.loads(call.body)
    more = {"stream_options": {"include_usage": True}, "max_completion_tokens": 9}
    assert sent == {**asked, "stream": True, "max_tokens": 9, **({} if kind is ProviderType.MISTRAL else more)}
    assert stage.settlement.meters["output_tokens"] == 5


def test_outgoing_header_with_a_word_of_the_client_has_its_tag_instead() -> None:
    headers = [("idempotency-key", "word"), ("session_id", "word"), ("user-agent", "word")]
    assert outgoing(headers, None, OPENAI, str.upper) == [
        ("idempotency-key", "WORD"),
        ("session_id", "WORD"),
        ("user-agent", "word"),
        *SENT,
    ]
