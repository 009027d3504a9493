import pytest
from support.organisations import Organisations

from softix_proxy.web.portal.product.query import number_in, page_in


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("", None), (None, None), ("-1", None), ("٣", None), ("x", None)]
)
def test_number_of_a_query_is_read_strictly(text: str | None, number: int | None) -> None:
    assert number_in(text) == number


@pytest.mark.parametrize(("text", "page"), [("3", 3), ("0", 1), ("999999999999", 10_000), ("a", 1)])
async def test_page_is_from_one_on_and_bounded(house: Organisations, text: str, page: int) -> None:
    assert page_in(await house.request("GET", "/", query={"page": text})) == page
