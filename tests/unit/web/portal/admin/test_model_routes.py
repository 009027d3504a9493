from support.operators_pages import ADMIN, BILLING
from support.operators_side import OperatorsSide

from softix_proxy.domain.routing.routes import RouteStatus


async def test_routes_page_shows_targets_and_a_route_is_enabled_by_its_button(side: OperatorsSide) -> None:
    text = (await side.ask(BILLING, "GET", "/admin/routes")).text
    assert "fast" in text and "lab/llama" in text and "tried 2 more times" in text
    assert (await side.ask(ADMIN, "POST", "/admin/routes/rte_one/status", {"status": "active"})).status == 303
    [route] = await side.storage.reading().routes.list()
    assert route.status is RouteStatus.ACTIVE
    assert (await side.ask(ADMIN, "POST", "/admin/routes/rte_one/status", {"status": "removed"})).status == 400
