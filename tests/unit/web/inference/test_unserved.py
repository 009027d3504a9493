from collections.abc import Iterator

import pytest

from softix_proxy.domain.errors import Code
from softix_proxy.web import sdk_calls
from softix_proxy.web.batches import keeper_of
from softix_proxy.web.routes import NAMED, PAGES, canonical, inference, is_kept
from softix_proxy.web.unserved import refusal, unmetered

HINT = "Base URLs"


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
def test_what_providers_have_besides(path: str, method: str, word: str) -> None:
    assert word in (unmetered(path, method) or "").lower()


@pytest.mark.parametrize("path", ["/filesystem", "/wombat", "/batch"])
def test_what_nobody_has(path: str) -> None:
    assert unmetered(path, "GET") is None


def calls() -> Iterator[tuple[str, str, str]]:
    """SDK, method and path, with names put in."""
    for sdk, called in sdk_calls.known().items():
        for call in called:
            method, *parts = call.replace("{}", "x1").split(" ")
            yield sdk, method, canonical("/" + "/".join(parts))


def is_served(sdk: str, method: str, path: str) -> bool:
    family = {"openai": "openai", "anthropic": "anthropic", "google-genai": "gemini"}[sdk]
    if is_kept(path, family):  # type: ignore[arg-type]
        keeper, names = keeper_of(path)
        return keeper.serves(method, names)
    if method == "POST":
        return inference(path, "") is not None
    return method == "GET" and (path in PAGES or (path.startswith(tuple(NAMED)) and inference(path, "") is None))


def test_of_whatever_the_sdks_can_call_is_told_why_it_is_refused() -> None:
    refused = [call for call in calls() if not is_served(*call)]
    assert len(refused) > 600
    for _, method, path in refused:
        told = refusal(method, path, posts=inference(path, "") is not None)
        assert told.code is Code.ENDPOINT_NOT_METERED and HINT not in told.message, (method, path)


def test_what_is_served_is_among_what_they_can_call() -> None:
    served = {(method, path) for sdk, method, path in calls() if is_served(sdk, method, path)}
    assert {("POST", "/chat/completions"), ("GET", "/models/x1"), ("GET", "/files"), ("GET", "/batches")} <= served


@pytest.mark.parametrize(
    ("method", "path", "posts", "code", "word"),
    [
        ("GET", "/agents", False, Code.ENDPOINT_NOT_METERED, "agent"),
        ("GET", "/Sessions/s/events/and/what/comes", False, Code.ENDPOINT_NOT_METERED, "session"),
        ("GET", "/dreams/d", False, Code.ENDPOINT_NOT_METERED, "cannot meter"),
        ("GET", "/chat/completions", True, Code.ENDPOINT_NOT_METERED, "completion"),
        ("HEAD", "/chat/completions", True, Code.ENDPOINT_NOT_METERED, "completion"),
        ("DELETE", "/models/ft:x", False, Code.ENDPOINT_NOT_METERED, "cannot meter"),
        ("OPTIONS", "/chat/completions", True, Code.METHOD_NOT_ALLOWED, "POST"),
        ("GET", "/embeddings", True, Code.METHOD_NOT_ALLOWED, "POST"),
        ("DELETE", "/models", False, Code.METHOD_NOT_ALLOWED, "GET"),
        ("GET", "/images/of/me", False, Code.NOT_FOUND, HINT),
        ("GET", "/agentsmith", False, Code.NOT_FOUND, HINT),
        ("POST", "/wombat", False, Code.ENDPOINT_NOT_METERED, HINT),
    ],
)
def test_how_it_is_refused(method: str, path: str, posts: bool, code: Code, word: str) -> None:
    told = refusal(method, path, posts=posts)
    assert told.code is code and word in told.message
