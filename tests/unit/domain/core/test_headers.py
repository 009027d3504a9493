from __future__ import annotations

from softix_proxy.domain.core.headers import values_of


def test_values_of_a_header_are_all_that_have_its_name_in_their_order() -> None:
    headers = [("x-tag", "a"), ("x-tags", "b"), ("x-tag", "c")]
    assert values_of("x-tag", headers) == ["a", "c"] and values_of("x-other", headers) == []
