from __future__ import annotations

from dataclasses import replace

from support.abuse_traffic import found, office_key

from softix_proxy.domain.abuse.evidence import Everyone, HourUse
from softix_proxy.domain.abuse.rules.refused_requests import RULE


def test_burst_of_refusals_is_noticed_with_the_numbers() -> None:
    [suspicion] = found(RULE, office_key(HourUse(requests=40, refused=200)))
    assert "refused 200 requests" in suspicion.text and "let 40 pass" in suspicion.text
    assert suspicion.figures == {"refused": 200, "requests": 40, "usual_refused": 1}


def test_refusals_of_a_revoked_key_are_noticed_although_nothing_passes() -> None:
    assert found(RULE, office_key(HourUse(refused=500), days=0))


def test_refusals_that_everybody_has_are_not_noticed() -> None:
    key = office_key(HourUse(requests=40, refused=500))
    assert found(RULE, replace(key, everyone=Everyone(refused=501))) == []


def test_few_refusals_or_a_small_share_or_a_usual_number_are_not_noticed() -> None:
    assert found(RULE, office_key(HourUse(requests=40, refused=199))) == []
    assert found(RULE, office_key(HourUse(requests=301, refused=300))) == []
    limited = HourUse(requests=40, refused=60)
    assert found(RULE, office_key(HourUse(requests=40, refused=300), usual=limited)) == [], "it runs into its limit"
