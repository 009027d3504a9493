import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.operations.access.limit_terms import AskedTerms
from softix_proxy.web.portal.product.cap_form import read, shown

USD = 10**12


def test_cap_form_gives_an_exact_amount_and_the_terms_that_are_filled_in() -> None:
    assert read({"amount": "$0.10", "period": "day"}) == AskedLimits("", {"day": USD // 10})
    sent = {"amount": "5", "period": "month", "model": " openai/* ", "zone": "UTC", "reset_day": "15", "until": ""}
    assert read(sent) == AskedLimits("openai/*", {"month": 5 * USD}, AskedTerms(zone="UTC", reset_day="15"))


def test_cap_form_with_the_word_none_removes_the_cap() -> None:
    assert read({"amount": "none", "period": "total"}) == AskedLimits("", {"total": None})


@pytest.mark.parametrize("form", [{}, {"amount": "1"}, {"period": "day"}, {"amount": "1", "period": "year"}])
def test_cap_form_without_a_period_or_amount_is_refused(form: dict[str, str]) -> None:
    with pytest.raises(BadInputError):
        read(form)


def test_cap_form_shows_what_was_sent() -> None:
    assert shown({"amount": "x", "label": "y"}) | {"amount": ""} == {
        "amount": "", "period": "month", "model": "", "zone": "", "reset_day": "", "alerts": "", "until": "",
    }  # fmt: skip
