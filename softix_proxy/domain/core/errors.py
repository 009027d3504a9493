"""The two families of errors: for an operator at the terminal, and for a program over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from softix_proxy.domain.core.key_text import without_keys

_LONGEST_MESSAGE = 400


def clipped(message: str) -> str:
    """Shortens a message. It may quote what was typed, which can have any length."""
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"


class OperatorError(Exception):
    """A problem that an operator can solve. One line says what is wrong, and one says what to do.

    Of an API key that somebody wrote in place of a name, both quote only the visible prefix. A long message is cut.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = clipped(without_keys(message))
        self.remedy = without_keys(remedy)
        super().__init__(self.message)


class BadInputError(OperatorError):
    """The input or the configuration is not valid. Nothing was changed."""

    exit_code = 2


class NotFoundError(OperatorError):
    """The named thing does not exist."""


class NotPermittedError(OperatorError):
    """The role of whoever asks does not have the permission. Nothing was changed."""


class ConflictError(OperatorError):
    """The thing exists already, or its state forbids the change. Nothing was changed."""


class StaleError(ConflictError):
    """The thing was changed since the caller has read it. Nothing was changed now."""


class RepeatedCallError(ConflictError):
    """The caller's word for this call belongs to another one, or to one whose answer was not kept."""


class FailureError(OperatorError):
    """Something outside softix failed: a file, a port, a database or a provider."""


class OverloadedError(OperatorError):
    """Too much of the same work waits already. Nothing was changed, and waiting helps."""

    def __init__(self, message: str, remedy: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(message, remedy)
        self.retry_after_s = retry_after_s


class UnusableError(FailureError):
    """The database cannot be read or written."""

    def __init__(self, message: str, remedy: str, *, code: str, reason: str) -> None:
        super().__init__(message, remedy)
        self.code = code
        """The name of the cause for programs, such as `SQLITE_FULL`."""
        self.reason = reason
        """The message without the name of a file, for readers who may not know where the database is."""


class Code(StrEnum):
    """The reason why a request was refused or failed. The web package maps each to a status and a body per dialect."""

    INVALID_REQUEST = "invalid_request"
    INVALID_API_KEY = "invalid_api_key"
    KEY_EXPIRED = "key_expired"
    KEY_REVOKED = "key_revoked"
    USER_DISABLED = "user_disabled"
    IP_NOT_ALLOWED = "ip_not_allowed"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    CAP_REACHED = "cap_reached"
    BUDGET_REACHED = "budget_reached"
    REGION_NOT_ALLOWED = "region_not_allowed"
    MODEL_NOT_FOUND = "model_not_found"
    MODEL_NOT_PRICED = "model_not_priced"
    ENDPOINT_NOT_METERED = "endpoint_not_metered"
    OBJECT_NOT_FOUND = "object_not_found"
    OBJECT_ELSEWHERE = "object_elsewhere"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    UPGRADE_REQUIRED = "upgrade_required"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_ENCODING = "unsupported_encoding"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    REQUEST_TIMEOUT = "request_timeout"
    RATE_LIMITED = "rate_limited"
    TOKENS_LIMITED = "tokens_limited"
    CONCURRENCY_LIMITED = "concurrency_limited"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    PROVIDER_TIMEOUT = "provider_timeout"
    PROVIDER_BROKE_OFF = "provider_broke_off"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_BUSY = "provider_busy"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    OUT_OF_FILES = "out_of_files"
    SHUTTING_DOWN = "shutting_down"
    INTERNAL = "internal"


HTTP_STATUS: Mapping[Code, int] = {
    Code.INVALID_REQUEST: 400,
    Code.INVALID_API_KEY: 401,
    Code.KEY_EXPIRED: 401,
    Code.KEY_REVOKED: 401,
    Code.USER_DISABLED: 403,
    Code.IP_NOT_ALLOWED: 403,
    Code.INSUFFICIENT_BALANCE: 429,  # the only status at which clients stop at once; see docs/decisions
    Code.CAP_REACHED: 429,
    Code.BUDGET_REACHED: 429,
    Code.REGION_NOT_ALLOWED: 403,
    Code.MODEL_NOT_FOUND: 404,
    Code.MODEL_NOT_PRICED: 400,
    Code.ENDPOINT_NOT_METERED: 400,
    Code.OBJECT_NOT_FOUND: 404,
    Code.OBJECT_ELSEWHERE: 400,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.UPGRADE_REQUIRED: 426,
    Code.BODY_TOO_LARGE: 413,
    Code.UNSUPPORTED_ENCODING: 415,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.REQUEST_TIMEOUT: 408,
    Code.RATE_LIMITED: 429,
    Code.TOKENS_LIMITED: 429,
    Code.CONCURRENCY_LIMITED: 429,
    Code.PROVIDER_UNREACHABLE: 502,
    Code.PROVIDER_TIMEOUT: 504,
    Code.PROVIDER_BROKE_OFF: 502,
    Code.PROVIDER_REFUSED: 502,
    Code.PROVIDER_BUSY: 429,
    Code.STORAGE_UNAVAILABLE: 503,
    Code.OUT_OF_FILES: 503,
    Code.SHUTTING_DOWN: 503,
    Code.INTERNAL: 500,
}


@dataclass(slots=True)
class RefusedError(Exception):
    """A request that gets no response from a provider.

    `message` is for the caller. Of what the caller sent, it quotes only names that softix itself knows. `retry_after_s`
    is set if waiting helps. `details` are extra JSON fields of the error body, and `headers` are extra headers of the
    response.
    """

    code: Code
    message: str
    retry_after_s: float | None = None
    details: Mapping[str, str | int] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.code.value}: {self.message}"
