"""The list of one's own sessions, and what happened to the account."""

from __future__ import annotations

import secrets

from support.portal import Portal


async def test_list_shows_each_session_and_marks_this_one(portal: Portal) -> None:
    ada = await portal.account()
    here = await portal.sign_in(ada, "here")
    await portal.sign_in(ada, "there", device="Safari on iPhone")
    await portal.sign_in(await portal.account("eve@example.org"), "eve", device="Opera on Windows")
    got = await portal.get("/account/sessions", token=here)
    assert got.text.count("This one") == 1
    assert "Safari on iPhone" in got.text
    assert "Opera on Windows" not in got.text


async def test_session_is_ended_from_another_one(portal: Portal) -> None:
    ada = await portal.account()
    here, there = await portal.sign_in(ada, "here"), await portal.sign_in(ada, "there")
    got = await portal.post("/account/sessions/ses_there/end", token=here)
    assert (got.status, got.location) == (303, "/account/sessions")
    assert (await portal.get("/account", token=there)).status == 303
    assert (await portal.get("/account", token=here)).status == 200
    assert "Session ended" in (await portal.get("/account/sessions", token=here)).text


async def test_session_of_somebody_else_looks_like_one_that_does_not_exist(portal: Portal) -> None:
    ada = await portal.sign_in(await portal.account(), "ada")
    eve = await portal.sign_in(await portal.account("eve@example.org"), "eve")
    strange = await portal.post("/account/sessions/ses_eve/end", token=ada)
    unknown = await portal.post("/account/sessions/ses_nobody/end", token=ada)
    assert (strange.status, strange.text) == (unknown.status, unknown.text) == (404, unknown.text)
    assert (await portal.get("/account", token=eve)).status == 200


async def test_all_other_sessions_are_ended_at_once(portal: Portal) -> None:
    ada = await portal.account()
    here, there, away = [await portal.sign_in(ada, token) for token in ("here", "there", "away")]
    assert (await portal.post("/account/sessions/end-others", token=here)).status == 303
    assert (await portal.get("/account", token=here)).status == 200
    for ended in (there, away):
        assert (await portal.get("/account", token=ended)).status == 303


async def test_what_happened_is_listed_with_address_browser_and_version(portal: Portal) -> None:
    password = secrets.token_urlsafe(16)
    await portal.account(password=password)
    got = await portal.post("/sign-in", {"email": "ada@example.org", "password": password})
    cookie = got.cookie()
    assert cookie is not None
    text = (await portal.get("/account/sessions", token=cookie["value"])).text
    assert "Firefox on Linux (140.0)" in text and "127.0.0.1" in text
    [event] = await portal.storage.reading().security_events.list(None, 9)
    assert (event.address, event.version, event.tls) == ("127.0.0.1", "140.0", "")
