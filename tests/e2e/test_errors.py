"""Each refusal in the dialect and with the SDK's exception of who asks; a provider's own errors as they came."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
import anthropic
import openai
import pytest
from support.daemon import Prepared
from support.provider import FakeProvider, fake, told
from support.tenants import held, offer, rows, tenant

from softix_proxy.dialects.core.errors import ProviderError
from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.catalog.providers import ProviderType

SAY = [{"role": "user", "content": "What is there to say?"}]


class Dialect(NamedTuple):
    name: str
    path: str
    ask: Mapping[str, Any]
    sdk: Any
    base: str
    """What the SDK's base URL has after the host."""
    kind: ProviderType

    def client(self, at: Prepared, retries: int = 2) -> Any:
        made = self.sdk.AsyncOpenAI if self.name == "openai" else self.sdk.AsyncAnthropic
        return made(base_url=at.url + self.base, api_key=at.key, max_retries=retries)

    async def caught(self, at: Prepared, retries: int = 2, **changes: Any) -> Any:
        """The SDK's exception for this request."""
        path = self.path.removeprefix(self.base)
        with pytest.raises(self.sdk.APIStatusError) as raised:
            await self.client(at, retries).post(path, cast_to=object, body={**self.ask, **changes})
        return raised.value


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            "openai",
            "/v1/chat/completions",
            {"model": "gpt-test", "max_tokens": 64, "messages": SAY},
            openai,
            "/v1",
            ProviderType.OPENAI_COMPATIBLE,
        ),
        Dialect(
            "anthropic",
            "/v1/messages",
            {"model": "claude-test", "max_tokens": 64, "messages": SAY},
            anthropic,
            "",
            ProviderType.ANTHROPIC,
        ),
    )
}


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return DIALECTS[request.param]


class Told(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["error"]
        return found


async def post(session: aiohttp.ClientSession, at: Prepared, dialect: Dialect, **options: Any) -> Told:
    headers = {**at.headers, **options.pop("headers", {})}
    if "data" not in options:
        options["json"] = {**dialect.ask, **options.get("json", {})}
    async with session.post(at.url + dialect.path, headers=headers, **options) as answer:
        return Told(answer.status, dict(answer.headers), await answer.read(), await answer.json())


def is_in(told: Told, dialect: Dialect, status: int, code: str, kind: str) -> None:
    """A refusal of softix's own: the dialect's shape, softix's code, and an id to ask the operator about."""
    assert (told.status, told.error["code"], told.error["type"]) == (status, code, kind)
    identified = told.error if dialect.name == "openai" else told.json
    assert identified["request_id"] == told.headers["x-softix-request-id"]
    assert ("type" in told.json) == (dialect.name == "anthropic")
    assert told.headers["Content-Type"].startswith("application/json") and told.error["message"]


async def refusals(session: aiohttp.ClientSession, at: Prepared, code: str) -> float:
    """How often this daemon has refused so, as it counts itself."""
    async with session.get(f"{at.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return sum(float(line.split()[-1]) for line in lines if "softix_refusals_total{" in line and f'"{code}"' in line)


BAD_BODIES = {
    "no JSON": b'{"model": ',
    "nothing": b"",
    "a list": b"[]",
    "no model": b'{"messages": []}',
    "a model that is no text": b'{"model": 7}',
    "a stream that is no flag": b'{"model": "gpt-test", "stream": "yes"}',
    "a limit that is no number": b'{"model": "gpt-test", "max_tokens": "many"}',
    "not UTF-8": b'{"model": "\xff"}',
    "deep": b'{"model": "gpt-test", "messages": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("what", BAD_BODIES)
async def test_invalid_body_is_refused_in_the_client_s_dialect(
    what: str, dialect: Dialect, client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    found = await post(session, client, dialect, data=BAD_BODIES[what])
    is_in(found, dialect, 400, "invalid_request", "invalid_request_error")
    assert await fake_provider.requests() == [] and await rows(client) == []


async def test_invalid_request_raises_a_bad_request_error_in_the_sdk(dialect: Dialect, client: Prepared) -> None:
    assert isinstance(await dialect.caught(client, model=""), dialect.sdk.BadRequestError)


@pytest.mark.parametrize("key", ["", "none", "sx_live_0000", "sk-of-somebody", "é"])
async def test_invalid_key_is_refused_in_the_client_s_dialect(
    key: str, dialect: Dialect, client: Prepared, session: aiohttp.ClientSession
) -> None:
    found = await post(session, client, dialect, headers={"authorization": f"Bearer {key}"})
    kind = {"openai": "invalid_request_error", "anthropic": "authentication_error"}[dialect.name]
    is_in(found, dialect, 401, "invalid_api_key", kind)


async def test_unknown_key_raises_an_authentication_error_in_the_sdk(
    dialect: Dialect, client: Prepared, session: aiohttp.ClientSession
) -> None:
    before = await refusals(session, client, "invalid_api_key")
    client.key = client.key[:-1] + ("a" if client.key[-1] != "a" else "b")
    error = await dialect.caught(client)
    assert isinstance(error, dialect.sdk.AuthenticationError) and "invalid_api_key" in str(error.body)
    assert await refusals(session, client, "invalid_api_key") == before + 1


async def test_empty_balance_is_refused_once_without_a_retry(
    dialect: Dialect, client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    poor = await tenant(client, balance="0.00001")
    found = await post(session, poor, dialect)
    kind = {"openai": "insufficient_quota", "anthropic": "billing_error"}[dialect.name]
    is_in(found, dialect, 429, "insufficient_balance", kind)
    assert found.headers["x-should-retry"] == "false" and "Retry-After" not in found.headers
    assert found.error["available"] == "0.00001" and float(found.error["needed"]) > 0.00001
    assert found.error["max_tokens"] == 0 and found.error["currency"] == "USD"
    before = await refusals(session, poor, "insufficient_balance")
    error = await dialect.caught(poor)
    assert isinstance(error, dialect.sdk.RateLimitError)
    assert await refusals(session, poor, "insufficient_balance") == before + 1
    assert await fake_provider.requests() == [] and await rows(poor) == []


async def test_short_balance_is_refused_with_the_max_tokens_that_would_pass(
    dialect: Dialect, client: Prepared, session: aiohttp.ClientSession
) -> None:
    poor = await tenant(client, balance="0.004")
    found = await post(session, poor, dialect, json={"max_tokens": 4_000})
    assert (found.status, found.error["available"]) == (429, "0.004")
    most = found.error["max_tokens"]
    assert 0 < most < 4_000
    assert (await post(session, poor, dialect, json={"max_tokens": most + 1})).status == 429
    assert (await post(session, poor, dialect, json={"max_tokens": most})).status == 200


async def test_reached_cap_is_refused_once_without_a_retry(
    dialect: Dialect, client: Prepared, session: aiohttp.ClientSession
) -> None:
    capped = await tenant(client, limits=KeyLimits(cap_pico=10**6))
    found = await post(session, capped, dialect)
    assert (found.status, found.error["code"], found.error["available"]) == (429, "cap_reached", "0.000001")
    before = await refusals(session, capped, "cap_reached")
    assert isinstance(await dialect.caught(capped), dialect.sdk.RateLimitError)
    assert await refusals(session, capped, "cap_reached") == before + 1


async def test_model_that_the_key_does_not_allow_is_refused(
    dialect: Dialect, client: Prepared, session: aiohttp.ClientSession
) -> None:
    narrow = await tenant(client, offered=("other-*",))
    kind = {"openai": "invalid_request_error", "anthropic": "not_found_error"}[dialect.name]
    is_in(await post(session, narrow, dialect), dialect, 404, "model_not_found", kind)
    assert isinstance(await dialect.caught(narrow), dialect.sdk.NotFoundError)


async def test_unknown_model_is_refused_without_its_name(
    dialect: Dialect, client: Prepared, session: aiohttp.ClientSession
) -> None:
    kind = {"openai": "invalid_request_error", "anthropic": "not_found_error"}[dialect.name]
    found = await post(session, client, dialect, json={"model": "secret-plan-9"})
    is_in(found, dialect, 404, "model_not_found", kind)
    assert b"secret-plan-9" not in found.body
    assert isinstance(await dialect.caught(client, model="secret-plan-9"), dialect.sdk.NotFoundError)


async def test_large_body_is_refused_while_the_client_still_sends(
    dialect: Dialect, hasty_client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    """Told even to a client that is still sending."""
    large = [{"role": "user", "content": "x" * 5_000_000}]
    found = await post(session, hasty_client, dialect, json={"messages": large})
    kind = {"openai": "invalid_request_error", "anthropic": "request_too_large"}[dialect.name]
    is_in(found, dialect, 413, "body_too_large", kind)
    error = await dialect.caught(hasty_client, retries=0, messages=large)
    assert error.status_code == 413
    assert await fake_provider.requests() == []


async def test_large_body_with_an_unknown_key_raises_an_authentication_error(
    dialect: Dialect, client: Prepared, session: aiohttp.ClientSession
) -> None:
    client.key = "sk-of-somebody"
    large = [{"role": "user", "content": "x" * 5_000_000}]
    assert isinstance(await dialect.caught(client, retries=0, messages=large), dialect.sdk.AuthenticationError)


PACES = {
    "rate_limited": (KeyLimits(rpm=1), "requests"),
    "tokens_limited": (KeyLimits(tpm=20), "tokens"),
    "concurrency_limited": (KeyLimits(concurrency=1), ""),
}


@pytest.mark.parametrize("code", PACES)
async def test_request_above_a_rate_limit_is_refused_with_its_headers(
    code: str, dialect: Dialect, client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    limits, what = PACES[code]
    paced = await tenant(client, limits=limits)
    first = asyncio.create_task(post(session, paced, dialect, headers=fake(gate="first", headers=True)))
    await fake_provider.waiting("first")
    found = await post(session, paced, dialect)
    openai_kind = "tokens" if code == "tokens_limited" else "requests"
    is_in(found, dialect, 429, code, openai_kind if dialect.name == "openai" else "rate_limit_error")
    assert 1 <= int(found.headers["Retry-After"]) <= 61 and "x-should-retry" not in found.headers
    assert isinstance(await dialect.caught(paced, retries=0), dialect.sdk.RateLimitError)
    await fake_provider.open("first")
    passed = await first
    assert passed.status == 200
    for answer in (passed, found):
        shown = {name.lower(): value for name, value in answer.headers.items() if "ratelimit" in name.lower()}
        limit = {"requests": limits.rpm, "tokens": limits.tpm}.get(what)
        assert shown.get(f"x-ratelimit-limit-{what}") == (None if limit is None else str(limit))
        assert len(shown) == (3 if what else 0), "the provider's own limits are the operator's matter"
        assert all(value.endswith("s") for name, value in shown.items() if "-reset-" in name)
    assert len(await rows(paced)) == 1


FAULTS = {
    "an answer that is cut": (fake(cut_after=1), 502, "provider_broke_off"),
    "an answer that ends early": (fake(truncate=True), 502, "provider_broke_off"),
    "no answer": (fake(stall=True), 504, "provider_timeout"),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_provider_fault_is_reported_in_the_client_s_dialect(
    what: str, dialect: Dialect, hasty_client: Prepared, session: aiohttp.ClientSession
) -> None:
    directive, status, code = FAULTS[what]
    found = await post(session, hasty_client, dialect, headers=directive)
    late = "timeout_error" if status == 504 else "api_error"
    is_in(found, dialect, status, code, "server_error" if dialect.name == "openai" else late)
    assert [row["error"] for row in await rows(hasty_client)] == [code]
    assert await held(hasty_client) == 0


async def test_unreachable_provider_is_reported_in_the_client_s_dialect_and_costs_nothing(
    dialect: Dialect, client: Prepared, session: aiohttp.ClientSession
) -> None:
    model = f"{dialect.name}-nowhere"
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        await offer(client, model, dialect.kind, f"http://127.0.0.1:{taken.getsockname()[1]}")
        asks = await tenant(client, offered=(model,))
        found = await post(session, asks, dialect, json={"model": model})
        kind = {"openai": "server_error", "anthropic": "api_error"}[dialect.name]
        is_in(found, dialect, 502, "provider_unreachable", kind)
        error = await dialect.caught(asks, retries=0, model=model)
    assert isinstance(error, dialect.sdk.InternalServerError)
    posted = await rows(asks)
    assert {(row["status_code"], row["usage_source"], row["charge"]) for row in posted} == {(502, "none", "0.00")}


STATUSES = (400, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529)


async def test_provider_error_passes_byte_for_byte_and_costs_nothing(
    dialect: Dialect, client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    """Byte for byte; of them only the status and a word of ours are kept."""
    for status in STATUSES:
        heard = []
        direct = Prepared(client.instance, "sk-direct", "", "", "", {})
        for url in (client.url, fake_provider.base_url):
            await fake_provider.reset()
            headers = {**(client if url == client.url else direct).headers, **fake(status=status, canary="canary")}
            async with session.post(url + dialect.path, json=dict(dialect.ask), headers=headers) as answer:
                passed = {name: answer.headers.get(name) for name in ("retry-after", "content-type", "request-id")}
                heard.append((answer.status, await answer.read(), passed))
        assert heard[0] == heard[1] and heard[0][0] == status
    posted = await rows(client)
    assert [row["status_code"] for row in reversed(posted)] == list(STATUSES)
    assert {row["error"] for row in posted} <= set(ProviderError)
    assert {(row["charge"], row["usage_source"]) for row in posted} == {("0.00", "none")}
    assert await held(client) == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_provider_s_refusal_of_its_key_is_reported_as_a_server_error(
    stream: bool, dialect: Dialect, client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    await fake_provider.script(told(status=401, canary="canary"))
    found = await post(session, client, dialect, json={"stream": stream})
    is_in(found, dialect, 502, "provider_refused", "server_error" if dialect.name == "openai" else "api_error")
    assert b"canary" not in found.body
    assert [(row["status_code"], row["error"]) for row in await rows(client)] == [(401, "provider_credentials")]


NOT_METERED = (
    ("POST", "/v1/uploads"),
    ("GET", "/v1/responses/resp-1"),
    ("POST", "/v1/responses/resp-1/cancel"),
    ("POST", "/v1/videos"),
    ("POST", "/v1/fine_tuning/jobs"),
    ("POST", "/upload/v1beta/files"),
    ("POST", "/v1beta/cachedContents"),
    ("POST", "/v1beta/models/gemini-test:batchGenerateContent"),
    ("POST", "/v1/wombat"),
)


async def test_endpoint_that_cannot_be_metered_is_refused(
    client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    for method, path in NOT_METERED:
        async with session.request(method, client.url + path, json={}, headers=client.headers) as answer:
            told = (await answer.json())["error"]
        reason = told["details"][0]["reason"].lower() if "details" in told else told["code"]
        assert (answer.status, reason) == (400, "endpoint_not_metered"), path
    assert await fake_provider.requests() == []


@pytest.mark.parametrize(("named", "status"), [(True, 400), (False, 401)])
async def test_body_that_is_not_packed_as_declared_is_refused_and_logged_as_no_error(
    named: bool, status: int, client: Prepared
) -> None:
    """Anybody could fill the log with such bodies, a key or not."""
    before = len(client.instance.log_text())
    reader, writer = await asyncio.open_connection("127.0.0.1", int(client.url.rpartition(":")[2]))
    proof = f"authorization: Bearer {client.key if named else 'none'}\r\n"
    packed = "content-encoding: gzip\r\ncontent-length: 10\r\nconnection: close\r\n"
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: softix\r\n{packed}{proof}\r\n"
    writer.write(head.encode() + b"not packed")
    answer = await reader.read()
    writer.close()
    assert f" {status} ".encode() in answer.splitlines()[0]
    assert '"error"' not in client.instance.log_text()[before:]
