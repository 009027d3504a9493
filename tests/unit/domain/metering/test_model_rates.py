"""The limits a minute for patterns of models: one request counts in all of them, or in none."""

from softix_proxy.domain.access.keys import ModelRate
from softix_proxy.domain.access.limits import MINUTE_US
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.model_rates import ModelRateState, TooFast, adjust, arrive, count

NOW_US = 1_800_000_000_000_000
RATES = (ModelRate("openai/*", 2, None), ModelRate("gpt-*", None, 100))


def test_requests_pass_until_one_of_the_limits_is_reached() -> None:
    states = {rate.models: ModelRateState() for rate in RATES}
    for tokens in (60, 40):
        after = arrive(RATES, states, tokens, NOW_US)
        assert isinstance(after, list)
        count(RATES, states, after)
    before = dict(states)
    assert arrive(RATES, states, 1, NOW_US) == TooFast(
        Code.RATE_LIMITED, MINUTE_US // 2, "2 requests a minute for openai/*"
    )
    found = arrive(RATES[1:], states, 1, NOW_US)
    assert found == TooFast(Code.TOKENS_LIMITED, MINUTE_US // 100, "100 tokens a minute for gpt-*")
    assert states == before, "a refused request counts in none"


def test_request_larger_than_a_minutes_tokens_passes_when_the_limit_is_free() -> None:
    states = {"gpt-*": ModelRateState()}
    assert isinstance(arrive(RATES[1:], states, 5000, NOW_US), list)


def test_tokens_that_were_set_aside_are_replaced_by_those_that_were_used() -> None:
    state = ModelRateState(tpm_tat_us=NOW_US + MINUTE_US)
    adjust(RATES[1], state, 5000, 50, NOW_US)
    assert state.tpm_tat_us == NOW_US + MINUTE_US // 2
    adjust(RATES[0], state, 1, 2, NOW_US)
    assert state.tpm_tat_us == NOW_US + MINUTE_US // 2, "it has no limit of tokens"


def test_clocks_that_were_ahead_come_back() -> None:
    state = ModelRateState(NOW_US + 2 * MINUTE_US, NOW_US + 100 * MINUTE_US)
    state.come_back(NOW_US)
    assert (state.rpm_tat_us, state.tpm_tat_us) == (NOW_US, NOW_US)
    kept = ModelRateState(NOW_US + MINUTE_US, NOW_US + MINUTE_US)
    kept.come_back(NOW_US)
    assert (kept.rpm_tat_us, kept.tpm_tat_us) == (NOW_US + MINUTE_US, NOW_US + MINUTE_US)
