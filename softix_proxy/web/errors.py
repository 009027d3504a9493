"""Turns an error into an HTTP response, in the dialect of the client."""

from __future__ import annotations

from math import ceil

from aiohttp import web
from multidict import CIMultiDict

from softix_proxy.dialects.core import errors
from softix_proxy.dialects.core.base import Family
from softix_proxy.domain.core.errors import HTTP_STATUS, Code, RefusedError

_DO_NOT_RETRY = frozenset((Code.INSUFFICIENT_BALANCE, Code.CAP_REACHED, Code.BUDGET_REACHED))
"""The codes for which another try changes nothing until someone pays, or until a budget's next period.

Nearly every client obeys this header, whatever `Retry-After` says.
"""
_CLOSES = frozenset((Code.BODY_TOO_LARGE, Code.REQUEST_TIMEOUT, Code.SHUTTING_DOWN))


def answer(family: Family, error: RefusedError, request_id: str) -> web.Response:
    headers = CIMultiDict(error.headers)
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(ceil(error.retry_after_s), 1))
    if error.code in _DO_NOT_RETRY:
        headers["x-should-retry"] = "false"
    if error.code is Code.UPGRADE_REQUIRED:
        headers["Upgrade"] = "HTTP/1.1"
    response = web.Response(
        status=HTTP_STATUS[error.code],
        headers=headers,
        body=errors.render(family, error.code, error.message, request_id, error.details),
        content_type="application/json",
    )
    if error.code in _CLOSES:
        response.force_close()
    return response
