import pytest
from support.two_organisations import FOREIGN_KEY, OWN_KEY, Organisations, shown

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.web.portal.product import models


async def text(house: Organisations, **query: str) -> str:
    answer = await models.list_models(await house.request("GET", "/models", query=query))
    return shown(answer, await house.viewer(OrganisationRole.OWNER))


async def test_models_are_shown_with_their_prices(house: Organisations) -> None:
    shown_text = await text(house)
    assert "<code>llama</code>" in shown_text and "Input tokens: $1.00 / million tokens" in shown_text
    assert "1 model<" in shown_text


async def test_search_keeps_its_words_and_its_key(house: Organisations) -> None:
    shown_text = await text(house, q="lla", key=OWN_KEY)
    assert 'value="lla"' in shown_text and f'<option value="{OWN_KEY}" selected>' in shown_text
    assert "<code>llama</code>" in shown_text
    assert "No model was found." in await text(house, q="nothing")


async def test_search_for_a_whole_key_brings_only_its_prefix_back(house: Organisations) -> None:
    shown_text = await text(house, q="sx_live_abcd" + "W" * 29)
    assert 'value="sx_live_abcd"' in shown_text and "WWW" not in shown_text


async def test_key_of_others_does_not_exist(house: Organisations) -> None:
    with pytest.raises(NotFoundError):
        await text(house, key=FOREIGN_KEY)
