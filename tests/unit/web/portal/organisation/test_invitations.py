"""The page of an invitation: opening it changes nothing, and its form lets in the invited address alone."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import quote

import pytest

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.access import users
from softix_proxy.operations.notices.outbox import open_links
from softix_proxy.operations.organisations import invitations, organisations
from softix_proxy.web.portal.route_table import ROUTES as ALL_ROUTES

ADMIN = OrganisationRole.ADMIN
PASSWORD = f"words of {secrets.token_hex(12)}"


@pytest.fixture
async def link(acme: Any) -> str:
    """The path in the message to hedy."""
    storage, vault = acme.portal.storage, acme.portal.context.vault
    await invitations.invite(storage, vault, "acme", "hedy@example.org", ADMIN, OPERATOR)
    for queued in await storage.reading().outbox.list(None, 9):
        if queued.notice.email == "hedy@example.org":
            [path] = open_links(vault, queued).values()
            return path
    raise AssertionError(json.dumps("no message"))


async def members(acme: Any) -> int:
    user = await acme.portal.storage.reading().users.find("acme")
    return len(await acme.portal.storage.reading().memberships.of_organisation(user.id))


async def test_link_that_is_opened_changes_nothing(acme: Any, link: str) -> None:
    """Case 27: programs that scan mail open every link."""
    before = await members(acme)
    for method in ("GET", "HEAD", "GET"):
        assert (await acme.ask(method, link, None)).status == 200
    assert await members(acme) == before


async def test_invited_person_joins_and_the_next_page_is_of_that_organisation(acme: Any, link: str) -> None:
    await acme.portal.sign_in(await acme.portal.account("hedy@example.org"), "hedy")
    assert f'action="{link}"' in (await acme.ask("GET", link, "hedy")).text
    joined = await acme.ask("POST", link, "hedy", {"role": "owner"})
    assert (joined.status, joined.location) == (303, "/")
    user = await acme.portal.storage.reading().users.find("acme")
    assert f"~{user.public_id}" in joined.cookie()["value"]
    membership = (await acme.portal.storage.reading().memberships.of_organisation(user.id))[-1]
    assert membership.role is ADMIN, "a field `role` of the form is ignored (case 32)"
    assert (await acme.ask("GET", link, "hedy")).status == 404, "it works once"


async def test_other_person_with_the_link_does_not_join(acme: Any, link: str) -> None:
    page = await acme.ask("GET", link, "stranger")
    assert page.status == 200 and f'action="{link}"' not in page.text and "hedy@" not in page.text
    before = await members(acme)
    assert (await acme.ask("POST", link, "stranger")).status == 409
    assert await members(acme) == before


@pytest.mark.parametrize("acme", [{}, {"registration": "invitation"}], indirect=True)
async def test_person_without_an_account_is_led_to_register_unless_that_is_closed(acme: Any, link: str) -> None:
    is_open = acme.portal.context.settings.portal.registration == "invitation"
    assert (f"/register?invitation={link.rpartition('/')[2]}" in (await acme.ask("GET", link, None)).text) is is_open
    await acme.portal.account("hedy@example.org")
    assert "/sign-in?next=" in (await acme.ask("GET", link, None)).text


async def test_form_of_somebody_who_is_not_signed_in_leads_to_sign_in_and_back(acme: Any, link: str) -> None:
    answer = await acme.ask("POST", link, None)
    assert (answer.status, answer.location.partition("=")[0]) == (303, "/sign-in?next")


async def test_unknown_token_is_no_page(acme: Any) -> None:
    for token in ("x", "x" * 400, "%00", "..%2f", acme.invitation):
        assert (await acme.ask("GET", f"/invitations/{token}", None)).status == 404
        assert (await acme.ask("POST", f"/invitations/{token}", "owner")).status == 404


async def test_page_of_an_invitation_gives_its_token_to_no_other_site(acme: Any, link: str) -> None:
    answer = await acme.ask("GET", link, None)
    assert answer.headers["Referrer-Policy"] == "same-origin" and "no-store" in answer.headers["Cache-Control"]


async def test_invited_person_without_an_account_registers_signs_in_and_joins(serve: Any) -> None:
    """From the link in the message to the first page, with no other mail between."""
    async with serve(ALL_ROUTES, registration="invitation") as portal:
        storage, vault = portal.storage, portal.context.vault
        await users.create(storage, name="acme", email="acme@example.org", role=UserRole.USER, postpaid=False)
        await invitations.invite(storage, vault, "acme", "hedy@example.org", ADMIN, OPERATOR)
        [(_, link)] = await portal.links()
        assert "/register?invitation=" in (await portal.get(link)).text
        form = {
            "name": "Hedy Lamarr",
            "email": "hedy@example.org",
            "password": PASSWORD,
            "of_age": "yes",
            "accepts": "yes",
            "invitation": link.rpartition("/")[2],
        }
        registered = await portal.post("/register", form)
        assert (registered.status, registered.location) == (303, f"/sign-in?next={quote(link, safe='')}")
        signed_in = await portal.post("/sign-in", {"email": form["email"], "password": PASSWORD, "next": link})
        assert (signed_in.status, signed_in.location) == (303, link)
        token = signed_in.cookie()["value"].partition("~")[0]
        assert (await portal.post(link, token=token)).location == "/"
        [member] = await organisations.members(storage, "acme", OPERATOR)
        assert (member.account.display_name, member.membership.role) == ("Hedy Lamarr", ADMIN)
