from __future__ import annotations

from support.abuse_traffic import NOW_HOUR, found, key_use, office_key

from softix_proxy.domain.abuse.evidence import HourUse
from softix_proxy.domain.abuse.rules.hang_ups import RULE


def test_client_that_hangs_up_on_most_answers_is_noticed() -> None:
    [suspicion] = found(RULE, key_use({NOW_HOUR: HourUse(requests=100, hang_ups=60)}, NOW_HOUR))
    assert "60 of the key's 100 requests" in suspicion.text and "Usually it does so in 0 percent" in suspicion.text
    assert suspicion.figures == {"hang_ups": 60, "requests": 100, "usual_percent": 0}


def test_hang_ups_of_three_hours_count_together() -> None:
    each = HourUse(requests=30, hang_ups=20)
    assert found(RULE, key_use({NOW_HOUR - 2: each, NOW_HOUR - 1: each, NOW_HOUR: each}, NOW_HOUR))
    assert found(RULE, key_use({NOW_HOUR - 3: each, NOW_HOUR - 1: each, NOW_HOUR: each}, NOW_HOUR)) == []


def test_people_who_press_stop_are_not_noticed() -> None:
    assert found(RULE, key_use({NOW_HOUR: HourUse(requests=101, hang_ups=60)}, NOW_HOUR)) == []
    assert found(RULE, key_use({NOW_HOUR: HourUse(requests=59, hang_ups=59)}, NOW_HOUR)) == []


def test_client_that_always_reads_only_the_beginning_is_not_noticed() -> None:
    always = HourUse(requests=40, hang_ups=30)
    assert found(RULE, office_key(HourUse(requests=100, hang_ups=90), usual=always)) == []
