from dataclasses import replace

from support.two_organisations import OWN_REQUEST, Organisations, shown

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.web.portal.core.page import Page
from softix_proxy.web.portal.product import overview


async def text(house: Organisations) -> str:
    answer = await overview.show_overview(await house.request("GET", "/"))
    return shown(answer, await house.viewer(OrganisationRole.OWNER))


async def test_first_page_has_balance_chart_and_last_requests(house: Organisations) -> None:
    shown_text = await text(house)
    assert "$9.99" in shown_text and "<svg" in shown_text and OWN_REQUEST in shown_text
    assert 'class="notice' not in shown_text


async def test_first_page_shows_what_somebody_should_look_at(house: Organisations) -> None:
    house.run("UPDATE wallets SET posted_pico = 0 WHERE user_id = 1")
    house.run("UPDATE keys SET cap_pico = 0 WHERE id = 1")
    shown_text = await text(house)
    assert 'class="notice bad"' in shown_text and 'href="/billing"' in shown_text
    assert "The key ci has reached its cap" in shown_text and 'href="/keys/key_ada"' in shown_text


async def test_organisation_without_requests_is_led_to_the_page_that_connects(house: Organisations) -> None:
    house.run("DELETE FROM usage_daily")
    assert 'href="/connect"' in await text(house)


async def test_person_without_an_organisation_is_told_whom_to_ask(house: Organisations) -> None:
    viewer = replace(await house.viewer(OrganisationRole.OWNER), membership=None, organisation=None)
    answer = await overview.show_overview(await house.request("GET", "/", viewer=viewer))
    assert isinstance(answer, Page) and answer.template == "overview_empty"
    assert "no organisation" in shown(answer, viewer)
