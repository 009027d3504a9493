from typing import Any

import pytest
from support.two_organisations import FOREIGN_KEY, OWN_KEY, Organisations, shown

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.operations.access import limit_changes as limit_operations
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.web.portal.core.page import Page, SeeOther
from softix_proxy.web.portal.product import key_limits, keys, limits

OF_KEY = {"key_id": OWN_KEY}


async def send(house: Organisations, **form: str) -> Any:
    return await key_limits.change_limits(await house.request("POST", "/keys", parts=OF_KEY, form=form))


async def text(house: Organisations, page: Any) -> str:
    return shown(page, await house.viewer(OrganisationRole.OWNER))


async def test_cap_of_a_key_is_set_raised_shown_and_removed(house: Organisations) -> None:
    saved = SeeOther(f"/keys/{OWN_KEY}", "flash.saved")
    terms = {"zone": "Europe/Berlin", "reset_day": "15", "alerts": "50"}
    assert await send(house, amount="5", period="month", model="lab/*", **terms) == saved
    assert await send(house, amount="9", period="month", model="lab/*", until="2999-12-24") == saved
    [cap] = await house.storage.reading().caps.of_user(1)
    assert (cap.models, cap.zone, cap.reset_day, cap.alerts) == ("lab/*", "Europe/Berlin", 15, "50")
    page = await text(house, await keys.show_key(await house.request("GET", "/keys", parts=OF_KEY)))
    assert "lab/*" in page and "$5.00" in page and "raised to $9.00 until" in page and "2999-12-23" in page
    assert await send(house, amount="none", period="month", model="lab/*") == saved
    assert await house.storage.reading().caps.of_user(1) == []


async def test_cap_form_with_a_mistake_is_shown_again_with_what_was_sent(house: Organisations) -> None:
    page = await send(house, amount="5", period="day", zone="Nowhere")
    assert isinstance(page, Page) and page.status == 400
    shown_again = await text(house, page)
    assert 'value="Nowhere"' in shown_again and 'role="alert"' in shown_again
    assert await house.storage.reading().caps.of_user(1) == []


async def test_caps_of_a_foreign_key_do_not_exist(house: Organisations) -> None:
    asked = await house.request("POST", "/keys", parts={"key_id": FOREIGN_KEY}, form={"amount": "5", "period": "day"})
    with pytest.raises(NotFoundError):
        await key_limits.change_limits(asked)


async def test_page_of_limits_shows_the_caps_of_all_keys_which_no_member_changes(house: Organisations) -> None:
    await limit_operations.set_of_user(house.storage, "usr_ada", AskedLimits("", {"week": 7 * 10**12}))
    page = await text(house, await limits.show_limits(await house.request("GET", "/limits")))
    assert "Limits of all keys together" in page and "$7.00" in page and '/limits"' not in page.split("<table")[1]


async def test_form_of_a_key_leaves_its_caps_and_limits_of_models_as_they_are(house: Organisations) -> None:
    asked = AskedLimits("lab/*", {"day": 10**12}, rates={"rpm": 5})
    await limit_operations.set_of_key(house.storage, OWN_KEY, asked)
    form = {"label": "server", "rpm": "60", "cap_period": "day"}
    await keys.change_key(await house.request("POST", "/keys", parts=OF_KEY, form=form))
    key = await house.storage.reading().keys.find(OWN_KEY)
    assert key is not None and key.limits.rpm == 60 and key.limits.model_rates[0].rpm == 5
    assert len(await house.storage.reading().caps.of_user(1)) == 1
