"""The operators' side in a real browser: every page at each size, and a balance that is changed by keyboard alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser
from support.browser import NARROW, Visit, visiting
from support.daemon import Prepared, prepared
from support.portal_daemon import PortalDaemon, portal_daemon
from support.provider import FakeProvider

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.imports.price_list import PriceRow
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.ledger import balance
from softix_proxy.operations.notices import outbox
from softix_proxy.operations.pricing import price_proposals
from softix_proxy.operations.routing import routes

GRACE, PASSWORD = "grace.hopper@example.org", "four words in a row"
LONG = "Donaudampfschifffahrtsgesellschaftskapitaenswitwenrentenauszahlungsstelle"
HOSTILE = "<script>alert(1)</script> \u05d0\u05d1\u05d2"
PAGES = (
    "/admin",
    "/admin/users",
    "/admin/users/{user}",
    "/admin/users/{user}/edit",
    "/admin/users/{user}/balance",
    "/admin/users/{user}/balance/change",
    "/admin/keys",
    "/admin/keys/{key}",
    "/admin/keys/{key}/edit",
    "/admin/usage",
    "/admin/usage/{request}",
    "/admin/traffic",
    "/admin/providers",
    "/admin/providers/{provider}",
    "/admin/providers/{provider}/disable",
    "/admin/models",
    "/admin/routes",
    "/admin/prices",
    "/admin/prices/proposals",
    "/admin/payments",
    "/admin/documents",
    "/admin/mail",
    "/admin/accounts",
    "/admin/accounts/{account}",
    "/admin/accounts/{other}/role",
    "/admin/security-events",
    "/admin/abuse",
    "/admin/audit?verify=yes",
    "/admin/audit/1",
)


@asynccontextmanager
async def filled(folder: Path, provider: FakeProvider) -> AsyncIterator[tuple[Prepared, PortalDaemon, dict[str, str]]]:
    """A daemon with people, keys, prices, requests and messages; and the ids of what pages are about."""
    made = await prepared(folder, provider.base_url)
    async with made.instance.opened() as instance:
        storage, vault = instance.storage, await instance.vault()
        await users.update(storage, made.user_id, display_name=HOSTILE)
        for number in range(55):
            await users.create(
                storage,
                name=f"customer {number}",
                email=f"c{number}@example.org",
                role=UserRole.USER,
                postpaid=number % 7 == 0,
                display_name=LONG if number == 54 else None,
            )
        limits = KeyLimits(rpm=60, cap_pico=parse_usd("20.00"), cap_period="month")
        await keys.create(storage, vault, user=made.user_id, label=LONG[:64], limits=limits)
        await balance.adjust(storage, made.user_id, parse_usd("-1.25"), note=HOSTILE[:25], reference="adj-1")
        await routes.set_route(storage, "best", targets="chat-lab/gpt-test weight 3, then message-lab/claude-test")
        sheet = PriceSheet.parse({"bands": [{"prices": {"input": "1.50", "output": "2.00"}}]})
        await price_proposals.import_rows(storage, [PriceRow("line 1", "gpt-test", None, None, sheet)], "prices.csv")
        async with storage.writing() as unit:
            await outbox.enqueue(unit, None, Notice(NoticeKind.TEST, "ada@example.org"))
            now_us = unit.clock.now_us()
            [claimed] = await unit.outbox.claim(now_us, now_us + 1, 1)
            await unit.outbox.failed(claimed, None, "refused_recipient", now_us)
    async with portal_daemon(made) as daemon:
        body = {"model": "gpt-test", "messages": [{"role": "user", "content": "hello"}]}
        async with aiohttp.ClientSession(headers=made.headers) as session:
            for status in ("", "", "status=500"):
                headers = {"x-fake": status} if status else {}
                async with session.post(f"{made.openai_url}/chat/completions", json=body, headers=headers) as answer:
                    await answer.read()
        [account] = [daemon.cli("accounts", "create", GRACE, "--name", "Grace Hopper", "--role", "admin")]
        other = daemon.cli("accounts", "create", "eve@example.org", "--name", HOSTILE, "--role", "support")
        ids = {
            "user": made.user_id,
            "key": made.key_id,
            "request": daemon.cli("usage", "list", "--limit", "1")[0]["request_id"],
            "provider": daemon.cli("providers", "show", "chat-lab")["id"],
            "account": account["id"],
            "other": other["id"],
        }
        yield made, daemon, ids


async def sign_in(visit: Visit, daemon: PortalDaemon) -> None:
    await visit.open(await daemon.link(GRACE, "Your account is ready"))
    await visit.fill(password=PASSWORD)
    await visit.press("Set the password")
    await visit.fill(email=GRACE, password=PASSWORD)
    await visit.press("Sign in")


async def test_operators_pages_are_accessible_and_fit(
    browser: Browser, fake_provider: FakeProvider, tmp_path: Path
) -> None:
    async with (
        filled(tmp_path, fake_provider) as (_, daemon, ids),
        visiting(browser, daemon.url, size=NARROW) as visit,
    ):
        await sign_in(visit, daemon)
        for pattern in PAGES:
            path = pattern.format(**ids)
            await visit.open(path)
            assert visit.path == path.partition("?")[0], f"{path} led to {visit.path}"
            place = pattern.strip("/").partition("?")[0]
            await visit.look(f"operators-{place.translate(str.maketrans('/', '-', '{}'))}")


async def test_operator_changes_a_balance_by_keyboard_alone_and_a_double_click_posts_once(
    browser: Browser, fake_provider: FakeProvider, tmp_path: Path
) -> None:
    async with filled(tmp_path, fake_provider) as (made, daemon, ids), visiting(browser, daemon.url) as visit:
        await sign_in(visit, daemon)
        before = parse_usd(made.balance()["balance"])
        await visit.open(f"/admin/users/{ids['user']}/balance/change")
        keyboard = visit.page.keyboard
        await visit.page.locator("input[name=kind]").first.focus()
        await keyboard.press("ArrowDown")
        await keyboard.press("Tab")
        await keyboard.type("-0.75")
        await keyboard.press("Tab")
        await keyboard.type("goodwill taken back")
        async with visit.page.expect_navigation():
            await keyboard.press("Enter")
        assert await visit.title() == "Is this right?"
        assert not await visit.findings()
        await visit.page.locator("main button").focus()
        async with visit.page.expect_navigation():
            await keyboard.press("Enter")
        assert visit.path == f"/admin/users/{ids['user']}/balance"
        assert "It was posted." in await visit.page.get_by_role("status").inner_text()
        assert parse_usd(made.balance()["balance"]) == before - parse_usd("0.75")

        await visit.open(f"/admin/users/{ids['user']}/balance/change")
        await visit.fill(amount="2.00", reason="paid in")
        await visit.press("Check it")
        await visit.page.get_by_role("button", name="Post it").dblclick()
        await visit.page.wait_for_url(f"**/admin/users/{ids['user']}/balance")
        assert parse_usd(made.balance()["balance"]) == before + parse_usd("1.25")
        entries = [entry for entry in daemon.cli("audit", "list") if entry["channel"] == "portal"]
        changes = [entry for entry in entries if entry["action"].startswith("balance.")]
        assert [(entry["action"], entry["subject"]) for entry in changes] == [
            ("balance.add", ids["user"]),
            ("balance.adjust", ids["user"]),
        ]
        assert daemon.cli("audit", "verify")["whole"] is True
        assert json.dumps(entries).count("@") == 0


@pytest.mark.parametrize("role", ["support", "auditor"])
async def test_operator_without_the_right_is_offered_no_change_and_reaches_none(
    browser: Browser, fake_provider: FakeProvider, tmp_path: Path, role: str
) -> None:
    async with filled(tmp_path, fake_provider) as (_, daemon, ids), visiting(browser, daemon.url) as visit:
        daemon.cli("accounts", "set-role", GRACE, role)
        await sign_in(visit, daemon)
        await visit.open(f"/admin/users/{ids['user']}")
        assert await visit.page.get_by_role("link", name="Change the balance").count() == 0
        await visit.open(f"/admin/users/{ids['user']}/balance/change")
        assert await visit.title() == "There is no such page"
