import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from support.playbook import LAB, Exchange, Stage

from softix_proxy.domain.catalog.providers import ProviderType


async def test_large_request_is_translated_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    apart: list[str] = []

    async def to_thread(function: Any, *arguments: Any) -> Any:
        apart.append(function.__name__)
        return function(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    for size, expected in ((1_000, []), (200_000, ["interpret"])):
        at = Stage(providers=(replace(LAB, type=ProviderType.ANTHROPIC),))
        at.upstream.answer = Exchange(b'{"content":[],"usage":{"input_tokens":7,"output_tokens":5}}')
        asked = {"model": "llama", "max_tokens": 5, "messages": [{"role": "user", "content": "x" * size}]}
        await at.serve(json.dumps(asked).encode())
        assert at.upstream.calls[0].path == "/v1/messages" and apart == expected
        at.settled_once()
