"""Every POST route leaves exactly one usage row, and one charge where it is metered. Made from the table itself."""

from __future__ import annotations

import aiohttp
import pytest
from support.daemon import Prepared
from support.provider import FakeProvider, fake
from support.tenants import charges, held, rows
from support.wire import GEMINI, ROUTES, STREAMED, Answered, post

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.web import route_table

POSTED = [ENDPOINTS[row.label] for row in route_table.ROUTES if row.method == "POST" and row.label in ENDPOINTS]
METERED = {endpoint.name: endpoint.metered for endpoint in POSTED}
WAYS = [
    (name, stream)
    for name in METERED
    for stream in ([True] if ROUTES[name].always else [False, True] if name in STREAMED else [False])
]


def test_example_requests_cover_each_post_route() -> None:
    assert {endpoint.name: endpoint.path for endpoint in POSTED} == {
        name: route.path.replace(GEMINI, "/v1beta/models/{model}") for name, route in ROUTES.items()
    }, "a new route is added to support.wire.ROUTES, so that the tests below see it"


async def ask(client: Prepared, session: aiohttp.ClientSession, name: str, stream: bool, **told: object) -> Answered:
    fields = {"stream": True} if stream else {}
    return await post(session, client.url, ROUTES[name], {**client.headers, **fake(**told)}, json=fields)


@pytest.mark.parametrize(("name", "stream"), WAYS)
async def test_metered_route_writes_one_row_and_one_charge(
    name: str, stream: bool, any_client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    answered = await ask(any_client, session, name, stream)
    assert answered.status == 200
    [row] = await rows(any_client)
    assert (row["endpoint"], row["request_id"]) == (name, answered.headers["x-softix-request-id"])
    assert (row["status_code"], row["error"], row["stream"]) == (200, None, stream)
    if METERED[name]:
        [record] = await fake_provider.requests()
        assert row["usage_source"] == "provider" and float(row["charge"]) > 0
        if (meters := ROUTES[name].meters) is not None:
            assert {meter: row[meter] for meter in meters} == meters
        else:
            assert (row["input_tokens"], row["output_tokens"] or 0) == (record["input_tokens"], record["output_tokens"])
        assert await charges(any_client) == [f"-{row['charge']}"]
    else:
        assert (row["usage_source"], row["charge"], await charges(any_client)) == ("none", "0.00", [])
    assert await held(any_client) == 0


@pytest.mark.parametrize(("name", "stream"), WAYS)
async def test_route_with_a_provider_error_writes_one_row_and_no_charge(
    name: str, stream: bool, any_client: Prepared, session: aiohttp.ClientSession
) -> None:
    assert (await ask(any_client, session, name, stream, status=500)).status == 500
    [row] = await rows(any_client)
    assert (row["endpoint"], row["status_code"], row["charge"]) == (name, 500, "0.00")
    assert await charges(any_client) == [] and await held(any_client) == 0


@pytest.mark.parametrize(("name", "stream"), WAYS)
async def test_route_with_an_unknown_key_writes_no_row(
    name: str, stream: bool, any_client: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    any_client.key = "sk-of-somebody"
    assert (await ask(any_client, session, name, stream)).status == 401
    assert await rows(any_client) == [] and await fake_provider.requests() == []
