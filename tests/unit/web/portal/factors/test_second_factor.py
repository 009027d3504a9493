from support.portal import Portal
from support.visitor import Visitor, hidden, options

from softix_proxy.domain.accounts.factors import CODE_THROTTLE
from softix_proxy.domain.core.clock import SECOND_US

PAGE = "/sign-in/second-factor"


async def wait(ada: Visitor) -> None:
    """She gave the right password again, and is asked for her second factor."""
    done = await ada.sign_in()
    assert (done.status, done.location) == (303, PAGE), done.text


async def test_right_password_opens_only_the_page_of_the_second_factor(ada: Visitor) -> None:
    await ada.enrol_app()
    await wait(ada)
    for path in ("/account", "/account/factors", "/account/password"):
        assert (await ada.get(path)).location.startswith(PAGE)
    assert (await ada.post("/account/factors/app")).location.startswith(PAGE)
    assert (await ada.get(PAGE)).status == 200


async def test_right_code_leads_to_where_the_person_wanted_to_go(ada: Visitor) -> None:
    await ada.enrol_app()
    await wait(ada)
    before = ada.token
    assert 'value="/account"' in (await ada.get(f"{PAGE}?next=%2Faccount")).text
    done = await ada.post(PAGE, code=ada.code(), next="/account")
    assert (done.status, done.location) == (303, "/account") and ada.token != before
    assert (await ada.get("/account")).status == 200
    assert (await ada.get(PAGE)).location == "/"


async def test_answer_leads_to_no_other_site(ada: Visitor) -> None:
    await ada.enrol_app()
    await wait(ada)
    done = await ada.post(PAGE, code=ada.code(), next="https://evil.example.net/")
    assert done.location == "/"


async def test_wrong_code_is_told_and_not_shown_again(ada: Visitor) -> None:
    await ada.enrol_app()
    await wait(ada)
    done = await ada.post(PAGE, code="000-000-canary")
    assert done.status == 400 and 'role="alert"' in done.text and "canary" not in done.text


async def test_too_many_codes_are_answered_with_a_time_to_wait(ada: Visitor, portal: Portal) -> None:
    await ada.enrol_app()
    await wait(ada)
    for _ in range(CODE_THROTTLE.burst):
        assert (await ada.post(PAGE, code="abc")).status == 400
    done = await ada.post(PAGE, code=ada.code())
    assert done.status == 429 and int(done.headers["Retry-After"]) > 0
    portal.clock.us += int(done.headers["Retry-After"]) * SECOND_US
    await wait(ada)
    assert (await ada.post(PAGE, code=ada.code())).status == 303


async def test_recovery_code_opens_the_session(ada: Visitor) -> None:
    await ada.enrol_app()
    await wait(ada)
    assert (await ada.post(PAGE, code=ada.codes[3].upper())).status == 303
    assert "9 recovery codes" in (await ada.get("/account/factors")).text


async def test_session_that_waited_too_long_begins_again(ada: Visitor, portal: Portal) -> None:
    await ada.enrol_app()
    await wait(ada)
    portal.clock.us += 601 * SECOND_US
    assert (await ada.get(PAGE)).location == "/sign-in"
    assert (await ada.post(PAGE, code=ada.code())).location == "/sign-in"


async def test_passkey_is_a_second_factor(ada: Visitor) -> None:
    await ada.enrol_passkey()
    await wait(ada)
    page = await ada.get(PAGE)
    assert f"{PAGE}/passkey" in page.text
    prompt = await ada.post(f"{PAGE}/passkey", next="/account")
    assert "script-src 'self'" in prompt.headers["Content-Security-Policy"]
    done = await ada.post(
        f"{PAGE}/passkey/answer",
        reference=hidden(prompt, "reference"),
        answer=ada.device.get(options(prompt)),
        next="/account",
    )
    assert (done.status, done.location) == (303, "/account")


async def test_wrong_passkey_shows_the_page_of_the_second_factor_again(ada: Visitor) -> None:
    await ada.enrol_passkey()
    await wait(ada)
    prompt = await ada.post(f"{PAGE}/passkey")
    done = await ada.post(f"{PAGE}/passkey/answer", reference=hidden(prompt, "reference"), answer="{}")
    assert done.status == 400 and "not accepted" in done.text and 'name="code"' in done.text


async def test_passkey_alone_signs_in_somebody_who_says_no_name(ada: Visitor) -> None:
    await ada.enrol_passkey()
    await ada.post("/sign-out")
    assert (await ada.get("/account")).location.startswith("/sign-in")
    prompt = await ada.post("/sign-in/passkey", next="/account")
    done = await ada.post(
        "/sign-in/passkey/answer",
        reference=hidden(prompt, "reference"),
        answer=ada.device.get(options(prompt)),
        next="/account",
    )
    assert (done.status, done.location) == (303, "/account")
    assert (await ada.get("/account")).status == 200


async def test_passkey_that_is_not_accepted_signs_nobody_in(ada: Visitor) -> None:
    await ada.post("/sign-out")
    for answer in ("{}", ""):
        prompt = await ada.post("/sign-in/passkey")
        done = await ada.post("/sign-in/passkey/answer", reference=hidden(prompt, "reference"), answer=answer)
        assert done.status == 400 and "not accepted" in done.text and done.cookie() is None


async def test_page_of_an_answer_that_is_loaded_again_leads_to_its_form(ada: Visitor) -> None:
    assert (await ada.get(f"{PAGE}/passkey/answer")).location == "/sign-in"
    await ada.enrol_app()
    await wait(ada)
    assert (await ada.get(f"{PAGE}/passkey")).location == PAGE


async def test_page_of_sign_in_offers_a_passkey(portal: Portal) -> None:
    page = await portal.get("/sign-in?next=%2Faccount")
    assert 'action="/sign-in/passkey"' in page.text and 'value="/account"' in page.text
    assert "oidc" not in page.text
