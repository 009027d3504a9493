from __future__ import annotations

import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.access.usage_tags import parse_tags


def test_tags_are_returned_in_the_order_of_their_names() -> None:
    assert parse_tags(["team=search", "env=prod"]) == ("env=prod", "team=search") and parse_tags([]) == ()


def test_text_that_is_no_tag_is_refused_in_one_line_with_an_example() -> None:
    with pytest.raises(BadInputError) as refused:
        parse_tags(["team"])
    assert "\n" not in refused.value.message and refused.value.remedy == "write for example team=search"
