from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.billing import SHEETS, treatment, usage_sum

from softix_proxy.domain.billing.bill import CorrectionSum, UsageSum
from softix_proxy.domain.billing.invoicing import (
    CENT_PICO,
    UnroundedLine,
    add_up,
    correction_items,
    merge,
    settled,
    single,
    tax_on,
    usage_items,
    usd,
)
from softix_proxy.domain.billing.taxes import Category
from softix_proxy.domain.pricing.rates import Rate

MARKUPS = st.sampled_from([Fraction(1), Fraction(43, 40), Fraction(100_000_001, 100_000_000), Fraction(0), Fraction(3)])
METERS = st.dictionaries(
    st.sampled_from(["input_tokens", "cached_input_tokens", "output_tokens", "requests"]), st.integers(0, 10**6)
)


@st.composite
def charged(draw: st.DrawFn) -> UsageSum:
    """Some requests alike, each rounded by itself, as they are when they are settled."""
    price_id, tier = draw(st.sampled_from([(5, "standard"), (6, "standard"), (6, "flex")]))
    markup, label = draw(MARKUPS), draw(st.sampled_from(["", "", "limited_to_hold"]))
    rows = [
        {**meters, "input_tokens": draw(st.integers(0, 200))}
        for meters in draw(st.lists(METERS, min_size=1, max_size=5))
    ]
    for row in rows:
        row.pop("cached_input_tokens", None)
    fee_pico = draw(st.sampled_from([0, 0, 5 * 10**8 + 1]))
    rate = Rate(price_id, SHEETS[price_id], markup, fee_pico)
    charge = sum(rate.price(row, tier).charge_pico for row in rows)
    if label:
        charge = draw(st.integers(0, charge))
    meters = {name: sum(row.get(name, 0) for row in rows) for name in rows[0]}
    return replace(
        usage_sum(
            meters, price_id=price_id, fee_pico=fee_pico, service_tier=tier, markup=markup, label=label, rows=len(rows)
        ),
        charge_pico=charge,
    )


@settings(deadline=None)
@given(st.lists(charged(), max_size=8))
def test_usage_items_of_any_sums_add_up_to_the_exact_charge(sums: list[UsageSum]) -> None:
    items = usage_items(sums, SHEETS)
    assert sum(item.exact_pico for item in items) == sum(one.charge_pico for one in sums)
    keys = [(item.line.description, item.line.unit_price, item.line.markup) for item in items]
    assert len(set(keys)) == len(keys)


AMOUNTS = st.integers(-(10**14), 10**14)


@settings(deadline=None)
@given(st.lists(AMOUNTS, min_size=1, max_size=9), st.integers(-(CENT_PICO // 2), CENT_PICO // 2), st.booleans())
def test_invoice_of_any_amounts_adds_up_in_cents_and_carries_the_rest(
    amounts: list[int], carried: int, credit: bool
) -> None:
    made = add_up([single("x", amount) for amount in amounts], carried, treatment(), credit=credit)
    assert sum(line.net for line in made.lines) == made.totals.net
    assert made.totals.gross == made.totals.net + made.totals.tax == made.totals.due
    sign = -1 if credit else 1
    assert made.ledger.charged + made.ledger.carried_in == sign * made.totals.net + made.ledger.carried_on
    assert abs(made.carried_pico) <= CENT_PICO // 2 and made.exact_pico == sum(amounts)
    assert all(line.price >= 0 and line.quantity * line.price == line.net for line in made.lines)


@settings(deadline=None)
@given(st.lists(st.lists(AMOUNTS, min_size=1, max_size=5), min_size=12, max_size=12))
def test_invoices_of_twelve_months_with_the_carried_rest_equal_the_exact_sum(months: list[list[int]]) -> None:
    carried = billed = 0
    for amounts in months:
        made = add_up([single("x", amount) for amount in amounts], carried, None)
        carried = made.carried_pico
        billed += int(made.totals.net.scaleb(2)) * CENT_PICO
    assert billed + carried == sum(map(sum, months))
    assert abs(carried) <= CENT_PICO // 2


def test_usage_item_with_markup_is_quantity_times_marked_up_price() -> None:
    item = usage_items([usage_sum({"input_tokens": 12_345_678})], SHEETS)[0]
    assert item.line.description == "openai/gpt-4o: input tokens"
    assert (item.line.unit_price, item.line.markup, item.line.price) == (Decimal("2.50"), "7.5%", Decimal("2.6875"))
    assert usd(item.exact_pico) == Decimal(12_345_678) * item.line.price / 1_000_000
    [line] = add_up([item], 0, None).lines
    assert (line.net, line.exact) == (Decimal("33.18"), Decimal("33.179009625"))


def test_usage_items_with_different_prices_and_bands_are_separate_lines() -> None:
    sums = [
        usage_sum({"input_tokens": 100, "requests": 1}, price_id=6),
        usage_sum({"input_tokens": 300, "requests": 1}, price_id=6, band_tokens=201, rows=1),
        usage_sum({"input_tokens": 100, "requests": 1}, price_id=6, markup=Fraction(1)),
    ]
    rows = [
        (item.line.description.split(": ")[1], str(item.line.unit_price), item.line.markup, item.line.quantity)
        for item in usage_items(sums, SHEETS)
    ]
    assert rows == [
        ("input tokens", "1.25", "0%", 100),
        ("input tokens", "1.25", "7.5%", 100),
        ("input tokens", "2.50", "7.5%", 300),
        ("requests", "0.001", "0%", 1),
        ("requests", "0.001", "7.5%", 2),
    ]


def test_usage_items_with_request_fee_end_with_a_line_for_the_fee() -> None:
    one = usage_sum({"input_tokens": 10}, fee_pico=5 * 10**8)
    items = usage_items([replace(one, rows=3, charge_pico=3 * one.charge_pico, meters={"input_tokens": 30})], SHEETS)
    fee = items[-1]
    assert (fee.line.description, fee.line.quantity, fee.line.per) == ("openai/gpt-4o: request fee", 3, 1)
    assert (fee.line.unit_price, fee.line.markup, fee.exact_pico) == (Decimal("0.0005"), "0%", 15 * 10**8)


def test_merge_of_alike_usage_sums_adds_them_up() -> None:
    one, other = usage_sum({"input_tokens": 3}), usage_sum({"input_tokens": 4, "output_tokens": 1})
    [both] = merge([one, other])
    assert both.meters == {"input_tokens": 7, "output_tokens": 1} and both.rows == 2
    assert both.charge_pico == one.charge_pico + other.charge_pico
    assert len(merge([one, replace(other, label="limited_to_hold")])) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label": "interrupted", "meters": {}, "charge_pico": 10**12}, "interrupted"),
        ({"label": "limited_to_hold", "meters": {"output_tokens": 10**6}, "charge_pico": 10**12}, "limited"),
        ({"price_id": 99, "charge_pico": 10**12}, "other charges"),
    ],
)
def test_usage_items_with_charge_that_no_price_explains_end_with_a_line_that_names_it(
    changes: dict[str, object], said: str
) -> None:
    items = usage_items([replace(usage_sum({"output_tokens": 1}), **changes)], SHEETS)  # type: ignore[arg-type]
    assert said in items[-1].line.description and sum(item.exact_pico for item in items) == 10**12


def test_correction_items_name_the_corrected_month_and_invoice() -> None:
    sums = [
        CorrectionSum(1, "lab/m", 7, "2026-09", "agreed", 1, -(10**10)),
        CorrectionSum(1, "lab/m", 7, "2026-09", "agreed", 1, -(10**10)),
        CorrectionSum(1, "lab/m", None, "2026-08", "", 1, 10**10),
    ]
    texts = {item.line.description: item.exact_pico for item in correction_items(sums, {7: "INV-1"})}
    assert texts == {
        "lab/m: correction of 2026-09, INV-1 (agreed)": -2 * 10**10,
        "lab/m: correction of 2026-08": 10**10,
    }


def test_credit_note_with_negative_charges_has_positive_amounts() -> None:
    made = add_up([single("x", -5 * CENT_PICO), single("y", 2 * CENT_PICO)], 0, treatment(), credit=True)
    assert [(line.quantity, line.net) for line in made.lines] == [(1, Decimal("0.05")), (-1, Decimal("-0.02"))]
    assert made.totals.net == Decimal("0.03") and made.exact_pico == -3 * CENT_PICO


@pytest.mark.parametrize(("net", "rate", "tax"), [(50, "1", "0.01"), (-50, "1", "-0.01"), (10_00, "19", "1.90")])
def test_tax_of_half_a_cent_is_rounded_away_from_zero(net: int, rate: str, tax: str) -> None:
    totals, told = tax_on(net, replace(treatment(), rate=Decimal(rate)))
    assert told is not None and told.amount == totals.tax == Decimal(tax)


def test_tax_without_treatment_or_outside_the_scope_is_none_or_zero() -> None:
    totals, told = tax_on(100, None)
    assert told is None and totals.gross == Decimal("1.00")
    assert settled(totals).due == 0 and settled(totals).paid == Decimal("1.00")
    _, outside = tax_on(100, treatment(Category.OUTSIDE))
    assert outside is not None and outside.amount == 0


def test_invoice_with_lines_that_round_to_nothing_has_a_rounding_line() -> None:
    made = add_up([UnroundedLine(single("x", 4 * 10**9).line, 4 * 10**9) for _ in range(3)], 0, None)
    assert [line.net for line in made.lines] == [0, 0, 0, Decimal("0.01")]
    assert made.lines[-1].description.startswith("Rounding") and made.carried_pico == 2 * 10**9
