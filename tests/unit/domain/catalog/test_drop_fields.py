from __future__ import annotations

import pkgutil
from importlib import import_module

import pytest

from softix_proxy import dialects
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.dialects.request.refused_fields import USAGE_OPTION
from softix_proxy.dialects.request.tags import WATCHED as TAGGED
from softix_proxy.domain.catalog.drop_fields import changed, checked_field
from softix_proxy.domain.core.errors import BadInputError

LABELS = TAGGED | {"store", "diagnostics", "user_profile_id"}
"""The members that are watched although they decide neither what a request is nor what it costs.

They are the client's own words, or say what the provider keeps and tells beside the answer.
"""


@pytest.mark.parametrize("name", ["stream_options", "parallel_tool_calls", "store", "user", "seed", "reasoning_effort"])
def test_checked_field_with_harmless_field_returns_it(name: str) -> None:
    assert checked_field(name) == name


@pytest.mark.parametrize(
    "name",
    ["model", "messages", "stream", "max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens",
     "max_tool_calls", "n", "service_tier", "tools", "web_search_options", "billing_policy", "n_predict",
     "previous_response_id", "conversation", "prompt_embeds", "container", "thread", "mcp_servers", "cachedContent",
     "token_budget", "", "two words", 'a"b', "a.b", "é"],
)  # fmt: skip
def test_checked_field_with_field_that_decides_the_cost_is_refused(name: str) -> None:
    with pytest.raises(BadInputError):
        checked_field(name)


def watched() -> set[str]:
    """All members that a dialect reads because they decide what a request is or costs."""
    modules = [
        import_module(found.name) for found in pkgutil.walk_packages(dialects.__path__, "softix_proxy.dialects.")
    ]
    sets = [
        value
        for module in modules
        if not module.__name__.endswith((".realtime", ".batches", ".tools"))
        for name, value in vars(module).items()
        if name.endswith("WATCHED") or name == "SHARED"
    ]
    assert len(sets) > 10
    return {name for names in sets for name in names}


def test_checked_field_with_field_that_a_dialect_watches_is_refused() -> None:
    """Who leaves out what brings input, or what is refused anyway, only has less to pay for."""
    outer = [endpoint.members for endpoint in ENDPOINTS.values()]
    tables = [*outer, *(inner for table in outer for inner in table.nested.values())]
    classed = {name for table in tables for name in table.watched}
    for name in sorted(watched() - classed - LABELS - {USAGE_OPTION}):
        with pytest.raises(BadInputError):
            pytest.fail(f"add {name} to NEVER: {checked_field(name)}")


def test_changed_fields_are_sorted_and_without_the_removed_ones() -> None:
    assert changed(("a",), ("b", "a"), ()) == ("a", "b")
    assert changed(("a", "b"), (), ("a", "never there")) == ("b",)
    with pytest.raises(BadInputError):
        changed((), ("max_tokens",), ())
