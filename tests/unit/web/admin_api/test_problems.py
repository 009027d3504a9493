from __future__ import annotations

import json
from typing import cast

import pytest

from softix_proxy.domain.core.errors import (
    BadInputError,
    Code,
    ConflictError,
    FailureError,
    NotFoundError,
    NotPermittedError,
    OverloadedError,
    RefusedError,
    RepeatedCallError,
    StaleError,
    UnusableError,
)
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.admin_api import problems


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInputError("a", "b"), 400),
        (problems.not_signed_in("a"), 401),
        (NotPermittedError("a", "b"), 403),
        (NotFoundError("a", "b"), 404),
        (ClientGoneError(), 408),
        (ConflictError("a", "b"), 409),
        (StaleError("a", "b"), 412),
        (RefusedError(Code.BODY_TOO_LARGE, "a"), 413),
        (RepeatedCallError("a", "b"), 422),
        (FailureError("a", "b"), 424),
        (RefusedError(Code.RATE_LIMITED, "a", 2.5), 429),
        (OverloadedError("a", "b", 3), 503),
        (UnusableError("/var/lib/softix.db is full", "b", code="SQLITE_FULL", reason="the disk is full"), 503),
        (RuntimeError("secret"), 500),
    ],
)
def test_error_is_a_problem_document_of_its_status(error: Exception, status: int) -> None:
    response = problems.problem(error, "adm_1")
    told = json.loads(cast(bytes, response.body))
    assert (response.status, response.content_type) == (status, "application/problem+json")
    assert told["status"] == status and told["type"] == "about:blank" and told["request_id"] == "adm_1"
    assert status == 500 or status in problems.STATUSES
    assert "secret" not in str(told) and "/var/lib" not in str(told)
    assert ("Retry-After" in response.headers) == (status in (429, 503))
