from decimal import Decimal

import pytest

from softix_proxy.domain.billing.taxes import (
    RULES,
    Category,
    Treatment,
    parse_category,
    parse_country,
    parse_rate,
    parse_vat_id,
)
from softix_proxy.domain.core.errors import BadInputError


def test_treatment_of_category_other_than_standard_has_no_rate() -> None:
    for category in Category:
        made = Treatment.of(category, Decimal(19), "because")
        assert made.rate == (19 if category is Category.STANDARD else 0)
        assert bool(made.reason) is RULES[category].explained


def test_treatment_with_own_reason_has_no_reason_code() -> None:
    usual = Treatment.of(Category.REVERSE_CHARGE, Decimal(0))
    assert "Reverse charge" in usual.reason and usual.reason_code == "VATEX-EU-AE"
    other = Treatment.of(Category.REVERSE_CHARGE, Decimal(0), "§ 13b UStG")
    assert (other.reason, other.reason_code) == ("§ 13b UStG", "")
    assert other.rule.buyer_vat_id


@pytest.mark.parametrize(("category", "remedy"), [(Category.STANDARD, "tax_rate"), (Category.EXEMPT, "tax_reason")])
def test_treatment_without_rate_or_reason_is_refused_with_the_setting_to_set(category: Category, remedy: str) -> None:
    with pytest.raises(BadInputError) as caught:
        Treatment.of(category, Decimal(0))
    assert remedy in caught.value.remedy


def test_tax_parsers_with_loosely_written_input_return_the_normal_form() -> None:
    assert parse_category("ae") is Category.REVERSE_CHARGE
    assert parse_rate(" 7.7 ") == Decimal("7.7")
    assert parse_vat_id("atu 1234.56-78") == "ATU12345678"
    assert parse_country(" de ") == "DE"


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_category, "X"),
        (parse_rate, "1e1"),
        (parse_rate, "-1"),
        (parse_rate, "100"),
        (parse_vat_id, "123456789"),
        (parse_vat_id, ""),
        (parse_country, "Germany"),
    ],
)
def test_tax_parsers_with_bad_input_refuse_it(parse: object, text: str) -> None:
    with pytest.raises(BadInputError):
        parse(text)  # type: ignore[operator]
