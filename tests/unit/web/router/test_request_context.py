from typing import Any

import pytest

from softix_proxy.web.router.path_resolver import ResolvedPath
from softix_proxy.web.router.request_context import RequestContext, wants_websocket


def context() -> RequestContext:
    nothing: Any = None
    headers = [("authorization", "canary-1")]
    place = ResolvedPath("/models/llama", name="llama")
    return RequestContext(
        nothing, nothing, 7, "req_7", 1, 2, "GET", headers, dict(headers), place, "a=canary-2", "10.0.0.1"
    )


def test_request_context_representation_contains_no_secret_and_no_query() -> None:
    asked = context()
    asked.credential = "canary-3"
    assert "canary" not in repr(asked) and "llama" in repr(asked) and "req_7" in repr(asked)


def test_request_context_returns_the_path_and_its_name() -> None:
    assert (context().path, context().name) == ("/models/llama", "llama")


def test_request_context_without_a_caller_raises_an_error_for_identified() -> None:
    with pytest.raises(AssertionError, match="API_KEY"):
        context().identified  # noqa: B018


@pytest.mark.parametrize(("upgrade", "wanted"), [("WebSocket", True), ("h2c, websocket", True), ("h2c", False)])
def test_wants_websocket_reads_the_upgrade_header(upgrade: str, wanted: bool) -> None:
    assert wants_websocket({"upgrade": upgrade}) is wanted and not wants_websocket({})
