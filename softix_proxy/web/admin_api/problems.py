"""The errors of the admin API as problem details (RFC 9457)."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from math import ceil
from typing import Final

from aiohttp import web

from softix_proxy.domain.core.errors import (
    HTTP_STATUS,
    BadInputError,
    ConflictError,
    FailureError,
    NotFoundError,
    NotPermittedError,
    OperatorError,
    OverloadedError,
    RefusedError,
    RepeatedCallError,
    StaleError,
    UnusableError,
)
from softix_proxy.relay.core.inbound import ClientGoneError

log = logging.getLogger("softix.admin_api")
CONTENT_TYPE: Final = "application/problem+json"
_STATUS: Final[tuple[tuple[type[OperatorError], int], ...]] = (
    (BadInputError, 400),
    (NotPermittedError, 403),
    (NotFoundError, 404),
    (StaleError, 412),
    (RepeatedCallError, 422),
    (ConflictError, 409),
    (OverloadedError, 503),
    (UnusableError, 503),
    (FailureError, 424),
)
"""The status of each kind of error. The first that fits counts.

424 says that something outside softix failed on which the call depends: a provider, a mail server, or a file.
"""
STATUSES: Final = frozenset((400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 421, 422, 424, 429, 500, 503))
_CLOSES: Final = frozenset((408, 413))
_RETRY_AFTER_S: Final = 5


class ApiError(Exception):
    """A call that is refused before a command runs."""

    def __init__(self, status: int, detail: str, remedy: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.remedy = remedy
        self.headers = headers


def not_signed_in(detail: str, remedy: str = "make an admin token: softix tokens create") -> ApiError:
    return ApiError(401, detail, remedy, (("WWW-Authenticate", 'Bearer realm="softix admin API"'),))


def problem(error: Exception, request_id: str) -> web.Response:
    """Returns the response for an error. An unexpected one is logged with the number of the request."""
    told = _told(error, request_id)
    fields = {
        "type": "about:blank",
        "title": HTTPStatus(told.status).phrase,
        "status": told.status,
        "detail": told.detail,
        **({"remedy": told.remedy} if told.remedy else {}),
        "request_id": request_id,
    }
    response = web.Response(status=told.status, body=json.dumps(fields).encode(), content_type=CONTENT_TYPE)
    for name, value in told.headers:
        response.headers[name] = value
    if told.status in _CLOSES:
        response.force_close()
    return response


def _told(error: Exception, request_id: str) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, RefusedError):
        return ApiError(HTTP_STATUS[error.code], error.message, headers=_retry_after(error.retry_after_s))
    if isinstance(error, ClientGoneError):
        return ApiError(408, "the body ended early")
    for kind, status in _STATUS:
        if isinstance(error, kind):
            wait_s = error.retry_after_s if isinstance(error, OverloadedError) else _RETRY_AFTER_S
            detail = error.reason if isinstance(error, UnusableError) else error.message
            return ApiError(status, detail, error.remedy, _retry_after(wait_s) if status == 503 else ())
    log.error("a call failed", exc_info=error, extra={"request_id": request_id, "error": type(error).__name__})
    return ApiError(500, "softix failed", "look into the log of the daemon for this request_id")


def _retry_after(wait_s: float | None) -> tuple[tuple[str, str], ...]:
    return () if wait_s is None else (("Retry-After", str(max(ceil(wait_s), 1))),)
