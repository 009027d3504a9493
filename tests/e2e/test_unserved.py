"""What the newest SDKs can call and softix cannot meter: each is told so, in the words of its family."""

from __future__ import annotations

from collections.abc import AsyncIterator
from operator import attrgetter
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai.errors import ClientError
from support.daemon import Prepared
from support.provider import FakeProvider


async def _ask(client: Any, call: str, *names: str, **fields: Any) -> None:
    made = attrgetter(call)(client)(*names, **fields)
    if isinstance(made, AsyncIterator) or hasattr(made, "__aiter__"):
        async for _ in made:
            pass
    else:
        await made


@pytest.mark.parametrize(
    ("call", "names"),
    [
        ("beta.agents.list", ()),
        ("beta.chatkit.threads.list", ()),
        ("beta.assistants.list", ()),
        ("chat.completions.list", ()),
        ("chat.completions.retrieve", ("c1",)),
        ("responses.retrieve", ("r1",)),
        ("conversations.retrieve", ("c1",)),
        ("skills.list", ()),
        ("vector_stores.list", ()),
        ("containers.list", ()),
        ("models.delete", ("ft:x",)),
        ("fine_tuning.jobs.list", ()),
    ],
)
async def test_openai_sdk_call_that_cannot_be_metered_is_refused(
    call: str, names: tuple[str, ...], client: Prepared, fake_provider: FakeProvider
) -> None:
    async with openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0) as sdk:
        with pytest.raises(openai.BadRequestError) as refused:
            await _ask(sdk, call, *names)
    assert refused.value.code == "endpoint_not_metered" and "Base URL" not in refused.value.message
    assert await fake_provider.requests() == []


@pytest.mark.parametrize(
    "call",
    [
        "beta.agents.list",
        "beta.sessions.list",
        "beta.environments.list",
        "beta.memory_stores.list",
        "beta.vaults.list",
        "skills.list",
        "files.list",
        "user_profiles.list",
    ],
)
async def test_anthropic_sdk_call_that_cannot_be_metered_is_refused(
    call: str, client: Prepared, fake_provider: FakeProvider
) -> None:
    async with anthropic.AsyncAnthropic(base_url=client.url, api_key=client.key, max_retries=0) as sdk:
        with pytest.raises(anthropic.BadRequestError) as refused:
            await _ask(sdk, call)
    told: Any = refused.value.body
    assert told["error"]["code"] == "endpoint_not_metered" and "Base URL" not in told["error"]["message"]
    assert await fake_provider.requests() == []


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        ("caches.list", {}),
        ("file_search_stores.list", {}),
        ("tunings.get", {"name": "tunedModels/t1"}),
        ("batches.delete", {"name": "batches/b1"}),
    ],
)
async def test_google_sdk_call_that_cannot_be_metered_is_refused(
    call: str, fields: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    options: Any = {"base_url": client.url, "retry_options": {"attempts": 1}}
    sdk = genai.Client(api_key=client.key, http_options=options).aio
    with pytest.raises(ClientError) as refused:
        made = await attrgetter(call)(sdk)(**fields)
        if hasattr(made, "__aiter__"):
            async for _ in made:
                pass
    assert refused.value.code == 400 and "Base URL" not in str(refused.value.message)
    assert "ENDPOINT_NOT_METERED" in str(refused.value.details)
    assert await fake_provider.requests() == []
