"""Makes two small requests through a proxy, as a client would: one whole and one streamed."""

from __future__ import annotations

import json
from dataclasses import dataclass

import aiohttp

from softix_proxy.demo.models import models
from softix_proxy.domain.core.errors import FailureError

_TIMEOUT_S = 30
_MODEL = models()[0].name
_ASK = {"model": _MODEL, "max_tokens": 24, "messages": [{"role": "user", "content": "Hello!"}]}


@dataclass(frozen=True, slots=True)
class Passed:
    """The result of one request."""

    name: str
    request_id: str
    pieces: int
    """The number of frames of the stream. It is 1 for a whole response."""


async def run(url: str, key: str) -> list[Passed]:
    """Requests a whole response from OpenAI's endpoint and a stream from Anthropic's. Raises FailureError."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            return [await _whole(session, url, key), await _streamed(session, url, key)]
    except (aiohttp.ClientError, TimeoutError) as error:
        raise FailureError(
            f"the proxy did not answer: {type(error).__name__}", "see its log, and: softix doctor"
        ) from None


async def _whole(session: aiohttp.ClientSession, url: str, key: str) -> Passed:
    headers = {"authorization": f"Bearer {key}"}
    async with session.post(f"{url}/v1/chat/completions", json=_ASK, headers=headers) as answer:
        text = await answer.text()
        _require(answer.status == 200, "the plain request", answer.status)
        _require(bool(json.loads(text)["choices"][0]["message"]["content"]), "the plain answer is empty", 200)
        return Passed("plain, OpenAI's dialect", answer.headers["x-softix-request-id"], 1)


async def _streamed(session: aiohttp.ClientSession, url: str, key: str) -> Passed:
    headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
    async with session.post(f"{url}/v1/messages", json={**_ASK, "stream": True}, headers=headers) as answer:
        _require(answer.status == 200, "the streamed request", answer.status)
        text = await answer.text()
        _require("event: message_stop" in text, "the stream has no end", 200)
        pieces = text.count("event: content_block_delta")
        return Passed("streamed, Anthropic's dialect", answer.headers["x-softix-request-id"], pieces)


def _require(good: bool, what: str, status: int) -> None:
    if not good:
        raise FailureError(f"{what} failed (status {status})", "see the log, and: softix doctor")
