from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, RefusedError

GENERATE = ENDPOINTS["generate_content"]


def read(**members: Any) -> Any:
    return GENERATE.read(json.dumps({"contents": [], **members}).encode())


@pytest.mark.parametrize("name", ["routingConfig", "routing_config", "modelConfig", "model_selection_config"])
def test_configuration_that_chooses_another_model_is_refused(name: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read(generationConfig={name: {"autoMode": {}}})
    assert refused.value.code is Code.ENDPOINT_NOT_METERED


@pytest.mark.parametrize("name", ["cachedContent", "cached_content", "continuationToken", "continuation_token"])
def test_member_that_names_kept_input_opens_the_hold(name: str) -> None:
    spec = read(**{name: "x"})
    assert (spec.open_input, spec.unknown_members) == (True, 0)


def test_unknown_members_are_counted_at_both_levels() -> None:
    spec = read(wombat=1, generation_config={"quoll": 1, "top_k": 2, "topP": 0.5})
    assert (spec.unknown_members, spec.open_input) == (2, True)
    embed = json.dumps({"requests": [{"content": {}, "taskType": "x", "wombat": 1}, {"quoll": 1}], "numbat": 1})
    assert ENDPOINTS["batch_embed_contents"].read(embed.encode()).unknown_members == 3
    assert ENDPOINTS["batch_embed_contents"].members.without_unknown(embed.encode()) == (
        b'{"requests":[{"content":{},"taskType":"x"},{}]}'
    )
