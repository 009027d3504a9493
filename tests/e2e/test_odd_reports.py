"""Providers whose reports cannot be true: what the daemon charges, and what it tells of it."""

from __future__ import annotations

from math import ceil
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared
from support.provider import FakeProvider, told
from support.tenants import rows
from support.wire import CHAT, MESSAGES, ROUTES, Route, post

from softix_proxy.domain.catalog.profiles import PROFILES
from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.domain.metering.text_tokens import count_tokens

BOTH = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
OF_TEXT = pytest.mark.parametrize("route", [CHAT, MESSAGES, ROUTES["responses"]], ids=["chat", "messages", "responses"])


async def charged(client: Prepared, session: aiohttp.ClientSession, route: Route, **more: Any) -> dict[str, Any]:
    answer = await post(session, client.url, route, client.headers, json=more)
    assert answer.status == 200
    [row] = await rows(client)
    return row


@BOTH
@OF_TEXT
async def test_provider_report_of_zero_tokens_is_charged_as_an_estimate(
    client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider, route: Route, stream: bool
) -> None:
    await fake_provider.script(told(tokens="0,0", chunks=40))
    row = await charged(client, session, route, stream=stream)
    assert (row["usage_source"], row["note"]) == ("estimate", "implausible_usage")
    body = route.body({"stream": stream})[1]
    profile = PROFILES[ProviderType.ANTHROPIC if route is MESSAGES else ProviderType.OPENAI_COMPATIBLE]
    assert row["input_tokens"] == ceil(count_tokens(body.decode()) * profile.tokens_per_piece)
    assert 40 <= row["output_tokens"] <= 130


@BOTH
@OF_TEXT
async def test_provider_report_that_is_plausible_is_charged_as_reported(
    client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider, route: Route, stream: bool
) -> None:
    await fake_provider.script(told(tokens="3,2", chunks=40))
    row = await charged(client, session, route, stream=stream)
    assert (row["usage_source"], row["note"]) == ("provider", None)
    assert (row["input_tokens"], row["output_tokens"]) == (3, 2)
