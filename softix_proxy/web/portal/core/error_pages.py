"""One table from what went wrong to the page that says so. Nothing of what was sent, and no detail, is on it."""

from __future__ import annotations

import logging
from math import ceil
from typing import NamedTuple

from softix_proxy.domain.core.errors import (
    HTTP_STATUS,
    BadInputError,
    Code,
    ConflictError,
    NotFoundError,
    OperatorError,
    OverloadedError,
    RefusedError,
    UnusableError,
)
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.portal.core.form_faults import status_of
from softix_proxy.web.portal.core.page import Page

log = logging.getLogger("softix.portal")
_RETRY_AFTER_S = 5


class PageRefusedError(Exception):
    """A request that gets an error page. `name` is that of its texts in the section `error` of the catalogue."""

    def __init__(self, status: int, name: str, retry_after_s: float | None = None) -> None:
        super().__init__(name)
        self.status = status
        self.name = name
        self.retry_after_s = retry_after_s


class ErrorAnswer(NamedTuple):
    page: Page
    retry_after_s: int | None


def missing() -> PageRefusedError:
    """Returns the error for what does not exist, or belongs to somebody else. Nobody can tell one from the other."""
    return PageRefusedError(404, "missing")


_BY_CODE = {
    Code.NOT_FOUND: "missing",
    Code.BODY_TOO_LARGE: "large",
    Code.REQUEST_TIMEOUT: "slow",
    Code.RATE_LIMITED: "slow_down",
    Code.STORAGE_UNAVAILABLE: "unavailable",
    Code.SHUTTING_DOWN: "unavailable",
    Code.INTERNAL: "failed",
}


def error_answer(error: Exception, request_id: str, size_kib: int) -> ErrorAnswer:
    """Returns the page for an error. An unexpected one is logged with the request's number."""
    refused = _refused(error)
    if refused.status == 500:
        log.error("a page failed", exc_info=error, extra={"request_id": request_id, "error": type(error).__name__})
    told = {"size": size_kib} if refused.name == "large" else {}
    values = {"name": refused.name, "told": told, "request_id": request_id if refused.status >= 500 else None}
    wait_s = None if refused.retry_after_s is None else max(ceil(refused.retry_after_s), 1)
    return ErrorAnswer(Page("error", values, refused.status), wait_s)


def _refused(error: Exception) -> PageRefusedError:
    if isinstance(error, PageRefusedError):
        return error
    if isinstance(error, RefusedError):
        name = _BY_CODE.get(error.code, "input")
        return PageRefusedError(HTTP_STATUS[error.code], name, error.retry_after_s)
    if isinstance(error, NotFoundError):
        return missing()
    if isinstance(error, OverloadedError):
        return PageRefusedError(503, "busy", error.retry_after_s)
    if isinstance(error, (BadInputError, ConflictError)):  # a page that can say more shows the form again
        return PageRefusedError(status_of(error), "input")
    if isinstance(error, UnusableError):
        return PageRefusedError(503, "unavailable", _RETRY_AFTER_S)
    if isinstance(error, ClientGoneError):
        return PageRefusedError(408, "slow")
    if isinstance(error, OperatorError):
        log.warning("a page could not be served", extra={"error": type(error).__name__})
        return PageRefusedError(503, "unavailable", _RETRY_AFTER_S)
    return PageRefusedError(500, "failed")
