from typing import Any

import pytest
from support.two_organisations import FOREIGN_KEY, OWN_KEY, Organisations, shown

from softix_proxy.domain.access.keys import KeyStatus
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.web.portal.core.page import Page, PageRequest, SeeOther
from softix_proxy.web.portal.product import keys

OF_KEY = {"key_id": OWN_KEY}


async def asked(house: Organisations, method: str, **options: Any) -> PageRequest:
    return await house.request(method, "/keys", **options)


async def html(house: Organisations, page: Any, role: OrganisationRole = OrganisationRole.OWNER) -> str:
    return shown(page, await house.viewer(role))


async def test_text_of_a_new_key_is_in_the_answer_to_its_form_and_on_no_later_page(house: Organisations) -> None:
    form = await keys.new_key(await asked(house, "GET"))
    assert isinstance(form, Page)
    sent = {"label": "laptop", "form_id": form.values["form_id"], "cap_period": "month"}
    made = await keys.create_key(await asked(house, "POST", form=sent))
    text = house.vault.made[-1]
    assert isinstance(made, Page) and made.status == 200
    assert text in await html(house, made)
    again = await keys.create_key(await asked(house, "POST", form=sent))
    assert isinstance(again, Page) and again.status == 409
    assert house.vault.made[-1] not in await html(house, again)
    listed = await html(house, await keys.list_keys(await asked(house, "GET")))
    assert "laptop" in listed and text not in listed
    assert len(await house.storage.reading().keys.list(1)) == 2


async def test_form_with_a_mistake_is_shown_again_with_what_was_sent(house: Organisations) -> None:
    sent = {"label": "laptop", "rpm": "many", "form_id": "f", "cap_period": "month"}
    page = await keys.create_key(await asked(house, "POST", form=sent))
    assert isinstance(page, Page) and page.status == 400
    text = await html(house, page)
    assert 'value="many"' in text and 'role="alert"' in text and 'value="f"' in text
    assert len(await house.storage.reading().keys.list(1)) == 1


async def test_field_that_no_form_has_sets_nothing(house: Organisations) -> None:
    sent = {"form_id": "f", "cap_period": "month", "role": "admin", "user_id": "2", "public_id": "key_mine"}
    await keys.create_key(await asked(house, "POST", form=sent))
    made = (await house.storage.reading().keys.list())[-1]
    assert made.user_id == 1 and made.public_id != "key_mine"


async def test_key_is_changed_and_shown_with_its_values(house: Organisations) -> None:
    sent = {"label": "server", "rpm": "60", "cap": "5", "cap_period": "day"}
    answer = await keys.change_key(await asked(house, "POST", parts=OF_KEY, form=sent))
    assert answer == SeeOther(f"/keys/{OWN_KEY}", "flash.saved")
    text = await html(house, await keys.show_key(await asked(house, "GET", parts=OF_KEY)))
    assert 'value="server"' in text and 'value="60"' in text and 'value="5.00"' in text


async def test_change_with_a_mistake_changes_nothing(house: Organisations) -> None:
    sent = {"label": "server", "allow_ip": "nonsense", "cap_period": "day"}
    page = await keys.change_key(await asked(house, "POST", parts=OF_KEY, form=sent))
    assert isinstance(page, Page) and page.status == 400
    assert "nonsense" in await html(house, page)
    assert (await house.storage.reading().keys.get(1)).label == "ci"


async def test_key_is_replaced_with_a_grace_and_the_form_works_once(house: Organisations) -> None:
    page = await keys.ask_rotation(await asked(house, "GET", parts=OF_KEY))
    assert isinstance(page, Page)
    sent = {"grace": "1h", "form_id": page.values["form_id"]}
    made = await keys.rotate_key(await asked(house, "POST", parts=OF_KEY, form=sent))
    assert house.vault.made[-1] in await html(house, made)
    old = await house.storage.reading().keys.get(1)
    assert (old.status, old.expires_at_us) == (KeyStatus.ACTIVE, house.clock.us + 3_600_000_000)
    again = await keys.rotate_key(await asked(house, "POST", parts=OF_KEY, form=sent))
    assert isinstance(again, Page) and again.status == 409
    assert len(await house.storage.reading().keys.list(1)) == 2


@pytest.mark.parametrize("grace", ["", "1000w", "x"])
async def test_grace_that_is_not_offered_is_refused(house: Organisations, grace: str) -> None:
    page = await keys.rotate_key(await asked(house, "POST", parts=OF_KEY, form={"grace": grace, "form_id": "f"}))
    assert isinstance(page, Page) and page.status == 400
    assert len(await house.storage.reading().keys.list(1)) == 1


async def test_revocation_asks_first_and_then_ends_the_key(house: Organisations) -> None:
    page = await keys.ask_revocation(await asked(house, "GET", parts=OF_KEY))
    text = await html(house, page)
    assert f'action="/keys/{OWN_KEY}/revoke"' in text and 'method="post"' in text
    assert (await house.storage.reading().keys.get(1)).status is KeyStatus.ACTIVE
    assert await keys.revoke_key(await asked(house, "POST", parts=OF_KEY)) == SeeOther("/keys", "flash.key_revoked")
    assert (await house.storage.reading().keys.get(1)).status is KeyStatus.REVOKED
    shown_key = await html(house, await keys.show_key(await asked(house, "GET", parts=OF_KEY)))
    assert "<form" not in shown_key.partition("<main")[2]


async def test_revoked_keys_are_listed_only_if_asked_for(house: Organisations) -> None:
    house.run("UPDATE keys SET status = 'revoked' WHERE id = 1")
    hidden = await html(house, await keys.list_keys(await asked(house, "GET")))
    assert OWN_KEY not in hidden and "/keys?all=1" in hidden
    assert OWN_KEY in await html(house, await keys.list_keys(await asked(house, "GET", query={"all": "1"})))


async def test_member_without_rights_sees_a_key_and_no_way_to_change_it(house: Organisations) -> None:
    role = OrganisationRole.VIEWER
    text = await html(house, await keys.show_key(await asked(house, "GET", parts=OF_KEY, role=role)), role)
    assert "/rotate" not in text and "/revoke" not in text and "<form" not in text.partition("<main")[2]
    listed = await html(house, await keys.list_keys(await asked(house, "GET", role=role)), role)
    assert "/keys/new" not in listed


@pytest.mark.parametrize(
    "handler",
    [keys.show_key, keys.change_key, keys.ask_rotation, keys.rotate_key, keys.ask_revocation, keys.revoke_key],
)
async def test_key_of_others_does_not_exist(house: Organisations, handler: Any) -> None:
    form = {"grace": "0s", "form_id": "f", "cap_period": "month"}
    with pytest.raises(NotFoundError):
        await handler(await asked(house, "POST", parts={"key_id": FOREIGN_KEY}, form=form))
    assert (await house.storage.reading().keys.get(2)).status is KeyStatus.ACTIVE
