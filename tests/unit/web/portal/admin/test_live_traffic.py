from support.one_of_each import USD
from support.operators_pages import AUDITOR, SUPPORT
from support.operators_side import OperatorsSide


async def test_traffic_page_shows_open_holds_and_the_last_requests(side: OperatorsSide) -> None:
    seen = await side.ask(SUPPORT, "GET", "/admin/traffic")
    assert seen.values is not None
    assert [one.request_id for one in seen.values["running"]] == [5, 4] and seen.values["held_pico"] == 2 * USD
    assert "2 requests run" in seen.text and "lab/llama" in seen.text and "/v1/messages" in seen.text
    assert "http-equiv" not in seen.text, "a page that loads itself anew throws readers out of it"


async def test_traffic_page_of_an_idle_instance_says_so(empty_side: OperatorsSide) -> None:
    assert "No request runs now." in (await empty_side.ask(AUDITOR, "GET", "/admin/traffic")).text
