"""The walk of a part of a request: what names something, what only looks like it, and what is too much."""

from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.request.references import FoundRefs, NamingRules
from softix_proxy.domain.access.objects import MOST_REFS
from softix_proxy.domain.core.errors import Code, RefusedError

INNER = NamingRules({"fileid": "cited_file"})
RULES = NamingRules(
    {"fileid": "file", "fileids": "file", "container": "container", "voice": "voice"},
    opaque=frozenset(("schema", "metadata")),
    harmless=frozenset(("callid",)),
    known=frozenset(("known",)),
    objects_only=frozenset(("voice",)),
    free=frozenset(("variables",)),
    unknown={"id": "item"},
    below={"annotations": INNER},
)


def found(part: Any, rules: NamingRules = RULES) -> set[tuple[str, str]]:
    body = part if isinstance(part, bytes) else json.dumps(part).encode()
    refs = FoundRefs(len(body))
    refs.walk(body, rules)
    return {(ref.kind, ref.id) for ref in refs.refs}


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ({"file_id": "f"}, {("file", "f")}),
        ({"fileId": "f", "FILE_ID": "g"}, {("file", "f"), ("file", "g")}),
        ({"file_ids": ["f", "g", None]}, {("file", "f"), ("file", "g")}),
        ({"container": "c"}, {("container", "c")}),
        ({"container": {"id": "c", "file_ids": ["f"]}}, {("container", "c"), ("file", "f")}),
        ({"voice": "alloy"}, set()),
        ({"voice": {"id": "v"}}, {("voice", "v")}),
        ({"annotations": [{"file_id": "f"}]}, {("cited_file", "f")}),
        ([[{"deep": [{"file_id": "f"}]}]], {("file", "f")}),
        ({"file_id": None, "file_ids": [], "container": ""}, set()),
        ({"file_id": False}, set()),
        ({"schema": {"file_id": "f"}, "metadata": {"file_id": "f"}}, set()),
        ({"variables": {"container": "red", "x": {"file_id": "f"}}}, {("file", "f")}),
        (b'{"file_id":"f","file_id":"g"}', {("file", "f"), ("file", "g")}),
        (b'{"f\\u0069le_id":"\\u0066"}', {("file", "f")}),
        ("text with file_id", set()),
    ],
)
def test_walk_finds_each_name_and_nothing_else(part: Any, named: set[tuple[str, str]]) -> None:
    assert found(part) == named


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ({"type": "known", "video_id": "v", "id": "i"}, set()),
        ({"type": "new", "video_id": "v"}, {("unknown", "v")}),
        ({"type": "new", "videoIds": ["v"]}, {("unknown", "v")}),
        ({"type": "new", "inner": {"id": "i"}}, {("item", "i")}),
        ({"type": "new", "call_id": "c", "valid": "x", "grid": "y", "token_ids": [1, 2]}, set()),
        ({"inner": {"type": "new", "deeper": {"video_id": "v"}}}, {("unknown", "v")}),
    ],
)
def test_walk_of_an_unknown_type_takes_each_id_for_a_name(part: Any, named: set[tuple[str, str]]) -> None:
    assert found(part) == named


@pytest.mark.parametrize(
    "part",
    [
        {"file_id": 7},
        {"file_id": True},
        {"file_id": "x" * 4000},
        {"file_ids": [f"f{number}" for number in range(MOST_REFS + 1)]},
        [{} for _ in range(3001)],
        [0] * 100_000 + [{}],
        b"[" * 30 + b'{"a":1}' + b"]" * 30,
        b'{"a":' * 30 + b"{}" + b"}" * 30,
        b'{"type":"x","type":"y"}',
        b'{"type":"x","Type":"y"}',
    ],
)
def test_walk_of_what_cannot_be_searched_is_refused(part: Any) -> None:
    with pytest.raises(RefusedError) as refused:
        found(part)
    assert refused.value.code is Code.INVALID_REQUEST


def test_walk_of_long_lists_of_numbers_and_texts_finds_nothing() -> None:
    assert found({"numbers": [0] * 100_000, "text": ", " * 100_000}) == set()
