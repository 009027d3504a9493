"""Writes errors as the SDKs of each family expect them, and maps providers' errors to a short list of codes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from softix_proxy.dialects.core.base import Family
from softix_proxy.dialects.request.fields import MALFORMED
from softix_proxy.domain.core.errors import HTTP_STATUS, Code, RefusedError


class _Types(NamedTuple):
    openai: str
    anthropic: str
    gemini: str


_BAD = _Types("invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT")
_WHO = _Types("invalid_request_error", "authentication_error", "UNAUTHENTICATED")
_MAY_NOT = _Types("invalid_request_error", "permission_error", "PERMISSION_DENIED")
_MONEY = _Types("insufficient_quota", "billing_error", "RESOURCE_EXHAUSTED")
_MISSING = _Types("invalid_request_error", "not_found_error", "NOT_FOUND")
_PACE = _Types("requests", "rate_limit_error", "RESOURCE_EXHAUSTED")
_BUSY = _Types("server_error", "overloaded_error", "UNAVAILABLE")
_LATE = _Types("server_error", "timeout_error", "DEADLINE_EXCEEDED")
_FAULT = _Types("server_error", "api_error", "INTERNAL")

_TYPES: Mapping[Code, _Types] = {
    Code.INVALID_REQUEST: _BAD,
    Code.INVALID_API_KEY: _WHO,
    Code.KEY_EXPIRED: _WHO,
    Code.KEY_REVOKED: _WHO,
    Code.USER_DISABLED: _MAY_NOT,
    Code.IP_NOT_ALLOWED: _MAY_NOT,
    Code.INSUFFICIENT_BALANCE: _MONEY,
    Code.CAP_REACHED: _MONEY,
    Code.BUDGET_REACHED: _MONEY,
    Code.REGION_NOT_ALLOWED: _MAY_NOT,
    Code.MODEL_NOT_FOUND: _MISSING,
    Code.MODEL_NOT_PRICED: _BAD,
    Code.ENDPOINT_NOT_METERED: _BAD,
    Code.OBJECT_NOT_FOUND: _MISSING,
    Code.OBJECT_ELSEWHERE: _BAD,
    Code.NOT_FOUND: _MISSING,
    Code.METHOD_NOT_ALLOWED: _BAD,
    Code.UPGRADE_REQUIRED: _BAD,
    Code.BODY_TOO_LARGE: _Types("invalid_request_error", "request_too_large", "INVALID_ARGUMENT"),
    Code.UNSUPPORTED_ENCODING: _BAD,
    Code.UNSUPPORTED_MEDIA_TYPE: _BAD,
    Code.REQUEST_TIMEOUT: _Types("invalid_request_error", "timeout_error", "DEADLINE_EXCEEDED"),
    Code.RATE_LIMITED: _PACE,
    Code.TOKENS_LIMITED: _Types("tokens", "rate_limit_error", "RESOURCE_EXHAUSTED"),
    Code.CONCURRENCY_LIMITED: _PACE,
    Code.PROVIDER_UNREACHABLE: _FAULT,
    Code.PROVIDER_TIMEOUT: _LATE,
    Code.PROVIDER_BROKE_OFF: _FAULT,
    Code.PROVIDER_REFUSED: _FAULT,
    Code.PROVIDER_BUSY: _PACE,
    Code.STORAGE_UNAVAILABLE: _BUSY,
    Code.OUT_OF_FILES: _BUSY,
    Code.SHUTTING_DOWN: _BUSY,
    Code.INTERNAL: _FAULT,
}


_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def render(family: Family, code: Code, message: str, request_id: str, details: Mapping[str, str | int]) -> bytes:
    """Returns the JSON body of a refusal.

    `details` become further fields of the error object. They do not replace the standard fields.
    """
    return msgspec.json.encode(_body(family, code, message, request_id, details))


def render_stream(family: Family, code: Code, message: str, request_id: str, details: Mapping[str, str | int]) -> bytes:
    """Returns an error event for a stream that breaks after it began.

    OpenAI's event has the fields of both of its dialects. Clients of chat completions look for `error`, and clients of
    responses for `type`.
    """
    body = _body(family, code, message, request_id, details)
    if family == "openai":
        body = {"type": "error", "code": code.value, "message": message, "param": None, "sequence_number": 0, **body}
    name = b"" if family == "gemini" else b"event: error\n"
    return b"%bdata: %b\n\n" % (name, msgspec.json.encode(body))


def render_realtime(error: RefusedError, request_id: str, about: str | None) -> bytes:
    """Returns an error event for a realtime session. `about` is the id of the client event that caused the error."""
    body = _body("openai", error.code, error.message, request_id, error.details)
    event = {"type": "error", "event_id": f"event_{request_id}", "error": {**body["error"], "event_id": about}}
    return msgspec.json.encode(event)


def _body(
    family: Family, code: Code, message: str, request_id: str, details: Mapping[str, str | int]
) -> dict[str, Any]:
    types = _TYPES[code]
    if family == "openai":
        error = {"message": message, "type": types.openai, "param": None, "code": code.value}
        return {"error": {**details, "request_id": request_id, **error}}
    if family == "gemini":
        facts = {**{name: str(value) for name, value in details.items()}, "request_id": request_id}
        info = {"@type": _ERROR_INFO, "reason": code.value.upper(), "domain": "softix", "metadata": facts}
        status = {"code": HTTP_STATUS[code], "message": message, "status": types.gemini}
        return {"error": {**status, "details": [info]}}
    error = {"type": types.anthropic, "message": message}
    return {"type": "error", "error": {**details, "code": code.value, **error}, "request_id": request_id}


class ProviderError(StrEnum):
    """The codes of a provider's errors. softix keeps nothing else of such an error."""

    INVALID = "provider_invalid_request"
    CREDENTIALS = "provider_credentials"
    FORBIDDEN = "provider_forbidden"
    NOT_FOUND = "provider_not_found"
    TOO_LARGE = "provider_too_large"
    CONTEXT = "provider_context_exceeded"
    FILTERED = "provider_content_filtered"
    RATE_LIMITED = "provider_rate_limited"
    QUOTA = "provider_quota_exhausted"
    OVERLOADED = "provider_overloaded"
    TIMEOUT = "provider_timed_out"
    FAULT = "provider_fault"
    NO_ANSWER = "provider_no_answer"
    """A good status without the content that the API promises: an HTML page, an empty body, or no choices."""
    UNKNOWN = "provider_error"


_WORDS: Mapping[str, ProviderError] = {
    "context_length_exceeded": ProviderError.CONTEXT,
    "string_above_max_length": ProviderError.TOO_LARGE,
    "request_too_large": ProviderError.TOO_LARGE,
    "content_filter": ProviderError.FILTERED,
    "content_policy_violation": ProviderError.FILTERED,
    "insufficient_quota": ProviderError.QUOTA,
    "billing_hard_limit_reached": ProviderError.QUOTA,
    "billing_not_active": ProviderError.QUOTA,
    "billing_error": ProviderError.QUOTA,
    "rate_limit_exceeded": ProviderError.RATE_LIMITED,
    "rate_limit_error": ProviderError.RATE_LIMITED,
    "invalid_api_key": ProviderError.CREDENTIALS,
    "authentication_error": ProviderError.CREDENTIALS,
    "permission_error": ProviderError.FORBIDDEN,
    "unsupported_country_region_territory": ProviderError.FORBIDDEN,
    "model_not_found": ProviderError.NOT_FOUND,
    "not_found_error": ProviderError.NOT_FOUND,
    "overloaded_error": ProviderError.OVERLOADED,
    "server_is_overloaded": ProviderError.OVERLOADED,
    "timeout_error": ProviderError.TIMEOUT,
    "server_error": ProviderError.FAULT,
    "api_error": ProviderError.FAULT,
    "invalid_request_error": ProviderError.INVALID,
    "API_KEY_INVALID": ProviderError.CREDENTIALS,
    "UNAUTHENTICATED": ProviderError.CREDENTIALS,
    "PERMISSION_DENIED": ProviderError.FORBIDDEN,
    "NOT_FOUND": ProviderError.NOT_FOUND,
    "RESOURCE_EXHAUSTED": ProviderError.RATE_LIMITED,
    "UNAVAILABLE": ProviderError.OVERLOADED,
    "DEADLINE_EXCEEDED": ProviderError.TIMEOUT,
    "INTERNAL": ProviderError.FAULT,
    "INVALID_ARGUMENT": ProviderError.INVALID,
    "FAILED_PRECONDITION": ProviderError.INVALID,
    "ThrottlingException": ProviderError.RATE_LIMITED,
    "ServiceQuotaExceededException": ProviderError.QUOTA,
    "ServiceUnavailableException": ProviderError.OVERLOADED,
    "ModelNotReadyException": ProviderError.OVERLOADED,
    "ModelTimeoutException": ProviderError.TIMEOUT,
    "ModelErrorException": ProviderError.FAULT,
    "ModelStreamErrorException": ProviderError.FAULT,
    "InternalServerException": ProviderError.FAULT,
    "ValidationException": ProviderError.INVALID,
    "ResourceNotFoundException": ProviderError.NOT_FOUND,
    "AccessDeniedException": ProviderError.CREDENTIALS,  # The message names the operator's identity at AWS.
    "ExpiredTokenException": ProviderError.CREDENTIALS,
    "InvalidSignatureException": ProviderError.CREDENTIALS,
    "UnrecognizedClientException": ProviderError.CREDENTIALS,
}
_STATUSES: Mapping[int, ProviderError] = {
    400: ProviderError.INVALID,
    401: ProviderError.CREDENTIALS,
    402: ProviderError.QUOTA,
    403: ProviderError.FORBIDDEN,
    404: ProviderError.NOT_FOUND,
    408: ProviderError.TIMEOUT,
    413: ProviderError.TOO_LARGE,
    422: ProviderError.INVALID,
    429: ProviderError.RATE_LIMITED,
    503: ProviderError.OVERLOADED,
    504: ProviderError.TIMEOUT,
    529: ProviderError.OVERLOADED,
}
STATUS_OF: Mapping[str, int] = {
    ProviderError.INVALID: 400,
    ProviderError.CREDENTIALS: 401,
    ProviderError.FORBIDDEN: 403,
    ProviderError.NOT_FOUND: 404,
    ProviderError.TOO_LARGE: 413,
    ProviderError.CONTEXT: 400,
    ProviderError.FILTERED: 400,
    ProviderError.RATE_LIMITED: 429,
    ProviderError.QUOTA: 429,
    ProviderError.OVERLOADED: 503,
    ProviderError.TIMEOUT: 504,
    ProviderError.FAULT: 500,
    ProviderError.NO_ANSWER: 502,
    ProviderError.UNKNOWN: 502,
}
"""The status that an error would have had as a response of its own, for errors that came with a good status."""


ERROR_TYPE = "x-amzn-errortype"


class _Failure(msgspec.Struct):
    error: Any = None


_FAILURE = msgspec.json.Decoder(_Failure | list[_Failure])


def error_type(headers: Sequence[tuple[str, str]]) -> str:
    """Returns the error name that AWS sends in a header, or an empty string if there is none."""
    return next((value.partition(":")[0] for name, value in headers if name == ERROR_TYPE), "")


def name_error(status: int, body: bytes, named: str = "") -> str:
    """Returns the code from ProviderError for a provider's error response.

    It goes by the error's name, code or type, and otherwise by the status. `invalid_request_error` says less than the
    status does: OpenAI also uses it for wrong credentials and missing models.
    """
    word = _WORDS.get(named)
    try:
        failure = _FAILURE.decode(body)
        # The error may be in a JSON array.
        first = failure if isinstance(failure, _Failure) else next(iter(failure), _Failure())
        word = word or _word(first.error)
    except MALFORMED:
        pass
    if word is not None and word is not ProviderError.INVALID:
        return word.value
    return (_of_status(status) or word or ProviderError.UNKNOWN).value


def _of_status(status: int) -> ProviderError | None:
    return _STATUSES.get(status) or (ProviderError.FAULT if status >= 500 else None)


def classify_event(error: object) -> str:
    """Returns the code for the `error` of an event, or of a response with a good status.

    It goes by the words in the error or by the status code in it.
    """
    word = _word(error)
    if word is None or word is ProviderError.INVALID:
        status = status_in(error)
        found = _of_status(status) or ProviderError.INVALID if status else None
        word = found or word
    return (word or ProviderError.UNKNOWN).value


def status_in(error: object) -> int | None:
    """Returns the status that an error contains as a number, or None. OpenRouter and Google send such numbers."""
    if not isinstance(error, dict):
        return None
    for name in ("code", "status", "status_code", "statusCode"):
        value = error.get(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = int(value)
        if type(value) is int and 400 <= value <= 599:
            return value
    return None


_NUMBER = re.compile(r"[45]\d\d", re.ASCII)


def classify_exception(kind: str) -> str:
    """Returns the code for an AWS exception in a stream. Its name begins with a lower-case letter there."""
    return _WORDS.get(kind[:1].upper() + kind[1:], ProviderError.UNKNOWN).value


def _word(error: object) -> ProviderError | None:
    if not isinstance(error, dict):
        return None
    words = (*_reasons(error), error.get("code"), error.get("type"), error.get("status"))
    return next((_WORDS[word] for word in words if isinstance(word, str) and word in _WORDS), None)


def _reasons(error: dict[str, Any]) -> list[Any]:
    """Returns Google's more precise reasons. By its status alone, a wrong key is only a bad request."""
    details = error.get("details")
    return [entry.get("reason") for entry in details if isinstance(entry, dict)] if isinstance(details, list) else []
