"""Every place where a request can name a thing that the provider keeps: no stranger's name reaches the provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import PRICE, Prepared, prepared
from support.keeping_lab import KeepingLab, keeping_lab
from support.tenants import offer, tenant

from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import Code

OFFERED = ("gpt-test", "tool-test", "claude-test", "gemini-test", "speech-test")
TOOL_PRICE = {**PRICE, "audio_output": "64", "web_search": "10", "tool_call": "10"}
RESPONSES, CHAT, MESSAGES = "/v1/responses", "/v1/chat/completions", "/v1/messages"
INPUT_TOKENS, COUNT_TOKENS = "/v1/responses/input_tokens", "/v1/messages/count_tokens"
GENERATE, COUNT = "/v1beta/models/gemini-test:generateContent", "/v1beta/models/gemini-test:countTokens"
STREAM = "/v1beta/models/gemini-test:streamGenerateContent"
EMBED, BATCH_EMBED = "/v1beta/models/gemini-test:embedContent", "/v1beta/models/gemini-test:batchEmbedContents"
SPEECH = "/v1/audio/speech"
THEIRS = "thing-of-another"


@pytest.fixture
async def lab() -> AsyncIterator[KeepingLab]:
    async with keeping_lab() as lab:
        yield lab


@pytest.fixture
async def house(lab: KeepingLab, tmp_path: Path) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, lab.base_url)
    await offer(made, "tool-test", ProviderType.OPENAI_COMPATIBLE, lab.base_url, TOOL_PRICE)
    await offer(made, "gemini-test", ProviderType.GEMINI, lab.base_url)
    await offer(made, "speech-test", ProviderType.OPENAI_COMPATIBLE, lab.base_url, {"character": "15"})
    async with made.instance.serving():
        yield made


async def post(client: Prepared, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(client.url + path, json=body, headers={**client.headers, **headers}) as answer,
    ):
        kind = answer.content_type
        return answer.status, await answer.json() if kind == "application/json" else await answer.read()


def said(*parts: Any) -> list[Any]:
    return [{"role": "user", "content": list(parts)}]


def part(**data: Any) -> list[Any]:
    return [{"role": "user", "parts": [data]}]


def quoting(annotation: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "output_text", "text": "x", "annotations": [annotation]}]}


def running_in(environment: Any) -> dict[str, Any]:
    return {"type": "shell_call", "call_id": "c", "action": {"commands": []}, "environment": environment}


def items() -> dict[str, dict[str, Any]]:
    """Name of the place → an item of the input of a Responses request."""
    name, text = THEIRS, {"type": "input_text", "text": "What?"}
    return {
        "item_reference": {"type": "item_reference", "id": name},
        "untyped item": {"id": name},
        "item without content": {"type": "message", "id": name, "role": "assistant"},
        "reasoning": {"type": "reasoning", "id": name, "summary": []},
        "image call": {"type": "image_generation_call", "id": name},
        "input_file": {"role": "user", "content": [text, {"type": "input_file", "file_id": name}]},
        "input_image": {"role": "user", "content": [{"type": "input_image", "file_id": name}]},
        "output file": {
            "type": "function_call_output",
            "call_id": "c",
            "output": [{"type": "input_file", "file_id": name}],
        },
        "screenshot": {
            "type": "computer_call_output",
            "call_id": "c",
            "output": {"type": "computer_screenshot", "file_id": name},
        },
        "search result": {"type": "file_search_call", "id": "fs", "queries": ["q"], "results": [{"file_id": name}]},
        "code container": {"type": "code_interpreter_call", "id": "ci", "code": "1", "container_id": name},
        "annotation": quoting({"type": "file_citation", "file_id": name}),
        "container annotation": quoting({"type": "container_file_citation", "container_id": name}),
        "shell environment": running_in({"type": "container_reference", "container_id": name}),
        "shell skill": running_in(
            {"type": "container_auto", "skills": [{"type": "skill_reference", "skill_id": name}]}
        ),
        "added tool": {
            "type": "additional_tools",
            "role": "developer",
            "tools": [{"type": "file_search", "vector_store_ids": [name]}],
        },
        "found tool": {
            "type": "tool_search_output",
            "tools": [{"type": "mcp", "server_label": "l", "tunnel_id": name}],
        },
        "unknown item": {"type": "holo_call", "call_id": "c", "deep": {"holo_id": name}},
    }


def responses() -> dict[str, dict[str, Any]]:
    """Name of the place → the members of a Responses request."""
    name = THEIRS
    tools: dict[str, dict[str, Any]] = {
        "file_search": {"vector_store_ids": [name]},
        "mcp tunnel": {"type": "mcp", "server_label": "l", "tunnel_id": name},
        "mcp connector": {"type": "mcp", "server_label": "l", "connector_id": name},
    }
    return {
        "previous_response_id": {"input": "x", "previous_response_id": name},
        "conversation": {"input": "x", "conversation": name},
        "conversation.id": {"input": "x", "conversation": {"id": name}},
        "prompt.id": {"input": "x", "prompt": {"id": name}},
        "prompt variable": {
            "input": "x",
            "prompt": {"id": name, "variables": {"v": {"type": "input_file", "file_id": name}}},
        },
        "comparison_response_id": {"input": "x", "prompt_cache_options": {"comparison_response_id": name}},
        **{f"item {place}": {"input": [item]} for place, item in items().items()},
        **{f"tool {place}": {"input": "x", "tools": [{"type": place, **tool}]} for place, tool in tools.items()},
    }


def metered_tools() -> dict[str, dict[str, Any]]:
    """Tools that a response is refused for, since no report counts them. A count of tokens may name them."""
    name = THEIRS
    tools: dict[str, dict[str, Any]] = {
        "container": {"type": "code_interpreter", "container": name},
        "container files": {"type": "code_interpreter", "container": {"type": "auto", "file_ids": [name]}},
        "shell container": {"type": "shell", "environment": {"type": "container_reference", "container_id": name}},
        "shell files": {"type": "shell", "environment": {"type": "container_auto", "file_ids": [name]}},
        "shell skills": {"type": "shell", "environment": {"type": "container_auto", "skills": [{"skill_id": name}]}},
        "mask": {"type": "image_generation", "input_image_mask": {"file_id": name}},
    }
    return {f"tool {place}": {"input": "x", "tools": [tool]} for place, tool in tools.items()}


def messages() -> dict[str, dict[str, Any]]:
    name, hi = THEIRS, said({"type": "text", "text": "What?"})
    file = {"type": "file", "file_id": name}
    document = {"type": "document", "source": file}
    code = {"type": "code_execution_output", "file_id": name}
    result = {
        "type": "code_execution_tool_result",
        "tool_use_id": "t",
        "content": {"type": "code_execution_result", "content": [code]},
    }
    bash = {
        **result,
        "type": "bash_code_execution_tool_result",
        "content": {"type": "bash_code_execution_result", "content": [{**code, "type": "bash_code_execution_output"}]},
    }
    return {
        "document": {"messages": said(document)},
        "image": {"messages": said({"type": "image", "source": file})},
        "tool_result": {"messages": said({"type": "tool_result", "tool_use_id": "t", "content": [document]})},
        "system": {"messages": hi, "system": [document]},
        "container_upload": {"messages": said({"type": "container_upload", "file_id": name})},
        "container": {"messages": hi, "container": name},
        "container.id": {"messages": hi, "container": {"id": name}},
        "container skill": {"messages": hi, "container": {"skills": [{"type": "custom", "skill_id": name}]}},
        "code output": {"messages": [{"role": "assistant", "content": [result]}]},
        "bash output": {"messages": [{"role": "assistant", "content": [bash]}]},
        "previous_message_id": {"messages": hi, "diagnostics": {"previous_message_id": name}},
        "thread": {"messages": hi, "thread": {"type": "continue", "previous_message_id": name}},
        "fallback_credit_token": {"messages": hi, "fallback_credit_token": name},
        "fallback_credit_token.token": {"messages": hi, "fallback_credit_token": {"token": name}},
        "credential_id": {
            "messages": hi,
            "tools": [{"name": "t", "input_schema": {"type": "object"}, "credential_id": name}],
        },
        "user_profile_id": {"messages": hi, "user_profile_id": name},
    }


def gemini() -> dict[str, dict[str, Any]]:
    hi, uri = part(text="What?"), f"https://any.host/v1beta/files/{THEIRS}"
    return {
        "fileData": {"contents": part(fileData={"fileUri": uri})},
        "file_data": {"contents": part(file_data={"file_uri": uri})},
        "gs": {"contents": part(fileData={"fileUri": f"gs://bucket/{THEIRS}"})},
        "systemInstruction": {"contents": hi, "systemInstruction": {"parts": [{"fileData": {"fileUri": uri}}]}},
        "system_instruction": {"contents": hi, "system_instruction": {"parts": [{"file_data": {"file_uri": uri}}]}},
        "function response": {
            "contents": part(functionResponse={"name": "f", "response": {}, "parts": [{"fileData": {"fileUri": uri}}]})
        },
        "cachedContent": {"contents": hi, "cachedContent": f"cachedContents/{THEIRS}"},
        "cached_content": {"contents": hi, "cached_content": f"cachedContents/{THEIRS}"},
        "fileSearch": {"contents": hi, "tools": [{"fileSearch": {"fileSearchStoreNames": [THEIRS]}}]},
        "file_search": {"contents": hi, "tools": [{"file_search": {"file_search_store_names": [THEIRS]}}]},
        "continuationToken": {"contents": hi, "continuationToken": THEIRS},
        "voice": {"contents": hi, "generationConfig": {"speechConfig": {"voiceConfig": {"voice": THEIRS}}}},
    }


def places() -> dict[str, tuple[str, dict[str, Any]]]:
    """Name → the path, and the body in which a thing of another is named."""
    gpt, claude = {"model": "tool-test"}, {"model": "claude-test"}
    hi = said({"type": "text", "text": "What?"})
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for place, body in responses().items():
        found[f"responses {place}"] = RESPONSES, {**gpt, "max_output_tokens": 16, **body}
    for place, body in {**responses(), **metered_tools()}.items():
        found[f"input_tokens {place}"] = INPUT_TOKENS, {**gpt, **body}
    for place, body in messages().items():
        found[f"messages {place}"] = MESSAGES, {**claude, "max_tokens": 16, **body}
        found[f"count_tokens {place}"] = COUNT_TOKENS, {**claude, **body}
    for place, body in gemini().items():
        found[f"gemini {place}"] = GENERATE, body
        found[f"gemini stream {place}"] = STREAM, body
        if place != "voice":
            found[f"gemini count {place}"] = COUNT, {"generateContentRequest": {"model": "models/gemini-test", **body}}
    content = {"parts": [{"fileData": {"fileUri": "gs://a/b"}}]}
    return {
        **found,
        "chat file": (CHAT, {**gpt, "messages": said({"type": "file", "file": {"file_id": THEIRS}})}),
        "chat audio": (CHAT, {**gpt, "messages": [*hi, {"role": "assistant", "audio": {"id": THEIRS}}]}),
        "chat voice": (CHAT, {**gpt, "messages": hi, "audio": {"voice": {"id": THEIRS}, "format": "mp3"}}),
        "gemini embed": (EMBED, {"content": content}),
        "gemini batch embed": (BATCH_EMBED, {"requests": [{"model": "models/gemini-test", "content": content}]}),
        "speech voice": (SPEECH, {"model": "speech-test", "input": "Hello.", "voice": {"id": THEIRS}}),
    }


async def test_no_place_of_a_request_lets_a_stranger_s_name_reach_the_provider(
    house: Prepared, lab: KeepingLab
) -> None:
    stranger = await tenant(house, offered=OFFERED)
    others = {}
    for place, (path, body) in places().items():
        status, answer = await post(stranger, path, body)
        told = answer["error"]
        code = told.get("code") if isinstance(told.get("code"), str) else told["details"][0]["reason"].lower()
        if (status, code) != (404, Code.OBJECT_NOT_FOUND.value):
            others[place] = status, code
    assert lab.seen == [] and others == {}


async def test_response_and_its_items_are_its_owner_s_alone(house: Prepared, lab: KeepingLab) -> None:
    owner, stranger = await tenant(house, offered=OFFERED), await tenant(house, offered=OFFERED)
    asked = {"model": "gpt-test", "max_output_tokens": 16}
    _, made = await post(owner, RESPONSES, {**asked, "input": "x"})
    follow: list[dict[str, Any]] = [
        {"previous_response_id": made["id"], "input": "y"},
        {"conversation": made["conversation"]["id"], "input": "y"},
        {"input": [*made["output"], {"role": "user", "content": "y"}]},
        {"input": [{"type": "item_reference", "id": made["output"][1]["id"]}]},
        {"input": [{"id": made["output"][0]["id"]}]},
    ]
    seen = len(lab.seen)
    for body in follow:
        assert (await post(stranger, RESPONSES, {**asked, **body}))[0] == 404
    assert len(lab.seen) == seen
    for body in follow:
        assert (await post(owner, RESPONSES, {**asked, **body}))[0] == 200
        assert lab.seen[-1][1] == {**asked, **body}


async def test_streamed_response_is_known_when_its_last_event_has_come(house: Prepared, lab: KeepingLab) -> None:
    owner = await tenant(house, offered=OFFERED)
    asked = {"model": "gpt-test", "max_output_tokens": 16}
    lab.next_id = "msg_streamed"
    _, events = await post(owner, RESPONSES, {**asked, "input": "x", "stream": True})
    assert b"response.completed" in events
    assert (await post(owner, RESPONSES, {**asked, "input": [{"id": "msg_streamed"}]}))[0] == 200


async def test_response_that_is_not_stored_is_not_recorded(house: Prepared, lab: KeepingLab) -> None:
    owner = await tenant(house, offered=OFFERED)
    asked = {"model": "gpt-test", "max_output_tokens": 16}
    _, made = await post(owner, RESPONSES, {**asked, "input": "x", "store": False})
    assert (await post(owner, RESPONSES, {**asked, "input": "y", "previous_response_id": made["id"]}))[0] == 404


async def test_id_that_is_given_out_again_belongs_to_its_newest_owner(house: Prepared, lab: KeepingLab) -> None:
    first, second = await tenant(house, offered=OFFERED), await tenant(house, offered=OFFERED)
    asked = {"model": "gpt-test", "max_output_tokens": 16}
    by_item = {**asked, "input": [{"id": "msg_again"}]}
    for owner, other in ((first, second), (second, first)):
        lab.next_id = "msg_again"
        await post(owner, RESPONSES, {**asked, "input": "x"})
        assert (await post(owner, RESPONSES, by_item))[0] == 200
        assert (await post(other, RESPONSES, by_item))[0] == 404


async def test_spoken_answer_and_container_are_their_owner_s_alone(house: Prepared, lab: KeepingLab) -> None:
    owner, stranger = await tenant(house, offered=OFFERED), await tenant(house, offered=OFFERED)
    chat = {"model": "tool-test", "max_tokens": 16, "modalities": ["text", "audio"], "messages": said()}
    _, spoken = await post(owner, CHAT, chat)
    name = spoken["choices"][0]["message"]["audio"]["id"]
    again = {**chat, "messages": [{"role": "assistant", "audio": {"id": name}}, {"role": "user", "content": "Go on."}]}
    message = {"model": "claude-test", "max_tokens": 16, "messages": [{"role": "user", "content": "x"}]}
    _, held = await post(owner, MESSAGES, message)
    inside = {**message, "container": held["container"]["id"]}
    for path, body in ((CHAT, again), (MESSAGES, inside)):
        assert ((await post(stranger, path, body))[0], (await post(owner, path, body))[0]) == (404, 200)


async def test_shared_vector_store_can_be_named_by_those_it_is_shared_with(house: Prepared, lab: KeepingLab) -> None:
    guest, stranger = await tenant(house, offered=OFFERED), await tenant(house, offered=OFFERED)
    store = ("vector_store", "vs_1", "--provider", "tool-test-lab")
    assert house.instance.cli("objects", "share", *store, "--user", guest.user)["user"] == guest.user
    tools = [{"type": "file_search", "vector_store_ids": ["vs_1"]}]
    body = {"model": "tool-test", "max_output_tokens": 16, "input": "x", "tools": tools}
    lab.cites = "file-quoted"
    status, answer = await post(guest, RESPONSES, body)
    assert status == 200 and (await post(stranger, RESPONSES, body))[0] == 404
    quoting = {**body, "tools": [], "input": [answer["output"][1], {"role": "user", "content": "y"}]}
    assert ((await post(guest, RESPONSES, quoting))[0], (await post(stranger, RESPONSES, quoting))[0]) == (200, 404)
    assert [each["id"] for each in house.instance.cli("objects", "list", "--shared")] == ["vs_1"]
    house.instance.cli("objects", "unshare", *store, "--user", guest.user)
    assert (await post(guest, RESPONSES, body))[0] == 404
    house.instance.cli("objects", "share", *store)
    assert (await post(stranger, RESPONSES, body))[0] == 200


async def test_words_of_the_client_s_own_are_not_those_of_another_key(house: Prepared, lab: KeepingLab) -> None:
    one, other = await tenant(house, offered=OFFERED), await tenant(house, offered=OFFERED)
    body = {"model": "gpt-test", "max_output_tokens": 16, "input": "x", "prompt_cache_key": "team", "user": "bob"}
    sent = []
    for client in (one, one, other):
        _, answer = await post(client, RESPONSES, body, **{"idempotency-key": "one", "session_id": "two"})
        assert (answer["prompt_cache_key"], answer["user"]) == ("team", "bob")
        _, asked = lab.seen[-1]
        headers = lab.headers[-1]
        sent.append((asked["prompt_cache_key"], asked["user"], headers["idempotency-key"], headers["session_id"]))
        assert not {"team", "bob", "one", "two"} & set(sent[-1]) and max(map(len, sent[-1])) <= 64
    assert sent[0] == sent[1] and not set(sent[0]) & set(sent[2])
    _, events = await post(one, RESPONSES, {**body, "stream": True})
    assert events.count(b'"prompt_cache_key":"team"') == 2


async def test_thing_is_named_in_the_account_that_has_it(house: Prepared, lab: KeepingLab) -> None:
    house.instance.cli(
        "providers", "set-key", "chat-lab", "--label", "spare", "--add", "--key-stdin", stdin="sk-spare-of-the-lab"
    )
    owner = await tenant(house, offered=OFFERED)
    asked = {"model": "gpt-test", "max_output_tokens": 16}
    made, keys = [], set[str]()
    for _ in range(2):
        _, answer = await post(owner, RESPONSES, {**asked, "input": "x"})
        made.append((answer["id"], lab.headers[-1]["authorization"]))
        keys.add(lab.headers[-1]["authorization"])
    assert len(keys) == 2
    for name, key in made * 2:
        await post(owner, RESPONSES, {**asked, "input": "y", "previous_response_id": name})
        assert lab.headers[-1]["authorization"] == key
    seen = len(lab.seen)
    both = {"previous_response_id": made[0][0], "prompt_cache_options": {"comparison_response_id": made[1][0]}}
    status, answer = await post(owner, RESPONSES, {**asked, "input": "y", **both})
    assert (status, answer["error"]["code"], len(lab.seen)) == (400, "object_elsewhere", seen)
