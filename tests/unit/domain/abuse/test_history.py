from __future__ import annotations

from support.abuse_traffic import NOW_HOUR, key_use

from softix_proxy.domain.abuse.evidence import HourUse
from softix_proxy.domain.abuse.history import is_known, usual


def tokens(hour: HourUse) -> int:
    return hour.tokens


def test_usual_is_the_median_of_the_weeks_by_the_most_near_this_hour() -> None:
    weeks = {1: 100, 2: 110, 3: 120, 4: 9_000}
    hours = {NOW_HOUR - week * 168 + week % 2: HourUse(tokens=value) for week, value in weeks.items()}
    found = usual(key_use({**hours, NOW_HOUR: HourUse(tokens=1)}, NOW_HOUR), tokens)
    assert found.same_hour == 110 + 10 * 10, "values 100, 110, 120, 9,000: their median and ten deviations"
    assert found.top == found.most == 9_000


def test_hours_without_use_count_as_nothing() -> None:
    hours = {NOW_HOUR - 4 * 168: HourUse(tokens=500), NOW_HOUR - 5: HourUse(tokens=7)}
    assert usual(key_use(hours, NOW_HOUR), tokens).same_hour == 0
    assert usual(key_use({}, NOW_HOUR), tokens) == (0, 0)


def test_key_is_known_after_days_with_enough_hours_of_use() -> None:
    hours = {NOW_HOUR - 7 * 24 + number: HourUse(requests=1) for number in range(24)}
    assert is_known(key_use(hours, NOW_HOUR), 7)
    assert not is_known(key_use(hours, NOW_HOUR), 8)
    assert not is_known(key_use(hours, NOW_HOUR), 7, active_hours=25)
