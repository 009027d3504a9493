from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.request.end_users import named_user


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"user": "u-1"}, "u-1"),
        ({"user": "u-1", "safety_identifier": "s-1"}, "s-1"),
        ({"metadata": {"user_id": "m-1"}}, "m-1"),
        ({"metadata": {"plan": "gold"}}, ""),
        ({"metadata": None, "user": ""}, ""),
        ({"messages": [{"user": "inside"}]}, ""),
    ],
)
def test_user_is_read_from_the_members_that_name_one(body: Any, word: str) -> None:
    assert named_user(json.dumps(body).encode()) == word


@pytest.mark.parametrize("body", [b"", b"[]", b"--boundary", b'{"user": 7}', b'{"user": "a", "user": "b"}', b"{"])
def test_body_that_names_no_user_in_one_way_names_none(body: bytes) -> None:
    assert named_user(body) == ""
