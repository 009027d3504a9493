from __future__ import annotations

import asyncio
import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.books import StoppedClock

from softix_proxy.domain.catalog.credentials import EntraClient, GoogleAccount
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.upstream.tokens import Tokens

SECRET = secrets.token_hex(16)


@dataclass
class TokenServer:
    url: str = ""
    seen: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    location: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.seen.append({"path": request.path, **form})
        body = {"access_token": f"token-{len(self.seen)}", "expires_in": 3600, "token_type": "Bearer", "echo": SECRET}
        headers = {"location": self.location} if self.location else {}
        return web.json_response(body, status=self.status, headers=headers)


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    made = TokenServer()
    app = web.Application()
    app.router.add_post("/{path:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def entra(server: TokenServer) -> EntraClient:
    return EntraClient("tenant", "client", SECRET, server.url, "https://scope.example/.default")


async def test_entra_token_is_requested_by_form_and_kept_until_it_expires(server: TokenServer) -> None:
    clock = StoppedClock()
    tokens = Tokens(clock)
    asked = await asyncio.gather(*(tokens.of("a", entra(server)) for _ in range(8)))
    assert asked == ["token-1"] * 8
    assert server.seen == [
        {
            "path": "/tenant/oauth2/v2.0/token",
            "grant_type": "client_credentials",
            "client_id": "client",
            "client_secret": SECRET,
            "scope": "https://scope.example/.default",
        }
    ]
    clock.us += 3299 * 1_000_000
    assert await tokens.of("a", entra(server)) == "token-1"
    clock.us += 2_000_000
    assert await tokens.of("a", entra(server)) == "token-2", "renewed five minutes before its end"
    assert await tokens.of("b", entra(server)) == "token-3", "another place has its own"
    tokens.forget("a")
    assert await tokens.of("a", entra(server)) == "token-4"


async def test_google_token_is_requested_by_a_signed_assertion(server: TokenServer) -> None:
    key = rsa.generate_private_key(65537, 2048)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = GoogleAccount(
        {
            "type": "service_account",
            "client_email": "softix@p.iam.example",
            "private_key": text,
            "private_key_id": "1",
            "token_uri": f"{server.url}/google",
        }
    )
    assert await Tokens(StoppedClock()).of("g", account) == "token-1"
    [seen] = server.seen
    assert seen["path"] == "/google" and seen["assertion"].count(".") == 2
    assert seen["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"


async def failing(tokens: Tokens, credential: EntraClient | GoogleAccount) -> FailureError:
    with pytest.raises(FailureError) as failure:
        await tokens.of("a", credential)
    error = failure.value
    assert SECRET not in f"{error!r}{error.remedy}" and (error.__cause__ is None or error.__suppress_context__)
    return error


async def test_token_refusal_names_the_status_and_follows_no_redirect(server: TokenServer) -> None:
    server.status = 401
    assert "401" in (await failing(Tokens(StoppedClock()), entra(server))).message
    server.status, server.location = 302, f"{server.url}/elsewhere"
    assert "302" in (await failing(Tokens(StoppedClock()), entra(server))).message
    assert all(seen["path"] != "/elsewhere" for seen in server.seen)


async def test_token_of_a_broken_account_or_unreachable_server_raises_a_failure(server: TokenServer) -> None:
    broken = GoogleAccount(
        {"type": "service_account", "client_email": "a", "private_key": SECRET, "token_uri": server.url}
    )
    assert "no access token" in (await failing(Tokens(StoppedClock()), broken)).message
    away = EntraClient("t", "c", SECRET, "http://127.0.0.1:1")
    assert "cannot be reached" in (await failing(Tokens(StoppedClock()), away)).message
    assert server.seen == []


async def test_token_without_google_auth_raises_a_failure_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.oauth2.service_account", None)
    account = GoogleAccount(json.loads('{"type": "service_account"}'))
    assert "softix-proxy[vertex]" in (await failing(Tokens(StoppedClock()), account)).remedy


@pytest.mark.parametrize("address", ["169.254.169.254", "168.63.129.16"])
async def test_token_server_whose_name_leads_to_a_metadata_service_is_not_asked(
    server: TokenServer, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    place = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 80))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [place])
    client = EntraClient("t", "c", SECRET, "http://login.example")
    with pytest.raises(FailureError, match="cannot be reached"):
        await Tokens(StoppedClock()).of("", client)
    assert server.seen == []
