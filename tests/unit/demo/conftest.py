from __future__ import annotations

import math
from collections.abc import AsyncIterator

import anthropic
import openai
import pytest

from softix_proxy.demo.server import DemoServer, start


@pytest.fixture
async def demo() -> AsyncIterator[DemoServer]:
    server = await start(tokens_per_s=math.inf)
    yield server
    await server.close()


@pytest.fixture
async def gpt(demo: DemoServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{demo.base_url}/v1", api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
async def claude(demo: DemoServer) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=demo.base_url, api_key="any", max_retries=0) as client:
        yield client
