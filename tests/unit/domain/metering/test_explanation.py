from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from softix_proxy.domain.metering.explanation import LIMITED_TO_HOLD, explain, explain_correction
from softix_proxy.domain.metering.usage import UsageRow, UsageSource
from softix_proxy.domain.pricing.rates import PriceSheet

SHEET = PriceSheet.parse({"bands": [{"prices": {"input": "2.00", "output": "8.00"}}]})
ROW = UsageRow(
    id=50,
    request_id=7,
    usage_at_us=40,
    user_id=1,
    user_public_id="usr_ada",
    user_name="ada",
    key_public_id="key_ada",
    key_prefix="sx_live_aaaa",
    provider="lab",
    model_id=1,
    model="llama",
    model_served=None,
    endpoint="chat",
    stream=False,
    meters={"input_tokens": 1000, "output_tokens": 100, "requests": 1},
    service_tier="standard",
    price_id=3,
    markup=Fraction(3, 2),
    cost_pico=2_800_000_000,
    charge_pico=4_200_000_005,
    hold_pico=10**12,
    status_code=200,
    error=None,
    latency_ms=1,
    ttfb_ms=None,
    attempts=1,
    source=UsageSource.PROVIDER,
    note=None,
    fee_pico=5,
)


def test_explanation_of_usage_row_has_lines_and_fee_that_add_up_to_the_charge() -> None:
    explained = explain(ROW, SHEET)
    assert [(line.meter, line.unit_price, line.charge_pico) for line in explained.lines] == [
        ("input_tokens", Decimal("2.00"), 3_000_000_000),
        ("output_tokens", Decimal("8.00"), 1_200_000_000),
    ]
    assert (explained.fee_pico, explained.sum_pico, explained.cost_pico) == (5, 4_200_000_005, 2_800_000_000)
    assert explained.agrees and explained.final_pico == ROW.charge_pico


@pytest.mark.parametrize(
    "changes",
    [{"charge_pico": 4_200_000_004}, {"cost_pico": 1}, {"fee_pico": 6}, {"markup": Fraction(1)}, {"meters": {}}],
)
def test_explanation_of_row_with_changed_figures_does_not_agree(changes: dict[str, object]) -> None:
    assert not explain(replace(ROW, **changes), SHEET).agrees  # type: ignore[arg-type]


def test_explanation_of_charge_limited_to_its_hold_agrees_only_with_the_note() -> None:
    limited = replace(ROW, hold_pico=77, charge_pico=77, note=f"clamped {LIMITED_TO_HOLD}")
    assert explain(limited, SHEET).agrees
    assert not explain(replace(limited, note="clamped"), SHEET).agrees
    assert not explain(replace(limited, charge_pico=76), SHEET).agrees


@pytest.mark.parametrize(("charge_pico", "agrees"), [(76, False), (77, True), (90, True)])
def test_explanation_of_charge_limited_to_the_balance_agrees_from_its_hold_on(charge_pico: int, agrees: bool) -> None:
    limited = replace(ROW, hold_pico=77, charge_pico=charge_pico, note="above_hold limited_to_balance")
    assert explain(limited, SHEET).agrees is agrees
    whole = explain(ROW, SHEET).sum_pico
    assert explain(limited, SHEET).above_hold_pico == whole - 77 > 0
    assert not explain(replace(limited, charge_pico=whole + 1), SHEET).agrees
    assert explain(replace(ROW, hold_pico=77, note="above_hold"), SHEET).agrees


@pytest.mark.parametrize(("charge_pico", "agrees"), [(0, True), (10**12, True), (5, False)])
def test_explanation_of_interrupted_request_agrees_with_nothing_or_the_whole_hold(
    charge_pico: int, agrees: bool
) -> None:
    row = replace(ROW, source=UsageSource.INTERRUPTED, meters={}, cost_pico=0, fee_pico=0, charge_pico=charge_pico)
    assert explain(row, SHEET).agrees is agrees


def test_explanation_without_price_has_no_lines() -> None:
    row = replace(ROW, price_id=None, cost_pico=0, charge_pico=0)
    assert explain(row, None).lines == () and explain(row, None).agrees
    assert explain(replace(row, fee_pico=0), PriceSheet(())).agrees


def test_explanation_of_meters_without_price_names_them() -> None:
    row = replace(ROW, meters={**ROW.meters, "images": 2}, service_tier="priority")
    assert explain(row, SHEET).unpriced == ("service_tier", "images")


def test_explanation_of_row_with_unpriced_note_names_what_the_note_names() -> None:
    row = replace(ROW, service_tier="priority", note="unpriced:service_tier unpriced:image_generation")
    assert explain(row, SHEET).unpriced == ("service_tier", "image_generation")


def correction(number: int, charge_pico: int, **changes: object) -> UsageRow:
    return replace(
        ROW,
        id=number,
        source=UsageSource.CORRECTION,
        corrects_row_id=ROW.id,
        meters={},
        charge_pico=charge_pico,
        **{"cost_pico": 0, **changes},  # type: ignore[arg-type]
    )


def test_explanation_of_repricing_is_the_difference_to_its_own_price() -> None:
    dearer = PriceSheet.parse({"bands": [{"prices": {"input": "4.00", "output": "8.00"}}]})
    first = correction(60, -5)
    second = correction(70, 3_000_000_005, cost_pico=2_000_000_000, price_id=4)
    explained = explain_correction(second, ROW, [first], dearer)
    assert (explained.earlier_pico, explained.sum_pico) == (4_200_000_000, 7_200_000_005)
    assert explained.agrees and not explained.stated
    assert explain(ROW, SHEET, [first, second]).final_pico == 7_200_000_005


def test_explanation_of_stated_correction_agrees_without_lines() -> None:
    explained = explain_correction(correction(60, -17), ROW, [], SHEET)
    assert explained.stated and explained.agrees and explained.lines == ()
