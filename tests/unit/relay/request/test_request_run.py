import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from support.playbook import LAB, MODEL, Exchange, Stage

from softix_proxy.dialects.request import fields
from softix_proxy.dialects.request.fields import SCANNED_BYTES
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


async def test_large_body_whose_words_were_tagged_is_scanned_again_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: list[object] = []
    finished = fields.finished
    monkeypatch.setattr(fields, "finished", lambda steps: at_once.append(steps) or finished(steps))
    at = Stage(models=(replace(MODEL, upstream_name="there"),))
    message = {"role": "user", "content": "x" * SCANNED_BYTES}
    asked = {"model": "llama", "max_tokens": 5, "messages": [message], "prompt_cache_key": "mine"}
    await at.serve(json.dumps(asked).encode(), is_heavy=True)
    assert b'"mine"' not in at.upstream.calls[0].body and at_once == []
