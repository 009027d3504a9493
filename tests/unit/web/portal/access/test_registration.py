"""Registering by the pages: when it is possible, what the form may say, and what the answer tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.portal import Portal

from softix_proxy.domain.access.users import UserRole
from softix_proxy.web.portal.route_table import ROUTES

FORM = {"name": "Ada", "email": "ada@example.org", "password": "four words in a row", "of_age": "yes"}


@pytest.fixture
async def open_portal(serve: Any) -> AsyncIterator[Portal]:
    async with serve(ROUTES, registration="open") as served:
        yield served


async def test_registration_sends_a_link_and_signs_nobody_in(open_portal: Portal) -> None:
    got = await open_portal.post("/register", FORM)
    assert (got.status, got.title, got.cookie()) == (200, "Look into your mail", None)
    account = await open_portal.storage.reading().accounts.by_email("ada@example.org")
    assert account is not None
    assert account.verified_at_us is None
    [(kind, path)] = await open_portal.links()
    assert kind == "verify_email"
    assert path.startswith("/verify?token=")
    assert path.partition("=")[2] not in got.text


async def test_role_and_other_fields_of_a_form_are_ignored(open_portal: Portal) -> None:
    invented = {"role": "admin", "status": "active", "verified_at_us": "1", "id": "1", "organisation_role": "owner"}
    assert (await open_portal.post("/register", {**FORM, **invented})).status == 200
    account = await open_portal.storage.reading().accounts.by_email("ada@example.org")
    assert account is not None
    assert (account.role, account.verified_at_us) == (UserRole.USER, None)


async def test_answer_is_the_same_for_an_address_that_is_known(open_portal: Portal) -> None:
    await open_portal.account("eve@example.org")
    known = await open_portal.post("/register", {**FORM, "email": "eve@example.org"})
    unknown = await open_portal.post("/register", FORM)
    assert (known.status, known.text) == (unknown.status, unknown.text)
    assert await open_portal.kinds() == ["verify_email", "already_registered"]


@pytest.mark.parametrize("registration", ["closed", "invitation"])
async def test_registration_that_is_not_open_does_not_exist(serve: Any, registration: str) -> None:
    async with serve(ROUTES, registration=registration) as portal:
        assert (await portal.get("/register")).status == 404
        assert (await portal.post("/register", FORM)).status == 404
        assert "/register" not in (await portal.get("/sign-in")).text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"of_age": ""}, "at least 16 years old"),
        ({"name": ""}, "Please give a name"),
        ({"email": "ada@example.org,eve@example.org"}, "This is no e-mail address"),
        ({"password": "short"}, "at least 8 characters"),
        ({"password": "password"}, "Many people use this password"),
        ({"password": "ada@example.org"}, "is your name or your e-mail"),
    ],
)
async def test_form_that_is_refused_is_shown_again_with_the_reason(
    open_portal: Portal, change: dict[str, str], said: str
) -> None:
    got = await open_portal.post("/register", {**FORM, **change})
    assert got.status == 400
    assert said in got.text
    assert FORM["password"] not in got.text


async def test_published_policies_are_linked_and_must_be_accepted(serve: Any) -> None:
    terms, privacy = "https://example.org/terms/1", "https://example.org/privacy/1"
    async with serve(ROUTES, registration="open", terms_url=terms, privacy_url=privacy) as portal:
        page = await portal.get("/register")
        assert f'href="{terms}"' in page.text
        assert f'href="{privacy}"' in page.text
        assert "accept them" in (await portal.post("/register", FORM)).text
        assert (await portal.post("/register", {**FORM, "accepts": "yes"})).status == 200
        unit = portal.storage.reading()
        account = await unit.accounts.by_email("ada@example.org")
        assert account is not None
        accepted = await unit.accounts.acceptances(account.id)
        assert {(each.policy, each.version) for each in accepted} == {("terms", terms), ("privacy", privacy)}


async def test_invitation_opens_the_form_where_only_the_invited_register(serve: Any) -> None:
    async with serve(ROUTES, registration="invitation") as portal:
        got = await portal.get("/register?invitation=t0ken")
        assert got.status == 200
        assert '<input type="hidden" name="invitation" value="t0ken">' in got.text
        refused = await portal.post("/register", {**FORM, "invitation": "t0ken"})
        assert refused.status == 400
        assert "This link was used already" in refused.text


async def test_invitation_opens_nothing_where_nobody_registers(portal: Portal) -> None:
    assert (await portal.get("/register?invitation=t0ken")).status == 404
    assert (await portal.post("/register", {**FORM, "invitation": "t0ken"})).status == 404
