from types import SimpleNamespace
from typing import Any

from softix_proxy.web.portal.admin.listing import PER_PAGE, listing, searched


def request(**query: str) -> Any:
    return SimpleNamespace(path="/admin/users", query=query)


def test_listing_with_one_row_more_has_a_next_page_by_its_last_row() -> None:
    page = listing(request(), [str(n) for n in range(PER_PAGE + 1)], str, {"q": "a b&c", "user": ""})
    assert len(page.rows) == PER_PAGE and page.first_path == ""
    assert page.next_path == f"/admin/users?q=a+b%26c&before={PER_PAGE - 1}"


def test_listing_of_a_last_page_leads_back_to_the_first() -> None:
    page = listing(request(before="9"), ["8"], str)
    assert (page.next_path, page.first_path) == ("", "/admin/users")
    assert listing(request(), [], str).next_path == ""


def test_search_keeps_of_a_whole_key_its_visible_prefix() -> None:
    assert searched(request(q=" sx_live_abcdWXYZ1234 ")) == "sx_live_abcd"
    assert searched(request(q="x" * 999)) == "x" * 100 and searched(request()) == ""
