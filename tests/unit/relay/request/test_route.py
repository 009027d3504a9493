from dataclasses import replace
from typing import Any

import pytest
from support.playbook import KEY, LAB, MODEL, PRICE, USER, WORLD

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.catalog.models import ModelStatus
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.domain.routing.directory import Changes, Directory
from softix_proxy.relay.core.plan import Caller, Target
from softix_proxy.relay.request.route import UnpricedError, prefix_of, priced, route

ANTHROPIC = replace(LAB, id=2, public_id="prv_two", name="two", type=ProviderType.ANTHROPIC)
OTHER = replace(MODEL, id=2, provider_id=2)

CHAT = ENDPOINTS["chat_completions"]
SEARCHING = RequestSpec("llama", calls={"web_search_calls": 1})


def directory(**world: Any) -> Directory:
    found = Directory()
    found.apply(Changes(1, **{**WORLD, **world}))
    return found


def find(found: Directory, name: str = "llama", endpoint: str = "chat_completions", key: Key = KEY) -> Target:
    return route(found, Caller(USER, key), ENDPOINTS[endpoint], RequestSpec(name), 1000)[1][0]


def refusal(found: Directory, name: str = "llama", endpoint: str = "chat_completions", key: Key = KEY) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        find(found, name, endpoint, key)
    return refused.value


def test_route_by_name_with_or_without_provider_finds_the_model() -> None:
    for name in ("llama", "lab/llama"):
        target = find(directory(), name)
        assert (target.model, target.provider, target.rate.price_id) == (MODEL, LAB, 1)


def test_route_with_several_providers_prefers_the_one_of_the_dialect() -> None:
    both = directory(
        providers=(LAB, ANTHROPIC), models=(MODEL, OTHER), prices=(PRICE, replace(PRICE, id=2, model_id=2))
    )
    assert find(both).provider is LAB
    assert find(both, endpoint="messages").provider is ANTHROPIC
    assert find(both, "lab/llama", "messages").endpoint.name == "chat_completions"
    assert find(both, "two/llama").endpoint.name == "messages"
    assert find(both, "lab/llama", "count_tokens").endpoint.name == "input_tokens"
    error = refusal(both, "lab/llama", "embed_content")
    assert error.code is Code.INVALID_REQUEST and "/v1/chat/completions" in error.message
    assert "/v1/messages" in refusal(both, "two/llama", "embeddings").message


def test_route_to_unknown_or_disabled_model_is_refused_without_quoting_it() -> None:
    error = refusal(directory(), "canary")
    assert error.code is Code.MODEL_NOT_FOUND and "canary" not in error.message
    assert refusal(directory(models=(replace(MODEL, status=ModelStatus.DISABLED),))).code is Code.MODEL_NOT_FOUND


@pytest.mark.parametrize("patterns", [("llama",), ("lab/*",), ("gpt-*", "ll?ma")])
def test_route_with_matching_model_patterns_finds_the_model(patterns: tuple[str, ...]) -> None:
    assert find(directory(), key=replace(KEY, models=patterns)).model is MODEL


@pytest.mark.parametrize("patterns", [("gpt-*",), ("Llama",), ("two/*",)])
def test_route_with_other_model_patterns_is_refused(patterns: tuple[str, ...]) -> None:
    assert refusal(directory(), key=replace(KEY, models=patterns)).code is Code.MODEL_NOT_FOUND


def test_route_to_model_without_price_is_refused_with_the_remedy() -> None:
    error = refusal(directory(prices=(replace(PRICE, starts_at_us=2000),)))
    assert isinstance(error, UnpricedError) and error.model_id == 1
    assert (
        error.code is Code.MODEL_NOT_PRICED
        and "softix prices set lab/llama --input 0.15 --output 0.60" in error.message
    )


def test_route_for_meters_without_price_is_refused_unless_the_model_is_free() -> None:
    """An input price alone pays for embeddings, and for nothing that answers."""
    found = directory(prices=(replace(PRICE, sheet=PriceSheet.parse({"bands": [{"prices": {"input": "0.10"}}]})),))
    assert route(found, Caller(USER, KEY), CHAT, RequestSpec("llama", max_output_tokens=0), 1000)[1][0].model is MODEL
    with pytest.raises(UnpricedError, match="no price for output, web_search yet") as refused:
        route(found, Caller(USER, KEY), CHAT, SEARCHING, 1000)
    assert refused.value.model_id == 1
    free = directory(prices=(replace(PRICE, sheet=PriceSheet.parse({"free": True})),))
    assert route(free, Caller(USER, KEY), CHAT, SEARCHING, 1000)[1][0].rate.sheet.free


def test_route_with_tool_priced_at_one_target_uses_that_target() -> None:
    both = directory(
        providers=(LAB, replace(LAB, id=2, public_id="prv_two", name="two")),
        models=(MODEL, OTHER),
        prices=(PRICE, replace(PRICE, id=2, model_id=2, sheet=PriceSheet.parse({"free": True}))),
    )
    targets = route(both, Caller(USER, KEY), CHAT, SEARCHING, 1000)[1]
    assert [target.provider.name for target in targets] == ["two"]
    assert [leg.model_id for leg in route(both, Caller(USER, KEY), CHAT, SEARCHING, 1000)[0].legs] == [1, 2]


@pytest.mark.parametrize(
    ("prices", "spec", "found"),
    [
        ({"input": "1", "output": "2"}, RequestSpec("llama"), True),
        ({"input": "1"}, RequestSpec("llama"), False),
        ({"output": "2"}, RequestSpec("llama"), False),
        ({"input": "1"}, RequestSpec("llama", max_output_tokens=0), True),
        ({"input": "1", "output": "2"}, SEARCHING, False),
    ],
)
def test_priced_without_price_for_each_used_meter_returns_none(prices: Any, spec: RequestSpec, found: bool) -> None:
    world = directory(prices=(replace(PRICE, sheet=PriceSheet.parse({"bands": [{"prices": prices}]})),))
    rate = priced(world, USER, MODEL, CHAT, spec, 1000)
    assert (rate is not None) is found
    assert priced(directory(prices=()), USER, MODEL, CHAT, spec, 1000) is None


def test_route_for_translated_request_ignores_unpriced_tools() -> None:
    """Only the provider whose dialect it is runs them."""
    assert route(directory(), Caller(USER, KEY), ENDPOINTS["messages"], SEARCHING, 1000)[1][0].model is MODEL


def test_prefix_of_conversation_depends_on_key_and_first_bytes() -> None:
    long = b"x" * 4096
    assert prefix_of(1, long + b"a") == prefix_of(1, long + b"b") != prefix_of(2, long)
    assert prefix_of(1, long[1:]) is None


TIERS = {
    "bands": [
        {"prices": {"input": "1", "output": "2", "image": "0.02"}},
        {"prices": {"input": "2", "output": "4", "image": "0.04"}, "service_tier": "priority"},
    ]
}
TOKENS = {"bands": [{"prices": {"input": "1", "output": "2"}}]}


@pytest.mark.parametrize(
    ("sheet", "spec", "found"),
    [
        (TIERS, RequestSpec("llama", service_tier="priority"), True),
        (TIERS, RequestSpec("llama", service_tier="fast"), False),
        (TIERS, RequestSpec("llama", service_tier="unknown"), False),
        (TIERS, RequestSpec("llama", service_tier="flex"), True),
        (TIERS, RequestSpec("llama", service_tier="batch"), True),
        (TIERS, RequestSpec("llama", service_tier="hd", tier_of=("images",)), False),
        (TOKENS, RequestSpec("llama", service_tier="hd", tier_of=("images",)), True),
        ({"free": True}, RequestSpec("llama", service_tier="unknown"), True),
        (TOKENS, RequestSpec("llama", fees=("requests",)), False),
        (TOKENS, RequestSpec("llama", stated=("audio_output_tokens",)), False),
        ({"free": True}, RequestSpec("llama", stated=("audio_output_tokens",)), True),
    ],
)
def test_priced_without_a_price_for_the_requested_mode_returns_none(sheet: Any, spec: RequestSpec, found: bool) -> None:
    world = directory(prices=(replace(PRICE, sheet=PriceSheet.parse(sheet)),))
    assert (priced(world, USER, MODEL, CHAT, spec, 1000) is not None) is found


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            RequestSpec("llama", service_tier="fast"),
            "has no price for the service tier fast yet. An administrator can set one, for example: "
            "softix prices set lab/llama --tier fast --input 0.15 --output 0.60",
        ),
        (
            RequestSpec("llama", service_tier="fast", calls={"web_search_calls": 1}),
            "has no price for web_search and the service tier fast yet. An administrator can set one, for example: "
            "softix prices set lab/llama --tier fast --input 0.15 --output 0.60 --web-search 10",
        ),
        (RequestSpec("llama", service_tier="unknown"), "This service tier is not known here"),
    ],
)
def test_route_for_a_mode_without_a_price_is_refused_with_the_remedy(spec: RequestSpec, message: str) -> None:
    found = directory(prices=(replace(PRICE, sheet=PriceSheet.parse(TOKENS)),))
    with pytest.raises(UnpricedError) as refused:
        route(found, Caller(USER, KEY), CHAT, spec, 1000)
    assert message in refused.value.message


@pytest.mark.parametrize(
    ("prices", "found"), [({"input": "1", "output": "1"}, False), ({"input": "1", "output": "1", "request": "0"}, True)]
)
def test_priced_model_that_searches_by_itself_needs_the_fee_of_its_searches(prices: Any, found: bool) -> None:
    sheet = PriceSheet.parse({"bands": [{"prices": prices}]})
    model = replace(MODEL, upstream_name="perplexity/sonar-pro")
    world = directory(prices=(replace(PRICE, sheet=sheet),), models=(model,))
    assert (priced(world, USER, model, CHAT, RequestSpec("llama"), 1000) is not None) is found
    assert priced(world, USER, model, CHAT, RequestSpec("llama", max_output_tokens=0), 1000) is not None
