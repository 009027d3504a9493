from __future__ import annotations

import pytest
from support.abuse_traffic import DAY_HOURS, NOW_HOUR, found, key_use, office_key

from softix_proxy.domain.abuse.evidence import HourUse
from softix_proxy.domain.abuse.rules.off_hours import RULE

MIDNIGHT = NOW_HOUR - NOW_HOUR % DAY_HOURS
BUSY = HourUse(requests=50)


def test_use_at_an_hour_at_which_the_key_never_was_used_is_noticed() -> None:
    [suspicion] = found(RULE, office_key(BUSY, hour=MIDNIGHT + 3))
    assert "50 requests between 3:00 and 4:00" in suspicion.text and "never used" in suspicion.text
    assert suspicion.figures == {"requests": 50, "hour_of_day": 3, "usual_requests": 40}


@pytest.mark.parametrize("hour", [6, 8, 12, 17, 19])
def test_use_in_or_near_its_hours_is_not_noticed(hour: int) -> None:
    assert found(RULE, office_key(BUSY, hour=MIDNIGHT + hour)) == []


def test_little_use_and_a_new_key_and_one_around_the_clock_are_not_noticed() -> None:
    assert found(RULE, office_key(HourUse(requests=49), hour=MIDNIGHT + 3)) == []
    assert found(RULE, office_key(BUSY, hour=MIDNIGHT + 3, days=20)) == [], "not known for four weeks"
    always = {hour: BUSY for hour in range(MIDNIGHT - 35 * DAY_HOURS, MIDNIGHT) if hour % 24 != 3}
    assert found(RULE, key_use({**always, MIDNIGHT + 3: BUSY}, MIDNIGHT + 3)) == []


def test_hours_that_are_set_count_from_the_first_day() -> None:
    own = {"from_hour": 8, "to_hour": 18}
    [suspicion] = found(RULE, key_use({MIDNIGHT + 18: BUSY}, MIDNIGHT + 18), **own)
    assert "its hours are 8 to 18" in suspicion.text
    assert found(RULE, key_use({MIDNIGHT + 17: BUSY}, MIDNIGHT + 17), **own) == []
    night = {"from_hour": 22, "to_hour": 4}
    assert found(RULE, key_use({MIDNIGHT + 3: BUSY}, MIDNIGHT + 3), **night) == []
    assert found(RULE, key_use({MIDNIGHT + 4: BUSY}, MIDNIGHT + 4), **night)


def test_weekend_is_outside_of_hours_only_if_that_is_set() -> None:
    saturday, own = MIDNIGHT + DAY_HOURS + 12, {"from_hour": 8, "to_hour": 18}
    assert found(RULE, key_use({saturday: BUSY}, saturday), **own) == []
    assert found(RULE, key_use({saturday: BUSY}, saturday), weekdays_only=1, **own)
