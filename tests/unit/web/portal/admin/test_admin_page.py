from support.operators_pages import ADMIN, SUPPORT
from support.operators_side import OperatorsSide

from softix_proxy.web.portal.admin.admin_page import SECTIONS


async def test_menu_marks_the_section_of_the_page_and_only_that(side: OperatorsSide) -> None:
    for path, name in (("/admin", "overview"), ("/admin/users", "users"), ("/admin/users/usr_ada", "users")):
        seen = await side.ask(ADMIN, "GET", path)
        assert seen.values is not None
        current = [section.name for section in seen.values["menu"] if seen.values["is_current"](section)]
        assert current == [f"operator_{name}"]


async def test_menu_leads_back_to_one_s_own_pages(side: OperatorsSide) -> None:
    assert '<a href="/">My own pages</a>' in (await side.ask(SUPPORT, "GET", "/admin")).text


def test_sections_are_pages_of_their_own() -> None:
    assert len({section.path for section in SECTIONS}) == len({section.name for section in SECTIONS}) == len(SECTIONS)
