"""Signing in and out, and proving again who one is, by the pages."""

from __future__ import annotations

import pytest
from support.portal import Portal

from softix_proxy.domain.core.clock import SECOND_US

PASSWORD = "four words in a row"


async def signed_in(portal: Portal, back: str = "") -> str:
    got = await portal.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD, "next": back})
    assert got.status == 303, got.text
    cookie = got.cookie()
    assert cookie is not None
    return cookie["value"]


async def test_right_password_gives_a_session_and_leads_back(portal: Portal) -> None:
    await portal.account(password=PASSWORD)
    got = await portal.post("/sign-in", {"email": "ADA@example.org", "password": PASSWORD, "next": "/account/sessions"})
    assert (got.status, got.location) == (303, "/account/sessions")
    cookie = got.cookie()
    assert cookie is not None
    assert int(cookie["max-age"]) == 336 * 3600
    shown = await portal.get("/account/sessions", token=cookie["value"])
    assert (shown.status, shown.title) == (200, "Sessions")


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "/sign-out", ""])
async def test_sign_in_leads_to_no_other_site(portal: Portal, back: str) -> None:
    await portal.account(password=PASSWORD)
    got = await portal.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD, "next": back})
    assert (got.status, got.location) == (303, "/")
    assert "evil" not in (await portal.get("/sign-in", params={"next": back})).text


async def test_wrong_password_and_unknown_address_have_the_same_answer(portal: Portal) -> None:
    await portal.account(password=PASSWORD)
    answers = [
        await portal.post("/sign-in", {"email": email, "password": "another one of mine"})
        for email in ("ada@example.org", "eve@example.org")
    ]
    assert [got.status for got in answers] == [400, 400]
    assert answers[0].text.replace("ada@", "eve@") == answers[1].text
    assert "The e-mail or the password is wrong." in answers[0].text
    assert answers[0].cookie() is None


async def test_page_after_a_failure_has_the_address_and_never_the_password(portal: Portal) -> None:
    got = await portal.post("/sign-in", {"email": '"><script>', "password": "hunter2-hunter2"})
    assert "<script>" not in got.text
    assert "hunter2" not in got.text


async def test_sign_in_ends_the_session_that_the_browser_had(portal: Portal) -> None:
    await portal.account(password=PASSWORD)
    first = await signed_in(portal)
    got = await portal.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD}, token=first)
    cookie = got.cookie()
    assert cookie is not None
    assert cookie["value"] != first
    assert (await portal.get("/account", token=first)).location == "/sign-in?next=%2Faccount"


async def test_sign_in_page_of_somebody_who_is_signed_in_leads_on(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    assert (await portal.get("/sign-in?next=/account", token=token)).location == "/account"


async def test_sign_out_ends_the_session_and_the_cookie(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    got = await portal.post("/sign-out", token=token)
    assert (got.status, got.location) == (303, "/sign-in")
    assert (await portal.get("/account", token=token)).location == "/sign-in?next=%2Faccount"
    cookie = got.cookie()
    assert cookie is not None
    assert "You are signed out." in (await portal.get("/sign-in", token=cookie["value"])).text


async def test_sign_out_without_a_session_is_no_error(portal: Portal) -> None:
    assert (await portal.post("/sign-out")).status == 303
    assert (await portal.post("/sign-out", token="ended")).status == 303


async def test_sign_out_by_a_link_is_not_possible(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    assert (await portal.get("/sign-out", token=token)).status == 405
    assert (await portal.get("/account", token=token)).status == 200


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
async def test_sign_in_and_out_from_another_site_are_refused(portal: Portal, path: str) -> None:
    token = await portal.sign_in(await portal.account(password=PASSWORD))
    form = {"email": "ada@example.org", "password": PASSWORD}
    got = await portal.post(path, form, token=token, headers={"sec-fetch-site": "cross-site"})
    assert got.status == 403
    assert got.cookie() is None
    assert (await portal.get("/account", token=token)).status == 200


async def test_queue_for_passwords_that_is_full_is_503_with_the_time_to_wait(portal: Portal) -> None:
    await portal.context.hasher.close()
    got = await portal.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD})
    assert (got.status, got.headers["Retry-After"]) == (503, "5")
    assert got.title == "Too many people are signing in at this moment"


async def test_many_attempts_are_slowed_down_with_the_time_to_wait(portal: Portal) -> None:
    statuses = [
        (await portal.post("/sign-in", {"email": "ada@example.org", "password": "another one"})) for _ in range(7)
    ]
    assert [got.status for got in statuses] == [400] * 6 + [429]
    assert int(statuses[-1].headers["Retry-After"]) > 0


async def test_proof_is_asked_for_again_and_gives_the_session_a_new_token(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account(password=PASSWORD))
    portal.clock.us += 16 * 60 * SECOND_US
    asked = await portal.post("/account/email", {"email": "new@example.org"}, token=token)
    assert asked.location == "/sign-in/confirm?next=%2Faccount%2Femail"
    page = await portal.get(asked.location, token=token)
    assert (page.status, page.title) == (200, "Confirm that it is you")
    wrong = await portal.post("/sign-in/confirm", {"password": "another one", "next": "/account/email"}, token=token)
    assert wrong.status == 400
    right = await portal.post("/sign-in/confirm", {"password": PASSWORD, "next": "//evil.example"}, token=token)
    assert (right.status, right.location) == (303, "/")
    cookie = right.cookie()
    assert cookie is not None
    assert (await portal.get("/account", token=token)).status == 303
    done = await portal.post("/account/email", {"email": "new@example.org"}, token=cookie["value"])
    assert (done.status, done.title) == (200, "Look into your mail")
