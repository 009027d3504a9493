from zoneinfo import ZoneInfo

from support.posted import options

from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.exports.reporting.formats import FORMS


def test_a_day_is_that_of_the_zone() -> None:
    late = parse_instant("2026-10-31T23:30:00Z")
    assert options(FORMS["hledger"]).day(late).isoformat() == "2026-10-31"
    assert options(FORMS["hledger"], zone=ZoneInfo("Europe/Berlin")).day(late).isoformat() == "2026-11-01"
    assert options(FORMS["hledger"], zone=ZoneInfo("Asia/Kathmandu")).day(late).isoformat() == "2026-11-01"


def test_several_files_and_cents_go_with_what_is_added_up() -> None:
    for name, form in FORMS.items():
        assert form.granularities, name
        if "row" not in form.granularities:
            assert form.history, f"{name} counts in cents, so it has to know what was before"
    assert [name for name, form in FORMS.items() if form.several] == ["xero"]
