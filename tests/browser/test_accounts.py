"""A person's life with an account, in a real browser with real messages: from registering to signing out."""

from __future__ import annotations

from playwright.async_api import Browser
from support.browser import NARROW, visiting
from support.portal_daemon import PortalDaemon

ADA = "ada.lovelace@example.org"
FIRST, SECOND = "four words in a row", "five other words in turn"


async def test_person_registers_verifies_signs_in_changes_the_password_and_signs_out(
    browser: Browser, daemon: PortalDaemon
) -> None:
    async with visiting(browser, daemon.url) as ada:
        await ada.open("/sign-in")
        await ada.page.get_by_role("main").get_by_role("link", name="Register").click()
        await ada.fill(name="Ada Lovelace", email=ADA, password=FIRST)
        await ada.page.get_by_label("I am at least 16 years old.").check()
        await ada.press("Register")
        assert await ada.title() == "Look into your mail"

        await ada.open(await daemon.link(ADA, "Confirm"))
        assert await ada.title() == "Confirm your e-mail"
        await ada.fill(password=FIRST)
        await ada.press("Confirm this e-mail")
        assert ada.path == "/sign-in"
        assert "Your e-mail is confirmed." in await ada.page.get_by_role("status").inner_text()

        await ada.open("/account/password")
        assert ada.path == "/sign-in"
        await ada.fill(email=ADA, password="not the right one")
        await ada.press("Sign in")
        assert "is wrong" in await ada.page.get_by_role("alert").inner_text()
        await ada.fill(password=FIRST)
        await ada.press("Sign in")
        assert ada.path == "/account/password"

        [cookie] = await ada.context.cookies()
        assert (cookie["name"], cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
            "__Host-softix",
            True,
            True,
            "Lax",
            "/",
        )
        async with visiting(browser, daemon.url) as elsewhere:
            await elsewhere.open("/account/password")
            await elsewhere.fill(email=ADA, password=FIRST)
            await elsewhere.press("Sign in")

            await ada.fill(current=FIRST, password=SECOND)
            await ada.press("Change the password")
            assert "Your password was changed" in await ada.page.get_by_role("status").inner_text()
            await elsewhere.open("/account")
            assert elsewhere.path == "/sign-in", "a new password ends the other sessions"
        await daemon.message(ADA, "Your password has changed")

        await ada.open("/account/sessions")
        assert await ada.page.get_by_text("This one").count() == 1
        await ada.page.get_by_role("banner").get_by_role("button", name="Sign out").click()
        assert ada.path == "/sign-in"
        await ada.open("/account")
        assert ada.path == "/sign-in"
        await ada.fill(email=ADA, password=SECOND)
        await ada.press("Sign in")
        assert ada.path == "/account"


async def test_forgotten_password_is_set_by_a_link(browser: Browser, daemon: PortalDaemon) -> None:
    daemon.cli("accounts", "create", ADA, "--name", "Ada")
    async with visiting(browser, daemon.url) as ada:
        await ada.open("/reset")
        await ada.fill(email=ADA)
        await ada.press("Send me a link")
        await ada.open(await daemon.link(ADA, "Choose a new password"))
        await ada.fill(password="password")
        await ada.press("Set the password")
        assert "Many people use this password" in await ada.page.get_by_role("alert").inner_text()
        await ada.fill(password=FIRST)
        await ada.press("Set the password")
        assert ada.path == "/sign-in"
        await ada.fill(email=ADA, password=FIRST)
        await ada.press("Sign in")
        assert ada.path == "/"


async def test_form_that_another_site_sends_signs_nobody_out(browser: Browser, daemon: PortalDaemon) -> None:
    """The other site is the proxy's own port: another origin on the same host, which is `same-site` to browsers."""
    daemon.cli("accounts", "create", ADA)
    async with visiting(browser, daemon.url) as ada:
        await ada.open(await daemon.link(ADA, "Your account is ready"))
        await ada.fill(password=FIRST)
        await ada.press("Set the password")
        await ada.fill(email=ADA, password=FIRST)
        await ada.press("Sign in")
        other = await ada.context.new_page()
        await other.set_content(f'<form method="post" action="{daemon.url}/sign-out"><button>Win</button></form>')
        async with other.expect_navigation():
            await other.get_by_role("button").click()
        assert await other.locator("h1").inner_text() == "This form came from another site"
        await ada.open("/account")
        assert ada.path == "/account"


async def test_pages_work_by_the_keyboard_alone_and_without_javascript(browser: Browser, daemon: PortalDaemon) -> None:
    daemon.cli("accounts", "create", ADA)
    async with visiting(browser, daemon.url, size=NARROW, java_script_enabled=False) as ada:
        await ada.open(await daemon.link(ADA, "Your account is ready"))
        await ada.page.keyboard.type(FIRST)  # the field has the focus
        async with ada.page.expect_navigation():
            await ada.page.keyboard.press("Enter")
        assert ada.path == "/sign-in"
        await ada.page.keyboard.type(ADA)
        await ada.page.keyboard.press("Tab")
        await ada.page.keyboard.type(FIRST)
        async with ada.page.expect_navigation():
            await ada.page.keyboard.press("Enter")
        await ada.open("/account")
        await ada.page.locator("summary").press("Enter")  # the menu of a narrow window
        assert await ada.page.get_by_role("navigation", name="Menu").get_by_role("link", name="Account").is_visible()
        await ada.open("/account")
        await ada.page.keyboard.press("Tab")
        focused = await ada.page.evaluate("document.activeElement.outerHTML")
        assert "Skip to the content" in focused
