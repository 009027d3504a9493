from __future__ import annotations

from typing import Any

import pytest
from support.playbook import Exchange

ASK = {"model": "llama", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 5}
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


@pytest.mark.parametrize(
    ("path", "passed"),
    [
        (CHAT, CHAT),
        (f"{CHAT}?a=b&api-version=2", f"{CHAT}?api-version=2"),
        (f"{CHAT}?a=b", CHAT),
        (f"{MESSAGES}?beta=true", f"{MESSAGES}?beta=true"),
    ],
)
async def test_forwarded_query_contains_only_the_listed_parameters(path: str, passed: str, place: Any) -> None:
    place.upstream.answer = Exchange(b"{}")
    await place.ask("POST", path, json=ASK)
    assert [call.path for call in place.upstream.calls] == [passed]


async def test_forwarded_request_with_a_deployment_in_the_path_uses_it_as_the_model(place: Any) -> None:
    place.upstream.answer = Exchange(b"{}")
    path = "/openai/deployments/llama/chat/completions?api-version=2024-10-21"
    status, _, _ = await place.ask("POST", path, json={**ASK, "model": "another"})
    assert status == 200 and place.upstream.calls[0].path == CHAT
    assert b'"llama"' in place.upstream.calls[0].body and b"another" not in place.upstream.calls[0].body


async def test_forwarded_request_with_a_model_in_the_path_uses_that_model(place: Any) -> None:
    parts = {"contents": [{"parts": [{"text": "hello"}]}]}
    status, _, body = await place.ask("POST", "/v1beta/models/none:generateContent", json=parts)
    assert (status, body["error"]["status"]) == (404, "NOT_FOUND")
    place.upstream.answer = Exchange(b'{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":1}}')
    await place.ask("POST", "/v1beta/models/lab%2Fllama:generateContent?alt=json", json=parts)
    assert len(place.upstream.calls) == 1
