import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.access.limit_terms import AskedTerms
from softix_proxy.web.portal.organisation.budget_form import AskedBudget, read, shown


def test_budget_form_gives_an_exact_amount_and_its_period() -> None:
    assert read({"amount": " 0.10 ", "period": "day"}) == AskedBudget(100_000_000_000, "day")


def test_budget_form_reads_an_amount_as_people_write_it() -> None:
    assert read({"amount": "$1,250.50", "period": "month"}) == AskedBudget(1_250_500_000_000_000, "month")
    with pytest.raises(BadInputError):
        read({"amount": "0,500", "period": "month"})


@pytest.mark.parametrize("form", [{}, {"amount": "1"}, {"amount": "1e3", "period": "day"}, {"period": "total"}])
def test_budget_form_without_a_period_or_amount_is_refused(form: dict[str, str]) -> None:
    with pytest.raises(BadInputError):
        read({"amount": "1", **form} if "period" in form and form["period"] == "total" else form)


def test_budget_form_shows_what_was_sent_or_what_is_usual() -> None:
    empty = {"zone": "", "reset_day": "", "alerts": "", "until": ""}
    assert shown({}) == {"amount": "", "period": "month", **empty}
    sent = {"amount": "x", "period": "day", "role": "owner", "zone": "UTC"}
    assert shown(sent) == {"amount": "x", "period": "day", **empty, "zone": "UTC"}


def test_budget_form_gives_the_terms_that_are_filled_in() -> None:
    sent = {"amount": "1", "period": "week", "zone": " UTC ", "reset_day": "monday", "alerts": "", "until": ""}
    assert read(sent).terms == AskedTerms(zone="UTC", reset_day="monday")
