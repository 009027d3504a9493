from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.portal import Portal

from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.core.clock import from_us, to_us
from softix_proxy.web.portal.privacy.security_page import security_txt
from softix_proxy.web.portal.route_table import ROUTES

NOW_US = to_us(datetime(2026, 12, 1, 13, 5, 7, tzinfo=UTC))
HERE, THERE = parse_public_url("http://localhost:8485"), parse_public_url("https://portal.example.org")


def fields(text: str) -> dict[str, str]:
    assert text.endswith("\n")
    return dict(line.split(": ", 1) for line in text.splitlines())


def test_file_has_what_the_rfc_demands() -> None:
    found = fields(security_txt(PortalSection(), "security@example.org", THERE, NOW_US))
    assert found == {
        "Contact": "mailto:security@example.org",
        "Expires": "2027-06-01T00:00:00Z",
        "Preferred-Languages": "en",
        "Canonical": "https://portal.example.org/.well-known/security.txt",
        "Policy": "https://portal.example.org/security",
    }


def test_web_address_of_plain_http_is_left_out_because_the_rfc_forbids_it() -> None:
    assert set(fields(security_txt(PortalSection(), "https://example.org/report", HERE, NOW_US))) == {
        "Contact",
        "Expires",
        "Preferred-Languages",
    }


def test_policy_of_the_operator_is_named_in_place_of_the_page() -> None:
    section = PortalSection(security_policy_url="https://example.org/policy")
    found = fields(security_txt(section, "https://example.org/report", THERE, NOW_US))
    assert found["Policy"] == "https://example.org/policy" and found["Contact"] == "https://example.org/report"


@pytest.mark.parametrize("day", [0, 1, 200, 400, 4_000])
def test_file_never_ends_in_the_past_nor_in_more_than_a_year(day: int) -> None:
    now = from_us(NOW_US) + timedelta(days=day)
    ends = datetime.fromisoformat(fields(security_txt(PortalSection(), "a@example.org", HERE, to_us(now)))["Expires"])
    assert timedelta(days=150) < ends - now < timedelta(days=365)


async def test_file_is_plain_text_at_its_place_for_everybody(serve: Any) -> None:
    async with serve(ROUTES, security_contact="security@example.org") as portal:
        got = await portal.get("/.well-known/security.txt")
        assert (got.status, got.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert got.text.startswith("Contact: mailto:security@example.org\nExpires: ")
        assert (await portal.ask("HEAD", "/.well-known/security.txt")).status == 200


async def test_without_a_contact_there_is_no_file_and_the_page_says_whom_to_ask(portal: Portal) -> None:
    assert (await portal.get("/.well-known/security.txt")).status == 404
    got = await portal.get("/security")
    assert (got.status, got.title) == (200, "Security")
    assert "Tell whoever gave you your account." in got.text and "mailto:" not in got.text
    assert "Some roles cannot act" not in got.text


async def test_page_says_whom_to_tell_what_is_stored_and_what_protects_it(serve: Any) -> None:
    async with serve(ROUTES, security_contact="security@example.org", second_factor_roles=("admin",)) as portal:
        text = (await portal.get("/security")).text
    assert '<a href="mailto:security@example.org">security@example.org</a>' in text
    assert text.count("90 days") == 2 and "Prompts and answers" in text and "Never stored" in text
    assert "Argon2id" in text and "Some roles cannot act without a second factor." in text
    assert "Payments, and their ids" not in text and "over TLS only" in text


async def test_each_page_leads_to_it(portal: Portal) -> None:
    assert '<a href="/security">Security</a>' in (await portal.get("/sign-in")).text
