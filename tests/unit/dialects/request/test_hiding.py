import pytest

from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.dialects.request.hiding import (
    ANY_SIZE,
    CALLS,
    HIDES_ANYTHING,
    MOST_VISIBLE_BYTES,
    REASONING,
    hidden_parts,
)

VISIBLE = {"model": ANY_SIZE, "stop": 8, "tools": ANY_SIZE, "thinking": ANY_SIZE}


def parts(body: bytes) -> frozenset[str]:
    return hidden_parts(body, JsonMembers(body, frozenset()), VISIBLE)


def test_request_of_visible_members_hides_nothing_but_what_it_asks_for() -> None:
    assert parts(b'{"model":"m","stop":"end","tools":[],"thinking":null}') == frozenset()
    assert parts(b'{"model":"m","tools":[{"name":"f"}]}') == {CALLS}
    assert parts(b'{"model":"m","thinking":{"type":"enabled"}}') == {REASONING}
    assert parts(b'{"thinking": { "type" : "disabled" },"thinking":true,"tools":[1]}') == {CALLS, REASONING}


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m","another":1}',
        b'{"model":"m","stop":"much too long"}',
        b'{"model":"m", "stop": "' + b"x" * MOST_VISIBLE_BYTES + b'"}',
    ],
)
def test_request_with_a_member_that_is_not_known_or_too_large_can_hide_anything(body: bytes) -> None:
    assert parts(body) == HIDES_ANYTHING


def test_large_request_can_hide_anything() -> None:
    body = b'{"model":"m"' + b" " * MOST_VISIBLE_BYTES + b"}"
    assert parts(body) == HIDES_ANYTHING
