from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.playbook import KEY, LAB, MODEL, PRICE, USER, WORLD

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.routing.directory import Changes, Directory
from softix_proxy.relay.core.plan import Caller, Target
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.request.route import route
from softix_proxy.relay.request.unknown_members import forwarded, permitted

CHAT, EDITS = ENDPOINTS["chat_completions"], ENDPOINTS["image_edits"]
BODY = b'{"model":"llama","wombat":1,"messages":[],"quoll":2}'
TWO = replace(LAB, id=2, public_id="prv_two", name="two")


def policy(rule: Any) -> Policy:
    return Policy(16, "nothing", 5.0, 1_000_000, unknown_members=rule)


def targets(*rules: Any) -> list[Target]:
    """Targets of one model, at providers with these rules."""
    found = Directory()
    made = [replace(lab, unknown_members=rule) for lab, rule in zip((LAB, TWO), rules, strict=False)]
    models = [replace(MODEL, id=lab.id, provider_id=lab.id) for lab in made]
    prices = [replace(PRICE, id=lab.id, model_id=lab.id) for lab in made]
    found.apply(Changes(1, **{**WORLD, "providers": tuple(made), "models": tuple(models), "prices": tuple(prices)}))
    return route(found, Caller(USER, KEY), CHAT, RequestSpec("llama"), 1000)[1]


def caller(rule: Any = None) -> Caller:
    return Caller(USER, replace(KEY, unknown_members=rule))


def test_request_goes_only_to_targets_whose_provider_may_get_unknown_members() -> None:
    kept = permitted(targets("refuse", "pass"), CHAT, BODY, caller(), policy("refuse"))
    assert [target.provider.name for target in kept] == ["two"]
    assert len(permitted(targets("refuse", "refuse"), CHAT, BODY, caller("pass"), policy("pass"))) == 2


def test_refusal_says_where_the_members_stand_and_not_what_they_are() -> None:
    with pytest.raises(RefusedError) as refused:
        permitted(targets("refuse"), CHAT, BODY, caller(), policy("pass"))
    assert refused.value.code is Code.INVALID_REQUEST
    assert "counted from 1: 2, 4." in refused.value.message
    assert f"softix keys update {KEY.public_id} --unknown-members pass" in refused.value.message
    assert "wombat" not in refused.value.message


def test_members_are_left_out_only_where_the_rule_says_so() -> None:
    for rule, expected in (("pass", BODY), ("strip", b'{"model":"llama","messages":[]}')):
        [target] = targets(rule)
        assert forwarded(CHAT, BODY, target, caller(), policy("pass")) == expected
    [target] = targets("strip")
    assert forwarded(CHAT, BODY, target, caller("pass"), policy("strip")) == BODY
    assert forwarded(ENDPOINTS["messages"], BODY, target, caller(), policy("strip")) == BODY, "it is translated"


@pytest.mark.parametrize(("rule", "passes"), [("pass", True), ("strip", False), ("refuse", False)])
def test_form_whose_unknown_parts_cannot_be_left_out_is_refused(rule: str, passes: bool) -> None:
    if passes:
        assert permitted(targets(rule), EDITS, b"--x", caller(), policy("pass"))
        return
    with pytest.raises(RefusedError):
        permitted(targets(rule), EDITS, b"--x", caller(), policy("pass"))
