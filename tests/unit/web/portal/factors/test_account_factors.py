import re
from dataclasses import replace

import pytest
from support.portal import Portal, organisation
from support.visitor import Visitor, hidden, options

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.web.portal.route_table import ROUTES


async def test_page_of_factors_offers_an_app_and_a_passkey(ada: Visitor) -> None:
    page = await ada.get("/account/factors")
    assert page.status == 200 and "/account/factors/app" in page.text and "/account/factors/passkeys" in page.text
    assert "script" not in page.headers["Content-Security-Policy"]


async def test_app_is_set_up_by_its_code_and_the_recovery_codes_are_shown_once(ada: Visitor) -> None:
    before = ada.token
    done = await ada.enrol_app()
    assert done.status == 200 and len(ada.codes) == 10
    assert ada.token != before, "a session that proved more gets a new token"
    page = await ada.get("/account/factors")
    assert "10 recovery codes" in page.text and not any(code in page.text for code in ada.codes)
    assert (await ada.get("/account/factors/app")).location == "/account/factors", "the secret is shown no more"


async def test_page_of_an_app_shows_its_secret_as_text_and_as_a_picture(ada: Visitor) -> None:
    await ada.post("/account/factors/app")
    page = await ada.get("/account/factors/app")
    assert page.status == 200 and "<svg" in page.text and page.headers["Cache-Control"] == "no-store"
    again = await ada.get("/account/factors/app")
    secrets = [re.findall(r"<code[^>]*>([A-Z2-7 ]{39})</code>", one.text) for one in (page, again)]
    assert secrets[0] == secrets[1] and len(secrets[0]) == 1
    assert "otpauth" not in page.text


async def test_wrong_code_shows_the_same_app_again_and_sets_up_nothing(ada: Visitor) -> None:
    await ada.post("/account/factors/app")
    done = await ada.post("/account/factors/app/confirm", code="abc")
    assert done.status == 400 and "<svg" in done.text and 'role="alert"' in done.text
    assert 'value="abc"' not in done.text
    assert "/account/factors/app/remove" not in (await ada.get("/account/factors")).text


async def test_confirmation_without_an_app_begun_is_refused(ada: Visitor) -> None:
    done = await ada.post("/account/factors/app/confirm", code="123456")
    assert done.status == 400 and "begin again" in done.text


async def test_app_is_removed(ada: Visitor) -> None:
    await ada.enrol_app()
    done = await ada.post("/account/factors/app/remove")
    assert (done.status, done.location) == (303, "/account/factors")
    page = await ada.get("/account/factors")
    assert "recovery code" not in page.text and "The factor was removed." in page.text


async def test_app_of_a_role_that_needs_one_stays(ada: Visitor, portal: Portal) -> None:
    settings = portal.context.settings
    portal.context.settings = replace(settings, portal=replace(settings.portal, second_factor_roles=("user",)))
    assert "Please add one now" in (await ada.get("/account/factors")).text
    await ada.enrol_app()
    done = await ada.post("/account/factors/app/remove")
    assert done.status == 400 and "Your role needs a second factor" in done.text


async def test_new_recovery_codes_take_the_place_of_the_old_ones(ada: Visitor) -> None:
    await ada.enrol_app()
    done = await ada.post("/account/factors/codes")
    new = re.findall(r"<li><code>([a-z0-9-]{19})</code></li>", done.text)
    assert done.status == 200 and len(new) == 10 and not set(new) & set(ada.codes)


async def test_passkey_is_added_under_its_name_and_removed(ada: Visitor) -> None:
    prompt = await ada.post("/account/factors/passkeys")
    assert prompt.status == 200
    policy = prompt.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    done = await ada.enrol_passkey()
    assert done.status == 200 and "recovery" in done.text
    page = await ada.get("/account/factors")
    [path] = re.findall(r'action="(/account/factors/passkeys/pky_\w+/remove)"', page.text)
    assert "Phone" in page.text
    assert (await ada.post(path)).location == "/account/factors"
    assert "Phone" not in (await ada.get("/account/factors")).text


async def test_name_of_a_passkey_is_escaped(ada: Visitor) -> None:
    prompt = await ada.post("/account/factors/passkeys")
    answer = ada.device.create(options(prompt))
    await ada.post(
        "/account/factors/passkeys/answer",
        reference=hidden(prompt, "reference"),
        answer=answer,
        label="<script>alert(1)</script>",
    )
    page = await ada.get("/account/factors")
    assert "&lt;script&gt;" in page.text and "<script>" not in page.text


async def test_answer_that_is_no_passkey_is_refused(ada: Visitor) -> None:
    prompt = await ada.post("/account/factors/passkeys")
    done = await ada.post(
        "/account/factors/passkeys/answer", reference=hidden(prompt, "reference"), answer="{}", label="x"
    )
    assert done.status == 400 and "not accepted" in done.text


async def test_passkey_of_somebody_else_is_not_there(ada: Visitor, portal: Portal) -> None:
    await ada.enrol_passkey()
    page = await ada.get("/account/factors")
    [path] = re.findall(r'action="(/account/factors/passkeys/pky_\w+/remove)"', page.text)
    bob = await portal.account("bob@example.org")
    token = await portal.sign_in(bob, "bob")
    assert (await portal.post(path, token=token)).status == 400
    assert "Phone" in (await ada.get("/account/factors")).text


@pytest.mark.parametrize(
    "path",
    [
        "/account/factors/app",
        "/account/factors/app/confirm",
        "/account/factors/app/remove",
        "/account/factors/passkeys",
        "/account/factors/passkeys/answer",
        "/account/factors/codes",
        "/account/factors/link",
        "/account/factors/unlink",
    ],
)
async def test_change_of_factors_needs_a_recent_proof_and_a_form_of_this_site(
    ada: Visitor, portal: Portal, path: str
) -> None:
    strange = await portal.post(path, token=ada.token, headers={"sec-fetch-site": "cross-site"})
    assert strange.status == 403
    assert (await portal.post(path)).location.startswith("/sign-in")
    portal.clock.us += 901 * SECOND_US
    asked = await ada.post(path)
    assert asked.status == 303 and asked.location.startswith("/sign-in/confirm")
    assert (await ada.get(path)).status in (200, 303), "the person comes back to a page that exists"


async def test_portal_without_the_library_says_which_command_installs_it(
    ada: Visitor, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "softix_proxy.vault.passkeys", None)
    for path in ("/account/factors/passkeys", "/sign-in/passkey"):
        page = await ada.post(path)
        assert page.status == 503 and "pip install &#39;softix-proxy[passkeys]&#39;" in page.text


async def test_role_that_needs_a_factor_opens_nothing_else_until_it_has_proved_one(
    ada: Visitor, portal: Portal
) -> None:
    await organisation(portal, "team", ada.account)
    settings = portal.context.settings
    portal.context.settings = replace(settings, portal=replace(settings.portal, second_factor_roles=("owner",)))
    page = next(route.pattern for route in ROUTES if route.pattern in ("/keys", "/usage", "/"))
    assert (await ada.get(page)).location == "/account/factors"
    assert "Please add one, and go on then." in (await ada.get("/account/factors")).text
    for own in ("/account", "/account/sessions"):
        assert (await ada.get(own)).status == 200
    await ada.enrol_app()
    assert (await ada.get(page)).location != "/account/factors"
    portal.context.settings = replace(settings, portal=replace(settings.portal, second_factor_roles=("admin",)))
    assert (await ada.get(page)).location != "/account/factors"
