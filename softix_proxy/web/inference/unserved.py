"""Explains why a request is not served: it cannot be metered, it needs another form, or nothing has this path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.web.inference import sdk_calls
from softix_proxy.web.router.request_context import RequestContext, wants_websocket
from softix_proxy.web.router.route import Route

_SHARED = "is kept at the provider, where all users of softix share one account, so it is not passed."
UNMETERED: Mapping[str, str] = {
    "/files": f"A file of Anthropic's {_SHARED} Send what it holds within the request.",
    "/uploads": f"A file {_SHARED} Send what it holds within the request.",
    "/upload": f"A file {_SHARED} Send what it holds within the request.",
    "/cachedContents": f"A cache {_SHARED} What is sent again is cached without it.",
    "/vector_stores": f"A store {_SHARED}",
    "/fileSearchStores": f"A store {_SHARED}",
    "/containers": f"A container {_SHARED}",
    "/conversations": f"A conversation {_SHARED} Send the turns that came before.",
    "/interactions": f"A conversation {_SHARED} Send the turns that came before.",
    "/responses/": f"A response {_SHARED} Its own answer holds everything that there is to read.",
    "/chat/completions/": f"A completion {_SHARED} Its own answer holds everything that there is to read.",
    "/assistants": f"An assistant {_SHARED}",
    "/threads": f"A thread {_SHARED}",
    "/skills": f"A skill {_SHARED}",
    "/agents": f"An agent {_SHARED}",
    "/sessions": f"A session {_SHARED}",
    "/chatkit": f"A session {_SHARED}",
    "/environments": f"An environment {_SHARED}",
    "/memory_stores": f"A store {_SHARED}",
    "/vaults": f"A vault {_SHARED}",
    "/credentials": f"A secret {_SHARED}",
    "/fine_tuning": "Training cannot be metered here.",
    "/tunedModels": "Training cannot be metered here.",
    "/evals": "Evaluations cannot be metered here.",
    "/tuningJobs": "Training cannot be metered here.",
    "/videos": "Videos cannot be metered here, since they are fetched later.",
    "/operations": "What runs in the background cannot be metered here.",
    "/realtime": "A realtime session is opened with GET and a WebSocket.",
    "/realtime/": "A session over WebRTC or SIP goes past softix, which cannot meter it. Open a WebSocket.",
    "/organization": "The account at the provider is the operator's.",
    "/organizations": "The account at the provider is the operator's.",
}
"""The reasons for refusals by the beginning of the path, for every method.

Other calls of the providers' SDKs are refused with a message that the provider has them.
"""
_READS = ("GET", "HEAD", "OPTIONS")
_BASE_URLS = "Base URLs of OpenAI's SDKs end in /v1, and those of Anthropic's and Google's do not."
_NOTHING = f"There is nothing here. {_BASE_URLS}"
_NOT_METERED = f"softix cannot meter this endpoint, so it is not passed. {_BASE_URLS}"
KNOWN = "The provider has this, but softix cannot meter it, so it is not passed."


class UnservedPaths:
    """Refuses requests that no route serves, and says why."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._ours = frozenset(route.pattern.split("/")[1].lower() for route in routes)
        """The first words of the paths that are served. Another path that begins with one of them may be a mistake."""

    def refuse(self, context: RequestContext) -> RefusedError:
        """Returns the refusal of a request that no route serves."""
        entry = context.place.entry
        methods = entry.methods(context.family)
        refused = self.refusal(
            context.request.method,
            context.path,
            posts="POST" in methods,
            reads=entry.is_fixed and "GET" in methods,
        )
        if wants_websocket(context.named) and ("POST" in methods or refused.code is Code.NOT_FOUND):
            return RefusedError(Code.UPGRADE_REQUIRED, "WebSockets are not spoken here: use POST with streaming.")
        return refused

    def refusal(self, method: str, path: str, *, posts: bool, reads: bool) -> RefusedError:
        """Returns the refusal. `posts` says whether a POST would be served, and `reads` whether a GET would be."""
        if not posts and not reads:
            why = self.unmetered(path, method)
            if why is None:
                return RefusedError(Code.NOT_FOUND, _NOTHING)
            return RefusedError(Code.ENDPOINT_NOT_METERED, why)
        if sdk_calls.can_call(method, path):  # it concerns objects that the provider keeps, at the path that makes them
            return RefusedError(Code.ENDPOINT_NOT_METERED, _reason(f"{path}/") or KNOWN)
        return RefusedError(Code.METHOD_NOT_ALLOWED, f"Use {'POST' if posts else 'GET'} here.")

    def unmetered(self, path: str, method: str) -> str | None:
        """Returns why this path is not passed on, or None if no provider has it."""
        why = _reason(path)
        if why:
            return why
        if self.is_a_provider_s(path) or sdk_calls.can_call(method, path):
            return KNOWN
        return None if method in _READS else _NOT_METERED

    def is_a_provider_s(self, path: str) -> bool:
        """Returns whether only providers have paths with this beginning."""
        word = path.lower().split("/")[1]
        return word not in self._ours and word in sdk_calls.first_words()


def _reason(path: str) -> str:
    """Returns the reason of the longest matching beginning that has one."""
    path = path.lower()
    fitting = [begins for begins in UNMETERED if _is_below(path, begins.lower())]
    return UNMETERED[max(fitting, key=len)] if fitting else ""


def _is_below(path: str, begins: str) -> bool:
    """Returns whether a path has this beginning. A beginning that ends in a slash matches only what is below it."""
    return path == begins or path.startswith(begins if begins.endswith("/") else f"{begins}/")
