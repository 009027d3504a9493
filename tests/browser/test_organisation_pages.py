"""The pages of members, projects and invitations in a real browser: how they look, and how a person joins."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser
from support.browser import NARROW, Visit, visiting
from support.daemon import Prepared, prepared
from support.portal_daemon import PortalDaemon, portal_daemon
from support.provider import FakeProvider

ADA, GRACE, PASSWORD = "ada.lovelace@example.org", "grace.hopper@example.org", "four words in a row"


@dataclass
class Acme:
    daemon: PortalDaemon
    prepared: Prepared

    async def sign_in(self, visit: Visit) -> None:
        await visit.open(await self.daemon.link(ADA, "Your account is ready"))
        await visit.fill(password=PASSWORD)
        await visit.press("Set the password")
        await visit.fill(email=ADA, password=PASSWORD)
        await visit.press("Sign in")


@pytest.fixture
async def acme(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Acme]:
    """An organisation with an owner who has not signed in yet, a member, a project and two budgets."""
    made = await prepared(tmp_path, fake_provider.base_url)
    async with portal_daemon(made, SOFTIX_PORTAL_REGISTRATION="invitation") as served:
        softix, user = served.cli, made.user_id
        softix("accounts", "create", ADA, "--name", "Ada Lovelace", "--organisation", user)
        softix("accounts", "create", "alan@example.org", "--organisation", user, "--organisation-role", "member")
        softix("projects", "create", user, "Support bot")
        softix("projects", "assign", user, made.key_id, "--project", "Support bot", "--member", "alan@example.org")
        softix("budgets", "set", user, "200.00", "--project", "Support bot", "--period", "month")
        softix("budgets", "set", user, "5.00", "--member", "alan@example.org", "--period", "day")
        yield Acme(served, made)


async def first(visit: Visit, path: str, pattern: str) -> str:
    """The path of the first link on a page that is like this."""
    await visit.open(path)
    found = re.search(pattern, await visit.page.content())
    assert found is not None
    return found[0]


async def test_pages_of_members_and_projects_are_accessible_and_fit(browser: Browser, acme: Acme) -> None:
    acme.daemon.cli("organisations", "invite", acme.prepared.user_id, GRACE)
    async with visiting(browser, acme.daemon.url, size=NARROW) as visit:
        await visit.open(await acme.daemon.link(GRACE, "invited"))
        await visit.look("organisation-invitation")
        await acme.sign_in(visit)
        member = await first(visit, "/members", r"/members/acc_\w{16}")
        project = await first(visit, "/projects", r"/projects/prj_\w{16}")
        pages = {
            "members": "/members",
            "member": member,
            "invite": "/members/invite",
            "leave": "/members/leave",
            "projects": "/projects",
            "project": project,
        }
        for place, path in pages.items():
            await visit.open(path)
            await visit.look(f"organisation-{place}")
        await visit.fill(amount="a lot")
        await visit.press("Set the budget")
        await visit.look("organisation-budget-refused")
        await visit.open("/members/leave")
        await visit.press("Leave the organisation")
        await visit.look("organisation-leave-refused")


async def test_invited_person_joins_from_the_link_in_the_message(browser: Browser, acme: Acme) -> None:
    async with visiting(browser, acme.daemon.url) as ada, visiting(browser, acme.daemon.url) as grace:
        await acme.sign_in(ada)
        await ada.open("/members/invite")
        await ada.fill(email=GRACE)
        await ada.press("Send the invitation")
        assert GRACE in await ada.page.content()
        await grace.open(await acme.daemon.link(GRACE, "invited"))
        await grace.page.get_by_role("link", name="Register", exact=True).last.click()
        await grace.fill(name="Grace Hopper", email=GRACE, password=PASSWORD)
        await grace.page.get_by_role("checkbox").first.check()
        await grace.press("Register")
        await grace.fill(email=GRACE, password=PASSWORD)
        await grace.press("Sign in")
        await grace.press("Join")
        assert grace.path == "/"
        await grace.open("/members")
        assert "Grace Hopper" in await grace.page.content()
        assert await grace.page.get_by_role("link", name="Invite a person").count() == 0
