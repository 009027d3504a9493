from collections.abc import Iterator

import pytest

from softix_proxy.dialects.core.base import Family
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.relay.stored_objects.operation_table import find_operation
from softix_proxy.web.inference import sdk_calls, stored_objects
from softix_proxy.web.inference.routes import DEPLOYABLE
from softix_proxy.web.inference.unserved import UnservedPaths
from softix_proxy.web.route_table import ROUTES
from softix_proxy.web.router.path_patterns import PathPatterns
from softix_proxy.web.router.path_resolver import PathResolver

HINT = "Base URLs"
RESOLVER = PathResolver(PathPatterns(ROUTES), DEPLOYABLE)
UNSERVED = UnservedPaths(ROUTES)
FAMILIES: dict[str, Family] = {"openai": "openai", "anthropic": "anthropic", "google-genai": "gemini"}


@pytest.mark.parametrize(
    ("path", "method", "word"),
    [
        ("/files", "GET", "file"),
        ("/files/f/content", "GET", "file"),
        ("/responses/r", "DELETE", "response"),
        ("/wombat", "PATCH", "cannot meter"),
        ("/models/m:predict", "POST", "cannot meter"),
        ("/Threads/t/Runs", "GET", "thread"),
        ("/realtime/calls", "POST", "webrtc"),
        ("/realtime", "POST", "websocket"),
    ],
)
def test_unmetered_path_of_a_provider_has_an_explanation(path: str, method: str, word: str) -> None:
    assert word in (UNSERVED.unmetered(path, method) or "").lower()


@pytest.mark.parametrize("path", ["/filesystem", "/wombat", "/batch"])
def test_unmetered_path_of_no_provider_has_no_explanation(path: str) -> None:
    assert UNSERVED.unmetered(path, "GET") is None


def calls() -> Iterator[tuple[str, str, str]]:
    """SDK, method and path, with names put in."""
    for sdk, called in sdk_calls.known().items():
        for call in called:
            method, *parts = call.replace("{}", "x1").split(" ")
            yield sdk, method, RESOLVER.resolve("/" + "/".join(parts)).path


def is_served(sdk: str, method: str, path: str) -> bool:
    route = RESOLVER.resolve(path).entry.route(method, FAMILIES[sdk])
    if route is not None and route.handler is stored_objects.serve:
        return find_operation(method, path) is not None
    return route is not None


def refusal(sdk: str, method: str, path: str) -> RefusedError:
    entry = RESOLVER.resolve(path).entry
    methods = entry.methods(FAMILIES[sdk])
    return UNSERVED.refusal(method, path, posts="POST" in methods, reads=entry.is_fixed and "GET" in methods)


def test_unserved_call_of_an_official_client_library_is_refused_as_not_metered() -> None:
    refused = [call for call in calls() if not is_served(*call)]
    assert len(refused) > 600
    for sdk, method, path in refused:
        entry = RESOLVER.resolve(path).entry
        if entry.route(method, FAMILIES[sdk]) is None:
            told = refusal(sdk, method, path)
            assert told.code is Code.ENDPOINT_NOT_METERED and HINT not in told.message, (method, path)


def test_served_paths_are_among_the_calls_of_the_client_libraries() -> None:
    served = {(method, path) for sdk, method, path in calls() if is_served(sdk, method, path)}
    assert {("POST", "/chat/completions"), ("GET", "/models/x1"), ("GET", "/files"), ("GET", "/batches")} <= served


@pytest.mark.parametrize(
    ("method", "path", "code", "word"),
    [
        ("GET", "/agents", Code.ENDPOINT_NOT_METERED, "agent"),
        ("GET", "/Sessions/s/events/and/what/comes", Code.ENDPOINT_NOT_METERED, "session"),
        ("GET", "/dreams/d", Code.ENDPOINT_NOT_METERED, "cannot meter"),
        ("GET", "/chat/completions", Code.ENDPOINT_NOT_METERED, "completion"),
        ("HEAD", "/chat/completions", Code.ENDPOINT_NOT_METERED, "completion"),
        ("DELETE", "/models/ft:x", Code.ENDPOINT_NOT_METERED, "cannot meter"),
        ("OPTIONS", "/chat/completions", Code.METHOD_NOT_ALLOWED, "POST"),
        ("GET", "/embeddings", Code.METHOD_NOT_ALLOWED, "POST"),
        ("DELETE", "/models", Code.METHOD_NOT_ALLOWED, "GET"),
        ("GET", "/images/of/me", Code.NOT_FOUND, HINT),
        ("GET", "/agentsmith", Code.NOT_FOUND, HINT),
        ("POST", "/wombat", Code.ENDPOINT_NOT_METERED, HINT),
    ],
)
def test_unserved_path_is_refused_with_its_code_and_reason(method: str, path: str, code: Code, word: str) -> None:
    told = refusal("openai", method, path)
    assert told.code is code and word in told.message
