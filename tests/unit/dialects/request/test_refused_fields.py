import json

import pytest

from softix_proxy.dialects.request.refused_fields import members, named_fields, names_field, without_field


@pytest.mark.parametrize(
    "refusal",
    [
        b'{"error":{"message":"Unknown parameter: \'stream_options\'.","param":"stream_options"}}',
        b'{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs"}]}',
        b'{"object":"error","message":"[{\'loc\': (\'body\', \'stream_options\')}]"}',
        b"stream_options is not supported",
        b"body.stream_options.include_usage: unknown",
    ],
)
def test_refusal_that_names_the_field_is_recognized(refusal: bytes) -> None:
    assert names_field(refusal, "stream_options")


@pytest.mark.parametrize(
    "refusal",
    [
        b"",
        b'{"error":{"message":"bad request"}}',
        b"upstream_options is wrong",
        b"stream_options2",
        b"stream_options" + b" " * 70_000,
    ],
)
def test_refusal_that_does_not_name_the_field_is_not_recognized(refusal: bytes) -> None:
    assert not names_field(refusal, "stream_options")


def test_named_fields_of_a_refusal_are_those_it_contains() -> None:
    assert named_fields(b"seed and user are unknown", ("user", "store", "seed")) == ["user", "seed"]


def test_body_without_a_removed_field_keeps_the_rest_byte_for_byte() -> None:
    body = b'{"a": 1.0, "stream_options":{"x":1},"b":[ 2 ]}'
    assert without_field(body, "stream_options") == b'{"a":1.0,"b":[ 2 ]}'
    assert members(body) == ("a", "stream_options", "b")
    assert members(b"[1]") == () and members(b"\xff") == ()
    assert json.loads(without_field(b'{"stream_options":1}', "stream_options")) == {}
