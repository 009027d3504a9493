from __future__ import annotations

import pytest

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.web.inference import stored_objects
from softix_proxy.web.inference.routes import DEPLOYABLE, ROUTES

BY_LABEL = {route.label: route for route in ROUTES}


def test_inference_route_pattern_has_no_version_and_accepts_names_with_slashes() -> None:
    assert BY_LABEL["chat_completions"].pattern == "/chat/completions"
    assert BY_LABEL["rerank_v2"].pattern == "/v2/rerank"
    assert BY_LABEL["generate_content"].pattern == "/models/{model:path}:generateContent"


@pytest.mark.parametrize("name", [name for name, endpoint in ENDPOINTS.items() if endpoint.family == "gemini"])
def test_inference_route_with_a_query_that_could_hide_the_usage_is_refused(name: str) -> None:
    check = BY_LABEL[name].check_query
    assert check is not None
    check("")
    check("alt=sse")
    with pytest.raises(RefusedError):
        check("fields=candidates")


def test_inference_routes_contain_realtime_sessions_and_stored_objects() -> None:
    assert (BY_LABEL["realtime"].method, BY_LABEL["realtime"].pattern) == ("WEBSOCKET", "/realtime")
    assert set(stored_objects.ROUTES) <= set(ROUTES)


def test_azure_deployment_paths_contain_only_paths_of_openai() -> None:
    assert "/chat/completions" in DEPLOYABLE and "/realtime" not in DEPLOYABLE
    assert not [path for path in DEPLOYABLE if path.startswith(("/messages", "/models", "/files"))]
