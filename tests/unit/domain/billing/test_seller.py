from dataclasses import replace
from decimal import Decimal

import pytest
from support.billing import BUYER, SELLER, treatment

from softix_proxy.domain.billing.bill import Customer, DocumentKind, Party
from softix_proxy.domain.billing.seller import Billing, parse_iban, parse_series, require_buyer
from softix_proxy.domain.billing.taxes import Category
from softix_proxy.domain.core.errors import BadInputError

CUSTOMER = Customer(1, BUYER)


def test_series_of_each_document_kind_is_its_own_with_the_year_of_issue() -> None:
    assert SELLER.series(DocumentKind.INVOICE, 2026) == "INV-2026-"
    assert len({SELLER.series(kind, 2026) for kind in DocumentKind}) == len(DocumentKind)


def test_treatment_of_customer_without_own_rate_or_category_is_the_configured_one() -> None:
    assert SELLER.treatment(CUSTOMER) == treatment()
    assert SELLER.treatment(replace(CUSTOMER, rate=Decimal(7))).rate == 7
    own = SELLER.treatment(replace(CUSTOMER, category=Category.REVERSE_CHARGE))
    assert (own.category, own.rate, own.reason_code) == (Category.REVERSE_CHARGE, 0, "VATEX-EU-AE")


def test_configured_tax_reason_applies_only_to_the_configured_category() -> None:
    exempt = replace(SELLER, tax_category="E", tax_reason="Small business")
    assert exempt.treatment(CUSTOMER).reason == "Small business"
    assert "Reverse" in exempt.treatment(replace(CUSTOMER, category=Category.REVERSE_CHARGE)).reason


@pytest.mark.parametrize("name", ["seller_name", "seller_country", "seller_vat_id"])
def test_seller_without_required_detail_is_refused_with_the_setting_to_set(name: str) -> None:
    SELLER.require(treatment())
    with pytest.raises(BadInputError) as caught:
        replace(SELLER, **{name: None}).require(treatment())
    assert caught.value.remedy == f"set billing.{name}"


def test_seller_without_vat_id_needs_a_registration_or_tax_number() -> None:
    outside = treatment(Category.OUTSIDE)
    bare = Billing(seller_name="Example", seller_country="DE")
    bare.require(None)
    with pytest.raises(BadInputError, match="registration"):
        bare.require(outside)
    replace(bare, seller_tax_id="1/2/3").require(outside)


def test_buyer_without_country_or_vat_id_is_refused_with_the_option_to_set() -> None:
    require_buyer("ada", BUYER, treatment(Category.REVERSE_CHARGE))
    for buyer, said in ((Party("Ada"), "--country"), (replace(BUYER, vat_id=""), "--vat-id")):
        with pytest.raises(BadInputError) as caught:
            require_buyer("ada", buyer, treatment(Category.REVERSE_CHARGE))
        assert caught.value.remedy == f"softix bill customer ada {said} …"


def test_series_with_ambiguous_end_or_bad_text_is_refused() -> None:
    for text in ("INV-{year}-", "{year}-R", "A", "2026."):
        assert parse_series(text) == text
    for text in ("", "INV-{year}", "R1", "R {year}-", "R/", "{month}-", "x" * 33):
        with pytest.raises(BadInputError):
            parse_series(text)


def test_iban_with_wrong_check_digits_or_length_is_refused() -> None:
    assert parse_iban("de02 1203 0000 0000 2020 51") == "DE02120300000000202051"
    for text in ("DE03120300000000202051", "DE02", ""):
        with pytest.raises(BadInputError):
            parse_iban(text)
