from __future__ import annotations

import json

import pytest

from softix_proxy.dialects.openai import relatives
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, RefusedError


@pytest.mark.parametrize("name", [*relatives.REROUTES.refused, *relatives.SERVERS.refused])
def test_member_by_which_a_router_or_server_costs_more_is_refused(name: str) -> None:
    for empty in (None, False, []):
        ENDPOINTS["chat_completions"].read(json.dumps({"model": "m", name: empty}).encode())
    with pytest.raises(RefusedError) as refused:
        ENDPOINTS["chat_completions"].read(json.dumps({"model": "m", name: {"a": 1}}).encode())
    assert refused.value.code is Code.ENDPOINT_NOT_METERED


@pytest.mark.parametrize(
    "name", ["chat_template", "chat_template_kwargs", "data_sources", "documents", "mm_processor_kwargs", "options"]
)
def test_member_that_brings_input_opens_the_hold(name: str) -> None:
    spec = ENDPOINTS["chat_completions"].read(json.dumps({"model": "m", name: {"a": "text"}}).encode())
    assert (spec.open_input, spec.unknown_members) == (True, 0)


@pytest.mark.parametrize("name", ["top_k", "min_p", "guided_json", "enable_thinking", "usage", "think", "safe_prompt"])
def test_member_that_servers_add_for_sampling_changes_nothing(name: str) -> None:
    spec = ENDPOINTS["chat_completions"].read(json.dumps({"model": "m", name: 1}).encode())
    assert (spec.open_input, spec.unknown_members) == (False, 0)
