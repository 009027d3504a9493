from __future__ import annotations

from support.abuse_traffic import found, office_key

from softix_proxy.domain.abuse.evidence import HourUse
from softix_proxy.domain.abuse.rules.token_use import RULE


def test_tokens_far_above_the_usual_are_noticed_with_both_numbers() -> None:
    [suspicion] = found(RULE, office_key(HourUse(requests=40, tokens=1_000_001)))
    assert "1,000,001 tokens" in suspicion.text and "at most 100,000" in suspicion.text
    assert suspicion.figures == {"tokens": 1_000_001, "usual_tokens": 100_000}


def test_tokens_of_a_free_model_are_noticed_too() -> None:
    assert found(RULE, office_key(HourUse(requests=1, tokens=50_000_000, charge_pico=0)))


def test_tokens_near_what_is_usual_are_not_noticed() -> None:
    assert found(RULE, office_key(HourUse(requests=40, tokens=999_999))) == [], "fewer than a million"
    busy = HourUse(requests=40, tokens=125_000)
    assert found(RULE, office_key(HourUse(requests=40, tokens=1_000_000), usual=busy)) == [], "eight times, not more"
    assert found(RULE, office_key(HourUse(requests=40, tokens=9_000_000), days=6)) == [], "the key is too new"
