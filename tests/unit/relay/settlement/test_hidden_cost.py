"""Whether a client that leaves can have hidden a cost, over every type of provider."""

from dataclasses import replace

import pytest
from support.playbook import LAB, MODEL

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.domain.catalog.profiles import PROFILES
from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.settlement.hidden_cost import can_hide, reads_on

POLICY = Policy(16, "nothing", 5.0, 1)
TEXT = RequestSpec("m", stream=True, hides=frozenset())
CALLING = replace(TEXT, hides=frozenset(("calls",)))
REASONS = replace(TEXT, hides=frozenset(("reasoning",)))
SHOWN_CALLS = (ProviderType.OPENAI, ProviderType.AZURE, ProviderType.DEEPSEEK, ProviderType.DEMO)
CANCELLED = [kind for kind, profile in PROFILES.items() if profile.on_hang_up == "cancel"]


def hidden(spec: RequestSpec, kind: ProviderType, model: str = "llama-3-8b", policy: Policy = POLICY) -> bool:
    provider = replace(LAB, type=kind, on_hang_up=PROFILES[kind].on_hang_up)
    found = can_hide(spec, provider, replace(MODEL, upstream_name=model), policy)
    stays = policy.hidden_on_hang_up == "bound" and provider.on_hang_up == "cancel"
    assert reads_on(spec, provider, replace(MODEL, upstream_name=model), policy) is (found and not stays)
    return found


@pytest.mark.parametrize("kind", [kind for kind in PROFILES if kind not in CANCELLED])
def test_provider_that_works_on_hides_what_it_does_then(kind: ProviderType) -> None:
    assert hidden(TEXT, kind) and hidden(TEXT, kind, policy=replace(POLICY, hidden_on_hang_up="bound"))


@pytest.mark.parametrize("kind", CANCELLED)
def test_provider_that_stops_hides_nothing_of_text_by_a_known_model(kind: ProviderType) -> None:
    assert not hidden(TEXT, kind)


@pytest.mark.parametrize("kind", CANCELLED)
def test_request_of_which_nothing_is_known_hides_its_cost_everywhere(kind: ProviderType) -> None:
    assert hidden(RequestSpec("m", stream=True), kind)
    assert hidden(RequestSpec("m", stream=True), kind, policy=replace(POLICY, hidden_on_hang_up="bound"))


@pytest.mark.parametrize("kind", CANCELLED)
def test_calls_hide_where_they_are_sent_once_they_are_complete(kind: ProviderType) -> None:
    assert hidden(CALLING, kind) is (kind not in SHOWN_CALLS)


@pytest.mark.parametrize("kind", CANCELLED)
def test_unknown_model_may_reason_where_reasoning_is_not_shown(kind: ProviderType) -> None:
    shown = "reasoning" in PROFILES[kind].shows
    assert hidden(TEXT, kind, "who-knows") is not shown and hidden(REASONS, kind) is not shown
    known = replace(POLICY, models_without_reasoning=("who-*",))
    assert not hidden(TEXT, kind, "who-knows", known)
