from typing import Any

from support.two_organisations import Organisations, shown

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.web.portal.product import connect


async def text(house: Organisations, query: dict[str, str] | None = None, **portal: Any) -> str:
    answer = await connect.show_connect(await house.request("GET", "/connect", query=query, **portal))
    return shown(answer, await house.viewer(OrganisationRole.OWNER))


async def test_lines_have_the_address_of_the_operator_and_the_usual_model(house: Organisations) -> None:
    shown_text = await text(house, api_url="https://api.example.org", public_url="https://portal.example.org")
    assert "https://api.example.org/v1" in shown_text and "lab/llama" in shown_text
    assert "Ask for it" not in shown_text


async def test_address_that_nobody_told_is_asked_for(house: Organisations) -> None:
    shown_text = await text(house, public_url="https://portal.example.org")
    assert "https://API-ADDRESS/v1" in shown_text and "Ask for it" in shown_text


async def test_portal_on_this_machine_shows_where_the_api_listens(house: Organisations) -> None:
    assert "http://127.0.0.1:8484/v1" in await text(house, public_url="http://localhost:8485")


async def test_model_that_is_asked_for_is_in_the_lines_if_it_is_a_name(house: Organisations) -> None:
    assert "&#34;gpt-4o&#34;" in await text(house, {"model": "gpt-4o"})
    hostile = await text(house, {"model": '"><script>'})
    assert "<script" not in hostile and "lab/llama" in hostile


async def test_whole_key_in_place_of_a_model_does_not_come_back(house: Organisations) -> None:
    assert "WWW" not in await text(house, {"model": "sx_live_abcd" + "W" * 29})


async def test_first_model_that_may_be_used_stands_in_for_one_that_was_used(house: Organisations) -> None:
    house.run("DELETE FROM usage_daily")
    assert "&#34;llama&#34;" in await text(house)
    house.run("UPDATE models SET status = 'disabled'")
    assert "&#34;MODEL&#34;" in await text(house)
