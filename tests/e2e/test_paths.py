"""Whatever base URL a client has, and however it writes a path: it is served, and nothing else is answered for it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import aiohttp
import openai
import pytest
from support.daemon import Prepared
from support.provider import FakeProvider
from support.tenants import rows, tenant
from support.wire import CHAT, ROUTES, connect, post, send

from softix_proxy.dialects.registry import ENDPOINTS

Session = aiohttp.ClientSession
ODD_NAMES = ("@cf/meta/llama-3", "~anthropic/claude", "org/plain")
OPENAIS = [name for name, endpoint in ENDPOINTS.items() if endpoint.family == "openai" and name != "rerank_v2"]
DATED = "api-version=2024-10-21"


@pytest.fixture(scope="session")
def odd_models(shared_daemon: Prepared) -> None:
    """As an operator adds them by hand; once, as the daemon outlives this module."""
    run = shared_daemon.instance.cli
    for name in ODD_NAMES:
        run("models", "add", name, "--provider", "chat-lab", "--input", "1.00", "--output", "2.00")


def azure_of(client: Prepared, **options: Any) -> openai.AsyncAzureOpenAI:
    return openai.AsyncAzureOpenAI(
        azure_endpoint=client.url, api_key=client.key, api_version="2024-10-21", max_retries=0, **options
    )


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_odd_model_name_is_served_by_every_endpoint(
    name: str, odd_models: None, shared_daemon: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    client = await tenant(shared_daemon, offered=("*/@cf/*", "*/~anthropic/*", "*/org/*"))
    async with openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0) as sdk:
        assert name in [model.id async for model in sdk.models.list()]
        assert (await sdk.models.retrieve(name)).id == name
    fields = {"messages": [{"role": "user", "content": "What is there to say?"}], "max_tokens": 5}
    parts = {"contents": [{"parts": [{"text": "What is there to say?"}]}]}
    quoted = name.replace("/", "%2F")
    asked = [
        ("/v1/chat/completions", {"model": name, **fields}),
        ("/v1/completions", {"model": name, "prompt": "Once"}),
        ("/v1/responses", {"model": name, "input": "Once"}),
        ("/v1/embeddings", {"model": name, "input": "Once"}),
        ("/v1/messages", {"model": name, **fields}),
        (f"/v1beta/models/{name}:generateContent", parts),
        (f"/v1beta/models/{quoted}:generateContent", parts),
        (f"/openai/deployments/{name}/chat/completions?{DATED}", fields),
        (f"/openai/deployments/{quoted}/chat/completions?{DATED}", fields),
    ]
    for path, body in asked:
        found = await send(session, "POST", client.url + path, client.headers, json=body)
        assert found.status == 200, (path, found.body)
    posted = await rows(client)
    assert len(posted) == len(asked) and {row["model"] for row in posted} == {name}
    for path in (f"/v1/models/{name}", f"/v1/models/{quoted}", f"/v1beta/models/{quoted}"):
        shown = await send(session, "GET", client.url + path, client.headers)
        assert shown.status == 200 and name in json.loads(shown.body).get("id", f"models/{name}")


@pytest.mark.parametrize("prefix", ["/openai/v1", "/api/v1", "/openai", "/v1/openai", "//v1/", "/V1", "/v1/./x/.."])
async def test_base_url_of_another_provider_is_served(
    prefix: str, any_client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    for route in ROUTES.values():
        path = prefix + re.sub("^/v1(beta)?", "", route.path)
        found = await post(session, any_client.url, route._replace(path=path), any_client.headers)
        assert found.status == 200, path
    for path in ("/models", "/models/gpt-test", "/key"):
        assert (await send(session, "GET", any_client.url + prefix + path, any_client.headers)).status == 200
    seen = [record["path"] for record in await fake_provider.requests()]
    assert seen == [route.path for route in ROUTES.values()]


@pytest.mark.parametrize("name", OPENAIS)
async def test_azure_deployment_in_the_path_names_the_model_of_every_endpoint(
    name: str, any_client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    """Whether the body names none, the same, or another one."""
    route = ROUTES[name]
    model = route.ask["model"]
    plain = route.path.removeprefix("/v1")
    others = [{key: value for key, value in route.ask.items() if key != "model"}, route.ask]
    others.append({**route.ask, "model": "claude-test"})
    for ask in others:
        there = route._replace(path=f"/openai/deployments/{model}{plain}", ask=ask, query=f"?{DATED}")
        found = await post(session, any_client.url, there, {"api-key": any_client.key})
        assert found.status == 200, found.body
    seen = await fake_provider.requests()
    assert [(record["path"], record["query"]) for record in seen] == [(route.path, "")] * len(others)
    posted = await rows(any_client)
    assert len(posted) == len(others) and {row["model"] for row in posted} == {model}


@pytest.mark.parametrize("options", [{}, {"azure_deployment": "gpt-test"}])
async def test_azure_sdk_is_served(options: Any, any_client: Prepared, fake_provider: FakeProvider) -> None:
    messages: Any = [{"role": "user", "content": "What is there to say?"}]
    async with azure_of(any_client, **options) as sdk:
        told = await sdk.chat.completions.create(model="gpt-test", messages=messages)
        assert told.choices[0].message.content
        stream = await sdk.chat.completions.create(model="gpt-test", messages=messages, stream=True)
        assert [chunk async for chunk in stream]
        assert (await sdk.embeddings.create(model="gpt-test", input="Once")).data
        assert (await sdk.responses.create(model="gpt-test", input="Once")).output
        assert "gpt-test" in [model.id async for model in sdk.models.list()]
        assert (await sdk.models.retrieve("gpt-test")).id == "gpt-test"
        assert (await sdk.images.edit(model="gpt-test", prompt="A river.", image=b"picture")).data
        with pytest.raises(openai.BadRequestError) as refused:
            await sdk.vector_stores.list()
        assert refused.value.code == "endpoint_not_metered"
    assert len(await rows(any_client)) == 5
    assert {record["query"] for record in await fake_provider.requests()} == {""}


async def test_azure_deployment_in_the_path_wins_over_the_model_in_the_body(
    any_client: Prepared, fake_provider: FakeProvider
) -> None:
    messages: Any = [{"role": "user", "content": "What is there to say?"}]
    async with azure_of(any_client, azure_deployment="gpt-test") as sdk:
        await sdk.chat.completions.create(model="not-a-model", messages=messages)
        await sdk.audio.transcriptions.create(model="not-a-model", file=("sound.wav", b"sound"))
    async with azure_of(any_client) as sdk:
        with pytest.raises(openai.NotFoundError) as missing:
            await sdk.chat.completions.create(model="not-a-model", messages=messages)
    assert missing.value.code == "model_not_found"
    assert [row["model"] for row in await rows(any_client)] == ["gpt-test"] * 2


async def test_model_name_with_a_slash_is_retrieved(client: Prepared) -> None:
    name = "chat-lab/gpt-test"
    async with openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0) as sdk:
        assert (await sdk.models.retrieve(name)).id == "gpt-test"


ODDLY = [
    "//v1//chat//completions",
    "/v1/chat/completions/",
    "/v1/Chat/Completions",
    "/v1/%63hat/completions",
    "/v1/chat%2Fcompletions",
    "/v1/chat/completions%20",
    "/v1/x/../chat/completions",
]


@pytest.mark.parametrize("path", ODDLY)
async def test_path_in_another_spelling_is_served_by_the_same_route(
    path: str, client: Prepared, fake_provider: FakeProvider
) -> None:
    """By hand: clients' libraries would write some of these in the usual way."""
    kind, body = CHAT.body({})
    reader, writer = await connect(client)
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {client.key}\r\ncontent-type: {kind}\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    assert answer.split()[1] == b"200"
    assert [record["path"] for record in await fake_provider.requests()] == [CHAT.path]
    assert len(await rows(client)) == 1


async def test_request_target_with_a_whole_address_is_served(client: Prepared, fake_provider: FakeProvider) -> None:
    reader, writer = await connect(client)
    host = client.url.partition("//")[2]
    writer.write(f"GET {client.url}/v1/key HTTP/1.1\r\nhost: {host}\r\napi-key: {client.key}\r\n\r\n".encode())
    async with asyncio.timeout(20):
        assert (await reader.readuntil(b"\r\n")).split()[1] == b"200"
    writer.close()


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_refusal_of_an_odd_model_is_that_of_one_that_does_not_exist(
    name: str, odd_models: None, shared_daemon: Prepared, session: Session
) -> None:
    client = await tenant(shared_daemon, offered=("gpt-test",))
    errors = []
    for asked in (name, f"chat-lab/{name}", f"{name}-none", f"chat-lab/{name}-none"):
        body = {"model": asked, "messages": [{"role": "user", "content": "What is there to say?"}]}
        found = await send(session, "POST", f"{client.url}/v1/chat/completions", client.headers, json=body)
        errors.append(json.loads(found.body)["error"] | {"request_id": ""})
        assert (found.status, errors[0]) == (404, errors[-1])
    assert errors[0]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("path", "passed"),
    [
        ("/v1/chat/completions?fields=choices&%24fields=choices&model=claude-test&userProject=other", ""),
        ("/v1/chat/completions?x={model}&api-version=preview", "api-version=preview"),
        ("/v1/messages?beta=true&fields=content&service_tier=priority", "beta=true"),
    ],
)
async def test_query_parameters_that_are_not_listed_are_not_sent_to_the_provider(
    path: str, passed: str, any_client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    """Google's servers leave the usage out of an answer for `fields`, in OpenAI's dialect too."""
    asked = {
        "model": "claude-test" if "messages" in path else "gpt-test",
        "messages": [{"role": "user", "content": "What is there to say?"}],
        "max_tokens": 5,
    }
    mark = f"query-{len(path)}"
    headers = {**any_client.headers, "x-request-id": mark}
    found = await send(session, "POST", any_client.url + path, headers, json=asked)
    assert found.status == 200
    [record] = [each for each in await fake_provider.requests() if ["x-request-id", mark] in each["headers"]]
    assert record["query"] == passed
