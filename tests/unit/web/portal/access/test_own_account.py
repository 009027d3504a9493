"""The pages of one's own account: name, e-mail and password."""

from __future__ import annotations

from support.portal import Portal

from softix_proxy.domain.core.clock import SECOND_US

OLD, NEW = "four words in a row", "five other words in turn"


async def test_name_is_changed_and_escaped(portal: Portal) -> None:
    account = await portal.account()
    token = await portal.sign_in(account)
    assert (await portal.post("/account", {"name": "Ada <b>O’Brien</b>", "role": "admin"}, token=token)).status == 303
    shown = await portal.get("/account", token=token)
    assert "Ada &lt;b&gt;O’Brien&lt;/b&gt;" in shown.text
    assert "<b>O’Brien" not in shown.text
    assert (await portal.storage.reading().accounts.get(account.id)).role == account.role
    assert (await portal.post("/account", {"name": "\n"}, token=token)).status == 400


async def test_new_address_counts_once_its_link_is_confirmed(portal: Portal) -> None:
    account = await portal.account()
    token = await portal.sign_in(account)
    sent = await portal.post("/account/email", {"email": "new@example.org"}, token=token)
    assert (sent.status, sent.title) == (200, "Look into your mail")
    [(kind, path)] = await portal.links()
    assert (kind, path.partition("=")[0]) == ("confirm_new_email", "/account/email?token")
    page = await portal.get(path, token=token)
    assert (page.status, page.title) == (200, "Confirm your new e-mail")
    assert (await portal.storage.reading().accounts.get(account.id)).email == "ada@example.org"
    done = await portal.post("/account/email/confirm", {"token": path.partition("=")[2]}, token=token)
    assert (done.status, done.location) == (303, "/account/email")
    assert (await portal.storage.reading().accounts.get(account.id)).email == "new@example.org"
    assert (await portal.kinds())[0] == "email_changed"


async def test_link_for_a_new_address_is_worth_nothing_to_somebody_else(portal: Portal) -> None:
    ada = await portal.sign_in(await portal.account(), "ada")
    eve = await portal.sign_in(await portal.account("eve@example.org"), "eve")
    await portal.post("/account/email", {"email": "new@example.org"}, token=ada)
    [(_, path)] = await portal.links()
    assert (await portal.get(path, token=eve)).status == 400
    assert (await portal.post("/account/email/confirm", {"token": path.partition("=")[2]}, token=eve)).status == 400
    assert (await portal.get(path, token=ada)).status == 200


async def test_address_that_cannot_be_used_is_refused(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    for email in ("ada@example.org", "ada@example.org,evil", "nobody"):
        assert (await portal.post("/account/email", {"email": email}, token=token)).status == 400


async def test_password_change_ends_the_other_sessions_and_renews_this_one(portal: Portal) -> None:
    ada = await portal.account(password=OLD)
    here, there = await portal.sign_in(ada, "here"), await portal.sign_in(ada, "there")
    wrong = await portal.post("/account/password", {"current": "another one", "password": NEW}, token=here)
    assert (wrong.status, wrong.title) == (400, "Password")
    done = await portal.post("/account/password", {"current": OLD, "password": NEW}, token=here)
    assert (done.status, done.location) == (303, "/account/password")
    cookie = done.cookie()
    assert cookie is not None
    for ended in (here, there):
        assert (await portal.get("/account", token=ended)).status == 303
    shown = await portal.get("/account/password", token=cookie["value"])
    assert "Your password was changed" in shown.text
    assert await portal.kinds() == ["password_changed"]


async def test_first_password_needs_a_recent_proof(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account())
    assert "You have no password yet" in (await portal.get("/account/password", token=token)).text
    portal.clock.us += 16 * 60 * SECOND_US
    confirm = "/sign-in/confirm?next=%2Faccount%2Fpassword"
    assert (await portal.get("/account/password", token=token)).location == confirm
    assert (await portal.post("/account/password", {"password": NEW}, token=token)).location == confirm
