"""Setting a new password by a mailed link."""

from __future__ import annotations

from support.portal import Portal
from support.principals import ALL

from softix_proxy.domain.access.users import UserRole
from softix_proxy.operations.accounts import accounts

OLD, NEW = "four words in a row", "five other words in turn"


async def asked(portal: Portal, email: str = "ada@example.org") -> str:
    await portal.post("/reset", {"email": email})
    return (await portal.links())[0][1]


async def test_answer_is_the_same_for_known_and_unknown_addresses(portal: Portal) -> None:
    await portal.account()
    known = await portal.post("/reset", {"email": "ada@example.org"})
    for email in ("eve@example.org", "no address", ""):
        unknown = await portal.post("/reset", {"email": email})
        assert (known.status, known.text) == (unknown.status, unknown.text)
    assert await portal.kinds() == ["reset_password"]


async def test_link_sets_the_password_and_ends_all_sessions(portal: Portal) -> None:
    token = await portal.sign_in(await portal.account(password=OLD))
    path = await asked(portal)
    assert (await portal.get(path)).title == (await portal.get(path)).title == "Set a new password"
    weak = await portal.post("/reset", {"token": path.partition("=")[2], "password": "password"})
    assert (weak.status, weak.title) == (400, "Set a new password")
    done = await portal.post("/reset", {"token": path.partition("=")[2], "password": NEW}, token=token)
    assert (done.status, done.location) == (303, "/sign-in")
    cookie = done.cookie()
    assert cookie is not None
    assert token not in cookie["value"]
    assert (await portal.get("/account", token=token)).status == 303
    assert (await portal.post("/sign-in", {"email": "ada@example.org", "password": OLD})).status == 400
    assert (await portal.post("/sign-in", {"email": "ada@example.org", "password": NEW})).status == 303
    assert (await portal.get(path)).title == "Forgotten your password?"


async def test_first_link_of_an_operator_sets_the_first_password(portal: Portal) -> None:
    made = await accounts.create(
        portal.storage, portal.context.vault, email="eve@example.org", role=UserRole.ADMIN, by=ALL
    )
    page = await portal.get(made.path)
    assert (page.status, page.title) == (200, "Choose your password")
    assert "eve@example.org" in page.text
    done = await portal.post("/reset", {"token": made.path.partition("=")[2], "password": NEW})
    assert done.status == 303
    assert (await portal.post("/sign-in", {"email": "eve@example.org", "password": NEW})).status == 303
