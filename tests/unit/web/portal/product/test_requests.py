import pytest
from support.books import USD
from support.two_organisations import FOREIGN_REQUEST, ROLES, Organisations, shown

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.web.portal.product import requests

PRICED = format_request_id(9 << 22)


async def text(house: Organisations, reference: str, role: OrganisationRole = OrganisationRole.OWNER) -> str:
    request = await house.request("GET", "/requests", parts={"request_id": reference}, role=role)
    return shown(await requests.show_request(request), await house.viewer(role))


@pytest.mark.parametrize("role", ROLES)
async def test_price_of_a_request_is_worked_out_line_by_line(house: Organisations, role: OrganisationRole) -> None:
    """At 1 and 2 USD per million: 1,500 × 1 / 10^6 + 500 × 2 / 10^6 = 0.0025 USD."""
    charge_pico = 25 * USD // 10_000
    house.use(
        number=9,
        price_id=1,
        meters={"input_tokens": 1500, "output_tokens": 500},
        charge_pico=charge_pico,
        cost_pico=charge_pico,
    )
    shown_text = await text(house, PRICED, role)
    for piece in ("1,500", "× $1.00 / 1,000,000", "$0.0015", "$0.001", "$0.0025", "Input tokens", "Output tokens"):
        assert piece in shown_text, piece
    assert "do not add up" not in shown_text


async def test_request_that_was_not_priced_as_its_lines_say_is_told(house: Organisations) -> None:
    house.use(number=9, price_id=1, meters={"input_tokens": 1500}, charge_pico=5)
    assert "do not add up" in await text(house, PRICED)


async def test_interrupted_request_says_that_nobody_knows(house: Organisations) -> None:
    house.use(number=9, source=UsageSource.INTERRUPTED, meters={}, charge_pico=0, cost_pico=0, error="interrupted")
    assert "nobody knows what was used" in await text(house, PRICED)


@pytest.mark.parametrize("reference", [FOREIGN_REQUEST, "req_0000000000000", "nonsense"])
async def test_request_of_others_does_not_exist(house: Organisations, reference: str) -> None:
    with pytest.raises(NotFoundError):
        await text(house, reference)
