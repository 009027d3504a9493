from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.web.admin_api.pages import page_of, wish_of


def wish(limit: int, cursor: str | None) -> dict[str, Any]:
    return {"limit": limit} | ({} if cursor is None else {"cursor": cursor})


@given(st.integers(0, 40), st.integers(1, 9), st.data())
def test_pages_have_each_row_once_whatever_is_added_before_them(rows: int, limit: int, data: st.DataObject) -> None:
    listed = [{"id": number} for number in range(rows)]
    first, read, cursor = -1, [], None
    while True:
        page, cursor = page_of(listed, wish_of(wish(limit, cursor)))
        read += page
        assert len(page) <= limit
        if cursor is None:
            break
        for _ in range(data.draw(st.integers(0, 3))):
            listed.insert(0, {"id": first})
            first -= 1
    assert read == [{"id": number} for number in range(rows)]


def test_page_goes_on_at_its_place_if_its_last_row_was_removed() -> None:
    listed = [{"id": number} for number in range(6)]
    _, cursor = page_of(listed, wish_of(wish(3, None)))
    page, _ = page_of([listed[0], listed[1], *listed[3:]], wish_of(wish(3, cursor)))
    assert page == listed[4:]


def test_cursor_of_a_page_asks_for_the_rows_up_to_the_next_one() -> None:
    _, cursor = page_of(list(range(10)), wish_of(wish(4, None)))
    assert wish_of(wish(4, cursor)).rows == 9


@pytest.mark.parametrize("cursor", ["x", "MTA=", "MTAuYS5i", "LTEuYQ==", "MC5h", "MTAwMDEuYQ==", "\u20ac", "YQ"])
def test_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(BadInputError):
        wish_of({"cursor": cursor})
