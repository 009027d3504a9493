from support.books import USD
from support.two_organisations import OWN_KEY, Organisations, shown

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.web.portal.product import limits


async def text(house: Organisations, **query: str) -> str:
    answer = await limits.show_limits(await house.request("GET", "/limits", query=query))
    return shown(answer, await house.viewer(OrganisationRole.OWNER))


async def test_limits_of_working_keys_are_shown_with_what_is_spent(house: Organisations) -> None:
    house.run("UPDATE keys SET rpm = 1234, cap_pico = ?, cap_period = 'day' WHERE id = 1", USD // 50)
    shown_text = await text(house)
    assert "1,234" in shown_text and OWN_KEY in shown_text and 'value="50"' in shown_text
    assert "$0.01 of $0.02 each day" in shown_text and "key_bob" not in shown_text
    house.run("UPDATE keys SET status = 'revoked' WHERE id = 1")
    assert OWN_KEY not in await text(house)


async def test_regions_and_credit_of_the_organisation_are_told(house: Organisations) -> None:
    house.run("""UPDATE users SET regions = '["eu"]', postpaid = 1 WHERE id = 1""")
    house.run("UPDATE wallets SET credit_pico = ? WHERE user_id = 1", 5 * USD)
    shown_text = await text(house)
    assert "processed only in: eu." in shown_text and "$5.00" in shown_text and "pays afterwards" in shown_text
