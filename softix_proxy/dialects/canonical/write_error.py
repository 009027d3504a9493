"""Writes a provider's error in another dialect. Its kind is in that dialect's words, and its message is unchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from softix_proxy.dialects.canonical.json_values import Object, encode, seen_child, seen_object, seen_text
from softix_proxy.dialects.core.errors import STATUS_OF, ProviderError, name_error


def translated_error(write: Callable[[str, str], Object], status: int, body: bytes, named: str = "") -> bytes:
    """Writes the error of a provider's response with this status. `named` is the name from AWS's header."""
    found = seen_object(body.strip(b"[] \r\n")) or {}  # Google's error may be the only element of a list.
    message = seen_text(seen_child(found, "error"), "message")
    message = message or seen_text(found, "message") or seen_text(found, "Message")
    return encode(write(name_error(status, body, named), message))


class _Words(NamedTuple):
    openai_type: str
    openai_code: str | None
    anthropic: str
    google: str


_WORDS: Mapping[str, _Words] = {
    ProviderError.INVALID: _Words("invalid_request_error", None, "invalid_request_error", "INVALID_ARGUMENT"),
    ProviderError.CREDENTIALS: _Words(
        "invalid_request_error", "invalid_api_key", "authentication_error", "UNAUTHENTICATED"
    ),
    ProviderError.FORBIDDEN: _Words("invalid_request_error", None, "permission_error", "PERMISSION_DENIED"),
    ProviderError.NOT_FOUND: _Words("invalid_request_error", "model_not_found", "not_found_error", "NOT_FOUND"),
    ProviderError.TOO_LARGE: _Words(
        "invalid_request_error", "request_too_large", "request_too_large", "INVALID_ARGUMENT"
    ),
    ProviderError.CONTEXT: _Words(
        "invalid_request_error", "context_length_exceeded", "invalid_request_error", "INVALID_ARGUMENT"
    ),
    ProviderError.FILTERED: _Words(
        "invalid_request_error", "content_filter", "invalid_request_error", "INVALID_ARGUMENT"
    ),
    ProviderError.RATE_LIMITED: _Words("requests", "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"),
    ProviderError.QUOTA: _Words("insufficient_quota", "insufficient_quota", "billing_error", "RESOURCE_EXHAUSTED"),
    ProviderError.OVERLOADED: _Words("server_error", "server_is_overloaded", "overloaded_error", "UNAVAILABLE"),
    ProviderError.TIMEOUT: _Words("server_error", "timeout", "timeout_error", "DEADLINE_EXCEEDED"),
    ProviderError.FAULT: _Words("server_error", "server_error", "api_error", "INTERNAL"),
    ProviderError.NO_ANSWER: _Words("server_error", None, "api_error", "UNKNOWN"),
    ProviderError.UNKNOWN: _Words("server_error", None, "api_error", "UNKNOWN"),
}
_SILENT = "The provider gave no reason."


def openai_error(kind: str, message: str) -> Object:
    words = _WORDS[kind]
    error = {"message": message or _SILENT, "type": words.openai_type, "param": None, "code": words.openai_code}
    return {"error": error}


def responses_error(kind: str, message: str) -> Object:
    """Returns the `error` of a failed response. The dialect allows a fixed list of codes."""
    code = "rate_limit_exceeded" if kind in (ProviderError.RATE_LIMITED, ProviderError.QUOTA) else "server_error"
    return {"code": code, "message": message or _SILENT}


def anthropic_error(kind: str, message: str) -> Object:
    return {"type": "error", "error": {"type": _WORDS[kind].anthropic, "message": message or _SILENT}}


def google_error(kind: str, message: str, status: int | None = None) -> Object:
    words = _WORDS[kind]
    return {"error": {"code": status or STATUS_OF[kind], "message": message or _SILENT, "status": words.google}}
