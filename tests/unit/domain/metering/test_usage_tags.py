from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.metering.usage_tags import (
    MOST_TAGS,
    BadTagError,
    checked,
    checked_name,
    combined,
    split_header,
    values_of,
)

NAMES = st.from_regex("[a-z][a-z0-9_-]{0,31}", fullmatch=True)
VALUES = st.from_regex("[A-Za-z0-9._-]{1,64}", fullmatch=True)
TAGS = st.dictionaries(NAMES, VALUES, max_size=MOST_TAGS)


@given(TAGS)
def test_tags_that_are_stored_are_read_back(tags: dict[str, str]) -> None:
    stored = combined((), [f"{name}={value}" for name, value in tags.items()], frozenset(tags))
    assert values_of(stored) == tags and list(values_of(stored)) == sorted(tags)


@given(st.text())
def test_whatever_is_taken_as_a_tag_has_no_space_and_one_name(text: str) -> None:
    try:
        [tag] = checked([text])
    except BadTagError as error:
        assert not error.message.endswith(".") and "\n" not in error.message
    else:
        assert tag == text and " " not in tag and "," not in tag


@pytest.mark.parametrize(
    "tags",
    [
        ["team"],
        ["=search"],
        ["Team=search"],
        ["team="],
        ["team=a b"],
        ["team=" + "a" * 65],
        ["team=a", "team=b"],
        [f"t{number}=1" for number in range(MOST_TAGS + 1)],
    ],
)
def test_text_that_is_no_tag_is_refused(tags: list[str]) -> None:
    with pytest.raises(BadTagError):
        checked(tags)


@pytest.mark.parametrize("name", ["", "Team", "1team", "team search", "a" * 33])
def test_name_that_no_tag_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="small letters"):
        checked_name(name)


def test_header_is_split_at_commas_and_repeats() -> None:
    assert split_header(["team=search, env=prod", "", "cost=7,"]) == ["team=search", "env=prod", "cost=7"]


def test_request_adds_tags_to_those_of_its_key() -> None:
    assert combined(("team=search",), ["env=prod"], frozenset(("env",))) == "env=prod team=search"
    assert combined(("team=search",), [], frozenset()) == "team=search"
    assert combined(("team=search",), ["team=search"], frozenset(("team",))) == "team=search"


def test_request_cannot_change_a_tag_of_its_key() -> None:
    with pytest.raises(BadTagError, match="set for this API key"):
        combined(("team=search",), ["team=sales"], frozenset(("team",)))


def test_name_that_the_operator_does_not_list_is_refused_and_the_listed_ones_are_named() -> None:
    with pytest.raises(BadTagError, match="these are: env, team"):
        combined((), ["cost=7"], frozenset(("team", "env")))
    with pytest.raises(BadTagError, match="has allowed none"):
        combined((), ["cost=7"], frozenset())
