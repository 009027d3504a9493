"""With fewer calls of hosted tools, the bound is that of a request for which the client set this limit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.books import NOW_US, make_intent

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.tools import DEFAULT_CALLS
from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.metering.admission import Admitted, Denied, KeyState, WalletState, decide
from softix_proxy.domain.metering.bounds import Bound, Widening
from softix_proxy.domain.pricing.rates import PriceSheet, Rate
from softix_proxy.relay.request.bound import bound, together

MODEL = Model(1, "m", 1, "m", 100_000, 4_000, ModelStatus.ACTIVE, 1)
PRICES = {"input": "3", "output": "15", "web_search": "10", "tool_call": "2.5"}
STEP = {"above_input_tokens": 300_000, "prices": {**PRICES, "input": "7"}}
RATE = Rate(1, PriceSheet.parse({"bands": [{"prices": PRICES}, STEP]}))
uses = st.none() | st.integers(0, 20)
lengths = st.none() | st.integers(1, 5_000)


def present(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"model": st.just("m")}, optional=members)


@st.composite
def turns(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    kinds = draw(st.lists(st.sampled_from(("web_search_20250305", "web_fetch_20250910", "mcp_toolset", "custom"))))
    tools = [{"type": kind, "name": kind, "max_uses": draw(uses)} for kind in kinds]
    more = draw(
        present(
            max_tokens=lengths,
            mcp_servers=st.just([{"type": "url", "url": "https://a.example", "name": "a"}]),
            context_management=st.just({"edits": [{"type": "compact_20260112"}]}),
        )
    )
    return "messages", {**more, "messages": [{"role": "user", "content": "x"}], "tools": tools}


@st.composite
def inputs(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    kinds = st.lists(
        st.sampled_from(("web_search", "web_search_preview", "file_search", "mcp", "function")), max_size=4
    ).map(lambda kinds: [{"type": kind, "name": kind} for kind in kinds])
    added = kinds.map(lambda tools: [{"type": "additional_tools", "tools": tools}])
    more = draw(
        present(
            max_output_tokens=lengths,
            prompt=st.just({"id": "pmpt_1"}),
            context_management=st.just([{"type": "compaction"}]),
        )
    )
    return "responses", {**more, "input": draw(st.just("x") | added), "tools": draw(kinds)}


asked = turns() | inputs()


def read(request: tuple[str, dict[str, Any]]) -> tuple[RequestSpec, bytes]:
    body = json.dumps(request[1]).encode()
    return ENDPOINTS[request[0]].read(body), body


def bounded(spec: RequestSpec, body: bytes) -> Bound:
    return bound(spec, len(body), MODEL, RATE, metered=True, least_tokens=16)


@given(asked, st.integers(1, DEFAULT_CALLS))
def test_bound_with_fewer_calls_covers_the_request_that_is_sent_then(
    request_: tuple[str, dict[str, Any]], calls: int
) -> None:
    spec, body = read(request_)
    if spec.call_limit is None:
        return
    fewer = spec.with_calls(calls)
    sent = ENDPOINTS[request_[0]].read(ENDPOINTS[request_[0]].limit_calls(body, calls))
    assert sent.call_limit is None and sent.rounds == fewer.rounds and sent.calls.keys() == fewer.calls.keys()
    assert all(sent.calls[meter] <= fewer.calls[meter] for meter in sent.calls)
    assert all(sent.calls[meter] == fewer.calls[meter] for meter in sent.calls) or request_[0] == "responses"
    of = bounded(spec, body).limited(calls)
    assert of.fixed_pico >= bounded(replace(sent, members=spec.members), body).fixed_pico
    if calls == spec.call_limit:
        assert replace(of, call_limit=calls) == bounded(spec, body)


@given(asked, st.integers(0, 10**14), st.booleans(), st.integers(1, 3), st.booleans())
def test_admission_writes_the_most_calls_that_the_balance_affords(
    request_: tuple[str, dict[str, Any]], posted_pico: int, elsewhere: bool, times: int, postpaid: bool
) -> None:
    spec, body = read(request_)
    here, wallet = bounded(spec, body), WalletState(posted_pico, 0, 0)
    translated = bounded(spec.translated("chat_completions"), body)
    whole = together([here, translated] if elsewhere else [here], times)
    intent = make_intent(1, 1, bound=whole, limits=KeyLimits(), postpaid=postpaid)
    decision = decide(intent, wallet, KeyState(), NOW_US, Calendar("UTC").at(NOW_US))
    affordable = [calls for calls in range(1, DEFAULT_CALLS) if whole.limited(calls).within(posted_pico) is not None]
    if isinstance(decision, Denied):
        assert whole.within(posted_pico) is None and (whole.call_limit is None or not affordable)
        cheapest = whole.limited(1)
        assert posted_pico < decision.needed_pico <= cheapest.hold_pico(cheapest.output_tokens)
        return
    assert isinstance(decision, Admitted)
    assert postpaid or wallet.available_pico >= 0
    if decision.call_limit is not None:
        assert spec.call_limit is not None and not postpaid
        assert decision.call_limit == max(affordable) and affordable == [*range(1, decision.call_limit + 1)]
        assert replace(whole, call_limit=None, with_calls=None).within(posted_pico) is None
    of = whole.limited(decision.call_limit)
    limit = of.output_tokens if decision.output_limit is None else decision.output_limit
    assert decision.hold_pico == of.hold_pico(limit)


def test_limit_of_the_client_leaves_nothing_to_lower() -> None:
    for endpoint, body in (
        ("messages", {"messages": [], "tools": [{"type": "web_search_20250305", "name": "w", "max_uses": 10}]}),
        ("responses", {"input": "x", "tools": [{"type": "web_search"}], "max_tool_calls": 10}),
    ):
        spec, raw = read((endpoint, {"model": "m", **body}))
        made = bounded(spec, raw)
        assert spec.call_limit is None and made.with_calls is None and made.limited(1) is made
        assert spec.with_calls(1) is spec


@pytest.mark.parametrize(("calls", "rounds"), [(1, 6), (2, 7), (10, 10)])
def test_tool_with_a_limit_of_the_client_keeps_it_beside_one_without(calls: int, rounds: int) -> None:
    tools = [
        {"type": "web_search_20250305", "name": "a", "max_uses": 4},
        {"type": "web_search_20250305", "name": "b"},
    ]
    spec, _ = read(("messages", {"model": "m", "max_tokens": 5, "messages": [], "tools": tools}))
    assert spec.with_calls(calls).calls == {"web_search_calls": 4 + calls}
    assert spec.with_calls(calls).rounds == rounds


SEARCH, _ = read(("messages", {"model": "m", "max_tokens": 5, "messages": [], "tools": [
    {"type": "web_search_20250305", "name": "s"}]}))  # fmt: skip
"""As many searches as it likes, which softix limits to ten."""


@pytest.mark.parametrize(
    ("adds_input", "fixed_pico"), [(True, 4 * 100_000 * 7_000_000), (False, 4 * (1000 + 1024) * 3_000_000)]
)
def test_bound_with_fewer_calls_is_widened_and_read_as_that_with_all(adds_input: bool, fixed_pico: int) -> None:
    """Three searches at a cent each, and four rounds, of which each reads the body or all of the context.

    Above 300,000 tokens, a million costs $7.
    """
    wider = Widening(70, 1000, 700)
    spec = replace(SEARCH, open_input=False)
    whole = bound(spec, 1000, MODEL, RATE, metered=True, least_tokens=16, widening=wider, adds_input=adds_input)
    fewer = whole.limited(3)
    assert fewer.fixed_pico == 3 * 10**10 + fixed_pico + 19
    assert (whole.call_limit, fewer.call_limit, fewer.with_calls) == (10, None, None)
    assert (whole.widening, fewer.widening) == (wider, wider)


def test_bounds_together_have_the_highest_limit_on_calls_and_lower_it_for_all_targets() -> None:
    """A target without tools, and two with ten and with five calls at 100 and 300 each."""
    plain = Bound(fixed_pico=50)
    ten = Bound(fixed_pico=1000, call_limit=10, with_calls=lambda calls: Bound(fixed_pico=100 * calls))
    five = Bound(fixed_pico=1500, call_limit=5, with_calls=lambda calls: Bound(fixed_pico=300 * calls))
    for bounds in ((plain, ten, five), (five, ten, plain)):
        found = together(bounds, 2)
        assert (found.call_limit, found.hold_pico(0)) == (10, 2 * 1500)
        assert [each.call_limit for each in found.targets] == [None] * 3
        fewer = found.limited(3)
        assert (fewer.call_limit, fewer.hold_pico(0)) == (None, 2 * 900)
    assert together([plain, plain], 2).call_limit is None
    assert together([ten], 3).limited(2) == Bound(fixed_pico=200, times=3)
