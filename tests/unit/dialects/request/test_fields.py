from __future__ import annotations

import json
import string
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.fields import JsonMembers, fits, is_dense, is_heavy, read_request
from softix_proxy.domain.core.errors import Code, RefusedError

WATCHED = frozenset(("model", "models", "stream", "n"))
CANARY = "wombat"


NAMING = {
    name: endpoint
    for name, endpoint in ENDPOINTS.items()
    if "{model}" not in endpoint.path and endpoint.form_fields is None and name not in ("moderations", "speech")
}
"""Those whose body has to name the model, and may ask for a stream."""


def refusal(body: bytes, endpoint: Endpoint = ENDPOINTS["chat_completions"]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        endpoint.read(body)
    error = caught.value
    assert CANARY not in repr(error) and CANARY not in str(error)
    assert error.__suppress_context__ or error.__context__ is None
    return error


@pytest.mark.parametrize("endpoint", NAMING.values(), ids=list(NAMING))
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"wombat",
        b"[]",
        b'"wombat"',
        b"null",
        b'{"model":"wombat"',
        b'{"model":"m",}',
        b'{"model":"m"} wombat',
        b'{"model":"m","x":NaN}',
        b'{"model":"m","x":Infinity}',
        b'{"model":"m","x":01}',
        b"{'model':'wombat'}",
        b'{"model":"m","x":"wombat\xff"}',
        b'{"model":"m","x":"\xed\xa0\x80"}',
        b'\xff\xfe{\x00"\x00',
        b'\xef\xbb\xbf{"model":"m"}',
        b'{"model":"m","x":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"model":"m","x":"\x01"}',
        b'{"model":"\\ud800"}',
        b'{"model":"m","\\ud800":1}',
        b'{"model":null}',
        b'{"model":""}',
        b'{"model":["wombat"]}',
        b'{"model":1e999}',
        b'{"messages":[]}',
        b'{"model":"m","stream":"wombat"}',
        b'{"model":"m","stream":1}',
        b'{"model":"m","model":"m"}',
        b'{"model":"m","\\u006dodel":"wombat"}',
        b'{"Model":"wombat","model":"m"}',
        b'{"model":"m","STREAM":true}',
        '{"model":"m","ſtream":true}'.encode(),
        b'{"model":"m","stream":false,"stream":true}',
        b'{"model":"m","models":["wombat"]}',
        b'{"model":"m","fallbacks":["wombat"]}',
    ],
)
def test_request_body_that_is_not_clean_json_is_refused(endpoint: Endpoint, body: bytes) -> None:
    assert refusal(body, endpoint).code is Code.INVALID_REQUEST


@pytest.mark.parametrize("value", [b"1.0", b"1e2", b"1e999", b"true", b'"5"', b"-1", b"[5]", b"{}", b"9" * 30, b"0.5"])
@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("chat_completions", "max_tokens"),
        ("chat_completions", "max_completion_tokens"),
        ("chat_completions", "n"),
        ("completions", "max_tokens"),
        ("completions", "best_of"),
        ("responses", "max_output_tokens"),
        ("responses", "max_tool_calls"),
        ("messages", "max_tokens"),
    ],
)
def test_count_field_with_a_value_that_is_not_whole_is_refused_with_its_name(
    endpoint: str, name: str, value: bytes
) -> None:
    error = refusal(b'{"model":"m","%s":%s}' % (name.encode(), value), ENDPOINTS[endpoint])
    assert error.code is Code.INVALID_REQUEST and name in error.message


@pytest.mark.parametrize(
    ("endpoint", "names"),
    [
        (
            "chat_completions",
            ["max_tokens", "max_completion_tokens", "n", "service_tier", "stream_options", "tools", "messages"],
        ),
        ("completions", ["max_tokens", "n", "best_of", "prompt", "stream_options", "service_tier"]),
        ("responses", ["max_output_tokens", "max_tool_calls", "tools", "background", "service_tier", "input"]),
        ("messages", ["max_tokens", "tools", "speed", "service_tier", "messages", "inference_geo"]),
        ("embeddings", ["input", "service_tier"]),
    ],
)
def test_watched_field_given_twice_is_refused(endpoint: str, names: list[str]) -> None:
    for name in names:
        twice = b'{"model":"m","%s":null,"%s":null}' % (name.encode(), name.encode())
        assert refusal(twice, ENDPOINTS[endpoint]).message == f"The request body has `{name}` twice."
        once = b'{"model":"m","%s":null,"metadata":"a","metadata":"b"}' % name.encode()
        assert ENDPOINTS[endpoint].read(once).model == "m"


def test_json_members_with_empty_values_count_them_as_absent() -> None:
    fields = JsonMembers(b'{"model":null,"models":[],"stream":false,"n":"x"}', WATCHED)
    assert [name for name in sorted(WATCHED) if fields.has(name)] == ["n"]
    assert not fields.has_any(frozenset(("model", "models", "other")))
    assert fields.has_any(frozenset(("models", "n")))
    assert fields.text("model") is None and fields.flag("stream") is False and fields.raw("other") is None


def test_json_members_with_several_count_names_return_the_largest() -> None:
    fields = JsonMembers(b'{"n":3,"model":7,"stream":null}', WATCHED)
    assert fields.largest(("n", "model", "stream", "models")) == 7
    assert fields.largest(("stream", "models")) is None


def test_request_body_with_too_many_members_is_refused() -> None:
    members = [str(number) for number in range(999)]
    assert read_request(json.dumps({"model": "m"} | dict.fromkeys(members)).encode(), WATCHED)[0] == "m"
    error = refusal(json.dumps({"model": "m"} | dict.fromkeys([*members, CANARY])).encode())
    assert error.code is Code.INVALID_REQUEST and "1000" in error.message


def test_request_body_with_non_ascii_text_is_read_and_when_cut_is_refused() -> None:
    body = b'{"model":"m","x":"' + "ä€😀".encode() * 50_000 + b'"}'
    assert read_request(body, WATCHED)[0] == "m"
    assert refusal(body[:-3] + b'"}').code is Code.INVALID_REQUEST


def test_fits_with_a_value_of_another_type_returns_false() -> None:
    decoder = msgspec.json.Decoder(list[str])
    fields = JsonMembers(b'{"n":["a"],"model":[1],"stream":null}', WATCHED)
    assert fits(fields.raw("n"), decoder) and fits(fields.raw("models"), decoder)
    assert not fits(fields.raw("model"), decoder) and not fits(fields.raw("stream"), decoder)


def test_json_members_after_a_replacement_keep_other_values_byte_for_byte() -> None:
    body = b'{ "model" : "m" ,\n"x": [1.50, 1e3 , "\\u00e9\\/"],"y":{"model":"inner"},"user":"a","user":"b"}'
    replaced = JsonMembers(body, frozenset()).replaced({"model": b'"new"', "added": b"7"})
    assert replaced == (
        b'{"model":"new","x":[1.50, 1e3 , "\\u00e9\\/"],"y":{"model":"inner"},"user":"a","user":"b","added":7}'
    )
    assert JsonMembers(b"{}", frozenset()).replaced({"a": b"1"}) == b'{"a":1}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["model", "max_tokens", 'q"uote', "é", "x"]) | st.text(max_size=4), JSON),
    st.dictionaries(st.sampled_from(["model", "max_tokens", "stream_options"]), st.text(string.printable)),
    st.booleans(),
)
def test_json_members_after_a_replacement_equal_an_updated_dictionary(
    members: dict[str, Any], changes: dict[str, str], escape: bool
) -> None:
    try:
        body = json.dumps(members, ensure_ascii=escape, indent=1).encode()
    except UnicodeEncodeError:
        return
    got = JsonMembers(body, frozenset()).replaced({name: json.dumps(value).encode() for name, value in changes.items()})
    assert json.loads(got) == members | changes


@pytest.mark.parametrize(
    ("body", "heavy"),
    [
        (b"[]", False),
        (b'"' + b"a" * 4_000_000 + b'"', False),
        (b'"' + b"a" * 5_000_000 + b'"', True),
        (b"[" + b"{}," * 40_000 + b"1]", False),
        (b"[" + b"{}," * 60_000 + b"1]", True),
        (bytearray(b"[" + b"[]," * 60_000 + b"1]"), True),
    ],
)
def test_body_above_the_size_limits_is_heavy(body: bytes, heavy: bool) -> None:
    assert is_heavy(body) is heavy
    assert is_heavy(msgspec.Raw(bytes(body))) is heavy


def test_json_members_with_a_renaming_are_renamed_or_left_out() -> None:
    names = {"old": "new", "gone": ""}
    assert JsonMembers(b'{"a": 1.0,"old":2,"gone":{}}', frozenset()).renamed(names) == b'{"a":1.0,"new":2}'
    assert JsonMembers(b'{"old":2,"new":3}', frozenset()).renamed(names) == b'{"new":3}'
    assert JsonMembers(b"{}", frozenset()).renamed(names) == b"{}"
    assert JsonMembers(b'{"gone":1}', frozenset()).renamed(names) == b"{}"


@pytest.mark.parametrize(
    ("body", "dense"),
    [
        (b"[]", False),
        (b"[" + b"[]," * 99_998 + b"1]", False),
        (b"[" + b"[]," * 100_001 + b"1]", True),
        (b'"' + b"{" * 100_001 + b'"', True),
        (b"[" + b"0," * 499_999 + b"1]", False),
        (b"[" + b"0," * 500_001 + b"1]", True),
        (b'"' + b"a" * 20_000_000 + b'"', False),
    ],
)
def test_body_with_more_parts_than_are_made_objects_of_is_dense(body: bytes, dense: bool) -> None:
    assert is_dense(body) is dense


def test_elements_of_a_member_are_found_whatever_its_size() -> None:
    watched = frozenset(("input",))
    many = [{"a": "x" * 1000}] * 1500
    for value, most in (([], 5), ([1, "b"], 5), (many, 1500), ([{"a": ["y" * 2_000_000]}, 1], 5)):
        fields = JsonMembers(json.dumps({"input": value}).encode(), watched)
        found = fields.elements("input", most)
        assert found is not None and [json.loads(bytes(each)) for each in found] == value
        assert fields.elements("input", len(value) - 1) is None or not value
    assert JsonMembers(b'{"input":{}}', watched).elements("input") is None
    assert JsonMembers(b"{}", watched).elements("input") == []


def test_objects_of_a_large_list_are_read_as_those_of_a_small_one() -> None:
    watched = frozenset(("input",))
    value = [{"n": 1, "x": "y" * 2_000_000}, {"n": 2}]
    fields = JsonMembers(json.dumps({"input": value}).encode(), watched)
    assert fields.known_of("input", 0) is not None and fields.known_of("input", 1) is None
    found = fields.objects("input", frozenset(("n",)), "An item", 5)
    assert found is not None and [each.count("n") for each in found] == [1, 2]
    assert fields.objects("input", frozenset(("n",)), "An item", 1) is None
    twice = JsonMembers(b'{"input":[{"n":1,"n":2,"x":"%b"}]}' % (b"y" * 2_000_000), watched)
    with pytest.raises(RefusedError, match="An item has `n` twice"):
        twice.objects("input", frozenset(("n",)), "An item", 5)


def test_json_members_having_content_are_named_in_the_order_of_the_alphabet() -> None:
    fields = JsonMembers(b'{"stream":true,"n":3,"models":[],"model":null,"other":1}', WATCHED)
    assert fields.having(WATCHED) == ("n", "stream")
    assert fields.having(frozenset(("models", "model"))) == fields.having(frozenset(("other",))) == ()
