"""The rules must be quiet in a normal month. The month is generated, and always the same one."""

from __future__ import annotations

from collections import Counter

from support.abuse_traffic import NormalKey, normal_days

from softix_proxy.domain.abuse.evidence import KeyHours
from softix_proxy.domain.abuse.rule_table import RULES

KEYS, DAYS, WARM_UP_DAYS, SEED = 400, 30, 35, 20_261
MOST_OF_TEN_THOUSAND = 1


def test_all_rules_together_raise_less_than_one_false_alarm_in_10000_key_days() -> None:
    alarms: Counter[tuple[str, int, int]] = Counter()
    keys = [NormalKey(number, SEED) for number in range(KEYS)]
    rules = [rule for rule in RULES.values() if rule.evidence is KeyHours]
    assert len(rules) >= 6
    hours = 0
    for use in normal_days(keys, warm_up_days=WARM_UP_DAYS, days=DAYS):
        hours += 1
        for rule in rules:
            for _ in rule.find(use, rule.defaults):
                alarms[(rule.name, use.key_id, use.hour // 24)] += 1
    key_days = KEYS * DAYS
    assert hours > 50_000, "the month is not empty"
    assert len(alarms) * 10_000 < MOST_OF_TEN_THOUSAND * key_days, sorted(alarms)
