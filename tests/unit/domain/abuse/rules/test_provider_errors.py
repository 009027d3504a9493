from __future__ import annotations

from dataclasses import replace

from support.abuse_traffic import found, office_key

from softix_proxy.domain.abuse.evidence import Everyone, HourUse
from softix_proxy.domain.abuse.rules.provider_errors import RULE


def test_errors_that_only_one_key_has_are_noticed_with_the_share() -> None:
    [suspicion] = found(RULE, office_key(HourUse(requests=100, failures=50)))
    assert "50 of the key's 100 requests" in suspicion.text and "at most 1" in suspicion.text
    assert suspicion.figures == {"failures": 50, "requests": 100, "usual_failures": 1}


def test_errors_of_a_new_key_are_noticed_at_once() -> None:
    assert found(RULE, office_key(HourUse(requests=60, failures=60), days=0))


def test_errors_while_the_provider_fails_for_others_are_not_noticed() -> None:
    key = office_key(HourUse(requests=100, failures=100))
    assert found(RULE, replace(key, everyone=Everyone(requests=1000, failures=199)))
    assert found(RULE, replace(key, everyone=Everyone(requests=1000, failures=200))) == []


def test_few_errors_or_a_small_share_or_a_usual_number_are_not_noticed() -> None:
    assert found(RULE, office_key(HourUse(requests=49, failures=49))) == []
    assert found(RULE, office_key(HourUse(requests=101, failures=50))) == []
    often = HourUse(requests=40, failures=10)
    assert found(RULE, office_key(HourUse(requests=60, failures=50), usual=often)) == []
