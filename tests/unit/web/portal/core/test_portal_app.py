"""What every request to the portal goes through, by a real listener: host, origin, access, body, and errors."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from support.portal import HOST, Portal
from support.portal_pages import ROUTES, SCRIPT

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.core.clock import SECOND_US


@pytest.fixture
async def portal(serve: Any) -> AsyncIterator[Portal]:
    async with serve(ROUTES, trusted_proxies=("127.0.0.0/8", "10.0.0.0/8")) as served:
        yield served


# The host: no other name is served, and no header of a proxy changes it (case 24)


@pytest.mark.parametrize("host", ["evil.example", f"{HOST}.evil.example", f"{HOST}:8485", "127.0.0.1"])
async def test_request_for_another_host_is_misdirected(portal: Portal, host: str) -> None:
    got = await portal.get("/page", host=host)
    assert got.status == 421
    assert host not in got.text


async def test_forwarded_host_is_ignored_and_links_have_no_host_at_all(portal: Portal) -> None:
    got = await portal.get("/page", headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"})
    assert got.status == 200
    assert "evil.example" not in got.text
    assert all(link.startswith(("/", "#", "data:,")) for link in re.findall(r'(?:href|src|action)="([^"]*)"', got.text))


# The client's address comes from the right of X-Forwarded-For (case 37)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (None, "127.0.0.1"),
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("1.2.3.4, not an address", "127.0.0.1"),
    ],
)
async def test_address_is_the_last_one_that_is_no_trusted_proxy(
    portal: Portal, forwarded: str | None, address: str
) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert (await portal.get("/echo", headers=headers)).text.split("\n")[0] == address


async def test_forwarded_address_counts_for_nothing_without_a_trusted_proxy(serve: Any) -> None:
    async with serve(ROUTES) as alone:
        got = await alone.get("/echo", headers={"X-Forwarded-For": "1.2.3.4"})
    assert got.text.split("\n")[0] == "127.0.0.1"


# Forms of other sites are refused, for those who are not signed in as well (case 43)


@pytest.mark.parametrize("path", ["/to/sign-in", "/to/sign-out", "/save", "/own"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "https://evil.example"},
    ],
)
async def test_form_of_another_site_is_refused_and_changes_no_cookie(
    portal: Portal, path: str, headers: Mapping[str, str]
) -> None:
    token = await portal.sign_in(await portal.account())
    got = await portal.post(path, token=token, headers=headers)
    assert got.status == 403
    assert got.cookie() is None


async def test_form_of_a_browser_without_fetch_metadata_is_known_by_its_origin(portal: Portal) -> None:
    async with portal.session.post(
        f"{portal.url}/save", headers={"Host": HOST, "Origin": f"https://{HOST}"}, allow_redirects=False
    ) as answer:
        assert answer.status == 303
    async with portal.session.post(f"{portal.url}/save", headers={"Host": HOST}, allow_redirects=False) as answer:
        assert answer.status == 403


async def test_program_needs_no_origin_and_its_cookie_is_not_read(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    got = await portal.ask(
        "POST",
        "/webhooks/x",
        token=token,
        data=b"x" * 200_000,
        headers={"sec-fetch-site": "cross-site", "stripe-signature": "t=1"},
    )
    assert (got.status, got.text) == (200, "200000\nt=1\nFalse")


# Who may open what


async def test_page_without_a_session_leads_to_sign_in_and_back(portal: Portal) -> None:
    got = await portal.get("/own?q=a%20b")
    assert (got.status, got.location) == (303, "/sign-in?next=%2Fown%3Fq%3Da%2520b")
    assert (await portal.post("/own/1")).location == "/sign-in?next=%2Fown"


async def test_page_with_a_session_is_shown_and_with_an_ended_one_is_not(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    assert (await portal.get("/own", token=token)).status == 200
    assert (await portal.get("/own", token="ended")).location == "/sign-in?next=%2Fown"


async def test_session_that_waits_for_its_second_factor_opens_nothing(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account(), is_pending=True)
    assert (await portal.get("/own", token=token)).location == "/sign-in/second-factor?next=%2Fown"
    assert (await portal.get("/echo", token=token)).text.endswith("False")


async def test_page_that_needs_a_recent_proof_asks_for_it_after_fifteen_minutes(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    portal.clock.us += 15 * 60 * SECOND_US
    assert (await portal.get("/recent", token=token)).status == 200
    portal.clock.us += 1
    assert (await portal.get("/recent", token=token)).location == "/sign-in/confirm?next=%2Frecent"
    assert (await portal.post("/recent", token=token)).location == "/sign-in/confirm?next=%2Frecent"


async def test_operators_page_does_not_exist_for_others(portal: Portal) -> None:
    ada = await portal.sign_in(await portal.account(), "ada")
    admin = await portal.sign_in(await portal.account("eve@example.org", role=UserRole.ADMIN), "eve")
    assert (await portal.get("/admin/x", token=ada)).status == 404
    assert (await portal.get("/admin/x", token=admin)).status == 200
    assert (await portal.post("/admin/x")).status == 404


# Bodies


async def test_form_above_16_kib_is_refused(portal: Portal) -> None:
    assert (await portal.post("/save", {"q": "a" * 16_000})).status == 303
    got = await portal.post("/save", {"q": "a" * 17_000})
    assert got.status == 413
    assert "16 KiB" in got.text


async def test_body_of_a_page_that_one_may_not_open_is_not_read(portal: Portal) -> None:
    assert (await portal.post("/own", {"q": "a" * 17_000})).location == "/sign-in?next=%2Fown"


# Errors


@pytest.mark.parametrize("path", ["/nothing", "/echo/", "/own/1/2", "/%00", "/ECHO"])
async def test_unknown_path_is_404(portal: Portal, path: str) -> None:
    assert (await portal.get(path)).status == 404


async def test_other_method_is_405_with_those_that_there_are(portal: Portal) -> None:
    got = await portal.get("/own/1")
    assert (got.status, got.headers["Allow"]) == (405, "POST")
    assert (await portal.ask("DELETE", "/echo")).status == 405
    assert (await portal.ask("OPTIONS", "/echo")).status == 405


async def test_failure_is_500_with_a_number_and_without_its_text(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    got = await portal.get("/fail")
    assert got.status == 500
    assert got.headers["x-softix-request-id"] in got.text
    assert "alert" not in got.text
    assert "ValueError" not in got.text
    assert got.headers["x-softix-request-id"] in {record.__dict__.get("request_id") for record in caplog.records}


async def test_failure_of_the_error_page_is_a_plain_answer(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise LookupError

    monkeypatch.setattr(type(portal.context.templates), "render", broken)
    got = await portal.get("/page")
    assert (got.status, got.text) == (500, "softix failed.\n")


async def test_request_while_the_portal_stops_is_503(portal: Portal) -> None:
    portal.context.stop_taking()
    got = await portal.get("/page")
    assert (got.status, got.headers["Retry-After"]) == (503, "1")


# Answers


async def test_every_answer_has_the_security_headers(portal: Portal) -> None:
    answers = [
        await portal.get(path) for path in ("/page", "/echo", "/nothing", "/fail", "/own", "/download", "/healthz")
    ]
    answers.append(await portal.post("/save"))
    answers.append(await portal.get("/page", host="evil.example"))
    for got in answers:
        assert "default-src 'none'" in got.headers["Content-Security-Policy"]
        assert got.headers["Referrer-Policy"] == "same-origin"
        assert got.headers["Strict-Transport-Security"]
        assert got.headers["Server"] == "softix"
        assert got.headers["Cache-Control"] == "no-store"


async def test_page_escapes_what_it_was_given(portal: Portal) -> None:
    got = await portal.get("/page", params={"q": SCRIPT})
    assert SCRIPT not in got.text
    assert "&lt;script&gt;" in got.text


async def test_head_has_the_headers_of_get_and_no_body(portal: Portal) -> None:
    got = await portal.ask("HEAD", "/page")
    assert (got.status, got.text) == (200, "")
    assert got.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_message_is_shown_on_the_next_page_once_and_is_in_no_url(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    saved = await portal.post("/save", token=token)
    cookie = saved.cookie()
    assert cookie is not None
    assert (saved.status, saved.location) == (303, "/page")
    shown = await portal.get("/page", token=cookie["value"])
    assert "Your change was saved." in shown.text
    after = shown.cookie()
    assert after is not None
    assert after["value"] == token
    assert after["max-age"] == "7200"
    assert "Your change was saved." not in (await portal.get("/page", token=token)).text


@pytest.mark.parametrize("message", ["flash.nothing", "error.failed", "nav.keys"])
async def test_message_that_is_none_of_ours_is_not_shown(portal: Portal, message: str) -> None:
    got = await portal.get("/page", token=f"~~{message}")
    assert got.status == 200
    assert 'class="notice"' not in got.text


async def test_sign_in_and_out_set_and_end_the_cookie(portal: Portal) -> None:
    cookie = (await portal.post("/to/sign-in", token="old")).cookie()
    assert cookie == {
        "value": "fresh", "max-age": "600", "path": "/", "secure": "True", "httponly": "True", "samesite": "Lax"
    }  # fmt: skip
    token = await portal.sign_in(await portal.account())
    ended = (await portal.post("/to/sign-out", token=token)).cookie()
    assert ended is not None
    assert token not in ended["value"]
    assert ended["value"] == "~~flash.signed_out"


async def test_chosen_organisation_stays_in_the_cookie(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    cookie = (await portal.post("/choose", {"q": "usr_ada"}, token=token)).cookie()
    assert cookie is not None
    assert cookie["value"] == f"{token}~usr_ada"


@pytest.mark.parametrize("location", ["//evil.example", "http://evil.example", "javascript:alert(1)", ""])
async def test_redirect_to_what_is_neither_a_page_nor_https_is_an_error(portal: Portal, location: str) -> None:
    assert (await portal.post("/leave", {"q": location})).status == 500


async def test_redirect_to_a_payment_page_is_made(portal: Portal) -> None:
    got = await portal.post("/leave", {"q": "https://checkout.stripe.com/c/pay/cs_1"})
    assert (got.status, got.location) == (303, "https://checkout.stripe.com/c/pay/cs_1")


async def test_download_has_a_plain_file_name(portal: Portal) -> None:
    got = await portal.get("/download")
    assert (got.status, got.text) == (200, "a,b\r\n1,2\r\n")
    assert got.headers["Content-Disposition"] == 'attachment; filename="usage_of_ada_.csv"'


async def test_download_that_fails_in_the_middle_ends_the_connection(portal: Portal) -> None:
    with pytest.raises(Exception, match=r"(?i)payload|connection|disconnect|transfer"):
        await portal.get("/download?q=1")


async def test_several_clients_are_answered_while_a_slow_form_arrives(portal: Portal) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(portal.url.rpartition(":")[2]))
    head = f"POST /save HTTP/1.1\r\nHost: {HOST}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 100\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()
    assert (await portal.get("/page")).status == 200
    writer.close()
    await reader.read()
