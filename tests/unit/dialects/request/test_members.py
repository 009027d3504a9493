from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.dialects.request.members import MemberClass, MembersRead, MemberTable, both_spellings, snake_case
from softix_proxy.domain.core.errors import Code, RefusedError

BASE = MemberTable(free="seed", refused={"router": "It routes."}, brings_work="router")
INNER = MemberTable(free="size", brings_input="outside")
TABLE = MemberTable(
    BASE,
    free="user",
    priced="model",
    brings_input="template",
    brings_work="search",
    names_object="thing tag",
    opens="thing",
    fees={"search": "requests"},
    nested={"inner": INNER, "inners": INNER},
)


def body(**members: Any) -> bytes:
    return json.dumps(members).encode()


def read(**members: Any) -> MembersRead:
    return TABLE.read(JsonMembers(body(**members), TABLE.watched))


def test_member_of_a_table_has_the_class_of_its_group_and_of_its_bases() -> None:
    assert TABLE.classes["seed"] is TABLE.classes["user"] is MemberClass.FREE
    assert [TABLE.classes[name] for name in ("model", "template", "search", "thing", "router")] == [
        MemberClass.PRICED,
        MemberClass.BRINGS_INPUT,
        MemberClass.BRINGS_WORK,
        MemberClass.NAMES_OBJECT,
        MemberClass.BRINGS_WORK,
    ]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"model": "m", "user": "u", "seed": 1, "tag": "t"}, MembersRead()),
        ({"wombat": 1, "Wombat": 2, "user": "u"}, MembersRead(2, True)),
        ({"template": "{{x}}"}, MembersRead(0, True)),
        ({"template": ""}, MembersRead()),
        ({"thing": "t"}, MembersRead(0, True)),
        ({"search": {}}, MembersRead(0, False, ("requests",))),
        ({"search": {}, "wombat": None}, MembersRead(1, True, ("requests",))),
        ({"search": False, "router": None}, MembersRead()),
    ],
)
def test_members_read_say_what_they_mean_for_the_hold(members: dict[str, Any], expected: MembersRead) -> None:
    assert read(**members) == expected


def test_member_that_cannot_be_priced_is_refused_with_its_reason() -> None:
    with pytest.raises(RefusedError) as refused:
        read(router={"order": ["dear"]}, wombat=1)
    assert (refused.value.code, refused.value.message) == (Code.ENDPOINT_NOT_METERED, "It routes.")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"model": "m", "user":"\\u00e9", "seed": 1.0}', b'{"model": "m", "user":"\\u00e9", "seed": 1.0}'),
        (b'{"model": "m", "wombat": 1, "user":"\\u00e9"}', b'{"model":"m","user":"\\u00e9"}'),
    ],
)
def test_body_without_unknown_members_keeps_every_other_value_byte_for_byte(before: bytes, after: bytes) -> None:
    assert TABLE.without_unknown(before) == after


def test_unknown_members_within_objects_are_left_out_as_well() -> None:
    table = MemberTable(TABLE, priced="inner inners", nested=TABLE.nested)
    before = b'{"inner":{"size": 1.0,"wombat":2},"inners":[{"size":1},{"wombat":[1]}]}'
    assert table.without_unknown(before) == b'{"inner":{"size":1.0},"inners":[{"size":1},{}]}'
    assert table.without_unknown(b'{"inner":null}') == b'{"inner":null}'


def test_places_of_unknown_members_are_numbers_and_no_names() -> None:
    assert TABLE.places(b'{"wombat":1,"model":"m","quoll":2}') == [1, 3]


def test_both_spellings_of_a_name_are_in_a_table_of_google() -> None:
    assert both_spellings("topK model") == "topK top_k model"
    assert snake_case("maxOutputTokens") == "max_output_tokens"


@pytest.mark.parametrize("name", ENDPOINTS)
def test_endpoint_has_a_table_in_which_each_watched_member_has_a_class(name: str) -> None:
    table = ENDPOINTS[name].members
    assert table.watched <= table.known and table.opens <= table.known and table.fees.keys() <= table.known
