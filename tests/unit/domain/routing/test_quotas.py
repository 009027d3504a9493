import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.routing.quotas import LONGEST_US, read, reset_us, retry_after_us

NOW_US = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z


@pytest.mark.parametrize(
    ("text", "expected_us"),
    [
        ("6m0s", 360_000_000),
        ("1s", 1_000_000),
        ("17ms", 17_000),
        ("2m59.56s", 179_560_000),
        ("1h2m", 3_600_000_000),
        ("7", 7_000_000),
        ("0.5", 500_000),
        ("2027-01-15T08:00:30Z", 30_000_000),
        ("2027-01-15T10:00:30+02:00", 30_000_000),
        ("2020-01-01T00:00:00Z", 0),
        ("99999999", LONGEST_US),
        ("soon", 1_000_000),
        ("", 1_000_000),
        ("1s;drop", 1_000_000),
    ],
)
def test_quota_reset_in_any_form_is_parsed_to_a_bounded_duration(text: str, expected_us: int) -> None:
    assert reset_us(text, NOW_US) == expected_us


@pytest.mark.parametrize(
    ("headers", "expected_us"),
    [
        ([("retry-after", "3")], 3_000_000),
        ([("retry-after-ms", "250"), ("retry-after", "3")], 250_000),
        ([("retry-after", "Fri, 15 Jan 2027 08:00:10 GMT")], 10_000_000),
        ([("retry-after", "0")], 0),
        ([("retry-after", "-1")], None),
        ([("retry-after", "tomorrow")], None),
        ([], None),
    ],
)
def test_retry_after_header_in_any_form_is_parsed_or_none(
    headers: list[tuple[str, str]], expected_us: int | None
) -> None:
    assert retry_after_us(headers, NOW_US) == expected_us


def test_quotas_in_headers_of_openai_and_anthropic_are_read() -> None:
    openai = read(
        [
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "20s"),
            ("x-ratelimit-remaining-tokens", "500"),
            ("x-ratelimit-reset-tokens", "6s"),
        ],
        NOW_US,
    )
    assert openai is not None and openai.requests is not None and openai.tokens is not None
    assert openai.requests.short_until_us(1) == NOW_US + 20_000_000
    assert openai.tokens.short_until_us(500) == 0
    assert openai.tokens.short_until_us(501) == NOW_US + 6_000_000
    anthropic = read(
        [
            ("anthropic-ratelimit-tokens-remaining", "900"),
            ("anthropic-ratelimit-input-tokens-remaining", "10"),
            ("anthropic-ratelimit-input-tokens-reset", "2027-01-15T08:00:05Z"),
        ],
        NOW_US,
    )
    assert anthropic is not None and anthropic.requests is None and anthropic.tokens is not None
    assert anthropic.tokens.short_until_us(11) == NOW_US + 5_000_000


@pytest.mark.parametrize("value", ["", "-1", "many", "1.5", "9" * 40])
def test_quotas_with_unreadable_headers_are_none(value: str) -> None:
    assert read([("x-ratelimit-remaining-requests", value), ("content-type", "a")], NOW_US) is None


@given(st.text(max_size=30))
def test_quota_headers_with_any_text_raise_no_error(text: str) -> None:
    assert 0 <= reset_us(text, NOW_US) <= LONGEST_US
    assert 0 <= (retry_after_us([("retry-after", text)], NOW_US) or 0) <= LONGEST_US
    read([("x-ratelimit-remaining-tokens", text), ("x-ratelimit-reset-tokens", text)], NOW_US)
