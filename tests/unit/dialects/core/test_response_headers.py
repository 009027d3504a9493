import pytest

from softix_proxy.dialects.core.response_headers import RETURNED, returned


@pytest.mark.parametrize(
    ("name", "value", "passes"),
    [
        ("retry-after", "30", True),
        ("retry-after", "0.5", True),
        ("retry-after", "86400", True),
        ("retry-after", "86401", False),
        ("retry-after", "999999999999", False),
        ("retry-after", "-1", False),
        ("retry-after", "1e9", False),
        ("retry-after", "Fri, 31 Dec 2999 23:59:59 GMT", False),
        ("retry-after-ms", "1500", True),
        ("retry-after-ms", "999999999", False),
        ("openai-poll-after-ms", "5000", True),
        ("x-should-retry", "true", True),
        ("x-should-retry", "false", True),
        ("x-should-retry", "always", False),
        ("x-request-id", "anything", True),
    ],
)
def test_header_that_clients_obey_passes_only_with_a_sensible_value(name: str, value: str, passes: bool) -> None:
    assert returned([(name, value)]) == ([(name, value)] if passes else [])


def test_returned_headers_have_no_control_characters() -> None:
    assert returned([("x-request-id", "a\r\nset-cookie: b\x00\u202e")]) == [("x-request-id", "aset-cookie: b")]


def test_returned_headers_are_in_lower_case_and_name_no_account_and_no_policy() -> None:
    assert all(name == name.lower() and reason for name, reason in RETURNED.items())
    for word in ("organization", "project", "cookie", "policy", "authenticate", "ratelimit", "location", "softix"):
        assert not any(word in name for name in RETURNED)
