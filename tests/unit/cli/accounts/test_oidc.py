import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.openid_server import CLIENT_ID, OpenIdServer, serving_openid

from softix_proxy.cli.console.key_source import KeySource

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture
def server() -> Iterator[OpenIdServer]:
    """A provider in a thread of its own, because a command has its own event loop."""
    ready, done = threading.Event(), asyncio.Event()
    made: list[OpenIdServer] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving_openid(0) as one:
            made.append(one)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield made[0]
    loop.call_soon_threadsafe(done.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def configured(instance: Path, server: OpenIdServer) -> None:
    (instance / "config.toml").write_text(
        '[portal]\npublic_url = "https://portal.example.org"\n'
        f'[oidc]\nissuer = "{server.issuer}"\nclient_id = "{CLIENT_ID}"\n'
    )


def test_oidc_secret_is_asked_for_by_its_name(configured: None, run: Softix, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[KeySource] = []

    def read(source: KeySource, _name: str, *, ask: bool) -> None:
        given.append(source)

    monkeypatch.setattr(KeySource, "read", read)
    run("oidc set-secret", code=2)
    assert [source.label for source in given] == ["Client secret"]


def test_oidc_secret_is_stored_sealed_and_checked(
    configured: None, instance: Path, server: OpenIdServer, run: Softix, read: Read
) -> None:
    assert read("oidc check")["has_secret"] is False
    done = run("oidc set-secret --key-stdin", stdin=f"{server.client_secret}\n")
    assert server.client_secret not in done.output
    assert read("oidc check") == {
        "issuer": server.issuer,
        "client_id": CLIENT_ID,
        "redirect_uri": "https://portal.example.org/oidc/callback",
        "has_secret": True,
    }
    stored = b"".join(path.read_bytes() for path in instance.glob("softix.db*"))
    assert server.client_secret.encode() not in stored


def test_oidc_check_of_a_provider_that_names_another_issuer_fails(
    configured: None, server: OpenIdServer, run: Softix
) -> None:
    server.document["issuer"] = "https://login.example.net"
    done = run("oidc check", 1)
    assert "another issuer" in done.output


def test_oidc_commands_without_settings_say_what_is_missing(instance: Path, run: Softix) -> None:
    assert "portal.public_url" in run("oidc check", 2).output
    done = run("oidc set-secret --key-stdin", 2, "x\n")
    assert "oidc.issuer" in done.output
    (instance / "config.toml").write_text('[portal]\npublic_url = "https://portal.example.org"\n')
    done = run("oidc check", 2)
    assert "oidc.client_id" in done.output
