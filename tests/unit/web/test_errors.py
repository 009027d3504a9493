import json

import pytest

from softix_proxy.domain.core.errors import HTTP_STATUS, Code, RefusedError
from softix_proxy.web.errors import answer


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("family", ["openai", "anthropic"])
def test_error_response_of_each_code_has_its_status_and_message(code: Code, family: str) -> None:
    response = answer(family, RefusedError(code, "It is so.", details={"needed": "1.00"}), "req_1")  # type: ignore[arg-type]
    assert response.status == HTTP_STATUS[code] and response.content_type == "application/json"
    assert isinstance(response.body, bytes)
    assert "It is so." in json.loads(response.body)["error"]["message"]
    assert ("x-should-retry" in response.headers) is (
        code in (Code.INSUFFICIENT_BALANCE, Code.CAP_REACHED, Code.BUDGET_REACHED)
    )


@pytest.mark.parametrize(("wait_s", "told"), [(0.2, "1"), (1, "1"), (1.5, "2"), (None, None)])
def test_error_response_with_a_wait_has_a_rounded_retry_after_header(wait_s: float | None, told: str | None) -> None:
    response = answer("openai", RefusedError(Code.RATE_LIMITED, "x", wait_s, headers=(("x-a", "b"),)), "req_1")
    assert response.headers.get("Retry-After") == told and response.headers["x-a"] == "b"


def test_error_response_of_some_codes_closes_the_connection() -> None:
    closing = {code for code in Code if answer("openai", RefusedError(code, "x"), "req_1").keep_alive is False}
    assert closing == {Code.BODY_TOO_LARGE, Code.REQUEST_TIMEOUT, Code.SHUTTING_DOWN}
    assert "Upgrade" in answer("openai", RefusedError(Code.UPGRADE_REQUIRED, "x"), "req_1").headers
