from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from urllib.parse import urlsplit

import pytest
from support.books import NOW_US
from support.openid_server import CLIENT_ID, OpenIdServer, serving_openid
from support.portal import Got, Portal
from support.visitor import Visitor

from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.operations.accounts import oidc
from softix_proxy.upstream.openid_provider import HttpOpenIdProvider

LOCAL = parse_public_url("http://localhost:8485")


@pytest.fixture
async def server(portal: Portal) -> AsyncIterator[OpenIdServer]:
    """A provider that the portal knows, which lets everybody in whom it calls verified."""
    async with serving_openid(NOW_US // SECOND_US) as made:
        context = portal.context
        section = OidcSection(issuer=made.issuer, client_id=CLIENT_ID, create_accounts=True, button="Example Ltd")
        context.url = LOCAL
        settings = replace(context.settings.portal, public_url=LOCAL.origin)
        context.settings = replace(context.settings, oidc=section, portal=settings)
        context.openid = HttpOpenIdProvider(portal.clock)
        await oidc.set_secret(portal.storage, context.vault, section, made.client_secret)
        yield made


@pytest.fixture
def nobody(portal: Portal, server: OpenIdServer) -> Visitor:
    """A browser without a session."""
    return Visitor(portal, None)  # type: ignore[arg-type]


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


async def sign_in(visitor: Visitor, server: OpenIdServer, *, start: str = "/oidc/start") -> Got:
    began = await visitor.get(start)
    assert began.status == 303, began.text
    return await visitor.get(path_of(server.browse(began.location)))


async def test_page_of_sign_in_leads_to_the_provider(nobody: Visitor) -> None:
    page = await nobody.get("/sign-in?next=%2Faccount")
    assert "Example Ltd" in page.text and 'href="/oidc/start?next=/account"' in page.text


async def test_person_signs_in_at_the_provider_and_goes_on(nobody: Visitor, server: OpenIdServer) -> None:
    done = await sign_in(nobody, server, start="/oidc/start?next=%2Faccount")
    assert (done.status, done.location) == (303, "/account"), done.text
    page = await nobody.get("/account")
    assert page.status == 200 and "Ada Lovelace" in page.text
    assert "login" not in (done.cookie() or {})["value"]


async def test_cookie_of_the_way_opens_nothing_and_another_one_comes_after_it(
    nobody: Visitor, server: OpenIdServer
) -> None:
    began = await nobody.get("/oidc/start")
    waiting = nobody.token
    assert waiting and (await nobody.get("/account")).location.startswith("/sign-in")
    await nobody.get(path_of(server.browse(began.location)))
    assert nobody.token and nobody.token != waiting


async def test_answer_in_another_browser_signs_nobody_in(portal: Portal, nobody: Visitor, server: OpenIdServer) -> None:
    """A link with the answer of an attacker's own sign-in must not sign the reader in as the attacker."""
    back = path_of(server.browse((await nobody.get("/oidc/start")).location))
    for token in (None, "0ther"):
        got = await portal.get(back, token=token)
        assert got.status == 400 and "another browser" in got.text and got.cookie() is None


async def test_person_without_a_verified_address_is_told(nobody: Visitor, server: OpenIdServer) -> None:
    server.claims = {"email_verified": False}
    done = await sign_in(nobody, server)
    assert done.status == 400 and "is verified" in done.text and "ada@example.org" not in done.text


async def test_person_who_said_no_is_told(nobody: Visitor, server: OpenIdServer) -> None:
    server.answer = {"code": "", "error": "access_denied", "error_description": "<b>canary</b>"}
    done = await sign_in(nobody, server)
    assert done.status == 400 and "did not sign you in" in done.text and "canary" not in done.text


async def test_answer_that_cannot_be_trusted_is_told_without_its_content(
    nobody: Visitor, server: OpenIdServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.claims = {"aud": "canary"}
    done = await sign_in(nobody, server)
    assert done.status == 502 and "did not work" in done.text
    assert "for another program" in caplog.text and not re.search("canary|ada@|ada-1", caplog.text + done.text)


async def test_account_in_use_is_linked_after_its_owner_signed_in(ada: Visitor, server: OpenIdServer) -> None:
    stranger = Visitor(ada.portal, ada.account)
    told = await sign_in(stranger, server)
    assert told.status == 400 and "Sign in to it as usual" in told.text
    offered = await ada.post("/account/factors/link")
    assert offered.status == 200
    found = re.search(rf'href="({server.issuer}[^"]*)"', offered.text)
    assert found is not None
    done = await ada.get(path_of(server.browse(unescape(found[1]))))
    assert (done.status, done.location) == (303, "/account/factors"), done.text
    page = await ada.get("/account/factors")
    assert server.issuer in page.text
    assert (await sign_in(stranger, server)).location == "/"
    assert (await ada.post("/account/factors/unlink", issuer=server.issuer)).location == "/account/factors"
    assert (await sign_in(Visitor(ada.portal, ada.account), server)).status == 400


async def test_answer_for_a_link_that_another_session_began_links_nothing(
    ada: Visitor, server: OpenIdServer, portal: Portal
) -> None:
    offered = await ada.post("/account/factors/link")
    found = re.search(rf'href="({server.issuer}[^"]*)"', offered.text)
    assert found is not None
    back = path_of(server.browse(unescape(found[1])))
    bob = await portal.account("bob@example.org")
    token = await portal.sign_in(bob, "bob")
    assert (await portal.get(back, token=token)).status == 400


@pytest.fixture
async def later(nobody: Visitor, server: OpenIdServer, portal: Portal) -> Visitor:
    """A person without a password, who signed in at the provider a while ago."""
    await sign_in(nobody, server)
    portal.clock.us += 16 * 60 * SECOND_US
    server.clock_s = portal.clock.us // SECOND_US
    page = await nobody.get((await nobody.get("/account/password")).location)
    assert page.title == "Confirm that it is you" and 'name="password"' not in page.text
    assert 'href="/sign-in/confirm/oidc?next=/account/password"' in page.text and "Example Ltd" in page.text
    return nobody


CONFIRM = "/sign-in/confirm/oidc?next=%2Faccount%2Fpassword"


async def test_provider_proves_again_who_it_is_and_leads_back(later: Visitor, server: OpenIdServer) -> None:
    server.claims, before = {"auth_time": server.clock_s}, later.token
    done = await sign_in(later, server, start=CONFIRM)
    assert (done.status, done.location) == (303, "/account/password"), done.text
    assert later.token != before and (await later.portal.get("/account", token=before)).status == 303
    assert (await later.get("/account/password")).status == 200


@pytest.mark.parametrize(
    ("claims", "told"),
    [({}, "just now"), ({"auth_time": 1}, "just now"), ({"sub": "eve-1", "auth_time": NOW_US // SECOND_US}, "linked")],
)
async def test_provider_that_did_not_ask_anew_or_names_another_proves_nothing(
    later: Visitor, server: OpenIdServer, claims: dict[str, object], told: str
) -> None:
    server.claims = claims
    done = await sign_in(later, server, start=CONFIRM)
    assert done.status == 400 and done.title == "Confirm that it is you" and told in done.text
    assert "next=/account/password" in done.text
    assert (await later.get("/account/password")).location.startswith("/sign-in/confirm")


async def test_answer_for_a_proof_of_another_session_proves_nothing(later: Visitor, server: OpenIdServer) -> None:
    server.claims = {"auth_time": server.clock_s}
    back = path_of(server.browse((await later.get(CONFIRM)).location))
    bob = await later.portal.account("bob@example.org")
    for token in (None, await later.portal.sign_in(bob, "bob")):
        assert (await later.portal.get(back, token=token)).status == 400


async def test_second_factor_is_asked_for_after_the_provider(ada: Visitor, server: OpenIdServer) -> None:
    offered = await ada.post("/account/factors/link")
    found = re.search(rf'href="({server.issuer}[^"]*)"', offered.text)
    assert found is not None
    await ada.get(path_of(server.browse(unescape(found[1]))))
    await ada.enrol_app()
    await ada.post("/sign-out")
    assert (await sign_in(ada, server, start="/oidc/start?next=%2Faccount")).location == (
        "/sign-in/second-factor?next=%2Faccount"
    )
    assert (await ada.post("/sign-in/second-factor", code=ada.code())).location == "/"


async def test_portal_without_a_provider_has_no_such_sign_in(portal: Portal, ada: Visitor) -> None:
    for path in ("/oidc/start", "/oidc/callback?state=x&code=y"):
        got = await portal.get(path)
        assert got.status == 400 and "no such sign-in" in got.text
    assert (await ada.get("/oidc/start")).location == "/account/factors"
