from __future__ import annotations

from support.abuse_traffic import CENT_PICO, DAY_HOURS, NOW_HOUR, found, office_key

from softix_proxy.domain.abuse.evidence import HourUse
from softix_proxy.domain.abuse.rules.spend import RULE


def spending(cents: int) -> HourUse:
    return HourUse(requests=40, charge_pico=cents * CENT_PICO)


def test_spending_eight_times_the_usual_is_noticed_with_both_amounts() -> None:
    [suspicion] = found(RULE, office_key(spending(501)))
    assert (suspicion.subject, suspicion.key_id, suspicion.user_id) == ("key_seven", 7, 3)
    assert "5.01 US dollars" in suspicion.text and "at most 0.50" in suspicion.text
    assert suspicion.figures == {"spent_pico": 501 * CENT_PICO, "usual_pico": 50 * CENT_PICO}


def test_spending_at_night_is_compared_with_the_greatest_hours_of_the_key() -> None:
    night = NOW_HOUR - NOW_HOUR % DAY_HOURS + 2
    assert found(RULE, office_key(spending(399), hour=night)) == []
    assert found(RULE, office_key(spending(501), hour=night))


def test_spending_near_what_is_usual_is_not_noticed() -> None:
    assert found(RULE, office_key(spending(400))) == [], "eight times the usual is not more than that"
    assert found(RULE, office_key(spending(499))) == [], "less than five dollars"
    assert found(RULE, office_key(spending(10_000), days=6)) == [], "the key is too new"
    assert found(RULE, office_key(spending(501)), factor=20) == [], "tuned"


def test_spending_of_a_key_that_does_it_each_week_is_not_noticed() -> None:
    key = office_key(spending(2000))
    weekly = {NOW_HOUR - week * 168: spending(2000) for week in (1, 2, 3, 4)}
    assert found(RULE, key) != []
    key.hours.update(weekly)  # type: ignore[attr-defined] # the hours of a test are a dict
    assert found(RULE, key) == []
