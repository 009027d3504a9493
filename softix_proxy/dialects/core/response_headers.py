"""Selects the headers of a provider that a client gets: those that are listed here with a reason, and no others.

A header can do what a body cannot. It can send a browser elsewhere (`location`, `refresh`), change what it does with
all pages of softix (`clear-site-data`, policies, `alt-svc`, cookies), or name the operator's account. So every header
that is not listed is dropped.

The names are what SDKs and command lines read: openai and anthropic (Python and JavaScript), google-genai, boto3,
Codex, and the AI SDK.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from softix_proxy.dialects.core.request_headers import Reasons
from softix_proxy.domain.core.headers import Header, Headers

_SUPPORT = "names the request in the provider's support"
_WORK = "says how long the work took, or how much of it there was"
_CODEX = "Codex: read from each answer, and partly sent back"

RETURNED: Reasons = {
    "content-type": "says what the body is",
    "content-encoding": "says how the body is packed, if the provider packs it unasked",
    "content-disposition": "names the file that a body is",
    "content-language": "says in which language the body is",
    "content-range": "says which part of a file the body is",
    "accept-ranges": "says whether parts of a file can be read",
    "cache-control": "says whether the answer may be kept",
    "etag": "names the version of an object",
    "last-modified": "says how old an object is",
    "x-accel-buffering": "asks a proxy in front not to hold a stream back",
    "retry-after": "says how long to wait, up to a day",
    "retry-after-ms": "says the same more precisely",
    "x-should-retry": "says whether an SDK may try again",
    "openai-poll-after-ms": "says when to ask again for work in the background",
    "deprecation": "says since when a model or path is obsolete (RFC 9745)",
    "sunset": "says until when a model or path works (RFC 8594)",
    "warning": "warns in words",
    "x-request-id": _SUPPORT,
    "request-id": _SUPPORT,
    "x-client-request-id": _SUPPORT,
    "x-oai-request-id": _SUPPORT,
    "x-amzn-requestid": _SUPPORT,
    "apim-request-id": _SUPPORT,
    "x-ms-request-id": _SUPPORT,
    "x-ms-client-request-id": _SUPPORT,
    "x-goog-request-id": _SUPPORT,
    "x-generation-id": _SUPPORT,
    "x-ds-trace-id": _SUPPORT,
    "mistral-correlation-id": _SUPPORT,
    "x-trace-id": _SUPPORT,
    "traceresponse": "names the request in traces (W3C)",
    "x-amzn-errortype": "names the error in AWS's SDKs",
    "x-amzn-bedrock-invocation-latency": _WORK,
    "x-amzn-bedrock-input-token-count": _WORK,
    "x-amzn-bedrock-output-token-count": _WORK,
    "x-amzn-bedrock-cache-read-input-token-count": _WORK,
    "x-amzn-bedrock-cache-write-input-token-count": _WORK,
    "openai-processing-ms": _WORK,
    "server-timing": _WORK,
    "openai-version": "names the version of the API",
    "openai-model": "names the model that answered",
    "x-openai-model": "names the model that answered",
    "x-gemini-service-tier": "names the tier that answered",
    "x-codex-turn-state": _CODEX,
    "x-models-etag": _CODEX,
    "x-reasoning-included": _CODEX,
}
"""The headers that pass, of every provider."""

_LONGEST_S = 86_400
"""The longest wait that passes. An SDK that obeys a longer one would sleep, as far as its user can see, for ever."""
_SECONDS = re.compile(r"(\d{1,9})(?:\.\d{1,9})?", re.ASCII)


def _is_short(value: str, longest: int) -> bool:
    found = _SECONDS.fullmatch(value)
    return found is not None and int(found[1]) <= longest


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "retry-after": lambda value: _is_short(value, _LONGEST_S),
    "retry-after-ms": lambda value: _is_short(value, _LONGEST_S * 1000),
    "openai-poll-after-ms": lambda value: _is_short(value, _LONGEST_S * 1000),
    "x-should-retry": lambda value: value in ("true", "false"),
}
"""The headers that clients obey without a person, and which of their values pass."""


def returned(headers: Headers) -> list[Header]:
    """Returns the listed headers whose values may pass, without control characters in them."""
    return [
        (name, value if value.isprintable() else "".join(filter(str.isprintable, value)))
        for name, value in headers
        if name in RETURNED and _passes(name, value)
    ]


def _passes(name: str, value: str) -> bool:
    check = _CHECKS.get(name)
    return check is None or check(value)
