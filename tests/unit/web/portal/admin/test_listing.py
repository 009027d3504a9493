from types import SimpleNamespace
from typing import Any

from softix_proxy.web.portal.admin.listing import PER_PAGE, listing, listing_in, listing_of, searched


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


async def test_listing_is_read_by_the_place_and_with_one_row_more() -> None:
    async def read(*, before: str | None, limit: int) -> list[str]:
        return [str(before)] * limit

    page = await listing_of(request(before="7"), read, str, {"q": "x"})
    assert page.rows == ["7"] * PER_PAGE and page.next_path == "/admin/users?q=x&before=7"


def test_listing_in_a_list_at_hand_goes_on_after_the_place_among_what_is_searched_for() -> None:
    every = [*(f"Lab/{n}" for n in range(PER_PAGE + 1)), "other"]
    first = listing_in(request(q="lab"), every, str, str)
    assert len(first.rows) == PER_PAGE and first.next_path == f"/admin/users?q=lab&before=Lab%2F{PER_PAGE - 1}"
    last = listing_in(request(q="lab", before=f"Lab/{PER_PAGE - 1}"), every, str, str)
    assert (last.rows, last.next_path, last.first_path) == ([f"Lab/{PER_PAGE}"], "", "/admin/users?q=lab")
    assert listing_in(request(before="gone"), every, str, str).rows == every[:PER_PAGE]


def test_search_keeps_of_a_whole_key_its_visible_prefix() -> None:
    assert searched(request(q=" sx_live_abcdWXYZ1234 ")) == "sx_live_abcd"
    assert searched(request(q="x" * 999)) == "x" * 100 and searched(request()) == ""
