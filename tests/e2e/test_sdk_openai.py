"""OpenAI's SDK gets the same from softix as from the provider itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest
from support.daemon import Prepared
from support.provider import FakeProvider, fake, told

ASK: dict[str, Any] = {"model": "gpt-test", "messages": [{"role": "user", "content": "What is the weather?"}]}
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
FORCED = {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "weather"}}}
OURS = {"id", "created", "created_at", "system_fingerprint", "item_id", "call_id", "_request_id"}
"""What differs between any two answers."""


def plain(value: Any) -> Any:
    """Without what differs between any two answers."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if name not in OURS}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def dumped(answer: Any) -> Any:
    return plain(answer.to_dict())


def both(served: Prepared, provider: FakeProvider) -> list[openai.OpenAI]:
    direct = openai.OpenAI(base_url=f"{provider.base_url}/v1", api_key="direct", max_retries=0)
    through = openai.OpenAI(base_url=served.openai_url, api_key=served.key, max_retries=0)
    return [direct, through]


def both_async(served: Prepared, provider: FakeProvider) -> list[openai.AsyncOpenAI]:
    direct = openai.AsyncOpenAI(base_url=f"{provider.base_url}/v1", api_key="direct", max_retries=0)
    through = openai.AsyncOpenAI(base_url=served.openai_url, api_key=served.key, max_retries=0)
    return [direct, through]


WHOLE: dict[str, Callable[[openai.OpenAI], Any]] = {
    "chat": lambda client: client.chat.completions.create(**ASK),
    "chat, several answers": lambda client: client.chat.completions.create(**ASK, n=2, max_tokens=5),
    "chat, a tool": lambda client: client.chat.completions.create(**ASK, **FORCED),
    "completions": lambda client: client.completions.create(model="gpt-test", prompt="Once upon a time", max_tokens=9),
    "responses": lambda client: client.responses.create(model="gpt-test", input="Hello"),
    "embeddings": lambda client: client.embeddings.create(model="embed-test", input=["one", "two"]),
}
STREAMED: dict[str, Callable[[openai.OpenAI], Any]] = {
    "chat": lambda client: client.chat.completions.create(**ASK, stream=True),
    "chat with usage": lambda client: client.chat.completions.create(
        **ASK, stream=True, stream_options={"include_usage": True}
    ),
    "chat, a tool": lambda client: client.chat.completions.create(**ASK, **FORCED, stream=True),
    "completions": lambda client: client.completions.create(model="gpt-test", prompt="Once", max_tokens=9, stream=True),
    "responses": lambda client: client.responses.create(model="gpt-test", input="Hello", stream=True),
}
ERRORS = {
    400: openai.BadRequestError,
    404: openai.NotFoundError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_answers(served: Prepared, shared_provider: FakeProvider, name: str) -> None:
    direct, through = [dumped(WHOLE[name](client)) for client in both(served, shared_provider)]
    assert direct == through and direct["usage"]


@pytest.mark.parametrize("name", STREAMED)
def test_streams(served: Prepared, shared_provider: FakeProvider, name: str) -> None:
    direct, through = [[dumped(event) for event in STREAMED[name](client)] for client in both(served, shared_provider)]
    assert len(direct) > 3
    if name in ("chat", "chat, a tool", "completions"):  # the usage that softix asked for stays as null
        direct, through = [[{**event, "usage": None} for event in events] for events in (direct, through)]
    assert direct == through


async def test_async(served: Prepared, shared_provider: FakeProvider) -> None:
    answers, events = [], []
    for client in both_async(served, shared_provider):
        answers.append(dumped(await client.chat.completions.create(**ASK)))
        stream = await client.responses.create(model="gpt-test", input="Hello", stream=True)
        events.append([dumped(event) async for event in stream])
        await client.close()
    assert answers[0] == answers[1] and events[0] == events[1]


@pytest.mark.parametrize("status", ERRORS)
def test_the_providers_errors(served: Prepared, shared_provider: FakeProvider, status: int) -> None:
    caught = []
    for client in both(served, shared_provider):
        with pytest.raises(ERRORS[status]) as raised:
            client.chat.completions.create(**ASK, extra_headers=fake(status=status))
        assert type(raised.value) is ERRORS[status]
        caught.append((raised.value.status_code, raised.value.body, raised.value.code, raised.value.message))
    assert caught[0] == caught[1]


@pytest.mark.parametrize("directive", ["cut-after=3", "truncate"])
def test_a_stream_that_breaks_off(served: Prepared, shared_provider: FakeProvider, directive: str) -> None:
    kinds = []
    for client in both(served, shared_provider):
        with pytest.raises(Exception) as raised:
            for _ in client.chat.completions.create(**ASK, stream=True, extra_headers={"x-fake": directive}):
                pass
        kinds.append(type(raised.value))
    assert kinds[0] is kinds[1]


def test_softixs_own_errors(served: Prepared) -> None:
    client = openai.OpenAI(base_url=served.openai_url, api_key="sx_live_wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError) as unknown:
        client.chat.completions.create(**ASK)
    assert unknown.value.code == "invalid_api_key"
    client = openai.OpenAI(base_url=served.openai_url, api_key=served.key, max_retries=0)
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(**{**ASK, "model": "gpt-none"})
    assert missing.value.code == "model_not_found"
    limited = served.instance.cli("keys", "create", "--user", served.user, "--models", "claude-*")
    with pytest.raises(openai.PermissionDeniedError) as forbidden:
        openai.OpenAI(base_url=served.openai_url, api_key=limited["key"]).chat.completions.create(**ASK)
    assert forbidden.value.code == "model_not_allowed"


async def test_an_empty_balance_is_asked_for_once(served: Prepared, shared_provider: FakeProvider) -> None:
    """With the retries that the SDK has by default."""
    served.instance.cli("users", "create", "poor", "--email", "poor@example.org")
    key = served.instance.cli("keys", "create", "--user", "poor")["key"]
    client = openai.OpenAI(base_url=served.openai_url, api_key=key)
    asked = []
    client._client.event_hooks["request"].append(lambda request: asked.append(request.url))
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(**ASK, max_tokens=10)
    assert caught.value.code == "insufficient_balance" and len(asked) == 1
    assert caught.value.body["available"] == "0.00" and caught.value.body["max_tokens"] == 0  # type: ignore[index]


def test_models(served: Prepared) -> None:
    client = openai.OpenAI(base_url=served.openai_url, api_key=served.key)
    assert [model.id for model in client.models.list()] == ["claude-test", "embed-test", "gpt-test"]
    assert client.models.retrieve("gpt-test").owned_by == "chat-lab"


async def test_scripts_of_the_provider_are_used_up(shared_provider: FakeProvider) -> None:
    """The helper that the other tests rely on."""
    await shared_provider.script(told(status=500))
    client = openai.OpenAI(base_url=f"{shared_provider.base_url}/v1", api_key="direct", max_retries=0)
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(**ASK)
    assert client.chat.completions.create(**ASK).usage
