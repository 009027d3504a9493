import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Iterator, Mapping

import pytest

from softix_proxy import assembly
from softix_proxy.doctor import providers as check
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.catalog.providers import ProviderStatus, ProviderType
from softix_proxy.domain.ports.upstream import Fetched
from softix_proxy.operations.catalog import providers
from softix_proxy.settings import Settings
from softix_proxy.upstream.probe import fetch


class Server:
    """Answers every request with this status, where the key is right."""

    def __init__(self) -> None:
        self.status = 200
        self.key = "sk-" + secrets.token_urlsafe(24)
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        status = self.status if f"Bearer {self.key}".encode() in head else 401
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status)
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    served = Server()
    listening = await asyncio.start_server(served.answer, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield served


@pytest.fixture
def closed_url() -> Iterator[str]:
    """A port that is taken, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


async def add(settings: Settings, name: str, url: str, key: str | None = None) -> None:
    kind = ProviderType.OPENAI_COMPATIBLE if url else ProviderType.DEMO
    async with assembly.open_instance(settings) as opened:
        await providers.add(opened.storage, await opened.vault(), name=name, kind=kind, base_url=url, key=key)


async def test_provider_check_without_a_provider_warns(made: Settings, look) -> None:
    [found] = await look("providers", fetch=fetch)
    assert (found.severity, found.message) == (Severity.WARNING, "there is no active provider")


async def test_provider_check_reports_each_provider_s_own_state(
    made: Settings, look, server: Server, closed_url: str
) -> None:
    await add(made, "good", server.url, server.key)
    await add(made, "wrong", server.url, "sk-" + secrets.token_urlsafe(24))
    await add(made, "gone", closed_url)
    await add(made, "demo", "")
    good, wrong, gone, demo = await look("providers", fetch=fetch)
    assert (good.severity, good.message) == (Severity.OK, "good answers, and takes its key")
    assert (wrong.severity, wrong.remedy) == (Severity.ERROR, "softix providers set-key wrong")
    assert (gone.severity, gone.message) == (Severity.ERROR, "gone: the provider cannot be reached")
    assert (demo.severity, demo.message) == (Severity.OK, "demo runs inside the daemon")
    assert server.key not in repr([good, wrong, gone, demo])


@pytest.mark.parametrize(
    ("status", "severity"),
    [(403, Severity.WARNING), (404, Severity.ERROR), (429, Severity.WARNING), (503, Severity.WARNING)],
)
async def test_provider_check_with_a_temporary_status_warns(
    made: Settings, look, server: Server, status: int, severity: Severity
) -> None:
    await add(made, "lab", server.url, server.key)
    server.status = status
    [found] = await look("providers", fetch=fetch)
    assert found.severity is severity
    assert f"(status {status})" in found.message
    assert found.remedy


async def test_provider_check_of_a_type_without_a_model_list_is_ok(made: Settings, look, server: Server) -> None:
    async with assembly.open_instance(made) as opened:
        kind = ProviderType.PERPLEXITY
        await providers.add(opened.storage, await opened.vault(), name="lab", kind=kind, key=server.key)
    [found] = await look("providers", fetch=fetch)
    assert (found.severity, "no list of models" in found.message) == (Severity.OK, True)


async def test_provider_check_offline_or_of_a_disabled_provider_sends_nothing(
    made: Settings, look, closed_url: str
) -> None:
    await add(made, "gone", closed_url)
    [found] = await look("providers", fetch=None)
    assert (found.severity, found.message) == (Severity.OK, "not asked, because of --offline")
    async with assembly.open_instance(made) as opened:
        await providers.set_status(opened.storage, "gone", ProviderStatus.DISABLED)
    [found] = await look("providers", fetch=fetch)
    assert found.message == "there is no active provider"


async def test_provider_check_queries_all_at_once_and_times_out_a_silent_one(
    made: Settings, look, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(made, "quick", "http://quick:1")
    await add(made, "silent", "http://silent:1")
    met = asyncio.Barrier(2)

    async def answer(url: str, headers: Mapping[str, str], document: object) -> Fetched:
        await met.wait()
        await (asyncio.Event().wait() if "silent" in url else asyncio.sleep(0))
        return Fetched(200, b'{"data":[]}')

    monkeypatch.setattr(check, "_LIMIT_S", 0.2)
    quick, silent = await look("providers", fetch=answer)
    assert (quick.severity, silent.severity) == (Severity.OK, Severity.ERROR)
    assert "no answer within" in silent.message


async def test_provider_check_with_a_key_that_does_not_open_still_checks_the_others(
    made: Settings, look, server: Server, books
) -> None:
    await add(made, "good", server.url, server.key)
    await add(made, "torn", server.url, server.key)
    books.execute("UPDATE providers SET sealed_key = zeroblob(90) WHERE name = 'torn'")
    good, torn = await look("providers", fetch=fetch)
    assert (good.severity, torn.severity) == (Severity.OK, Severity.ERROR)
    assert torn.message.startswith("torn: ")
