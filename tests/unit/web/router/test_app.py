import errno
import json
from typing import Any

import pytest
from support.playbook import Exchange

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.ids import parse_request_id

ASK = {"model": "llama", "messages": [{"role": "user", "content": "canary-of-a-prompt"}]}
OPENAI, ANTHROPIC = "/v1/chat/completions", "/v1/messages"


def is_anthropic(body: Any) -> bool:
    return body.get("type") == "error"


async def test_request_with_a_valid_key_reaches_the_provider_and_is_settled(place: Any) -> None:
    place.upstream.answer = Exchange(b'{"usage":{"prompt_tokens":1,"completion_tokens":1}}')
    status, headers, _ = await place.ask("POST", f"{OPENAI}?a=b&api-version=2", json=ASK)
    assert status == 200 and parse_request_id(headers["x-softix-request-id"])
    assert place.upstream.calls[0].path == f"{OPENAI}?api-version=2"
    assert len(place.journal.settlements) == 1 and not place.context.running


@pytest.mark.parametrize("path", ["/v1/v1/chat/completions", "/chat/completions", "/v1/chat/completions/"])
async def test_request_with_a_slightly_wrong_base_url_reaches_its_endpoint(place: Any, path: str) -> None:
    place.upstream.answer = Exchange(b"{}")
    assert (await place.ask("POST", path, json=ASK))[0] == 200
    assert place.upstream.calls[0].path == OPENAI


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer ada"},
        {"authorization": "bearer  ada"},
        {"x-api-key": "ada"},
        {"x-goog-api-key": "ada"},
        {"api-key": "ada"},
        {"authorization": "Basic eA==", "x-api-key": "ada"},
    ],
)
@pytest.mark.parametrize("path", [OPENAI, ANTHROPIC])
async def test_request_with_the_key_in_any_header_is_accepted_and_the_header_removed(
    place: Any, headers: dict[str, str], path: str
) -> None:
    place.upstream.answer = Exchange(b"{}")
    body = {**ASK, "max_tokens": 5}
    assert (await place.ask("POST", path, key=None, headers=headers, json=body))[0] == 200
    assert not {name for name, _ in place.upstream.calls[0].headers} & {"authorization", *headers}


@pytest.mark.parametrize(
    ("path", "headers", "anthropic"),
    [
        (OPENAI, {"anthropic-version": "2023-06-01"}, False),
        (ANTHROPIC, {}, True),
        ("/v1/models", {}, False),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, True),
        ("/v1/messages/batches", {}, True),
    ],
)
async def test_error_response_has_the_format_of_the_client(
    place: Any, path: str, headers: Any, anthropic: bool
) -> None:
    method = "GET" if path == "/v1/models" else "POST"
    status, answered, body = await place.ask(method, path, key="unknown", headers=headers, json=ASK)
    assert status in (400, 401) and is_anthropic(body) is anthropic
    assert answered["x-softix-request-id"] and "canary" not in json.dumps(body)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/v1/embeddings", {}, 405, Code.METHOD_NOT_ALLOWED),
        ("GET", OPENAI, {}, 400, Code.ENDPOINT_NOT_METERED),
        ("GET", "/v1/agents", {}, 400, Code.ENDPOINT_NOT_METERED),
        ("GET", "/v1/live/sessions", {"upgrade": "websocket"}, 400, Code.ENDPOINT_NOT_METERED),
        ("GET", "/nowhere", {"upgrade": "websocket", "connection": "upgrade"}, 426, Code.UPGRADE_REQUIRED),
        ("POST", "/v1/models", {}, 405, Code.METHOD_NOT_ALLOWED),
        ("POST", "/v1/wombat", {}, 400, Code.ENDPOINT_NOT_METERED),
        ("GET", "/nowhere", {}, 404, Code.NOT_FOUND),
        ("GET", "/v1/responses", {"upgrade": "websocket", "connection": "upgrade"}, 426, Code.UPGRADE_REQUIRED),
        ("DELETE", "/v1/responses", {"upgrade": "websocket", "connection": "upgrade"}, 426, Code.UPGRADE_REQUIRED),
        ("OPTIONS", "/nowhere", {"upgrade": "websocket", "connection": "upgrade"}, 426, Code.UPGRADE_REQUIRED),
        ("GET", "/v1/models/none", {}, 404, Code.MODEL_NOT_FOUND),
    ],
)
async def test_request_for_an_unserved_path_is_refused_and_counted(
    place: Any, method: str, path: str, headers: Any, status: int, code: Code
) -> None:
    assert (await place.ask(method, path, headers=headers))[0] == status
    assert place.refusals[0][1] is code and place.journal.intents == []


@pytest.mark.parametrize("query", ["key=canary", "alt=sse&key=canary"])
async def test_request_with_a_key_in_the_query_is_refused_without_quoting_it(place: Any, query: str) -> None:
    for path in (f"/v1beta/models/llama:generateContent?{query}", f"{OPENAI}?{query}", f"/v1/models?{query}"):
        method = "GET" if "models?" in path else "POST"
        status, _, body = await place.ask(method, path, key=None, json=ASK)
        assert status == 401 and "header" in body["error"]["message"] and "canary" not in json.dumps(body)
    assert place.journal.intents == []


async def test_request_with_a_query_that_could_hide_the_usage_is_refused(place: Any) -> None:
    status, _, body = await place.ask("POST", "/v1beta/models/llama:generateContent?fields=candidates", json=ASK)
    assert (status, body["error"]["status"]) == (400, "INVALID_ARGUMENT")


async def test_request_with_an_internal_error_reveals_nothing_and_is_settled(
    place: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down() -> None:
        raise KeyError("canary")

    place.upstream.answer = Exchange(break_down)
    status, _, body = await place.ask("POST", OPENAI, json=ASK)
    assert status == 500 and "canary" not in json.dumps(body)
    assert len(place.journal.settlements) == 1


async def test_request_without_free_file_descriptors_is_refused_with_a_retry_time(place: Any) -> None:
    """Where it is not a connection that cannot be opened, but a module that is imported at its first use."""

    def fail() -> None:
        raise OSError(errno.EMFILE, "")

    place.upstream.answer = fail
    status, headers, body = await place.ask("POST", OPENAI, json=ASK)
    assert (status, headers["retry-after"], body["error"]["code"]) == (503, "1", "out_of_files")
    assert len(place.journal.settlements) == 1


async def test_request_while_softix_stops_is_refused(place: Any) -> None:
    place.context.monitor.draining = True
    status, headers, _ = await place.ask("POST", OPENAI, json=ASK)
    assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
    assert (await place.ask("GET", "/healthz"))[0] == 200
