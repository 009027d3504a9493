"""Second factors in a real browser: an app, a passkey of a virtual device, and a real way to an OpenID provider."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.async_api import Browser, expect
from support.browser import NARROW, Visit, visiting
from support.daemon import prepared
from support.openid_server import CLIENT_ID, OpenIdServer, serving_openid
from support.portal_daemon import PortalDaemon, portal_daemon
from support.provider import FakeProvider

from softix_proxy.domain.core.clock import SECOND_US, SystemClock

ADA, PASSWORD = "ada.lovelace@example.org", "four words in a row"
FACTORS = "/account/factors"


async def arrive(visit: Visit, daemon: PortalDaemon) -> None:
    """Ada gets an account, and signs in by her password."""
    daemon.cli("accounts", "create", ADA, "--name", "Ada Lovelace")
    await visit.open(await daemon.link(ADA, "Your account is ready"))
    await visit.fill(password=PASSWORD)
    await visit.press("Set the password")
    await sign_in(visit)


async def sign_in(visit: Visit) -> None:
    await visit.open("/sign-in?next=%2Faccount")
    await visit.fill(email=ADA, password=PASSWORD)
    await visit.press("Sign in")


async def leave(visit: Visit) -> None:
    await visit.page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    await expect(visit.page.locator("h1")).to_have_text("Sign in")


async def plug_in(visit: Visit) -> Any:
    """A device that keeps passkeys and verifies its person, as Chromium's developer tools make one."""
    tools = await visit.context.new_cdp_session(visit.page)
    await tools.send("WebAuthn.enable")
    made = await tools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return tools, made["authenticatorId"]


async def test_person_adds_a_passkey_signs_in_by_it_alone_and_uses_it_as_second_factor(
    browser: Browser, daemon: PortalDaemon
) -> None:
    async with visiting(browser, daemon.url) as ada:
        await arrive(ada, daemon)
        tools, device = await plug_in(ada)
        await ada.open(FACTORS)
        await ada.press("Add a passkey")
        await ada.fill(label="My laptop")
        await ada.press("Make a passkey")
        assert await ada.title() == "Your recovery codes"
        assert await ada.page.locator("ol.recovery-codes li").count() == 10
        kept = await tools.send("WebAuthn.getCredentials", {"authenticatorId": device})
        assert [one["rpId"] for one in kept["credentials"]] == ["localhost"] and kept["credentials"][0][
            "isResidentCredential"
        ]
        await ada.open(FACTORS)
        assert await ada.page.get_by_role("row", name=re.compile("My laptop")).count() == 1
        await daemon.message(ADA, "second factor")

        await leave(ada)
        await ada.open("/sign-in?next=%2Faccount")
        await ada.press("Use a passkey")
        await ada.page.wait_for_url("**/account")
        assert "Ada Lovelace" in await ada.page.locator("header").inner_text()

        await leave(ada)
        await sign_in(ada)
        assert ada.path == "/sign-in/second-factor"
        await ada.press("Use a passkey")
        await ada.page.wait_for_url("**/account")


async def test_device_that_does_not_verify_its_person_signs_nobody_in(browser: Browser, daemon: PortalDaemon) -> None:
    async with visiting(browser, daemon.url) as ada:
        await arrive(ada, daemon)
        tools, device = await plug_in(ada)
        await ada.open(FACTORS)
        await ada.press("Add a passkey")
        await ada.press("Make a passkey")
        await leave(ada)
        await tools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
        await ada.press("Use a passkey")
        await expect(ada.page.locator("[data-passkey-problem]")).to_be_visible()
        await ada.open("/account")
        assert ada.path == "/sign-in"


async def test_person_sets_up_an_app_and_signs_in_by_its_code_without_javascript(
    browser: Browser, daemon: PortalDaemon
) -> None:
    async with visiting(browser, daemon.url, java_script_enabled=False) as ada:
        await arrive(ada, daemon)
        await ada.open(FACTORS)
        await ada.press("Set up an app")
        box = await ada.page.locator("figure.qr svg").bounding_box()
        assert box is not None and box["width"] > 150
        secret = (await ada.page.locator(".secret code").inner_text()).replace(" ", "")
        app = pyotp.TOTP(secret)
        await ada.fill(code=app.now())
        await ada.press("Confirm")
        codes = await ada.page.locator("ol.recovery-codes code").all_inner_texts()
        assert len(set(codes)) == 10

        await leave(ada)
        await sign_in(ada)
        assert ada.path == "/sign-in/second-factor"
        await ada.fill(code=codes[0])
        await ada.press("Continue")
        assert ada.path == "/account"
        await leave(ada)
        await sign_in(ada)
        await ada.fill(code=codes[0])
        await ada.press("Continue")
        assert "used already" in await ada.page.get_by_role("alert").inner_text()


@pytest.fixture
async def provider() -> AsyncIterator[OpenIdServer]:
    async with serving_openid(SystemClock().now_us() // SECOND_US) as served:
        served.claims = {"email": ADA}
        yield served


@pytest.fixture
async def with_provider(
    tmp_path: Path, fake_provider: FakeProvider, provider: OpenIdServer
) -> AsyncIterator[PortalDaemon]:
    made = await prepared(tmp_path, fake_provider.base_url)
    settings = {
        "SOFTIX_OIDC_ISSUER": provider.issuer,
        "SOFTIX_OIDC_CLIENT_ID": CLIENT_ID,
        "SOFTIX_OIDC_CREATE_ACCOUNTS": "true",
        "SOFTIX_OIDC_BUTTON": "Sign in with Example Ltd",
    }
    made.instance.cli("oidc", "set-secret", "--key-env", "SECRET", SECRET=provider.client_secret, **settings)
    async with portal_daemon(made, **settings) as served:
        yield served


async def test_person_signs_in_at_an_openid_provider(
    browser: Browser, with_provider: PortalDaemon, provider: OpenIdServer
) -> None:
    async with visiting(browser, with_provider.url) as ada:
        await ada.open("/sign-in?next=%2Faccount")
        await ada.page.get_by_role("link", name="Sign in with Example Ltd").click()
        await ada.page.wait_for_url("**/account")
        assert "Ada Lovelace" in await ada.page.locator("header").inner_text()
        assert all(url.startswith(f"{provider.issuer}/authorize?") for url in ada.elsewhere)
        ada.elsewhere.clear()
        await ada.open(FACTORS)
        assert await ada.page.get_by_role("rowheader", name=provider.issuer).count() == 1


async def test_pages_of_factors_are_accessible_and_fit(browser: Browser, daemon: PortalDaemon) -> None:
    async with visiting(browser, daemon.url, size=NARROW) as ada:
        await arrive(ada, daemon)
        await plug_in(ada)
        await ada.open(FACTORS)
        await ada.look("factors-none")
        await ada.press("Set up an app")
        await ada.look("factors-app")
        await ada.fill(code="123")
        await ada.press("Confirm")
        await ada.look("factors-app-refused")
        secret = (await ada.page.locator(".secret code").inner_text()).replace(" ", "")
        await ada.fill(code=pyotp.TOTP(secret).now())
        await ada.press("Confirm")
        await ada.look("recovery-codes")
        await ada.open(FACTORS)
        await ada.press("Add a passkey")
        await ada.look("factors-passkey")
        await ada.press("Make a passkey")
        await ada.look("factors")
        await leave(ada)
        await sign_in(ada)
        await ada.look("second-factor")
