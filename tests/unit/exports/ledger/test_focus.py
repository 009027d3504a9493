from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from support.posted import BOB, MONTH, added_up, adjusted, paid, posting, rows, written

from softix_proxy.exports.ledger.focus import COLUMNS, FORM

PUT_RIGHT = [adjusted(), adjusted(wallet_pico=-5), posting(kind="correction", requests=0, wallet_pico=7)]
EVERYTHING = [*MONTH, posting(), paid(), *PUT_RIGHT]


def only(*postings: object, **told: object) -> dict[str, str]:
    [text] = written(FORM, postings, **told).values()  # type: ignore[arg-type]
    [row] = rows(text)
    return row


def test_focus_columns_are_those_of_the_specification_in_order() -> None:
    later = [name for name in COLUMNS if name in ("HostProviderName", "ServiceProviderName")]
    own = [name for name in COLUMNS if name.startswith("x_")]
    assert len(later) == 2 and len(COLUMNS) - len(own) - len(later) == 57
    assert [name for name in COLUMNS if name not in own] == sorted(name for name in COLUMNS if name not in own)


def test_focus_row_of_usage_has_an_effective_cost_and_no_billed_cost() -> None:
    row = only(posting(), granularity="row")
    assert (row["ChargeCategory"], row["BilledCost"], row["EffectiveCost"]) == ("Usage", "0.00", "0.015")
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == ("1230.0", "Tokens")
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == ("2026-10-05T12:00:00Z", "2026-10-05T12:00:01Z")
    assert (row["HostProviderName"], row["ServiceProviderName"], row["SkuId"]) == ("lab", "softix", "lab/llama")
    assert (row["x_UsageAt"], row["x_RequestId"]) == ("2026-10-05T11:59:57.000000Z", "req_0000000040000")


def test_focus_row_of_a_payment_is_a_purchase() -> None:
    row = only(paid(), names=["issuer=ACME Inc."])
    assert (row["ChargeCategory"], row["BilledCost"], row["EffectiveCost"]) == ("Purchase", "25.00", "0.00")
    assert (row["ChargeFrequency"], row["InvoiceIssuerName"], row["ConsumedQuantity"]) == ("One-Time", "ACME Inc.", "")


def test_focus_rows_of_adjustments_and_corrections_have_their_categories() -> None:
    [text] = written(FORM, PUT_RIGHT).values()
    assert [(row["ChargeCategory"], row["ChargeClass"], row["EffectiveCost"]) for row in rows(text)] == [
        ("Credit", "", "-0.01"),
        ("Adjustment", "", "0.000000000005"),
        ("Usage", "Correction", "-0.000000000007"),
    ]


@pytest.mark.parametrize("granularity", FORM.granularities)
def test_focus_billed_minus_effective_cost_is_the_balance_of_the_wallets(granularity: str) -> None:
    [text] = written(FORM, EVERYTHING, granularity=granularity).values()
    left = sum(Decimal(row["BilledCost"]) - Decimal(row["EffectiveCost"]) for row in rows(text))
    assert left.scaleb(12) == sum(one.wallet_pico for one in EVERYTHING)


@pytest.mark.parametrize("granularity", FORM.granularities)
def test_focus_unit_price_times_quantity_is_the_list_cost(granularity: str) -> None:
    [text] = written(FORM, EVERYTHING, granularity=granularity).values()
    priced = [row for row in rows(text) if row["PricingQuantity"]]
    assert len(priced) > 4
    for row in priced:
        assert Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"]) == Decimal(row["ListCost"])


def test_focus_periods_with_a_zone_begin_at_midnight_in_that_zone() -> None:
    told = {"granularity": "month", "zone": ZoneInfo("Europe/Berlin")}
    row = only(added_up(), **told)
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z")
    day = only(added_up(), granularity="day")
    assert (day["ChargePeriodStart"], day["BillingPeriodEnd"]) == ("2026-10-31T00:00:00Z", "2026-11-01T00:00:00Z")


def test_focus_account_name_that_begins_with_a_formula_sign_is_escaped() -> None:
    assert only(added_up(BOB))["BillingAccountName"].startswith("'=bob")
