"""The link that proves an address: opening it spends nothing, and only the button does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.portal import Portal

from softix_proxy.web.portal.route_table import ROUTES

FORM = {"name": "Ada", "email": "ada@example.org", "password": "four words in a row", "of_age": "yes"}


@pytest.fixture
async def portal(serve: Any) -> AsyncIterator[Portal]:
    async with serve(ROUTES, registration="open") as served:
        yield served


async def registered(portal: Portal) -> str:
    await portal.post("/register", FORM)
    [(_, path)] = await portal.links()
    return path


async def test_link_that_a_scanner_opens_many_times_still_works_for_the_person(portal: Portal) -> None:
    path = await registered(portal)
    for _ in range(5):
        page = await portal.get(path)
        assert (page.status, page.title) == (200, "Confirm your e-mail")
        assert (await portal.ask("HEAD", path)).status == 200
    account = await portal.storage.reading().accounts.by_email("ada@example.org")
    assert account.verified_at_us is None
    done = await portal.post("/verify", {"token": path.partition("=")[2], "password": FORM["password"]})
    assert (done.status, done.location) == (303, "/sign-in")
    account = await portal.storage.reading().accounts.by_email("ada@example.org")
    assert account.verified_at_us == portal.clock.now_us()


async def test_link_works_once_and_then_leads_to_another_one(portal: Portal) -> None:
    path = await registered(portal)
    token = path.partition("=")[2]
    filled = {"token": token, "password": FORM["password"]}
    assert (await portal.post("/verify", filled)).status == 303
    for got in (await portal.post("/verify", filled), await portal.get(path), await portal.get("/verify")):
        assert (got.status, got.title) == (400, "This link does not work any more")
        assert token not in got.text


async def test_answer_to_a_request_for_another_link_is_the_same_for_every_address(portal: Portal) -> None:
    await registered(portal)
    known = await portal.post("/verify/again", {"email": "ada@example.org"})
    unknown = await portal.post("/verify/again", {"email": "eve@example.org"})
    assert (known.status, known.text) == (unknown.status, unknown.text) == (200, known.text)
    assert len(await portal.links()) == 2


async def test_newer_link_ends_the_older_one(portal: Portal) -> None:
    older = await registered(portal)
    await portal.post("/verify/again", {"email": "ada@example.org"})
    newer = (await portal.links())[0][1]
    assert newer != older
    assert (await portal.get(older)).status == 400
    assert (await portal.get(newer)).status == 200


async def test_button_without_a_password_confirms_nothing(portal: Portal) -> None:
    path = await registered(portal)
    page = await portal.get(path)
    assert 'name="password"' in page.text and "type the one that you registered with" in page.text
    assert (await portal.post("/verify", {"token": path.partition("=")[2]})).status == 400
    account = await portal.storage.reading().accounts.by_email("ada@example.org")
    assert account.verified_at_us is None


async def test_person_whose_address_was_registered_twice_chooses_the_password(portal: Portal) -> None:
    await registered(portal)
    await portal.post("/register", {**FORM, "password": "a stranger's own words"})
    path = (await portal.links())[0][1]
    token = path.partition("=")[2]
    assert 'name="password"' in (await portal.get(path)).text
    assert "Please choose a password." in (await portal.post("/verify", {"token": token})).text
    weak = await portal.post("/verify", {"token": token, "password": "password"})
    assert "Many people use this password" in weak.text
    assert (await portal.post("/verify", {"token": token, "password": "my very own words"})).status == 303
    signed_in = await portal.post("/sign-in", {"email": "ada@example.org", "password": "my very own words"})
    assert signed_in.status == 303
