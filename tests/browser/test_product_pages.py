"""The pages of an organisation in a real browser: how they look, by keyboard alone, and a key's life."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Error
from support.browser import NARROW, Visit, visiting
from support.daemon import Prepared, prepared
from support.portal_daemon import PortalDaemon, portal_daemon
from support.provider import FakeProvider

ADA, PASSWORD = "ada.lovelace@example.org", "four words in a row"


@dataclass
class Shop:
    daemon: PortalDaemon
    prepared: Prepared

    async def ask(self, key: str, model: str = "gpt-test") -> int:
        """One metered request. Returns its status."""
        async with aiohttp.ClientSession() as session:
            body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
            headers = {"authorization": f"Bearer {key}"}
            async with session.post(f"{self.prepared.openai_url}/chat/completions", json=body, headers=headers) as got:
                await got.read()
                return got.status

    async def sign_in(self, visit: Visit) -> None:
        await visit.open(await self.daemon.link(ADA, "Your account is ready"))
        await visit.fill(password=PASSWORD)
        await visit.press("Set the password")
        await visit.fill(email=ADA, password=PASSWORD)
        await visit.press("Sign in")


@pytest.fixture
async def shop(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Shop]:
    """An organisation with a key that was used, and an owner who has not signed in yet."""
    made = await prepared(tmp_path, fake_provider.base_url)
    async with portal_daemon(made, SOFTIX_PORTAL_API_URL="https://api.example.org") as served:
        served.cli("accounts", "create", ADA, "--name", "Ada Lovelace", "--organisation", made.user_id)
        shop = Shop(served, made)
        for model in ("gpt-test", "gpt-test", "claude-test"):
            await shop.ask(made.key, model)
        yield shop


async def first(visit: Visit, path: str, pattern: str) -> str:
    """The path of the first link on a page that is like this."""
    await visit.open(path)
    found = re.search(pattern, await visit.page.content())
    assert found is not None
    return found[0]


async def test_pages_of_an_organisation_are_accessible_and_fit(browser: Browser, shop: Shop) -> None:
    shop.daemon.cli("keys", "update", shop.prepared.key_id, "--cap", "0.0001", "--name", "ci")
    async with visiting(browser, shop.daemon.url, size=NARROW) as visit:
        await shop.sign_in(visit)
        key = f"/keys/{shop.prepared.key_id}"
        request = await first(visit, "/usage", r"/requests/req_\w{13}")
        for path in (
            "/",
            "/keys",
            "/keys/new",
            key,
            f"{key}/rotate",
            f"{key}/revoke",
            "/usage",
            request,
            "/limits",
            "/models",
            "/models?q=nothing",
            "/connect",
        ):
            await visit.open(path)
            place = re.sub(r"\W+", "-", path.replace(shop.prepared.key_id, "id").replace(request, "request")).strip("-")
            await visit.look(f"product-{place or 'overview'}")
        await visit.open("/keys/new")
        await visit.fill(label="laptop", rpm="many")
        await visit.press("Make the key")
        await visit.look("product-key-refused")
        await visit.fill(rpm="60")
        await visit.press("Make the key")
        await visit.look("product-key-issued")


async def test_key_that_a_person_makes_works_until_it_is_revoked(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.daemon.url) as ada:
        await shop.sign_in(ada)
        await ada.open("/keys/new")
        await ada.fill(label="laptop")
        await ada.press("Make the key")
        key = await ada.page.locator(".secret code").inner_text()
        assert await shop.ask(key) == 200

        await ada.page.reload()
        assert await ada.page.locator(".secret code").count() == 0
        assert "already" in await ada.page.get_by_role("alert").inner_text()
        await ada.open("/keys")
        assert await ada.page.get_by_role("row").count() == 3

        await ada.open("/keys")
        await ada.page.get_by_role("link", name="laptop").click()
        await ada.page.get_by_role("link", name="Revoke").click()
        await ada.press("Revoke it for good")
        assert await shop.ask(key) == 401
        assert "laptop" not in await ada.page.locator("main").inner_text()

        await ada.open("/keys/new")
        await ada.press("Make the key")
        await ada.open("/keys")
        with pytest.raises(Error, match="ERR_CACHE_MISS"):  # the answer to the form is in no cache
            await ada.page.go_back()


async def test_key_is_made_by_keyboard_alone(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.daemon.url) as ada:
        await shop.sign_in(ada)
        await ada.open("/keys/new")
        keyboard = ada.page.keyboard
        await keyboard.press("Tab")
        assert await ada.page.evaluate("document.activeElement.className") == "skip"
        await keyboard.press("Enter")
        await keyboard.press("Tab")
        assert await ada.page.evaluate("document.activeElement.name") == "label"
        await keyboard.type("laptop")
        async with ada.page.expect_navigation():
            await keyboard.press("Enter")
        assert (await ada.page.locator(".secret code").inner_text()).startswith("sx_live_")


async def test_usage_is_filtered_and_downloaded_without_a_script(browser: Browser, shop: Shop) -> None:
    async with visiting(browser, shop.daemon.url, java_script_enabled=False, accept_downloads=True) as ada:
        await shop.sign_in(ada)
        await ada.open("/usage")
        await ada.page.get_by_label("Model", exact=True).select_option(label="message-lab/claude-test")
        async with ada.page.expect_navigation():
            await ada.page.get_by_role("button", name="Show").click()
        assert await ada.page.locator("#requests ~ .scroll tbody tr").count() == 1
        async with ada.page.expect_download() as download:
            await ada.page.get_by_role("link", name="Download as CSV").click()
        text = Path(await (await download.value).path()).read_bytes()
        assert text.count(b"\r\n") == 2 and b"claude-test" in text
