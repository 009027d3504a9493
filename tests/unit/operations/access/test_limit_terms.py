"""What a limit becomes by the terms that are asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.metering.budgets import Budget
from softix_proxy.operations.access.limit_terms import AskedTerms, changed_terms, terms_fields

NOW_US = parse_instant("2026-11-25T12:00:00Z")
NEW = Budget(0, "bud_a", 1, None, 2, "month", 1000, 1)
OLD = replace(NEW, id=3, alerts="10", raised_pico=2000, raised_until_us=NOW_US + 1)


def asked(existing: Budget | None = None, amount_pico: int | None = None, **terms: str) -> Budget:
    return changed_terms(NEW, existing, amount_pico, AskedTerms(**terms), NOW_US, "Asia/Kolkata")


def test_new_limit_gets_the_terms_and_an_existing_one_keeps_what_is_not_asked_for() -> None:
    assert asked() == NEW
    made = asked(zone="Europe/Berlin", reset_day="15", alerts="100, 50%,50")
    assert made == replace(NEW, zone="Europe/Berlin", reset_day=15, alerts="50,100")
    assert asked(OLD) == OLD
    assert asked(OLD, 1500) == replace(OLD, amount_pico=1500), "the raise stays in force until its end"
    assert asked(made, alerts="none", zone="none", reset_day="none") == replace(NEW, alerts="")


def test_raise_begins_now_and_ends_with_the_first_instant_of_the_day_in_the_zone() -> None:
    raised = asked(NEW, 5000, until="2026-12-24")
    assert (raised.amount_pico, raised.raised_pico) == (1000, 5000)
    assert raised.raised_until_us == parse_instant("2026-12-23T18:30:00Z"), "in the zone that is billed in"
    berlin = asked(replace(NEW, zone="Europe/Berlin"), 5000, until="2026-12-24")
    assert berlin.raised_until_us == parse_instant("2026-12-23T23:00:00Z")
    exact = asked(NEW, 5000, until="2026-12-24T12:00:00Z")
    assert exact.raised_until_us == parse_instant("2026-12-24T12:00:00Z")


def test_second_raise_replaces_the_first_and_none_ends_it() -> None:
    again = asked(OLD, 3000, until="2026-12-24")
    assert again.raised_pico == 3000 and again.raised_until_us != OLD.raised_until_us
    ended = asked(OLD, until="none")
    assert (ended.amount_pico, ended.raised_pico, ended.raised_until_us) == (1000, None, None)


def test_amount_in_force_is_the_higher_one_until_the_end() -> None:
    raised = replace(OLD, raised_pico=2000, raised_until_us=NOW_US)
    assert [raised.amount_at(NOW_US - 1), raised.amount_at(NOW_US), NEW.amount_at(NOW_US)] == [2000, 1000, 1000]
    assert replace(raised, amount_pico=3000).amount_at(NOW_US - 1) == 3000, "a base that was set higher counts"


@pytest.mark.parametrize(
    ("existing", "amount_pico", "terms", "message"),
    [
        (None, 5000, {"until": "2026-12-24"}, "no such limit"),
        (NEW, 1000, {"until": "2026-12-24"}, "above the limit"),
        (NEW, None, {"until": "2026-12-24"}, "above the limit"),
        (NEW, 5000, {"until": "2026-11-25T12:00:00Z"}, "in the future"),
        (NEW, 5000, {"until": "Christmas"}, "not a date"),
        (None, 1, {"zone": "Berlin"}, "not a time zone"),
        (None, 1, {"reset_day": "monday"}, "a month can begin"),
        (None, 1, {"reset_day": "32"}, "not a reset day"),
        (None, 1, {"alerts": "0"}, "not percents"),
        (None, 1, {"alerts": "50,101"}, "not percents"),
        (None, 1, {"alerts": "50,,"}, "not percents"),
        (None, 1, {"alerts": "1,2,3,4,5,6,7,8,9,10,11"}, "at most 10"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused(
    existing: Budget | None, amount_pico: int | None, terms: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInputError, match=message):
        asked(existing, amount_pico, **terms)


def test_number_is_no_day_of_a_week() -> None:
    with pytest.raises(BadInputError, match="a week can begin"):
        changed_terms(replace(NEW, period="week"), None, 1, AskedTerms(reset_day="2"), NOW_US, "UTC")


def test_terms_are_shown_with_the_end_of_a_raise_that_is_in_force() -> None:
    limit = replace(OLD, zone="UTC", reset_day=3, raised_pico=2 * 10**12)
    assert terms_fields(limit, is_raised=True) == {
        "zone": "UTC",
        "reset_day": "3",
        "alerts": [10],
        "raised_to": "2.00",
        "raised_until": "2026-11-25T12:00:00.000001Z",
    }
    assert terms_fields(limit, is_raised=False)["raised_until"] is None
