import re

import pytest
from support.authenticator import Authenticator
from support.portal import Got, Portal
from support.visitor import PASSWORD, Visitor, hidden, options

from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.core.clock import SECOND_US

PAGE = "/sign-in/confirm"
WANTED = "/account/factors"


@pytest.fixture
async def later(ada: Visitor, portal: Portal) -> Visitor:
    """She signed in a while ago, and has a passkey."""
    await ada.enrol_passkey()
    portal.clock.us += 16 * 60 * SECOND_US
    asked = await ada.post(f"{WANTED}/codes")
    assert asked.location.startswith(f"{PAGE}?next=")
    return ada


async def prove(visitor: Visitor, device: Authenticator | None = None) -> Got:
    prompt = await visitor.post(f"{PAGE}/passkey", next=WANTED)
    assert prompt.status == 200, prompt.text
    assert "script-src 'self'" in prompt.headers["Content-Security-Policy"]
    assert f'href="{PAGE}?next=%2Faccount%2Ffactors"' in prompt.text
    return await visitor.post(
        f"{PAGE}/passkey/answer",
        reference=hidden(prompt, "reference"),
        answer=(device or visitor.device).get(options(prompt)),
        next=WANTED,
    )


async def test_passkey_proves_again_who_it_is_and_leads_back(later: Visitor) -> None:
    page, before = await later.get(f"{PAGE}?next=%2Faccount%2Ffactors"), later.token
    assert f'action="{PAGE}/passkey"' in page.text and 'name="password"' in page.text and "/oidc" not in page.text
    done = await prove(later)
    assert (done.status, done.location) == (303, WANTED), done.text
    assert later.token != before and (await later.portal.get("/account", token=before)).status == 303
    assert (await later.post(f"{WANTED}/codes")).status == 200


async def test_wrong_passkey_proves_nothing_and_shows_the_page_again(later: Visitor) -> None:
    stranger = Authenticator(later.device.origin, handle=later.device.handle)
    done = await prove(later, stranger)
    assert done.status == 400 and "not accepted" in done.text and 'name="password"' in done.text
    assert f'name="next" value="{WANTED}"' in done.text
    assert (await later.post(f"{WANTED}/codes")).location.startswith(PAGE)


async def test_answer_for_another_session_proves_nothing(later: Visitor, portal: Portal) -> None:
    prompt = await later.post(f"{PAGE}/passkey")
    other = Visitor(portal, later.account, await portal.sign_in(later.account, "0ther"))
    form = {"reference": hidden(prompt, "reference"), "answer": later.device.get(options(prompt))}
    done = await other.post(f"{PAGE}/passkey/answer", **form)
    assert done.status == 400 and "another browser" in done.text


async def test_answer_leads_to_no_other_site(later: Visitor) -> None:
    prompt = await later.post(f"{PAGE}/passkey")
    form = {"reference": hidden(prompt, "reference"), "answer": later.device.get(options(prompt))}
    assert (await later.post(f"{PAGE}/passkey/answer", **form, next="https://evil.example")).location == "/"


async def test_portal_whose_address_has_no_host_name_says_what_the_operator_can_do(later: Visitor) -> None:
    later.portal.context.url = parse_public_url("http://127.0.0.1:8485")
    for path in (f"{PAGE}/passkey", "/sign-in/passkey"):
        told = await later.post(path)
        assert told.status == 503 and "portal.public_url" in told.text


async def test_password_proves_it_where_there_is_a_passkey_too(later: Visitor) -> None:
    assert (await later.post(PAGE, password=PASSWORD, next=WANTED)).location == WANTED
    assert (await later.post(f"{WANTED}/codes")).status == 200


async def test_account_is_offered_only_what_it_has(ada: Visitor, portal: Portal) -> None:
    page = await ada.get(PAGE)
    assert 'name="password"' in page.text and "passkey" not in page.text and "Sign out, and" not in page.text
    assert (await ada.post(f"{PAGE}/passkey", next=WANTED)).location == f"{PAGE}?next=%2Faccount%2Ffactors"
    bob = await portal.account("bob@example.org")
    page = await portal.get(PAGE, token=await portal.sign_in(bob, "bob"))
    assert not re.search('name="password"|passkey|oidc', page.text) and "Sign out, and sign in again" in page.text


async def test_pages_are_for_who_is_signed_in_and_one_that_is_loaded_again_leads_to_the_form(
    ada: Visitor, portal: Portal
) -> None:
    for path in (f"{PAGE}/passkey", f"{PAGE}/passkey/answer"):
        assert (await ada.get(path)).location == PAGE
        assert (await portal.post(path)).location == "/sign-in"
    assert (await portal.get(f"{PAGE}/oidc")).location == "/sign-in"
