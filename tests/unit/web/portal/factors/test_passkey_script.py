import re

from support.portal import Portal
from support.sources import ROOT

from softix_proxy.operations.accounts.passkeys import PasskeyPrompt
from softix_proxy.web.portal.factors.passkey_script import PATH, passkey_script, prompt_page

SCRIPT = (ROOT / "softix_proxy" / "data" / "portal_passkeys.js").read_text("utf-8")


async def test_script_is_served_from_here_and_kept_by_browsers(portal: Portal) -> None:
    got = await portal.get(passkey_script().url)
    assert got.status == 200 and got.text == SCRIPT
    assert got.headers["Content-Type"].startswith("text/javascript") and "immutable" in got.headers["Cache-Control"]
    assert passkey_script().url.startswith(f"{PATH}?")


def test_script_asks_no_other_site_and_makes_no_code() -> None:
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|eval|Function\(|innerHTML|document\.write", SCRIPT)


def test_page_that_asks_for_a_passkey_runs_the_script() -> None:
    page = prompt_page("passkey_sign_in", PasskeyPrompt("reference", "{}"), {"next": "/"})
    assert page.has_script and page.values["script"] == passkey_script().url
    assert (page.values["reference"], page.values["options"], page.values["next"]) == ("reference", "{}", "/")
