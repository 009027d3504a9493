from __future__ import annotations

from dataclasses import replace

import pytest
from support.playbook import KEY, USER

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.relay.core.plan import Caller
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.request.attribution import end_user, usage_tags

POLICY = Policy(
    least_output_tokens=1,
    interrupted_charge="nothing",
    drain_limit_s=1,
    drain_limit_bytes=1,
    tags=frozenset(("team",)),
)


def test_usage_tags_are_those_of_the_key_and_of_the_header() -> None:
    key = replace(KEY, tags=("env=prod",))
    assert usage_tags(key, (), POLICY) == "env=prod"
    assert usage_tags(key, ["team=search"], POLICY) == "env=prod team=search"


def test_header_with_another_tag_is_refused_and_not_repeated() -> None:
    with pytest.raises(RefusedError) as refused:
        usage_tags(KEY, ["cost=secret-words"], POLICY)
    assert refused.value.code is Code.INVALID_REQUEST
    assert "x-softix-tag" in refused.value.message and "secret-words" not in refused.value.message


class Digests:
    def keyed_digest(self, purpose: str, text: str) -> str:
        assert purpose == "end-user"
        return text


def test_end_user_is_one_person_within_an_organisation_only() -> None:
    ada, other = Caller(USER, KEY), Caller(replace(USER, id=USER.id + 1), KEY)
    same = [end_user(ada, body, Digests()) for body in (b'{"user":"u"}', b'{"metadata":{"user_id":"u"}}')]  # type: ignore[arg-type]
    assert same[0] == same[1] != end_user(other, b'{"user":"u"}', Digests())  # type: ignore[arg-type]
    assert end_user(ada, b"{}", Digests()) == ""  # type: ignore[arg-type]
