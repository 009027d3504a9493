from support.two_organisations import CHARGE_PICO, OWN_REQUEST, Organisations

from softix_proxy.domain.metering.usage import UsageFilter
from softix_proxy.web.portal.product.request_lines import request_lines


async def test_line_has_the_tokens_of_both_directions_and_the_label_of_its_key(house: Organisations) -> None:
    rows = await house.storage.reading().usage.newest(UsageFilter(user_id=1), 1)
    [line] = request_lines(rows, {"key_ada": "ci"})
    assert (line.request_id, line.key, line.tokens_in, line.tokens_out, line.charge_pico) == (
        OWN_REQUEST,
        "ci",
        3,
        4,
        CHARGE_PICO,
    )
    [unnamed] = request_lines(rows, {"key_ada": ""})
    assert unnamed.key == "sx_live_aaaa…"
