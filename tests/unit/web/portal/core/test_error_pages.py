"""Which page an error becomes, and that nothing of the error is on it."""

from __future__ import annotations

import logging

import pytest

from softix_proxy.domain.core.errors import (
    BadInputError,
    Code,
    ConflictError,
    FailureError,
    NotFoundError,
    RefusedError,
    UnusableError,
)
from softix_proxy.exports.core.texts import texts
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.portal.core.error_pages import PageRefusedError, error_answer, missing

SECRET = "ada@example.org"


@pytest.mark.parametrize(
    ("error", "status", "name", "wait_s"),
    [
        (missing(), 404, "missing", None),
        (PageRefusedError(421, "missing"), 421, "missing", None),
        (NotFoundError(SECRET), 404, "missing", None),
        (BadInputError(SECRET, SECRET), 400, "input", None),
        (ConflictError(SECRET), 409, "input", None),
        (RefusedError(Code.BODY_TOO_LARGE, SECRET), 413, "large", None),
        (RefusedError(Code.REQUEST_TIMEOUT, SECRET), 408, "slow", None),
        (RefusedError(Code.RATE_LIMITED, SECRET, retry_after_s=1.2), 429, "slow_down", 2),
        (RefusedError(Code.INVALID_REQUEST, SECRET), 400, "input", None),
        (UnusableError(SECRET, "", code="SQLITE_FULL", reason=SECRET), 503, "unavailable", 5),
        (FailureError(SECRET), 503, "unavailable", 5),
        (ClientGoneError(), 408, "slow", None),
        (ValueError(SECRET), 500, "failed", None),
    ],
)
def test_error_becomes_the_page_that_says_what_a_person_can_do(
    error: Exception, status: int, name: str, wait_s: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        page, retry_after_s = error_answer(error, "pag_1", 16)
    assert (page.status, page.values["name"], retry_after_s) == (status, name, wait_s)
    assert SECRET not in str(page.values)
    assert SECRET not in "".join(record.getMessage() for record in caplog.records)
    assert {f"error.{name}", f"error.{name}_next"} <= set(texts())


def test_failure_of_the_server_has_a_number_and_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    page, _ = error_answer(ValueError(SECRET), "pag_1", 16)
    assert page.values["request_id"] == "pag_1"
    [record] = caplog.records
    assert record.__dict__["request_id"] == "pag_1"


def test_page_for_a_form_that_is_too_large_says_how_large_it_may_be() -> None:
    page, _ = error_answer(RefusedError(Code.BODY_TOO_LARGE, ""), "pag_1", 16)
    assert page.values["told"] == {"size": 16}
