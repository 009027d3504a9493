from __future__ import annotations

import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.toml_text import parse_toml


def test_toml_is_parsed() -> None:
    assert parse_toml("[a]\nb = 1\n", "x.toml", "") == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = 1\nb = secret\n", "x.toml is not valid TOML at line 2, column 5"),
        ("a = [", "x.toml is not valid TOML at end of document"),
        ("a = " + "[" * 5_000, "x.toml is not valid TOML"),
    ],
)
def test_place_is_told_and_nothing_of_what_stands_there(text: str, told: str) -> None:
    with pytest.raises(BadInputError) as refused:
        parse_toml(text, "x.toml", "mend it")
    assert refused.value.message.startswith(told) and "secret" not in refused.value.message
    assert refused.value.remedy == "mend it"
