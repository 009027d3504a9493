import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.upstream.probe import fetch

SECRET = "sk-canary-of-the-probe"


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, list[web.Request]]]:
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        if request.path == "/moved":
            return web.Response(status=302, headers={"location": "/v1/models"})
        return web.Response(status=int(request.path.rpartition("/")[2]), text=SECRET)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    await runner.cleanup()


@pytest.mark.parametrize("status", [200, 401, 404, 503])
async def test_probe_returns_the_status_and_sends_the_headers(
    server: tuple[str, list[web.Request]], status: int
) -> None:
    url, seen = server
    assert await fetch(f"{url}/{status}", {"x-api-key": SECRET}) == (status, SECRET.encode())
    assert [request.headers["x-api-key"] for request in seen] == [SECRET]


async def test_probe_follows_no_redirect(server: tuple[str, list[web.Request]]) -> None:
    url, seen = server
    assert (await fetch(f"{url}/moved", {})).status == 302
    assert len(seen) == 1


async def test_probe_ignores_a_proxy_of_the_environment(
    server: tuple[str, list[web.Request]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert (await fetch(f"{server[0]}/200", {})).status == 200


async def refused(url: str) -> FailureError:
    with pytest.raises(FailureError) as failure:
        await fetch(url, {"x-api-key": SECRET})
    error = failure.value
    assert SECRET not in f"{error!r}{error.remedy}" and url not in f"{error!r}"
    assert error.__cause__ is None and error.__suppress_context__
    return error


async def test_probe_of_a_closed_port_raises_unreachable() -> None:
    listener = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    assert "cannot be reached" in (await refused(f"http://127.0.0.1:{port}/v1/models")).message


async def test_probe_of_a_server_that_closes_raises_unreachable() -> None:
    async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listener = await asyncio.start_server(close, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        assert "cannot be reached" in (await refused(f"http://127.0.0.1:{port}/v1/models")).message


async def test_probe_with_tls_of_a_plain_server_names_tls(server: tuple[str, list[web.Request]]) -> None:
    assert "TLS" in (await refused(server[0].replace("http:", "https:") + "/200")).message


async def test_probe_of_a_slow_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softix_proxy.upstream.probe._TIMEOUT_S", 0.05)

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        assert "no answer" in (await refused(f"http://127.0.0.1:{port}/v1/models")).message


async def test_probe_of_a_metadata_service_says_where_the_name_leads() -> None:
    assert "where a cloud keeps secrets" in (await refused("http://169.254.169.254/v1/models")).message
