from zoneinfo import ZoneInfo

from support.posted import options

from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.exports.reporting.formats import FORMS


def test_form_options_with_a_zone_return_the_day_in_that_zone() -> None:
    late = parse_instant("2026-10-31T23:30:00Z")
    assert options(FORMS["hledger"]).day(late).isoformat() == "2026-10-31"
    assert options(FORMS["hledger"], zone=ZoneInfo("Europe/Berlin")).day(late).isoformat() == "2026-11-01"
    assert options(FORMS["hledger"], zone=ZoneInfo("Asia/Kathmandu")).day(late).isoformat() == "2026-11-01"


def test_forms_without_row_granularity_require_the_history() -> None:
    for name, form in FORMS.items():
        assert form.granularities, name
        if "row" not in form.granularities:
            assert form.history, f"{name} counts in cents, so it has to know what was before"
    assert [name for name, form in FORMS.items() if form.several] == ["xero"]
