import pytest

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Allowance, Denied
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.relay.core import refusal

USD = 10**12


@pytest.mark.parametrize("code", [Code.RATE_LIMITED, Code.TOKENS_LIMITED, Code.CONCURRENCY_LIMITED])
def test_rate_limit_refusal_returns_how_long_to_wait(code: Code) -> None:
    error = refusal.denied(Denied(code, 2_500_000, allowance=Allowance(0, 60_000_000)), KeyLimits(rpm=60))
    assert (error.code, error.retry_after_s) == (code, 2.5)
    assert ("x-ratelimit-remaining-requests", "0") in error.headers
    assert refusal.denied(Denied(code), KeyLimits()).retry_after_s == 1


def test_insufficient_balance_refusal_contains_the_figures() -> None:
    error = refusal.denied(Denied(Code.INSUFFICIENT_BALANCE, None, USD // 2, USD // 10, 33), KeyLimits())
    assert error.details == {"needed": "0.50", "available": "0.10", "currency": "USD", "max_tokens": 33}
    assert "$0.50" in error.message and "$0.10" in error.message and "at most 33 output tokens" in error.message
    assert error.retry_after_s is None


def test_insufficient_balance_refusal_names_the_request_or_the_batch() -> None:
    denied = Denied(Code.INSUFFICIENT_BALANCE, None, USD // 2, USD // 10)
    assert ": this request needs up to $0.50, and" in refusal.denied(denied, KeyLimits()).message
    assert ": this batch needs up to $0.50, and" in refusal.denied(denied, KeyLimits(), "this batch").message


def test_refusal_without_a_model_says_the_same_whatever_the_reason_is() -> None:
    error = refusal.no_model()
    assert error.code is Code.MODEL_NOT_FOUND and "GET /v1/models" in error.message
    assert refusal.no_model("There is none.").message == "There is none."


def test_cap_refusal_with_nothing_affordable_names_no_output_tokens() -> None:
    error = refusal.denied(Denied(Code.CAP_REACHED, None, USD, 0, 0), KeyLimits())
    assert "cap of this API key" in error.message and "output tokens" not in error.message


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (Code.INSUFFICIENT_BALANCE, "Ask your administrator to add to the balance."),
        (Code.CAP_REACHED, "Ask your administrator to raise the cap."),
        (Code.BUDGET_REACHED, "Ask your administrator to raise the budget, or wait for its next period."),
    ],
)
def test_money_refusal_with_nothing_affordable_refers_to_the_administrator(code: Code, remedy: str) -> None:
    message = refusal.denied(Denied(code, None, USD, 0, 0), KeyLimits()).message
    assert message.endswith(f"this request needs up to $1.00, and $0.00 is available. {remedy}")
    assert remedy not in refusal.denied(Denied(code, None, USD, USD // 2, 40), KeyLimits()).message


def test_budget_refusal_says_when_its_next_period_begins() -> None:
    error = refusal.denied(Denied(Code.BUDGET_REACHED, 90_000_000, USD, USD // 2, 40), KeyLimits())
    assert error.retry_after_s == 90 and error.message.startswith("The budget of the project or member")
    assert (error.details["needed"], error.details["available"], error.details["max_tokens"]) == ("1.00", "0.50", 40)
    assert refusal.denied(Denied(Code.CAP_REACHED, None, USD, 0, 0), KeyLimits()).retry_after_s is None


@pytest.mark.parametrize(
    "code",
    [
        Code.PROVIDER_REFUSED,
        Code.PROVIDER_UNREACHABLE,
        Code.PROVIDER_TIMEOUT,
        Code.PROVIDER_BROKE_OFF,
        Code.PROVIDER_BUSY,
    ],
)
def test_refusal_of_every_provider_fault_has_a_full_message(code: Code) -> None:
    error = refusal.failed(ProviderFault(code, started=True))
    assert error.code is code and error.message.endswith((".", "doctor"))


def test_rate_headers_contain_only_the_limits_that_the_key_has() -> None:
    allowance = Allowance(9, 1_500_000, 90, 250_000)
    assert refusal.rate_headers(KeyLimits(rpm=10, tpm=100), allowance) == [
        ("x-ratelimit-limit-requests", "10"),
        ("x-ratelimit-remaining-requests", "9"),
        ("x-ratelimit-reset-requests", "1.500s"),
        ("x-ratelimit-limit-tokens", "100"),
        ("x-ratelimit-remaining-tokens", "90"),
        ("x-ratelimit-reset-tokens", "0.250s"),
    ]
    assert len(refusal.rate_headers(KeyLimits(tpm=100), allowance)) == 3
    assert refusal.rate_headers(KeyLimits(), Allowance()) == []
