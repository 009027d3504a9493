"""Choosing the organisation that the pages are about."""

from __future__ import annotations

from support.portal import Portal, organisation


async def test_choice_is_kept_for_the_next_pages(portal: Portal) -> None:
    ada = await portal.account()
    await organisation(portal, "first", ada)
    second = await organisation(portal, "second", ada)
    token = await portal.sign_in(ada)
    page = await portal.get("/organisation", token=token)
    assert "first" in page.text
    assert "second" in page.text
    got = await portal.post("/organisation", {"organisation": second.public_id}, token=token)
    assert (got.status, got.location) == (303, "/")
    cookie = got.cookie()
    assert cookie is not None
    shown = await portal.get("/account", token=cookie["value"])
    assert '<span class="organisation">second' in shown.text


async def test_organisation_of_strangers_does_not_exist(portal: Portal) -> None:
    ada = await portal.account()
    strange = await organisation(portal, "strange", await portal.account("eve@example.org"))
    token = await portal.sign_in(ada)
    for chosen in (strange.public_id, "usr_nobody", ""):
        got = await portal.post("/organisation", {"organisation": chosen}, token=token)
        assert (got.status, got.cookie()) == (404, None)
    assert "strange" not in (await portal.get("/organisation", token=token)).text
