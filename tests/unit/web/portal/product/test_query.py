from typing import Any

import pytest
from support.two_organisations import Organisations

from softix_proxy.web.portal.product.query import keys_in, number_in, page_in


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("", None), (None, None), ("-1", None), ("٣", None), ("x", None)]
)
def test_number_of_a_query_is_read_strictly(text: str | None, number: int | None) -> None:
    assert number_in(text) == number


@pytest.mark.parametrize(("text", "page"), [("3", 3), ("0", 1), ("999999999999", 10_000), ("a", 1)])
async def test_page_is_from_one_on_and_bounded(house: Organisations, text: str, page: int) -> None:
    assert page_in(await house.request("GET", "/", query={"page": text})) == page


@pytest.mark.parametrize(
    ("count", "page", "numbers", "has_more"),
    [
        (0, "1", [], False),
        (50, "1", range(50), False),
        (51, "1", range(50), True),
        (51, "2", [50], False),
        (51, "3", [], False),
    ],
)
async def test_keys_of_a_page_are_fifty_and_tell_whether_others_follow(
    house: Organisations, count: int, page: str, numbers: Any, has_more: bool
) -> None:
    views: Any = list(range(count))
    found = keys_in(await house.request("GET", "/keys", query={"page": page}), views)
    assert found == {"views": list(numbers), "page": int(page), "has_more": has_more}
